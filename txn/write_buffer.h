// WriteBuffer: what a transaction has written and not committed yet, with savepoints.
//
// Place:       one for each read-write transaction, at its gateway.
// Savepoints:  are numbered from 0. Behind one, the value that a key had before is kept once, so that
//              writing a key again and again takes no more room.
// Bounds:      on the bytes of keys and values, those that a savepoint keeps included.
// Concurrency: one loop.
#ifndef TXN_WRITE_BUFFER_H_
#define TXN_WRITE_BUFFER_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "txn/kernel/lock.h"

namespace txn {

class WriteBuffer {
 public:
  using Value = std::optional<std::string>;  // None: the row is deleted.
  using Savepoint = size_t;
  struct Written {
    Value value;
    size_t layer = 0;  // How many savepoints there were.
  };
  using Writes = std::map<Key, Written>;

  // Counted for each write besides its bytes: what it takes to keep it.
  static constexpr size_t kWriteOverhead = 64;

  explicit WriteBuffer(size_t bytes_max) : bytes_max_(bytes_max) {}

  // RESOURCE_EXHAUSTED: it would be too much; nothing has changed.
  absl::Status Set(Key key, Value value);

  Savepoint Save();
  // Forgets what was written since. The savepoint stays, later ones do not. CHECKs that it is there.
  void RollBackTo(Savepoint savepoint);

  // Null: it was not written.
  const Value* Find(const Key& key) const;
  // Ascending by key.
  const Writes& writes() const { return writes_; }
  bool empty() const { return writes_.empty(); }
  size_t bytes() const { return bytes_; }

 private:
  // What undoes a write.
  struct Before {
    Key key;
    std::optional<Written> written;
  };

  static size_t Cost(const Key& key, const Value& value);
  static size_t Cost(const Before& before);

  const size_t bytes_max_;
  Writes writes_;
  std::vector<Before> undo_;
  std::vector<size_t> savepoints_;  // How long undo_ was.
  size_t bytes_ = 0;                // Invariant: the cost of writes_ and undo_.
};

// Own writes of a range, in the order of a scan.
class WriteCursor {
 public:
  WriteCursor(const WriteBuffer* writes, const KeyRange& range, bool backward);

  // Null: at the end.
  const WriteBuffer::Writes::value_type* Peek() const;
  void Next();

 private:
  const bool backward_;
  WriteBuffer::Writes::const_iterator first_;
  WriteBuffer::Writes::const_iterator end_;
};

}  // namespace txn

#endif  // TXN_WRITE_BUFFER_H_

// History: what clients asked of a database and what it answered, as the checker reads it.
//
// A history is a list of transactions over keys, each of reads and of either appends to lists or
// writes to registers. It is packed into three arrays, so that a million transactions fit into some
// hundred megabytes. It is made by a HistoryBuilder, which refuses what could not have happened.
//
// Real time is the order of events: an event is the beginning or the end of a transaction, and
// events are numbered from 0 in the order in which they were seen. One transaction precedes another
// in real time if it ended before the other began. The times in nanoseconds are for people.
#ifndef WORKLOAD_CHECKER_HISTORY_H_
#define WORKLOAD_CHECKER_HISTORY_H_

#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "absl/types/span.h"

namespace checker {

// Indexes into a History: transactions in the order in which they began, keys in the order in which
// they were first named.
using TxnId = uint32_t;
using KeyId = uint32_t;
using EventId = uint32_t;

inline constexpr TxnId kNoTxn = std::numeric_limits<TxnId>::max();
inline constexpr EventId kNever = std::numeric_limits<EventId>::max();
// What a register holds before its first write. No write may carry it.
inline constexpr int64_t kNil = std::numeric_limits<int64_t>::min();
// A time or a timestamp that the history does not tell.
inline constexpr int64_t kUntold = std::numeric_limits<int64_t>::min();

// The name of a key: a number or a word.
using Key = std::variant<int64_t, std::string>;

enum class OperationKind : uint8_t { kRead, kAppend, kWrite };

struct Operation {
  OperationKind kind;
  bool known;  // Of a read: whether its result is. True of appends and writes.
  KeyId key;
  uint32_t list_size;  // Of a read of a list.
  int64_t value;       // Appended, written, or read from a register; of a list, History::list().
};

enum class Outcome : uint8_t {
  kOk,    // It committed.
  kFail,  // It certainly did not.
  kInfo,  // Nobody knows, and it may yet.
};

struct Transaction {
  uint64_t first_operation;
  uint32_t operation_count;
  Outcome outcome;
  // A read at a timestamp of the client's own choice in the past, of which real time promises
  // nothing.
  bool stale;
  EventId begun;
  EventId ended;  // kNever unless it is known to have ended; events without an end last for ever.
  int64_t process;
  int64_t begin_time;  // Nanoseconds, or kUntold; so is end_time.
  int64_t end_time;
  int64_t commit_timestamp;  // Or kUntold; so is read_timestamp.
  int64_t read_timestamp;
};

// What the transactions of a history do besides reading. One that only reads is of lists if a read
// returned one.
enum class Datatype : uint8_t { kLists, kRegisters };

class History {
 public:
  const std::vector<Transaction>& transactions() const { return transactions_; }
  const Transaction& transaction(TxnId id) const { return transactions_[id]; }
  absl::Span<const Operation> operations(const Transaction& transaction) const {
    return absl::MakeConstSpan(operations_.data() + transaction.first_operation,
                               transaction.operation_count);
  }
  absl::Span<const Operation> operations(TxnId id) const { return operations(transactions_[id]); }
  // What a read of a list returned, if it is known.
  absl::Span<const int64_t> list(const Operation& read) const {
    return absl::MakeConstSpan(list_elements_.data() + read.value, read.list_size);
  }
  const std::vector<Key>& keys() const { return keys_; }
  size_t operation_count() const { return operations_.size(); }
  EventId event_count() const { return event_count_; }
  Datatype datatype() const { return datatype_; }

 private:
  friend class HistoryBuilder;

  std::vector<Transaction> transactions_;
  std::vector<Operation> operations_;
  std::vector<int64_t> list_elements_;
  std::vector<Key> keys_;
  EventId event_count_ = 0;
  Datatype datatype_ = Datatype::kRegisters;
};

// "x", or "3".
std::string KeyName(const Key& key);
// "T7".
std::string TxnName(TxnId id);
// "r x [1 2], append y 3, w z 4, r z nil, r w ?": as a person writes them.
std::string DescribeOperation(const History& history, const Operation& operation);
std::string DescribeOperations(const History& history, TxnId id);
// "[1 2 3]"; of a long list the ends.
std::string DescribeList(absl::Span<const int64_t> list);
// "nil", or the number.
std::string DescribeValue(int64_t value);

// Whether `first` ended before `second` began, and the second was promised to see it.
inline bool PrecedesInRealTime(const Transaction& first, const Transaction& second) {
  return first.outcome == Outcome::kOk && !second.stale && first.ended < second.begun;
}

}  // namespace checker

#endif  // WORKLOAD_CHECKER_HISTORY_H_

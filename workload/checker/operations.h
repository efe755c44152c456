// Two views of the operations of a history: those of one transaction key by key, and who wrote a
// value.
#ifndef WORKLOAD_CHECKER_OPERATIONS_H_
#define WORKLOAD_CHECKER_OPERATIONS_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "workload/checker/history.h"

namespace checker {

// The operations of a transaction on one key, in their order.
using KeyOperations = absl::Span<const Operation* const>;

class OperationsByKey {
 public:
  explicit OperationsByKey(const History& history) : history_(history) {}

  // Keys in the order of their ids.
  void ForEach(TxnId id, absl::FunctionRef<void(KeyId, KeyOperations)> visit);

 private:
  const History& history_;
  std::vector<const Operation*> sorted_;
};

// Who wrote each value of each key. A key gets a value once in a history, else nobody could tell
// from a read whose write it saw.
class WriteIndex {
 public:
  static constexpr uint32_t kNowhere = kNoTxn;

  struct Write {
    TxnId writer;
    bool last;                     // Of its transaction on the key.
    uint32_t position = kNowhere;  // In the order of versions, as far as it is known.
  };

  // InvalidArgument if a value was written to a key twice.
  static absl::StatusOr<WriteIndex> Build(const History& history);

  // Null if nobody wrote it.
  const Write* Find(KeyId key, int64_t value) const {
    const auto found = writes_.find({key, value});
    return found == writes_.end() ? nullptr : &found->second;
  }
  Write* Find(KeyId key, int64_t value) {
    return const_cast<Write*>(std::as_const(*this).Find(key, value));
  }

 private:
  absl::flat_hash_map<std::pair<KeyId, int64_t>, Write> writes_;
};

}  // namespace checker

#endif  // WORKLOAD_CHECKER_OPERATIONS_H_

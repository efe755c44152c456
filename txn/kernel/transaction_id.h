// TransactionId names one attempt of a transaction; Age says how old the transaction is, over all
// of its attempts.
#ifndef TXN_KERNEL_TRANSACTION_ID_H_
#define TXN_KERNEL_TRANSACTION_ID_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/strong_id.h"
#include "runtime/time.h"

namespace txn {

using runtime::NodeId;
using runtime::Timestamp;

// One attempt: a transaction that is tried again gets a new one. No other attempt in the cluster
// has it, ever: a gateway never gives a sequence twice, also across its restarts.
struct TransactionId {
  Timestamp begun;  // By the gateway's clock. It only orders; nothing is proven by it.
  NodeId gateway;
  uint64_t sequence = 0;

  friend constexpr auto operator<=>(const TransactionId&, const TransactionId&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const TransactionId& id) {
    return H::combine(std::move(state), id.begun.nanoseconds(), id.gateway, id.sequence);
  }
  friend std::ostream& operator<<(std::ostream& out, const TransactionId& id);
};

// What people read and type: "1hp9zr4bn6t80-3-1a", the gateway in decimal between the two others in
// base 32 (Crockford's digits: no i, l, o, u). It reads the same in either case.
std::string ToText(const TransactionId& id);
// INVALID_ARGUMENT: no such text is made by ToText(), nor by a person who takes o for 0, or i or l
// for 1.
absl::StatusOr<TransactionId> ParseTransactionId(absl::string_view text);

// As bytes of a key: a fixed size, in the order of the ids.
inline constexpr size_t kTransactionIdBytes = 20;
void AppendTransactionId(const TransactionId& id, std::string* out);
// DATA_LOSS: not the right size.
absl::StatusOr<TransactionId> DecodeTransactionId(absl::string_view bytes);

// That of the first attempt, which all later ones keep (TX-LOCKS): so a transaction that is tried
// again grows older until it is the oldest and wins. A smaller age is older.
struct Age {
  Timestamp first_begun;
  TransactionId first;

  // Of a transaction whose first attempt this is.
  static constexpr Age Of(const TransactionId& first) { return {first.begun, first}; }

  friend constexpr auto operator<=>(const Age&, const Age&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Age& age) { return out << age.first; }
};

}  // namespace txn

#endif  // TXN_KERNEL_TRANSACTION_ID_H_

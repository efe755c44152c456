// StrongId: an integer that is one kind of thing. A NodeId cannot be passed where a slot is wanted.
//
//   using NodeId = StrongId<struct NodeIdTag, uint32_t>;
//
// Ordered, hashable and printable; no arithmetic, since an identity has none.
#ifndef RUNTIME_STRONG_ID_H_
#define RUNTIME_STRONG_ID_H_

#include <compare>
#include <cstdint>
#include <ostream>

namespace runtime {

template <typename Tag, typename Rep>
class StrongId {
 public:
  constexpr StrongId() = default;
  constexpr explicit StrongId(Rep value) : value_(value) {}

  constexpr Rep value() const { return value_; }

  friend constexpr auto operator<=>(StrongId, StrongId) = default;

  template <typename H>
  friend H AbslHashValue(H state, StrongId id) {
    return H::combine(std::move(state), id.value_);
  }
  friend std::ostream& operator<<(std::ostream& out, StrongId id) { return out << +id.value_; }

 private:
  Rep value_ = 0;
};

// A node of the cluster. 0 is nobody: clients that are not nodes call as node 0.
using NodeId = StrongId<struct NodeIdTag, uint32_t>;

}  // namespace runtime

#endif  // RUNTIME_STRONG_ID_H_

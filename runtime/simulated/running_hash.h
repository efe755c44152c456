// RunningHash: one 64-bit value for all that has happened in a run, in order.
//
// Two runs of one seed must end with the same value, in every build and process; so only values
// are folded in, never an address. Not cryptographic.
#ifndef RUNTIME_SIMULATED_RUNNING_HASH_H_
#define RUNTIME_SIMULATED_RUNNING_HASH_H_

#include <cstdint>
#include <cstring>

#include "absl/strings/string_view.h"

namespace simulated {

// Both halves of a 128-bit product, folded: a good mix of two words for the price of one multiply.
inline uint64_t Mix(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a ^ 0x9e3779b97f4a7c15u) *
                       static_cast<unsigned __int128>(b ^ 0xe7037ed1a0b428dbu);
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// A hash of `bytes` and their number.
inline uint64_t HashBytes(absl::string_view bytes) {
  uint64_t hash = bytes.size();
  while (bytes.size() >= sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, bytes.data(), sizeof(word));
    hash = Mix(hash, word);
    bytes.remove_prefix(sizeof(word));
  }
  uint64_t rest = 0;
  if (!bytes.empty()) std::memcpy(&rest, bytes.data(), bytes.size());
  return Mix(hash, rest);
}

class RunningHash {
 public:
  explicit RunningHash(uint64_t seed) : value_(seed) {}

  void Fold(uint64_t a, uint64_t b) { value_ = Mix(value_ ^ a, b) + value_; }
  uint64_t value() const { return value_; }

 private:
  uint64_t value_;
};

}  // namespace simulated

#endif  // RUNTIME_SIMULATED_RUNNING_HASH_H_

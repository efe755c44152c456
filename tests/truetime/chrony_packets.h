// Answers of chronyd 4.3, as they came from its command port, to requests with the sequence number
// kSequence. `chronyc -c tracking` printed of the first one's follower, a moment later:
//   7F000001,127.0.0.1,2,1795171680.311968642,-0.000001045,0.000000004,0.000000306,0.008,-0.002,
//   0.403,0.000004624,0.000040633,0.1,Normal
#ifndef TESTS_TRUETIME_CHRONY_PACKETS_H_
#define TESTS_TRUETIME_CHRONY_PACKETS_H_

#include <cstdint>
#include <string>

#include "absl/strings/escaping.h"

namespace truetime {

inline constexpr uint32_t kSequence = 0x01020304;

inline std::string TrackingOfFollower() {
  return absl::HexStringToBytes(
      "060200000021000500000000000000000102030400000000000000007f000001"
      "7f0000010000000000000000000000000001000000020000000000006b002560"
      "12984382dd73b801cc964e3fd8a4703cf4f6a9f1f129408500ce8435e09b27dc"
      "e6a9a8e5fe811e0b");
}
inline std::string TrackingOfLocalReference() {
  return absl::HexStringToBytes(
      "060200000021000500000000000000000102030400000000000000007f7f0101"
      "000000000000000000000000000000000000000000010000000000006b00255d"
      "2da1190200000000000000000000000000000000000000000000000000000000"
      "0000000000000000");
}
inline std::string OneSource() {
  return absl::HexStringToBytes(
      "06020000000e00020000000000000000010203040000000000000000"
      "00000001");
}
inline std::string SelectedSource() {
  return absl::HexStringToBytes(
      "06020000000f00030000000000000000010203040000000000000000"
      "7f00000100000000000000000000000000010000fffd000100000000"
      "000000ff00000000d6a22290d69d6feede9ee6f7");
}
inline std::string NoSuchSource() {
  return absl::HexStringToBytes("06020000000f00010004000000000000010203040000000000000000");
}
inline std::string BadLength() {
  return absl::HexStringToBytes("06020000002100010013000000000000010203040000000000000000");
}

}  // namespace truetime

#endif  // TESTS_TRUETIME_CHRONY_PACKETS_H_

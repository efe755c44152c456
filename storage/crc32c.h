// CRC-32C (Castagnoli): the checksum of everything that storage/ writes.
//
// With the processor's own instruction where it has one (x86-64 with SSE 4.2), else by table; both
// give the same. Stored checksums are masked, as in LevelDB's files: the CRC of bytes that hold
// their own CRC is weak.
#ifndef STORAGE_CRC32C_H_
#define STORAGE_CRC32C_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace storage {

// The checksum of what `crc` is of, followed by `data`. Begin with 0.
uint32_t ExtendCrc32c(uint32_t crc, absl::string_view data);
inline uint32_t Crc32c(absl::string_view data) { return ExtendCrc32c(0, data); }

// By table only: what machines without the instruction use.
uint32_t ExtendCrc32cByTable(uint32_t crc, absl::string_view data);

constexpr uint32_t kCrc32cMaskDelta = 0xa282ead8u;
constexpr uint32_t MaskCrc32c(uint32_t crc) {
  return ((crc >> 15) | (crc << 17)) + kCrc32cMaskDelta;
}
constexpr uint32_t UnmaskCrc32c(uint32_t masked) {
  const uint32_t rotated = masked - kCrc32cMaskDelta;
  return (rotated >> 17) | (rotated << 15);
}

}  // namespace storage

#endif  // STORAGE_CRC32C_H_

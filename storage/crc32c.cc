#include "storage/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace storage {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78u;  // Castagnoli's, reflected.

// tables[k][byte]: what `byte` contributes when k zero bytes follow it.
using Tables = std::array<std::array<uint32_t, 256>, 8>;

constexpr Tables MakeTables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < tables.size(); ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

constexpr Tables kTables = MakeTables();

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t ExtendByInstruction(uint32_t crc,
                                                               absl::string_view data) {
  const char* next = data.data();
  const char* const end = next + data.size();
  uint64_t state = ~crc;
  for (; end - next >= 8; next += 8) {
    uint64_t word = 0;
    std::memcpy(&word, next, sizeof(word));
    state = _mm_crc32_u64(state, word);
  }
  auto narrow = static_cast<uint32_t>(state);
  for (; next != end; ++next) narrow = _mm_crc32_u8(narrow, static_cast<unsigned char>(*next));
  return ~narrow;
}

const bool kHasInstruction = __builtin_cpu_supports("sse4.2") != 0;
#endif

}  // namespace

uint32_t ExtendCrc32cByTable(uint32_t crc, absl::string_view data) {
  const auto* next = reinterpret_cast<const unsigned char*>(data.data());
  const unsigned char* const end = next + data.size();
  uint32_t state = ~crc;
  for (; end - next >= 8; next += 8) {
    uint32_t sum = 0;
    for (size_t i = 0; i < 4; ++i) sum ^= kTables[7 - i][((state >> (8 * i)) & 0xff) ^ next[i]];
    for (size_t i = 4; i < 8; ++i) sum ^= kTables[7 - i][next[i]];
    state = sum;
  }
  for (; next != end; ++next) state = (state >> 8) ^ kTables[0][(state ^ *next) & 0xff];
  return ~state;
}

uint32_t ExtendCrc32c(uint32_t crc, absl::string_view data) {
#if defined(__x86_64__)
  if (kHasInstruction) return ExtendByInstruction(crc, data);
#endif
  return ExtendCrc32cByTable(crc, data);
}

}  // namespace storage

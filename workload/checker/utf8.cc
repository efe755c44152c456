#include "workload/checker/utf8.h"

namespace checker {
namespace {

constexpr uint32_t kCodeMax = 0x10FFFF;

bool IsCharacter(uint32_t code) { return code <= kCodeMax && (code < 0xD800 || code > 0xDFFF); }

struct Length {
  size_t bytes;
  uint32_t code_min;  // A smaller code has a shorter form, and must use it.
  uint32_t first_bits;
};

Length LengthOf(unsigned char first) {
  if (first < 0x80) return {1, 0, first};
  if (first >= 0xC0 && first < 0xE0) return {2, 0x80, first & 0x1Fu};
  if (first >= 0xE0 && first < 0xF0) return {3, 0x800, first & 0x0Fu};
  if (first >= 0xF0 && first < 0xF8) return {4, 0x10000, first & 0x07u};
  return {0, 0, 0};
}

}  // namespace

size_t FindInvalidUtf8(absl::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const Length length = LengthOf(static_cast<unsigned char>(text[at]));
    if (length.bytes == 0 || at + length.bytes > text.size()) return at;
    uint32_t code = length.first_bits;
    for (size_t i = 1; i < length.bytes; ++i) {
      const unsigned char byte = static_cast<unsigned char>(text[at + i]);
      if ((byte & 0xC0) != 0x80) return at;
      code = code << 6 | (byte & 0x3F);
    }
    if (code < length.code_min || !IsCharacter(code)) return at;
    at += length.bytes;
  }
  return absl::string_view::npos;
}

bool AppendUtf8(uint32_t code, std::string* out) {
  if (!IsCharacter(code)) return false;
  const auto tail = [&](int shift) {
    out->push_back(static_cast<char>(0x80 | ((code >> shift) & 0x3F)));
  };
  if (code < 0x80) {
    out->push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out->push_back(static_cast<char>(0xC0 | code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    out->push_back(static_cast<char>(0xE0 | code >> 12));
    tail(6);
    tail(0);
  } else {
    out->push_back(static_cast<char>(0xF0 | code >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
  return true;
}

}  // namespace checker

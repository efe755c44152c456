#include "storage/coding.h"

#include "absl/strings/str_cat.h"

namespace storage {

void AppendVarint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value));
}

void AppendBytes(absl::string_view bytes, std::string* out) {
  AppendVarint(bytes.size(), out);
  out->append(bytes.data(), bytes.size());
}

absl::string_view Decoder::TakeRaw(size_t size) {
  if (failed_ || rest_.size() < size) {
    failed_ = true;
    rest_ = {};
    return {};
  }
  const absl::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

uint8_t Decoder::TakeByte() {
  const absl::string_view byte = TakeRaw(1);
  return byte.empty() ? 0 : static_cast<uint8_t>(byte[0]);
}

uint32_t Decoder::TakeFixed32() {
  const absl::string_view bytes = TakeRaw(4);
  return bytes.empty() ? 0 : ReadFixed32(bytes.data());
}

uint64_t Decoder::TakeFixed64() {
  const uint64_t low = TakeFixed32();
  return uint64_t{TakeFixed32()} << 32 | low;
}

uint64_t Decoder::TakeVarint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint8_t byte = TakeByte();
    const uint64_t bits = byte & 0x7f;
    // The shortest form only: no zero at the end, and nothing past 64 bits.
    if ((byte == 0 && shift > 0) || bits << shift >> shift != bits) break;
    value |= bits << shift;
    if (byte < 0x80) return failed_ ? 0 : value;
  }
  failed_ = true;
  rest_ = {};
  return 0;
}

absl::string_view Decoder::TakeBytes() {
  const uint64_t size = TakeVarint();
  return TakeRaw(static_cast<size_t>(size));
}

absl::Status Decoder::Finish(absl::string_view what) const {
  if (!failed_ && rest_.empty()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(what, " does not decode"));
}

}  // namespace storage

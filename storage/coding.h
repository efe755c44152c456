// The little encodings that records are made of: fixed-width integers (little-endian), varints, and
// bytes behind their length. Decoding never reads past the end, and refuses as DATA_LOSS what
// encoding cannot have made.
#ifndef STORAGE_CODING_H_
#define STORAGE_CODING_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace storage {

inline void AppendFixed32(uint32_t value, std::string* out) {
  for (int i = 0; i < 4; ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}
inline void AppendFixed64(uint64_t value, std::string* out) {
  for (int i = 0; i < 8; ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}
inline uint32_t ReadFixed32(const char* from) {
  uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<uint8_t>(from[i]);
  return value;
}

void AppendVarint(uint64_t value, std::string* out);
void AppendBytes(absl::string_view bytes, std::string* out);

// Takes values from the front of `bytes`, which it points into. After a first error all that it
// gives is empty or zero, so status() is asked once, at the end.
class Decoder {
 public:
  explicit Decoder(absl::string_view bytes) : rest_(bytes) {}

  uint8_t TakeByte();
  uint32_t TakeFixed32();
  uint64_t TakeFixed64();
  uint64_t TakeVarint();
  absl::string_view TakeBytes();

  bool failed() const { return failed_; }
  bool at_end() const { return rest_.empty(); }
  absl::string_view rest() const { return rest_; }
  // OK if all that was taken was there, and nothing is left.
  absl::Status Finish(absl::string_view what) const;

 private:
  absl::string_view TakeRaw(size_t size);

  absl::string_view rest_;
  bool failed_ = false;
};

}  // namespace storage

#endif  // STORAGE_CODING_H_

// Key encoding: SQL values as bytes, such that the order of the bytes is the order of the values.
//
//   Key key = KeyBuilder().AppendInt64(7, {}).AppendText("name", {}).Take();
//   KeyReader reader(key); ... reader.ReadInt64({}) ...
//
// A key is its values one after the other; no encoding is a proper prefix of another, so tuples
// compare value by value, and equal values have equal bytes. Each value begins with a byte that
// says whether it is null, by which nulls sort first or last; the bytes of a descending value are
// complemented.
//
// Reading wants the types and orderings that were appended: they are not in the key. What no
// builder could have made is refused as DATA_LOSS.
//
// Format: docs/formats.md, "Keys".
#ifndef STORAGE_KEY_ENCODING_H_
#define STORAGE_KEY_ENCODING_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/key_range.h"

namespace storage {

enum class Direction { kAscending, kDescending };
enum class Nulls { kFirst, kLast };

// How one column sorts. The default is SQL's as PostgreSQL has it.
struct Ordering {
  Direction direction = Direction::kAscending;
  Nulls nulls = Nulls::kLast;
};

// A number of any precision: +-digits * 10^-scale, or one of the values that are no numbers.
// Ordered -Infinity < numbers < Infinity < NaN; NaN equals itself.
struct Numeric {
  enum class Kind { kNegativeInfinity, kNumber, kInfinity, kNaN };

  Kind kind = Kind::kNumber;
  // Of a number only. "" is zero; leading and trailing zeros do no harm.
  bool negative = false;
  std::string digits = {};
  int32_t scale = 0;

  friend bool operator==(const Numeric&, const Numeric&) = default;
};

using Uuid = std::array<uint8_t, 16>;

class KeyBuilder {
 public:
  // std::nullopt is null.
  KeyBuilder& AppendBool(std::optional<bool> value, Ordering ordering);
  // Also dates, times and timestamps: whatever is a 64-bit count.
  KeyBuilder& AppendInt64(std::optional<int64_t> value, Ordering ordering);
  // -0 equals 0; NaN sorts after all and equals itself.
  KeyBuilder& AppendDouble(std::optional<double> value, Ordering ordering);
  // Equal numbers of different scale are equal. CHECKs that `digits` holds digits.
  KeyBuilder& AppendNumeric(const std::optional<Numeric>& value, Ordering ordering);
  // Text and bytea, by bytes.
  KeyBuilder& AppendText(std::optional<absl::string_view> value, Ordering ordering);
  KeyBuilder& AppendUuid(const std::optional<Uuid>& value, Ordering ordering);

  const Key& key() const { return key_; }
  Key Take() { return std::move(key_); }

 private:
  // Begins a value: whether it is not null, so that its bytes follow.
  bool Begin(bool present, Ordering ordering);
  // Ends it: complements what was appended since Begin() if it descends.
  KeyBuilder& End(Ordering ordering);
  void AppendBigEndian(uint64_t bits, int bytes);
  void AppendDigits(const Numeric& number);

  Key key_;
  size_t begin_ = 0;  // Where the bytes of the current value begin.
};

// Reads values in the order in which they were appended. Keeps pointing into `key`. After an error
// it stands anywhere.
class KeyReader {
 public:
  explicit KeyReader(absl::string_view key) : rest_(key) {}

  absl::StatusOr<std::optional<bool>> ReadBool(Ordering ordering);
  absl::StatusOr<std::optional<int64_t>> ReadInt64(Ordering ordering);
  absl::StatusOr<std::optional<double>> ReadDouble(Ordering ordering);
  // In the shortest form: no leading or trailing zeros, scale below 0 for 1e+6 and the like.
  absl::StatusOr<std::optional<Numeric>> ReadNumeric(Ordering ordering);
  absl::StatusOr<std::optional<std::string>> ReadText(Ordering ordering);
  absl::StatusOr<std::optional<Uuid>> ReadUuid(Ordering ordering);

  bool at_end() const { return rest_.empty(); }
  absl::string_view rest() const { return rest_; }

 private:
  // Whether a value follows that is not null.
  absl::StatusOr<bool> Begin(Ordering ordering);
  // The next byte of the value, complemented if it descends.
  absl::StatusOr<uint8_t> NextByte(Ordering ordering);
  absl::StatusOr<uint64_t> ReadBigEndian(int bytes, Ordering ordering);
  absl::StatusOr<Numeric> ReadNumber(bool negative, Ordering ordering);

  absl::string_view rest_;
};

// Text with its zero bytes escaped and an end, as AppendText() has it: for keys within keys.
void AppendEscaped(absl::string_view text, std::string* out);
// Takes such text from the front of `*in`.
absl::StatusOr<std::string> TakeEscaped(absl::string_view* in);

// The range of all keys that begin with `prefix`.
KeyRange PrefixRange(absl::string_view prefix);

}  // namespace storage

#endif  // STORAGE_KEY_ENCODING_H_

#include "storage/key_encoding.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "runtime/check.h"
#include "runtime/status_macros.h"

namespace storage {
namespace {

// The byte before a value. Nulls sort before or after all values.
constexpr uint8_t kNullFirst = 1;
constexpr uint8_t kPresent = 2;
constexpr uint8_t kNullLast = 3;

// Text: a zero byte is escaped, and the end sorts before all that could go on.
constexpr uint8_t kEscape = 0;
constexpr uint8_t kEnd = 1;
constexpr uint8_t kEscapedZero = 0xff;

// The first byte of a numeric, in the order of the values.
constexpr uint8_t kNegativeInfinity = 1;
constexpr uint8_t kNegative = 2;
constexpr uint8_t kZero = 3;
constexpr uint8_t kPositive = 4;
constexpr uint8_t kInfinity = 5;
constexpr uint8_t kNaN = 6;

constexpr uint64_t kSignBit = uint64_t{1} << 63;
constexpr uint64_t kNaNBits = ~uint64_t{0};

absl::Status Garbage() { return absl::DataLossError("a key holds what was never encoded"); }

uint64_t OrderedBits(double value) {
  if (std::isnan(value)) return kNaNBits;
  if (value == 0) value = 0;  // -0 is 0.
  const auto bits = std::bit_cast<uint64_t>(value);
  return (bits & kSignBit) != 0 ? ~bits : bits | kSignBit;
}

void Complement(std::string* text, size_t from) {
  for (size_t i = from; i < text->size(); ++i) (*text)[i] = static_cast<char>(~(*text)[i]);
}

uint8_t NullTag(Ordering ordering) {
  return ordering.nulls == Nulls::kFirst ? kNullFirst : kNullLast;
}

}  // namespace

// ---- Building.

bool KeyBuilder::Begin(bool present, Ordering ordering) {
  key_.push_back(static_cast<char>(present ? kPresent : NullTag(ordering)));
  begin_ = key_.size();
  return present;
}

KeyBuilder& KeyBuilder::End(Ordering ordering) {
  if (ordering.direction == Direction::kDescending) Complement(&key_, begin_);
  return *this;
}

void KeyBuilder::AppendBigEndian(uint64_t bits, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) key_.push_back(static_cast<char>(bits >> (8 * i)));
}

KeyBuilder& KeyBuilder::AppendBool(std::optional<bool> value, Ordering ordering) {
  if (Begin(value.has_value(), ordering)) key_.push_back(*value ? 1 : 0);
  return End(ordering);
}

KeyBuilder& KeyBuilder::AppendInt64(std::optional<int64_t> value, Ordering ordering) {
  if (Begin(value.has_value(), ordering)) {
    AppendBigEndian(static_cast<uint64_t>(*value) ^ kSignBit, 8);
  }
  return End(ordering);
}

KeyBuilder& KeyBuilder::AppendDouble(std::optional<double> value, Ordering ordering) {
  if (Begin(value.has_value(), ordering)) AppendBigEndian(OrderedBits(*value), 8);
  return End(ordering);
}

KeyBuilder& KeyBuilder::AppendText(std::optional<absl::string_view> value, Ordering ordering) {
  if (Begin(value.has_value(), ordering)) AppendEscaped(*value, &key_);
  return End(ordering);
}

KeyBuilder& KeyBuilder::AppendUuid(const std::optional<Uuid>& value, Ordering ordering) {
  if (Begin(value.has_value(), ordering)) key_.append(value->begin(), value->end());
  return End(ordering);
}

KeyBuilder& KeyBuilder::AppendNumeric(const std::optional<Numeric>& value, Ordering ordering) {
  if (Begin(value.has_value(), ordering)) {
    switch (value->kind) {
      case Numeric::Kind::kNegativeInfinity:
        key_.push_back(kNegativeInfinity);
        break;
      case Numeric::Kind::kNumber:
        AppendDigits(*value);
        break;
      case Numeric::Kind::kInfinity:
        key_.push_back(kInfinity);
        break;
      case Numeric::Kind::kNaN:
        key_.push_back(kNaN);
        break;
    }
  }
  return End(ordering);
}

// A number that is not zero is 0.d1d2d3... * 10^exponent with d1 > 0: exponent, then the digits two
// by two, each pair plus one, then a zero.
void KeyBuilder::AppendDigits(const Numeric& number) {
  CHECK(std::all_of(number.digits.begin(), number.digits.end(),
                    [](char digit) { return digit >= '0' && digit <= '9'; }));
  const size_t first = number.digits.find_first_not_of('0');
  if (first == std::string::npos) {
    key_.push_back(kZero);
    return;
  }
  const size_t last = number.digits.find_last_not_of('0');
  const int64_t exponent = static_cast<int64_t>(number.digits.size() - first) - number.scale;
  CHECK(exponent >= std::numeric_limits<int32_t>::min() &&
        exponent <= std::numeric_limits<int32_t>::max());
  key_.push_back(static_cast<char>(number.negative ? kNegative : kPositive));
  const size_t begin = key_.size();
  AppendBigEndian(static_cast<uint32_t>(exponent) ^ 0x80000000u, 4);
  for (size_t i = first; i <= last; i += 2) {
    const int tens = number.digits[i] - '0';
    const int ones = i + 1 <= last ? number.digits[i + 1] - '0' : 0;
    key_.push_back(static_cast<char>(tens * 10 + ones + 1));
  }
  key_.push_back(0);
  if (number.negative) Complement(&key_, begin);
}

void AppendEscaped(absl::string_view text, std::string* out) {
  for (size_t begin = 0;;) {
    const size_t zero = text.find('\0', begin);
    const absl::string_view plain = text.substr(begin, zero - begin);
    out->append(plain.data(), plain.size());
    out->push_back(kEscape);
    if (zero == absl::string_view::npos) break;
    out->push_back(static_cast<char>(kEscapedZero));
    begin = zero + 1;
  }
  out->push_back(kEnd);
}

// ---- Reading.

absl::StatusOr<bool> KeyReader::Begin(Ordering ordering) {
  if (rest_.empty()) return Garbage();
  const auto tag = static_cast<uint8_t>(rest_.front());
  rest_.remove_prefix(1);
  if (tag == kPresent) return true;
  if (tag == NullTag(ordering)) return false;
  return Garbage();
}

absl::StatusOr<uint8_t> KeyReader::NextByte(Ordering ordering) {
  if (rest_.empty()) return Garbage();
  const auto byte = static_cast<uint8_t>(rest_.front());
  rest_.remove_prefix(1);
  return ordering.direction == Direction::kDescending ? static_cast<uint8_t>(~byte) : byte;
}

absl::StatusOr<uint64_t> KeyReader::ReadBigEndian(int bytes, Ordering ordering) {
  uint64_t bits = 0;
  for (int i = 0; i < bytes; ++i) {
    ASSIGN_OR_RETURN(const uint8_t byte, NextByte(ordering));
    bits = bits << 8 | byte;
  }
  return bits;
}

absl::StatusOr<std::optional<bool>> KeyReader::ReadBool(Ordering ordering) {
  ASSIGN_OR_RETURN(const bool present, Begin(ordering));
  if (!present) return std::optional<bool>();
  ASSIGN_OR_RETURN(const uint8_t byte, NextByte(ordering));
  if (byte > 1) return Garbage();
  return std::optional<bool>(byte == 1);
}

absl::StatusOr<std::optional<int64_t>> KeyReader::ReadInt64(Ordering ordering) {
  ASSIGN_OR_RETURN(const bool present, Begin(ordering));
  if (!present) return std::optional<int64_t>();
  ASSIGN_OR_RETURN(const uint64_t bits, ReadBigEndian(8, ordering));
  return std::optional<int64_t>(static_cast<int64_t>(bits ^ kSignBit));
}

absl::StatusOr<std::optional<double>> KeyReader::ReadDouble(Ordering ordering) {
  ASSIGN_OR_RETURN(const bool present, Begin(ordering));
  if (!present) return std::optional<double>();
  ASSIGN_OR_RETURN(const uint64_t bits, ReadBigEndian(8, ordering));
  const auto value = std::bit_cast<double>((bits & kSignBit) != 0 ? bits ^ kSignBit : ~bits);
  // Neither -0 nor another NaN is ever written.
  if (OrderedBits(value) != bits) return Garbage();
  return std::optional<double>(value);
}

absl::StatusOr<std::optional<std::string>> KeyReader::ReadText(Ordering ordering) {
  ASSIGN_OR_RETURN(const bool present, Begin(ordering));
  if (!present) return std::optional<std::string>();
  std::string text;
  while (true) {
    ASSIGN_OR_RETURN(const uint8_t byte, NextByte(ordering));
    if (byte != kEscape) {
      text.push_back(static_cast<char>(byte));
      continue;
    }
    ASSIGN_OR_RETURN(const uint8_t escaped, NextByte(ordering));
    if (escaped == kEnd) return std::optional<std::string>(std::move(text));
    if (escaped != kEscapedZero) return Garbage();
    text.push_back('\0');
  }
}

absl::StatusOr<std::optional<Uuid>> KeyReader::ReadUuid(Ordering ordering) {
  ASSIGN_OR_RETURN(const bool present, Begin(ordering));
  if (!present) return std::optional<Uuid>();
  Uuid uuid{};
  for (uint8_t& byte : uuid) {
    ASSIGN_OR_RETURN(byte, NextByte(ordering));
  }
  return std::optional<Uuid>(uuid);
}

absl::StatusOr<std::optional<Numeric>> KeyReader::ReadNumeric(Ordering ordering) {
  ASSIGN_OR_RETURN(const bool present, Begin(ordering));
  if (!present) return std::optional<Numeric>();
  ASSIGN_OR_RETURN(const uint8_t kind, NextByte(ordering));
  switch (kind) {
    case kNegativeInfinity:
      return std::optional<Numeric>(Numeric{.kind = Numeric::Kind::kNegativeInfinity});
    case kZero:
      return std::optional<Numeric>(Numeric{});
    case kInfinity:
      return std::optional<Numeric>(Numeric{.kind = Numeric::Kind::kInfinity});
    case kNaN:
      return std::optional<Numeric>(Numeric{.kind = Numeric::Kind::kNaN});
    case kNegative:
    case kPositive: {
      ASSIGN_OR_RETURN(Numeric number, ReadNumber(kind == kNegative, ordering));
      return std::optional<Numeric>(std::move(number));
    }
    default:
      return Garbage();
  }
}

absl::StatusOr<Numeric> KeyReader::ReadNumber(bool negative, Ordering ordering) {
  if (negative) {  // It is complemented once more.
    const bool ascending = ordering.direction == Direction::kAscending;
    ordering.direction = ascending ? Direction::kDescending : Direction::kAscending;
  }
  ASSIGN_OR_RETURN(const uint64_t bits, ReadBigEndian(4, ordering));
  const auto exponent = static_cast<int32_t>(static_cast<uint32_t>(bits) ^ 0x80000000u);
  Numeric number{.negative = negative};
  while (true) {
    ASSIGN_OR_RETURN(const uint8_t pair, NextByte(ordering));
    if (pair == 0) break;
    if (pair > 100) return Garbage();
    number.digits.push_back(static_cast<char>('0' + (pair - 1) / 10));
    number.digits.push_back(static_cast<char>('0' + (pair - 1) % 10));
  }
  if (absl::EndsWith(number.digits, "00") || number.digits.empty() || number.digits[0] == '0') {
    return Garbage();
  }
  if (number.digits.back() == '0') number.digits.pop_back();
  const int64_t scale = static_cast<int64_t>(number.digits.size()) - exponent;
  if (scale > std::numeric_limits<int32_t>::max() || scale < std::numeric_limits<int32_t>::min()) {
    return Garbage();
  }
  number.scale = static_cast<int32_t>(scale);
  return number;
}

absl::StatusOr<std::string> TakeEscaped(absl::string_view* in) {
  std::string text;
  while (true) {
    const size_t zero = in->find('\0');
    if (zero == absl::string_view::npos || zero + 1 == in->size()) return Garbage();
    text.append(in->data(), zero);
    const auto escaped = static_cast<uint8_t>((*in)[zero + 1]);
    in->remove_prefix(zero + 2);
    if (escaped == kEnd) return text;
    if (escaped != kEscapedZero) return Garbage();
    text.push_back('\0');
  }
}

KeyRange PrefixRange(absl::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<uint8_t>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<uint8_t>(end.back()) + 1);
  return {std::string(prefix), std::move(end)};
}

}  // namespace storage

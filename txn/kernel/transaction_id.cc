#include "txn/kernel/transaction_id.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace txn {
namespace {

constexpr absl::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";

std::string ToBase32(uint64_t value) {
  std::string text;
  do {
    text.push_back(kDigits[value % 32]);
    value /= 32;
  } while (value != 0);
  std::reverse(text.begin(), text.end());
  return text;
}

std::optional<uint64_t> FromBase32(absl::string_view text) {
  if (text.empty()) return std::nullopt;
  uint64_t value = 0;
  for (char c : text) {
    c = absl::ascii_tolower(static_cast<unsigned char>(c));
    if (c == 'o') c = '0';
    if (c == 'i' || c == 'l') c = '1';
    const size_t digit = kDigits.find(c);
    if (digit == absl::string_view::npos) return std::nullopt;
    if (value > std::numeric_limits<uint64_t>::max() / 32) return std::nullopt;
    value = value * 32 + digit;
  }
  return value;
}

void AppendBigEndian(uint64_t value, int bytes, std::string* out) {
  for (int i = bytes - 1; i >= 0; --i) out->push_back(static_cast<char>(value >> (8 * i)));
}

uint64_t TakeBigEndian(absl::string_view* bytes, size_t size) {
  uint64_t value = 0;
  for (const char c : bytes->substr(0, size)) value = value << 8 | static_cast<uint8_t>(c);
  bytes->remove_prefix(size);
  return value;
}

// Makes signed numbers sort as unsigned ones.
constexpr uint64_t kSignBit = uint64_t{1} << 63;

}  // namespace

std::string ToText(const TransactionId& id) {
  return absl::StrCat(ToBase32(static_cast<uint64_t>(id.begun.nanoseconds())), "-",
                      id.gateway.value(), "-", ToBase32(id.sequence));
}

std::ostream& operator<<(std::ostream& out, const TransactionId& id) { return out << ToText(id); }

absl::StatusOr<TransactionId> ParseTransactionId(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '-');
  if (parts.size() == 3) {
    const std::optional<uint64_t> begun = FromBase32(parts[0]);
    uint32_t gateway = 0;
    const std::optional<uint64_t> sequence = FromBase32(parts[2]);
    if (begun && sequence && absl::SimpleAtoi(parts[1], &gateway)) {
      return TransactionId{Timestamp(static_cast<int64_t>(*begun)), NodeId(gateway), *sequence};
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text, "\" is no transaction's id; one looks like 1hp9zr4bn6t80-3-1a."));
}

void AppendTransactionId(const TransactionId& id, std::string* out) {
  AppendBigEndian(static_cast<uint64_t>(id.begun.nanoseconds()) ^ kSignBit, 8, out);
  AppendBigEndian(id.gateway.value(), 4, out);
  AppendBigEndian(id.sequence, 8, out);
}

absl::StatusOr<TransactionId> DecodeTransactionId(absl::string_view bytes) {
  if (bytes.size() != kTransactionIdBytes) {
    return absl::DataLossError(
        absl::StrCat("a transaction's id has ", kTransactionIdBytes, " bytes, not ", bytes.size()));
  }
  const Timestamp begun(static_cast<int64_t>(TakeBigEndian(&bytes, 8) ^ kSignBit));
  const NodeId gateway(static_cast<uint32_t>(TakeBigEndian(&bytes, 4)));
  return TransactionId{begun, gateway, TakeBigEndian(&bytes, 8)};
}

}  // namespace txn

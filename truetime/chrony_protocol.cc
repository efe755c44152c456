#include "truetime/chrony_protocol.h"

#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "runtime/check.h"
#include "runtime/status_macros.h"

namespace truetime {

namespace {

constexpr uint8_t kVersion = 6;
constexpr uint8_t kRequest = 1;
constexpr uint8_t kReply = 2;

constexpr size_t kReplyHeaderBytes = 28;

// A command, what its reply is called, and how long that is.
struct Command {
  uint16_t request;
  uint16_t reply;
  size_t reply_bytes;
};
constexpr Command kSourceCount = {14, 2, kReplyHeaderBytes + 4};
constexpr Command kSourceData = {15, 3, kReplyHeaderBytes + 48};
constexpr Command kTracking = {33, 5, kReplyHeaderBytes + 76};

enum Status : uint16_t {
  kSuccess = 0,
  kUnauthorised = 2,
  kNoSuchSource = 4,
  kNoHostAccess = 10,
  kBadVersion = 18,
};

class Writer {
 public:
  void U8(uint8_t value) { bytes_.push_back(static_cast<char>(value)); }
  void U16(uint16_t value) {
    U8(static_cast<uint8_t>(value >> 8));
    U8(static_cast<uint8_t>(value));
  }
  void U32(uint32_t value) {
    U16(static_cast<uint16_t>(value >> 16));
    U16(static_cast<uint16_t>(value));
  }
  std::string PaddedTo(size_t size) {
    bytes_.resize(size, '\0');
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
};

// Reads what has been found long enough before.
class Reader {
 public:
  explicit Reader(absl::string_view bytes) : bytes_(bytes) {}

  uint8_t U8() {
    CHECK(!bytes_.empty());
    const auto value = static_cast<uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return value;
  }
  uint16_t U16() {
    const uint16_t high = U8();
    return static_cast<uint16_t>(high << 8 | U8());
  }
  uint32_t U32() {
    const uint32_t high = U16();
    return high << 16 | U16();
  }
  ChronyFloat Float() { return DecodeChronyFloat(U32()); }

 private:
  absl::string_view bytes_;
};

std::string Encode(const Command& command, uint32_t sequence, std::optional<uint32_t> argument) {
  Writer writer;
  writer.U8(kVersion);
  writer.U8(kRequest);
  writer.U16(0);
  writer.U16(command.request);
  writer.U16(0);  // The first attempt: each of ours has a sequence number of its own.
  writer.U32(sequence);
  writer.U32(0);
  writer.U32(0);
  if (argument.has_value()) writer.U32(*argument);
  return writer.PaddedTo(command.reply_bytes);
}

absl::Status StatusOf(uint16_t status) {
  switch (status) {
    case kSuccess:
      return absl::OkStatus();
    case kUnauthorised:
    case kNoHostAccess:
      return absl::PermissionDeniedError("chronyd does not allow this command");
    case kNoSuchSource:
      return absl::NotFoundError("chronyd has no such source");
    case kBadVersion:
      return absl::UnimplementedError(
          absl::StrCat("chronyd does not speak version ", kVersion, " of its command protocol"));
    default:
      return absl::UnavailableError(absl::StrCat("chronyd refused a command with status ", status));
  }
}

// Checks all but the body; the reader stands at its beginning.
absl::StatusOr<Reader> Open(absl::string_view reply, const Command& command, uint32_t sequence) {
  if (reply.size() < kReplyHeaderBytes) {
    return absl::DataLossError(
        absl::StrCat("an answer of ", reply.size(), " bytes is too short for chronyd's"));
  }
  Reader reader(reply);
  if (const uint8_t version = reader.U8(); version != kVersion) {
    return absl::UnimplementedError(absl::StrCat("chronyd speaks version ", version,
                                                 " of its command protocol, not ", kVersion));
  }
  const uint8_t type = reader.U8();
  reader.U16();
  const uint16_t request_code = reader.U16();
  const uint16_t reply_code = reader.U16();
  const uint16_t status = reader.U16();
  reader.U16();
  reader.U32();
  const uint32_t reply_sequence = reader.U32();
  reader.U32();
  reader.U32();
  if (type != kReply || request_code != command.request || reply_sequence != sequence) {
    return absl::DataLossError("an answer from chronyd is not to the request that was sent");
  }
  RETURN_IF_ERROR(StatusOf(status));
  if (reply_code != command.reply || reply.size() < command.reply_bytes) {
    return absl::DataLossError(absl::StrCat("an answer from chronyd of kind ", reply_code, " and ",
                                            reply.size(), " bytes is not of the right form"));
  }
  return reader;
}

// An address of 16 bytes, its family and 2 bytes of padding; empty for what is not one.
std::string ReadAddress(Reader& reader) {
  enum Family : uint16_t { kIpv4 = 1, kIpv6 = 2 };
  std::array<uint16_t, 8> words;
  for (uint16_t& word : words) word = reader.U16();
  const uint16_t family = reader.U16();
  reader.U16();
  if (family == kIpv4) {
    return absl::StrFormat("%d.%d.%d.%d", words[0] >> 8, words[0] & 255, words[1] >> 8,
                           words[1] & 255);
  }
  if (family == kIpv6) {
    return absl::StrJoin(
        words, ":", [](std::string* out, uint16_t word) { absl::StrAppend(out, absl::Hex(word)); });
  }
  return "";
}

// Seconds in two halves, and nanoseconds. Saturates instead of overflowing.
runtime::Timestamp ReadTime(Reader& reader) {
  constexpr uint32_t kNoHighSeconds = 0x7FFFFFFF;
  const uint32_t high = reader.U32();
  const uint32_t low = reader.U32();
  const uint32_t nanoseconds = reader.U32();
  const auto seconds =
      static_cast<int64_t>(uint64_t{high == kNoHighSeconds ? 0 : high} << 32 | low);
  constexpr int64_t kSecondsMax = std::numeric_limits<int64_t>::max() / 1'000'000'000 - 8;
  if (seconds > kSecondsMax) return runtime::Timestamp::Max();
  if (seconds < -kSecondsMax) return runtime::Timestamp::Min();
  return runtime::Timestamp(seconds * 1'000'000'000 + nanoseconds);
}

}  // namespace

ChronyFloat DecodeChronyFloat(uint32_t bits) {
  constexpr int kCoefficientBits = 25;
  // Both parts are two's complement: shifting the sign up and back down extends it.
  const int exponent = static_cast<int32_t>(bits) >> kCoefficientBits;
  const int32_t coefficient =
      static_cast<int32_t>(bits << (32 - kCoefficientBits)) >> (32 - kCoefficientBits);
  const double unit = std::ldexp(1.0, exponent - kCoefficientBits);
  return {coefficient * unit, unit};
}

std::string EncodeTrackingRequest(uint32_t sequence) {
  return Encode(kTracking, sequence, std::nullopt);
}

std::string EncodeSourceCountRequest(uint32_t sequence) {
  return Encode(kSourceCount, sequence, std::nullopt);
}

std::string EncodeSourceRequest(uint32_t sequence, uint32_t index) {
  return Encode(kSourceData, sequence, index);
}

absl::StatusOr<ChronyTracking> DecodeTrackingReply(absl::string_view reply, uint32_t sequence) {
  ASSIGN_OR_RETURN(Reader reader, Open(reply, kTracking, sequence));
  ChronyTracking tracking;
  tracking.reference_id = reader.U32();
  tracking.reference_address = ReadAddress(reader);
  tracking.stratum = reader.U16();
  tracking.leap_status = reader.U16();
  tracking.reference_time = ReadTime(reader);
  tracking.correction = reader.Float();
  tracking.last_offset = reader.Float();
  tracking.rms_offset = reader.Float();
  tracking.frequency = reader.Float();
  tracking.residual_frequency = reader.Float();
  tracking.skew = reader.Float();
  tracking.root_delay = reader.Float();
  tracking.root_dispersion = reader.Float();
  tracking.last_update_interval = reader.Float();
  return tracking;
}

absl::StatusOr<uint32_t> DecodeSourceCountReply(absl::string_view reply, uint32_t sequence) {
  ASSIGN_OR_RETURN(Reader reader, Open(reply, kSourceCount, sequence));
  return reader.U32();
}

absl::StatusOr<ChronySourceReport> DecodeSourceReply(absl::string_view reply, uint32_t sequence) {
  ASSIGN_OR_RETURN(Reader reader, Open(reply, kSourceData, sequence));
  ChronySourceReport source;
  source.address = ReadAddress(reader);
  source.poll = static_cast<int16_t>(reader.U16());
  source.stratum = reader.U16();
  source.state = reader.U16();
  reader.U16();  // Client, peer or reference clock.
  reader.U16();  // Flags.
  source.reachability = reader.U16();
  source.seconds_since_sample = reader.U32();
  return source;
}

std::string ChronyReferenceName(const ChronyTracking& tracking) {
  if (!tracking.reference_address.empty()) return tracking.reference_address;
  std::string name;
  for (int shift = 24; shift >= 0; shift -= 8) {
    const auto byte = static_cast<unsigned char>(tracking.reference_id >> shift);
    if (byte == 0 && !name.empty()) break;
    if (!absl::ascii_isgraph(byte)) return absl::StrFormat("%08X", tracking.reference_id);
    name.push_back(static_cast<char>(byte));
  }
  return absl::StrCat("[", name, "]");
}

}  // namespace truetime

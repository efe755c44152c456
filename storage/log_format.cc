#include "storage/log_format.h"

#include "absl/strings/str_cat.h"
#include "runtime/check.h"
#include "runtime/status_macros.h"
#include "storage/coding.h"
#include "storage/crc32c.h"

namespace storage {
namespace {

constexpr absl::string_view kSegmentMagic("isochlog", 8);
constexpr size_t kSegmentCrcOffset = kSegmentHeaderBytes - sizeof(uint32_t);
constexpr uint32_t kFirstMagic = 0x31425349;  // "ISB1"
constexpr uint32_t kTwinMagic = 0x32425349;   // "ISB2"

absl::Status BadRecord() { return absl::DataLossError("a log batch holds what is no record"); }

}  // namespace

std::string EncodeSegmentHead(const SegmentHeader& header) {
  std::string copy(kSegmentMagic.data(), kSegmentMagic.size());
  AppendFixed32(kLogFormatVersion, &copy);
  AppendFixed32(header.segment, &copy);
  AppendFixed64(header.salt, &copy);
  AppendFixed64(header.first_sequence, &copy);
  AppendFixed32(header.first_segment, &copy);
  copy.resize(kSegmentCrcOffset);
  AppendFixed32(MaskCrc32c(Crc32c(copy)), &copy);
  std::string head = copy;
  head.resize(kSegmentTwinOffset);
  head += copy;
  return head;
}

absl::StatusOr<SegmentHeader> DecodeSegmentHeader(absl::string_view bytes) {
  const absl::Status no_header = absl::DataLossError("there is no whole log segment header");
  if (bytes.size() < kSegmentHeaderBytes) return no_header;
  const absl::string_view checked = bytes.substr(0, kSegmentCrcOffset);
  if (checked.substr(0, kSegmentMagic.size()) != kSegmentMagic) return no_header;
  if (ReadFixed32(bytes.data() + kSegmentCrcOffset) != MaskCrc32c(Crc32c(checked)))
    return no_header;
  Decoder decoder(checked.substr(kSegmentMagic.size()));
  if (const uint32_t version = decoder.TakeFixed32(); version != kLogFormatVersion) {
    return absl::FailedPreconditionError(absl::StrCat("the log has format version ", version,
                                                      ", and this program knows version ",
                                                      kLogFormatVersion, " only"));
  }
  SegmentHeader header;
  header.segment = decoder.TakeFixed32();
  header.salt = decoder.TakeFixed64();
  header.first_sequence = decoder.TakeFixed64();
  header.first_segment = decoder.TakeFixed32();
  return header;
}

std::string EncodeBatchHeader(const BatchHeader& header) {
  std::string checked;
  AppendFixed32(header.copy == BatchCopy::kFirst ? kFirstMagic : kTwinMagic, &checked);
  AppendFixed32(header.payload_bytes, &checked);
  AppendFixed32(header.payload_crc, &checked);
  AppendFixed32(header.first_segment, &checked);
  AppendFixed64(header.salt, &checked);
  AppendFixed64(header.sequence, &checked);
  AppendFixed32(MaskCrc32c(Crc32c(checked)), &checked);
  CHECK_EQ(checked.size(), kBatchHeaderBytes);
  return checked;
}

absl::StatusOr<BatchHeader> DecodeBatchHeader(absl::string_view bytes) {
  const absl::Status no_header = absl::DataLossError("there is no whole log batch header");
  if (bytes.size() < kBatchHeaderBytes) return no_header;
  Decoder decoder(bytes.substr(0, kBatchHeaderBytes));
  const uint32_t magic = decoder.TakeFixed32();
  if (magic != kFirstMagic && magic != kTwinMagic) return no_header;
  BatchHeader header;
  header.copy = magic == kFirstMagic ? BatchCopy::kFirst : BatchCopy::kTwin;
  header.payload_bytes = decoder.TakeFixed32();
  header.payload_crc = decoder.TakeFixed32();
  header.first_segment = decoder.TakeFixed32();
  header.salt = decoder.TakeFixed64();
  header.sequence = decoder.TakeFixed64();
  const absl::string_view checked = bytes.substr(0, kBatchHeaderBytes - sizeof(uint32_t));
  if (decoder.TakeFixed32() != MaskCrc32c(Crc32c(checked))) return no_header;
  if (header.payload_bytes > kBatchPayloadBytesMax) return no_header;
  return header;
}

uint32_t EntryCrc(GroupId group, Slot slot, absl::string_view bytes) {
  std::string place;  // Short: it does not leave the stack.
  AppendFixed64(group.value(), &place);
  uint32_t crc = Crc32c(place);
  place.clear();
  AppendFixed64(slot.value(), &place);
  crc = ExtendCrc32c(crc, place);
  return MaskCrc32c(ExtendCrc32c(crc, bytes));
}

void AppendRecord(const LogRecord& record, std::string* payload) {
  payload->push_back(static_cast<char>(record.kind));
  AppendVarint(record.group.value(), payload);
  switch (record.kind) {
    case RecordKind::kErase:
      break;
    case RecordKind::kMeta:
      AppendBytes(record.bytes, payload);
      break;
    case RecordKind::kTruncate:
      AppendVarint(record.slot.value(), payload);
      break;
    case RecordKind::kEntry:
      AppendVarint(record.slot.value(), payload);
      AppendVarint(kEntryCrcBytes + record.bytes.size(), payload);
      AppendFixed32(EntryCrc(record.group, record.slot, record.bytes), payload);
      payload->append(record.bytes.data(), record.bytes.size());
      break;
  }
}

absl::StatusOr<LogRecord> RecordReader::Next() {
  CHECK(!done());
  Decoder decoder(rest_);
  LogRecord record;
  record.kind = static_cast<RecordKind>(decoder.TakeByte());
  record.group = GroupId(decoder.TakeVarint());
  switch (record.kind) {
    case RecordKind::kErase:
      break;
    case RecordKind::kMeta:
      record.bytes = decoder.TakeBytes();
      break;
    case RecordKind::kTruncate:
      record.slot = Slot(decoder.TakeVarint());
      break;
    case RecordKind::kEntry:
      record.slot = Slot(decoder.TakeVarint());
      record.bytes = decoder.TakeBytes();
      if (record.bytes.size() < kEntryCrcBytes) return BadRecord();
      record.bytes.remove_prefix(kEntryCrcBytes);
      break;
    default:
      return BadRecord();
  }
  if (decoder.failed()) return BadRecord();
  rest_ = decoder.rest();
  return record;
}

}  // namespace storage

// Any bytes of a log segment give batches and records or an error, never a crash; and a payload
// that decodes is what it encodes to.
#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/check.h"
#include "storage/crc32c.h"
#include "storage/log_format.h"
#include "storage/log_index.h"
#include "storage/log_scan.h"

namespace {

constexpr uint64_t kSalt = 1;

// A whole batch around `payload`, of which the fuzzer could not guess the checksums.
std::string SegmentWith(const std::string& payload) {
  std::string bytes = storage::EncodeSegmentHead(
      {.segment = 1, .first_segment = 1, .salt = kSalt, .first_sequence = 1});
  bytes += storage::EncodeBatchHeader({.copy = storage::BatchCopy::kFirst,
                                       .payload_bytes = static_cast<uint32_t>(payload.size()),
                                       .payload_crc = storage::Crc32c(payload),
                                       .first_segment = 1,
                                       .salt = kSalt,
                                       .sequence = 1});
  return bytes + payload;
}

void ReadRecords(const std::string& payload) {
  std::string again;
  storage::RecordReader reader(payload);
  while (!reader.done()) {
    const auto record = reader.Next();
    if (!record.ok()) return;
    storage::AppendRecord(*record, &again);
  }
  // Only the entries' own checksums may differ: they are checked where entries are read singly.
  CHECK_EQ(again.size(), payload.size());
}

void ApplyRecords(const std::string& payload) {
  storage::LogIndex index;
  storage::LogIndex::Metas metas;
  index.AddSegment(1, 1);
  for (uint32_t batch = 0; batch < 2; ++batch) {
    const uint32_t offset = 8192 + batch * 65536;
    index.Apply(payload, {.segment = 1, .payload_offset = offset, .twin_distance = 4096}, &metas)
        .IgnoreError();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(data, data + size);
  storage::DecodeSegmentHeader(input).IgnoreError();
  storage::DecodeBatchHeader(input).IgnoreError();
  storage::ScanSegment(input, std::nullopt).IgnoreError();
  storage::ScanSegment(SegmentWith("").append(input), std::nullopt).IgnoreError();
  const std::string segment = SegmentWith(input);
  const auto scan = storage::ScanSegment(segment, std::nullopt);
  CHECK(scan.ok() && scan->batches.size() == 1 && scan->batches[0].payload == input);
  ReadRecords(input);
  ApplyRecords(input);
  return 0;
}

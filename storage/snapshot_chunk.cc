#include "storage/snapshot_chunk.h"

#include "runtime/status_macros.h"
#include "storage/coding.h"
#include "storage/crc32c.h"
#include "storage/stored_key.h"

namespace storage {
namespace {

constexpr uint8_t kFormat = 1;
constexpr size_t kChecksumBytes = 4;

absl::Status Refused(absl::string_view why) {
  return absl::DataLossError(std::string("a chunk of a snapshot ") + std::string(why));
}

// Whether the entries are in order, within the chunk and the snapshot, and each of them whole.
absl::Status CheckEntries(const SnapshotChunk& chunk) {
  const KeyRange state = StoredState(chunk.group);
  const KeyRange data = StoredData(chunk.range);
  absl::string_view before;
  for (const SnapshotEntry& entry : chunk.entries) {
    if (entry.stored_key <= before || entry.stored_key < chunk.begin.stored_key ||
        entry.stored_key >= chunk.end.stored_key) {
      return Refused("has an entry out of its place");
    }
    before = entry.stored_key;
    if (data.Contains(entry.stored_key)) {
      ASSIGN_OR_RETURN(const DataKeyParts parts, SplitDataKey(entry.stored_key));
      RETURN_IF_ERROR(KeyOfDataPrefix(parts.prefix).status());
      RETURN_IF_ERROR(UnsealVersion(entry.stored_key, entry.sealed).status());
    } else if (state.Contains(entry.stored_key)) {
      RETURN_IF_ERROR(Unseal(entry.stored_key, entry.sealed).status());
    } else {
      return Refused("has an entry that is not of its group");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckChunk(const SnapshotChunk& chunk) {
  if (chunk.end.chunks != chunk.begin.chunks + 1 ||
      chunk.end.entries != chunk.begin.entries + chunk.entries.size() ||
      chunk.end.checksum != ExtendSnapshotChecksum(chunk.begin.checksum, chunk.entries)) {
    return Refused("does not lead from its beginning to its end");
  }
  const std::string all = SnapshotRanges(chunk.group, chunk.range).back().end;
  if (chunk.last.has_value() && chunk.end.stored_key != all) {
    return Refused("is the last and does not reach the end");
  }
  if (chunk.begin.chunks == 0 && chunk.begin != SnapshotPosition()) {
    return Refused("does not begin where it says");
  }
  return CheckEntries(chunk);
}

}  // namespace

std::vector<KeyRange> SnapshotRanges(GroupId group, const KeyRange& range) {
  std::vector<KeyRange> ranges = {StoredState(group)};
  if (!range.empty()) ranges.push_back(StoredData(range));
  return ranges;
}

std::string EncodeSnapshotPosition(const SnapshotPosition& position) {
  std::string token;
  if (position == SnapshotPosition()) return token;
  AppendBytes(position.stored_key, &token);
  AppendVarint(position.chunks, &token);
  AppendVarint(position.entries, &token);
  AppendFixed32(position.checksum, &token);
  return token;
}

absl::StatusOr<SnapshotPosition> DecodeSnapshotPosition(absl::string_view token) {
  SnapshotPosition position;
  if (token.empty()) return position;
  Decoder decoder(token);
  position.stored_key = std::string(decoder.TakeBytes());
  position.chunks = decoder.TakeVarint();
  position.entries = decoder.TakeVarint();
  position.checksum = decoder.TakeFixed32();
  RETURN_IF_ERROR(decoder.Finish("a resume token"));
  if (position == SnapshotPosition()) return absl::DataLossError("the beginning has another token");
  return position;
}

uint32_t ExtendSnapshotChecksum(uint32_t before, const std::vector<SnapshotEntry>& entries) {
  uint32_t checksum = before;
  for (const SnapshotEntry& entry : entries) {
    checksum = ExtendCrc32c(ExtendCrc32c(checksum, entry.stored_key), entry.sealed);
  }
  return checksum;
}

std::string EncodeSnapshotChunk(const SnapshotChunk& chunk) {
  std::string bytes;
  bytes.push_back(kFormat);
  AppendFixed64(chunk.snapshot, &bytes);
  AppendFixed64(chunk.group.value(), &bytes);
  AppendBytes(chunk.range.start, &bytes);
  AppendBytes(chunk.range.end, &bytes);
  AppendBytes(EncodeSnapshotPosition(chunk.begin), &bytes);
  AppendBytes(EncodeSnapshotPosition(chunk.end), &bytes);
  bytes.push_back(chunk.last.has_value() ? 1 : 0);
  if (chunk.last.has_value()) {
    AppendBytes(chunk.last->applied, &bytes);
    AppendFixed64(static_cast<uint64_t>(chunk.last->horizon.nanoseconds()), &bytes);
  }
  for (const SnapshotEntry& entry : chunk.entries) {
    AppendBytes(entry.stored_key, &bytes);
    AppendBytes(entry.sealed, &bytes);
  }
  AppendFixed32(MaskCrc32c(Crc32c(bytes)), &bytes);
  return bytes;
}

absl::StatusOr<SnapshotChunk> DecodeSnapshotChunk(absl::string_view bytes) {
  if (bytes.size() < kChecksumBytes) return Refused("is cut off");
  const absl::string_view body = bytes.substr(0, bytes.size() - kChecksumBytes);
  if (UnmaskCrc32c(ReadFixed32(bytes.data() + body.size())) != Crc32c(body)) {
    return Refused("does not match its checksum");
  }
  Decoder decoder(body);
  if (decoder.TakeByte() != kFormat) return Refused("has a format that this program does not know");
  SnapshotChunk chunk;
  chunk.snapshot = decoder.TakeFixed64();
  chunk.group = GroupId(decoder.TakeFixed64());
  chunk.range.start = std::string(decoder.TakeBytes());
  chunk.range.end = std::string(decoder.TakeBytes());
  ASSIGN_OR_RETURN(chunk.begin, DecodeSnapshotPosition(decoder.TakeBytes()));
  ASSIGN_OR_RETURN(chunk.end, DecodeSnapshotPosition(decoder.TakeBytes()));
  const uint8_t is_last = decoder.TakeByte();
  if (is_last > 1) return Refused("is neither the last nor another");
  if (is_last == 1) {
    SnapshotChunk::End end;
    end.applied = std::string(decoder.TakeBytes());
    end.horizon = runtime::Timestamp(static_cast<int64_t>(decoder.TakeFixed64()));
    chunk.last = std::move(end);
  }
  while (!decoder.at_end()) {
    const absl::string_view stored_key = decoder.TakeBytes();
    chunk.entries.push_back({stored_key, decoder.TakeBytes()});
  }
  RETURN_IF_ERROR(decoder.Finish("a chunk of a snapshot"));
  RETURN_IF_ERROR(CheckChunk(chunk));
  return chunk;
}

}  // namespace storage

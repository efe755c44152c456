#include "storage/log_index.h"

#include <algorithm>
#include <utility>

#include "runtime/check.h"
#include "runtime/status_macros.h"

namespace storage {
namespace {

// What a live record counts for: its bytes and about what stands before them.
constexpr uint64_t kRecordBytes = 16;

uint64_t LiveBytes(const LogPlace& place) { return place.size + kRecordBytes; }

// The first entry at or past `slot`.
template <typename Entries>
auto AtOrPast(Entries& entries, size_t dropped, Slot slot) {
  return std::lower_bound(entries.begin() + static_cast<ptrdiff_t>(dropped), entries.end(), slot,
                          [](const PlacedEntry& entry, Slot at) { return entry.slot < at; });
}

}  // namespace

void LogIndex::AddSegment(SegmentNumber number, uint64_t first_sequence) {
  CHECK(segments_.empty() || segments_.back().number + 1 == number) << "LogIndex inv 1";
  segments_.push_back({.number = number, .first_sequence = first_sequence});
}

void LogIndex::SetFileBytes(uint64_t bytes) {
  file_bytes_ += bytes - segments_.back().file_bytes;
  segments_.back().file_bytes = bytes;
}

void LogIndex::DropFirstSegment() {
  CHECK_GT(segments_.size(), 1u);
  CHECK_EQ(segments_.front().live_bytes, 0u) << "LogIndex inv 2";
  file_bytes_ -= segments_.front().file_bytes;
  segments_.pop_front();
}

void LogIndex::Born(SegmentNumber segment, uint64_t bytes) {
  segments_[segment - segments_.front().number].live_bytes += bytes;
  live_bytes_ += bytes;
}

void LogIndex::Died(SegmentNumber segment, uint64_t bytes) {
  LogSegment& in = segments_[segment - segments_.front().number];
  CHECK_GE(in.live_bytes, bytes) << "LogIndex inv 2";
  in.live_bytes -= bytes;
  live_bytes_ -= bytes;
}

absl::Status LogIndex::Apply(absl::string_view payload, BatchPlace batch, Metas* metas) {
  CHECK_EQ(batch.segment, segments_.back().number);
  RecordReader reader(payload);
  while (!reader.done()) {
    ASSIGN_OR_RETURN(const LogRecord record, reader.Next());
    LogPlace place = {.segment = batch.segment, .twin_distance = batch.twin_distance};
    if (record.kind == RecordKind::kMeta || record.kind == RecordKind::kEntry) {
      place.offset =
          batch.payload_offset + static_cast<uint32_t>(record.bytes.data() - payload.data());
      place.size = static_cast<uint32_t>(record.bytes.size());
    }
    ApplyRecord(record, place);
    if (metas == nullptr) continue;
    if (record.kind == RecordKind::kErase) metas->erase(record.group);
    if (record.kind == RecordKind::kMeta) {
      (*metas)[record.group].assign(record.bytes.data(), record.bytes.size());
    }
  }
  return absl::OkStatus();
}

void LogIndex::ApplyRecord(const LogRecord& record, const LogPlace& place) {
  if (record.kind == RecordKind::kErase) {
    Erase(record.group);
    return;
  }
  LogGroup& group = groups_[record.group];
  switch (record.kind) {
    case RecordKind::kMeta:
      if (group.meta.segment != 0) Died(group.meta.segment, LiveBytes(group.meta));
      group.meta = place;
      Born(place.segment, LiveBytes(place));
      break;
    case RecordKind::kEntry:
      PutEntry(&group, record.slot, place);
      break;
    case RecordKind::kTruncate:
      Truncate(&group, record.slot, place.segment);
      break;
    case RecordKind::kErase:
      break;
  }
}

void LogIndex::PutEntry(LogGroup* group, Slot slot, const LogPlace& place) {
  if (slot < group->truncated_before) return;
  Born(place.segment, LiveBytes(place));
  std::vector<PlacedEntry>& entries = group->entries;
  if (entries.size() == group->dropped || entries.back().slot < slot) {
    entries.push_back({slot, place});
    return;
  }
  const auto at = AtOrPast(entries, group->dropped, slot);
  if (at->slot != slot) {
    entries.insert(at, {slot, place});
    return;
  }
  Died(at->place.segment, LiveBytes(at->place));
  at->place = place;
}

void LogIndex::Truncate(LogGroup* group, Slot before, SegmentNumber said_in) {
  if (before < group->truncated_before) return;
  if (group->truncated_in != 0) Died(group->truncated_in, kRecordBytes);
  group->truncated_in = said_in;
  group->truncated_before = before;
  Born(said_in, kRecordBytes);
  std::vector<PlacedEntry>& entries = group->entries;
  for (; group->dropped < entries.size() && entries[group->dropped].slot < before;
       ++group->dropped) {
    const LogPlace& place = entries[group->dropped].place;
    Died(place.segment, LiveBytes(place));
  }
  if (group->dropped * 2 < entries.size()) return;
  entries.erase(entries.begin(), entries.begin() + group->dropped);
  group->dropped = 0;
  // What a burst took is given back: most groups are idle.
  if (entries.capacity() > 4 * entries.size()) entries.shrink_to_fit();
}

void LogIndex::Erase(GroupId id) {
  const auto found = groups_.find(id);
  if (found == groups_.end()) return;
  const LogGroup& group = found->second;
  if (group.meta.segment != 0) Died(group.meta.segment, LiveBytes(group.meta));
  if (group.truncated_in != 0) Died(group.truncated_in, kRecordBytes);
  for (size_t i = group.dropped; i < group.entries.size(); ++i) {
    Died(group.entries[i].place.segment, LiveBytes(group.entries[i].place));
  }
  groups_.erase(found);
}

bool LogIndex::IsLive(const LogRecord& record, const LogPlace& place) const {
  const auto found = groups_.find(record.group);
  if (found == groups_.end()) return false;
  const LogGroup& group = found->second;
  switch (record.kind) {
    case RecordKind::kErase:
      // It hides what older segments hold of the group, and those are gone when its own one goes.
      return false;
    case RecordKind::kMeta:
      return group.meta == place;
    case RecordKind::kTruncate:
      return group.truncated_in == place.segment && group.truncated_before == record.slot;
    case RecordKind::kEntry: {
      const auto at = AtOrPast(group.entries, group.dropped, record.slot);
      return at != group.entries.end() && at->slot == record.slot && at->place == place;
    }
  }
  return false;
}

std::vector<PlacedEntry> LogIndex::Find(GroupId id, Slot from, Slot to, size_t bytes_max) const {
  std::vector<PlacedEntry> entries;
  const auto found = groups_.find(id);
  if (found == groups_.end()) return entries;
  const LogGroup& group = found->second;
  size_t bytes = 0;
  for (auto at = AtOrPast(group.entries, group.dropped, from);
       at != group.entries.end() && at->slot < to; ++at) {
    if (!entries.empty() && bytes + at->place.size > bytes_max) break;
    bytes += at->place.size;
    entries.push_back(*at);
  }
  return entries;
}

Slot LogIndex::FirstSlot(const LogGroup& group) {
  return group.entries.size() > group.dropped ? group.entries[group.dropped].slot : Slot();
}

Slot LogIndex::LastSlot(const LogGroup& group) {
  return group.entries.size() > group.dropped ? group.entries.back().slot : Slot();
}

}  // namespace storage

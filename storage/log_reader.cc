#include "storage/log_reader.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "runtime/status_macros.h"
#include "storage/coding.h"
#include "storage/log_format.h"
#include "storage/log_segment.h"

namespace storage {
namespace {

// Neighbours so near are fetched by one read, up to so many bytes.
constexpr uint64_t kGapBytesMax = 16 << 10;
constexpr uint64_t kRunBytesMax = 1 << 20;
// A sync that is under way, or a disk that errs once, is no reason to call both copies bad.
constexpr int kReadAttempts = 3;

uint64_t Begin(const LogPlace& place) { return place.offset - kEntryCrcBytes; }
uint64_t End(const LogPlace& place) { return uint64_t{place.offset} + place.size; }

// Whether the one after can be read in one go with those from `first` to `last`.
bool Adjoins(const LogPlace& first, const LogPlace& last, const LogPlace& after) {
  return after.segment == last.segment && Begin(after) >= End(last) &&
         Begin(after) - End(last) <= kGapBytesMax && End(after) - Begin(first) <= kRunBytesMax;
}

// Checksum and bytes of an entry as they stand on disk.
absl::StatusOr<std::string> CheckEntry(absl::string_view stored, GroupId group,
                                       const PlacedEntry& entry) {
  if (stored.size() == kEntryCrcBytes + entry.place.size) {
    const absl::string_view bytes = stored.substr(kEntryCrcBytes);
    if (ReadFixed32(stored.data()) == EntryCrc(group, entry.slot, bytes)) {
      return std::string(bytes.data(), bytes.size());
    }
  }
  return absl::DataLossError(absl::StrCat("both copies of slot ", entry.slot.value(), " of group ",
                                          group.value(), " are bad"));
}

class Fetch {
 public:
  Fetch(leveldb::Env* files, std::string directory, GroupId group)
      : files_(files), directory_(std::move(directory)), group_(group) {}

  // Entries that adjoin.
  void Run(const PlacedEntry* begin, const PlacedEntry* end, std::vector<FetchedEntry>* fetched) {
    const uint64_t from = Begin(begin->place);
    const absl::StatusOr<std::string> run =
        ReadAt(begin->place.segment, from, End((end - 1)->place) - from);
    for (const PlacedEntry* entry = begin; entry != end; ++entry) {
      const absl::StatusOr<std::string> bytes = FromRun(run, from, *entry);
      fetched->push_back(bytes.ok() ? FetchedEntry{bytes} : Insist(*entry));
    }
  }

 private:
  absl::StatusOr<std::string> FromRun(const absl::StatusOr<std::string>& run, uint64_t from,
                                      const PlacedEntry& entry) const {
    if (!run.ok()) return run.status();
    const absl::string_view all = *run;
    const size_t at = std::min<size_t>(static_cast<size_t>(Begin(entry.place) - from), all.size());
    return CheckEntry(all.substr(at, kEntryCrcBytes + entry.place.size), group_, entry);
  }

  // One entry by itself, from either copy.
  FetchedEntry Insist(const PlacedEntry& entry) {
    FetchedEntry fetched;
    for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
      for (const uint64_t distance : {uint64_t{0}, uint64_t{entry.place.twin_distance}}) {
        fetched.bytes = FetchCopy(entry, distance);
        if (fetched.bytes.ok()) return fetched;
        fetched.first_copy_bad = absl::IsDataLoss(fetched.bytes.status());
      }
    }
    return fetched;
  }

  absl::StatusOr<std::string> FetchCopy(const PlacedEntry& entry, uint64_t distance) {
    ASSIGN_OR_RETURN(const std::string stored,
                     ReadAt(entry.place.segment, Begin(entry.place) + distance,
                            kEntryCrcBytes + entry.place.size));
    return CheckEntry(stored, group_, entry);
  }

  absl::StatusOr<std::string> ReadAt(SegmentNumber segment, uint64_t offset, uint64_t size) {
    if (segment != open_segment_ || reader_.position() > offset) {
      open_segment_ = 0;
      ASSIGN_OR_RETURN(reader_, SegmentReader::Open(files_, directory_, segment));
      open_segment_ = segment;
    }
    absl::StatusOr<std::string> bytes = reader_.Read(offset, static_cast<size_t>(size));
    if (!bytes.ok()) open_segment_ = 0;
    return bytes;
  }

  leveldb::Env* const files_;
  const std::string directory_;
  const GroupId group_;
  SegmentNumber open_segment_ = 0;
  SegmentReader reader_;
};

}  // namespace

std::vector<FetchedEntry> FetchEntries(leveldb::Env* files, const std::string& directory,
                                       GroupId group, const std::vector<PlacedEntry>& entries) {
  std::vector<FetchedEntry> fetched;
  fetched.reserve(entries.size());
  Fetch fetch(files, directory, group);
  for (size_t begin = 0; begin < entries.size();) {
    size_t end = begin + 1;
    while (end < entries.size() &&
           Adjoins(entries[begin].place, entries[end - 1].place, entries[end].place)) {
      ++end;
    }
    fetch.Run(&entries[begin], &entries[begin] + (end - begin), &fetched);
    begin = end;
  }
  return fetched;
}

}  // namespace storage

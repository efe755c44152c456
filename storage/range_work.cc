#include "storage/range_work.h"

#include <leveldb/iterator.h>

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "runtime/status_macros.h"
#include "storage/database.h"
#include "storage/stored_key.h"

namespace storage {
namespace {

absl::string_view KeyOf(const leveldb::Iterator& it) { return {it.key().data(), it.key().size()}; }

// Collects the garbage of one key after the other.
class GarbageWalk {
 public:
  GarbageWalk(leveldb::Iterator* iterator, std::string end, runtime::Timestamp horizon,
              RangeWork* work)
      : it_(*iterator), end_(std::move(end)), horizon_(horizon), work_(*work) {}

  absl::Status Run(const std::string& start) {
    it_.Seek(start);
    while (it_.Valid() && KeyOf(it_) < end_ && !work_.step.resume.has_value()) {
      RETURN_IF_ERROR(CollectKey());
    }
    return absl::OkStatus();
  }

 private:
  // From the version on which the iterator stands, to the next key or to the end of the step.
  absl::Status CollectKey() {
    ASSIGN_OR_RETURN(const DataKeyParts first, SplitDataKey(KeyOf(it_)));
    const std::string prefix(first.prefix);
    // Where a step that ends within this key goes on: all before is looked at, or is looked at once
    // more.
    ASSIGN_OR_RETURN(const Key key, KeyOfDataPrefix(prefix));
    const std::string at_horizon = DataKey(key, horizon_);
    std::optional<std::string> deletion;  // The newest at or below the horizon, if it is one.
    bool seen = false;                    // That newest one.
    for (; it_.Valid() && absl::StartsWith(KeyOf(it_), prefix); it_.Next()) {
      if (++work_.step.examined > kEntriesPerStep) {
        work_.step.resume = at_horizon;
        return absl::OkStatus();
      }
      if (KeyOf(it_) < at_horizon) continue;  // Above the horizon.
      if (seen) {
        Delete(KeyOf(it_));
        continue;
      }
      seen = true;
      ASSIGN_OR_RETURN(const StoredVersion version,
                       UnsealVersion(KeyOf(it_), {it_.value().data(), it_.value().size()}));
      if (version.kind == VersionKind::kDeletion) deletion = it_.key().ToString();
    }
    if (deletion.has_value()) Delete(*deletion);
    return absl::OkStatus();
  }

  void Delete(absl::string_view stored_key) {
    work_.batch.changes().Delete({stored_key.data(), stored_key.size()});
    ++work_.step.deleted;
  }

  leveldb::Iterator& it_;
  const std::string end_;
  const runtime::Timestamp horizon_;
  RangeWork& work_;
};

}  // namespace

absl::Status FindGarbage(View* view, const KeyRange& range, runtime::Timestamp horizon,
                         const std::string& resume, RangeWork* work) {
  if (range.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(leveldb::Iterator* const it, view->iterator(View::Caching::kLeave));
  const KeyRange stored = StoredData(range);
  const absl::Status walked =
      GarbageWalk(it, stored.end, horizon, work).Run(std::max(resume, stored.start));
  RETURN_IF_ERROR(view->IteratorStatus());
  return view->database().Judge(walked);
}

absl::Status FindAll(View* view, const std::vector<KeyRange>& stored, const std::string& resume,
                     RangeWork* work) {
  ASSIGN_OR_RETURN(leveldb::Iterator* const it, view->iterator(View::Caching::kLeave));
  for (const KeyRange& range : stored) {
    if (range.empty()) continue;
    for (it->Seek(std::max(resume, range.start)); it->Valid() && KeyOf(*it) < range.end;
         it->Next()) {
      if (++work->step.examined > kEntriesPerStep) {
        work->step.resume = it->key().ToString();
        return view->IteratorStatus();
      }
      work->batch.changes().Delete(it->key());
      ++work->step.deleted;
    }
  }
  return view->IteratorStatus();
}

}  // namespace storage

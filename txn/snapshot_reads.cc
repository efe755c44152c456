#include "txn/snapshot_reads.h"

#include <algorithm>
#include <utility>

#include "runtime/status_macros.h"
#include "txn/first_error.h"
#include "txn/page_maker.h"
#include "txn/refusal.h"
#include "txn/session_errors.h"

namespace txn {

using runtime::Duration;
using runtime::Task;
using runtime::Timestamp;
using storage::GroupId;

absl::StatusOr<ReplicaRead> SnapshotReads::ReadOf(GroupId group, bool alone) {
  ReplicaRead read{.group = group};
  if (!timestamp_ && bound_.kind == ReadBound::Kind::kAt) timestamp_ = bound_.timestamp;
  if (!timestamp_) {
    ASSIGN_OR_RETURN(const Timestamp now, core_.NowLatest());
    const Timestamp stale = now - std::max(bound_.staleness, Duration(0));
    if (bound_.kind == ReadBound::Kind::kBounded) {
      read.at = ReplicaRead::At::kAtLeast;
      read.timestamp = stale;
      return read;
    }
    if (bound_.kind == ReadBound::Kind::kStrong && bound_.single && alone) {
      read.at = ReplicaRead::At::kNewest;
      return read;
    }
    timestamp_ = bound_.kind == ReadBound::Kind::kStale ? stale : now;
  }
  read.timestamp = *timestamp_;
  return read;
}

Task<absl::StatusOr<ReplicaRows>> SnapshotReads::Read(ReplicaRead read, MonotonicTime deadline) {
  CO_ASSIGN_OR_RETURN(ReplicaRows rows, co_await core_.replicas().Read(std::move(read), deadline));
  if (!timestamp_) timestamp_ = rows.timestamp;
  co_return rows;
}

Task<absl::StatusOr<Values>> SnapshotReads::Get(std::vector<Key> keys) {
  Rows rows;
  const absl::Status fetched =
      co_await Fetch(std::set<Key>(keys.begin(), keys.end()), core_.Deadline(), &rows);
  if (!fetched.ok()) co_return ReadError(fetched);
  Values values;
  values.reserve(keys.size());
  for (const Key& key : keys) values.push_back(rows.at(key));
  co_return values;
}

Task<absl::Status> SnapshotReads::Fetch(std::set<Key> keys, MonotonicTime deadline, Rows* rows) {
  while (!keys.empty()) {
    std::map<GroupId, std::vector<Key>> split;
    for (const Key& key : keys) {
      const std::optional<ShardLocation> location = core_.map().Find(key);
      if (!location) co_return NoShard(PointRange(key));
      split[location->group].push_back(key);
    }
    std::vector<Task<absl::Status>> tasks;
    for (auto& [group, its_keys] : split) {
      CO_ASSIGN_OR_RETURN(ReplicaRead read, ReadOf(group, split.size() == 1));
      read.wanted.get = std::move(its_keys);
      tasks.push_back(FetchFrom(std::move(read), deadline, rows, &keys));
      // The others are read at the timestamp that this one finds.
      if (!timestamp_) break;
    }
    CO_RETURN_IF_ERROR(co_await AllOrFirstError(std::move(tasks)));
  }
  co_return absl::OkStatus();
}

Task<absl::Status> SnapshotReads::FetchFrom(ReplicaRead read, MonotonicTime deadline, Rows* rows,
                                            std::set<Key>* missing) {
  absl::StatusOr<ReplicaRows> found = co_await Read(read, deadline);
  // Their keys are asked for again, wherever they are then.
  if (IsWrongRange(found.status())) {
    co_return co_await core_.Refresh(read.group, found.status(), deadline);
  }
  CO_RETURN_IF_ERROR(found.status());
  for (size_t i = 0; i < read.wanted.get.size(); ++i) {
    std::optional<storage::Cell>& cell = found->found.cells[i];
    missing->erase(read.wanted.get[i]);
    std::optional<std::string>& value = (*rows)[std::move(read.wanted.get[i])];
    if (cell) value = std::move(cell->value);
  }
  co_return absl::OkStatus();
}

Task<absl::StatusOr<ScanPage>> SnapshotReads::Scan(ScanQuery query) {
  const MonotonicTime deadline = core_.Deadline();
  const WriteBuffer no_writes(0);
  PageMaker page(query, &no_writes);
  while (!page.done()) {
    const std::optional<ShardLocation> location = page.backward()
                                                      ? core_.map().FindBelow(page.left().end)
                                                      : core_.map().Find(page.left().start);
    if (!location) co_return ReadError(NoShard(page.left()));
    const KeyRange stretch = Intersection(page.left(), location->range);
    CO_ASSIGN_OR_RETURN(ReplicaRead read, ReadOf(location->group, stretch == query.range));
    read.wanted.scan = ScanQuery{.range = stretch,
                                 .backward = query.backward,
                                 .rows_max = page.rows_wanted(),
                                 .bytes_max = page.bytes_wanted()};
    absl::StatusOr<ReplicaRows> found = co_await Read(std::move(read), deadline);
    if (IsWrongRange(found.status())) {
      const absl::Status known = co_await core_.Refresh(location->group, found.status(), deadline);
      if (!known.ok()) co_return ReadError(known);
      continue;
    }
    if (!found.ok()) co_return ReadError(found.status());
    std::vector<ScannedRow> rows;
    rows.reserve(found->found.scanned.rows.size());
    for (storage::Row& row : found->found.scanned.rows) {
      rows.push_back({std::move(row.key), std::move(row.value)});
    }
    page.Add(stretch, std::move(rows), found->found.scanned.rest);
  }
  co_return page.Take();
}

}  // namespace txn

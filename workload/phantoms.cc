#include "workload/phantoms.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "runtime/status_macros.h"

namespace workload {
namespace {

using txn::LockMode;
using txn::ScannedRow;

constexpr absl::string_view kCounted = "counted";
constexpr absl::string_view kLimited = "limited";
constexpr int64_t kLimit = 4;
constexpr int64_t kCountedMax = 12;
constexpr double kSnapshots = 0.35;

// A counter that is not there is 0.
int64_t Count(const std::optional<std::string>& text) {
  int64_t count = 0;
  if (text.has_value() && !absl::SimpleAtoi(*text, &count)) return -1;
  return count;
}

}  // namespace

PhantomWorkload::PhantomWorkload(TransactionJournal* journal, int shards)
    : TransactionWorkload(journal, shards), counter_(key_space().At(shards - 1, "zcounter")) {}

KeyRange PhantomWorkload::RangeOf(absl::string_view name) const {
  return {key_space().At(0, name),
          key_space().At(key_space().shards() - 1, absl::StrCat(std::string(name), "~"))};
}

bool PhantomWorkload::IsRow(const Key& key, absl::string_view name) {
  return absl::StrContains(key, name);
}

std::vector<ScannedRow> PhantomWorkload::OnlyRows(std::vector<ScannedRow> rows,
                                                  absl::string_view name) {
  std::erase_if(rows, [name](const ScannedRow& row) { return !IsRow(row.key, name); });
  return rows;
}

runtime::Task<absl::Status> PhantomWorkload::Prepare(WorkloadClient*) {
  // There are no rows, and 0 of them.
  co_return absl::OkStatus();
}

PhantomWorkload::Change PhantomWorkload::SomeChange(runtime::Random* random,
                                                    absl::string_view name) {
  const auto shard = static_cast<int>(random->Uniform(0, key_space().shards() - 1));
  // Few names, so that a row comes where one was.
  const std::string row = absl::StrCat(std::string(name), random->Uniform(1, 9));
  return {.insert = random->Chance(0.6),
          .row = key_space().At(shard, row),
          .which = random->Uniform(0, kCountedMax),
          .mode = random->Chance(0.5) ? LockMode::kShared : LockMode::kUpdate};
}

runtime::Task<void> PhantomWorkload::Act(WorkloadClient* client) {
  if (client->random->Chance(kSnapshots)) {
    const txn::ReadBound bound = SomeBound(client, /*single=*/false);
    (co_await Look(client, bound)).IgnoreError();
  } else if (client->random->Chance(0.5)) {
    co_await ActCounted(client);
  } else {
    co_await ActLimited(client);
  }
}

runtime::Task<void> PhantomWorkload::ActCounted(WorkloadClient* client) {
  const Change change = SomeChange(client->random, kCounted);
  Sight sight;
  const absl::StatusOr<runtime::Timestamp> done = co_await RunRecorded(
      client, [this, change, saw = &sight, random = client->random](RecordedTransaction* t) {
        return ChangeCounted(change, saw, random, t);
      });
  if (done.ok()) CheckCounted(sight, "under locks");
}

runtime::Task<absl::Status> PhantomWorkload::ChangeCounted(Change change, Sight* sight,
                                                           runtime::Random* random,
                                                           RecordedTransaction* transaction) {
  CO_ASSIGN_OR_RETURN(std::vector<ScannedRow> rows,
                      co_await ScanAll(transaction, RangeOf(kCounted), change.mode, random));
  rows = OnlyRows(std::move(rows), kCounted);
  CO_ASSIGN_OR_RETURN(const txn::Values counters,
                      co_await transaction->Get({counter_}, LockMode::kShared));
  *sight = {.rows = static_cast<int64_t>(rows.size()), .counter = Count(counters[0])};
  int64_t counter = sight->counter;
  if (change.insert) {
    const bool there = std::any_of(rows.begin(), rows.end(), [&change](const ScannedRow& row) {
      return row.key == change.row;
    });
    if (there || counter >= kCountedMax) co_return absl::OkStatus();
    CO_RETURN_IF_ERROR(transaction->Put(change.row, "row"));
    ++counter;
  } else {
    if (rows.empty()) co_return absl::OkStatus();
    CO_RETURN_IF_ERROR(
        transaction->Delete(rows[static_cast<size_t>(change.which) % rows.size()].key));
    --counter;
  }
  CO_RETURN_IF_ERROR(transaction->Put(counter_, absl::StrCat(counter)));
  if (!random->Chance(0.3)) co_return absl::OkStatus();
  // It sees its own writes among the others.
  CO_ASSIGN_OR_RETURN(rows, co_await ScanAll(transaction, RangeOf(kCounted), change.mode, random));
  const auto seen = static_cast<int64_t>(OnlyRows(std::move(rows), kCounted).size());
  if (seen != sight->rows + (change.insert ? 1 : -1)) {
    journal().Wrong(absl::StrCat("own writes: a transaction that had seen ", sight->rows,
                                 " rows and ", change.insert ? "added" : "deleted",
                                 " one then sees ", seen));
  }
  co_return absl::OkStatus();
}

runtime::Task<void> PhantomWorkload::ActLimited(WorkloadClient* client) {
  const Change change = SomeChange(client->random, kLimited);
  int64_t rows = 0;
  const absl::StatusOr<runtime::Timestamp> done = co_await RunRecorded(
      client, [this, change, saw = &rows, random = client->random](RecordedTransaction* t) {
        return ChangeLimited(change, saw, random, t);
      });
  if (done.ok()) CheckLimited(rows, "under locks");
}

runtime::Task<absl::Status> PhantomWorkload::ChangeLimited(Change change, int64_t* rows,
                                                           runtime::Random* random,
                                                           RecordedTransaction* transaction) {
  CO_ASSIGN_OR_RETURN(std::vector<ScannedRow> found,
                      co_await ScanAll(transaction, RangeOf(kLimited), change.mode, random));
  found = OnlyRows(std::move(found), kLimited);
  *rows = static_cast<int64_t>(found.size());
  if (change.insert) {
    if (*rows < kLimit) CO_RETURN_IF_ERROR(transaction->Put(change.row, "row"));
  } else if (!found.empty()) {
    CO_RETURN_IF_ERROR(
        transaction->Delete(found[static_cast<size_t>(change.which) % found.size()].key));
  }
  co_return absl::OkStatus();
}

runtime::Task<absl::Status> PhantomWorkload::Look(WorkloadClient* client, txn::ReadBound bound) {
  RecordedSnapshot snapshot(client, bound);
  const auto limited = co_await ScanAll(&snapshot, RangeOf(kLimited), client->random);
  const auto counted = co_await ScanAll(&snapshot, RangeOf(kCounted), client->random);
  const absl::StatusOr<txn::Values> counters = co_await snapshot.Get({counter_});
  if (!limited.ok() || !counted.ok() || !counters.ok()) {
    const absl::Status unread = absl::UnavailableError("a part of the snapshot could not be read");
    snapshot.GiveUp(unread);
    co_return unread;
  }
  snapshot.End();
  const std::string where = absl::StrCat("at ", snapshot.timestamp().nanoseconds());
  CheckLimited(static_cast<int64_t>(OnlyRows(*limited, kLimited).size()), where);
  CheckCounted({.rows = static_cast<int64_t>(OnlyRows(*counted, kCounted).size()),
                .counter = Count((*counters)[0])},
               where);
  co_return absl::OkStatus();
}

void PhantomWorkload::CheckCounted(const Sight& sight, absl::string_view where) {
  if (sight.rows == sight.counter) return;
  journal().Wrong(absl::StrCat("phantom: ", std::string(where), " there are ", sight.rows,
                               " rows, and the counter says ", sight.counter));
}

void PhantomWorkload::CheckLimited(int64_t rows, absl::string_view where) {
  if (rows <= kLimit) return;
  journal().Wrong(absl::StrCat("phantom: ", std::string(where), " there are ", rows,
                               " rows, although none was added to ", kLimit));
}

runtime::Task<absl::Status> PhantomWorkload::ReadAll(WorkloadClient* client) {
  co_return co_await Look(client, txn::ReadBound::Strong());
}

}  // namespace workload

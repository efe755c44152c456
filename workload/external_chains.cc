#include "workload/external_chains.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/status_macros.h"
#include "workload/row_values.h"

namespace workload {
namespace {

using runtime::Timestamp;

constexpr int kKeysPerShard = 2;
constexpr double kSnapshots = 0.4;

}  // namespace

ExternalWorkload::ExternalWorkload(TransactionJournal* journal, int shards)
    : TransactionWorkload(journal, shards) {
  for (int i = 0; i < kKeysPerShard * shards; ++i) {
    keys_.push_back(key_space().Numbered(i, absl::StrCat("link", i)));
  }
}

runtime::Task<absl::Status> ExternalWorkload::Prepare(WorkloadClient*) {
  co_return absl::OkStatus();
}

runtime::Task<void> ExternalWorkload::Act(WorkloadClient* client) {
  if (!client->random->Chance(kSnapshots)) co_return co_await Write(client);
  const txn::ReadBound bound = SomeBound(client, /*single=*/true);
  (co_await Look(client, bound)).IgnoreError();
}

Key ExternalWorkload::SomeKey(runtime::Random* random) const {
  return keys_[static_cast<size_t>(random->Uniform(0, static_cast<int64_t>(keys_.size()) - 1))];
}

runtime::Task<void> ExternalWorkload::Write(WorkloadClient* client) {
  const Key key = SomeKey(client->random);
  const std::optional<Told> after = last_;
  int64_t tag = 0;
  const absl::StatusOr<Timestamp> written = co_await RunRecorded(
      client, [this, key, after, drawn = &tag](RecordedTransaction* transaction) {
        return Put(key, after, drawn, transaction);
      });
  if (!written.ok()) co_return;
  links_[tag].timestamp = *written;
  if (!journal().clocks_lie() && after.has_value() && *written <= after->timestamp) {
    journal().Wrong(absl::StrCat("TX-EXTERNAL: a commit at ", written->nanoseconds(),
                                 " began after one at ", after->timestamp.nanoseconds(),
                                 " was acknowledged"));
  }
  if (!last_.has_value() || *written > last_->timestamp) {
    last_ = {.key = key, .tag = tag, .timestamp = *written};
  }
}

runtime::Task<absl::Status> ExternalWorkload::Put(Key key, std::optional<Told> after, int64_t* tag,
                                                  RecordedTransaction* transaction) {
  *tag = journal().NewValue();
  links_[*tag] = {.after = std::move(after), .timestamp = {}};
  co_return transaction->Put(key, ToText(Tagged{.tag = *tag}), checker::Write(key, *tag));
}

runtime::Task<absl::Status> ExternalWorkload::Look(WorkloadClient* client, txn::ReadBound bound) {
  const std::optional<Told> told = last_;
  RecordedSnapshot snapshot(client, bound);
  const absl::StatusOr<txn::Values> values = co_await snapshot.Get(keys_);
  if (!values.ok()) {
    snapshot.GiveUp(values.status());
    co_return values.status();
  }
  Seen seen;
  for (size_t i = 0; i < keys_.size(); ++i) {
    Tagged value;
    snapshot.Saw(SawTagged(&journal(), keys_[i], (*values)[i], &value));
    seen[keys_[i]] = value.tag;
  }
  snapshot.End();
  if (journal().clocks_lie()) co_return absl::OkStatus();
  CheckSeen(seen, snapshot.timestamp());
  const bool strong = bound.kind == txn::ReadBound::Kind::kStrong;
  if (strong && told.has_value() && !Reaches(seen, *told)) {
    journal().Wrong(absl::StrCat("TX-EXTERNAL: a strong read at ",
                                 snapshot.timestamp().nanoseconds(), " misses the write of '",
                                 told->key, "' at ", told->timestamp.nanoseconds(),
                                 ", which was acknowledged before it began"));
  }
  co_return absl::OkStatus();
}

bool ExternalWorkload::Reaches(const Seen& seen, const Told& told) const {
  const int64_t tag = seen.at(told.key);
  if (tag == told.tag) return true;
  const auto link = links_.find(tag);
  if (link == links_.end()) return false;
  // Of one that was never acknowledged nobody knows when it was.
  return !link->second.timestamp.has_value() || *link->second.timestamp >= told.timestamp;
}

void ExternalWorkload::CheckSeen(const Seen& seen, Timestamp at) {
  for (const auto& [key, tag] : seen) {
    const auto link = links_.find(tag);
    if (link == links_.end() || !link->second.after.has_value()) continue;
    const Told& before = *link->second.after;
    if (Reaches(seen, before)) continue;
    journal().Wrong(absl::StrCat("TX-EXTERNAL: a snapshot at ", at.nanoseconds(), " has '", key,
                                 "' = ", tag, ", and not the write of '", before.key, "' at ",
                                 before.timestamp.nanoseconds(),
                                 ", which was acknowledged before that one began"));
  }
}

runtime::Task<absl::Status> ExternalWorkload::ReadAll(WorkloadClient* client) {
  co_return co_await Look(client, txn::ReadBound::Strong());
}

}  // namespace workload

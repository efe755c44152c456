#include "workload/write_skew.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/status_macros.h"
#include "workload/row_values.h"

namespace workload {
namespace {

using txn::LockMode;

constexpr int kPairs = 3;
constexpr double kSnapshots = 0.3;

}  // namespace

WriteSkewWorkload::WriteSkewWorkload(TransactionJournal* journal, int shards)
    : TransactionWorkload(journal, shards) {
  for (int i = 0; i < kPairs; ++i) {
    pairs_.push_back({key_space().Numbered(i, absl::StrCat("doctor", i, "a")),
                      key_space().Numbered(i + 1, absl::StrCat("doctor", i, "b"))});
  }
}

runtime::Task<absl::Status> WriteSkewWorkload::Prepare(WorkloadClient* client) {
  co_return (co_await RunRecorded(client, [this](RecordedTransaction* transaction) {
    return Fill(transaction);
  })).status();
}

runtime::Task<absl::Status> WriteSkewWorkload::Fill(RecordedTransaction* transaction) {
  CO_ASSIGN_OR_RETURN(const txn::Values values,
                      co_await transaction->Get({pairs_[0][0]}, LockMode::kExclusive));
  if (values.front().has_value()) co_return absl::OkStatus();
  for (const Pair& pair : pairs_) {
    for (const Key& key : pair) {
      const Tagged on{.number = 1, .tag = journal().NewValue()};
      CO_RETURN_IF_ERROR(transaction->Put(key, ToText(on), checker::Write(key, on.tag)));
    }
  }
  co_return absl::OkStatus();
}

runtime::Task<void> WriteSkewWorkload::Act(WorkloadClient* client) {
  runtime::Random& random = *client->random;
  const Pair pair = pairs_[static_cast<size_t>(random.Uniform(0, kPairs - 1))];
  if (random.Chance(kSnapshots)) {
    const txn::ReadBound bound = SomeBound(client, /*single=*/true);
    (co_await Look(client, bound, pair)).IgnoreError();
    co_return;
  }
  const auto which = static_cast<size_t>(random.Uniform(0, 1));
  const bool one_by_one = random.Chance(0.5);
  (co_await RunRecorded(client, [this, pair, which, one_by_one](RecordedTransaction* transaction) {
    return Change(pair, which, one_by_one, transaction);
  })).IgnoreError();
}

runtime::Task<absl::Status> WriteSkewWorkload::Change(Pair pair, size_t which, bool one_by_one,
                                                      RecordedTransaction* transaction) {
  std::array<Tagged, 2> on;
  if (one_by_one) {
    for (size_t i = 0; i < pair.size(); ++i) {
      CO_ASSIGN_OR_RETURN(const txn::Values values,
                          co_await transaction->Get({pair[i]}, LockMode::kShared));
      transaction->Saw(SawTagged(&journal(), pair[i], values[0], &on[i]));
    }
  } else {
    CO_ASSIGN_OR_RETURN(const txn::Values values,
                        co_await transaction->Get({pair[0], pair[1]}, LockMode::kShared));
    for (size_t i = 0; i < pair.size(); ++i) {
      transaction->Saw(SawTagged(&journal(), pair[i], values[i], &on[i]));
    }
  }
  const bool is_on = on[which].number == 1;
  if (is_on && on[1 - which].number != 1) co_return absl::OkStatus();
  const Tagged changed{.number = is_on ? 0 : 1, .tag = journal().NewValue()};
  co_return transaction->Put(pair[which], ToText(changed),
                             checker::Write(pair[which], changed.tag));
}

runtime::Task<absl::Status> WriteSkewWorkload::Look(WorkloadClient* client, txn::ReadBound bound,
                                                    Pair pair) {
  RecordedSnapshot snapshot(client, bound);
  const absl::StatusOr<txn::Values> values = co_await snapshot.Get({pair[0], pair[1]});
  if (!values.ok()) {
    snapshot.GiveUp(values.status());
    co_return values.status();
  }
  int64_t on = 0;
  for (size_t i = 0; i < pair.size(); ++i) {
    Tagged doctor;
    snapshot.Saw(SawTagged(&journal(), pair[i], (*values)[i], &doctor));
    on += doctor.number;
  }
  snapshot.End();
  // Long ago there may have been nobody.
  const bool nobody = !(*values)[0].has_value() && !(*values)[1].has_value();
  const bool past = bound.kind != txn::ReadBound::Kind::kStrong || journal().clocks_lie();
  if (on == 0 && !(nobody && past)) {
    journal().Wrong(absl::StrCat("write skew: at ", snapshot.timestamp().nanoseconds(),
                                 " neither '", pair[0], "' nor '", pair[1], "' is on call"));
  }
  co_return absl::OkStatus();
}

runtime::Task<absl::Status> WriteSkewWorkload::ReadAll(WorkloadClient* client) {
  for (const Pair& pair : pairs_) {
    CO_RETURN_IF_ERROR(co_await Look(client, txn::ReadBound::Strong(), pair));
  }
  co_return absl::OkStatus();
}

}  // namespace workload

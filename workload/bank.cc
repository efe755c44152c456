#include "workload/bank.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/status_macros.h"
#include "workload/row_values.h"

namespace workload {
namespace {

using txn::LockMode;

constexpr int kAccountsPerShard = 2;
constexpr int64_t kFirstBalance = 100;
constexpr int64_t kTransferMax = 30;
constexpr double kSnapshots = 0.3;
constexpr double kLockedCounts = 0.1;

}  // namespace

BankWorkload::BankWorkload(TransactionJournal* journal, int shards)
    : TransactionWorkload(journal, shards) {
  for (int i = 0; i < kAccountsPerShard * shards; ++i) {
    accounts_.push_back(key_space().Numbered(i, absl::StrCat("account", i)));
  }
}

runtime::Task<absl::Status> BankWorkload::Prepare(WorkloadClient* client) {
  co_return (co_await RunRecorded(client, [this](RecordedTransaction* transaction) {
    return Fill(transaction);
  })).status();
}

runtime::Task<absl::Status> BankWorkload::Fill(RecordedTransaction* transaction) {
  CO_ASSIGN_OR_RETURN(const txn::Values values,
                      co_await transaction->Get(accounts_, LockMode::kExclusive));
  // An attempt of which nobody knew what came of it.
  if (values.front().has_value()) co_return absl::OkStatus();
  for (const Key& account : accounts_) {
    const Tagged balance{.number = kFirstBalance, .tag = journal().NewValue()};
    CO_RETURN_IF_ERROR(
        transaction->Put(account, ToText(balance), checker::Write(account, balance.tag)));
  }
  co_return absl::OkStatus();
}

BankWorkload::Transfer BankWorkload::SomeTransfer(runtime::Random* random) const {
  const auto last = static_cast<int64_t>(accounts_.size()) - 1;
  const int64_t from = random->Uniform(0, last);
  const int64_t to = (from + random->Uniform(1, last)) % (last + 1);
  return {.from = accounts_[static_cast<size_t>(from)],
          .to = accounts_[static_cast<size_t>(to)],
          .amount = random->Uniform(1, kTransferMax),
          .mode = static_cast<LockMode>(random->Uniform(0, 2))};
}

runtime::Task<void> BankWorkload::Act(WorkloadClient* client) {
  const double kind = client->random->Fraction();
  if (kind < kSnapshots) {
    const txn::ReadBound bound = SomeBound(client, /*single=*/true);
    (co_await CountInSnapshot(client, bound)).IgnoreError();
  } else if (kind < kSnapshots + kLockedCounts) {
    co_await CountLocked(client);
  } else {
    const Transfer transfer = SomeTransfer(client->random);
    (co_await RunRecorded(client, [this, transfer](RecordedTransaction* transaction) {
      return Pay(transfer, transaction);
    })).IgnoreError();
  }
}

runtime::Task<absl::Status> BankWorkload::Pay(Transfer transfer, RecordedTransaction* transaction) {
  CO_ASSIGN_OR_RETURN(const txn::Values values,
                      co_await transaction->Get({transfer.from, transfer.to}, transfer.mode));
  Tagged from;
  Tagged to;
  transaction->Saw(SawTagged(&journal(), transfer.from, values[0], &from));
  transaction->Saw(SawTagged(&journal(), transfer.to, values[1], &to));
  if (from.number < transfer.amount) co_return absl::OkStatus();
  from = {.number = from.number - transfer.amount, .tag = journal().NewValue()};
  to = {.number = to.number + transfer.amount, .tag = journal().NewValue()};
  CO_RETURN_IF_ERROR(
      transaction->Put(transfer.from, ToText(from), checker::Write(transfer.from, from.tag)));
  co_return transaction->Put(transfer.to, ToText(to), checker::Write(transfer.to, to.tag));
}

runtime::Task<void> BankWorkload::CountLocked(WorkloadClient* client) {
  Sight sight;
  const absl::StatusOr<runtime::Timestamp> counted = co_await RunRecorded(
      client,
      [this, saw = &sight](RecordedTransaction* transaction) { return Count(saw, transaction); });
  if (counted.ok()) CheckSight(sight, "under locks");
}

runtime::Task<absl::Status> BankWorkload::Count(Sight* sight, RecordedTransaction* transaction) {
  *sight = {};
  for (const Key& account : accounts_) {
    CO_ASSIGN_OR_RETURN(const txn::Values values,
                        co_await transaction->Get({account}, LockMode::kShared));
    Tagged balance;
    transaction->Saw(SawTagged(&journal(), account, values[0], &balance));
    if (values[0].has_value()) ++sight->accounts;
    sight->total += balance.number;
  }
  co_return absl::OkStatus();
}

runtime::Task<absl::Status> BankWorkload::CountInSnapshot(WorkloadClient* client,
                                                          txn::ReadBound bound) {
  RecordedSnapshot snapshot(client, bound);
  const absl::StatusOr<txn::Values> values = co_await snapshot.Get(accounts_);
  if (!values.ok()) {
    snapshot.GiveUp(values.status());
    co_return values.status();
  }
  Sight sight;
  for (size_t i = 0; i < accounts_.size(); ++i) {
    Tagged balance;
    snapshot.Saw(SawTagged(&journal(), accounts_[i], (*values)[i], &balance));
    if ((*values)[i].has_value()) ++sight.accounts;
    sight.total += balance.number;
    if (balance.number < 0) journal().Wrong("bank: an account is overdrawn");
  }
  snapshot.End();
  // Before the accounts were opened there was none.
  const bool past = bound.kind != txn::ReadBound::Kind::kStrong || journal().clocks_lie();
  if (!past || sight.accounts > 0) {
    CheckSight(sight, absl::StrCat("in a snapshot at ", snapshot.timestamp().nanoseconds()));
  }
  co_return absl::OkStatus();
}

void BankWorkload::CheckSight(const Sight& sight, absl::string_view where) {
  const auto accounts = static_cast<int>(accounts_.size());
  if (sight.accounts == accounts && sight.total == kFirstBalance * accounts) return;
  journal().Wrong(absl::StrCat("bank: ", std::string(where), " there are ", sight.accounts, " of ",
                               accounts, " accounts, with ", sight.total, " in all, not ",
                               kFirstBalance * accounts));
}

runtime::Task<absl::Status> BankWorkload::ReadAll(WorkloadClient* client) {
  co_return co_await CountInSnapshot(client, txn::ReadBound::Strong());
}

}  // namespace workload

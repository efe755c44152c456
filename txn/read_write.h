// ReadWrite: a read-write transaction at its gateway (TX-LOCKS, TX-EPOCH, TX-2PC, TX-ONCE).
//
// States:      open -> committing -> ended. An error ends it from either of the first two; what
//              follows is told the same error.
// Locks:       are taken at the leaders of the groups; each group's ballot is kept and sent again, so
//              that locks which another leader does not know of are missed (TX-EPOCH).
// Commit:      Commit() in read_write_commit.cc reads from top to bottom as docs/transactions.md tells
//              it.
// Wrong map:   what is not in a shard any more is asked for again where it is, unless locks are held
//              there, too: then the transaction is aborted, and its next attempt knows the way.
// Concurrency: one loop, and one call at a time. Keep-alives come in between.
#ifndef TXN_READ_WRITE_H_
#define TXN_READ_WRITE_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/task.h"
#include "txn/call_parts.h"
#include "txn/gateway_core.h"
#include "txn/lock_ledger.h"
#include "txn/transaction.h"
#include "txn/write_buffer.h"

namespace txn {

class ReadWrite final : public Transaction {
 public:
  // `refused`, if not OK, is what all its calls end with.
  ReadWrite(GatewayCore* core, TransactionId id, Age age, absl::Status refused);
  ~ReadWrite() override;

  const TransactionId& id() const override { return id_; }
  const Age& age() const override { return age_; }
  std::optional<storage::GroupId> coordinator() const override { return coordinator_; }

  runtime::Task<absl::StatusOr<Values>> Get(std::vector<Key> keys, LockMode mode) override;
  runtime::Task<absl::StatusOr<ScanPage>> Scan(ScanQuery query, LockMode mode) override;
  absl::Status Put(Key key, std::string value) override;
  absl::Status Delete(Key key) override;
  Savepoint Save() override { return writes_.Save(); }
  void RollBackTo(Savepoint savepoint) override { writes_.RollBackTo(savepoint); }
  runtime::Task<absl::StatusOr<runtime::Timestamp>> Commit() override;
  runtime::Task<void> Rollback() override;

  // TX-ALIVE: tells the groups that have not heard of it for a while.
  void KeepAlive(MonotonicTime now);
  void KeptAlive(storage::GroupId group, const absl::Status& kept);

 private:
  enum class State : uint8_t { kOpen, kCommitting, kEnded };
  using Groups = std::vector<storage::GroupId>;
  using Rows = std::map<Key, std::optional<std::string>>;
  // What is written where. Each list is ascending by key.
  using Plan = std::map<storage::GroupId, std::vector<Write>>;

  // OK while it is open.
  absl::Status CheckOpen() const;
  // Ends it with an error, for its user, and frees its locks but for those in `kept`. The error that
  // it ended with, which is another one if it had ended.
  absl::Status Fail(const absl::Status& error, const Plan& kept = {});
  void End(State state, absl::Status end);
  void ReleaseAllBut(const Plan& kept);

  // --- Reads: errors are refusals ---

  // Rows that are stored, locked.
  runtime::Task<absl::Status> Fetch(std::set<Key> keys, LockMode mode, MonotonicTime deadline,
                                    Rows* rows);
  runtime::Task<absl::Status> FetchFrom(storage::GroupId group, std::vector<Key> keys,
                                        LockMode mode, MonotonicTime deadline, Rows* rows,
                                        Groups* wrong);
  runtime::Task<absl::StatusOr<isochron::txn::AccessReply>> Access(
      storage::GroupId group, isochron::txn::AccessRequest request, std::vector<Lock> locks,
      MonotonicTime deadline);
  // The map was wrong: OK if the group may be passed by.
  runtime::Task<absl::Status> Moved(storage::GroupId group, absl::Status wrong_range,
                                    MonotonicTime deadline);

  // --- Commits: errors are refusals; a plan outlives its task ---

  runtime::Task<absl::StatusOr<runtime::Timestamp>> CommitReads(MonotonicTime deadline);
  runtime::Task<absl::StatusOr<runtime::Timestamp>> CommitInOneGroup(const Plan* plan,
                                                                     MonotonicTime deadline);
  runtime::Task<absl::StatusOr<runtime::Timestamp>> CommitInGroups(const Plan* plan,
                                                                   MonotonicTime deadline);
  // Sends the commit, once, and finds out what came of it (TX-ONCE).
  runtime::Task<absl::StatusOr<runtime::Timestamp>> Decide(storage::GroupId coordinator,
                                                           isochron::txn::CommitRequest request,
                                                           MonotonicTime deadline);
  absl::StatusOr<Plan> MakePlan() const;
  bool HoldsBesides(storage::GroupId group) const;
  // On what is written in a group, as far as it is not held.
  std::vector<Lock> MissingLocks(storage::GroupId group, const std::vector<Write>& writes) const;
  runtime::Task<absl::Status> LockWrites(const Plan* plan, MonotonicTime deadline);
  runtime::Task<absl::Status> LockIn(storage::GroupId group, std::vector<Lock> locks,
                                     MonotonicTime deadline);
  runtime::Task<absl::Status> ConfirmLocks(storage::GroupId group, MonotonicTime deadline);
  storage::GroupId ChooseCoordinator(const Plan& plan) const;
  isochron::txn::PrepareRequest PrepareFor(storage::GroupId group, const Plan& plan) const;
  runtime::Task<void> SendPrepare(storage::GroupId group, isochron::txn::PrepareRequest request,
                                  MonotonicTime deadline);
  // Who asks, in a request.
  template <typename Request>
  void SignRequest(storage::GroupId group, Request* request) const;

  GatewayCore& core_;
  const TransactionId id_;
  const Age age_;
  State state_ = State::kOpen;
  absl::Status end_;  // Of an ended one: what its calls end with.
  WriteBuffer writes_;
  LockLedger ledger_;
  std::optional<storage::GroupId> coordinator_;
};

template <typename Request>
void ReadWrite::SignRequest(storage::GroupId group, Request* request) const {
  wire::Encode(id_, request->mutable_id());
  wire::Encode(age_, request->mutable_age());
  const LockLedger::Group* const known = ledger_.Find(group);
  if (known != nullptr && known->ballot) *request->mutable_ballot() = *known->ballot;
}

}  // namespace txn

#endif  // TXN_READ_WRITE_H_

// Coordinator: what the leader of the group that decides does for a commit (TX-2PC, TX-COMMIT-TS).
//
//   locks, if any are missing -> reports of the participants -> one entry in the log -> outcome
//
// Place:       a part of each replica's Shard, beside the participant, whose locks it uses; it works
//              while the replica leads.
// One entry:   a transaction that wrote here only has a Commit, one that wrote elsewhere as well a
//              Decide. Its timestamp is above all prepare timestamps and what readers have read, and
//              within all guards (TX-READ-GUARD), or it aborts.
// Once:        a commit that is asked for again while it is under way is joined; afterwards its
//              outcome stands in the log (TX-ONCE). An abort of which nothing is in the log is final
//              too: the locks are gone.
// Outcomes:    go to the participants when they can be read here; nobody waits for that (see
//              outcome_sender.h).
// Errors:      refusal.h.
// Concurrency: one loop.
// Paper:       Corbett et al. 2012, 4.2.1. Differences: readers report guards instead of logging a
//              prepare; the coordinator's own writes come with the decision.
#ifndef TXN_COORDINATOR_H_
#define TXN_COORDINATOR_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/task.h"
#include "runtime/task_scope.h"
#include "txn/outcome_sender.h"
#include "txn/participant.h"
#include "txn/service.pb.h"
#include "txn/shard_context.h"

namespace txn {

class Coordinator {
 public:
  // All outlive it. Its tasks run in `scope`.
  Coordinator(const ShardContext* context, storage::GroupId group, Participant* participant,
              runtime::TaskScope* scope);

  // --- The lead ---

  void Begin(ShardMachine* machine);
  void End();
  void HasEnded(const Ended& ended, const ShardMachine& machine);
  // Forgets what all participants have, and what is old. To be called now and then.
  void LookAround(const GroupPtr& group);

  // --- Asked by gateways and participants ---

  runtime::Task<absl::StatusOr<isochron::txn::CommitReply>> Commit(
      GroupPtr group, isochron::txn::CommitRequest request);
  runtime::Task<absl::StatusOr<isochron::txn::ReportReply>> Report(
      GroupPtr group, isochron::txn::ReportRequest request);
  runtime::Task<absl::StatusOr<isochron::txn::ConcludeReply>> Conclude(
      GroupPtr group, isochron::txn::ConcludeRequest request);

  // Commits under way, and outcomes on their way to participants.
  size_t commits() const { return commits_.size(); }
  size_t outcomes_under_way() const { return sender_.size(); }

 private:
  // A commit under way, or reports of one that is still to be asked for.
  struct Commitment;
  using CommitmentPtr = std::shared_ptr<Commitment>;

  // Begins the commit, or finds the one under way.
  absl::StatusOr<CommitmentPtr> BeginCommit(const GroupPtr& group,
                                            isochron::txn::CommitRequest request);
  runtime::Task<void> RunCommit(GroupPtr group, CommitmentPtr commit);
  // The commit timestamp.
  runtime::Task<absl::StatusOr<runtime::Timestamp>> Decide(GroupPtr group, CommitmentPtr commit);
  runtime::Task<absl::Status> AwaitReports(CommitmentPtr commit);
  runtime::Task<absl::StatusOr<runtime::Timestamp>> LogDecision(GroupPtr group,
                                                                CommitmentPtr commit);
  // Ends it in the log if it has no outcome there; what the outcome is.
  runtime::Task<absl::StatusOr<Outcome>> LogAbort(GroupPtr group, TransactionId id, std::string why,
                                                  std::vector<storage::GroupId> participants);
  runtime::Task<absl::StatusOr<Outcome>> OutcomeFor(GroupPtr group, TransactionId id,
                                                    std::string give_up);
  runtime::Task<void> ProposeForget(GroupPtr group, std::vector<TransactionId> ids);
  runtime::Task<void> ProposeTrim(GroupPtr group, Trim trim);

  const ShardContext& context_;
  const storage::GroupId group_;
  Participant& participant_;
  runtime::TaskScope& scope_;
  OutcomeSender sender_;
  std::map<TransactionId, CommitmentPtr> commits_;
  bool trimming_ = false;
};

}  // namespace txn

#endif  // TXN_COORDINATOR_H_

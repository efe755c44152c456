// What is asked of a group: proposals, reads, changes of the members, hand-overs, and its state.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "paxos/errors.h"
#include "paxos/group.h"
#include "paxos/instruments.h"
#include "runtime/event.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "runtime/world.h"
#include "storage/log_store.h"
#include "storage/store.h"

namespace paxos {
namespace {

// Between two looks at what does not announce itself.
constexpr Duration kLook = std::chrono::milliseconds(5);
// Proposals are held back so long for a change of the members, and then let go for as long.
constexpr Duration kHold = std::chrono::milliseconds(250);
// A new voter that lacks fewer slots will have them in a moment.
constexpr uint64_t kNearlySlots = 256;

}  // namespace

// One who waits for what becomes of a slot that it proposed in. Lives in the waiter's frame.
class Group::Outcome {
 public:
  Outcome(Group* group, Proposed proposed, Until until)
      : proposed_(proposed),
        others_(group->outcomes_[until]),
        place_(others_.emplace(proposed.slot, this)) {}
  Outcome(const Outcome&) = delete;
  Outcome& operator=(const Outcome&) = delete;
  ~Outcome() { Unlink(); }

  // The result, or why the wait was cancelled.
  runtime::Task<absl::Status> Wait() {
    CO_RETURN_IF_ERROR(co_await settled_.Wait());
    co_return result_;
  }

  const Proposed& proposed() const { return proposed_; }
  // Takes it out of the group's list.
  void Settle(absl::Status result) {
    Unlink();
    result_ = std::move(result);
    settled_.Set();
  }
  bool settled() const { return settled_.is_set(); }

 private:
  void Unlink() {
    if (place_) others_.erase(*place_);
    place_.reset();
  }

  const Proposed proposed_;
  std::multimap<Slot, Outcome*>& others_;
  std::optional<std::multimap<Slot, Outcome*>::iterator> place_;
  absl::Status result_;
  runtime::Event settled_;
};

// --- Proposals ---

absl::Status Group::CheckWritable() const {
  if (ended_) return NoSuchGroup(id_);
  if (const absl::Status log = home_.log().Check(); !log.ok()) return DiskTrouble(log);
  storage::Store* const store = home_.store();
  if (store == nullptr) return DiskTrouble(absl::UnavailableError("the store is being replaced"));
  if (const absl::Status stored = store->status(); !stored.ok()) return DiskTrouble(stored);
  return absl::OkStatus();
}

absl::Status Group::NotLeading() const {
  std::optional<runtime::NodeId> leader = leader_node();
  if (leader == home_.world().node()) leader.reset();
  return NotLeader(id_, leader);
}

bool Group::NobodyLeads() const {
  const ReplicaId hint = replica_.leader_hint();
  return !ended_ && (hint == ReplicaId() || hint == replica_.self());
}

absl::Status Group::Judge(const absl::Status& refusal) const {
  switch (refusal.code()) {
    case absl::StatusCode::kFailedPrecondition:
      return NotLeading();
    case absl::StatusCode::kResourceExhausted:
      return Overloaded(id_);
    case absl::StatusCode::kInvalidArgument:
      return BadChange(id_, refusal.message());
    default:
      return absl::OkStatus();
  }
}

runtime::Task<absl::StatusOr<Proposed>> Group::Propose(std::string command, Timestamp at_least,
                                                       Until until, std::optional<Ballot> under) {
  if (command.size() > kCommandBytesMax) {
    co_return absl::InvalidArgumentError(
        absl::StrCat("a command has at most ", kCommandBytesMax, " bytes"));
  }
  const MonotonicTime begin = In(Duration(0));
  const MonotonicTime end = In(home_.options().hand_over_max);
  while (true) {
    CO_RETURN_IF_ERROR(CheckWritable());
    if (under && replica_.leading_ballot() != under) co_return NotLeading();
    absl::Status refusal;
    if (lead_ && !serving_) {
      refusal = absl::UnavailableError("the leader applies what was chosen before it");
    } else if (hold_until_ > In(Duration(0))) {
      refusal = absl::UnavailableError("the members are to be changed");
    } else {
      const absl::StatusOr<Proposed> proposed = replica_.Propose(command, at_least, home_.Now());
      if (proposed.ok()) {
        home_.instruments().proposals.Add();
        Changed();
        const absl::StatusOr<Proposed> outcome = co_await WaitForOutcome(*proposed, until);
        if (outcome.ok()) home_.instruments().commit_time.Record(In(Duration(0)) - begin);
        co_return outcome;
      }
      refusal = proposed.status();
    }
    absl::Status judged = Judge(refusal);
    const bool late = In(Duration(0)) >= end;
    // Who is to lead after a hand-over is known in a moment.
    if (absl::IsFailedPrecondition(refusal) && NobodyLeads() && !late) judged = absl::OkStatus();
    if (judged.ok() && late) judged = NotNow(id_, refusal.message());
    if (!judged.ok()) {
      home_.instruments().proposals_refused.Add();
      co_return judged;
    }
    CO_RETURN_IF_ERROR(co_await changed_.Wait(std::min(end, In(kLook))));
  }
}

runtime::Task<absl::StatusOr<Proposed>> Group::WaitForOutcome(Proposed proposed, Until until) {
  Outcome outcome(this, proposed, until);
  const absl::Status waited = co_await outcome.Wait();
  if (waited.ok()) co_return proposed;
  if (!outcome.settled()) co_return OutcomeUnknown(id_, proposed.slot, waited.message());
  co_return waited;
}

void Group::SettleOutcomes(Until until, Slot slot, const std::vector<Chosen>& chosen) {
  const std::multimap<Slot, Outcome*>& waiting = outcomes_[until];
  while (!waiting.empty() && waiting.begin()->first <= slot) {
    Outcome& outcome = *waiting.begin()->second;
    const Proposed& proposed = outcome.proposed();
    if (chosen.empty() || proposed.slot < chosen.front().slot) {
      outcome.Settle(OutcomeUnknown(id_, proposed.slot, "it was applied unseen"));
      continue;
    }
    // PX-MONOTONE, PX-CEILING: a timestamp is assigned once.
    const Chosen& one = chosen[proposed.slot.value() - chosen.front().slot.value()];
    outcome.Settle(one.entry.timestamp == proposed.timestamp ? absl::OkStatus() : NotLeading());
  }
}

void Group::AbandonOutcomes(Slot slot, absl::string_view why) {
  for (const auto& [until, waiting] : outcomes_) {
    while (!waiting.empty() && waiting.begin()->first <= slot) {
      Outcome& outcome = *waiting.begin()->second;
      outcome.Settle(OutcomeUnknown(id_, outcome.proposed().slot, why));
    }
  }
}

// --- Reads ---

runtime::Task<absl::StatusOr<Ballot>> Group::ReadBarrier() {
  const Slot before = replica_.chosen_through();
  const MonotonicTime end = In(home_.options().hand_over_max);
  while (true) {
    if (ended_) co_return NoSuchGroup(id_);
    const bool leads = replica_.leads(home_.Now());
    const bool late = In(Duration(0)) >= end;
    if (!leads && (!NobodyLeads() || late)) co_return NotLeading();
    const bool current = applier_.current() && applier_.applied() >= before;
    if (leads && serving_ && current) co_return *lead_;
    if (late) co_return NotNow(id_, "the leader applies what was chosen");
    applier_.Hurry();
    CO_RETURN_IF_ERROR(co_await changed_.Wait(end));
  }
}

absl::Status Group::CheckLease(Ballot ballot) const {
  if (ended_) return NoSuchGroup(id_);
  const bool leads = serving_ && lead_ == ballot && replica_.leading_ballot() == ballot &&
                     replica_.leads(home_.Now());
  return leads ? absl::OkStatus() : NotLeading();
}

std::optional<Ballot> Group::leading() const {
  if (!serving_ || !CheckLease(*lead_).ok()) return std::nullopt;
  return lead_;
}

absl::Status Group::Pin(Timestamp timestamp) {
  if (ended_) return NoSuchGroup(id_);
  return NotNowUnlessJudged(replica_.Pin(timestamp, home_.Now()));
}

absl::Status Group::Guard(Timestamp timestamp) {
  if (ended_) return NoSuchGroup(id_);
  return NotNowUnlessJudged(replica_.Guard(timestamp, home_.Now()));
}

absl::Status Group::NotNowUnlessJudged(const absl::Status& promised) const {
  if (promised.ok()) return promised;
  const absl::Status judged = Judge(promised);
  return judged.ok() ? NotNow(id_, promised.message()) : judged;
}

Timestamp Group::PaxosSafeTime() const {
  if (ended_ || !applier_.current()) return Timestamp::Min();
  const SafeTimePromise& promise = replica_.safe_time();
  Timestamp safe = applier_.state().timestamp;
  if (promise.slot <= applier_.applied()) safe = std::max(safe, promise.timestamp);
  if (serving_) safe = std::max(safe, replica_.LeaderSafeTime(applier_.applied()));
  return safe;
}

runtime::Task<absl::Status> Group::WaitUntilApplied(Slot slot) {
  while (!ended_) {
    if (applier_.current() && applier_.applied() >= slot) co_return absl::OkStatus();
    applier_.Hurry();
    CO_RETURN_IF_ERROR(co_await changed_.Wait());
  }
  co_return NoSuchGroup(id_);
}

// --- Members ---

bool Group::NearlyHaveLog(const Configuration& next) const {
  for (const Member& member : next.members()) {
    if (!member.voter || replica_.configuration().IsVoter(member.replica)) continue;
    const Peer* const peer = replica_.FindPeer(member.replica);
    if (peer == nullptr ||
        peer->durable_through.value() + kNearlySlots < replica_.chosen_through().value()) {
      return false;
    }
  }
  return true;
}

runtime::Task<absl::Status> Group::ChangeMembers(Step step) {
  MonotonicTime hold_again = MonotonicTime::Min();
  while (true) {
    CO_RETURN_IF_ERROR(CheckWritable());
    absl::Status refusal;
    if (serving_ || !lead_) {
      if (!replica_.leads(home_.Now())) co_return NotLeading();
      Configuration next = replica_.configuration();
      if (const absl::Status made = step(&next); !made.ok()) {
        co_return BadChange(id_, made.message());
      }
      const absl::StatusOr<Proposed> proposed = replica_.Reconfigure(next, home_.Now());
      Changed();
      if (proposed.ok()) co_return (co_await WaitForOutcome(*proposed, Until::kApplied)).status();
      if (!absl::IsResourceExhausted(proposed.status())) {
        CO_RETURN_IF_ERROR(Judge(proposed.status()));
      }
      // Under load the pipeline drains only if nothing new comes for a moment.
      const MonotonicTime now = In(Duration(0));
      if (now >= hold_again && NearlyHaveLog(next)) {
        hold_until_ = now + kHold;
        hold_again = now + 2 * kHold;
      }
    }
    CO_RETURN_IF_ERROR(co_await runtime::SleepFor(kLook));
  }
}

runtime::Task<absl::StatusOr<ReplicaId>> Group::AddLearner(runtime::NodeId node) {
  CO_RETURN_IF_ERROR(co_await ChangeMembers(
      [node](Configuration* configuration) { return configuration->AddLearner(node); }));
  hold_until_ = MonotonicTime::Min();
  const Member* const member = replica_.configuration().FindNode(node);
  if (member == nullptr) co_return BadChange(id_, "the new member was removed again");
  co_return member->replica;
}

runtime::Task<absl::Status> Group::Promote(ReplicaId learner) {
  const absl::Status done = co_await ChangeMembers(
      [learner](Configuration* configuration) { return configuration->Promote(learner); });
  hold_until_ = MonotonicTime::Min();
  co_return done;
}

runtime::Task<absl::Status> Group::Remove(ReplicaId replica) {
  if (replica == replica_.self() && replica_.leads(home_.Now())) {
    ReplicaId successor;
    Slot most;
    for (const Member& member : replica_.configuration().members()) {
      const Peer* const peer = replica_.FindPeer(member.replica);
      if (!member.voter || member.replica == replica || peer == nullptr) continue;
      if (successor != ReplicaId() && peer->durable_through <= most) continue;
      successor = member.replica;
      most = peer->durable_through;
    }
    if (successor == ReplicaId()) co_return BadChange(id_, "there is nobody to hand over to");
    CO_RETURN_IF_ERROR(co_await Abdicate(successor));
    co_return NotLeading();
  }
  const absl::Status done = co_await ChangeMembers(
      [replica](Configuration* configuration) { return configuration->Remove(replica); });
  hold_until_ = MonotonicTime::Min();
  co_return done;
}

// --- Handing over ---

runtime::Task<absl::Status> Group::Abdicate(ReplicaId successor) {
  while (true) {
    if (ended_) co_return NoSuchGroup(id_);
    const absl::Status begun = replica_.Abdicate(successor, home_.Now());
    Changed();
    if (begun.ok()) break;
    CO_RETURN_IF_ERROR(Judge(begun));
    CO_RETURN_IF_ERROR(co_await runtime::SleepFor(kLook));
  }
  const Ballot ballot = *replica_.leading_ballot();
  while (!ended_) {
    const bool leading = replica_.leading_ballot() == ballot;
    if (leading && replica_.role() != Role::kAbdicating) {
      co_return NotNow(id_, "the successor did not take the lead");
    }
    if (!leading && replica_.leader_hint() == successor) co_return absl::OkStatus();
    if (!leading && replica_.leading_ballot()) {
      co_return NotNow(id_, "the successor did not keep the lead");
    }
    CO_RETURN_IF_ERROR(co_await changed_.Wait());
  }
  co_return NoSuchGroup(id_);
}

void Group::SetPreferredLeader(ReplicaId replica) {
  replica_.SetPreferredLeader(replica);
  Changed();
}

// --- What is known ---

std::optional<runtime::NodeId> Group::leader_node() const {
  const Member* const leader = replica_.configuration().Find(replica_.leader_hint());
  if (leader == nullptr) return std::nullopt;
  return leader->node;
}

GroupStatus Group::status() const {
  return {.group = id_,
          .self = replica_.self(),
          .role = replica_.role(),
          .installed = applier_.installed(),
          .promised = replica_.hard_state().promised,
          .leader = replica_.leader_hint(),
          .lease_end = replica_.lease_end(),
          .chosen_through = replica_.chosen_through(),
          .applied = applier_.applied(),
          .applied_timestamp = applier_.state().timestamp,
          .safe_time = PaxosSafeTime(),
          .open_slots = replica_.window().open_slots(),
          .open_bytes = replica_.window().open_bytes(),
          .log_bytes = log_meter_.bytes(),
          .configuration = replica_.configuration()};
}

}  // namespace paxos

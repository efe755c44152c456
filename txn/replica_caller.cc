#include "txn/replica_caller.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"
#include "runtime/deadline.h"
#include "runtime/event.h"
#include "runtime/random.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "runtime/task_scope.h"
#include "txn/call_parts.h"
#include "txn/refusal.h"

namespace txn {

using runtime::Duration;
using runtime::Executor;
using runtime::NodeId;
using runtime::Task;
using runtime::Timestamp;
using storage::GroupId;

namespace {

MonotonicTime Now() { return Executor::Current().Now(); }

// What every replica would say.
bool IsFinal(const absl::Status& error) {
  const std::optional<Refusal> refusal = RefusalOf(error);
  return refusal &&
         (refusal->kind == Refusal::Kind::kTooOld || refusal->kind == Refusal::Kind::kWrongRange ||
          refusal->kind == Refusal::Kind::kInvalid);
}

proto::ReadRequest ToRequest(const ReplicaRead& read) {
  proto::ReadRequest request;
  request.set_group(read.group.value());
  switch (read.at) {
    case ReplicaRead::At::kTimestamp:
      request.set_at(read.timestamp.nanoseconds());
      break;
    case ReplicaRead::At::kAtLeast:
      request.set_at_least(read.timestamp.nanoseconds());
      break;
    case ReplicaRead::At::kNewest:
      request.set_newest(true);
      break;
  }
  for (const storage::Key& key : read.wanted.get) request.add_get(key);
  if (read.wanted.scan) wire::Encode(*read.wanted.scan, request.mutable_scan());
  request.set_wait_max(read.wait_max.count());
  return request;
}

absl::StatusOr<ReplicaRows> FromReply(const ReplicaRead& read, proto::ReadReply reply) {
  ReplicaRows rows{.timestamp = Timestamp(reply.timestamp()),
                   .safe_time = Timestamp(reply.safe_time()),
                   .leader = NodeId(reply.leader())};
  if (!read.wanted.scan && static_cast<size_t>(reply.cells_size()) != read.wanted.get.size()) {
    return absl::DataLossError("a replica answered other keys than were asked for");
  }
  for (proto::Cell& cell : *reply.mutable_cells()) {
    const Timestamp timestamp(cell.timestamp());
    if (read.wanted.scan) {
      rows.found.scanned.rows.push_back(
          {std::move(*cell.mutable_key()), timestamp, std::move(*cell.mutable_value())});
    } else if (cell.has_value()) {
      rows.found.cells.push_back(storage::Cell{timestamp, std::move(*cell.mutable_value())});
    } else {
      rows.found.cells.emplace_back();
    }
  }
  if (reply.has_rest()) rows.found.scanned.rest = wire::Decode(reply.rest());
  return rows;
}

Task<absl::Status> WaitFor(runtime::Event* event) { co_return co_await event->Wait(); }

}  // namespace

// One round of asking. Lives in the frame of Hedged().
struct ReplicaCaller::Race {
  ReplicaRead read;
  std::optional<absl::StatusOr<ReplicaRows>> won = {};  // Or lost for good.
  absl::Status last = {};
  size_t running = 0;
  runtime::Event changed = {};
};

bool ReplicaCaller::Leads(GroupId group) const { return local_ != nullptr && local_->Leads(group); }

Task<absl::StatusOr<ReplicaRows>> ReplicaCaller::Read(ReplicaRead read, MonotonicTime deadline) {
  if (read.at == ReplicaRead::At::kNewest) {
    co_return co_await ReadNewest(std::move(read), deadline);
  }
  Duration backoff = options_.backoff_min;
  absl::Status last = Refuse(Refusal::Kind::kNotNow,
                             absl::StrCat("no replica of group ", read.group.value(), " is known"));
  for (bool first = true;; first = false) {
    if (const std::optional<ShardLocation> location = map_.FindGroup(read.group);
        location && !location->nodes.empty()) {
      absl::StatusOr<ReplicaRows> rows =
          co_await Hedged(read, CandidatesFor(read, *location, !first), deadline);
      if (rows.ok() || IsFinal(rows.status())) co_return rows;
      last = rows.status();
    }
    const MonotonicTime now = Now();
    if (now >= deadline) break;
    const Duration pause = world_.random().Uniform(backoff / 2, backoff);
    backoff = std::min(2 * backoff, options_.backoff_max);
    CO_RETURN_IF_ERROR(co_await runtime::SleepUntil(std::min(now + pause, deadline)));
  }
  co_return Refuse(Refusal::Kind::kNotNow,
                   absl::StrCat("no replica of group ", read.group.value(),
                                " could answer in time: ", std::string(last.message())));
}

ReplicaCaller::Candidates ReplicaCaller::CandidatesFor(const ReplicaRead& read,
                                                       const ShardLocation& location,
                                                       bool all_wait) const {
  const std::optional<NodeId> leader =
      Leads(read.group) ? world_.node() : leaders_.LeaderOf(read.group);
  Candidates candidates = nearest_.Order({.group = read.group,
                                          .nodes = location.nodes,
                                          .self = world_.node(),
                                          .leader = leader,
                                          .ago = truetime_.Now().latest - read.timestamp},
                                         Now());
  for (Nearest::Candidate& candidate : candidates) {
    // Who leads has changed, or the leader is not there: then followers, too, have time.
    const bool waits = all_wait || candidate.node == leader;
    candidate.wait = waits ? options_.attempt_max : 2 * candidate.wait;
  }
  return candidates;
}

Task<absl::StatusOr<ReplicaRows>> ReplicaCaller::ReadNewest(ReplicaRead read,
                                                            MonotonicTime deadline) {
  if (Leads(read.group)) {
    read.wait_max = deadline - Now();
    absl::StatusOr<ReplicaRows> rows = co_await local_->Read(read);
    if (rows.ok() || IsFinal(rows.status())) co_return rows;
  }
  CO_ASSIGN_OR_RETURN(proto::ReadReply reply,
                      co_await leaders_.Call(kRead, read.group, ToRequest(read), deadline));
  co_return FromReply(read, std::move(reply));
}

Task<absl::StatusOr<ReplicaRows>> ReplicaCaller::Hedged(ReplicaRead read, Candidates candidates,
                                                        MonotonicTime deadline) {
  runtime::CancelScope* const cancel = co_await runtime::CurrentCancelScope();
  Race race{.read = std::move(read)};
  runtime::TaskScope scope(Executor::Current(), cancel);
  size_t next = 0;
  while (!race.won && (cancel == nullptr || !cancel->cancelled())) {
    const bool more = next < candidates.size() && Now() < deadline;
    if (more && race.running == 0) {
      ++race.running;
      scope.Spawn(Run(&race, candidates[next++], deadline));
      continue;
    }
    if (race.running == 0) break;
    race.changed.Reset();
    const absl::Status waited =
        more ? co_await runtime::WithTimeout(options_.hedge_after, WaitFor(&race.changed))
             : co_await race.changed.Wait();
    if (more && absl::IsDeadlineExceeded(waited) && !race.won) {
      ++race.running;
      scope.Spawn(Run(&race, candidates[next++], deadline));
    }
  }
  scope.Cancel(absl::CancelledError("another replica was first"));
  co_await scope.Join();
  if (race.won) co_return *std::move(race.won);
  if (cancel != nullptr && cancel->cancelled()) co_return cancel->reason();
  // Nobody was asked.
  if (race.last.ok()) co_return Refuse(Refusal::Kind::kNotNow, "no time is left to ask a replica");
  co_return race.last;
}

Task<void> ReplicaCaller::Run(Race* race, Nearest::Candidate candidate, MonotonicTime deadline) {
  const MonotonicTime asked = Now();
  const Duration timeout = std::min(deadline - asked, options_.attempt_max);
  ReplicaRead read = race->read;
  // A little less, so that the reason arrives.
  read.wait_max = std::min(candidate.wait, timeout - timeout / 16);
  absl::StatusOr<ReplicaRows> rows = timeout <= Duration(0)
                                         ? absl::DeadlineExceededError("no time is left")
                                         : co_await Ask(candidate.node, read, timeout);
  --race->running;
  race->changed.Set();
  if (race->won || (co_await runtime::CurrentCancelScope())->cancelled()) co_return;
  Learn(read, candidate.node, asked, rows);
  if (rows.ok() || IsFinal(rows.status())) {
    race->won = std::move(rows);
  } else {
    race->last = rows.status();
  }
}

Task<absl::StatusOr<ReplicaRows>> ReplicaCaller::Ask(NodeId node, ReplicaRead read,
                                                     Duration timeout) {
  if (node == world_.node() && local_ != nullptr) {
    absl::StatusOr<ReplicaRows> rows =
        co_await runtime::WithTimeout(timeout, local_->Read(std::move(read)));
    if (!rows.ok()) co_return ToStatus(Translate(rows.status()));
    co_return rows;
  }
  CO_ASSIGN_OR_RETURN(proto::ReadReply reply,
                      co_await CallNode(&world_.network(), kRead, node, ToRequest(read), timeout));
  co_return FromReply(read, std::move(reply));
}

void ReplicaCaller::Learn(const ReplicaRead& read, NodeId node, MonotonicTime asked,
                          const absl::StatusOr<ReplicaRows>& rows) {
  const MonotonicTime now = Now();
  const std::optional<Refusal> refusal = RefusalOf(rows.status());
  if (!rows.ok() && !refusal) return nearest_.Silent(node, now);
  if (read.wait_max == Duration(0) || rows.ok()) nearest_.Answered(node, now - asked, now);
  leaders_.Learn(read.group, rows.ok() ? rows->leader : refusal->leader);
  Timestamp safe = Timestamp::Min();
  if (rows.ok()) safe = rows->safe_time;
  if (refusal && refusal->kind == Refusal::Kind::kNotSafeYet) safe = refusal->safe_time;
  if (safe > Timestamp(0) && safe < Timestamp::Max()) {
    nearest_.Behind(read.group, node, truetime_.Now().latest - safe, now);
  }
}

}  // namespace txn

#include "txn/replica_reads.h"

#include <algorithm>
#include <utility>

#include "paxos/errors.h"
#include "paxos/group.h"
#include "paxos/host.h"
#include "runtime/executor.h"
#include "runtime/status_macros.h"
#include "runtime/world.h"
#include "truetime/truetime.h"
#include "txn/refusal.h"
#include "txn/shard_machine.h"

namespace txn {

using runtime::Duration;
using runtime::MonotonicTime;
using runtime::Task;
using runtime::Timestamp;
using storage::GroupId;

namespace {

using GroupPtr = std::shared_ptr<paxos::Group>;

MonotonicTime Now() { return runtime::Executor::Current().Now(); }

// Between two looks at a replica of which nothing is heard.
constexpr Duration kLook = std::chrono::milliseconds(5);

ShardMachine& MachineOf(const GroupPtr& group) {
  return static_cast<ShardMachine&>(group->state_machine());
}

// Up to where all of the ranges are safe.
Timestamp SafeTime(const GroupPtr& group, const std::vector<KeyRange>& ranges) {
  const Timestamp paxos_safe = group->PaxosSafeTime();
  Timestamp safe = paxos_safe;
  for (const KeyRange& range : ranges) {
    safe = std::min(safe, MachineOf(group).SafeTime(range, paxos_safe));
  }
  return safe;
}

// The timestamp of the last commit in any of the ranges (LastTS); none if something is prepared.
std::optional<Timestamp> LastCommit(const GroupPtr& group, const std::vector<KeyRange>& ranges) {
  Timestamp last = Timestamp::Min();
  for (const KeyRange& range : ranges) {
    const std::optional<Timestamp> one = MachineOf(group).LastCommit(range);
    if (!one) return std::nullopt;
    last = std::max(last, *one);
  }
  return last;
}

// Whether another node may have taken `at` for its Now().latest. What is later is not promised yet:
// all commits would have to wait for it.
bool MayBeNow(const truetime::TrueTime& truetime, Timestamp at) {
  const truetime::Interval now = truetime.Now();
  return at <= now.latest + (now.latest - now.earliest);
}

// Waits until the ranges are safe at `at`, or the time is up.
Task<void> WaitUntilSafe(truetime::TrueTime* truetime, GroupPtr group, std::vector<KeyRange> ranges,
                         Timestamp at, Duration wait_max) {
  const MonotonicTime end = Now() + wait_max;
  while (SafeTime(group, ranges) < at && Now() < end && !group->ended()) {
    // Whoever leads can promise it at once.
    if (group->leading() && MayBeNow(*truetime, at)) group->Pin(at).IgnoreError();
    if (SafeTime(group, ranges) >= at) co_return;
    if (!(co_await group->WaitForChange(std::min(end, Now() + kLook))).ok()) co_return;
  }
}

}  // namespace

bool ReplicaReads::Has(GroupId group) const {
  return host_ != nullptr && host_->FindGroup(group) != nullptr;
}

bool ReplicaReads::Leads(GroupId group) const {
  const GroupPtr here = host_ == nullptr ? nullptr : host_->FindGroup(group);
  return here != nullptr && here->leading().has_value();
}

Task<absl::StatusOr<ReplicaRows>> ReplicaReads::Read(ReplicaRead read) {
  const GroupPtr group = host_ == nullptr ? nullptr : host_->FindGroup(read.group);
  if (group == nullptr) co_return ToStatus(Translate(paxos::NoSuchGroup(read.group)));
  absl::StatusOr<ReplicaRows> rows = co_await ReadIn(group, std::move(read));
  const runtime::NodeId leader = group->leader_node().value_or(runtime::NodeId());
  if (rows.ok()) {
    rows->leader = leader;
    co_return rows;
  }
  Refusal refusal = Translate(rows.status());
  if (refusal.kind == Refusal::Kind::kNotSafeYet) refusal.leader = leader;
  co_return ToStatus(refusal);
}

absl::StatusOr<Timestamp> ReplicaReads::ChooseNewest(const GroupPtr& group,
                                                     const std::vector<KeyRange>& ranges) {
  // A commit under way may have its timestamp by now, and another one that has a higher one may be
  // acknowledged already: so a read that misses the first must not be placed before the second.
  const bool under_way = commits_under_way_ != nullptr &&
                         std::any_of(ranges.begin(), ranges.end(), [&](const KeyRange& range) {
                           return commits_under_way_(group->id(), range);
                         });
  const std::optional<Timestamp> last = LastCommit(group, ranges);
  if (last && !under_way) return *last;
  const Timestamp latest = truetime_.Now().latest;
  if (const absl::Status safe = truetime_.CheckSafe(); !safe.ok()) {
    return Refuse(Refusal::Kind::kNotNow, safe.message());
  }
  return latest;
}

Task<absl::StatusOr<ReplicaRows>> ReplicaReads::ReadIn(GroupPtr group, ReplicaRead read) {
  const std::vector<KeyRange> ranges = read.wanted.ranges();
  Timestamp at = read.timestamp;
  std::optional<paxos::Ballot> ballot;
  if (read.at == ReplicaRead::At::kNewest) {
    CO_ASSIGN_OR_RETURN(ballot, co_await group->ReadBarrier());
    CO_ASSIGN_OR_RETURN(at, ChooseNewest(group, ranges));
  } else if (read.at == ReplicaRead::At::kAtLeast) {
    at = std::max(at, SafeTime(group, ranges));
  }
  co_await WaitUntilSafe(&truetime_, group, ranges, at, read.wait_max);
  CO_ASSIGN_OR_RETURN(ShardRead rows, MachineOf(group).NewRead(ranges, at, group->PaxosSafeTime()));
  const Timestamp safe = SafeTime(group, ranges);
  CO_ASSIGN_OR_RETURN(RowsFound found, co_await ReadRows(&world_.blocking(), std::move(rows),
                                                         std::move(read.wanted)));
  // PX-STALL: the newest is only what a leader has.
  if (ballot) CO_RETURN_IF_ERROR(group->CheckLease(*ballot));
  co_return ReplicaRows{.timestamp = at, .found = std::move(found), .safe_time = safe};
}

}  // namespace txn

#include "txn/gateway_core.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"
#include "runtime/deadline.h"
#include "runtime/random.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "txn/read_write.h"
#include "txn/wire.h"

namespace txn {

using runtime::Duration;
using runtime::Executor;
using runtime::Task;
using runtime::Timestamp;
using runtime::operator""ns;
using storage::GroupId;

namespace {

// How exactly the time between keep-alives is kept.
constexpr int kLooksPerKeepAlive = 4;

// A gateway that starts again begins anywhere: no two of its lives give the same number, but for one
// chance in 2^62.
uint64_t FirstSequence(runtime::World* world) { return world->random().Next() >> 2; }

}  // namespace

GatewayCore::GatewayCore(runtime::World* world, truetime::TrueTime* truetime, ShardMap* map,
                         ShardServer* local, GatewayOptions options)
    : world_(*world),
      truetime_(*truetime),
      map_(*map),
      options_(options),
      caller_(world, map,
              {.attempt_max = options.attempt_max,
               .backoff_min = options.backoff_min,
               .backoff_max = options.backoff_max}),
      replicas_(world, truetime, map, &caller_, local == nullptr ? nullptr : &local->reads(),
                options),
      last_sequence_(FirstSequence(world)),
      releases_(Executor::Current()),
      upkeep_(Executor::Current()) {
  upkeep_.Spawn(KeepAlives());
}

Task<void> GatewayCore::Close() {
  CHECK(open_.empty()) << "transactions outlive their gateway";
  co_await upkeep_.Close();
  co_await releases_.Join();
}

absl::StatusOr<Timestamp> GatewayCore::NowLatest() const {
  const Timestamp latest = truetime_.Now().latest;
  // PX-STALL: what was taken before is good if this says so after it.
  RETURN_IF_ERROR(truetime_.CheckSafe());
  return latest;
}

Task<absl::StatusOr<Outcome>> GatewayCore::Conclude(TransactionId id, GroupId coordinator,
                                                    std::string give_up, MonotonicTime deadline) {
  proto::ConcludeRequest request;
  wire::Encode(id, request.mutable_id());
  request.set_give_up(std::move(give_up));
  CO_ASSIGN_OR_RETURN(const proto::ConcludeReply reply,
                      co_await caller_.Call(kConclude, coordinator, std::move(request), deadline));
  co_return wire::Decode(reply.outcome());
}

Task<absl::Status> GatewayCore::Refresh(GroupId group, absl::Status wrong_range,
                                        MonotonicTime deadline) {
  const std::optional<Refusal> refusal = RefusalOf(wrong_range);
  const uint64_t generation = refusal ? refusal->shard.generation : 0;
  co_return co_await runtime::WithDeadline(deadline, map_.Refresh(group, generation));
}

// --- Transactions ---

runtime::Task<absl::Status> GatewayCore::WaitUntilAfter(Timestamp time, MonotonicTime deadline) {
  const absl::Status waited =
      co_await runtime::WithDeadline(deadline, truetime_.WaitUntilAfter(time));
  if (waited.ok()) co_return waited;
  co_return Refuse(Refusal::Kind::kNotNow, waited.message());
}

TransactionId GatewayCore::NewId(absl::Status* refused) {
  TransactionId id{last_begun_, world_.node(), ++last_sequence_};
  if (open_.size() >= options_.transactions_max) {
    *refused = absl::ResourceExhaustedError(absl::StrCat("node ", world_.node().value(), " has ",
                                                         open_.size(),
                                                         " transactions open, as many as it may"));
    return id;
  }
  const absl::StatusOr<Timestamp> now = NowLatest();
  *refused = now.status();
  if (now.ok()) id.begun = last_begun_ = std::max(*now, last_begun_ + 1ns);
  return id;
}

void GatewayCore::Add(ReadWrite* transaction) { open_.emplace(transaction->id(), transaction); }

void GatewayCore::Remove(ReadWrite* transaction) { open_.erase(transaction->id()); }

// --- In the background ---

void GatewayCore::Release(const TransactionId& id, const std::vector<GroupId>& groups) {
  if (Executor::Current().crashing()) return;
  for (const GroupId group : groups) {
    // What is not released is freed when it has been silent for long enough.
    if (releases_.size() < options_.transactions_max) releases_.Spawn(SendRelease(id, group));
  }
}

Task<void> GatewayCore::SendRelease(TransactionId id, GroupId group) {
  proto::ReleaseRequest request;
  wire::Encode(id, request.mutable_id());
  (co_await caller_.Call(kRelease, group, std::move(request), Now() + options_.attempt_max))
      .status()
      .IgnoreError();
}

Task<void> GatewayCore::KeepAlives() {
  while ((co_await runtime::SleepFor(options_.keep_alive_every / kLooksPerKeepAlive)).ok()) {
    const MonotonicTime now = Now();
    for (const auto& [id, transaction] : open_) transaction->KeepAlive(now);
  }
}

void GatewayCore::KeepAlive(const TransactionId& id, GroupId group,
                            proto::KeepAliveRequest request) {
  upkeep_.Spawn(SendKeepAlive(id, group, std::move(request)));
}

Task<void> GatewayCore::SendKeepAlive(TransactionId id, GroupId group,
                                      proto::KeepAliveRequest request) {
  const absl::Status kept = (co_await caller_.Call(kKeepAlive, group, std::move(request),
                                                   Now() + options_.keep_alive_every))
                                .status();
  if (const auto found = open_.find(id); found != open_.end()) {
    found->second->KeptAlive(group, kept);
  }
}

}  // namespace txn

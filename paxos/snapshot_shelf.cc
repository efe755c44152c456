#include "paxos/snapshot_shelf.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "paxos/instruments.h"
#include "paxos/paxos.pb.h"
#include "paxos/records.h"
#include "runtime/blocking.h"
#include "runtime/executor.h"
#include "runtime/random.h"
#include "runtime/status_macros.h"
#include "runtime/world.h"
#include "storage/range_snapshot.h"
#include "storage/store.h"

namespace paxos {

namespace wire = ::isochron::paxos;

struct SnapshotShelf::Given {
  storage::GroupId group;
  runtime::NodeId asker;
  Slot slot;
  storage::SnapshotReader reader;
  bool reading = false;
};

SnapshotShelf::SnapshotShelf(GroupHome* home) : home_(*home) {}
SnapshotShelf::~SnapshotShelf() = default;

runtime::Task<absl::StatusOr<wire::FetchSnapshotReply>> SnapshotShelf::Serve(
    runtime::NodeId asker, wire::FetchSnapshotRequest request) {
  if (request.done()) {
    given_.erase(request.snapshot());
    co_return wire::FetchSnapshotReply();
  }
  std::shared_ptr<Given> given;
  if (request.snapshot() == 0) {
    CO_ASSIGN_OR_RETURN(given, Begin(asker, request));
  } else if (const auto found = given_.find(request.snapshot()); found != given_.end()) {
    given = found->second;
  }
  if (given == nullptr || given->group != storage::GroupId(request.group())) {
    co_return absl::NotFoundError(absl::StrCat("there is no snapshot ", request.snapshot()));
  }
  // A repeated call has come before the first one ended.
  if (std::exchange(given->reading, true)) co_return absl::UnavailableError("it is being read");
  given->reader.Used(runtime::Executor::Current().Now());
  absl::StatusOr<std::string> chunk = co_await runtime::RunBlocking(
      &home_.world().blocking(),
      [given, token = request.resume_token()] { return given->reader.ReadChunk(token); });
  given->reading = false;
  given->reader.Used(runtime::Executor::Current().Now());
  CO_RETURN_IF_ERROR(chunk.status());
  wire::FetchSnapshotReply reply;
  reply.set_snapshot(given->reader.id());
  reply.set_chunk(*std::move(chunk));
  reply.set_applied(given->reader.applied());
  co_return reply;
}

absl::StatusOr<std::shared_ptr<SnapshotShelf::Given>> SnapshotShelf::Begin(
    runtime::NodeId asker, const wire::FetchSnapshotRequest& request) {
  const storage::GroupId group(request.group());
  if (!MakeRoom(group, asker)) {
    return absl::ResourceExhaustedError("as many snapshots as may be are being given");
  }
  storage::Store* const store = home_.store();
  if (store == nullptr) return absl::UnavailableError("the store is being replaced");
  ASSIGN_OR_RETURN(storage::View view, store->NewView(group));
  ASSIGN_OR_RETURN(const std::optional<std::string> applied, view.Applied());
  if (!applied) return absl::FailedPreconditionError("nothing is applied here");
  ASSIGN_OR_RETURN(const AppliedState state, DecodeAppliedState(*applied));
  if (state.slot.value() < request.not_before()) {
    return absl::FailedPreconditionError("what is applied here is too old");
  }
  // 0 asks for a new one.
  const uint64_t id = home_.world().random().Next() | 1;
  ASSIGN_OR_RETURN(storage::SnapshotReader reader,
                   storage::SnapshotReader::Create(
                       std::move(view), state.range, id,
                       {.chunk_bytes_max = home_.options().snapshot_chunk_bytes_max}));
  auto given = std::make_shared<Given>(Given{group, asker, state.slot, std::move(reader)});
  given_[id] = given;
  home_.instruments().snapshots_given.Add();
  return given;
}

bool SnapshotShelf::MakeRoom(storage::GroupId group, runtime::NodeId asker) {
  std::erase_if(given_, [&](const auto& one) {
    return one.second->group == group && one.second->asker == asker;
  });
  const HostOptions& options = home_.options();
  if (given_.size() < options.snapshots_out_max) return true;
  // Who still wants one has asked again by then, even if an answer was lost.
  DropUnused(options.chunk_timeout() + options.call_timeout);
  return given_.size() < options.snapshots_out_max;
}

void SnapshotShelf::Used(storage::GroupId group, runtime::NodeId asker) {
  for (const auto& [id, given] : given_) {
    if (given->group != group || given->asker != asker) continue;
    given->reader.Used(runtime::Executor::Current().Now());
  }
}

std::optional<Slot> SnapshotShelf::OldestGiven(storage::GroupId group) const {
  std::optional<Slot> oldest;
  for (const auto& [id, given] : given_) {
    if (given->group == group) oldest = std::min(oldest.value_or(given->slot), given->slot);
  }
  return oldest;
}

void SnapshotShelf::DropIdle() { DropUnused(home_.options().snapshot_idle_max); }

void SnapshotShelf::DropUnused(Duration at_least) {
  const MonotonicTime now = runtime::Executor::Current().Now();
  std::erase_if(given_, [&](const auto& one) {
    const Given& given = *one.second;
    return !given.reading && now - given.reader.last_used() > at_least;
  });
}

}  // namespace paxos

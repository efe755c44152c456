#include "txn/leader_locks.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"
#include "runtime/deadline.h"
#include "runtime/event.h"
#include "runtime/executor.h"
#include "txn/refusal.h"

namespace txn {

using paxos::Ballot;
using runtime::Duration;
using runtime::MonotonicTime;
using runtime::Task;

namespace {

MonotonicTime Now() { return runtime::Executor::Current().Now(); }

Task<absl::Status> WaitFor(runtime::Event* event) { co_return co_await event->Wait(); }

}  // namespace

struct LeaderLocks::Waiting {
  enum class End : uint8_t { kNot, kGranted, kRefused, kBallotOver };

  Waiting(std::map<RequestId, Waiting*>* all, RequestId request) : others(*all), id(request) {
    others.emplace(id, this);
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() { others.erase(id); }

  void Set(End how) {
    end = how;
    ended.Set();
  }

  std::map<RequestId, Waiting*>& others;
  const RequestId id;
  End end = End::kNot;
  runtime::Event ended;
};

LeaderLocks::LeaderLocks(storage::GroupId group, LockTableOptions options, KeyPrinter print_keys)
    : group_(group), options_(options), print_keys_(std::move(print_keys)) {}

void LeaderLocks::Begin(Ballot ballot,
                        const std::map<TransactionId, PreparedTable::Entry>& prepared) {
  End();
  ballot_ = ballot;
  table_.emplace(options_);
  for (const auto& [id, entry] : prepared) {
    table_->Restore(id, entry->age, ExclusiveRanges(*entry), Now());
  }
  PassOnEffects();
}

void LeaderLocks::End() {
  ballot_.reset();
  table_.reset();
  for (const auto& [request, waiting] : waiting_) waiting->Set(Waiting::End::kBallotOver);
}

Task<absl::StatusOr<Duration>> LeaderLocks::Acquire(TransactionId id, Age age,
                                                    std::vector<Lock> wants, Duration wait_max) {
  const RequestId request(++last_request_);
  const Ballot ballot = *ballot_;
  const MonotonicTime begin = Now();
  const LockAnswer answer = table_->Acquire(request, id, age, std::move(wants), begin);
  PassOnEffects();
  switch (answer) {
    case LockAnswer::kGranted:
      co_return Duration(0);
    case LockAnswer::kWaits:
      break;
    case LockAnswer::kWounded:
      co_return Lost(id);
    case LockAnswer::kPrepared:
      co_return Refuse(Refusal::Kind::kInvalid,
                       absl::StrCat("transaction ", ToText(id), " commits already"));
    case LockAnswer::kOverloaded:
      co_return Refuse(Refusal::Kind::kOverloaded,
                       absl::StrCat("the lock table of group ", group_.value(), " is full"));
  }
  Waiting waiting(&waiting_, request);
  const absl::Status waited = co_await runtime::WithTimeout(wait_max, WaitFor(&waiting.ended));
  if (waiting.end == Waiting::End::kBallotOver || ballot_ != ballot) {
    co_return Refuse(Refusal::Kind::kNotLeader,
                     absl::StrCat("group ", group_.value(), " changed its leader"));
  }
  if (waiting.end == Waiting::End::kRefused) co_return Lost(id);
  if (waiting.end == Waiting::End::kNot) {
    const absl::Status given_up = GiveUp(request);
    co_return absl::IsDeadlineExceeded(waited) ? given_up : waited;
  }
  co_return Now() - begin;
}

absl::Status LeaderLocks::GiveUp(RequestId request) {
  const std::optional<LockConflict> conflict = table_->CancelRequest(request, Now());
  CHECK(conflict) << "a request that nobody ended waits";
  PassOnEffects();
  return Aborted(*conflict);
}

absl::Status LeaderLocks::Lost(const TransactionId& id) const {
  absl::Status wounded = CheckNotWounded(id);
  if (!wounded.ok()) return wounded;
  return Refuse(Refusal::Kind::kAborted,
                absl::StrCat("transaction ", ToText(id), " ended while it waited for a lock"));
}

absl::Status LeaderLocks::MarkPrepared(const TransactionId& id) {
  const absl::Status wounded = CheckNotWounded(id);
  if (!wounded.ok() || table_->MarkPrepared(id)) return wounded;
  return Refuse(Refusal::Kind::kInvalid,
                absl::StrCat("transaction ", ToText(id), " waits for a lock, or holds none"));
}

void LeaderLocks::Release(const TransactionId& id) {
  table_->Release(id, Now());
  PassOnEffects();
}

absl::Status LeaderLocks::CheckNotWounded(const TransactionId& id) const {
  const LockConflict* const conflict = table_->WoundOf(id);
  return conflict == nullptr ? absl::OkStatus() : Aborted(*conflict);
}

absl::Status LeaderLocks::Aborted(const LockConflict& conflict) const {
  return Refuse(Refusal::Kind::kAborted, Explain(conflict, print_keys_));
}

void LeaderLocks::PassOnEffects() {
  const LockEffects effects = table_->TakeEffects();
  for (const LockEffects::Ended& ended : effects.ended) {
    const auto found = waiting_.find(ended.request);
    if (found != waiting_.end()) found->second->Set(Waiting::End::kRefused);
  }
  for (const RequestId request : effects.granted) {
    const auto found = waiting_.find(request);
    if (found != waiting_.end()) found->second->Set(Waiting::End::kGranted);
  }
}

}  // namespace txn

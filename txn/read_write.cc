// The transaction while it is open. read_write_commit.cc is how it commits.
#include "txn/read_write.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/executor.h"
#include "runtime/status_macros.h"
#include "txn/first_error.h"
#include "txn/kernel/lock_conflict.h"
#include "txn/page_maker.h"
#include "txn/refusal.h"
#include "txn/session_errors.h"

namespace txn {

using runtime::Task;
using runtime::Timestamp;
using storage::GroupId;

ReadWrite::ReadWrite(GatewayCore* core, TransactionId id, Age age, absl::Status refused)
    : core_(*core), id_(id), age_(age), writes_(core->options().write_bytes_max) {
  if (refused.ok()) {
    core_.Add(this);
  } else {
    state_ = State::kEnded;
    end_ = std::move(refused);
  }
}

ReadWrite::~ReadWrite() {
  if (state_ == State::kOpen) ReleaseAllBut({});
  if (state_ != State::kEnded) core_.Remove(this);
}

absl::Status ReadWrite::CheckOpen() const {
  if (state_ == State::kOpen) return absl::OkStatus();
  return state_ == State::kEnded ? end_
                                 : absl::FailedPreconditionError("the transaction commits already");
}

absl::Status ReadWrite::Fail(const absl::Status& error, const Plan& kept) {
  if (state_ == State::kEnded) return end_;
  ReleaseAllBut(kept);
  End(State::kEnded, TransactionError(error));
  return end_;
}

void ReadWrite::End(State state, absl::Status end) {
  if (state == State::kEnded && state_ != State::kEnded) core_.Remove(this);
  state_ = state;
  end_ = std::move(end);
}

void ReadWrite::ReleaseAllBut(const Plan& kept) {
  Groups groups;
  for (const auto& [group, known] : ledger_.groups()) {
    if (!kept.contains(group)) groups.push_back(group);
  }
  core_.Release(id_, groups);
}

Task<void> ReadWrite::Rollback() {
  if (state_ == State::kOpen) {
    ReleaseAllBut({});
    End(State::kEnded, absl::FailedPreconditionError("the transaction was rolled back"));
  }
  co_return;
}

// --- Keep-alives ---

void ReadWrite::KeepAlive(MonotonicTime now) {
  for (auto& [group, known] : ledger_.groups()) {
    const bool due = now - known.heard_at >= core_.options().keep_alive_every;
    if (!known.ballot || known.telling || !due) continue;
    known.telling = true;
    proto::KeepAliveRequest request;
    SignRequest(group, &request);
    core_.KeepAlive(id_, group, std::move(request));
  }
}

void ReadWrite::KeptAlive(GroupId group, const absl::Status& kept) {
  LockLedger::Group& known = ledger_.At(group);
  known.telling = false;
  if (kept.ok()) known.heard_at = GatewayCore::Now();
  // A commit finds out by itself, and may have ended there meanwhile.
  if (state_ == State::kOpen && absl::IsAborted(kept)) Fail(kept).IgnoreError();
}

// --- Reads ---

Task<absl::StatusOr<Values>> ReadWrite::Get(std::vector<Key> keys, LockMode mode) {
  CO_RETURN_IF_ERROR(CheckOpen());
  std::set<Key> wanted;
  for (const Key& key : keys) {
    // What it wrote itself is no news, and will be locked.
    if (mode != LockMode::kShared || writes_.Find(key) == nullptr) wanted.insert(key);
  }
  Rows rows;
  const absl::Status fetched = co_await Fetch(std::move(wanted), mode, core_.Deadline(), &rows);
  if (!fetched.ok()) co_return Fail(fetched);
  CO_RETURN_IF_ERROR(CheckOpen());
  Values values;
  values.reserve(keys.size());
  for (const Key& key : keys) {
    const WriteBuffer::Value* const own = writes_.Find(key);
    values.push_back(own != nullptr ? *own : rows.at(key));
  }
  co_return values;
}

Task<absl::Status> ReadWrite::Fetch(std::set<Key> keys, LockMode mode, MonotonicTime deadline,
                                    Rows* rows) {
  while (!keys.empty()) {
    std::map<GroupId, std::vector<Key>> split;
    for (const Key& key : keys) {
      const std::optional<ShardLocation> location = core_.map().Find(key);
      if (!location) co_return NoShard(PointRange(key));
      split[location->group].push_back(key);
    }
    Groups wrong;
    std::vector<Task<absl::Status>> tasks;
    for (auto& [group, its_keys] : split) {
      tasks.push_back(FetchFrom(group, its_keys, mode, deadline, rows, &wrong));
    }
    CO_RETURN_IF_ERROR(co_await AllOrFirstError(std::move(tasks)));
    for (const auto& [group, its_keys] : split) {
      if (std::find(wrong.begin(), wrong.end(), group) != wrong.end()) continue;
      for (const Key& key : its_keys) keys.erase(key);
    }
  }
  co_return absl::OkStatus();
}

Task<absl::Status> ReadWrite::FetchFrom(GroupId group, std::vector<Key> keys, LockMode mode,
                                        MonotonicTime deadline, Rows* rows, Groups* wrong) {
  proto::AccessRequest request;
  std::vector<Lock> locks;
  for (const Key& key : keys) {
    request.add_get(key);
    locks.push_back({PointRange(key), mode});
  }
  absl::StatusOr<proto::AccessReply> reply =
      co_await Access(group, std::move(request), std::move(locks), deadline);
  if (IsWrongRange(reply.status())) {
    wrong->push_back(group);
    co_return co_await Moved(group, reply.status(), deadline);
  }
  CO_RETURN_IF_ERROR(reply.status());
  if (static_cast<size_t>(reply->cells_size()) != keys.size()) {
    co_return absl::DataLossError("a shard answered other keys than were asked for");
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    proto::Cell& cell = *reply->mutable_cells(static_cast<int>(i));
    std::optional<std::string>& value = (*rows)[std::move(keys[i])];
    if (cell.has_value()) value = std::move(*cell.mutable_value());
  }
  co_return absl::OkStatus();
}

Task<absl::StatusOr<ScanPage>> ReadWrite::Scan(ScanQuery query, LockMode mode) {
  CO_RETURN_IF_ERROR(CheckOpen());
  const MonotonicTime deadline = core_.Deadline();
  PageMaker page(query, &writes_);
  while (!page.done()) {
    const std::optional<ShardLocation> location = page.backward()
                                                      ? core_.map().FindBelow(page.left().end)
                                                      : core_.map().Find(page.left().start);
    if (!location) co_return Fail(NoShard(page.left()));
    const KeyRange stretch = Intersection(page.left(), location->range);
    proto::AccessRequest request;
    wire::Encode({.range = stretch,
                  .backward = query.backward,
                  .rows_max = page.rows_wanted(),
                  .bytes_max = page.bytes_wanted()},
                 request.mutable_scan());
    absl::StatusOr<proto::AccessReply> reply =
        co_await Access(location->group, std::move(request), {{stretch, mode}}, deadline);
    if (IsWrongRange(reply.status())) {
      const absl::Status moved = co_await Moved(location->group, reply.status(), deadline);
      if (!moved.ok()) co_return Fail(moved);
      continue;
    }
    if (!reply.ok()) co_return Fail(reply.status());
    CO_RETURN_IF_ERROR(CheckOpen());
    std::vector<ScannedRow> rows;
    rows.reserve(static_cast<size_t>(reply->cells_size()));
    for (proto::Cell& cell : *reply->mutable_cells()) {
      rows.push_back({std::move(*cell.mutable_key()), std::move(*cell.mutable_value())});
    }
    std::optional<KeyRange> rest;
    if (reply->has_rest()) rest = wire::Decode(reply->rest());
    page.Add(stretch, std::move(rows), rest);
  }
  co_return page.Take();
}

Task<absl::StatusOr<proto::AccessReply>> ReadWrite::Access(GroupId group,
                                                           proto::AccessRequest request,
                                                           std::vector<Lock> locks,
                                                           MonotonicTime deadline) {
  ledger_.At(group);
  locks = ledger_.Missing(group, std::move(locks));
  SignRequest(group, &request);
  wire::Encode(locks, request.mutable_locks());
  absl::StatusOr<proto::AccessReply> reply =
      co_await core_.caller().Call(kAccess, group, std::move(request), deadline);
  if (reply.ok()) ledger_.Granted(group, locks, reply->ballot(), GatewayCore::Now());
  co_return reply;
}

Task<absl::Status> ReadWrite::Moved(GroupId group, absl::Status wrong_range,
                                    MonotonicTime deadline) {
  CO_RETURN_IF_ERROR(co_await core_.Refresh(group, wrong_range, deadline));
  if (!ledger_.Holds(group)) co_return absl::OkStatus();
  co_return Refuse(Refusal::Kind::kAborted,
                   absl::StrCat("transaction ", ToText(id_),
                                " was aborted since keys that it had locked were moved: ",
                                std::string(wrong_range.message())));
}

// --- Writes ---

absl::Status ReadWrite::Put(Key key, std::string value) {
  RETURN_IF_ERROR(CheckOpen());
  return writes_.Set(std::move(key), std::move(value));
}

absl::Status ReadWrite::Delete(Key key) {
  RETURN_IF_ERROR(CheckOpen());
  return writes_.Set(std::move(key), std::nullopt);
}

}  // namespace txn

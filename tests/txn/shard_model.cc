#include "tests/txn/shard_model.h"

#include <algorithm>

namespace txn {
namespace {

using Kind = CommandResult::Kind;

CommandResult Of(const Outcome& outcome) {
  if (outcome.committed) return {.kind = Kind::kCommitted, .timestamp = *outcome.committed};
  return {.kind = Kind::kAborted};
}

}  // namespace

bool ShardModel::IsPrepared(const Key& key) const {
  for (const auto& [id, one] : prepared) {
    for (const Write& write : one.writes) {
      if (write.key == key) return true;
    }
  }
  return false;
}

std::optional<CommandResult> ShardModel::Known(const TransactionId& id) const {
  if (const auto at = prepared.find(id); at != prepared.end()) {
    return CommandResult{
        .kind = Kind::kPrepared, .already = true, .timestamp = at->second.timestamp};
  }
  if (const auto at = outcomes.find(id); at != outcomes.end()) {
    CommandResult result = Of(at->second);
    result.already = true;
    return result;
  }
  if (TooOld(id)) return CommandResult{.kind = Kind::kTooOld};
  return std::nullopt;
}

bool ShardModel::Outside(const std::vector<Write>& writes) const {
  return std::ranges::any_of(
      writes, [&](const Write& write) { return !descriptor_.range.Contains(write.key); });
}

CommandResult ShardModel::Refuse() const {
  return {.kind = Kind::kWrongRange, .descriptor = descriptor_};
}

void ShardModel::WriteAll(const std::vector<Write>& writes, Timestamp s) {
  for (const Write& write : writes) rows[write.key][s] = write.value;
}

CommandResult ShardModel::Do(const Commit& commit, Timestamp t) {
  if (const auto known = Known(commit.id)) return *known;
  if (Outside(commit.writes)) return Refuse();
  const bool in_time = t <= commit.valid_through;
  if (in_time) WriteAll(commit.writes, t);
  outcomes[commit.id] = in_time ? Outcome::Committed(t) : Outcome::Aborted("");
  return Of(outcomes[commit.id]);
}

CommandResult ShardModel::Do(const Prepare& prepare, Timestamp t) {
  if (const auto known = Known(prepare.id)) return *known;
  if (Outside(prepare.writes)) return Refuse();
  prepared[prepare.id] = {.id = prepare.id,
                          .age = prepare.age,
                          .timestamp = t,
                          .coordinator = prepare.coordinator,
                          .writes = prepare.writes,
                          .locks = prepare.locks};
  return {.kind = Kind::kPrepared, .timestamp = t};
}

CommandResult ShardModel::Do(const Decide& decide, Timestamp t) {
  if (const auto known = Known(decide.id)) return *known;
  if (Outside(decide.writes)) return Refuse();
  const bool commits = t <= decide.valid_through && t >= decide.prepared_at_most;
  if (commits) WriteAll(decide.writes, t);
  outcomes[decide.id] = commits ? Outcome::Committed(t) : Outcome::Aborted("");
  if (!decide.participants.empty()) waiting[decide.id] = decide.participants;
  return Of(outcomes[decide.id]);
}

CommandResult ShardModel::Do(const Abort& abort, Timestamp) {
  if (const auto known = Known(abort.id)) return *known;
  outcomes[abort.id] = Outcome::Aborted("");
  if (!abort.participants.empty()) waiting[abort.id] = abort.participants;
  return Of(outcomes[abort.id]);
}

CommandResult ShardModel::Do(const Resolve& resolve, Timestamp) {
  const auto at = prepared.find(resolve.id);
  if (at == prepared.end()) {
    if (const auto known = Known(resolve.id)) return *known;
  } else {
    if (resolve.outcome.committed) WriteAll(at->second.writes, *resolve.outcome.committed);
    prepared.erase(at);
  }
  if (!TooOld(resolve.id)) outcomes[resolve.id] = resolve.outcome;
  return Of(resolve.outcome);
}

CommandResult ShardModel::Do(const Forget& forget, Timestamp) {
  for (const TransactionId& id : forget.ids) {
    if (waiting.erase(id) == 1 && TooOld(id)) outcomes.erase(id);
  }
  return {};
}

CommandResult ShardModel::Do(const Trim& trim, Timestamp) {
  forgotten_before = std::max(forgotten_before, trim.forget_begun_before);
  std::erase_if(outcomes,
                [&](const auto& one) { return TooOld(one.first) && !waiting.contains(one.first); });
  return {};
}

}  // namespace txn

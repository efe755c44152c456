#include "tests/txn/shard_walk.h"

#include <algorithm>
#include <set>
#include <sstream>

namespace txn {
namespace {

using Kind = CommandResult::Kind;
using runtime::operator""ns;

constexpr int kKeys = 12;
constexpr int kIds = 16;
constexpr Timestamp kUnbounded = Timestamp::Max();

// The model knows nothing of reasons.
CommandResult WithoutReason(CommandResult result) {
  result.why.clear();
  return result;
}

std::string RuleOf(const CommandResult& a, const CommandResult& b) {
  const auto either = [&](Kind kind) { return a.kind == kind || b.kind == kind; };
  if (either(Kind::kPrepared)) return "TX-2PC";
  if (a.already == b.already && !either(Kind::kTooOld)) return "TX-READ-GUARD";
  return "TX-ONCE";
}

}  // namespace

ShardWalk::ShardWalk(uint64_t seed)
    : random_(seed),
      descriptor_{.range = {"b", "l"}, .generation = 4},
      model_(descriptor_),
      // Some outcomes are in memory, or hardly any, or all.
      first_{ShardReplica(seed * 2, descriptor_, static_cast<size_t>(random_.Uniform(0, 6))), {}},
      second_{ShardReplica(seed * 2 + 1, descriptor_), {}} {}

std::string ShardWalk::Run(int steps) {
  std::string wrong;
  for (int step = 0; step < steps && wrong.empty(); ++step) {
    now_ = now_ + runtime::Duration(random_.Uniform(1, 20));
    const ShardCommand command = SomeCommand();
    const CommandResult result = WithoutReason(model_.Apply(command, now_));
    if (!result.already) {
      committed += result.kind == Kind::kCommitted;
      aborted += result.kind == Kind::kAborted;
      prepared += result.kind == Kind::kPrepared;
      forgotten += result.kind == Kind::kTooOld;
    }
    for (Replica* const replica : {&first_, &second_}) {
      replica->shard.Choose(command, now_);
      replica->expected.push_back(result);
      if (wrong.empty() && random_.Chance(0.4)) {
        wrong = Apply(replica, static_cast<size_t>(random_.Uniform(1, 8)));
      }
      if (random_.Chance(0.03)) replica->shard.Restore();
    }
    if (random_.Chance(0.01)) second_.shard.Crash();
    if (!wrong.empty()) wrong += " in step " + std::to_string(step);
  }
  for (Replica* const replica : {&first_, &second_}) {
    if (wrong.empty()) wrong = Apply(replica, replica->shard.chosen());
    if (wrong.empty()) wrong = Compare(replica);
    if (wrong.empty()) replica->shard.Restore();
    if (wrong.empty()) wrong = Compare(replica);
  }
  if (wrong.empty() && first_.shard.Contents() != second_.shard.Contents()) {
    wrong = "equal state at equal slots: " + first_.shard.Contents() + " and " +
            second_.shard.Contents();
  }
  return wrong;
}

// --- What is drawn ---

TransactionId ShardWalk::SomeId() {
  if (ids_.size() < kIds || random_.Chance(0.1)) {
    // A gateway's clock may be ahead, and a transaction may take long before it commits.
    const int64_t begun = now_.nanoseconds() + random_.Uniform(-300, 100);
    ids_.push_back(IdOf(begun, ids_.size()));
  }
  // Mostly the newest ones.
  const auto last = static_cast<int64_t>(ids_.size()) - 1;
  const int64_t back =
      random_.Chance(0.8) ? random_.Uniform(0, kIds - 1) : random_.Uniform(0, last);
  return ids_[static_cast<size_t>(std::max<int64_t>(0, last - back))];
}

std::vector<Write> ShardWalk::SomeWrites() {
  std::set<Key> keys;
  for (int64_t count = random_.Uniform(0, 3); count > 0; --count) {
    const bool in_range = random_.Chance(0.97);
    keys.insert(Key(1, static_cast<char>(in_range ? 'b' + random_.Uniform(0, 9)
                                                  : 'a' + random_.Uniform(0, kKeys - 1))));
  }
  std::vector<Write> writes;
  for (const Key& key : keys) {
    if (model_.IsPrepared(key)) continue;
    Write& write = writes.emplace_back(Write{.key = key, .value = {}});
    if (random_.Chance(0.8)) write.value = std::to_string(now_.nanoseconds());
  }
  return writes;
}

std::vector<GroupId> ShardWalk::SomeGroups() {
  std::vector<GroupId> groups;
  for (uint64_t group = 1; group <= 3; ++group) {
    if (random_.Chance(0.4)) groups.emplace_back(group);
  }
  return groups;
}

Timestamp ShardWalk::SomeTime() { return now_ + runtime::Duration(random_.Uniform(-3, 10)); }

ShardCommand ShardWalk::SomeResolve() {
  // Mostly of what is prepared.
  TransactionId id = SomeId();
  if (!model_.prepared.empty() && random_.Chance(0.8)) {
    auto at = model_.prepared.begin();
    std::advance(at, random_.Uniform(0, static_cast<int64_t>(model_.prepared.size()) - 1));
    id = at->first;
  }
  if (const auto at = model_.prepared.find(id); at != model_.prepared.end()) {
    if (random_.Chance(0.3)) return Resolve{id, Outcome::Aborted("given up")};
    const int64_t from = at->second.timestamp.nanoseconds();
    return Resolve{id, Outcome::Committed(Timestamp(random_.Uniform(from, now_.nanoseconds())))};
  }
  if (const auto at = model_.outcomes.find(id); at != model_.outcomes.end()) {
    return Resolve{id, at->second};  // Again.
  }
  // Again, of what is forgotten.
  if (model_.TooOld(id) && random_.Chance(0.5)) return Resolve{id, Outcome::Committed(now_)};
  return Resolve{id, Outcome::Aborted("given up")};
}

ShardCommand ShardWalk::SomeCommand() {
  const Timestamp valid_through = random_.Chance(0.8) ? kUnbounded : SomeTime();
  switch (random_.Uniform(0, 9)) {
    case 0:
    case 1:
      return Commit{.id = SomeId(), .writes = SomeWrites(), .valid_through = valid_through};
    case 2:
    case 3:
      return Prepare{.id = SomeId(),
                     .age = Age::Of(IdOf(random_.Uniform(0, 100))),
                     .coordinator = GroupId(2),
                     .writes = SomeWrites()};
    case 4:
      return Decide{.id = SomeId(),
                    .participants = SomeGroups(),
                    .writes = SomeWrites(),
                    .valid_through = valid_through,
                    .prepared_at_most = now_ - runtime::Duration(random_.Uniform(-1, 10))};
    case 5:
      return Abort{.id = SomeId(), .why = "given up", .participants = SomeGroups()};
    case 6:
    case 7:
      return SomeResolve();
    case 8:
      return Forget{{SomeId(), SomeId()}};
    default:
      return Trim{now_ - runtime::Duration(random_.Uniform(1000, 4000))};
  }
}

// --- What is compared ---

std::string ShardWalk::Apply(Replica* replica, size_t count) {
  const size_t from = replica->shard.applied();
  const std::vector<CommandResult> results = replica->shard.ApplyNext(count);
  for (size_t i = 0; i < results.size(); ++i) {
    const CommandResult result = WithoutReason(results[i]);
    const CommandResult& expected = replica->expected[from + i];
    if (result == expected) continue;
    std::ostringstream wrong;
    wrong << RuleOf(result, expected) << ": a command came to '" << result << "', not to '"
          << expected << "'";
    return wrong.str();
  }
  return replica->shard.applied() == replica->shard.chosen() ? Compare(replica) : "";
}

std::string ShardWalk::Compare(Replica* replica) {
  ShardState& state = replica->shard.state();
  std::map<TransactionId, PreparedTransaction> held;
  for (const auto& [id, one] : state.prepared()) held[id] = *one;
  if (held != model_.prepared) return "TX-2PC: other transactions are prepared";
  if (state.outcomes().waiting() != model_.waiting) return "TX-2PC: others wait for outcomes";
  for (const TransactionId& id : ids_) {
    const std::optional<Outcome> outcome = replica->shard.OutcomeOf(id);
    const auto expected = model_.outcomes.find(id);
    if (outcome.has_value() != (expected != model_.outcomes.end()) ||
        (outcome && outcome->committed != expected->second.committed)) {
      return "TX-ONCE: another outcome of " + ToText(id);
    }
  }
  return CompareRows(replica);
}

std::string ShardWalk::CompareRows(Replica* replica) {
  storage::View view = replica->shard.NewView();
  for (int i = 0; i < kKeys; ++i) {
    const Key key(1, static_cast<char>('a' + i));
    std::map<Timestamp, std::optional<std::string>> versions;
    const auto found = view.Versions(key, Timestamp::Max(), 100'000);
    if (!found.ok()) return found.status().ToString();
    for (const storage::Version& one : *found) {
      versions[one.timestamp] = one.value;
    }
    if (versions != model_.rows[key]) return "TX-2PC: other versions of key " + key;
  }
  return "";
}

}  // namespace txn

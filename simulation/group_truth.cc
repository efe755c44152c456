#include "simulation/group_truth.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/simulated/universe.h"

namespace simulation {
namespace {

using runtime::Timestamp;
using storage::Slot;

std::string Show(const paxos::Entry& entry) {
  std::ostringstream text;
  text << entry;
  if (entry.command != nullptr) text << " '" << entry.command->substr(0, 60) << "'";
  return text.str();
}

std::string Show(const RegisterResult& result) {
  return absl::StrCat(result.took_effect ? "done" : "refused", " where ",
                      EncodeValue(result.found));
}

using Version = GroupContents::Version;

// The value that a read at `at` finds.
RegisterValue ValueAt(const std::vector<Version>& versions, Timestamp at) {
  RegisterValue value;
  for (const Version& version : versions) {
    if (version.timestamp <= at) value = version.value;
  }
  return value;
}

// Whether every read at or above `horizon` finds in `held` what it finds in `expected`, and nothing
// is in `held` that was not written. Both oldest first.
bool HoldsEnough(const std::vector<Version>& expected, const std::vector<Version>& held,
                 Timestamp horizon) {
  if (ValueAt(expected, horizon) != ValueAt(held, horizon)) return false;
  auto next = held.begin();
  for (const Version& version : expected) {
    if (next != held.end() && *next == version) {
      ++next;
    } else if (version.timestamp > horizon) {
      return false;
    }
  }
  return next == held.end();
}

}  // namespace

std::vector<Version> GroupContents::Versions(const std::string& key) const {
  const auto found = rows.find(key);
  return found == rows.end() ? std::vector<Version>() : found->second;
}

GroupTruth::GroupTruth(simulated::Universe* universe, storage::GroupId group,
                       paxos::Configuration configuration)
    : universe_(*universe), group_(group), configuration_(std::move(configuration)) {}

void GroupTruth::Fail(absl::string_view rule, absl::string_view what) {
  universe_.Fail(
      absl::StrCat(std::string(rule), ": group ", group_.value(), ": ", std::string(what)));
}

void GroupTruth::Chosen(Slot slot, const paxos::Entry& entry) {
  const auto [known, is_new] = chosen_.try_emplace(slot, entry);
  if (!is_new) {
    if (known->second == entry) return;
    return Fail("PX-ONE-VALUE",
                absl::StrCat("in slot ", slot.value(), " both ", Show(known->second), " and ",
                             Show(entry), " are known to be chosen"));
  }
  for (auto next = chosen_.find(Next(known_through_)); next != chosen_.end();
       next = chosen_.find(Next(known_through_))) {
    known_through_ = next->first;
    Append(next->second);
  }
}

void GroupTruth::Append(const paxos::Entry& entry) {
  const Slot slot = known_through_;
  if (entry.timestamp <= last_timestamp_) {
    Fail("PX-MONOTONE", absl::StrCat("slot ", slot.value(), " has a timestamp ",
                                     (last_timestamp_ - entry.timestamp).count(),
                                     " ns at or below that of the slot before"));
  }
  // Whoever called that safe had not applied this slot: it was not known to be chosen.
  if (entry.timestamp <= promised_) {
    Fail("PX-CEILING", absl::StrCat("slot ", slot.value(), " has a timestamp ",
                                    (promised_ - entry.timestamp).count(),
                                    " ns at or below a time that was called safe"));
  }
  last_timestamp_ = entry.timestamp;
  if (entry.configuration != nullptr) configuration_ = *entry.configuration;
  if (entry.command == nullptr) return;
  ++commands_;
  commands_through_[slot] = commands_;
  const absl::StatusOr<RegisterCommand> command = DecodeCommand(*entry.command);
  if (!command.ok()) {
    return Fail("PX-ONE-VALUE",
                absl::StrCat("slot ", slot.value(), " has what nobody proposed: ", Show(entry)));
  }
  std::vector<TrueVersion>& versions = rows_[command->key];
  RegisterResult result =
      Perform(*command, versions.empty() ? RegisterValue() : versions.back().value);
  if (result.took_effect) versions.push_back({entry.timestamp, slot, command->written});
  const auto [known, is_new] = results_.try_emplace(slot, result);
  if (known->second != result) {
    Fail("PX-PIPELINE", absl::StrCat("slot ", slot.value(), " was applied as ", Show(known->second),
                                     " and is ", Show(result)));
  }
}

void GroupTruth::Applying(absl::string_view who, Slot before, Slot slot, RegisterResult result) {
  if (slot <= before) {
    Fail("PX-PIPELINE",
         absl::StrCat(std::string(who), " applies slot ", slot.value(), " after ", before.value()));
  }
  for (auto skipped = chosen_.upper_bound(before);
       skipped != chosen_.end() && skipped->first < slot; ++skipped) {
    if (skipped->second.command == nullptr) continue;
    Fail("PX-PIPELINE", absl::StrCat(std::string(who), " skips slot ", skipped->first.value(),
                                     " and applies ", slot.value()));
  }
  const auto [known, is_new] = results_.try_emplace(slot, result);
  if (known->second != result) {
    Fail("PX-PIPELINE", absl::StrCat(std::string(who), " applies slot ", slot.value(), " as ",
                                     Show(result), "; it is ", Show(known->second)));
  }
}

void GroupTruth::Promised(absl::string_view who, Slot applied, Timestamp safe) {
  promised_ = std::max(promised_, safe);
  const auto next = chosen_.upper_bound(applied);
  if (next == chosen_.end() || next->first > known_through_ || next->second.timestamp > safe) {
    return;
  }
  Fail("PX-CEILING",
       absl::StrCat(std::string(who), " has applied ", applied.value(),
                    " and calls a time safe that is ", (safe - next->second.timestamp).count(),
                    " ns at or past the slot ", next->first.value()));
}

void GroupTruth::Acknowledged(Slot slot, Timestamp timestamp, const RegisterCommand& command,
                              const RegisterResult& result) {
  const auto chosen = chosen_.find(slot);
  if (chosen == chosen_.end() || chosen->second.timestamp != timestamp ||
      chosen->second.command == nullptr || *chosen->second.command != EncodeCommand(command)) {
    return Fail(
        "PX-DURABLE",
        absl::StrCat("'", EncodeCommand(command), "' was acknowledged in slot ", slot.value(),
                     ", where ", chosen == chosen_.end() ? "nothing" : Show(chosen->second),
                     " is known to be chosen"));
  }
  const auto known = results_.find(slot);
  if (known == results_.end() || known->second != result) {
    Fail("PX-PIPELINE",
         absl::StrCat("a client was told that slot ", slot.value(), " was ", Show(result)));
  }
}

void GroupTruth::ReadNewest(const std::string& key, Timestamp timestamp,
                            const RegisterValue& value) {
  for (const TrueVersion& version : rows_[key]) {
    if (version.timestamp == timestamp && version.value == value) return;
  }
  if (!value.has_value() && timestamp == Timestamp::Min()) return;
  Fail("PX-ONE-VALUE", absl::StrCat("a client read ", EncodeValue(value), " from ", key,
                                    ", which was never written at that timestamp"));
}

void GroupTruth::ReadAt(const std::string& key, Timestamp at, const RegisterValue& value) {
  RegisterValue held;
  for (const TrueVersion& version : rows_[key]) {
    if (version.timestamp <= at) held = version.value;
  }
  if (held == value) return;
  Fail("PX-CEILING", absl::StrCat("a read of ", key, " at a timestamp gave ", EncodeValue(value),
                                  "; at that timestamp it is ", EncodeValue(held)));
}

void GroupTruth::Holds(absl::string_view who, const GroupContents& contents) {
  if (contents.applied > known_through_) {
    return Fail("PX-ONE-VALUE",
                absl::StrCat(std::string(who), " has applied slot ", contents.applied.value(),
                             ", which is not known to be chosen"));
  }
  const GroupContents expected = ContentsAt(contents.applied);
  if (contents.commands != expected.commands) {
    return Fail(
        "equal state at equal slots",
        absl::StrCat(std::string(who), " says at slot ", contents.applied.value(), " that ",
                     contents.commands, " commands were applied; there were ", expected.commands));
  }
  for (const std::string& key : keys()) {
    if (HoldsEnough(expected.Versions(key), contents.Versions(key), contents.horizon)) continue;
    return Fail(
        "equal state at equal slots",
        absl::StrCat(std::string(who), " has ", contents.Versions(key).size(), " versions of ", key,
                     " at slot ", contents.applied.value(), " of the ",
                     expected.Versions(key).size(),
                     " that the log makes, and they are not those that its horizon asks for"));
  }
  for (const auto& [key, versions] : contents.rows) {
    if (expected.rows.contains(key)) continue;
    Fail("equal state at equal slots",
         absl::StrCat(std::string(who), " has a row ", key, " at slot ", contents.applied.value(),
                      " that nobody wrote"));
  }
}

GroupContents GroupTruth::ContentsAt(Slot slot) const {
  GroupContents contents;
  contents.applied = slot;
  const auto after = commands_through_.upper_bound(slot);
  if (after != commands_through_.begin()) contents.commands = std::prev(after)->second;
  for (const auto& [key, versions] : rows_) {
    for (const TrueVersion& version : versions) {
      if (version.slot <= slot) contents.rows[key].push_back({version.timestamp, version.value});
    }
  }
  return contents;
}

std::vector<std::string> GroupTruth::keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, versions] : rows_) keys.push_back(key);
  return keys;
}

}  // namespace simulation

#include "tests/paxos/kernel/story.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "runtime/check.h"

namespace paxos {
namespace {

int64_t Number(const std::string& word) {
  int64_t number = 0;
  CHECK(absl::SimpleAtoi(word, &number)) << "not a number: '" << word << "'";
  return number;
}

std::string When(Timestamp time) {
  return time == Timestamp::Min() ? "never" : std::to_string(time.nanoseconds());
}

// The defaults, with a nanosecond for a millisecond: numbers that a reader can follow.
ReplicaOptions InUnits() {
  ReplicaOptions options;
  options.lease = Duration(3000);
  options.renew_every = Duration(750);
  options.tell_after = Duration(0);
  options.retransmit_after = Duration(100);
  options.candidacy_max = Duration(500);
  options.election_jitter = Duration(100);
  options.fetch_after = Duration(60);
  options.stall_max = Duration(750);
  options.open_slots_max = 8;
  return options;
}

void SwitchOff(const std::string& rule, Without* without) {
  const std::map<std::string, bool Without::*> rules = {
      {"lease", &Without::lease},       {"within_lease", &Without::within_lease},
      {"abdicate", &Without::abdicate}, {"ceiling", &Without::ceiling},
      {"stall", &Without::stall},       {"monotone", &Without::monotone}};
  CHECK(rules.contains(rule)) << "no such rule: '" << rule << "'";
  without->*rules.at(rule) = true;
}

}  // namespace

template <typename... Parts>
void Story::Say(const Parts&... parts) {
  ((out_ << parts), ...) << '\n';
}

template <typename... Parts>
void Story::Whisper(const Parts&... parts) {
  if (!quiet_) Say(parts...);
}

bool Story::Filter::Matches(const Message& message) const {
  return (!from || message.from == *from) && (!to || message.to == *to) &&
         (kind.empty() || kind == BodyName(message.body));
}

// --- Commands ---

std::string Story::Do(const std::string& line) {
  out_.str("");
  const Words words = absl::StrSplit(line, ' ', absl::SkipEmpty());
  const std::string& command = words.at(0);
  if (command == "group") {
    Group(words);
  } else if (command == "clock") {
    Clock(words);
  } else if (command == "advance") {
    now_ = now_ + Duration(Number(words.at(1)));
  } else if (command == "tick" || command == "stand") {
    Tick(words);
  } else if (command == "deliver" || command == "drop" || command == "duplicate") {
    Carry(words);
  } else if (command == "elect") {
    quiet_ = true;
    Tick({"stand", words.at(1)});
    for (int turn = 0; turn < 8; ++turn) DeliverAll({});
    Tick({"tick", words.at(1)});
    for (int turn = 0; turn < 4; ++turn) DeliverAll({});
    quiet_ = false;
  } else if (command == "disk") {
    Named(words.at(1)).slow_disk = words.at(2) == "slow";
  } else if (command == "save") {
    Save(words);
  } else if (command == "crash") {
    Named(words.at(1)).node.Crash();
  } else if (command == "restart") {
    Restart(words);
  } else if (command == "propose" || command == "pin" || command == "guard" ||
             command == "abdicate") {
    Propose(words);
  } else if (command == "reconfigure") {
    Reconfigure(words);
  } else if (command == "prefer") {
    for (auto& [id, actor] : actors_) {
      actor->node.replica().SetPreferredLeader(Named(words.at(1)).node.id());
    }
  } else if (command == "cut") {
    Named(words.at(1)).node.PersistMachine();
    Named(words.at(1)).node.Cut();
  } else if (command == "lose") {
    Actor& actor = Named(words.at(1));
    actor.node.LoseMachine(Now(actor));
    Settle(actor);
  } else if (command == "learn") {
    Learn(words);
  } else if (command == "run") {
    Run(words);
  } else if (command == "state") {
    State();
  } else {
    CHECK(false) << "no such command: '" << line << "'";
  }
  Look();
  return out_.str();
}

void Story::Group(const Words& words) {
  options_ = InUnits();
  bool honest = true;
  std::vector<runtime::NodeId> nodes;
  for (int64_t node = 1; node <= Number(words.at(1)); ++node) {
    nodes.push_back(runtime::NodeId(static_cast<uint32_t>(node)));
  }
  for (size_t i = 2; i < words.size(); ++i) {
    if (words[i] == "clocks-lie") {
      honest = false;
    } else {
      SwitchOff(words[i].substr(std::string("without-").size()), &options_.without);
      rule_is_off_ = true;
    }
  }
  const Configuration founders = Configuration::Initial(nodes);
  watchers_.emplace(founders, honest);
  for (const Member& member : founders.members()) {
    AddActor(Disk::Founder(member.replica, founders));
  }
}

void Story::Clock(const Words& words) {
  Actor& actor = Named(words.at(1));
  for (size_t i = 2; i < words.size(); ++i) {
    if (words[i] == "safe" || words[i] == "unsafe") {
      actor.time_safe = words[i] == "safe";
    } else if (words[i] == "offset") {
      actor.offset = Duration(Number(words.at(++i)));
    } else {
      actor.epsilon = Duration(Number(words.at(++i)));
    }
  }
}

void Story::Tick(const Words& words) {
  for (Actor* const actor : NamedOrAll(words, 1)) {
    Moment moment = Now(*actor);
    actor->node.replica().Tick(moment);
    // It waits for a random time first, which is left out here.
    moment.monotonic = moment.monotonic + options_.election_jitter;
    if (words[0] == "stand") actor->node.replica().Tick(moment);
    Settle(*actor);
  }
}

void Story::Carry(const Words& words) {
  const Filter filter = ParseFilter(words);
  if (words.at(0) == "deliver") return DeliverAll(filter);
  std::list<Message> copies;
  for (auto message = under_way_.begin(); message != under_way_.end();) {
    if (!filter.Matches(*message)) {
      ++message;
    } else if (words.at(0) == "drop") {
      message = under_way_.erase(message);
    } else {
      copies.push_back(*message++);
    }
  }
  under_way_.splice(under_way_.end(), copies);
}

void Story::Save(const Words& words) {
  for (Actor* const actor : NamedOrAll(words, 1)) {
    while (!actor->node.saves().empty()) {
      Persist(*actor);
      Settle(*actor);
    }
  }
}

void Story::Restart(const Words& words) {
  Actor& actor = Named(words.at(1));
  if (actor.node.up()) actor.node.Crash();
  actor.node.Start(actor.node.id().value());
  actor.role = Role::kFollower;
  actor.fetch.reset();
  watchers_->Restarted(actor.node.id());
  const HardState& state = actor.node.replica().hard_state();
  Say(actor.node.id(), " remembers promised ", state.promised, ", vote ", state.vote.holder,
      " until ", When(state.vote.held_until), ", ceiling ", When(state.ceiling), ", applied ",
      actor.node.machine().applied);
}

void Story::Propose(const Words& words) {
  Actor& actor = Named(words.at(1));
  Replica& replica = actor.node.replica();
  const Moment moment = Now(actor);
  absl::Status status;
  if (words[0] == "propose") {
    const Timestamp at_least(words.size() > 4 ? Number(words.at(4)) : 0);
    const absl::StatusOr<Proposed> proposed = replica.Propose(words.at(2), at_least, moment);
    status = proposed.status();
    if (proposed.ok()) watchers_->Assigned(replica, *proposed, now_);
  } else if (words[0] == "pin") {
    const Timestamp timestamp(Number(words.at(2)));
    status = replica.Pin(timestamp, moment);
    if (status.ok()) watchers_->Pinned(replica, timestamp, now_);
  } else if (words[0] == "guard") {
    const Timestamp timestamp(Number(words.at(2)));
    status = replica.Guard(timestamp, moment);
    if (status.ok()) watchers_->Guarded(replica, timestamp);
  } else {
    status = replica.Abdicate(Named(words.at(2)).node.id(), moment);
  }
  if (!status.ok()) Say("refused: ", status.message());
  Settle(actor);
}

void Story::Reconfigure(const Words& words) {
  Actor& actor = Named(words.at(1));
  Replica& replica = actor.node.replica();
  Configuration next = replica.configuration();
  const auto number = static_cast<uint32_t>(Number(words.at(3)));
  const absl::Status step = words.at(2) == "add"       ? next.AddLearner(runtime::NodeId(number))
                            : words.at(2) == "promote" ? next.Promote(ReplicaId(number))
                                                       : next.Remove(ReplicaId(number));
  if (!step.ok()) return Say("refused: ", step.message());
  const absl::StatusOr<Proposed> proposed = replica.Reconfigure(next, Now(actor));
  if (proposed.ok()) {
    watchers_->Assigned(replica, *proposed, now_);
  } else {
    Say("refused: ", proposed.status().message());
  }
  Settle(actor);
}

void Story::Learn(const Words& words) {
  Actor& actor = Named(words.at(1));
  if (!Teach(actor, Named(words.at(2)))) Say("nothing to learn");
  Settle(actor);
}

void Story::Run(const Words& words) {
  // Messages take 1, the disk nothing; everybody looks every 10.
  quiet_ = true;
  for (int64_t i = Number(words.at(1)) / 10; i > 0; --i) {
    for (int turn = 0; turn < 8; ++turn) DeliverAll({});
    for (auto& [id, actor] : actors_) {
      if (!actor->node.up()) continue;
      if (actor->fetch) {
        const auto source = actors_.find(actor->fetch->source);
        Actor& from = source == actors_.end() ? *actors_.begin()->second : *source->second;
        if (from.node.up()) Teach(*actor, from);
      }
      actor->node.replica().Tick(Now(*actor));
      Settle(*actor);
    }
    Look();
    now_ = now_ + Duration(10);
  }
  quiet_ = false;
}

void Story::State() {
  for (auto& [id, actor] : actors_) {
    if (!actor->node.up()) {
      Say(id, ": down");
      continue;
    }
    const Replica& replica = actor->node.replica();
    const Vote& vote = replica.hard_state().vote;
    std::ostringstream text;
    text << id << ": " << RoleName(replica.role()) << ", promised "
         << replica.hard_state().promised;
    if (vote.holder != ReplicaId()) {
      text << ", votes for " << vote.holder << " until " << When(vote.held_until);
    }
    if (replica.leads(Now(*actor))) text << ", leads until " << When(replica.lease_end());
    text << ", applied " << actor->node.machine().applied << ", members "
         << replica.configuration();
    Say(text.str());
  }
}

// --- What happens ---

Story::Actor& Story::Named(const std::string& word) {
  const auto actor = actors_.find(ReplicaId(static_cast<uint32_t>(Number(word))));
  CHECK(actor != actors_.end()) << "there is no replica " << word;
  return *actor->second;
}

std::vector<Story::Actor*> Story::NamedOrAll(const Words& words, size_t from) {
  std::vector<Actor*> named;
  for (size_t i = from; i < words.size(); ++i) named.push_back(&Named(words[i]));
  for (auto& [id, actor] : actors_) {
    if (words.size() == from && actor->node.up()) named.push_back(actor.get());
  }
  return named;
}

Story::Filter Story::ParseFilter(const Words& words) {
  Filter filter;
  for (size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "from") {
      filter.from = ReplicaId(static_cast<uint32_t>(Number(words.at(++i))));
    } else if (words[i] == "to") {
      filter.to = ReplicaId(static_cast<uint32_t>(Number(words.at(++i))));
    } else {
      filter.kind = words[i];
    }
  }
  return filter;
}

void Story::AddActor(Disk disk) {
  ReplicaOptions options = options_;
  options.self = disk.hard_state.self;
  const ReplicaId id = options.self;
  if (actors_.contains(id)) return;
  actors_.emplace(id, std::make_unique<Actor>(KernelNode(options, std::move(disk))));
  actors_.at(id)->node.Start(id.value());
}

Moment Story::Now(Actor& actor) {
  truetime::Interval now = truetime::Interval::Around(now_ + actor.offset, actor.epsilon);
  now.earliest = std::max(now.earliest, actor.last.earliest);
  now.latest = std::max(now.latest, actor.last.latest);
  actor.last = now;
  return {now, actor.time_safe, MonotonicTime(now_.nanoseconds())};
}

void Story::DeliverAll(const Filter& filter) {
  std::list<Message> now;
  for (auto message = under_way_.begin(); message != under_way_.end();) {
    const auto next = std::next(message);
    if (filter.Matches(*message)) now.splice(now.end(), under_way_, message);
    message = next;
  }
  for (const Message& message : now) Deliver(message);
}

void Story::Deliver(const Message& message) {
  const auto to = actors_.find(message.to);
  if (to == actors_.end() || !to->second->node.up()) return;
  to->second->node.replica().Step(message, Now(*to->second));
  Settle(*to->second);
}

bool Story::Teach(Actor& actor, Actor& source) {
  Replica& replica = actor.node.replica();
  const auto entries =
      replica.installed() ? source.node.Teach(Next(replica.chosen_through()), 100) : std::nullopt;
  bool learned = false;
  if (entries && !entries->empty()) {
    Say(actor.node.id(), " learns slots ", entries->front().slot, " to ", entries->back().slot,
        " from ", source.node.id());
    replica.Learn(*entries, Now(actor));
    learned = true;
  } else if (!entries && actor.node.Install(source.node.machine(), Now(actor))) {
    Say(actor.node.id(), " installs a snapshot of slot ", actor.node.machine().applied, " from ",
        source.node.id());
    learned = true;
  }
  actor.fetch.reset();
  replica.FetchEnded();
  return learned;
}

void Story::Settle(Actor& actor) {
  KernelNode& node = actor.node;
  for (bool more = true; more;) {
    for (const Message& message : node.Collect(Now(actor))) {
      watchers_->Sent(node, message, now_);
      Whisper(message);
      under_way_.push_back(message);
    }
    more = !actor.slow_disk && !node.saves().empty();
    if (more) Persist(actor);
  }
  for (const Chosen& chosen : node.Apply(100)) {
    watchers_->Applied(node.id(), chosen);
    Say(node.id(), " applies slot ", chosen.slot, ": ", chosen.entry);
    if (chosen.entry.kind != EntryKind::kConfiguration) continue;
    for (const Member& member : chosen.entry.configuration->members()) {
      AddActor(Disk::Joiner(member.replica));
    }
  }
  if (const std::optional<Fetch> fetch = node.TakeFetch()) {
    Whisper(node.id(), " asks ", fetch->source, " for slot ", fetch->from, " and on");
    actor.fetch = fetch;
  }
  if (actor.role != node.replica().role()) {
    actor.role = node.replica().role();
    Say(node.id(), " is ", RoleName(actor.role));
  }
  watchers_->Look(node);
}

void Story::Persist(Actor& actor) {
  const paxos::Save save = actor.node.Persist(Now(actor));
  if (actor.slow_disk) TellSave(actor, save, " saved ");
  watchers_->Saved(actor.node.id(), save);
}

void Story::TellSave(const Actor& actor, const paxos::Save& save, const char* how) {
  if (save.hard_state) {
    const Vote& vote = save.hard_state->vote;
    Whisper(actor.node.id(), how, "promised ", save.hard_state->promised, ", vote ", vote.holder);
  }
  for (const AcceptedEntry& entry : save.entries) {
    Whisper(actor.node.id(), how, "slot ", entry.slot, " in ", entry.ballot, ": ", entry.entry);
  }
}

void Story::Look() {
  if (!watchers_) return;
  std::set<ReplicaId> leaders;
  for (auto& [id, actor] : actors_) {
    if (actor->node.up() && actor->node.replica().leads(Now(*actor))) leaders.insert(id);
  }
  watchers_->LeadAtOnce(leaders, now_);
  if (watchers_->violation().empty() || std::exchange(told_violation_, true)) return;
  Say("BROKEN: ", watchers_->violation());
  failed_ = !rule_is_off_;
}

}  // namespace paxos

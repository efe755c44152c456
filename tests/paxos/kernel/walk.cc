#include "tests/paxos/kernel/walk.h"

#include <algorithm>
#include <sstream>

#include "runtime/check.h"

namespace paxos {
namespace {

using namespace std::chrono_literals;

Configuration Founders(runtime::Random& random) {
  std::vector<runtime::NodeId> nodes;
  const int64_t count = random.Chance(0.7) ? 3 : random.Uniform(1, 5);
  for (int64_t node = 1; node <= count; ++node) {
    nodes.push_back(runtime::NodeId(static_cast<uint32_t>(node)));
  }
  return Configuration::Initial(nodes);
}

// A tenth of the defaults: a walk of a few seconds sees many leases.
ReplicaOptions Quick(const Without& without) {
  ReplicaOptions options;
  options.lease = 300ms;
  options.renew_every = 75ms;
  options.retransmit_after = 10ms;
  options.candidacy_max = 50ms;
  options.election_jitter = 10ms;
  options.fetch_after = 6ms;
  options.stall_max = 75ms;
  options.open_slots_max = 64;
  options.message_bytes_max = 1024;
  options.without = without;
  return options;
}

}  // namespace

template <typename... Parts>
void Walk::Say(const Parts&... parts) {
  if (trace_ == nullptr || now_ < trace_from_) return;
  *trace_ << now_.nanoseconds() / 1000 << " us: ";
  ((*trace_ << parts), ...) << '\n';
}

void WalkCounts::Add(const WalkCounts& other) {
  proposals += other.proposals;
  chosen += other.chosen;
  elections_won += other.elections_won;
  configurations += other.configurations;
  hand_overs += other.hand_overs;
  crashes += other.crashes;
  snapshots += other.snapshots;
  no_ops += other.no_ops;
  reproposed += other.reproposed;
  order_refused += other.order_refused;
  removed += other.removed;
  events += other.events;
}

Walk::Walk(uint64_t seed, WalkOptions options)
    : options_(options),
      random_(seed),
      replica_options_(Quick(options.without)),
      watchers_(Founders(random_), !options.clocks_lie),
      now_(1'000'000'000) {
  DrawWeather();
  const Configuration founders = watchers_.configuration();
  for (const Member& member : founders.members()) {
    ReplicaOptions own = replica_options_;
    own.self = member.replica;
    auto host = std::make_unique<Host>(KernelNode(own, Disk::Founder(member.replica, founders)));
    ChangeClock(*host);
    Start(*host);
    hosts_.emplace(member.replica, std::move(host));
  }
}

void Walk::DrawWeather() {
  const auto sometimes = [&](double chance, double most) {
    return random_.Chance(chance) ? most * random_.Fraction() : 0;
  };
  weather_.loss = sometimes(0.5, 0.3);
  weather_.duplicates = sometimes(0.5, 0.3);
  weather_.slow_messages = sometimes(0.5, 0.2);
  weather_.delay = random_.Uniform(50us, 3ms);
  weather_.save = random_.Uniform(50us, 5ms);
  weather_.stalls = sometimes(0.3, 0.02);
  weather_.crashes = sometimes(0.6, 0.08);
  weather_.pauses = sometimes(0.4, 0.05);
  weather_.partitions = sometimes(0.5, 0.05);
  weather_.clocks = sometimes(0.6, 0.1);
  weather_.members = sometimes(0.5, 0.1);
  weather_.hand_overs = sometimes(0.5, 0.05);
  weather_.pins = sometimes(0.5, 0.3);
  weather_.cuts = sometimes(0.6, 0.1);
  weather_.lost_machines = sometimes(0.2, 0.01);
}

// --- Time ---

Moment Walk::Now(Host& host) {
  const Timestamp middle = now_ + host.offset;
  truetime::Interval interval = truetime::Interval::Around(middle, host.epsilon);
  interval.earliest = std::max(interval.earliest, host.last.earliest);
  interval.latest = std::max(interval.latest, host.last.latest);
  host.last = interval;
  return {interval, host.time_safe, MonotonicTime(now_.nanoseconds())};
}

void Walk::After(Duration delay, Host& host, std::function<void()> event) {
  const uint64_t incarnation = host.incarnation;
  events_.emplace(std::pair(now_ + delay, ++sequence_),
                  [this, &host, incarnation, event = std::move(event)] {
                    if (host.incarnation != incarnation || !host.node.up()) return;
                    if (host.paused_until > now_) {
                      After(host.paused_until - now_, host, event);
                    } else {
                      event();
                    }
                  });
}

void Walk::RunUntil(Timestamp end) {
  while (!events_.empty() && events_.begin()->first.first <= end && watchers_.violation().empty()) {
    auto event = events_.extract(events_.begin());
    now_ = std::max(now_, event.key().first);
    ++counts_.events;
    event.mapped()();
    Look();
  }
  if (watchers_.violation().empty()) now_ = std::max(now_, end);
}

Walk::Host& Walk::Any() {
  auto host = hosts_.begin();
  std::advance(host, random_.Uniform(0, static_cast<int64_t>(hosts_.size()) - 1));
  return *host->second;
}

Walk::Host* Walk::AnyUp() {
  Host& host = Any();
  return host.node.up() && host.paused_until <= now_ ? &host : nullptr;
}

Walk::Host* Walk::Leader() {
  for (auto& [id, host] : hosts_) {
    const bool awake = host->node.up() && host->paused_until <= now_;
    if (awake && host->node.replica().leads(Now(*host))) return host.get();
  }
  return nullptr;
}

// --- What happens to a replica ---

void Walk::Start(Host& host) {
  ++host.incarnation;
  host.saving = false;
  host.applying = 0;
  host.tick_at = Timestamp::Max();
  host.paused_until = Timestamp::Min();
  host.last = {Timestamp::Min(), Timestamp::Min()};
  host.node.Start(random_.Next());
  Say(host.node.id(), " starts, applied ", host.node.machine().applied);
  watchers_.Restarted(host.node.id());
  ScheduleTick(host);
}

void Walk::Crash(Host& host) {
  ++counts_.crashes;
  Say(host.node.id(), " crashes");
  const ReplicaCounts& counts = host.node.replica().counts();
  counts_.elections_won += counts.elections_won;
  counts_.no_ops += counts.no_ops;
  counts_.reproposed += counts.reproposed;
  counts_.order_refused += counts.order_refused;
  // What is under way may have reached the disk, or not.
  while (!host.node.saves().empty() && random_.Chance(0.4)) {
    Save(host);
  }
  if (random_.Chance(0.5) && host.node.machine().installed) host.node.PersistMachine();
  host.node.Crash();
}

void Walk::Join(ReplicaId replica) {
  if (hosts_.contains(replica)) return;
  ReplicaOptions own = replica_options_;
  own.self = replica;
  Host& host =
      *hosts_.emplace(replica, std::make_unique<Host>(KernelNode(own, Disk::Joiner(replica))))
           .first->second;
  ChangeClock(host);
  Start(host);
}

void Walk::Settle(Host& host) {
  for (const Message& message : host.node.Collect(Now(host))) Send(host, message);
  watchers_.Look(host.node);
  if (host.node.replica().role() == Role::kRemoved) {
    // Its node throws away all it has.
    ++counts_.removed;
    Say(host.node.id(), " is removed");
    host.gone = true;
    Crash(host);
    return;
  }
  ScheduleSave(host);
  ScheduleApply(host);
  if (const std::optional<Fetch> fetch = host.node.TakeFetch()) Catch(host, *fetch);
  ScheduleTick(host);
}

void Walk::Send(Host& host, const Message& message) {
  watchers_.Sent(host.node, message, now_);
  const auto to = hosts_.find(message.to);
  if (to == hosts_.end()) return;
  Host& receiver = *to->second;
  if (host.side != receiver.side) return;
  for (int copies = random_.Chance(weather_.duplicates) ? 2 : 1; copies > 0; --copies) {
    if (random_.Chance(weather_.loss)) continue;
    Duration delay = random_.Exponential(weather_.delay);
    if (random_.Chance(weather_.slow_messages)) delay += random_.Exponential(100ms);
    // It may outlive the receiver's process.
    events_.emplace(std::pair(now_ + delay, ++sequence_), [this, &receiver, message] {
      if (!receiver.node.up()) return;
      After(0ns, receiver, [this, &receiver, message] {
        Say(message);
        receiver.node.replica().Step(message, Now(receiver));
        Settle(receiver);
      });
    });
  }
}

void Walk::Save(Host& host) {
  const paxos::Save save = host.node.Persist(Now(host));
  if (save.hard_state) {
    Say(host.node.id(), " saves promised ", save.hard_state->promised, ", vote ",
        save.hard_state->vote.holder);
  }
  for (const AcceptedEntry& entry : save.entries) {
    Say(host.node.id(), " saves slot ", entry.slot, " in ", entry.ballot, ": ", entry.entry);
  }
  watchers_.Saved(host.node.id(), save);
}

void Walk::ScheduleSave(Host& host) {
  if (host.saving || host.node.saves().empty()) return;
  host.saving = true;
  Duration delay = random_.Exponential(weather_.save);
  if (random_.Chance(weather_.stalls)) delay += random_.Uniform(50ms, 600ms);
  After(delay, host, [this, &host] {
    host.saving = false;
    Save(host);
    Settle(host);
  });
}

void Walk::ScheduleApply(Host& host) {
  if (host.applying > 0 || host.node.unapplied() == 0) return;
  ++host.applying;
  After(random_.Exponential(1ms), host, [this, &host] {
    host.applying = 0;
    for (const Chosen& chosen : host.node.Apply(static_cast<size_t>(random_.Uniform(1, 20)))) {
      watchers_.Applied(host.node.id(), chosen);
      if (chosen.entry.kind != EntryKind::kConfiguration) continue;
      for (const Member& member : chosen.entry.configuration->members()) Join(member.replica);
    }
    Settle(host);
  });
}

void Walk::ScheduleTick(Host& host) {
  const Timestamp wake(host.node.replica().wake().nanoseconds());
  const Timestamp due = std::max(wake, now_ + 10us);
  if (wake == Timestamp::Max() || due >= host.tick_at) return;
  host.tick_at = due;
  After(due - now_, host, [this, &host, due] {
    if (host.tick_at == due) host.tick_at = Timestamp::Max();
    host.node.replica().Tick(Now(host));
    Settle(host);
  });
}

void Walk::Catch(Host& host, const Fetch& fetch) {
  const auto named = hosts_.find(fetch.source);
  const bool usable = named != hosts_.end() && named->second->node.up();
  // Who cannot be helped by that one asks others too.
  Host& source = usable && random_.Chance(0.7) ? *named->second : Any();
  Say(host.node.id(), " asks ", source.node.id(), " for slot ", fetch.from, " and on");
  After(random_.Exponential(weather_.delay * 4), host, [this, &host, &source, fetch] {
    Replica& replica = host.node.replica();
    if (source.node.up() && source.side == host.side) {
      const auto entries =
          replica.installed()
              ? source.node.Teach(fetch.from, static_cast<size_t>(random_.Uniform(1, 40)))
              : std::nullopt;
      if (entries) {
        Say(host.node.id(), " learns ", entries->size(), " from slot ", fetch.from, " from ",
            source.node.id());
        replica.Learn(*entries, Now(host));
      } else if (host.node.Install(source.node.machine(), Now(host))) {
        ++counts_.snapshots;
        Say(host.node.id(), " installs ", host.node.machine().applied, " from ", source.node.id());
      }
    }
    replica.FetchEnded();
    Settle(host);
    host.tick_at = Timestamp::Max();
    After(random_.Uniform(1ms, 20ms), host, [this, &host] {
      host.node.replica().Tick(Now(host));
      Settle(host);
    });
  });
}

void Walk::Look() {
  std::set<ReplicaId> leaders;
  for (auto& [id, host] : hosts_) {
    if (host->node.up() && host->node.replica().leads(Now(*host))) leaders.insert(id);
  }
  watchers_.LeadAtOnce(leaders, now_);
}

// --- What is asked of the group, and done to it ---

bool Walk::Propose(Host& host) {
  const Moment moment = Now(host);
  const Timestamp at_least = random_.Chance(0.5) ? moment.now.latest : Timestamp::Min();
  const absl::StatusOr<Proposed> proposed =
      host.node.replica().Propose("c" + std::to_string(++commands_), at_least, moment);
  if (!proposed.ok()) return false;
  ++counts_.proposals;
  watchers_.Assigned(host.node.replica(), *proposed, now_);
  return true;
}

void Walk::Reconfigure(Host& host) {
  Replica& replica = host.node.replica();
  Configuration next = replica.configuration();
  const auto& members = next.members();
  if (members.empty()) return;  // It has just joined.
  const Member member =
      members[static_cast<size_t>(random_.Uniform(0, static_cast<int64_t>(members.size()) - 1))];
  if (members.size() < 3 || (members.size() < 6 && random_.Chance(0.4))) {
    // Each replica on a node of its own, with a number that was never used.
    (void)next.AddLearner(runtime::NodeId(next.next_replica().value()));
  } else if (!member.voter) {
    (void)next.Promote(member.replica);
  } else if (next.voters() > 1) {
    (void)next.Remove(member.replica);
  }
  const absl::StatusOr<Proposed> proposed = replica.Reconfigure(next, Now(host));
  reconfiguring_ = absl::IsAborted(proposed.status()) && !random_.Chance(0.05);
  if (!proposed.ok()) return;
  ++counts_.configurations;
  watchers_.Assigned(replica, *proposed, now_);
}

void Walk::ChangeClock(Host& host) {
  host.epsilon = random_.Uniform(0ns, 20ms);
  host.offset = random_.Uniform(-host.epsilon, host.epsilon);
  if (options_.clocks_lie && random_.Chance(0.5)) host.offset = random_.Uniform(-500ms, 500ms);
  host.time_safe = random_.Chance(0.9);
}

void Walk::Client() {
  if (Host* const leader = random_.Chance(0.9) ? Leader() : AnyUp()) {
    Replica& replica = leader->node.replica();
    for (int64_t i = reconfiguring_ ? 0 : random_.Uniform(0, 3); i > 0; --i) Propose(*leader);
    if (random_.Chance(weather_.pins)) {
      const Moment moment = Now(*leader);
      const Timestamp timestamp = moment.now.latest + random_.Uniform(-50ms, 400ms);
      if (replica.Pin(timestamp, moment).ok()) watchers_.Pinned(replica, timestamp, now_);
      const Timestamp guarded = timestamp + random_.Uniform(0ms, 400ms);
      if (replica.Guard(guarded, moment).ok()) watchers_.Guarded(replica, guarded);
    }
    if (replica.leads(Now(*leader))) watchers_.TakesForSafe(replica);
    // Members change only when nothing else goes on.
    if (reconfiguring_ || random_.Chance(weather_.members)) Reconfigure(*leader);
    if (random_.Chance(weather_.hand_overs)) {
      counts_.hand_overs += replica.Abdicate(Any().node.id(), Now(*leader)).ok();
    }
    Settle(*leader);
  }
  if (random_.Chance(weather_.hand_overs / 10)) {
    const ReplicaId preferred = random_.Chance(0.7) ? Any().node.id() : ReplicaId();
    for (auto& [id, host] : hosts_) {
      if (host->node.up()) host->node.replica().SetPreferredLeader(preferred);
    }
  }
  Fault();
  events_.emplace(std::pair(now_ + random_.Exponential(4ms), ++sequence_), [this] { Client(); });
}

void Walk::Fault() {
  Host& host = Any();
  if (!host.node.up()) {
    if (!host.gone && random_.Chance(0.1)) Start(host);
    return;
  }
  if (random_.Chance(weather_.cuts)) {
    host.node.PersistMachine();
    if (random_.Chance(0.3)) host.node.Cut();
  }
  if (random_.Chance(weather_.clocks)) ChangeClock(host);
  if (random_.Chance(weather_.pauses)) host.paused_until = now_ + random_.Uniform(1ms, 700ms);
  if (random_.Chance(weather_.partitions)) {
    const bool heal = random_.Chance(0.4);
    for (auto& [id, other] : hosts_) other->side = heal ? 0 : random_.Next() % 2;
  }
  // One at a time, and somebody has to have what is cut from the log here.
  bool others_have_it = false;
  bool others_whole = true;
  for (const auto& [id, other] : hosts_) {
    if (other.get() == &host || other->gone) continue;
    const Machine& machine = other->node.disk().machine;
    others_whole = others_whole && machine.installed;
    others_have_it = others_have_it || machine.applied >= host.node.machine().applied;
  }
  if (random_.Chance(weather_.lost_machines) && others_have_it && others_whole &&
      host.paused_until <= now_) {
    host.node.LoseMachine(Now(host));
    Settle(host);
  }
  if (random_.Chance(weather_.crashes)) Crash(host);
}

void Walk::Heal() {
  weather_ = {};
  weather_.delay = 500us;
  weather_.save = 500us;
  for (auto& [id, host] : hosts_) {
    host->side = 0;
    host->paused_until = Timestamp::Min();
    host->epsilon = 2ms;
    host->offset = random_.Uniform(-2ms, 2ms);
    host->time_safe = true;
    if (!host->node.up() && !host->gone) Start(*host);
  }
}

std::string Walk::CheckAlive() {
  std::ostringstream text;
  // A hand-over to who is preferred may be under way.
  Host* leader = Leader();
  for (int i = 0; i < 10 && (leader == nullptr || !Propose(*leader)); ++i) {
    if (leader != nullptr) RunUntil(now_ + 10ms);
    leader = Leader();
  }
  if (leader == nullptr) {
    text << "after all was healed nobody leads:";
    for (auto& [id, host] : hosts_) {
      if (host->gone) continue;
      const Replica& replica = host->node.replica();
      text << " replica " << id << " is " << RoleName(replica.role()) << ", votes for "
           << replica.hard_state().vote.holder << " until " << replica.hard_state().vote.held_until
           << ", has applied " << host->node.machine().applied << " of " << replica.chosen_through()
           << ';';
    }
    return text.str();
  }
  Settle(*leader);
  RunUntil(now_ + 100ms);
  const std::string last = "c" + std::to_string(commands_);
  const auto& chosen = watchers_.chosen();
  const bool found = std::any_of(chosen.begin(), chosen.end(), [&](const Entry& entry) {
    return entry.command != nullptr && *entry.command == last;
  });
  if (!found) {
    text << "after all was healed " << last << " is not chosen";
    return text.str();
  }
  for (const Member& member : watchers_.configuration().members()) {
    const KernelNode& node = hosts_.at(member.replica)->node;
    if (node.machine().applied.value() == chosen.size()) continue;
    text << "after all was healed replica " << member.replica << " has applied "
         << node.machine().applied << " of " << chosen.size();
    return text.str();
  }
  return "";
}

std::string Walk::Run() {
  Client();
  RunUntil(now_ + options_.chaos);
  std::string wrong;
  if (watchers_.violation().empty()) {
    events_.clear();  // The clients', and messages that are under way.
    for (auto& [id, host] : hosts_) {
      host->saving = false;
      host->applying = 0;
      host->tick_at = Timestamp::Max();
      if (host->node.up()) host->node.replica().FetchEnded();
    }
    Heal();
    for (auto& [id, host] : hosts_) {
      if (host->node.up()) Settle(*host);
    }
    // Timestamps of a clock that was ahead lie in the future: the next leader waits for them.
    RunUntil(now_ + replica_options_.lease * 3 + (options_.clocks_lie ? 1500ms : 0ms));
    if (watchers_.violation().empty()) wrong = CheckAlive();
  }
  counts_.chosen = watchers_.chosen().size();
  for (auto& [id, host] : hosts_) {
    if (host->node.up()) Crash(*host);
  }
  if (!watchers_.violation().empty()) wrong = watchers_.violation();
  if (wrong.empty()) return wrong;
  return "at " + std::to_string(now_.nanoseconds() / 1000) + " us: " + wrong;
}

}  // namespace paxos

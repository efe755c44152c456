#include "tests/paxos/cluster.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "paxos/errors.h"
#include "runtime/check.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "storage/view.h"

namespace paxos {

using runtime::NodeId;
using runtime::Task;
using runtime::operator""ms;
using runtime::operator""ns;
using runtime::operator""s;

namespace {

// A clock that is right within a millisecond, at any time.
class GoodSource final : public truetime::TimeSource {
 public:
  GoodSource(simulated::Universe* universe, simulated::NodeWorld* world)
      : universe_(*universe), world_(*world) {}

  std::string name() const override { return "good"; }
  truetime::BaseClock base() const override { return truetime::BaseClock::kRaw; }
  Task<absl::StatusOr<truetime::Reading>> Read() override {
    const truetime::BaseTime now = truetime::ReadBase(world_.clocks(), base());
    co_return truetime::Reading{
        now, now, truetime::Interval::Around(universe_.true_time(), 1ms), 0ns, std::nullopt, {}};
  }

 private:
  simulated::Universe& universe_;
  simulated::NodeWorld& world_;
};

}  // namespace

// --- RegisterMachine ---

RegisterMachine::RegisterMachine(storage::GroupId group) : group_(group) {}

std::string RegisterMachine::StoreKey(const std::string& key) const {
  return absl::StrFormat("%08d/", group_.value()) + key;
}

storage::KeyRange RegisterMachine::range() const {
  return {absl::StrFormat("%08d/", group_.value()), absl::StrFormat("%08d0", group_.value())};
}

Task<absl::Status> RegisterMachine::Restored(storage::Store*, Slot slot, Timestamp) {
  applied = slot;
  co_return absl::OkStatus();
}

Task<absl::Status> RegisterMachine::Apply(std::vector<Command> commands,
                                          storage::ApplyBatch* batch) {
  batches.push_back(commands.size());
  for (const Command& command : commands) {
    const size_t equals = command.bytes->find('=');
    batch->Put(StoreKey(command.bytes->substr(0, equals)), command.timestamp,
               command.bytes->substr(equals + 1));
  }
  co_return absl::OkStatus();
}

void RegisterMachine::LeadershipGained(Ballot ballot) {
  CHECK(!leading);
  leading = ballot;
  ++leads;
}

void RegisterMachine::LeadershipLost(Ballot ballot) {
  CHECK(leading == ballot);
  leading.reset();
}

// --- PaxosNode ---

PaxosNode::PaxosNode(simulated::Universe* universe, simulated::NodeWorld* world,
                     HostOptions options)
    : world_(*world),
      options_(std::move(options)),
      truetime_(world, std::make_unique<GoodSource>(universe, world), {}),
      scope_(world->loop(0)) {
  world_.network().SetClockStamper(&truetime_);
  truetime_.Start();
  scope_.Spawn(Main());
}

PaxosNode::~PaxosNode() { world_.network().SetClockStamper(nullptr); }

Task<void> PaxosNode::Main() {
  while (host_ == nullptr) {
    absl::StatusOr<std::unique_ptr<Host>> host = co_await Host::Open(
        &world_, &truetime_,
        [](storage::GroupId group) { return std::make_unique<RegisterMachine>(group); }, options_);
    if (host.ok()) {
      host_ = *std::move(host);
    } else if (absl::IsDataLoss(host.status())) {
      (co_await Host::Wipe(&world_, options_)).IgnoreError();
    } else if (!(co_await runtime::SleepFor(100ms)).ok()) {
      co_return;
    }
  }
}

std::shared_ptr<Group> PaxosNode::group(storage::GroupId id) {
  return host_ == nullptr ? nullptr : host_->FindGroup(id);
}

std::map<std::string, std::string> PaxosNode::Registers(storage::GroupId id) {
  std::map<std::string, std::string> registers;
  const RegisterMachine machine(id);
  storage::Store* const store = host_ == nullptr ? nullptr : host_->store();
  if (store == nullptr) return registers;
  absl::StatusOr<storage::View> view = store->NewView(id);
  if (!view.ok()) return registers;
  storage::ScanRequest request{
      .range = machine.range(), .at = Timestamp::Max(), .rows_max = 100'000, .bytes_max = 64 << 20};
  const absl::StatusOr<storage::ScanResult> result = view->Scan(request);
  if (!result.ok()) return registers;
  for (const storage::Row& row : result->rows) {
    registers[row.key.substr(machine.StoreKey("").size())] = row.value;
  }
  return registers;
}

Task<absl::StatusOr<Proposed>> ProposeAt(PaxosNode* node, std::string command,
                                         storage::GroupId id) {
  const std::shared_ptr<Group> group = node->group(id);
  if (group == nullptr) co_return NoSuchGroup(id);
  co_return co_await group->Propose(std::move(command), Timestamp::Min());
}

Task<absl::StatusOr<std::string>> ReadAt(PaxosNode* node, std::string key, storage::GroupId id) {
  const std::shared_ptr<Group> group = node->group(id);
  if (group == nullptr) co_return NoSuchGroup(id);
  CO_ASSIGN_OR_RETURN(const Ballot ballot, co_await group->ReadBarrier());
  std::string value = node->Registers(id)[key];
  CO_RETURN_IF_ERROR(group->CheckLease(ballot));
  co_return value;
}

// --- Cluster ---

Cluster::Cluster(int count, uint64_t seed, HostOptions options) : universe_(seed), count_(count) {
  for (int node = 1; node <= count; ++node) {
    simulated::NodeOptions node_options;
    node_options.program = [this, options](runtime::World& world) {
      return std::make_unique<PaxosNode>(&universe_, static_cast<simulated::NodeWorld*>(&world),
                                         options);
    };
    universe_.AddNode(NodeId(static_cast<uint32_t>(node)), node_options);
  }
  CHECK(RunUntil([&] {
    for (int node = 1; node <= count_; ++node) {
      if (program(node) == nullptr || program(node)->host() == nullptr) return false;
    }
    return true;
  })) << universe_.violation();
}

void Cluster::CreateGroup(int voters, storage::GroupId id) {
  std::vector<NodeId> nodes;
  for (int node = 1; node <= voters; ++node) nodes.emplace_back(static_cast<uint32_t>(node));
  const Configuration configuration = Configuration::Initial(nodes);
  for (int node = 1; node <= voters; ++node) {
    const auto created = Await(node, program(node)->host()->CreateGroup(id, configuration));
    CHECK(created && created->ok()) << created->status();
  }
}

std::shared_ptr<Group> Cluster::group(int node, storage::GroupId id) {
  return program(node) == nullptr ? nullptr : program(node)->group(id);
}

int Cluster::Leader(storage::GroupId id) {
  for (int node = 1; node <= count_; ++node) {
    if (!world(node).running() || world(node).paused()) continue;
    const std::shared_ptr<Group> found = group(node, id);
    if (found != nullptr && found->leading()) return node;
  }
  return 0;
}

int Cluster::AwaitLeader(storage::GroupId id) {
  CHECK(RunUntil([&] { return Leader(id) != 0; })) << "nobody leads; " << universe_.violation();
  return Leader(id);
}

bool Cluster::AwaitEqual(std::vector<int> nodes, storage::GroupId id) {
  return RunUntil([&] {
    Slot chosen;
    for (const int node : nodes) {
      const std::shared_ptr<Group> one = group(node, id);
      if (one == nullptr || !one->installed()) return false;
      chosen = std::max(chosen, one->status().chosen_through);
    }
    for (const int node : nodes) {
      if (group(node, id)->applied() != chosen) return false;
    }
    for (const int node : nodes) {
      CHECK(program(node)->Registers(id) == program(nodes[0])->Registers(id))
          << "nodes " << node << " and " << nodes[0] << " differ at slot " << chosen;
    }
    return true;
  });
}

std::string Cluster::Describe(storage::GroupId id) {
  std::string text;
  for (int node = 1; node <= count_; ++node) {
    const std::shared_ptr<Group> one = group(node, id);
    absl::StrAppend(&text, "\nnode ", node, ": ");
    if (one == nullptr) {
      absl::StrAppend(&text, "no replica; host ",
                      program(node) != nullptr && program(node)->host() != nullptr
                          ? program(node)->host()->status().ToString()
                          : "down");
      continue;
    }
    const GroupStatus status = one->status();
    absl::StrAppend(&text, RoleName(status.role), status.installed ? "" : ", not installed",
                    ", applied ", status.applied.value(), ", chosen ",
                    status.chosen_through.value(), ", open ", status.open_slots, ", host ",
                    program(node)->host()->status().ToString());
  }
  return text;
}

absl::StatusOr<Proposed> Cluster::Propose(int node, const std::string& command,
                                          storage::GroupId id) {
  const auto result = Await(node, Within(10s, ProposeAt(program(node), command, id)));
  return result ? *result : OutcomeUnknown(id, Slot(), "the node went down");
}

void Cluster::Put(const std::string& key, const std::string& value, storage::GroupId id) {
  for (int attempt = 0; attempt < 20; ++attempt) {
    if (Propose(AwaitLeader(id), key + "=" + value, id).ok()) return;
  }
  CHECK(false) << "register " << key << " could not be written";
}

absl::StatusOr<std::string> Cluster::Read(int node, const std::string& key, storage::GroupId id) {
  const auto result = Await(node, Within(10s, ReadAt(program(node), key, id)));
  return result ? *result : absl::UnavailableError("the node went down");
}

}  // namespace paxos

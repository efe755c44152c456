#include "simulation/ledger_node.h"

#include <leveldb/db.h>
#include <leveldb/env.h>

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "runtime/blocking.h"
#include "runtime/event.h"
#include "runtime/experiments.h"
#include "runtime/random.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"

namespace simulation {
namespace {

using runtime::Duration;
using runtime::NodeId;
using runtime::operator""ms;
using runtime::operator""s;

constexpr char kAppend[] = "/isochron.simulation.Ledger/Append";
constexpr char kIdle[] = "/isochron.simulation.Ledger/Idle";
constexpr runtime::MessageKind kMessage{1};
constexpr Duration kCallTimeout = 1s;
// What a reply may be late by, past its deadline: the turns of the loops.
constexpr Duration kCallSlack = 1ms;
// How long whoever looks after the machine takes to start the program again.
constexpr Duration kRestartDelay = 200ms;

absl::Status FromLevelDb(const leveldb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("the store failed: ", status.ToString()));
}

// Everything in the store, read back with its checksums.
absl::StatusOr<std::set<std::string>> ReadAll(leveldb::DB* store) {
  leveldb::ReadOptions options;
  options.verify_checksums = true;
  const std::unique_ptr<leveldb::Iterator> iterator(store->NewIterator(options));
  std::set<std::string> entries;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    entries.insert(iterator->key().ToString());
  }
  RETURN_IF_ERROR(FromLevelDb(iterator->status()));
  return entries;
}

runtime::Task<void> RestartLater(simulated::NodeWorld* world) {
  if (!(co_await runtime::SleepFor(kRestartDelay)).ok()) co_return;
  if (!world->running()) world->Restart();
}

struct Opened {
  // Owned from here on: a crash may come before the task that waits for it goes on.
  std::unique_ptr<leveldb::DB> store;
  absl::StatusOr<std::set<std::string>> entries;
};

Opened OpenStore(leveldb::Env* files, bool tiny_buffer) {
  leveldb::Options options;
  options.env = files;
  options.create_if_missing = true;
  // Not paranoid: then it would refuse the torn tail that a crash leaves in its log.
  // Small, so that compactions are among what a crash can hit.
  options.write_buffer_size = tiny_buffer ? 4 << 10 : 64 << 10;
  Opened opened;
  leveldb::DB* store = nullptr;
  const absl::Status status = FromLevelDb(leveldb::DB::Open(options, "ledger", &store));
  opened.store.reset(store);
  opened.entries = status.ok() ? ReadAll(store) : status;
  return opened;
}

}  // namespace

LedgerNode::LedgerNode(simulated::Universe* universe, simulated::NodeWorld* world,
                       LedgerTruth* truth, std::vector<NodeId> peers)
    : universe_(*universe),
      world_(*world),
      truth_(*truth),
      peers_(std::move(peers)),
      scope_(world->loop(0)) {
  scope_.Spawn(Main());
}

LedgerNode::~LedgerNode() = default;

runtime::Task<void> LedgerNode::Main() {
  if (const absl::Status opened = co_await Open(); !opened.ok()) {
    GiveUp(opened);
    co_return;
  }
  runtime::Network& network = world_.network();
  runtime::Executor* const loop = &world_.loop(0);
  registrations_.push_back(network.Serve(kAppend, loop, [this](NodeId caller, std::string entry) {
    return Append(caller, std::move(entry));
  }));
  registrations_.push_back(network.Serve(kIdle, loop, [this](NodeId caller, std::string request) {
    return Idle(caller, std::move(request));
  }));
  registrations_.push_back(network.Receive(
      kMessage, loop,
      [this](NodeId sender, const std::string& payload) { TakeMessage(sender, payload); }));
  scope_.Spawn(AppendElsewhere());
  scope_.Spawn(CallIdlers());
  scope_.Spawn(SendMessages());
}

runtime::Task<absl::Status> LedgerNode::Open() {
  const bool tiny_buffer = world_.experiments().Buggify("simulation.tiny_write_buffer");
  Opened opened = co_await runtime::RunBlocking(
      &world_.blocking(),
      [files = &world_.files(), tiny_buffer] { return OpenStore(files, tiny_buffer); });
  store_ = std::move(opened.store);
  CO_ASSIGN_OR_RETURN(const std::set<std::string> entries, std::move(opened.entries));
  for (const std::string& entry : truth_.acknowledged[world_.node()]) {
    if (entries.contains(entry)) continue;
    universe_.Fail(absl::StrCat("acknowledged is durable: node ", world_.node().value(),
                                " came back without entry ", entry));
  }
  co_return absl::OkStatus();
}

runtime::Task<absl::StatusOr<std::string>> LedgerNode::Append(NodeId, std::string entry) {
  if (!serving()) co_return absl::UnavailableError("the store is not open");
  const absl::Status written =
      co_await runtime::RunBlocking(&world_.blocking(), [store = store_.get(), entry] {
        leveldb::WriteOptions options;
        options.sync = true;
        return FromLevelDb(store->Put(options, entry, entry));
      });
  if (!written.ok()) GiveUp(written);
  CO_RETURN_IF_ERROR(written);
  co_return entry;
}

runtime::Task<absl::StatusOr<std::string>> LedgerNode::Idle(NodeId, std::string) {
  // Elements of a map stay where they are.
  int& idlers = truth_.idlers[{world_.node(), world_.incarnation()}];
  ++idlers;
  runtime::Event never;
  const absl::Status ended = co_await never.Wait();
  --idlers;
  co_return ended;
}

void LedgerNode::TakeMessage(NodeId sender, const std::string& payload) {
  uint64_t number = 0;
  if (!absl::SimpleAtoi(payload, &number) || number == 0 ||
      number > truth_.messages_sent[{sender, world_.node()}]) {
    universe_.Fail(absl::StrCat("no message is invented: node ", world_.node().value(), " got '",
                                payload, "' from node ", sender.value()));
  }
  ++messages_received_;
}

runtime::Task<void> LedgerNode::AppendElsewhere() {
  while (co_await Rest(50ms)) {
    const NodeId peer = SomePeer();
    const std::string entry = absl::StrCat(truth_.next_entry++);
    const runtime::MonotonicTime asked = universe_.now();
    const absl::StatusOr<std::string> reply =
        co_await world_.network().Call(peer, kAppend, entry, kCallTimeout);
    if (universe_.now() - asked > kCallTimeout + kCallSlack &&
        truth_.last_paused[world_.node()] < asked) {
      universe_.Fail("a call ends with its deadline");
    }
    if (!reply.ok()) continue;
    ++calls_answered_;
    if (*reply != entry) universe_.Fail("a reply is the reply to its call");
    truth_.acknowledged[peer].insert(entry);
  }
}

runtime::Task<void> LedgerNode::CallIdlers() {
  while (co_await Rest(500ms)) {
    const absl::StatusOr<std::string> reply =
        co_await world_.network().Call(SomePeer(), kIdle, "", world_.random().Uniform(1ms, 1s));
    if (reply.ok()) universe_.Fail("a handler that only waits for its cancellation gave a reply");
  }
}

runtime::Task<void> LedgerNode::SendMessages() {
  while (co_await Rest(20ms)) {
    const NodeId peer = SomePeer();
    const uint64_t number = ++truth_.messages_sent[{world_.node(), peer}];
    // A full queue is the network's right; then the number was simply never sent.
    world_.network().Send(peer, kMessage, absl::StrCat(number)).IgnoreError();
  }
}

runtime::Task<bool> LedgerNode::Rest(Duration mean) {
  const absl::Status rested = co_await runtime::SleepFor(world_.random().Exponential(mean));
  co_return rested.ok() && !truth_.quiet;
}

void LedgerNode::GiveUp(const absl::Status& why) {
  if (failed_) return;
  failed_ = true;
  world_.experiments().Probe("simulation.ledger_gave_up");
  if (universe_.tracing())
    universe_.Trace(absl::StrCat("ledger gives up: ", std::string(why.message())));
  universe_.Spawn(RestartLater(&world_));
  world_.Crash();
}

NodeId LedgerNode::SomePeer() {
  const auto last = static_cast<int64_t>(peers_.size()) - 1;
  return peers_[static_cast<size_t>(world_.random().Uniform(0, last))];
}

}  // namespace simulation

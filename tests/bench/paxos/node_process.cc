#include "tests/bench/paxos/node_process.h"

#include <signal.h>

#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "cli/bench_command.h"
#include "cli/command.h"
#include "paxos/errors.h"
#include "runtime/check.h"
#include "runtime/deadline.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "tests/bench/paxos/cluster.h"
#include "tests/bench/paxos/node.h"
#include "tests/bench/paxos/put_machine.h"
#include "tests/bench/paxos/values.h"

namespace bench {
namespace {

using namespace std::chrono_literals;
using runtime::Network;
using runtime::NodeId;
using runtime::Task;

constexpr NodeId kParent(100);
constexpr char kJoin[] = "/isochron.bench.Parent/Join";
constexpr char kPut[] = "/isochron.bench.Node/Put";
constexpr storage::GroupId kGroup(1);
constexpr runtime::Duration kStartTimeout = 30s;
constexpr runtime::Duration kPutTimeout = 10s;
constexpr runtime::Duration kPause = 2ms;

std::string FormatPorts(const std::map<NodeId, int>& ports) {
  std::string text;
  for (const auto& [node, port] : ports) {
    absl::StrAppend(&text, text.empty() ? "" : ",", node.value(), "=", port);
  }
  return text;
}

absl::StatusOr<std::map<NodeId, int>> ParsePorts(absl::string_view text) {
  std::map<NodeId, int> ports;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const std::vector<absl::string_view> sides = absl::StrSplit(part, '=');
    uint32_t node = 0;
    int port = 0;
    if (sides.size() != 2 || !absl::SimpleAtoi(sides[0], &node) ||
        !absl::SimpleAtoi(sides[1], &port)) {
      return absl::InvalidArgumentError(absl::StrCat("'", text, "' are no ports"));
    }
    ports[NodeId(node)] = port;
  }
  return ports;
}

}  // namespace

absl::StatusOr<std::unique_ptr<NodeProcesses>> NodeProcesses::Start(const std::string& parent) {
  ASSIGN_OR_RETURN(Folder folder, Folder::Make(parent));
  std::unique_ptr<NodeProcesses> nodes(new NodeProcesses(std::move(folder)));
  real::RealWorldOptions options;
  options.node = kParent;
  options.loops = 1;
  options.listen_address = "127.0.0.1:0";
  options.log = real::LogDestination::kNowhere;
  ASSIGN_OR_RETURN(nodes->world_, real::RealWorld::Create(options));
  nodes->serving_ = nodes->world_->network().Serve(
      kJoin, &nodes->world_->loop(0), [self = nodes.get()](NodeId node, std::string port) {
        return Joined(self, node, std::move(port));
      });
  for (uint32_t id = 1; id <= kNodes; ++id) RETURN_IF_ERROR(nodes->StartChild(NodeId(id)));
  RETURN_IF_ERROR(nodes->WaitForAll());
  return nodes;
}

NodeProcesses::NodeProcesses(Folder folder) : folder_(std::move(folder)) {}

NodeProcesses::~NodeProcesses() {
  if (world_ != nullptr) world_->RunUntilDone(StopServing(this));
}

Task<void> NodeProcesses::StopServing(NodeProcesses* self) {
  self->serving_.reset();
  co_return;
}

absl::Status NodeProcesses::StartChild(NodeId node) {
  const std::string directory = folder_.Sub(absl::StrCat("node", node.value()));
  const auto known = ports_.find(node);
  const int port = known == ports_.end() ? 0 : known->second;
  ASSIGN_OR_RETURN(cluster::ChildProcess child,
                   cluster::ChildProcess::Start(
                       {"/proc/self/exe", "bench", "paxos-node", "--node",
                        absl::StrCat(node.value()), "--port", absl::StrCat(port), "--parent",
                        absl::StrCat("127.0.0.1:", world_->port()), "--data", directory},
                       absl::StrCat(directory, "/output")));
  children_.insert_or_assign(node, std::move(child));
  return absl::OkStatus();
}

absl::Status NodeProcesses::WaitForAll() { return world_->RunUntilDone(AllJoined(this)); }

Task<absl::Status> NodeProcesses::AllJoined(NodeProcesses* self) {
  co_return co_await runtime::WithTimeout(kStartTimeout,
                                          [](runtime::Event* joined) -> Task<absl::Status> {
                                            co_return co_await joined->Wait();
                                          }(&self->all_joined_));
}

Task<absl::StatusOr<std::string>> NodeProcesses::Joined(NodeProcesses* self, NodeId node,
                                                        std::string port) {
  int number = 0;
  if (!absl::SimpleAtoi(port, &number)) co_return absl::InvalidArgumentError("no port");
  self->ports_[node] = number;
  self->world_->network().SetPeer(node, absl::StrCat("127.0.0.1:", number));
  if (self->ports_.size() == kNodes) self->all_joined_.Set();
  CO_RETURN_IF_ERROR(co_await self->all_joined_.Wait());
  co_return FormatPorts(self->ports_);
}

void NodeProcesses::Kill(NodeId node) {
  const auto child = children_.find(node);
  CHECK(child != children_.end()) << "node " << node.value() << " does not run";
  CHECK_EQ(::kill(child->second.pid(), SIGKILL), 0);
  child->second.Wait();
  children_.erase(child);
}

absl::Status NodeProcesses::Restart(NodeId node) { return StartChild(node); }

absl::StatusOr<NodeId> NodeProcesses::Put(runtime::Duration timeout) {
  return world_->RunUntilDone(PutWithin(this, timeout));
}

Task<absl::StatusOr<NodeId>> NodeProcesses::PutWithin(NodeProcesses* self,
                                                      runtime::Duration timeout) {
  co_return co_await runtime::WithTimeout(timeout, PutSomewhere(self));
}

Task<absl::StatusOr<NodeId>> NodeProcesses::PutSomewhere(NodeProcesses* self) {
  const std::string put = EncodePut("key", std::string(200, 'x'));
  while (true) {
    // The answer is empty, or names who may know better.
    const absl::StatusOr<std::string> answer =
        co_await self->world_->network().Call(self->leader_, kPut, put, kPutTimeout);
    if (answer.ok() && answer->empty()) co_return self->leader_;
    uint32_t other = 0;
    const bool told = answer.ok() && absl::SimpleAtoi(*answer, &other) && other != 0;
    self->leader_ = NodeId(told ? other : self->leader_.value() % kNodes + 1);
    CO_RETURN_IF_ERROR(co_await runtime::SleepFor(kPause));
  }
}

namespace {

// The child's side.

Task<absl::StatusOr<std::string>> ServePut(Node* node, std::string put) {
  if (node->host() == nullptr) co_return absl::UnavailableError("the node is starting");
  const auto group = node->host()->FindGroup(kGroup);
  if (group == nullptr) co_return absl::UnavailableError("the node is starting");
  const absl::Status done =
      (co_await group->Propose(std::move(put), runtime::Timestamp::Min())).status();
  if (done.ok()) co_return std::string();
  if (paxos::RetryOf(done) != paxos::Retry::kElsewhere) co_return done;
  co_return absl::StrCat(paxos::LeaderOf(done).value_or(NodeId(0)).value());
}

Task<absl::Status> CreateGroupOnce(Node* node, std::vector<NodeId> nodes) {
  if (node->host()->FindGroup(kGroup) != nullptr) co_return absl::OkStatus();
  co_return (co_await node->host()->CreateGroup(kGroup, paxos::Configuration::Initial(nodes)))
      .status();
}

Task<absl::Status> SleepForEver() {
  co_return co_await runtime::SleepFor(runtime::Duration::max());
}

Task<absl::StatusOr<std::string>> Join(Node* node) {
  real::RealWorld& world = node->world();
  co_return co_await world.network().Call(kParent, kJoin, absl::StrCat(world.port()),
                                          kStartTimeout);
}

absl::Status RunNode(const cli::PaxosNodeFlags& flags) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Node> node,
                   Node::Make(NodeId(static_cast<uint32_t>(flags.node)), flags.port, flags.data));
  real::RealWorld& world = node->world();
  world.network().SetPeer(kParent, flags.parent);
  ASSIGN_OR_RETURN(const std::string answer, world.RunUntilDone(Join(node.get())));
  ASSIGN_OR_RETURN(const auto ports, ParsePorts(answer));
  node->Connect(ports);
  const Network::Registration serving = world.network().Serve(
      kPut, &world.loop(0),
      [node = node.get()](NodeId, std::string put) { return ServePut(node, std::move(put)); });
  RETURN_IF_ERROR(node->Open());
  std::vector<NodeId> nodes;
  for (const auto& [id, port] : ports) nodes.push_back(id);
  RETURN_IF_ERROR(world.RunUntilDone(CreateGroupOnce(node.get(), std::move(nodes))));
  return world.RunUntilDone(SleepForEver());
}

}  // namespace
}  // namespace bench

namespace cli {

int RunPaxosNode(const PaxosNodeFlags& flags) {
  const absl::Status done = bench::RunNode(flags);
  return done.ok() ? kExitOk : Refuse(done);
}

}  // namespace cli

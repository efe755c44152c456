#include "tests/bench/paxos/node.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/deadline.h"
#include "runtime/network.h"
#include "runtime/status_macros.h"
#include "tests/bench/paxos/put_machine.h"

namespace bench {
namespace {

using namespace std::chrono_literals;
using runtime::NodeId;
using runtime::Task;

// All nodes are on one host and read the same clock. The width is of no matter here, since nothing
// waits for a commit.
constexpr runtime::Duration kEpsilon = 100us;

}  // namespace

absl::StatusOr<std::unique_ptr<Node>> Node::Make(NodeId id, int port, std::string directory,
                                                 TenantFactory make_tenant) {
  real::RealWorldOptions options;
  options.node = id;
  options.loops = 1;
  options.listen_address = absl::StrCat("127.0.0.1:", port);
  options.log_minimum = runtime::Severity::kError;
  ASSIGN_OR_RETURN(std::unique_ptr<real::RealWorld> world, real::RealWorld::Create(options));
  return std::unique_ptr<Node>(
      new Node(std::move(world), std::move(directory), std::move(make_tenant)));
}

Node::Node(std::unique_ptr<real::RealWorld> world, std::string directory, TenantFactory make_tenant)
    : world_(std::move(world)),
      directory_(std::move(directory)),
      make_tenant_(std::move(make_tenant)) {}

Node::~Node() { Close(); }

void Node::Connect(const std::map<NodeId, int>& ports) {
  for (const auto& [node, port] : ports) {
    if (node != id()) world_->network().SetPeer(node, absl::StrCat("127.0.0.1:", port));
  }
}

std::string Node::store_directory() const { return absl::StrCat(directory_, "/store"); }

paxos::HostOptions Node::Options() const {
  paxos::HostOptions options;
  options.log_directory = absl::StrCat(directory_, "/log");
  options.store.directory = store_directory();
  return options;
}

absl::Status Node::Open() { return world_->RunUntilDone(OpenHost(this)); }

Task<absl::Status> Node::OpenHost(Node* node) {
  auto source = std::make_unique<truetime::FixedSource>(node->world_.get(), kEpsilon);
  node->source_ = source.get();
  node->truetime_ = std::make_unique<truetime::TrueTime>(node->world_.get(), std::move(source),
                                                         truetime::TrueTimeOptions());
  node->world_->network().SetClockStamper(node->truetime_.get());
  node->truetime_->Start();
  CO_RETURN_IF_ERROR(co_await runtime::WithTimeout(5s, node->truetime_->WaitUntilSafe()));
  paxos::StateMachineFactory factory = [](storage::GroupId group) {
    return std::make_unique<PutMachine>(group);
  };
  if (node->make_tenant_ != nullptr) {
    node->tenant_ = node->make_tenant_(node->world_.get(), node->truetime_.get());
    factory = node->tenant_->Factory();
  }
  CO_ASSIGN_OR_RETURN(node->host_,
                      co_await paxos::Host::Open(node->world_.get(), node->truetime_.get(),
                                                 std::move(factory), node->Options()));
  if (node->tenant_ != nullptr) node->tenant_->HostOpened(node->host_.get());
  co_return absl::OkStatus();
}

void Node::SetEpsilon(runtime::Duration epsilon) {
  source_->SetEpsilon(epsilon);
  world_->loop(0).Post([this] { truetime_->PollSoon(); });
}

bool Node::HasEpsilon(runtime::Duration epsilon) const {
  const truetime::Interval now = truetime_->Now();
  return now.latest - now.earliest == 2 * epsilon;
}

void Node::Close() { world_->RunUntilDone(CloseHost(this)); }

Task<void> Node::CloseHost(Node* node) {
  if (node->tenant_ != nullptr) co_await node->tenant_->BeforeHostCloses();
  if (node->host_ != nullptr) co_await node->host_->Close();
  node->host_.reset();
  if (node->tenant_ != nullptr) co_await node->tenant_->AfterHostClosed();
  node->tenant_.reset();
  if (node->truetime_ != nullptr) co_await node->truetime_->Close();
  node->world_->network().SetClockStamper(nullptr);
  node->truetime_.reset();
}

}  // namespace bench

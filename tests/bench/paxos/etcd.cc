#include "tests/bench/paxos/etcd.h"

#include <arpa/inet.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/security/credentials.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/check.h"
#include "runtime/status_macros.h"
#include "tests/bench/paxos/etcd.pb.h"
#include "tests/bench/paxos/values.h"
#include "tests/bench/report.h"

namespace bench {
namespace {

constexpr char kProgram[] = "etcd";
constexpr int kMembers = 3;
constexpr size_t kBalanceBytes = 8;
constexpr int kConnectionsMax = 32;
constexpr double kStartSeconds = 30;

// Ports that were free a moment ago.
std::vector<int> FreePorts(int count) {
  std::vector<int> sockets;
  std::vector<int> ports;
  for (int i = 0; i < count; ++i) {
    sockets.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    CHECK_EQ(::bind(sockets.back(), reinterpret_cast<const sockaddr*>(&address), length), 0);
    CHECK_EQ(::getsockname(sockets.back(), reinterpret_cast<sockaddr*>(&address), &length), 0);
    ports.push_back(ntohs(address.sin_port));
  }
  for (const int socket : sockets) ::close(socket);
  return ports;
}

std::string Url(int port) { return absl::StrCat("http://127.0.0.1:", port); }

absl::StatusOr<etcdserverpb::StatusResponse> AskStatus(int port) {
  const auto channel =
      grpc::CreateChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials());
  const grpc::internal::RpcMethod method("/etcdserverpb.Maintenance/Status",
                                         grpc::internal::RpcMethod::NORMAL_RPC);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(1));
  const etcdserverpb::StatusRequest request;
  etcdserverpb::StatusResponse response;
  const grpc::Status status =
      grpc::internal::BlockingUnaryCall(channel.get(), method, &context, request, &response);
  if (!status.ok()) return absl::UnavailableError(status.error_message());
  return response;
}

std::string EncodePut(Values* values, size_t value_bytes) {
  etcdserverpb::PutRequest put;
  put.set_key(values->Key());
  const absl::string_view value = values->Value(value_bytes);
  put.set_value(value.data(), value.size());
  return put.SerializeAsString();
}

// One step of a transfer between two rows.
std::string EncodeTransfer(Values* values, bool reads) {
  etcdserverpb::TxnRequest txn;
  for (int row = 0; row < 2; ++row) {
    etcdserverpb::RequestOp& op = *txn.add_success();
    if (reads) {
      op.mutable_request_range()->set_key(values->Key());
    } else {
      op.mutable_request_put()->ParseFromString(EncodePut(values, kBalanceBytes));
    }
  }
  return txn.SerializeAsString();
}

}  // namespace

bool Etcd::Available() { return !cluster::FindProgram(kProgram).empty(); }

absl::StatusOr<std::unique_ptr<Etcd>> Etcd::Start(const std::string& directory) {
  const std::vector<int> ports = FreePorts(2 * kMembers);
  std::vector<std::string> all;
  for (int i = 0; i < kMembers; ++i) {
    all.push_back(absl::StrCat("m", i, "=", Url(ports[static_cast<size_t>(kMembers + i)])));
  }
  std::vector<Member> members;
  for (int i = 0; i < kMembers; ++i) {
    const int client_port = ports[static_cast<size_t>(i)];
    const std::string client = Url(client_port);
    const std::string peer = Url(ports[static_cast<size_t>(kMembers + i)]);
    const std::string name = absl::StrCat("m", i);
    ASSIGN_OR_RETURN(cluster::ChildProcess process,
                     cluster::ChildProcess::Start({cluster::FindProgram(kProgram),
                                                   "--name",
                                                   name,
                                                   "--data-dir",
                                                   absl::StrCat(directory, "/", name),
                                                   "--listen-client-urls",
                                                   client,
                                                   "--advertise-client-urls",
                                                   client,
                                                   "--listen-peer-urls",
                                                   peer,
                                                   "--initial-advertise-peer-urls",
                                                   peer,
                                                   "--initial-cluster",
                                                   absl::StrJoin(all, ","),
                                                   "--initial-cluster-state",
                                                   "new",
                                                   "--quota-backend-bytes",
                                                   "8000000000",
                                                   "--logger",
                                                   "zap",
                                                   "--log-level",
                                                   "error"},
                                                  absl::StrCat(directory, "/", name, ".log")));
    members.push_back({std::move(process), client_port});
  }
  std::unique_ptr<Etcd> etcd(new Etcd(std::move(members)));
  ASSIGN_OR_RETURN(etcd->leader_port_, etcd->FindLeader());
  return etcd;
}

absl::StatusOr<int> Etcd::FindLeader() const {
  const double give_up = Now() + kStartSeconds;
  while (Now() < give_up) {
    int known = 0;
    int port = 0;
    for (const Member& member : members_) {
      const absl::StatusOr<etcdserverpb::StatusResponse> status = AskStatus(member.client_port);
      if (!status.ok() || status->leader() == 0) continue;
      ++known;
      if (status->leader() == status->header().member_id()) port = member.client_port;
    }
    if (known == kMembers && port != 0) return port;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return absl::UnavailableError("etcd was started, and its members found no leader");
}

double Etcd::PutsPerSecond(int clients, size_t value_bytes, double seconds) {
  Values values(1, value_bytes);
  return CallsPerSecond("/etcdserverpb.KV/Put", clients, seconds,
                        [&] { return EncodePut(&values, value_bytes); });
}

double Etcd::TransfersPerSecond(int clients, double seconds) {
  Values values(1, kBalanceBytes);
  bool reads = false;
  // Half of the calls read.
  return CallsPerSecond("/etcdserverpb.KV/Txn", clients, seconds,
                        [&] {
                          reads = !reads;
                          return EncodeTransfer(&values, reads);
                        }) /
         2;
}

double Etcd::CallsPerSecond(const std::string& path, int clients, double seconds,
                            const std::function<std::string()>& next) {
  const int count = std::min(clients, kConnectionsMax);
  std::vector<std::unique_ptr<Http2Calls>>& connections = connections_[path];
  while (static_cast<int>(connections.size()) < count) {
    connections.push_back(std::make_unique<Http2Calls>(leader_port_, path));
  }
  std::vector<pollfd> polled;
  for (int i = 0; i < count; ++i) {
    polled.push_back({connections[static_cast<size_t>(i)]->socket(), POLLIN, 0});
  }
  const double begin = Now();
  const double end = begin + seconds;
  uint64_t answered = 0;
  int under_way = 0;
  for (int i = 0; i < clients; ++i) {
    connections[static_cast<size_t>(i % count)]->Start(next());
    ++under_way;
  }
  for (int i = 0; i < count; ++i) connections[static_cast<size_t>(i)]->Flush();
  double now = begin;
  while (under_way > 0) {
    ::poll(polled.data(), polled.size(), -1);
    now = Now();
    for (size_t i = 0; i < polled.size(); ++i) {
      if (polled[i].revents == 0) continue;
      const int done = connections[i]->Read();
      under_way -= done;
      // What is answered after the end only empties the pipeline.
      if (now < end) {
        answered += static_cast<uint64_t>(done);
        for (int call = 0; call < done; ++call) {
          connections[i]->Start(next());
          ++under_way;
        }
      }
      connections[i]->Flush();
    }
  }
  return static_cast<double>(answered) / seconds;
}

}  // namespace bench

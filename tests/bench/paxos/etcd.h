// Etcd: a cluster of three etcd members on this machine, and the load that its leader bears.
#ifndef TESTS_BENCH_PAXOS_ETCD_H_
#define TESTS_BENCH_PAXOS_ETCD_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/paxos/http2_calls.h"
#include "tests/cluster/child_process.h"

namespace bench {

class Etcd {
 public:
  // Whether Debian's package etcd-server is installed.
  static bool Available();
  // Three members, their data in `directory`, synced as they come. UNAVAILABLE with a sentence if
  // they do not come up.
  static absl::StatusOr<std::unique_ptr<Etcd>> Start(const std::string& directory);

  // Puts a second at the leader, where they cost the least: of random keys, `clients` at a time on
  // at most 32 connections, for `seconds`.
  double PutsPerSecond(int clients, size_t value_bytes, double seconds);
  // Transfers a second: two rows are read in one transaction and written in the next, without even
  // comparing their versions, by `clients` at a time for `seconds`.
  double TransfersPerSecond(int clients, double seconds);

 private:
  // Sends what `next` gives, `clients` at a time, to `path`; how many are answered in a second.
  double CallsPerSecond(const std::string& path, int clients, double seconds,
                        const std::function<std::string()>& next);
  struct Member {
    cluster::ChildProcess process;
    int client_port;
  };
  explicit Etcd(std::vector<Member> members) : members_(std::move(members)) {}

  // The port of the leader, once each member knows one.
  absl::StatusOr<int> FindLeader() const;

  std::vector<Member> members_;
  int leader_port_ = 0;
  std::map<std::string, std::vector<std::unique_ptr<Http2Calls>>> connections_;  // By path.
};

}  // namespace bench

#endif  // TESTS_BENCH_PAXOS_ETCD_H_

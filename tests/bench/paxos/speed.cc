// How fast one group commits: one client alone, and many at a time.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "runtime/status_macros.h"
#include "tests/bench/paxos/baselines.h"
#include "tests/bench/paxos/cluster.h"
#include "tests/bench/paxos/etcd.h"
#include "tests/bench/paxos/load.h"
#include "tests/bench/paxos/parts.h"

namespace bench {
namespace {

constexpr storage::GroupId kGroup(1);
constexpr int kWriters = 128;
constexpr int kCommits = 400;  // Of one client, for a sample.
constexpr int kCommitRounds = 15;
constexpr int kRounds = 5;

// A cluster with one group, and its leader.
struct OneGroup {
  std::unique_ptr<Cluster> cluster;
  Node* leader = nullptr;
};

absl::StatusOr<OneGroup> StartOneGroup(const Bench& bench) {
  OneGroup one;
  ASSIGN_OR_RETURN(one.cluster, Cluster::Start(bench.directory));
  RETURN_IF_ERROR(one.cluster->CreateGroups(kGroup.value(), kGroup.value()));
  ASSIGN_OR_RETURN(one.leader, one.cluster->FindLeader(kGroup));
  return one;
}

absl::StatusOr<double> CommitMicroseconds(Node* leader, size_t value_bytes) {
  Latencies latencies;
  RETURN_IF_ERROR(leader->world()
                      .RunUntilDone(RunLoad(leader, {.group = kGroup,
                                                     .value_bytes = value_bytes,
                                                     .proposals = kCommits,
                                                     .latencies = &latencies}))
                      .status());
  return latencies.Median();
}

absl::StatusOr<double> ProposalsPerSecond(Node* leader, const cli::PaxosBenchFlags& flags) {
  ASSIGN_OR_RETURN(const LoadResult result,
                   leader->world().RunUntilDone(
                       RunLoad(leader, {.group = kGroup,
                                        .outstanding = flags.outstanding,
                                        .value_bytes = static_cast<size_t>(flags.value_bytes),
                                        .seconds = flags.seconds})));
  return result.per_second();
}

std::string ThroughputFigure(const Bench& bench) {
  return absl::StrCat("proposals of ", bench.flags.value_bytes, " bytes, ", bench.flags.outstanding,
                      " outstanding");
}

}  // namespace

absl::Status MeasureCommit(Bench* bench) {
  ASSIGN_OR_RETURN(const OneGroup one, StartOneGroup(*bench));
  const auto value_bytes = static_cast<size_t>(bench->flags.value_bytes);
  SyncedFile file(one.cluster->folder().path());
  MessagePingPong messages;
  double synced = 0;
  double there_and_back = 0;
  bench->report.Compare({"commit, one client, median", "fdatasync + stream round trip", "us",
                         [&] { return bench->Take(CommitMicroseconds(one.leader, value_bytes)); },
                         [&] {
                           synced = file.Microseconds(kCommits, value_bytes);
                           there_and_back = messages.Microseconds(kCommits, value_bytes);
                           return synced + there_and_back;
                         },
                         Report::Target::kAtMost, 2.5, kCommitRounds});
  return bench->error;
}

absl::Status MeasureThroughput(Bench* bench) {
  ASSIGN_OR_RETURN(const OneGroup one, StartOneGroup(*bench));
  SyncedLevelDb leveldb(one.cluster->folder().Sub("leveldb"));
  bench->report.Compare(
      {ThroughputFigure(*bench), absl::StrCat("LevelDB, ", kWriters, " synced writers"), "1/s",
       [&] { return bench->Take(ProposalsPerSecond(one.leader, bench->flags)); },
       [&] {
         return leveldb.WritesPerSecond(kWriters, static_cast<size_t>(bench->flags.value_bytes),
                                        bench->flags.seconds);
       },
       Report::Target::kAtLeast, 0.3, kRounds});
  return bench->error;
}

absl::Status MeasureAgainstEtcd(Bench* bench) {
  if (!Etcd::Available()) {
    std::fprintf(stderr, "etcd is left out: Debian's package etcd-server is not installed\n");
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const OneGroup one, StartOneGroup(*bench));
  ASSIGN_OR_RETURN(const std::unique_ptr<Etcd> etcd,
                   Etcd::Start(one.cluster->folder().Sub("etcd")));
  bench->report.Compare({ThroughputFigure(*bench),
                         absl::StrCat("etcd x 3, ", bench->flags.outstanding, " clients"), "1/s",
                         [&] { return bench->Take(ProposalsPerSecond(one.leader, bench->flags)); },
                         [&] {
                           return etcd->PutsPerSecond(bench->flags.outstanding,
                                                      static_cast<size_t>(bench->flags.value_bytes),
                                                      bench->flags.seconds);
                         },
                         Report::Target::kAtLeast, 1.2, kRounds});
  return bench->error;
}

}  // namespace bench

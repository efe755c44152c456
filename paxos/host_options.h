// The settings of a host and of what it consists of.
#ifndef PAXOS_HOST_OPTIONS_H_
#define PAXOS_HOST_OPTIONS_H_

#include <cstddef>
#include <string>

#include "paxos/kernel/options.h"
#include "runtime/time.h"
#include "storage/log_store.h"
#include "storage/store.h"

namespace paxos {

struct HostOptions {
  // Of all groups; `self` is each one's own.
  ReplicaOptions replica;
  std::string log_directory = "log";
  storage::LogStoreOptions log;
  // Its directory is "store" by default; `state_changed` is the host's own.
  storage::StoreOptions store;

  // What is due in more than two periods is done in the same turn for all groups, at the end of a
  // period, so that what they send to one node goes together. 0: a thirtieth of the lease.
  Duration tick_period{0};

  // How much of a group's log stays behind what is applied, so that followers that were away for a
  // while need no snapshot; and how often it is looked after.
  size_t log_retained_bytes = 16 << 20;
  // While a snapshot is being given, what was written after it stays up to this size. Otherwise who
  // gets it needs another one as soon as it is there, and with steady writes yet another one.
  size_t log_given_bytes_max = 1 << 30;
  Duration cut_period = std::chrono::seconds(1);
  // How often versions that nobody can read any more are looked for: soon, so that they go by and
  // by, most of them before LevelDB has moved them around. But a look at all rows may take long, and
  // between two it rests at least `collect_rest` times as long as the last one took.
  Duration collect_period = std::chrono::seconds(1);
  int collect_rest = 10;

  // What nobody waits for is applied together with what comes in this time.
  Duration apply_pause = std::chrono::milliseconds(2);
  // Of a batch that is applied at once.
  size_t apply_bytes_max = 1 << 20;
  // Of one answer to a follower that catches up, and of a snapshot's chunk.
  size_t fetch_bytes_max = 1 << 20;
  size_t snapshot_chunk_bytes_max = 1 << 20;
  Duration call_timeout = std::chrono::seconds(2);
  // Of one that reads a chunk, which is large, from a disk.
  Duration chunk_timeout() const { return 4 * call_timeout; }
  // Between two attempts to catch up when no member answers.
  Duration catch_up_pause = std::chrono::milliseconds(200);

  // Snapshots that are given, and taken, at the same time. One that nobody asked for in
  // `snapshot_idle_max` is dropped.
  size_t snapshots_out_max = 4;
  size_t snapshots_in_max = 2;
  Duration snapshot_idle_max = std::chrono::seconds(30);

  // What may wait for the log; past it messages are dropped, to be sent again.
  size_t save_bytes_max = 32 << 20;
  // Groups whose leaders are asked at the same time whether this node is to join; and how long an
  // answer of no stands.
  size_t joins_max = 16;
  Duration join_pause = std::chrono::milliseconds(500);
  // How long a proposal waits for a lease to be renewed, or for a planned hand-over.
  Duration hand_over_max = std::chrono::seconds(1);
};

}  // namespace paxos

#endif  // PAXOS_HOST_OPTIONS_H_

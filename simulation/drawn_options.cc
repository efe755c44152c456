#include "simulation/drawn_options.h"

namespace simulation {

using runtime::Duration;
using runtime::operator""ms;
using runtime::operator""s;

paxos::HostOptions DrawHostOptions(runtime::Random* random) {
  paxos::HostOptions host;
  const Duration lease = OneOf<Duration>(random, {1s, 2s, 3s});
  host.replica.lease = lease;
  host.replica.renew_every = lease / 4;
  host.replica.stall_max = lease / 4;
  host.replica.tell_after = OneOf<Duration>(random, {0ms, 2ms, 50ms});
  host.replica.candidacy_max = lease / 6;
  host.replica.open_slots_max = OneOf<size_t>(random, {4, 16, 256, 4096});
  host.replica.open_bytes_max = OneOf<size_t>(random, {8 << 10, 64 << 10, 8 << 20});
  host.replica.message_bytes_max = OneOf<size_t>(random, {256, 4 << 10, 512 << 10});
  host.log.segment_bytes = OneOf<size_t>(random, {16 << 10, 64 << 10, 1 << 20});
  host.log.batch_bytes_max = OneOf<size_t>(random, {1 << 10, 16 << 10, 1 << 20});
  host.log.cache_bytes_max = OneOf<size_t>(random, {0, 4 << 10, 1 << 20});
  host.store.write_buffer_bytes = OneOf<size_t>(random, {64 << 10, 256 << 10});
  host.store.block_cache_bytes = 256 << 10;
  host.log_retained_bytes = OneOf<size_t>(random, {0, 2 << 10, 32 << 10, 16 << 20});
  host.collect_period = OneOf<Duration>(random, {300ms, 1s, 10s});
  host.cut_period = OneOf<Duration>(random, {200ms, 1s, 5s});
  host.apply_pause = OneOf<Duration>(random, {0ms, 2ms, 20ms});
  host.apply_bytes_max = OneOf<size_t>(random, {1, 1 << 10, 1 << 20});
  host.fetch_bytes_max = OneOf<size_t>(random, {256, 4 << 10, 1 << 20});
  host.snapshot_chunk_bytes_max = OneOf<size_t>(random, {256, 4 << 10, 1 << 20});
  host.call_timeout = OneOf<Duration>(random, {300ms, 1s, 2s});
  host.join_pause = 200ms;
  return host;
}

}  // namespace simulation

// Settings that are drawn for a run: extreme ones as well, so that what is rare in production is not
// rare here.
#ifndef SIMULATION_DRAWN_OPTIONS_H_
#define SIMULATION_DRAWN_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "paxos/host_options.h"
#include "runtime/random.h"

namespace simulation {

// One of the values, drawn.
template <typename T>
T OneOf(runtime::Random* random, const std::vector<T>& values) {
  return values[static_cast<size_t>(random->Uniform(0, static_cast<int64_t>(values.size()) - 1))];
}

// Leases of seconds, so that a run sees many of them.
paxos::HostOptions DrawHostOptions(runtime::Random* random);

}  // namespace simulation

#endif  // SIMULATION_DRAWN_OPTIONS_H_

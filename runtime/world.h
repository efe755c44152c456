// World: the one door from a node to everything outside it.
//
// Time, randomness, threads, network, disk and logs are asked for here and nowhere else, so that
// the same code runs on a real machine (runtime/real) and in the simulator (runtime/simulated),
// where one 64-bit seed decides all that a World answers. Nothing above runtime/real starts a
// thread, reads a clock, sleeps, opens a file or a socket, or draws a random number by other means;
// tests/house_rules checks that.
//
// One World is one node. It outlives everything the node makes. Its parts may be used from any of
// its executors, except random(), which belongs to the executor it is asked for.
#ifndef RUNTIME_WORLD_H_
#define RUNTIME_WORLD_H_

#include "runtime/strong_id.h"

namespace leveldb {
class Env;
}

namespace runtime {

class Blocking;
class Clocks;
class Datagrams;
class Executor;
class Experiments;
class Log;
class Metrics;
class Network;
class Random;

class World {
 public:
  virtual ~World() = default;

  virtual NodeId node() const = 0;

  // The node's event loops: one per core in the real world. At least one. loop(0) is where a node
  // starts.
  virtual int loop_count() const = 0;
  virtual Executor& loop(int index) = 0;

  virtual Clocks& clocks() = 0;
  virtual Network& network() = 0;
  virtual Datagrams& datagrams() = 0;
  // A write-ahead log ("*.log") is synced when it is closed, so that what a store recovers is a
  // prefix of what was written. A segment of a log ("*.segment") that was not closed may have zeros
  // behind what was written.
  virtual leveldb::Env& files() = 0;
  virtual Blocking& blocking() = 0;
  virtual Log& log() = 0;
  virtual Metrics& metrics() = 0;
  virtual Experiments& experiments() = 0;

  // The current executor's stream of random numbers.
  virtual Random& random() = 0;
};

}  // namespace runtime

#endif  // RUNTIME_WORLD_H_

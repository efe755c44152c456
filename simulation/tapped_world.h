// TappedWorld: a simulated node's World in which somebody listens to what the node sends. All else
// goes straight through, so that the program under test cannot tell.
#ifndef SIMULATION_TAPPED_WORLD_H_
#define SIMULATION_TAPPED_WORLD_H_

#include <functional>
#include <string>
#include <utility>

#include "runtime/network.h"
#include "runtime/simulated/node_world.h"
#include "runtime/world.h"

namespace simulation {

// Hears each one-way message that leaves for another node.
using MessageTap = std::function<void(runtime::MessageKind kind, const std::string& payload)>;

class TappedNetwork final : public runtime::Network {
 public:
  TappedNetwork(simulated::NodeWorld* node, MessageTap tap) : node_(*node), tap_(std::move(tap)) {}

  runtime::NodeId self() const override { return node_.node(); }
  void SetPeer(runtime::NodeId peer, std::string address) override {
    under().SetPeer(peer, std::move(address));
  }
  runtime::Task<absl::StatusOr<std::string>> Call(runtime::NodeId peer, std::string method,
                                                  std::string request, runtime::Duration timeout,
                                                  runtime::Lane lane) override {
    return under().Call(peer, std::move(method), std::move(request), timeout, lane);
  }
  Registration Serve(std::string method, runtime::Executor* executor,
                     CallHandler handler) override {
    return under().Serve(std::move(method), executor, std::move(handler));
  }
  absl::Status Send(runtime::NodeId peer, runtime::MessageKind kind, std::string payload) override {
    if (peer != self()) tap_(kind, payload);
    return under().Send(peer, kind, std::move(payload));
  }
  runtime::Task<absl::Status> Writable(runtime::NodeId peer) override {
    return under().Writable(peer);
  }
  Registration Receive(runtime::MessageKind kind, runtime::Executor* executor,
                       MessageHandler handler) override {
    return under().Receive(kind, executor, std::move(handler));
  }
  void SetClockStamper(runtime::ClockStamper* stamper) override {
    under().SetClockStamper(stamper);
  }

 private:
  runtime::Network& under() { return node_.network(); }

  simulated::NodeWorld& node_;
  const MessageTap tap_;
};

class TappedWorld final : public runtime::World {
 public:
  // `node` outlives it.
  TappedWorld(simulated::NodeWorld* node, MessageTap tap)
      : node_(*node), network_(node, std::move(tap)) {}

  runtime::NodeId node() const override { return node_.node(); }
  int loop_count() const override { return node_.loop_count(); }
  runtime::Executor& loop(int index) override { return node_.loop(index); }
  runtime::Clocks& clocks() override { return node_.clocks(); }
  runtime::Network& network() override { return network_; }
  runtime::Datagrams& datagrams() override { return node_.datagrams(); }
  leveldb::Env& files() override { return node_.files(); }
  runtime::Blocking& blocking() override { return node_.blocking(); }
  runtime::Log& log() override { return node_.log(); }
  runtime::Metrics& metrics() override { return node_.metrics(); }
  runtime::Experiments& experiments() override { return node_.experiments(); }
  runtime::Random& random() override { return node_.random(); }

 private:
  simulated::NodeWorld& node_;
  TappedNetwork network_;
};

}  // namespace simulation

#endif  // SIMULATION_TAPPED_WORLD_H_

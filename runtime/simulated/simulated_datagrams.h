// Datagrams in the simulated world: scripted local daemons, and what a node's program asks them.
//
// DatagramHost belongs to the machine: its responders are other processes there, which answer while
// the node's program is paused, and outlive its crashes. SimulatedDatagrams is one incarnation's.
#ifndef RUNTIME_SIMULATED_SIMULATED_DATAGRAMS_H_
#define RUNTIME_SIMULATED_SIMULATED_DATAGRAMS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "runtime/datagrams.h"
#include "runtime/random.h"
#include "runtime/simulated/completion.h"
#include "runtime/simulated/scheduler.h"

namespace simulated {

// A daemon: the answer to a request, at the moment that it arrives. An error status is what the
// asker gets in place of an answer. Silence is DatagramFaults::loss.
using DatagramResponder = std::function<absl::StatusOr<std::string>(std::string request)>;

struct DatagramFaults {
  // Each way: delay_min plus an exponential draw.
  Duration delay_min = 5us;
  Duration delay_mean = 20us;
  // Each way.
  double loss = 0;
};

class DatagramHost {
 public:
  DatagramHost(Scheduler* scheduler, NodeId node, uint64_t seed);
  DatagramHost(const DatagramHost&) = delete;
  DatagramHost& operator=(const DatagramHost&) = delete;

  // Replaces who answers at `address`; null: nobody.
  void SetResponder(std::string address, DatagramResponder responder);
  DatagramFaults& faults() { return faults_; }

  void Ask(std::string address, std::string request,
           Completion<absl::StatusOr<std::string>> answer);

 private:
  Duration DrawDelay();

  Scheduler& scheduler_;
  const NodeId node_;
  runtime::Random random_;
  DatagramFaults faults_;
  std::map<std::string, DatagramResponder> responders_;
};

class SimulatedDatagrams final : public runtime::Datagrams {
 public:
  explicit SimulatedDatagrams(DatagramHost* host) : host_(*host) {}

  runtime::Task<absl::StatusOr<std::string>> Exchange(std::string address, std::string request,
                                                      Duration timeout) override;

 private:
  DatagramHost& host_;
};

}  // namespace simulated

#endif  // RUNTIME_SIMULATED_SIMULATED_DATAGRAMS_H_

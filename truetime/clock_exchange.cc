#include "truetime/clock_exchange.h"

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "runtime/executor.h"
#include "runtime/sleep.h"

namespace truetime {
namespace {

constexpr char kWhatTimeIsIt[] = "/isochron.truetime.Clock/WhatTimeIsIt";

// The stamps of call and reply are all there is to say.
runtime::Task<absl::StatusOr<std::string>> Answer(runtime::NodeId, std::string) { co_return ""; }

}  // namespace

ClockExchange::ClockExchange(runtime::World* world, ClockExchangeOptions options)
    : world_(*world), options_(options), scope_(runtime::Executor::Current()) {
  answering_ = world_.network().Serve(kWhatTimeIsIt, &runtime::Executor::Current(), Answer);
}

void ClockExchange::SetPeers(std::vector<runtime::NodeId> peers) {
  std::erase(peers, world_.node());
  peers_ = std::move(peers);
}

void ClockExchange::Start() { scope_.Spawn(AskInTurn()); }

runtime::Task<void> ClockExchange::Close() { co_await scope_.Close(); }

runtime::Task<void> ClockExchange::AskInTurn() {
  while (true) {
    const auto turns = static_cast<int64_t>(peers_.empty() ? 1 : peers_.size());
    if (!(co_await runtime::SleepFor(options_.each_within / turns)).ok()) co_return;
    if (peers_.empty()) continue;
    next_ = (next_ + 1) % peers_.size();
    // Those that do not answer do not hold up the others.
    scope_.Spawn(Ask(peers_[next_]));
  }
}

runtime::Task<void> ClockExchange::Ask(runtime::NodeId peer) {
  (co_await world_.network().Call(peer, kWhatTimeIsIt, "", options_.call_timeout)).IgnoreError();
}

}  // namespace truetime

#include "simulation/register_client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/experiments.h"
#include "runtime/network.h"
#include "runtime/sleep.h"

namespace simulation {
namespace {

using runtime::Duration;
using runtime::MonotonicTime;
using runtime::NodeId;
using runtime::operator""ms;
using runtime::operator""s;
using storage::GroupId;
using workload::RegisterAction;

// Before the same is asked of the same node again.
constexpr Duration kPause = 20ms;

}  // namespace

RegisterClient::RegisterClient(simulated::Universe* universe, runtime::World* world,
                               PaxosTruth* truth, RegisterClientOptions options)
    : universe_(*universe), world_(*world), truth_(*truth), options_(std::move(options)) {}

runtime::Task<void> RegisterClient::Run() {
  while ((co_await runtime::SleepFor(world_.random().Exponential(options_.rest))).ok() &&
         !truth_.quiet) {
    co_await DoSomething();
  }
}

runtime::Task<void> RegisterClient::DoSomething() {
  const auto which = world_.random().Uniform(0, static_cast<int64_t>(truth_.groups.size()) - 1);
  const GroupId group = std::next(truth_.groups.begin(), which)->first;
  std::string key = absl::StrCat("k", world_.random().Uniform(1, options_.keys));
  const double kind = world_.random().Fraction();
  if (kind < 0.4) {
    co_await Command(group, SomeCommand(group, std::move(key)));
  } else if (kind < 0.8) {
    co_await Read(group, std::move(key));
  } else {
    co_await ReadAsOf(group, std::move(key));
  }
}

RegisterCommand RegisterClient::SomeCommand(GroupId group, std::string key) {
  RegisterCommand command{.key = std::move(key)};
  if (world_.random().Chance(0.5)) {
    command.action = RegisterAction::kCompareAndSet;
    command.expected = seen_[{group, command.key}];
  }
  if (world_.random().Chance(0.93)) command.written = NewValue();
  return command;
}

std::string RegisterClient::NewValue() {
  const auto length = static_cast<size_t>(world_.random().Uniform(0, options_.value_bytes_max));
  return absl::StrCat(truth_.next_value++, ":", std::string(length, 'v'));
}

Duration RegisterClient::SomeOffset() {
  if (world_.random().Chance(0.9)) return {};
  // As a participant of a transaction has it whose timestamp another group's clock made.
  return world_.random().Chance(0.8) ? world_.random().Exponential(20ms)
                                     : world_.random().Uniform(0s, 3s);
}

MonotonicTime RegisterClient::Deadline() const { return universe_.now() + options_.operation_max; }

std::string RegisterClient::HistoryKey(GroupId group, absl::string_view key) {
  return absl::StrCat("g", group.value(), "/", std::string(key));
}

runtime::Task<bool> RegisterClient::Command(GroupId group, RegisterCommand command) {
  const size_t operation = truth_.history.Invoked({.client = options_.id,
                                                   .key = HistoryKey(group, command.key),
                                                   .action = command.action,
                                                   .written = command.written,
                                                   .expected = command.expected,
                                                   .invoked = universe_.now()});
  RegisterRequest request{.ask = RegisterAsk::kCommand, .group = group, .command = command};
  request.offset = SomeOffset();
  const std::optional<RegisterReply> reply =
      co_await Ask(std::move(request), /*harmless=*/false, Deadline());
  if (!reply.has_value()) co_return false;
  if (!reply->ok) {
    truth_.history.Failed(operation, universe_.now());
    co_return false;
  }
  const RegisterResult& result = reply->result;
  truth_.group(group).Acknowledged(reply->slot, reply->timestamp, command, result);
  if (result.took_effect) {
    truth_.history.Succeeded(operation, result.found, universe_.now());
  } else {
    truth_.history.Mismatched(operation, result.found, universe_.now());
  }
  seen_[{group, command.key}] = result.took_effect ? command.written : result.found;
  co_return true;
}

runtime::Task<bool> RegisterClient::Read(GroupId group, std::string key) {
  const size_t operation = truth_.history.Invoked(
      {.client = options_.id, .key = HistoryKey(group, key), .invoked = universe_.now()});
  RegisterRequest request{.ask = RegisterAsk::kRead, .group = group, .key = key};
  const std::optional<RegisterReply> reply =
      co_await Ask(std::move(request), /*harmless=*/true, Deadline());
  if (!reply.has_value() || !reply->ok) {
    truth_.history.Failed(operation, universe_.now());
    co_return false;
  }
  truth_.group(group).ReadNewest(key, reply->timestamp, reply->result.found);
  truth_.history.Succeeded(operation, reply->result.found, universe_.now());
  seen_[{group, key}] = reply->result.found;
  co_return true;
}

runtime::Task<void> RegisterClient::ReadAsOf(GroupId group, std::string key) {
  RegisterRequest request{.ask = RegisterAsk::kReadPinned, .group = group, .key = key};
  if (world_.random().Chance(0.6)) {
    request.ask = RegisterAsk::kReadAt;
    request.offset = world_.random().Chance(0.5) ? Duration{} : world_.random().Uniform(1ms, 5s);
    target_ = SomeNode();
  }
  const std::optional<RegisterReply> reply =
      co_await Ask(std::move(request), /*harmless=*/true, universe_.now() + 1s);
  if (!reply.has_value() || !reply->ok) co_return;
  world_.experiments().Probe("simulation.read_as_of");
  // What it was then is what it always was then, wherever it is asked.
  truth_.group(group).ReadAt(key, reply->timestamp, reply->result.found);
}

runtime::Task<absl::Status> RegisterClient::ProveAlive(GroupId group) {
  const std::string key = absl::StrCat("k", world_.random().Uniform(1, options_.keys));
  while (!(co_await Command(group, {.key = key, .written = NewValue()}))) {
    if (const absl::Status paused = co_await runtime::SleepFor(kPause); !paused.ok()) {
      co_return paused;
    }
  }
  while (!(co_await Read(group, key))) {
    if (const absl::Status paused = co_await runtime::SleepFor(kPause); !paused.ok()) {
      co_return paused;
    }
  }
  co_return absl::OkStatus();
}

NodeId RegisterClient::SomeNode() {
  const auto last = static_cast<int64_t>(options_.nodes.size()) - 1;
  return options_.nodes[static_cast<size_t>(world_.random().Uniform(0, last))];
}

void RegisterClient::Turn(const RegisterReply& refusal) {
  if (refusal.retry != paxos::Retry::kElsewhere) return;
  target_ = refusal.leader == target_ ? NodeId() : refusal.leader;
}

runtime::Task<std::optional<RegisterReply>> RegisterClient::Ask(RegisterRequest request,
                                                                bool harmless,
                                                                MonotonicTime deadline) {
  const std::string text = EncodeRequest(request);
  while (universe_.now() < deadline) {
    if (target_ == NodeId()) target_ = SomeNode();
    const absl::StatusOr<std::string> answer =
        co_await world_.network().Call(target_, kRegisterCall, text, options_.call_timeout);
    if (answer.ok()) {
      const absl::StatusOr<RegisterReply> reply = DecodeReply(*answer);
      if (!reply.ok()) {
        universe_.Fail(absl::StrCat("a node answered what is no reply: '", *answer, "'"));
        co_return std::nullopt;
      }
      if (reply->ok) co_return *reply;
      if (reply->retry == paxos::Retry::kNever) co_return *reply;
      if (reply->retry == paxos::Retry::kUnknown && !harmless) co_return std::nullopt;
      Turn(*reply);
    } else {
      // The handler may have run, unless it says that there was none, or no room for it.
      const bool ran =
          !absl::IsUnimplemented(answer.status()) && !absl::IsResourceExhausted(answer.status());
      target_ = NodeId();
      if (ran && !harmless) co_return std::nullopt;
    }
    if (!(co_await runtime::SleepFor(kPause)).ok()) break;
  }
  co_return Refusal(paxos::Retry::kHere, "out of time");
}

}  // namespace simulation

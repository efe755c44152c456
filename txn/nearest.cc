#include "txn/nearest.h"

#include <algorithm>
#include <tuple>

namespace txn {

using runtime::Duration;
using runtime::MonotonicTime;
using runtime::NodeId;
using runtime::operator""ms;
using runtime::operator""s;
using storage::GroupId;

namespace {

// Of a node that was never heard of: near, so that it is tried.
constexpr Duration kRoundTripAssumed = 1ms;
// Of a replica that was not: what is older than this is tried at the nearest.
constexpr Duration kLagAssumed = 1s;
// A lag is believed for so long.
constexpr Duration kLagKept = 5s;
// Who did not answer comes last for so long.
constexpr Duration kSilenceKept = 1s;
// The weight of what is new.
constexpr int64_t kWeight = 4;

}  // namespace

void Nearest::Mix(Duration value, MonotonicTime now, std::optional<Guess>* guess) {
  const Duration mixed = *guess ? (*guess)->value + (value - (*guess)->value) / kWeight : value;
  *guess = {mixed, now};
}

void Nearest::Answered(NodeId node, Duration round_trip, MonotonicTime now) {
  silent_.erase(node);
  Mix(round_trip, now, &round_trips_[node]);
}

void Nearest::Silent(NodeId node, MonotonicTime now) { silent_[node] = now; }

void Nearest::Behind(GroupId group, NodeId node, Duration lag, MonotonicTime now) {
  std::optional<Guess>& guess = lags_[{group, node}];
  if (guess && now - guess->at > kLagKept) guess.reset();
  Mix(std::max(lag, Duration(0)), now, &guess);
}

std::vector<Nearest::Candidate> Nearest::Order(const Question& question, MonotonicTime now) const {
  std::vector<std::tuple<bool, Duration, Candidate>> ranked;
  for (const NodeId node : question.nodes) {
    Candidate candidate{.node = node};
    if (node != question.leader) {
      const auto lag = lags_.find({question.group, node});
      const bool known = lag != lags_.end() && now - lag->second->at <= kLagKept;
      const Duration behind = known ? lag->second->value : kLagAssumed;
      candidate.wait = std::max(behind - question.ago, Duration(0));
    }
    candidate.all = candidate.wait;
    if (node != question.self) {
      const auto round_trip = round_trips_.find(node);
      candidate.all +=
          round_trip == round_trips_.end() ? kRoundTripAssumed : round_trip->second->value;
    }
    const auto silent = silent_.find(node);
    const bool is_silent = silent != silent_.end() && now - silent->second <= kSilenceKept;
    ranked.emplace_back(is_silent, candidate.all, candidate);
  }
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
    const auto& [a_silent, a_all, a_candidate] = a;
    const auto& [b_silent, b_all, b_candidate] = b;
    return std::tie(a_silent, a_all, a_candidate.node) <
           std::tie(b_silent, b_all, b_candidate.node);
  });
  std::vector<Candidate> order;
  order.reserve(ranked.size());
  for (const auto& [silent, all, candidate] : ranked) order.push_back(candidate);
  return order;
}

}  // namespace txn

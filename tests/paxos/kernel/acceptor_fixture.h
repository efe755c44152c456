// An acceptor alone, with its window and outbox, for tests that quote papers.
#ifndef TESTS_PAXOS_KERNEL_ACCEPTOR_FIXTURE_H_
#define TESTS_PAXOS_KERNEL_ACCEPTOR_FIXTURE_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "paxos/kernel/acceptor.h"

namespace paxos {

inline constexpr Duration kLease{3000};

inline Entry Command(const std::string& text, int64_t timestamp) {
  return {.kind = EntryKind::kCommand,
          .timestamp = Timestamp(timestamp),
          .command = std::make_shared<const std::string>(text),
          .configuration = nullptr};
}

// At true time `now`, by a clock that is right to 5.
inline Moment At(int64_t now) {
  return {.now = truetime::Interval::Around(Timestamp(now), Duration(5)),
          .time_safe = true,
          .monotonic = MonotonicTime(now)};
}

class AcceptorFixture {
 public:
  explicit AcceptorFixture(HardState state = {})
      : acceptor_(&options_, std::move(state), &window_, &outbox_, &counts_) {}

  // What it answers, once all is on the disk.
  std::optional<Body> Prepare(Ballot ballot, const Moment& moment) {
    const VoteRequest vote{moment.now.earliest + kLease, kLease};
    acceptor_.Handle(
        ballot.replica,
        paxos::Prepare{.ballot = ballot, .chosen_through = Slot(), .vote = vote, .released = {}},
        moment);
    return Answer(moment);
  }
  std::optional<Body> Accept(Ballot ballot, Slot slot, Entry entry, const Moment& moment) {
    const paxos::Accept accept{.ballot = ballot,
                               .first = slot,
                               .entries = {std::move(entry)},
                               .chosen_through = Slot(),
                               .vote = std::nullopt,
                               .safe_time = std::nullopt};
    if (acceptor_.Take(ballot.replica, accept, moment)) {
      acceptor_.Answer(ballot.replica, accept, true, moment);
    }
    return Answer(moment);
  }

  Acceptor& acceptor() { return acceptor_; }
  Outbox& outbox() { return outbox_; }

 private:
  std::optional<Body> Answer(const Moment& moment) {
    const std::optional<Save> save = outbox_.TakeSave(acceptor_.hard_state(), moment.monotonic);
    if (save) outbox_.Saved(save->id, moment.monotonic);
    std::vector<Message> messages = outbox_.TakeMessages();
    if (messages.empty()) return std::nullopt;
    return std::move(messages.back().body);
  }

  ReplicaOptions options_;
  ReplicaCounts counts_;
  LogWindow window_{Slot(), Timestamp::Min()};
  Outbox outbox_{ReplicaId(1)};
  Acceptor acceptor_;
};

}  // namespace paxos

#endif  // TESTS_PAXOS_KERNEL_ACCEPTOR_FIXTURE_H_

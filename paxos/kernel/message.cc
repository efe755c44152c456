#include "paxos/kernel/message.h"

#include "runtime/format.h"

namespace paxos {
namespace {

const char* ReasonName(RefuseReason reason) {
  switch (reason) {
    case RefuseReason::kBallot:
      return "ballot";
    case RefuseReason::kHeld:
      return "held";
    case RefuseReason::kBehind:
      return "behind";
    case RefuseReason::kClock:
      return "clock";
  }
  return "?";
}

struct Printer {
  std::ostream& out;

  void operator()(const Canvass& canvass) {
    out << "ballot " << canvass.ballot << ", chosen " << canvass.chosen_through;
  }
  void operator()(const Canvassed& canvassed) { out << "ballot " << canvassed.ballot; }
  void operator()(const Prepare& prepare) {
    out << "ballot " << prepare.ballot << ", chosen " << prepare.chosen_through << ", vote until "
        << prepare.vote.expiry.nanoseconds();
    if (prepare.released) Print(*prepare.released);
  }
  void operator()(const Promise& promise) {
    out << "ballot " << promise.ballot;
    for (const AcceptedEntry& accepted : promise.accepted) {
      out << ", slot " << accepted.slot << " in " << accepted.ballot << ": " << accepted.entry;
    }
    if (promise.ceiling > Timestamp::Min()) {
      out << ", ceiling " << promise.ceiling.nanoseconds();
    }
    PrintVote(promise.vote_expiry);
  }
  void operator()(const Accept& accept) {
    out << "ballot " << accept.ballot;
    Slot slot = accept.first;
    for (const Entry& entry : accept.entries) {
      out << ", slot " << slot << ": " << entry;
      slot = Next(slot);
    }
    out << ", chosen " << accept.chosen_through;
    if (accept.vote) out << ", vote until " << accept.vote->expiry.nanoseconds();
    if (accept.safe_time) {
      out << ", safe " << accept.safe_time->timestamp.nanoseconds() << " after slot "
          << accept.safe_time->slot;
    }
  }
  void operator()(const Accepted& accepted) {
    out << "ballot " << accepted.ballot;
    if (accepted.count > 0) {
      out << ", slots " << accepted.first << " to " << accepted.first.value() + accepted.count - 1;
    }
    PrintVote(accepted.vote_expiry);
    out << ", durable " << accepted.durable_through;
  }
  void operator()(const Refuse& refuse) {
    out << "ballot " << refuse.ballot << ": " << ReasonName(refuse.reason) << ", promised "
        << refuse.promised << ", chosen " << refuse.chosen_through;
    if (refuse.held_for > Duration{}) {
      out << ", held for " << runtime::FormatDuration(refuse.held_for);
    }
  }
  void operator()(const Release& release) {
    out << "ballot " << release.released.ballot;
    if (release.released.ceiling > Timestamp::Min()) {
      out << ", ceiling " << release.released.ceiling.nanoseconds();
    }
    if (release.successor != ReplicaId()) out << ", successor " << release.successor;
  }
  void operator()(const Removed& removed) {
    out << "by the configuration in slot " << removed.configuration_slot;
  }

  void Print(const Released& released) {
    out << ", released " << released.ballot;
    if (released.ceiling > Timestamp::Min()) {
      out << " with ceiling " << released.ceiling.nanoseconds();
    }
  }
  void PrintVote(const std::optional<Timestamp>& expiry) {
    if (expiry) out << ", vote until " << expiry->nanoseconds();
  }
};

}  // namespace

const char* BodyName(const Body& body) {
  static constexpr const char* kNames[] = {"Canvass",  "Canvassed", "Prepare", "Promise", "Accept",
                                           "Accepted", "Refuse",    "Release", "Removed"};
  static_assert(std::size(kNames) == std::variant_size_v<Body>);
  return kNames[body.index()];
}

std::ostream& operator<<(std::ostream& out, const Body& body) {
  out << BodyName(body) << ' ';
  std::visit(Printer{out}, body);
  return out;
}

std::ostream& operator<<(std::ostream& out, const Message& message) {
  return out << message.from << " -> " << message.to << ": " << message.body;
}

}  // namespace paxos

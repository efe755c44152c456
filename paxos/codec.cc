#include "paxos/codec.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "paxos/paxos.pb.h"
#include "paxos/records.h"
#include "runtime/status_macros.h"

namespace paxos {
namespace {

absl::Status Bad(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("bytes that are no Paxos record: ", what));
}

absl::StatusOr<Duration> DecodeLength(int64_t nanoseconds) {
  const Duration length(nanoseconds);
  if (length < Duration(0) || length > kLengthMax) return Bad("a length of time");
  return length;
}

// --- One of these for each kind of body; DecodeBody() dispatches on the type of its argument. ---

void EncodeReleased(const Released& released, wire::Released* out) {
  EncodeBallot(released.ballot, out->mutable_ballot());
  out->set_ceiling(released.ceiling.nanoseconds());
}

absl::StatusOr<Released> DecodeReleased(const wire::Released& in) {
  ASSIGN_OR_RETURN(const Ballot ballot, DecodeBallot(in.ballot()));
  return Released{ballot, Timestamp(in.ceiling())};
}

void EncodeVoteRequest(const VoteRequest& vote, wire::VoteRequest* out) {
  out->set_expiry(vote.expiry.nanoseconds());
  out->set_length_ns(vote.length.count());
}

absl::StatusOr<VoteRequest> DecodeVoteRequest(const wire::VoteRequest& in) {
  ASSIGN_OR_RETURN(const Duration length, DecodeLength(in.length_ns()));
  return VoteRequest{Timestamp(in.expiry()), length};
}

void EncodeBody(const Canvass& body, wire::GroupMessage* out) {
  wire::Canvass& canvass = *out->mutable_canvass();
  EncodeBallot(body.ballot, canvass.mutable_ballot());
  canvass.set_chosen_through(body.chosen_through.value());
}

absl::StatusOr<Body> DecodeBody(wire::Canvass* in) {
  ASSIGN_OR_RETURN(const Ballot ballot, DecodeBallot(in->ballot()));
  ASSIGN_OR_RETURN(const Slot chosen_through, DecodeSlot(in->chosen_through()));
  return Canvass{ballot, chosen_through};
}

void EncodeBody(const Canvassed& body, wire::GroupMessage* out) {
  EncodeBallot(body.ballot, out->mutable_canvassed()->mutable_ballot());
}

absl::StatusOr<Body> DecodeBody(wire::Canvassed* in) {
  ASSIGN_OR_RETURN(const Ballot ballot, DecodeBallot(in->ballot()));
  return Canvassed{ballot};
}

void EncodeBody(const Prepare& body, wire::GroupMessage* out) {
  wire::Prepare& prepare = *out->mutable_prepare();
  EncodeBallot(body.ballot, prepare.mutable_ballot());
  prepare.set_chosen_through(body.chosen_through.value());
  EncodeVoteRequest(body.vote, prepare.mutable_vote());
  if (body.released) EncodeReleased(*body.released, prepare.mutable_released());
}

absl::StatusOr<Body> DecodeBody(wire::Prepare* in) {
  Prepare prepare;
  ASSIGN_OR_RETURN(prepare.ballot, DecodeBallot(in->ballot()));
  ASSIGN_OR_RETURN(prepare.chosen_through, DecodeSlot(in->chosen_through()));
  ASSIGN_OR_RETURN(prepare.vote, DecodeVoteRequest(in->vote()));
  if (in->has_released()) {
    ASSIGN_OR_RETURN(prepare.released, DecodeReleased(in->released()));
  }
  return prepare;
}

void EncodeBody(const Promise& body, wire::GroupMessage* out) {
  wire::Promise& promise = *out->mutable_promise();
  EncodeBallot(body.ballot, promise.mutable_ballot());
  for (const AcceptedEntry& accepted : body.accepted) {
    wire::AcceptedEntry& entry = *promise.add_accepted();
    entry.set_slot(accepted.slot.value());
    EncodeBallot(accepted.ballot, entry.mutable_ballot());
    EncodeEntry(accepted.entry, entry.mutable_entry());
  }
  promise.set_ceiling(body.ceiling.nanoseconds());
  if (body.vote_expiry) promise.set_vote_expiry(body.vote_expiry->nanoseconds());
}

absl::StatusOr<Body> DecodeBody(wire::Promise* in) {
  Promise promise;
  ASSIGN_OR_RETURN(promise.ballot, DecodeBallot(in->ballot()));
  promise.accepted.reserve(static_cast<size_t>(in->accepted_size()));
  for (wire::AcceptedEntry& accepted : *in->mutable_accepted()) {
    AcceptedEntry entry;
    ASSIGN_OR_RETURN(entry.slot, DecodeSlot(accepted.slot()));
    ASSIGN_OR_RETURN(entry.ballot, DecodeBallot(accepted.ballot()));
    ASSIGN_OR_RETURN(entry.entry, DecodeEntry(accepted.mutable_entry()));
    const Slot last = promise.accepted.empty() ? Slot(0) : promise.accepted.back().slot;
    if (entry.slot <= last) return Bad("slots that do not ascend");
    promise.accepted.push_back(std::move(entry));
  }
  // The gaps between them are filled with no-ops.
  if (!promise.accepted.empty() &&
      promise.accepted.back().slot.value() - promise.accepted.front().slot.value() >= kEntriesMax) {
    return Bad("slots that lie too far apart");
  }
  promise.ceiling = Timestamp(in->ceiling());
  if (in->has_vote_expiry()) promise.vote_expiry = Timestamp(in->vote_expiry());
  return promise;
}

void EncodeBody(const Accept& body, wire::GroupMessage* out) {
  wire::Accept& accept = *out->mutable_accept();
  EncodeBallot(body.ballot, accept.mutable_ballot());
  accept.set_first(body.first.value());
  accept.mutable_entries()->Reserve(static_cast<int>(body.entries.size()));
  for (const Entry& entry : body.entries) EncodeEntry(entry, accept.add_entries());
  accept.set_chosen_through(body.chosen_through.value());
  if (body.vote) EncodeVoteRequest(*body.vote, accept.mutable_vote());
  if (body.safe_time) {
    accept.mutable_safe_time()->set_slot(body.safe_time->slot.value());
    accept.mutable_safe_time()->set_timestamp(body.safe_time->timestamp.nanoseconds());
  }
}

absl::StatusOr<Body> DecodeBody(wire::Accept* in) {
  Accept accept;
  ASSIGN_OR_RETURN(accept.ballot, DecodeBallot(in->ballot()));
  ASSIGN_OR_RETURN(accept.first, DecodeSlot(in->first()));
  if (accept.first == Slot(0)) return Bad("entries before the first slot");
  accept.entries.reserve(static_cast<size_t>(in->entries_size()));
  for (wire::Entry& entry : *in->mutable_entries()) {
    ASSIGN_OR_RETURN(Entry decoded, DecodeEntry(&entry));
    accept.entries.push_back(std::move(decoded));
  }
  if (accept.entries.size() > kEntriesMax) return Bad("too many entries");
  ASSIGN_OR_RETURN(accept.chosen_through, DecodeSlot(in->chosen_through()));
  if (in->has_vote()) {
    ASSIGN_OR_RETURN(accept.vote, DecodeVoteRequest(in->vote()));
  }
  if (in->has_safe_time()) {
    ASSIGN_OR_RETURN(const Slot slot, DecodeSlot(in->safe_time().slot()));
    accept.safe_time = SafeTimePromise{slot, Timestamp(in->safe_time().timestamp())};
  }
  return accept;
}

void EncodeBody(const Accepted& body, wire::GroupMessage* out) {
  wire::Accepted& accepted = *out->mutable_accepted();
  EncodeBallot(body.ballot, accepted.mutable_ballot());
  accepted.set_first(body.first.value());
  accepted.set_count(body.count);
  if (body.vote_expiry) accepted.set_vote_expiry(body.vote_expiry->nanoseconds());
  accepted.set_durable_through(body.durable_through.value());
}

absl::StatusOr<Body> DecodeBody(wire::Accepted* in) {
  Accepted accepted;
  ASSIGN_OR_RETURN(accepted.ballot, DecodeBallot(in->ballot()));
  ASSIGN_OR_RETURN(accepted.first, DecodeSlot(in->first()));
  accepted.count = in->count();
  if (accepted.count > kEntriesMax) return Bad("too many entries");
  if (in->has_vote_expiry()) accepted.vote_expiry = Timestamp(in->vote_expiry());
  ASSIGN_OR_RETURN(accepted.durable_through, DecodeSlot(in->durable_through()));
  return accepted;
}

void EncodeBody(const Refuse& body, wire::GroupMessage* out) {
  wire::Refuse& refuse = *out->mutable_refuse();
  EncodeBallot(body.ballot, refuse.mutable_ballot());
  refuse.set_reason(static_cast<wire::RefuseReason>(static_cast<int>(body.reason) + 1));
  EncodeBallot(body.promised, refuse.mutable_promised());
  refuse.set_chosen_through(body.chosen_through.value());
  refuse.set_held_for_ns(std::clamp(body.held_for, Duration(0), kLengthMax).count());
}

absl::StatusOr<Body> DecodeBody(wire::Refuse* in) {
  Refuse refuse;
  ASSIGN_OR_RETURN(refuse.ballot, DecodeBallot(in->ballot()));
  if (in->reason() < wire::BALLOT || in->reason() > wire::CLOCK) return Bad("an unknown reason");
  refuse.reason = static_cast<RefuseReason>(in->reason() - wire::BALLOT);
  ASSIGN_OR_RETURN(refuse.promised, DecodeBallot(in->promised()));
  ASSIGN_OR_RETURN(refuse.chosen_through, DecodeSlot(in->chosen_through()));
  ASSIGN_OR_RETURN(refuse.held_for, DecodeLength(in->held_for_ns()));
  return refuse;
}

void EncodeBody(const Release& body, wire::GroupMessage* out) {
  EncodeReleased(body.released, out->mutable_release()->mutable_released());
  out->mutable_release()->set_successor(body.successor.value());
}

absl::StatusOr<Body> DecodeBody(wire::Release* in) {
  ASSIGN_OR_RETURN(const Released released, DecodeReleased(in->released()));
  return Release{released, ReplicaId(in->successor())};
}

void EncodeBody(const Removed& body, wire::GroupMessage* out) {
  out->mutable_removed()->set_configuration_slot(body.configuration_slot.value());
}

absl::StatusOr<Body> DecodeBody(wire::Removed* in) {
  ASSIGN_OR_RETURN(const Slot slot, DecodeSlot(in->configuration_slot()));
  return Removed{slot};
}

absl::StatusOr<Body> DecodeAnyBody(wire::GroupMessage* in) {
  switch (in->body_case()) {
    case wire::GroupMessage::kCanvass:
      return DecodeBody(in->mutable_canvass());
    case wire::GroupMessage::kCanvassed:
      return DecodeBody(in->mutable_canvassed());
    case wire::GroupMessage::kPrepare:
      return DecodeBody(in->mutable_prepare());
    case wire::GroupMessage::kPromise:
      return DecodeBody(in->mutable_promise());
    case wire::GroupMessage::kAccept:
      return DecodeBody(in->mutable_accept());
    case wire::GroupMessage::kAccepted:
      return DecodeBody(in->mutable_accepted());
    case wire::GroupMessage::kRefuse:
      return DecodeBody(in->mutable_refuse());
    case wire::GroupMessage::kRelease:
      return DecodeBody(in->mutable_release());
    case wire::GroupMessage::kRemoved:
      return DecodeBody(in->mutable_removed());
    case wire::GroupMessage::BODY_NOT_SET:
      break;
  }
  return Bad("a message of an unknown kind");
}

}  // namespace

void EncodeBallot(Ballot ballot, wire::Ballot* out) {
  out->set_round(ballot.round);
  out->set_replica(ballot.replica.value());
}

absl::StatusOr<Ballot> DecodeBallot(const wire::Ballot& in) {
  if (in.round() > kRoundMax) return Bad("a round out of bounds");
  return Ballot{in.round(), ReplicaId(in.replica())};
}

absl::StatusOr<Slot> DecodeSlot(uint64_t slot) {
  if (slot > kSlotMax) return Bad("a slot out of bounds");
  return Slot(slot);
}

void EncodeConfiguration(const Configuration& configuration, wire::Configuration* out) {
  for (const Member& member : configuration.members()) {
    wire::Member& encoded = *out->add_members();
    encoded.set_replica(member.replica.value());
    encoded.set_node(member.node.value());
    encoded.set_voter(member.voter);
  }
  out->set_next_replica(configuration.next_replica().value());
}

absl::StatusOr<Configuration> DecodeConfiguration(const wire::Configuration& in) {
  if (static_cast<size_t>(in.members_size()) > Configuration::kMembersMax) {
    return Bad("too many members");
  }
  std::vector<Member> members;
  for (const wire::Member& member : in.members()) {
    members.push_back(
        {ReplicaId(member.replica()), runtime::NodeId(member.node()), member.voter()});
  }
  Configuration configuration(std::move(members), ReplicaId(in.next_replica()));
  if (const absl::Status valid = configuration.Validate(); !valid.ok()) {
    return Bad(valid.message());
  }
  return configuration;
}

void EncodeEntry(const Entry& entry, wire::Entry* out) {
  out->set_timestamp(entry.timestamp.nanoseconds());
  if (entry.kind == EntryKind::kCommand) out->set_command(*entry.command);
  if (entry.kind == EntryKind::kConfiguration) {
    EncodeConfiguration(*entry.configuration, out->mutable_configuration());
  }
}

absl::StatusOr<Entry> DecodeEntry(wire::Entry* in) {
  Entry entry{EntryKind::kNoOp, Timestamp(in->timestamp()), nullptr, nullptr};
  if (in->has_command()) {
    if (in->command().size() > kCommandBytesMax) return Bad("a command that is too long");
    entry.kind = EntryKind::kCommand;
    entry.command = std::make_shared<const std::string>(std::move(*in->mutable_command()));
  } else if (in->has_configuration()) {
    ASSIGN_OR_RETURN(Configuration configuration, DecodeConfiguration(in->configuration()));
    entry.kind = EntryKind::kConfiguration;
    entry.configuration = std::make_shared<const Configuration>(std::move(configuration));
  }
  return entry;
}

void EncodeMessage(storage::GroupId group, const Message& message, wire::GroupMessage* out) {
  out->set_group(group.value());
  out->set_from(message.from.value());
  out->set_to(message.to.value());
  std::visit([out](const auto& body) { EncodeBody(body, out); }, message.body);
}

absl::StatusOr<Message> DecodeMessage(wire::GroupMessage* in) {
  ASSIGN_OR_RETURN(Body body, DecodeAnyBody(in));
  return Message{ReplicaId(in->from()), ReplicaId(in->to()), std::move(body)};
}

}  // namespace paxos

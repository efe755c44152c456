#include "paxos/records.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "paxos/codec.h"
#include "paxos/paxos.pb.h"
#include "runtime/status_macros.h"

namespace paxos {
namespace {

absl::Status Bad(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("bytes that are no ", what));
}

template <typename Proto>
absl::StatusOr<Proto> Parse(absl::string_view bytes, absl::string_view what) {
  Proto proto;
  if (bytes.size() > (size_t{1} << 30) ||
      !proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Bad(what);
  }
  return proto;
}

}  // namespace

std::string EncodeGroupMeta(const HardState& hard_state, const Configuration* founding) {
  wire::GroupMeta meta;
  meta.set_self(hard_state.self.value());
  EncodeBallot(hard_state.promised, meta.mutable_promised());
  const Vote& vote = hard_state.vote;
  meta.mutable_vote()->set_holder(vote.holder.value());
  EncodeBallot(vote.ballot, meta.mutable_vote()->mutable_ballot());
  meta.mutable_vote()->set_held_until(vote.held_until.nanoseconds());
  meta.mutable_vote()->set_expiry(vote.expiry.nanoseconds());
  meta.set_ceiling(hard_state.ceiling.nanoseconds());
  EncodeConfiguration(hard_state.configuration, meta.mutable_configuration());
  meta.set_configuration_slot(hard_state.configuration_slot.value());
  if (founding != nullptr) EncodeConfiguration(*founding, meta.mutable_founding());
  return meta.SerializeAsString();
}

absl::StatusOr<GroupMeta> DecodeGroupMeta(absl::string_view bytes) {
  ASSIGN_OR_RETURN(const wire::GroupMeta in, Parse<wire::GroupMeta>(bytes, "group's metadata"));
  GroupMeta meta;
  HardState& state = meta.hard_state;
  state.self = ReplicaId(in.self());
  if (state.self == ReplicaId()) return Bad("group's metadata: no replica");
  ASSIGN_OR_RETURN(state.promised, DecodeBallot(in.promised()));
  state.vote.holder = ReplicaId(in.vote().holder());
  ASSIGN_OR_RETURN(state.vote.ballot, DecodeBallot(in.vote().ballot()));
  state.vote.held_until = Timestamp(in.vote().held_until());
  state.vote.expiry = Timestamp(in.vote().expiry());
  state.ceiling = Timestamp(in.ceiling());
  ASSIGN_OR_RETURN(state.configuration, DecodeConfiguration(in.configuration()));
  ASSIGN_OR_RETURN(state.configuration_slot, DecodeSlot(in.configuration_slot()));
  if (in.has_founding()) {
    ASSIGN_OR_RETURN(Configuration founding, DecodeConfiguration(in.founding()));
    meta.founding = std::make_shared<const Configuration>(std::move(founding));
  }
  return meta;
}

std::string EncodeLogEntry(const AcceptedEntry& accepted) {
  wire::LogEntry entry;
  EncodeBallot(accepted.ballot, entry.mutable_ballot());
  EncodeEntry(accepted.entry, entry.mutable_entry());
  return entry.SerializeAsString();
}

absl::StatusOr<AcceptedEntry> DecodeLogEntry(Slot slot, absl::string_view bytes) {
  ASSIGN_OR_RETURN(wire::LogEntry in, Parse<wire::LogEntry>(bytes, "log entry"));
  if (slot == Slot(0)) return Bad("log entry: there is no slot 0");
  AcceptedEntry accepted;
  ASSIGN_OR_RETURN(accepted.slot, DecodeSlot(slot.value()));
  ASSIGN_OR_RETURN(accepted.ballot, DecodeBallot(in.ballot()));
  ASSIGN_OR_RETURN(accepted.entry, DecodeEntry(in.mutable_entry()));
  return accepted;
}

std::string EncodeAppliedState(const AppliedState& state) {
  wire::AppliedState out;
  out.set_slot(state.slot.value());
  out.set_timestamp(state.timestamp.nanoseconds());
  EncodeConfiguration(state.configuration, out.mutable_configuration());
  out.set_configuration_slot(state.configuration_slot.value());
  out.mutable_range()->set_start(state.range.start);
  out.mutable_range()->set_end(state.range.end);
  return out.SerializeAsString();
}

absl::StatusOr<AppliedState> DecodeAppliedState(absl::string_view bytes) {
  ASSIGN_OR_RETURN(const wire::AppliedState in, Parse<wire::AppliedState>(bytes, "applied state"));
  AppliedState state;
  ASSIGN_OR_RETURN(state.slot, DecodeSlot(in.slot()));
  state.timestamp = Timestamp(in.timestamp());
  ASSIGN_OR_RETURN(state.configuration, DecodeConfiguration(in.configuration()));
  ASSIGN_OR_RETURN(state.configuration_slot, DecodeSlot(in.configuration_slot()));
  if (state.configuration_slot > state.slot) return Bad("applied state: a later configuration");
  state.range = {in.range().start(), in.range().end()};
  return state;
}

}  // namespace paxos

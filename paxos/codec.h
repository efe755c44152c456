// The wire forms of what replicas say to each other, and the parts that the disk forms share
// (records.h).
//
// Encoding appends to a message under construction, so that a batch is built in place. Decoding
// takes what it can out of the message (commands are moved, not copied) and validates everything:
// numbers stand within bounds that keep arithmetic on them whole, lists are ordered as they must
// be, lengths are limited. What is wrong is DATA_LOSS.
#ifndef PAXOS_CODEC_H_
#define PAXOS_CODEC_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "paxos/kernel/hard_state.h"
#include "paxos/kernel/message.h"
#include "storage/ids.h"

namespace isochron::paxos {
class AppliedState;
class Ballot;
class Configuration;
class Entry;
class GroupMessage;
}  // namespace isochron::paxos

namespace paxos {

namespace wire = ::isochron::paxos;

// No slot or round that was ever given comes near them.
inline constexpr uint64_t kSlotMax = uint64_t{1} << 62;
inline constexpr uint64_t kRoundMax = uint64_t{1} << 62;
// The entries of a message: many times what a window holds.
inline constexpr uint64_t kEntriesMax = uint64_t{1} << 20;
inline constexpr Duration kLengthMax = std::chrono::hours(1);

// A message of `group`.
void EncodeMessage(storage::GroupId group, const Message& message, wire::GroupMessage* out);
// Takes the commands out of `in`.
absl::StatusOr<Message> DecodeMessage(wire::GroupMessage* in);

void EncodeBallot(Ballot ballot, wire::Ballot* out);
absl::StatusOr<Ballot> DecodeBallot(const wire::Ballot& in);
void EncodeConfiguration(const Configuration& configuration, wire::Configuration* out);
absl::StatusOr<Configuration> DecodeConfiguration(const wire::Configuration& in);
void EncodeEntry(const Entry& entry, wire::Entry* out);
absl::StatusOr<Entry> DecodeEntry(wire::Entry* in);
absl::StatusOr<Slot> DecodeSlot(uint64_t slot);

}  // namespace paxos

#endif  // PAXOS_CODEC_H_

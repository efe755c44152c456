// The commands in the log of a shard's group, and what each of them comes to.
//
// What counts is the timestamp `t` of a command's log entry, which the group's leader assigned
// (TX-COMMIT-TS), and what the group knows of the transaction when the command's turn comes. Each
// can be proposed again, at any time and in any order: of one transaction the first outcome stands,
// and whoever comes later is told (TX-ONCE).
//
// A transaction that wrote in one group needs a Commit. One that wrote in several has a Prepare in
// each group but the coordinator's, then a Decide in that one, then a Resolve in each of the others,
// and at last a Forget where the Decide was (TX-2PC).
#ifndef TXN_COMMANDS_H_
#define TXN_COMMANDS_H_

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "txn/kernel/outcomes.h"
#include "txn/kernel/prepared_table.h"

namespace txn {

// Lists of writes ascend by key, each key once; lists of locks ascend and do not overlap; lists of
// groups ascend, each group once.

// Commits a transaction that wrote in this group only, at t. If t is above `valid_through`, its
// read locks elsewhere may not have held until then, and it aborts (TX-READ-GUARD).
struct Commit {
  TransactionId id;
  std::vector<Write> writes = {};
  Timestamp valid_through = Timestamp::Max();

  friend bool operator==(const Commit&, const Commit&) = default;
};

// Phase 1 at a participant: t is its prepare timestamp. From now on only the coordinator's group,
// which is another one, ends it.
struct Prepare {
  TransactionId id;
  Age age;
  GroupId coordinator;
  std::vector<Write> writes = {};
  std::vector<KeyRange> locks = {};  // See PreparedTransaction.

  friend bool operator==(const Prepare&, const Prepare&) = default;
};

// The coordinator's group commits at t, for the other participants and with its own writes, which
// were never prepared. It aborts if t is above `valid_through`, or below `prepared_at_most`, the
// latest prepare timestamp (the proposer asks for a timestamp that is not).
struct Decide {
  TransactionId id;
  std::vector<GroupId> participants = {};  // All others.
  std::vector<Write> writes = {};
  Timestamp valid_through = Timestamp::Max();
  Timestamp prepared_at_most = Timestamp::Min();

  friend bool operator==(const Decide&, const Decide&) = default;
};

// Ends a transaction that is not prepared here: it was given up, or somebody asks the coordinator's
// group for an outcome, and there is none (TX-2PC). Who is prepared stays so.
struct Abort {
  TransactionId id;
  std::string why;  // A sentence for its user (TX-WHY).
  std::vector<GroupId> participants = {};

  friend bool operator==(const Abort&, const Abort&) = default;
};

// The coordinator's outcome reaches a participant. A commit, whose timestamp is not above t, was
// prepared here. (The proposer asks for a t of at least that timestamp, so that what is locked next
// commits above it.)
struct Resolve {
  TransactionId id;
  Outcome outcome;

  friend bool operator==(const Resolve&, const Resolve&) = default;
};

// All participants have the outcomes of these: nobody waits for them any more.
struct Forget {
  std::vector<TransactionId> ids;

  friend bool operator==(const Forget&, const Forget&) = default;
};

// Outcomes of what began earlier are not kept any longer than somebody waits for them.
struct Trim {
  Timestamp forget_begun_before;

  friend bool operator==(const Trim&, const Trim&) = default;
};

using ShardCommand = std::variant<Commit, Prepare, Decide, Abort, Resolve, Forget, Trim>;

// Which keys a group writes. Every change makes the generation grow; 0 is none that ever was.
struct ShardDescriptor {
  KeyRange range;
  uint64_t generation = 0;

  friend bool operator==(const ShardDescriptor&, const ShardDescriptor&) = default;
};

// What a command came to.
struct CommandResult {
  enum class Kind : uint8_t {
    kCommitted,   // The transaction has committed at `timestamp`.
    kAborted,     // It has aborted: `why`.
    kPrepared,    // It is prepared at `timestamp`.
    kTooOld,      // It began before what is forgotten, and nothing is known of it. It has not
                  // committed through this command and never will. To a participant that is still
                  // prepared it means aborted, since commits are kept until all participants have
                  // them; to a client, that the outcome cannot be known any more.
    kWrongRange,  // It writes outside of `descriptor`. Nothing was done.
    kDone,        // Of commands that end no transaction.
  };

  Kind kind = Kind::kDone;
  bool already = false;  // It was so before this command.
  Timestamp timestamp = Timestamp::Min();
  std::string why = {};
  ShardDescriptor descriptor = {};

  friend bool operator==(const CommandResult&, const CommandResult&) = default;
};
const char* KindName(CommandResult::Kind kind);
std::ostream& operator<<(std::ostream& out, const CommandResult& result);

// A reason is cut to so many bytes.
inline constexpr size_t kWhyBytesMax = 1024;

// CHECKs that the command is as it must be: see above about lists.
std::string EncodeCommand(const ShardCommand& command);
// DATA_LOSS: nothing that EncodeCommand() gives, or something that only a newer version knows.
absl::StatusOr<ShardCommand> DecodeCommand(absl::string_view bytes);

// Until when whoever applies the command waits (TX-COMMIT-WAIT): the timestamp of what it commits.
// Min(): it commits nothing. Cheap for commands with many writes.
Timestamp ShownAt(absl::string_view bytes, Timestamp t);

}  // namespace txn

#endif  // TXN_COMMANDS_H_

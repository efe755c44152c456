#include "txn/commands.h"

#include <type_traits>
#include <utility>

#include "runtime/check.h"
#include "runtime/status_macros.h"
#include "txn/wire.h"

namespace txn {
namespace {

using wire::Bad;
namespace proto = wire::proto;

// The two bytes before a command's message. A number is never used for something else.
constexpr char kVersion = 1;
enum class Tag : char {
  kCommit = 1,
  kPrepare = 2,
  kDecide = 3,
  kAbort = 4,
  kResolve = 5,
  kForget = 6,
  kTrim = 7,
};
constexpr size_t kHeadBytes = 2;

template <typename Proto>
std::string Finish(Tag tag, const Proto& message) {
  std::string bytes{kVersion, static_cast<char>(tag)};
  CHECK(message.AppendToString(&bytes));
  return bytes;
}

// --- One of these for each kind of command ---

std::string Encode(const Commit& commit) {
  CHECK(wire::InOrder(commit.writes));
  proto::Commit out;
  wire::Encode(commit.id, out.mutable_id());
  wire::Encode(commit.writes, out.mutable_writes());
  out.set_valid_through(commit.valid_through.nanoseconds());
  return Finish(Tag::kCommit, out);
}

absl::StatusOr<ShardCommand> Decode(proto::Commit* in) {
  Commit commit{.id = wire::Decode(in->id()), .valid_through = Timestamp(in->valid_through())};
  ASSIGN_OR_RETURN(commit.writes, wire::Decode(in->mutable_writes()));
  return commit;
}

std::string Encode(const Prepare& prepare) {
  CHECK(wire::InOrder(prepare.writes) && wire::InOrder(prepare.locks));
  CHECK(prepare.coordinator != GroupId());
  proto::Prepare out;
  wire::Encode(prepare, &out);
  return Finish(Tag::kPrepare, out);
}

absl::StatusOr<ShardCommand> Decode(proto::Prepare* in) { return wire::Decode(in); }

std::string Encode(const Decide& decide) {
  CHECK(wire::InOrder(decide.participants) && wire::InOrder(decide.writes));
  proto::Decide out;
  wire::Encode(decide.id, out.mutable_id());
  wire::Encode(decide.participants, out.mutable_participants());
  wire::Encode(decide.writes, out.mutable_writes());
  out.set_valid_through(decide.valid_through.nanoseconds());
  out.set_prepared_at_most(decide.prepared_at_most.nanoseconds());
  return Finish(Tag::kDecide, out);
}

absl::StatusOr<ShardCommand> Decode(proto::Decide* in) {
  Decide decide{.id = wire::Decode(in->id()),
                .valid_through = Timestamp(in->valid_through()),
                .prepared_at_most = Timestamp(in->prepared_at_most())};
  ASSIGN_OR_RETURN(decide.participants, wire::Decode(in->participants()));
  ASSIGN_OR_RETURN(decide.writes, wire::Decode(in->mutable_writes()));
  return decide;
}

std::string Encode(const Abort& abort) {
  CHECK(wire::InOrder(abort.participants));
  proto::Abort out;
  wire::Encode(abort.id, out.mutable_id());
  out.set_why(abort.why.substr(0, kWhyBytesMax));
  wire::Encode(abort.participants, out.mutable_participants());
  return Finish(Tag::kAbort, out);
}

absl::StatusOr<ShardCommand> Decode(proto::Abort* in) {
  Abort abort{.id = wire::Decode(in->id()), .why = std::move(*in->mutable_why())};
  ASSIGN_OR_RETURN(abort.participants, wire::Decode(in->participants()));
  return abort;
}

std::string Encode(const Resolve& resolve) {
  proto::Resolve out;
  wire::Encode(resolve.id, out.mutable_id());
  wire::Encode(resolve.outcome, out.mutable_outcome());
  return Finish(Tag::kResolve, out);
}

absl::StatusOr<ShardCommand> Decode(proto::Resolve* in) {
  if (!in->has_outcome()) return Bad("a resolve without an outcome");
  return Resolve{wire::Decode(in->id()), wire::Decode(in->outcome())};
}

std::string Encode(const Forget& forget) {
  proto::Forget out;
  for (const TransactionId& id : forget.ids) wire::Encode(id, out.add_ids());
  return Finish(Tag::kForget, out);
}

absl::StatusOr<ShardCommand> Decode(proto::Forget* in) {
  Forget forget;
  forget.ids.reserve(static_cast<size_t>(in->ids_size()));
  for (const proto::TransactionId& id : in->ids()) forget.ids.push_back(wire::Decode(id));
  return forget;
}

std::string Encode(const Trim& trim) {
  proto::Trim out;
  out.set_forget_begun_before(trim.forget_begun_before.nanoseconds());
  return Finish(Tag::kTrim, out);
}

absl::StatusOr<ShardCommand> Decode(proto::Trim* in) {
  return Trim{Timestamp(in->forget_begun_before())};
}

template <typename Proto>
absl::StatusOr<ShardCommand> ParseAndDecode(absl::string_view bytes) {
  ASSIGN_OR_RETURN(Proto in, wire::Parse<Proto>(bytes));
  return Decode(&in);
}

}  // namespace

const char* KindName(CommandResult::Kind kind) {
  switch (kind) {
    case CommandResult::Kind::kCommitted:
      return "committed";
    case CommandResult::Kind::kAborted:
      return "aborted";
    case CommandResult::Kind::kPrepared:
      return "prepared";
    case CommandResult::Kind::kTooOld:
      return "too old";
    case CommandResult::Kind::kWrongRange:
      return "wrong range";
    case CommandResult::Kind::kDone:
      return "done";
  }
  return "?";
}

std::ostream& operator<<(std::ostream& out, const CommandResult& result) {
  out << (result.already ? "already " : "") << KindName(result.kind);
  if (result.timestamp != Timestamp::Min()) out << " at " << result.timestamp;
  if (!result.why.empty()) out << ": " << result.why;
  return out;
}

std::string EncodeCommand(const ShardCommand& command) {
  return std::visit([](const auto& one) { return Encode(one); }, command);
}

absl::StatusOr<ShardCommand> DecodeCommand(absl::string_view bytes) {
  if (bytes.size() < kHeadBytes) return Bad("a command without its head");
  if (bytes[0] != kVersion) {
    return absl::DataLossError(absl::StrCat(
        "a command of version ", static_cast<int>(bytes[0]),
        ", which only a newer program knows; this one knows version ", static_cast<int>(kVersion)));
  }
  const absl::string_view message = bytes.substr(kHeadBytes);
  switch (static_cast<Tag>(bytes[1])) {
    case Tag::kCommit:
      return ParseAndDecode<proto::Commit>(message);
    case Tag::kPrepare:
      return ParseAndDecode<proto::Prepare>(message);
    case Tag::kDecide:
      return ParseAndDecode<proto::Decide>(message);
    case Tag::kAbort:
      return ParseAndDecode<proto::Abort>(message);
    case Tag::kResolve:
      return ParseAndDecode<proto::Resolve>(message);
    case Tag::kForget:
      return ParseAndDecode<proto::Forget>(message);
    case Tag::kTrim:
      return ParseAndDecode<proto::Trim>(message);
  }
  return absl::DataLossError(absl::StrCat("a command of kind ", static_cast<int>(bytes[1]),
                                          ", which only a newer program knows"));
}

Timestamp ShownAt(absl::string_view bytes, Timestamp t) {
  if (bytes.size() < kHeadBytes || bytes[0] != kVersion) return Timestamp::Min();
  switch (static_cast<Tag>(bytes[1])) {
    case Tag::kCommit:
    case Tag::kDecide:
      return t;
    case Tag::kResolve: {
      const auto in = wire::Parse<proto::Resolve>(bytes.substr(kHeadBytes));
      if (!in.ok() || !in->outcome().has_committed()) return Timestamp::Min();
      return Timestamp(in->outcome().committed());
    }
    default:
      return Timestamp::Min();
  }
}

}  // namespace txn

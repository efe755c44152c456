#include "simulation/register_protocol.h"

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runtime/status_macros.h"

namespace simulation {
namespace {

// The words of a text from its front; the last one may be the rest.
class Words {
 public:
  explicit Words(absl::string_view text) : words_(absl::StrSplit(text, ' ')) {}

  int64_t Number() {
    int64_t number = 0;
    if (next_ >= words_.size() || !absl::SimpleAtoi(words_[next_++], &number)) failed_ = true;
    return number;
  }
  std::string Word() {
    if (next_ < words_.size()) return words_[next_++];
    failed_ = true;
    return "";
  }
  std::string Rest() {
    std::string rest;
    for (; next_ < words_.size(); ++next_) {
      absl::StrAppend(&rest, rest.empty() ? "" : " ", words_[next_]);
    }
    return rest;
  }
  absl::Status status() const {
    return failed_ ? absl::InvalidArgumentError("words are missing") : absl::OkStatus();
  }

 private:
  const std::vector<std::string> words_;
  size_t next_ = 0;
  bool failed_ = false;
};

}  // namespace

std::string EncodeRequest(const RegisterRequest& request) {
  const bool command = request.ask == RegisterAsk::kCommand;
  return absl::StrCat(static_cast<int>(request.ask), " ", request.group.value(), " ",
                      request.offset.count(), " ", request.id, " ",
                      command ? EncodeCommand(request.command) : request.key);
}

absl::StatusOr<RegisterRequest> DecodeRequest(absl::string_view text) {
  Words words(text);
  RegisterRequest request;
  request.ask = static_cast<RegisterAsk>(words.Number());
  request.group = storage::GroupId(static_cast<uint64_t>(words.Number()));
  request.offset = runtime::Duration(words.Number());
  request.id = static_cast<uint32_t>(words.Number());
  RETURN_IF_ERROR(words.status());
  if (request.ask == RegisterAsk::kCommand) {
    ASSIGN_OR_RETURN(request.command, DecodeCommand(words.Rest()));
  } else {
    request.key = words.Rest();
  }
  return request;
}

std::string EncodeReply(const RegisterReply& reply) {
  return absl::StrCat(reply.ok ? 1 : 0, " ", static_cast<int>(reply.retry), " ",
                      reply.leader.value(), " ", reply.slot.value(), " ",
                      reply.timestamp.nanoseconds(), " ", reply.result.took_effect ? 1 : 0, " ",
                      EncodeValue(reply.result.found), " ", reply.text);
}

absl::StatusOr<RegisterReply> DecodeReply(absl::string_view text) {
  Words words(text);
  RegisterReply reply;
  reply.ok = words.Number() != 0;
  reply.retry = static_cast<paxos::Retry>(words.Number());
  reply.leader = runtime::NodeId(static_cast<uint32_t>(words.Number()));
  reply.slot = storage::Slot(static_cast<uint64_t>(words.Number()));
  reply.timestamp = runtime::Timestamp(words.Number());
  reply.result.took_effect = words.Number() != 0;
  reply.result.found = DecodeValue(words.Word());
  RETURN_IF_ERROR(words.status());
  reply.text = words.Rest();
  return reply;
}

RegisterReply Refusal(paxos::Retry retry, absl::string_view why) {
  RegisterReply reply;
  reply.ok = false;
  reply.retry = retry;
  reply.text = std::string(why);
  return reply;
}

RegisterReply Refusal(const absl::Status& error) {
  RegisterReply reply = Refusal(paxos::RetryOf(error), error.message());
  reply.leader = paxos::LeaderOf(error).value_or(runtime::NodeId());
  return reply;
}

}  // namespace simulation

// Any bytes from chronyd's socket give a reply or an error, never a crash; and what is taken for a
// reply is one that the request could have had.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/check.h"
#include "truetime/chrony_protocol.h"

namespace {

constexpr uint32_t kSequence = 0x01020304;

// The fuzzer would hardly guess the head of a reply, so half of its inputs are the body of one.
std::string WithHead(absl::string_view body, const std::string& request) {
  std::string reply(28, '\0');
  reply[0] = request[0];
  reply[1] = 2;
  reply.replace(4, 2, request, 4, 2);
  reply.replace(16, 4, request, 8, 4);
  if (!body.empty()) reply[7] = body[0];
  reply.append(body.data(), body.size());
  return reply;
}

void Decode(absl::string_view reply) {
  if (const auto tracking = truetime::DecodeTrackingReply(reply, kSequence); tracking.ok()) {
    CHECK(std::isfinite(tracking->correction.value)) << "a finite float became infinite";
    CHECK(tracking->correction.rounding >= 0);
    truetime::ChronyReferenceName(*tracking);
  }
  truetime::DecodeSourceCountReply(reply, kSequence).IgnoreError();
  truetime::DecodeSourceReply(reply, kSequence).IgnoreError();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(data, data + size);
  Decode(input);
  Decode(WithHead(input, truetime::EncodeTrackingRequest(kSequence)));
  Decode(WithHead(input, truetime::EncodeSourceCountRequest(kSequence)));
  Decode(WithHead(input, truetime::EncodeSourceRequest(kSequence, 0)));
  return 0;
}

// What crosses the wire: payloads, statuses, and who calls with what clock.
#ifndef RUNTIME_REAL_WIRE_H_
#define RUNTIME_REAL_WIRE_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>
#include <grpcpp/support/string_ref.h>

#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "runtime/network.h"

namespace google::protobuf {
class MessageLite;
}

namespace isochron::runtime {
class Stamp;
}

namespace real {

// The one stream of messages and shared calls from a node to another.
inline constexpr char kMessagesMethod[] = "/isochron.runtime.Peer/Messages";

// No message on the wire, either way, is longer.
inline constexpr int kWireBytesMax = 64 << 20;

grpc::ByteBuffer ToByteBuffer(const std::string& bytes);
grpc::ByteBuffer ToByteBuffer(const google::protobuf::MessageLite& message);
std::string ToString(const grpc::ByteBuffer& buffer);

// The answer to a call of what is not served.
absl::Status NotServed(runtime::NodeId self, const std::string& method);

// The codes are the same; only the types differ.
absl::Status ToAbsl(const grpc::Status& status);
grpc::Status ToGrpc(const absl::Status& status);

// Who sent a request or a reply, and what its clock said (TT-CONTRADICTION). Travels as the
// metadata entry kSenderKey: the node in 4 bytes, earliest and latest in 8 each, little-endian.
struct Sender {
  runtime::NodeId node;
  runtime::ClockStamp stamp;
};
inline constexpr char kSenderKey[] = "isochron-stamp-bin";

std::string EncodeSender(const Sender& sender);
// Nothing if there is no such entry, or not one of ours.
std::optional<Sender> FindSender(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata);

// A clock's interval in a batch.
void Encode(runtime::ClockStamp stamp, isochron::runtime::Stamp* to);
runtime::ClockStamp Decode(const isochron::runtime::Stamp& stamp);

}  // namespace real

#endif  // RUNTIME_REAL_WIRE_H_

#include "runtime/real/wire.h"

#include <google/protobuf/message_lite.h>
#include <grpc/slice.h>
#include <grpcpp/support/slice.h>

#include <array>
#include <boost/endian/conversion.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"
#include "runtime/real/peer.pb.h"

namespace real {
namespace {

constexpr size_t kSenderBytes = 20;

}  // namespace

grpc::ByteBuffer ToByteBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

grpc::ByteBuffer ToByteBuffer(const google::protobuf::MessageLite& message) {
  const size_t size = message.ByteSizeLong();
  grpc_slice bytes = grpc_slice_malloc(size);
  CHECK(message.SerializeToArray(GRPC_SLICE_START_PTR(bytes), static_cast<int>(size)));
  const grpc::Slice slice(bytes, grpc::Slice::STEAL_REF);
  return grpc::ByteBuffer(&slice, 1);
}

std::string ToString(const grpc::ByteBuffer& buffer) {
  std::string bytes;
  if (grpc::Slice slice; buffer.TrySingleSlice(&slice).ok()) {
    bytes.assign(reinterpret_cast<const char*>(slice.begin()), slice.size());
    return bytes;
  }
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

absl::Status NotServed(runtime::NodeId self, const std::string& method) {
  return absl::UnimplementedError(absl::StrCat("node ", self.value(), " does not serve ", method));
}

absl::Status ToAbsl(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()));
}

std::string EncodeSender(const Sender& sender) {
  std::array<unsigned char, kSenderBytes> bytes;
  boost::endian::store_little_u32(bytes.data(), sender.node.value());
  boost::endian::store_little_s64(bytes.data() + 4, sender.stamp.earliest.nanoseconds());
  boost::endian::store_little_s64(bytes.data() + 12, sender.stamp.latest.nanoseconds());
  return std::string(bytes.begin(), bytes.end());
}

std::optional<Sender> FindSender(
    const std::multimap<grpc::string_ref, grpc::string_ref>& metadata) {
  const auto entry = metadata.find(kSenderKey);
  if (entry == metadata.end() || entry->second.size() != kSenderBytes) return std::nullopt;
  const auto* bytes = reinterpret_cast<const unsigned char*>(entry->second.data());
  Sender sender;
  sender.node = runtime::NodeId(boost::endian::load_little_u32(bytes));
  sender.stamp.earliest = runtime::Timestamp(boost::endian::load_little_s64(bytes + 4));
  sender.stamp.latest = runtime::Timestamp(boost::endian::load_little_s64(bytes + 12));
  return sender;
}

void Encode(runtime::ClockStamp stamp, isochron::runtime::Stamp* to) {
  to->set_earliest(stamp.earliest.nanoseconds());
  to->set_latest(stamp.latest.nanoseconds());
}

runtime::ClockStamp Decode(const isochron::runtime::Stamp& stamp) {
  return {runtime::Timestamp(stamp.earliest()), runtime::Timestamp(stamp.latest())};
}

}  // namespace real

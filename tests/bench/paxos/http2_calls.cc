#include "tests/bench/paxos/http2_calls.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"

namespace bench {
namespace {

// RFC 9113, sections 6 and 7.
enum FrameType : uint8_t {
  kData = 0,
  kHeaders = 1,
  kResetStream = 3,
  kSettings = 4,
  kPing = 6,
  kGoAway = 7,
  kWindowUpdate = 8,
};
constexpr uint8_t kAck = 0x1;
constexpr uint8_t kEndStream = 0x1;
constexpr uint8_t kEndHeaders = 0x4;
constexpr size_t kFrameHead = 9;
// So much may the server send us before we would have to speak of it again.
constexpr uint32_t kOurWindow = 0x7fff'ffff - 65'535;

void AppendBigEndian(uint64_t value, int bytes, std::string* out) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>(value >> shift));
  }
}

uint32_t BigEndian(absl::string_view bytes) {
  uint32_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

// A string literal of HPACK, shorter than 127 bytes.
void AppendShort(absl::string_view text, std::string* out) {
  CHECK_LT(text.size(), 127u);
  out->push_back(static_cast<char>(text.size()));
  absl::StrAppend(out, text);
}

}  // namespace

Http2Calls::Http2Calls(int port, const std::string& path)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      path_(path),
      authority_(absl::StrCat("127.0.0.1:", port)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0)
      << authority_ << ": " << strerror(errno);
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  out_ = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  AppendFrame(kSettings, 0, 0, "");
  std::string window;
  AppendBigEndian(kOurWindow, 4, &window);
  AppendFrame(kWindowUpdate, 0, 0, window);
}

Http2Calls::~Http2Calls() { ::close(socket_); }

void Http2Calls::AppendFrame(uint8_t type, uint8_t flags, uint32_t stream,
                             absl::string_view payload) {
  AppendBigEndian(payload.size(), 3, &out_);
  out_.push_back(static_cast<char>(type));
  out_.push_back(static_cast<char>(flags));
  AppendBigEndian(stream, 4, &out_);
  absl::StrAppend(&out_, payload);
}

// RFC 7541: ":method POST" and ":scheme http" are in the static table (3 and 6). The first request
// brings the others into the dynamic one, where later ones name them; the newest has number 62.
void Http2Calls::AppendRequestHeaders() {
  std::string block("\x83\x86");
  if (next_stream_ == 1) {
    block.push_back(0x44);  // With indexing, :path.
    AppendShort(path_, &block);
    block.push_back(0x41);  // :authority.
    AppendShort(authority_, &block);
    block.push_back(0x5f);  // content-type.
    AppendShort("application/grpc", &block);
    block.push_back(0x40);  // A name that is not in the table.
    AppendShort("te", &block);
    AppendShort("trailers", &block);
  } else {
    block.append("\xc1\xc0\xbf\xbe");
  }
  AppendFrame(kHeaders, kEndHeaders, next_stream_, block);
}

void Http2Calls::Start(absl::string_view request) {
  // gRPC's frame: not compressed, the length, the message.
  std::string data(1, '\0');
  AppendBigEndian(request.size(), 4, &data);
  absl::StrAppend(&data, request);
  waiting_.push_back(std::move(data));
  SendWaiting();
}

void Http2Calls::SendWaiting() {
  while (!waiting_.empty() && static_cast<int64_t>(waiting_.front().size()) <= window_) {
    AppendRequestHeaders();
    AppendFrame(kData, kEndStream, next_stream_, waiting_.front());
    window_ -= static_cast<int64_t>(waiting_.front().size());
    waiting_.pop_front();
    open_.emplace(next_stream_, false);
    next_stream_ += 2;
  }
}

void Http2Calls::Flush() {
  for (size_t sent = 0; sent < out_.size();) {
    const ssize_t done = ::send(socket_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL);
    CHECK(done > 0 || errno == EINTR) << authority_ << ": " << strerror(errno);
    if (done > 0) sent += static_cast<size_t>(done);
  }
  out_.clear();
}

int Http2Calls::Read() {
  char buffer[64 << 10];
  const ssize_t got = ::recv(socket_, buffer, sizeof(buffer), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  CHECK(got > 0) << authority_ << " closed the connection";
  in_.append(buffer, static_cast<size_t>(got));
  int answered = 0;
  absl::string_view rest = in_;
  for (Frame frame; TakeFrame(&rest, &frame);) answered += Handle(frame) ? 1 : 0;
  in_.erase(0, in_.size() - rest.size());
  SendWaiting();
  return answered;
}

bool Http2Calls::TakeFrame(absl::string_view* bytes, Frame* frame) {
  if (bytes->size() < kFrameHead) return false;
  const size_t length = BigEndian(bytes->substr(0, 3));
  if (bytes->size() < kFrameHead + length) return false;
  *frame = {.type = static_cast<uint8_t>((*bytes)[3]),
            .flags = static_cast<uint8_t>((*bytes)[4]),
            .stream = BigEndian(bytes->substr(5, 4)) & 0x7fff'ffff,
            .payload = bytes->substr(kFrameHead, length)};
  bytes->remove_prefix(kFrameHead + length);
  return true;
}

// Whether it ended a call.
bool Http2Calls::Handle(const Frame& frame) {
  const bool ack = (frame.flags & kAck) != 0;
  switch (frame.type) {
    case kData:
      open_[frame.stream] = true;
      break;
    case kSettings:
      if (!ack) AppendFrame(kSettings, kAck, 0, "");
      return false;
    case kPing:
      if (!ack) AppendFrame(kPing, kAck, 0, frame.payload);
      return false;
    case kWindowUpdate:
      if (frame.stream == 0) window_ += BigEndian(frame.payload) & 0x7fff'ffff;
      return false;
    case kHeaders:
      break;
    case kResetStream:
    case kGoAway:
      CHECK(false) << authority_ << " refused: frame " << int{frame.type};
  }
  return (frame.type == kData || frame.type == kHeaders) && (frame.flags & kEndStream) != 0 &&
         Ended(frame.stream);
}

bool Http2Calls::Ended(uint32_t stream) {
  const auto found = open_.find(stream);
  CHECK(found != open_.end() && found->second) << path_ << " failed at " << authority_;
  open_.erase(found);
  return true;
}

}  // namespace bench

// Http2Calls: makes the same gRPC call over and over on a connection, with next to no work: what
// loads a server whose clients share its two cores must not need more of them than it does.
//
// Place:     made and used by one thread. It writes HTTP/2 by hand: as much of RFC 9113 and RFC 7541
//            as a client needs that sends small requests and looks only at whether each was
//            answered.
// Counts:    a call is answered when its stream has ended after some data; a gRPC error comes
//            without data, and is fatal here.
#ifndef TESTS_BENCH_PAXOS_HTTP2_CALLS_H_
#define TESTS_BENCH_PAXOS_HTTP2_CALLS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace bench {

class Http2Calls {
 public:
  // Connects to 127.0.0.1:`port`, for calls of `path` ("/package.Service/Method"). CHECKs that it
  // can.
  Http2Calls(int port, const std::string& path);
  ~Http2Calls();
  Http2Calls(const Http2Calls&) = delete;
  Http2Calls& operator=(const Http2Calls&) = delete;

  // Starts a call; it is written with the next Flush().
  void Start(absl::string_view request);
  void Flush();
  // Takes what has arrived without waiting; how many calls have been answered by it.
  int Read();

  int socket() const { return socket_; }
  size_t under_way() const { return open_.size(); }

 private:
  struct Frame {
    uint8_t type;
    uint8_t flags;
    uint32_t stream;
    absl::string_view payload;
  };

  void AppendFrame(uint8_t type, uint8_t flags, uint32_t stream, absl::string_view payload);
  void AppendRequestHeaders();
  // Takes the first whole frame off `*bytes`.
  static bool TakeFrame(absl::string_view* bytes, Frame* frame);
  bool Handle(const Frame& frame);
  bool Ended(uint32_t stream);
  void SendWaiting();

  int socket_;
  const std::string path_;
  const std::string authority_;
  std::string in_;
  std::string out_;
  uint32_t next_stream_ = 1;
  int64_t window_ = 65'535;          // What may be sent on the connection.
  std::deque<std::string> waiting_;  // Requests that did not fit.
  std::map<uint32_t, bool> open_;    // Streams, and whether data came.
};

}  // namespace bench

#endif  // TESTS_BENCH_PAXOS_HTTP2_CALLS_H_

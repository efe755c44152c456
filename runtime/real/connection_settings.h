// What both ends of a connection between nodes are set to.
#ifndef RUNTIME_REAL_CONNECTION_SETTINGS_H_
#define RUNTIME_REAL_CONNECTION_SETTINGS_H_

#include <grpc/grpc.h>

#include <array>

namespace real {

struct ConnectionSetting {
  const char* name;
  int value;
};

// How much of a stream may be on its way, unread.
inline constexpr int kWindowBytes = 4 << 20;

inline constexpr std::array kConnectionSettings = {
    // What these do per call we do not use.
    ConnectionSetting{GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0},
    ConnectionSetting{GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0},
    ConnectionSetting{GRPC_ARG_ENABLE_CHANNELZ, 0},
    // A window that is large from the beginning needs no probes, which come with every few messages
    // and take a round trip of their own.
    ConnectionSetting{GRPC_ARG_HTTP2_BDP_PROBE, 0},
    ConnectionSetting{GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kWindowBytes},
};

}  // namespace real

#endif  // RUNTIME_REAL_CONNECTION_SETTINGS_H_

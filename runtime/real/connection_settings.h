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

inline constexpr std::array kConnectionSettings = {
    // What these do per call we do not use.
    ConnectionSetting{GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0},
    ConnectionSetting{GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0},
    ConnectionSetting{GRPC_ARG_ENABLE_CHANNELZ, 0},
};

}  // namespace real

#endif  // RUNTIME_REAL_CONNECTION_SETTINGS_H_

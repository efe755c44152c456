// TestWorld: a real world for tests, silent and on two loops unless told otherwise.
#ifndef TESTS_RUNTIME_REAL_TEST_WORLD_H_
#define TESTS_RUNTIME_REAL_TEST_WORLD_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"
#include "runtime/network.h"
#include "runtime/real/real_world.h"

namespace real {

inline RealWorldOptions TestOptions(uint32_t node = 1) {
  RealWorldOptions options;
  options.node = runtime::NodeId(node);
  options.loops = 2;
  options.helper_threads = 2;
  options.log = LogDestination::kNowhere;
  return options;
}

// Listens on a free port of the loopback device.
inline RealWorldOptions ListeningOptions(uint32_t node) {
  RealWorldOptions options = TestOptions(node);
  options.listen_address = "127.0.0.1:0";
  return options;
}

inline std::string AddressOf(const RealWorld& world) {
  return absl::StrCat("127.0.0.1:", world.port());
}

inline std::unique_ptr<RealWorld> TestWorld(RealWorldOptions options = TestOptions()) {
  absl::StatusOr<std::unique_ptr<RealWorld>> world = RealWorld::Create(std::move(options));
  CHECK(world.ok()) << world.status();
  return *std::move(world);
}

}  // namespace real

#endif  // TESTS_RUNTIME_REAL_TEST_WORLD_H_

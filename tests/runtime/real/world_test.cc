// What a real world is made of, and what it says when it cannot be made.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <leveldb/env.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <regex>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

#include "runtime/clocks.h"
#include "runtime/datagrams.h"
#include "runtime/experiments.h"
#include "runtime/random.h"
#include "runtime/real/file_descriptor.h"
#include "runtime/real/real_world.h"
#include "runtime/real/socket_address.h"
#include "tests/runtime/real/test_world.h"

namespace real {
namespace {

using namespace std::chrono_literals;
using runtime::Task;
using testing::HasSubstr;

absl::Status CreateError(RealWorldOptions options) {
  return RealWorld::Create(std::move(options)).status();
}

TEST(RealWorld, ListensOnAFreePortIfAskedFor) {
  EXPECT_GT(TestWorld(ListeningOptions(1))->port(), 0);
  EXPECT_EQ(TestWorld(TestOptions(1))->port(), 0);
}

TEST(RealWorld, SaysWhyItCannotListen) {
  const auto first = TestWorld(ListeningOptions(1));
  RealWorldOptions options = TestOptions(2);
  options.listen_address = AddressOf(*first);
  EXPECT_EQ(CreateError(options),
            absl::AlreadyExistsError("cannot listen on " + options.listen_address +
                                     ": another process uses that port"));
  options.listen_address = "no.such.host.invalid:4000";
  EXPECT_EQ(CreateError(options).code(), absl::StatusCode::kNotFound);
  options.listen_address = "192.0.2.1:4000";
  EXPECT_THAT(std::string(CreateError(options).message()),
              HasSubstr("this machine does not have that address"));
  for (const char* wrong :
       {"4000", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", ":4000", "::1"}) {
    options.listen_address = wrong;
    EXPECT_EQ(CreateError(options).code(), absl::StatusCode::kInvalidArgument) << wrong;
  }
}

TEST(RealWorld, ThePortIsFreeWhenItsWorldHasEnded) {
  auto world = TestWorld(ListeningOptions(1));
  RealWorldOptions options = TestOptions(2);
  options.listen_address = AddressOf(*world);
  world.reset();
  EXPECT_TRUE(CreateError(options).ok());
}

Task<std::vector<uint64_t>> Draw(RealWorld* world) {
  std::vector<uint64_t> drawn;
  for (int i = 0; i < 3; ++i) drawn.push_back(world->random().Next());
  co_return drawn;
}

TEST(RealWorld, DrawsTheSameNumbersFromTheSameSeedAndOthersFromNone) {
  const auto draw = [](std::optional<uint64_t> seed) {
    RealWorldOptions options = TestOptions();
    options.seed = seed;
    const auto world = TestWorld(options);
    return world->RunUntilDone(Draw(world.get()));
  };
  EXPECT_EQ(draw(7), draw(7));
  EXPECT_NE(draw(7), draw(8));
  EXPECT_NE(draw(std::nullopt), draw(std::nullopt));
}

TEST(RealWorld, SwitchesOffOnlyTheRulesItWasTold) {
  RealWorldOptions options = TestOptions();
  options.without_rules = {"TT-MONOTONE"};
  const auto world = TestWorld(options);
  EXPECT_TRUE(world->experiments().Without("TT-MONOTONE"));
  EXPECT_FALSE(world->experiments().Without("TT-CONTAINS"));
  EXPECT_FALSE(world->experiments().Buggify("anything"));
}

TEST(RealWorld, ReadsTheHostsClocks) {
  const auto world = TestWorld();
  runtime::Clocks& clocks = world->clocks();
  const auto raw = clocks.Raw();
  EXPECT_LE(raw, clocks.Raw());
  const runtime::Suspensions suspended = clocks.Suspended();
  EXPECT_LE(suspended.at_least, suspended.at_most);
  EXPECT_GE(suspended.at_most, 0ns);
  // After this was written, and before int64 nanoseconds run out.
  EXPECT_GT(clocks.Realtime(), runtime::Timestamp(1'700'000'000'000'000'000));
}

TEST(RealWorld, FilesAreTheHosts) {
  const auto world = TestWorld();
  const std::string path = testing::TempDir() + "isochron_files_test." + std::to_string(getpid());
  ASSERT_TRUE(leveldb::WriteStringToFile(&world->files(), "hello", path).ok());
  std::string contents;
  std::ifstream(path) >> contents;
  EXPECT_EQ(contents, "hello");
  std::filesystem::remove(path);
}

TEST(TextLog, WritesOneLineWithItsTimeInUtc) {
  RealWorldOptions options = TestOptions();
  options.log = LogDestination::kFile;
  options.log_file = testing::TempDir() + "isochron_log_test." + std::to_string(getpid());
  {
    const auto world = TestWorld(options);
    world->log().Write(runtime::Severity::kDebug, "test.hidden", {});
    world->log().Write(runtime::Severity::kWarning, "test.shown", {{"what", "two words"}});
  }
  std::ostringstream log;
  log << std::ifstream(options.log_file).rdbuf();
  std::filesystem::remove(options.log_file);
  EXPECT_TRUE(std::regex_match(
      log.str(), std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z warning test\.shown )"
                            R"(what="two words"\n)")))
      << log.str();
}

TEST(TextLog, SaysWhichFileItCannotWrite) {
  RealWorldOptions options = TestOptions();
  options.log = LogDestination::kFile;
  options.log_file = "/proc/no/such/log";
  const absl::Status error = CreateError(options);
  EXPECT_EQ(error.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(error.message()), HasSubstr("/proc/no/such/log"));
}

// A daemon that answers one datagram with "re: " and what came.
class Answerer {
 public:
  explicit Answerer(const SocketAddress& address)
      : socket_(socket(address.pointer()->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    CHECK_EQ(bind(socket_.number(), address.pointer(), address.length), 0);
    thread_ = std::thread([this] { Answer(); });
  }
  ~Answerer() { thread_.join(); }

  // Where a UDP one was bound to.
  std::string UdpAddress() const {
    sockaddr_in bound{};
    socklen_t length = sizeof(bound);
    getsockname(socket_.number(), reinterpret_cast<sockaddr*>(&bound), &length);
    return absl::StrCat("127.0.0.1:", ntohs(bound.sin_port));
  }

 private:
  void Answer() {
    char request[100];
    SocketAddress from;
    from.length = sizeof(from.storage);
    const ssize_t got = recvfrom(socket_.number(), request, sizeof(request), 0,
                                 reinterpret_cast<sockaddr*>(&from.storage), &from.length);
    const std::string answer = "re: " + std::string(request, static_cast<size_t>(got));
    sendto(socket_.number(), answer.data(), answer.size(), 0, from.pointer(), from.length);
  }

  FileDescriptor socket_;
  std::thread thread_;
};

class DatagramsTest : public testing::Test {
 protected:
  DatagramsTest() { std::filesystem::create_directory(folder_); }
  ~DatagramsTest() override {
    std::filesystem::remove(path_);
    // Fails if an exchange left its own socket behind.
    EXPECT_TRUE(std::filesystem::remove(folder_));
  }

  absl::StatusOr<std::string> Exchange(std::string address, runtime::Duration timeout = 100s) {
    return world_->RunUntilDone(world_->datagrams().Exchange(std::move(address), "ping", timeout));
  }

  const std::unique_ptr<RealWorld> world_ = TestWorld();
  const std::string folder_ =
      testing::TempDir() + "isochron_datagrams_test." + std::to_string(getpid());
  const std::string path_ = folder_ + "/server.sock";
};

TEST_F(DatagramsTest, ExchangeOverAUnixSocket) {
  const Answerer server(*UnixAddress(path_));
  EXPECT_EQ(*Exchange(path_), "re: ping");
}

TEST_F(DatagramsTest, ExchangeOverUdp) {
  const Answerer server(*NumericInternetAddress("127.0.0.1:0"));
  EXPECT_EQ(*Exchange(server.UdpAddress()), "re: ping");
}

TEST_F(DatagramsTest, SayWhatIsWrongAndWithWhich) {
  const auto expect = [&](const std::string& address, absl::StatusCode code) {
    const absl::Status status = Exchange(address).status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(address));
  };
  expect(folder_ + "/nothing.sock", absl::StatusCode::kNotFound);
  expect("/" + std::string(200, 'x'), absl::StatusCode::kInvalidArgument);
  expect("localhost:323", absl::StatusCode::kInvalidArgument);
  expect("127.0.0.1", absl::StatusCode::kInvalidArgument);
  expect("127.0.0.1:1", absl::StatusCode::kUnavailable);
}

TEST_F(DatagramsTest, TimeOutIfNobodyAnswers) {
  const SocketAddress address = *UnixAddress(path_);
  const FileDescriptor deaf(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(bind(deaf.number(), address.pointer(), address.length), 0);
  const absl::Status status = Exchange(path_, 10ms).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(status.message()), HasSubstr(path_ + ": no answer within 10 ms"));
}

}  // namespace
}  // namespace real

// What else a node asks of the world: blocking work, local daemons, LevelDB on the loop itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <leveldb/db.h>
#include <leveldb/env.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/blocking.h"
#include "runtime/datagrams.h"
#include "runtime/metrics.h"
#include "runtime/simulated/universe.h"
#include "runtime/sleep.h"

namespace simulated {
namespace {

using ::runtime::Task;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using Result = absl::StatusOr<std::string>;

// Runs what a test gives it, as long as its incarnation lives.
class Host final : public NodeProgram {
 public:
  explicit Host(runtime::World* world) : loop_(world->loop(0)), scope_(loop_) {}

  void Spawn(Task<void> task) {
    static_cast<SimulatedExecutor&>(loop_).Do([&] { scope_.Spawn(std::move(task)); });
  }
  void Cancel() {
    static_cast<SimulatedExecutor&>(loop_).Do([this] { scope_.Cancel(); });
  }

 private:
  runtime::Executor& loop_;
  runtime::TaskScope scope_;
};

NodeWorld& AddHost(Universe* universe) {
  NodeOptions options;
  options.program = [](runtime::World& world) { return std::make_unique<Host>(&world); };
  NodeWorld& node = universe->AddNode(NodeId(1), std::move(options));
  universe->RunFor(1ms);
  return node;
}

Host& HostOf(NodeWorld* node) { return *static_cast<Host*>(node->program()); }

class OutsideTest : public ::testing::Test {
 protected:
  void Spawn(Task<void> task) { HostOf(&node_).Spawn(std::move(task)); }

  Universe universe_{1};
  NodeWorld& node_ = AddHost(&universe_);
};

bool WriteFile(leveldb::Env* env, const std::string& path) {
  leveldb::WritableFile* opened = nullptr;
  if (!env->NewWritableFile(path, &opened).ok()) return false;
  const std::unique_ptr<leveldb::WritableFile> file(opened);
  return file->Append("content").ok() && file->Sync().ok();
}

Task<void> WriteBlocking(runtime::World* world, std::string path, std::vector<Duration>* took) {
  const MonotonicTime start = runtime::Executor::Current().Now();
  leveldb::Env* const env = &world->files();
  const bool written = co_await runtime::RunBlocking(&world->blocking(),
                                                     [env, path] { return WriteFile(env, path); });
  EXPECT_TRUE(written);
  took->push_back(runtime::Executor::Current().Now() - start);
}

TEST_F(OutsideTest, BlockingWorkTakesTheTimeOfItsDisk) {
  std::vector<Duration> took;
  Spawn(WriteBlocking(&node_, "file", &took));
  universe_.RunFor(10ms);
  ASSERT_THAT(took, SizeIs(1));
  EXPECT_GE(took[0], 80us);
  EXPECT_LE(took[0], 1ms);
  node_.disk().Stall(5s);
  Spawn(WriteBlocking(&node_, "other", &took));
  universe_.RunFor(10s);
  ASSERT_THAT(took, SizeIs(2));
  EXPECT_GE(took[1], 4s);
}

Task<void> WriteTwice(runtime::World* world, std::optional<Duration>* took) {
  const MonotonicTime start = runtime::Executor::Current().Now();
  leveldb::Env* const env = &world->files();
  co_await runtime::RunBlocking(&world->blocking(), [env] {
    EXPECT_TRUE(WriteFile(env, "first") && WriteFile(env, "second"));
    return true;
  });
  *took = runtime::Executor::Current().Now() - start;
}

TEST_F(OutsideTest, BlockingWorkThatSyncsOftenWaitsForAStallOnce) {
  std::optional<Duration> took;
  node_.disk().Stall(5s);
  Spawn(WriteTwice(&node_, &took));
  universe_.RunFor(20s);
  ASSERT_TRUE(took.has_value());
  EXPECT_GE(*took, 5s);
  EXPECT_LE(*took, 6s);
}

TEST_F(OutsideTest, BlockingWorkBeyondTheThreadsWaitsForItsTurn) {
  std::vector<Duration> took;
  node_.disk().Stall(1s);
  for (int i = 0; i < 9; ++i) Spawn(WriteBlocking(&node_, absl::StrCat("file", i), &took));
  universe_.RunFor(1100ms);
  EXPECT_THAT(took, SizeIs(9));
  EXPECT_EQ(node_.disk().Paths().size(), 9u);
  EXPECT_GT(took.back(), took.front());
}

TEST_F(OutsideTest, ACancelledCallerStillWaitsForBlockingWork) {
  std::vector<Duration> took;
  Spawn(WriteBlocking(&node_, "file", &took));
  universe_.RunFor(10us);
  HostOf(&node_).Cancel();
  universe_.RunFor(20us);
  EXPECT_TRUE(took.empty());
  universe_.RunFor(10ms);
  EXPECT_THAT(took, SizeIs(1));
}

TEST_F(OutsideTest, APausedNodeGoesOnLaterThoughItsDiskIsDone) {
  std::vector<Duration> took;
  Spawn(WriteBlocking(&node_, "file", &took));
  universe_.RunFor(10us);
  node_.Pause();
  universe_.RunFor(1s);
  EXPECT_TRUE(took.empty());
  node_.Resume();
  universe_.RunFor(1us);
  ASSERT_THAT(took, SizeIs(1));
  EXPECT_GE(took[0], 1s);
}

TEST(BlockingCrashTest, ACrashInsideBlockingWorkIsACrashInsideASync) {
  int survived = 0;
  int lost = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    Universe universe(seed);
    NodeWorld& node = AddHost(&universe);
    std::vector<Duration> took;
    HostOf(&node).Spawn(WriteBlocking(&node, "file", &took));
    universe.RunFor(seed % 2 == 0 ? 30us : 10ms);
    node.Crash();
    uint64_t size = 0;
    node.Restart();
    universe.RunFor(1ms);
    const bool there = node.files().GetFileSize("file", &size).ok() && size >= 7;
    if (seed % 2 != 0) {
      ASSERT_TRUE(there && took.size() == 1) << "what was acknowledged is lost, seed " << seed;
      continue;
    }
    EXPECT_TRUE(took.empty());
    (there ? survived : lost) += 1;
  }
  EXPECT_GT(survived, 5);
  EXPECT_GT(lost, 5);
}

Task<void> Exchange(runtime::World* world, std::string address, std::vector<Result>* results) {
  results->push_back(co_await world->datagrams().Exchange(address, "question", 1s));
}

TEST_F(OutsideTest, ALocalDaemonAnswersDatagrams) {
  std::vector<Result> results;
  node_.datagram_host().SetResponder("/run/daemon.sock", [](std::string request) -> Result {
    return absl::StrCat("answer to ", request);
  });
  node_.datagram_host().SetResponder("127.0.0.1:323", [](std::string) -> Result {
    return absl::PermissionDeniedError("not for you");
  });
  Spawn(Exchange(&node_, "/run/daemon.sock", &results));
  universe_.RunFor(10ms);
  Spawn(Exchange(&node_, "127.0.0.1:323", &results));
  universe_.RunFor(10ms);
  Spawn(Exchange(&node_, "/run/nobody.sock", &results));
  universe_.RunFor(10ms);
  ASSERT_THAT(results, SizeIs(3));
  EXPECT_EQ(*results[0], "answer to question");
  EXPECT_TRUE(absl::IsPermissionDenied(results[1].status()));
  EXPECT_TRUE(absl::IsUnavailable(results[2].status()));
  EXPECT_THAT(std::string(results[2].status().message()), HasSubstr("/run/nobody.sock"));

  node_.datagram_host().faults().loss = 1;
  Spawn(Exchange(&node_, "/run/daemon.sock", &results));
  universe_.RunFor(2s);
  ASSERT_THAT(results, SizeIs(4));
  EXPECT_TRUE(absl::IsDeadlineExceeded(results[3].status()));
}

TEST_F(OutsideTest, ADaemonAnswersAPausedNodeInItsOwnTime) {
  std::vector<Result> results;
  MonotonicTime asked_at;
  node_.datagram_host().SetResponder("daemon", [&](std::string) -> Result {
    asked_at = universe_.now();
    return "answer";
  });
  const MonotonicTime start = universe_.now();
  Spawn(Exchange(&node_, "daemon", &results));
  universe_.RunFor(1us);
  node_.Pause();
  universe_.RunFor(500ms);
  EXPECT_LT(asked_at - start, 10ms);
  node_.Resume();
  universe_.RunFor(1us);
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_TRUE(results[0].ok());
}

TEST_F(OutsideTest, LevelDbMayBeCalledOnTheLoop) {
  leveldb::Options options;
  options.env = &node_.files();
  options.create_if_missing = true;
  options.write_buffer_size = 64 << 10;
  leveldb::DB* opened = nullptr;
  int written = 0;
  node_.loop(0).Post([&] { ASSERT_TRUE(leveldb::DB::Open(options, "db", &opened).ok()); });
  universe_.RunFor(1ms);
  const std::unique_ptr<leveldb::DB> store(opened);
  for (int i = 0; i < 300; ++i) {
    node_.loop(0).Post([&written, db = store.get(), i] {
      written += db->Put({}, absl::StrCat(i), std::string(1000, 'x')).ok() ? 1 : 0;
    });
  }
  universe_.RunFor(1s);
  EXPECT_EQ(written, 300);
  EXPECT_GT(node_.disk().counts().background_runs, 3u);
}

TEST_F(OutsideTest, MetricsAreTheIncarnationsOwn) {
  node_.metrics().GetCounter("isochron_test_total", "A test", {}).Add();
  EXPECT_THAT(node_.metrics().PrometheusText(), HasSubstr("isochron_test_total 1"));
  node_.Restart();
  EXPECT_EQ(node_.metrics().GetCounter("isochron_test_total", "A test", {}).value(), 0);
}

}  // namespace
}  // namespace simulated

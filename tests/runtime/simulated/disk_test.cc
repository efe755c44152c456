// The disk against a model: after any crash LevelDB recovers exactly a prefix of the writes that
// includes everything synced.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <leveldb/db.h>
#include <leveldb/write_batch.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/random.h"
#include "runtime/simulated/simulated_disk.h"
#include "runtime/simulated/simulated_env.h"

namespace simulated {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kStore[] = "store";

bool WriteAndSync(leveldb::Env* env, const std::string& text, const std::string& path) {
  leveldb::WritableFile* opened = nullptr;
  if (!env->NewWritableFile(path, &opened).ok()) return false;
  const std::unique_ptr<leveldb::WritableFile> file(opened);
  return file->Append(text).ok() && file->Sync().ok();
}

// Syncing a MANIFEST syncs its directory.
void SyncAll(leveldb::Env* env) { ASSERT_TRUE(WriteAndSync(env, "", "MANIFEST-000001")); }

// A machine of which only the disk exists, and a program on it that writes numbered batches.
class Machine {
 public:
  explicit Machine(uint64_t seed, DiskOptions options = {})
      : recorder_(seed, Timestamp(0)), disk_(&recorder_, NodeId(1), options, seed), random_(seed) {}
  ~Machine() { Die(); }

  leveldb::Status Open(bool paranoid = false) {
    Die();
    env_ = std::make_unique<SimulatedEnv>(&disk_);
    leveldb::Options options;
    options.env = env_.get();
    options.create_if_missing = true;
    options.write_buffer_size = 64 << 10;
    options.max_file_size = 1 << 20;
    options.paranoid_checks = paranoid;
    leveldb::DB* store = nullptr;
    const leveldb::Status status = leveldb::DB::Open(options, kStore, &store);
    store_.reset(store);
    disk_.RunBackgroundWork();
    return status;
  }

  // Writes batch `number`: it says so under its own key and under a common one.
  leveldb::Status Write(uint64_t number, bool sync) {
    leveldb::WriteBatch batch;
    const std::string padding(static_cast<size_t>(random_.Uniform(0, 3000)), 'p');
    batch.Put(Key(number), absl::StrCat(number, padding));
    batch.Put("latest", absl::StrCat(number));
    leveldb::WriteOptions options;
    options.sync = sync;
    return store_->Write(options, &batch);
  }

  // How many batches there are: the first so many and no other. -1 if it is not such a prefix.
  int64_t Recovered() {
    const std::unique_ptr<leveldb::Iterator> it(store_->NewIterator(leveldb::ReadOptions()));
    int64_t count = 0;
    int64_t latest = 0;
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      if (it->key() == "latest") {
        latest = std::stoll(it->value().ToString());
      } else if (it->key().ToString() != Key(static_cast<uint64_t>(++count))) {
        return -1;
      }
    }
    return it->status().ok() && latest == count ? count : -1;
  }

  void Die() {
    if (env_ == nullptr) return;
    env_->Close();
    disk_.RunBackgroundWork();
    store_.reset();
    env_.reset();
  }
  void Crash() {
    Die();
    disk_.Crash();
  }

  SimulatedDisk& disk() { return disk_; }
  SimulatedEnv& env() { return *env_; }
  leveldb::DB& store() { return *store_; }
  runtime::Random& random() { return random_; }

  static std::string Key(uint64_t number) {
    const std::string digits = absl::StrCat(number);
    return "k" + std::string(8 - digits.size(), '0') + digits;
  }

 private:
  Recorder recorder_;
  SimulatedDisk disk_;
  runtime::Random random_;
  std::unique_ptr<SimulatedEnv> env_;
  std::unique_ptr<leveldb::DB> store_;
};

// What a test may break on purpose, to see that the model notices.
enum class Broken { kNothing, kSyncOfWrites, kSyncOfClosedLogs };

// Has a store written to, crashed and recovered many times. What is wrong, or "".
class CrashLoop {
 public:
  CrashLoop(uint64_t seed, Broken broken)
      : machine_(seed, {.log_close_syncs = broken != Broken::kSyncOfClosedLogs}), broken_(broken) {}

  std::string Run(int crashes) {
    for (int crash = 0; crash < crashes; ++crash) {
      const std::string wrong = Once();
      if (!wrong.empty()) return absl::StrCat("crash ", crash, ": ", wrong);
    }
    return "";
  }
  const DiskCounts& counts() { return machine_.disk().counts(); }

 private:
  std::string Once() {
    runtime::Random& random = machine_.random();
    // Recovery may be crashed too, at any of its operations.
    if (random.Chance(0.2)) {
      leveldb::Status status;
      machine_.disk().RunInWindow([&] { status = machine_.Open(); });
      machine_.Crash();
    }
    if (const auto status = machine_.Open(); !status.ok()) return status.ToString();
    durable_ = written_;
    sync_probability_ = random.Fraction() * 0.3;
    // The last writes are a window that has not taken place when the machine crashes: so it
    // crashes at any of their operations.
    if (std::string wrong = WriteSome(random.Uniform(0, 120)); !wrong.empty()) return wrong;
    const uint64_t durable = durable_;
    std::string wrong;
    machine_.disk().RunInWindow([&] { wrong = WriteSome(random.Uniform(0, 20)); });
    if (!wrong.empty()) return wrong;
    machine_.Crash();
    if (const auto status = machine_.Open(); !status.ok()) return status.ToString();
    const int64_t recovered = machine_.Recovered();
    if (recovered < 0) return "what was recovered is no prefix";
    if (static_cast<uint64_t>(recovered) < durable || static_cast<uint64_t>(recovered) > written_) {
      return absl::StrCat(recovered, " recovered, ", durable, " durable, ", written_, " written");
    }
    written_ = static_cast<uint64_t>(recovered);
    return "";
  }

  std::string WriteSome(int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      const bool sync = machine_.random().Chance(sync_probability_);
      const leveldb::Status status =
          machine_.Write(++written_, sync && broken_ != Broken::kSyncOfWrites);
      if (!status.ok()) return status.ToString();
      if (sync) durable_ = written_;
      // Sometimes the background work is late; the disk sees to it that it is not too late.
      if (machine_.random().Chance(0.9)) machine_.disk().RunBackgroundWork();
    }
    return "";
  }

  Machine machine_;
  const Broken broken_;
  uint64_t written_ = 0;
  uint64_t durable_ = 0;
  double sync_probability_ = 0;
};

class CrashPointTest : public ::testing::TestWithParam<int> {};

// 10 x 25 x 20 = 5,000 crash points.
TEST_P(CrashPointTest, LevelDbRecoversAPrefixThatIncludesEverythingSynced) {
  uint64_t background_runs = 0;
  uint64_t torn_files = 0;
  for (uint64_t i = 0; i < 25; ++i) {
    const uint64_t seed = static_cast<uint64_t>(GetParam()) * 1000 + i;
    CrashLoop loop(seed, Broken::kNothing);
    ASSERT_EQ(loop.Run(20), "") << "seed " << seed;
    background_runs += loop.counts().background_runs;
    torn_files += loop.counts().torn_files;
  }
  EXPECT_GT(background_runs, 500u) << "hardly any compaction: the test does not test it";
  EXPECT_GT(torn_files, 100u) << "hardly anything was torn";
}

INSTANTIATE_TEST_SUITE_P(Chunks, CrashPointTest, ::testing::Range(1, 11));

// How many of some seeds find something wrong.
int Found(Broken broken, std::string* what) {
  int found = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const std::string wrong = CrashLoop(seed, broken).Run(20);
    if (wrong.empty()) continue;
    ++found;
    *what = wrong;
  }
  return found;
}

TEST(CrashModelTest, NoticesAWriteThatWasNotSynced) {
  std::string what;
  EXPECT_GT(Found(Broken::kSyncOfWrites, &what), 10);
  EXPECT_THAT(what, HasSubstr("recovered"));
}

// LevelDB changes to a new log without syncing the old one; see SimulatedEnv.
TEST(CrashModelTest, NoticesThatALogWasClosedAndNotSynced) {
  std::string what;
  EXPECT_GT(Found(Broken::kSyncOfClosedLogs, &what), 0);
}

TEST(DiskTest, AnOperationThatFailsIsReportedAndNothingAcknowledgedIsLost) {
  int failed = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Machine machine(seed);
    ASSERT_TRUE(machine.Open().ok());
    machine.disk().faults().fail_at = static_cast<uint64_t>(machine.random().Uniform(1, 400));
    uint64_t acknowledged = 0;
    while (acknowledged < 150 && machine.Write(acknowledged + 1, true).ok()) {
      ++acknowledged;
      machine.disk().RunBackgroundWork();
    }
    failed += acknowledged < 150 ? 1 : 0;
    machine.Crash();
    machine.disk().faults().fail_at = 0;
    ASSERT_TRUE(machine.Open().ok()) << seed;
    // The write that failed may be there or not.
    const int64_t recovered = machine.Recovered();
    ASSERT_GE(recovered, static_cast<int64_t>(acknowledged)) << seed;
    ASSERT_LE(recovered, static_cast<int64_t>(acknowledged) + 1) << seed;
  }
  EXPECT_GT(failed, 100);
}

TEST(DiskTest, AFullDiskIsReportedAndNothingAcknowledgedIsLost) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Machine machine(seed, {.capacity_bytes = 100'000 + 1000 * seed});
    ASSERT_TRUE(machine.Open().ok());
    uint64_t acknowledged = 0;
    leveldb::Status status;
    while ((status = machine.Write(acknowledged + 1, true)).ok()) {
      ++acknowledged;
      machine.disk().RunBackgroundWork();
    }
    EXPECT_THAT(status.ToString(), HasSubstr("no space left"));
    machine.Crash();
    machine.disk().SetCapacity(1 << 30);
    ASSERT_TRUE(machine.Open().ok());
    ASSERT_GE(machine.Recovered(), static_cast<int64_t>(acknowledged)) << seed;
  }
}

TEST(DiskTest, ASyncThatFailedHasLostItsBytesThoughLaterOnesSucceed) {
  Machine machine(1);
  for (int tries = 0; tries < 100; ++tries) {
    machine.Die();
    machine.disk().Wipe();
    SimulatedEnv env(&machine.disk());
    leveldb::WritableFile* opened = nullptr;
    ASSERT_TRUE(env.NewWritableFile("file", &opened).ok());
    const std::unique_ptr<leveldb::WritableFile> file(opened);
    ASSERT_TRUE(file->Append("first").ok() && file->Sync().ok());
    ASSERT_TRUE(file->Append("second").ok());
    machine.disk().faults().fail_next_sync = true;
    EXPECT_TRUE(file->Sync().IsIOError());
    EXPECT_TRUE(file->Sync().ok());
    machine.disk().Crash();
    uint64_t size = 0;
    ASSERT_TRUE(env.GetFileSize("file", &size).ok());
    ASSERT_GE(size, 5u);
    if (size == 5) return;
  }
  FAIL() << "nothing was ever lost";
}

TEST(DiskTest, ASyncThatFailedLeavesWhatWasSyncedBeforeIt) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Machine machine(seed);
    SimulatedEnv env(&machine.disk());
    SimulatedDisk::Window window = machine.disk().RunInWindow([&] {
      leveldb::WritableFile* opened = nullptr;
      ASSERT_TRUE(env.NewWritableFile("file", &opened).ok());
      const std::unique_ptr<leveldb::WritableFile> file(opened);
      ASSERT_TRUE(file->Append("first").ok() && file->Sync().ok());
      machine.disk().faults().fail_next_sync = true;
      ASSERT_TRUE(file->Append("second").ok() && file->Sync().IsIOError());
    });
    machine.disk().Commit(window.end);
    machine.disk().Crash();
    std::string content;
    ASSERT_TRUE(leveldb::ReadFileToString(&env, "file", &content).ok());
    ASSERT_THAT(content, StartsWith("first"));
  }
}

TEST(DiskTest, BitFlipsAreDetectedOrHarmless) {
  int detected = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Machine machine(seed);
    ASSERT_TRUE(machine.Open().ok());
    for (uint64_t i = 1; i <= 60; ++i) {
      ASSERT_TRUE(machine.Write(i, true).ok());
      machine.disk().RunBackgroundWork();
    }
    machine.Crash();
    ASSERT_TRUE(machine.disk().FlipRandomBit());
    const leveldb::Status opened = machine.Open(/*paranoid=*/true);
    if (!opened.ok()) {
      ++detected;
      continue;
    }
    leveldb::ReadOptions options;
    options.verify_checksums = true;
    for (uint64_t i = 1; i <= 60; ++i) {
      std::string value;
      const leveldb::Status read = machine.store().Get(options, Machine::Key(i), &value);
      if (!read.ok()) {
        ++detected;
        break;
      }
      ASSERT_THAT(value, StartsWith(absl::StrCat(i))) << "seed " << seed;
    }
  }
  EXPECT_GT(detected, 50);
}

TEST(DiskTest, BitFlipsOnReadAreDetectedByChecksums) {
  int detected = 0;
  Machine machine(1);
  ASSERT_TRUE(machine.Open().ok());
  for (uint64_t i = 1; i <= 100; ++i) {
    ASSERT_TRUE(machine.Write(i, true).ok());
    machine.disk().RunBackgroundWork();
  }
  ASSERT_TRUE(machine.Open().ok());
  machine.disk().faults().read_flip = 0.3;
  leveldb::ReadOptions options;
  options.verify_checksums = true;
  options.fill_cache = false;
  for (uint64_t i = 1; i <= 100; ++i) {
    std::string value;
    if (machine.store().Get(options, Machine::Key(i), &value).ok()) {
      ASSERT_THAT(value, StartsWith(absl::StrCat(i)));
    } else {
      ++detected;
    }
  }
  EXPECT_GT(detected, 5);
}

TEST(DiskTest, ARenameIsAtomicAndMayRevertUntilItIsDurable) {
  bool old_seen = false;
  bool new_seen = false;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Machine machine(seed);
    SimulatedEnv env(&machine.disk());
    ASSERT_TRUE(WriteAndSync(&env, "old", "CURRENT"));
    SyncAll(&env);
    ASSERT_TRUE(WriteAndSync(&env, "new", "temporary"));
    ASSERT_TRUE(env.RenameFile("temporary", "CURRENT").ok());
    if (seed % 2 == 0) SyncAll(&env);
    machine.disk().Crash();
    std::string content;
    ASSERT_TRUE(leveldb::ReadFileToString(&env, "CURRENT", &content).ok());
    ASSERT_THAT(content, AnyOf("old", "new"));
    if (seed % 2 == 0) ASSERT_EQ(content, "new");
    old_seen = old_seen || content == "old";
    new_seen = new_seen || content == "new";
  }
  EXPECT_TRUE(old_seen && new_seen);
}

TEST(DiskTest, AClosedEnvDoesNothingAnyMore) {
  Machine machine(1);
  ASSERT_TRUE(machine.Open().ok());
  ASSERT_TRUE(machine.Write(1, true).ok());
  machine.env().Close();
  EXPECT_TRUE(machine.Write(2, true).IsIOError());
  EXPECT_TRUE(machine.env().CreateDir("other").IsIOError());
  machine.Crash();
  ASSERT_TRUE(machine.Open().ok());
  EXPECT_EQ(machine.Recovered(), 1);
}

TEST(DiskTest, DirectoriesMustExist) {
  Machine machine(1);
  SimulatedEnv env(&machine.disk());
  leveldb::WritableFile* file = nullptr;
  EXPECT_TRUE(env.NewWritableFile("a/b/file", &file).IsNotFound());
  ASSERT_TRUE(env.CreateDir("a").ok());
  ASSERT_TRUE(env.CreateDir("a/b").ok());
  ASSERT_TRUE(leveldb::WriteStringToFile(&env, "text", "a/b/file").ok());
  std::vector<std::string> children;
  ASSERT_TRUE(env.GetChildren("a/b", &children).ok());
  EXPECT_THAT(children, ElementsAre("file"));
  EXPECT_FALSE(env.RemoveDir("a/b").ok());
  EXPECT_TRUE(env.RemoveFile("a/b/file").ok());
  EXPECT_TRUE(env.RemoveDir("a/b").ok());
  leveldb::FileLock* lock = nullptr;
  leveldb::FileLock* second = nullptr;
  ASSERT_TRUE(env.LockFile("a/LOCK", &lock).ok());
  EXPECT_TRUE(env.LockFile("a/LOCK", &second).IsIOError());
  EXPECT_TRUE(env.UnlockFile(lock).ok());
}

// Many writes inside one piece of blocking work: LevelDB waits for its background work there.
TEST(DiskTest, ManyWritesInOneCallDoNotStandStill) {
  Machine machine(3);
  ASSERT_TRUE(machine.Open().ok());
  machine.disk().RunInWindow([&] {
    for (uint64_t i = 1; i <= 2000; ++i) ASSERT_TRUE(machine.Write(i, false).ok());
  });
  machine.disk().RunBackgroundWork();
  EXPECT_EQ(machine.Recovered(), 2000);
  EXPECT_GT(machine.disk().counts().background_runs, 20u);
}

}  // namespace
}  // namespace simulated

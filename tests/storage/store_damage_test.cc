// A store of which one byte is wrong: it is found damaged, or gives what it should; never a wrong
// row, never a hole (PX-CHECKSUM).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "runtime/random.h"
#include "runtime/simulated/simulated_disk.h"
#include "runtime/simulated/simulated_env.h"
#include "storage/database.h"
#include "storage/write_ahead_log.h"
#include "tests/storage/row_model.h"
#include "tests/trials.h"

namespace storage {
namespace {

using ::testing::HasSubstr;

constexpr GroupId kGroup{3};
constexpr char kDirectory[] = "store";

using Image = std::map<std::string, std::string>;  // Files by path.

// A disk with some files, and the database that is made of them.
class Machine {
 public:
  explicit Machine(const Image& image = {})
      : recorder_(1, simulated::Timestamp(0)),
        disk_(&recorder_, simulated::NodeId(1), {}, 1),
        env_(&disk_) {
    env_.CreateDir(kDirectory);
    for (const auto& [path, content] : image) {
      leveldb::WritableFile* opened = nullptr;
      EXPECT_TRUE(env_.NewWritableFile(path, &opened).ok());
      const std::unique_ptr<leveldb::WritableFile> file(opened);
      EXPECT_TRUE(file->Append(content).ok());
    }
  }
  ~Machine() { disk_.RunBackgroundWork(); }

  absl::Status Open() {
    absl::StatusOr<std::shared_ptr<Database>> opened = Database::Open(
        &env_, {.directory = kDirectory, .write_buffer_bytes = 64 << 10, .block_cache_bytes = 1});
    disk_.RunBackgroundWork();
    if (!opened.ok()) return opened.status();
    database_ = *std::move(opened);
    return absl::OkStatus();
  }
  absl::Status Write(ApplyBatch batch) {
    const absl::Status written = database_->Write(&batch.changes(), /*sync=*/false);
    disk_.RunBackgroundWork();
    return written;
  }
  Image ReadFiles() {
    Image image;
    for (const std::string& path : disk_.Paths()) {
      if (path != kDirectory) EXPECT_TRUE(ReadWholeFile(&env_, path, &image[path]).ok());
    }
    return image;
  }
  const std::shared_ptr<Database>& database() { return database_; }
  leveldb::Env& env() { return env_; }
  simulated::SimulatedDisk& disk() { return disk_; }
  void Close() { database_ = nullptr; }

 private:
  simulated::Recorder recorder_;
  simulated::SimulatedDisk disk_;
  simulated::SimulatedEnv env_;
  std::shared_ptr<Database> database_;
};

// A store that was written to, as its files were at some moment.
struct Written {
  Image image;
  std::vector<ModelBatch> batches;
};

Written WriteStore(uint64_t seed, int openings) {
  Written written;
  runtime::Random random(seed);
  Machine machine;
  for (int opening = 0; opening < openings; ++opening) {
    EXPECT_TRUE(machine.Open().ok());
    const int64_t count = random.Uniform(50, 250);
    for (int64_t i = 0; i < count; ++i) {
      written.batches.push_back(RandomBatch(&random, 300));
      EXPECT_TRUE(machine
                      .Write(ToApplyBatch(written.batches.back(), written.batches.size(), kGroup,
                                          StoreEpoch(1)))
                      .ok());
    }
    // As a process leaves them that is killed.
    written.image = machine.ReadFiles();
    machine.Close();
  }
  return written;
}

enum class Outcome { kHarmless, kOlderPrefix, kDamaged, kWrong };

// What became of a store: opened, read whole, opened and read again.
Outcome Judge(const Image& image, const std::vector<ModelBatch>& batches, std::string* why) {
  Machine machine(image);
  Outcome outcome = Outcome::kHarmless;
  for (int opening = 0; opening < 2; ++opening) {
    absl::Status status = machine.Open();
    *why = status.ToString();
    if (!status.ok()) return absl::IsDataLoss(status) ? Outcome::kDamaged : Outcome::kWrong;
    absl::StatusOr<View> view =
        Database::NewView(machine.database(), kGroup, Database::Installing::kRefused);
    absl::StatusOr<std::optional<std::string>> applied =
        view.ok() ? view->Applied() : absl::StatusOr<std::optional<std::string>>(view.status());
    *why = applied.status().ToString();
    if (!applied.ok())
      return absl::IsDataLoss(applied.status()) ? Outcome::kDamaged : Outcome::kWrong;
    uint64_t number = 0;
    *why = "applied";
    if (!absl::SimpleAtoi(applied->value_or("0"), &number)) return Outcome::kWrong;
    RowModel model;
    for (uint64_t i = 0; i < number; ++i) model.Apply(batches[i]);
    runtime::Random random(number);
    const absl::StatusOr<std::string> different = Difference(&*view, model, &random);
    *why = different.ok() ? *different : different.status().ToString();
    if (!different.ok()) {
      // Damage that is found is remembered, and nothing is served any more.
      const bool remembered = machine.database()->damaged() && !view->Newest("a").ok();
      return absl::IsDataLoss(different.status()) && remembered ? Outcome::kDamaged
                                                                : Outcome::kWrong;
    }
    if (!different->empty()) return Outcome::kWrong;
    if (number < batches.size()) outcome = Outcome::kOlderPrefix;
    view = absl::CancelledError();
    machine.Close();
  }
  return outcome;
}

TEST(StoreDamageTest, AWholeStoreIsReadWhole) {
  const Written written = WriteStore(1, 4);
  std::string why;
  EXPECT_EQ(Judge(written.image, written.batches, &why), Outcome::kHarmless) << why;
  EXPECT_GE(written.image.size(), 6u);
}

class WrongByteTest : public testing::TestWithParam<uint64_t> {};

// 2,000 trials in all.
TEST_P(WrongByteTest, IsFoundOrHarmless) {
  runtime::Random random(GetParam());
  std::map<Outcome, int> outcomes;
  for (uint64_t seed = 2 * GetParam(); seed < 2 * GetParam() + 2; ++seed) {
    const Written written = WriteStore(seed, static_cast<int>(random.Uniform(1, 4)));
    for (int trial = 0; trial < 100; ++trial) {
      Image image = written.image;
      auto file = image.begin();
      do {
        file = std::next(image.begin(), random.Uniform(0, static_cast<int64_t>(image.size()) - 1));
      } while (file->second.empty());
      // Small files hold more that matters; the end and the beginning of a file too.
      const auto size = static_cast<int64_t>(file->second.size());
      int64_t at = random.Uniform(0, size - 1);
      if (random.Chance(0.3)) at = std::max<int64_t>(0, size - 1 - random.Uniform(0, 60));
      const char before = file->second[static_cast<size_t>(at)];
      char& byte = file->second[static_cast<size_t>(at)];
      while (byte == before) byte = static_cast<char>(random.Next());
      std::string why;
      const Outcome outcome = Judge(image, written.batches, &why);
      ASSERT_NE(outcome, Outcome::kWrong) << "seed " << seed << ", byte " << at << " of " << size
                                          << " in " << file->first << ": " << why;
      ++outcomes[outcome];
    }
  }
  // Each kind must have been met, or the trials say nothing.
  EXPECT_GT(outcomes[Outcome::kHarmless], 0);
  EXPECT_GT(outcomes[Outcome::kDamaged], 30);
  EXPECT_GT(outcomes[Outcome::kOlderPrefix], 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, WrongByteTest, testing::Range<uint64_t>(0, tests::Trials(10)));

TEST(StoreDamageTest, AFileThatIsGoneOrCutIsFoundOrTheRestIsAPrefix) {
  runtime::Random random(11);
  for (uint64_t seed = 100; seed < 100 + tests::Trials(20); ++seed) {
    const Written written = WriteStore(seed, 3);
    for (const auto& [path, content] : written.image) {
      for (const bool gone : {true, false}) {
        Image image = written.image;
        if (gone) {
          image.erase(path);
        } else {
          const auto size = static_cast<int64_t>(content.size());
          image[path].resize(
              static_cast<size_t>(random.Uniform(0, std::max<int64_t>(size - 1, 0))));
        }
        std::string why;
        ASSERT_NE(Judge(image, written.batches, &why), Outcome::kWrong)
            << "seed " << seed << ", " << path << (gone ? " gone: " : " cut: ") << why;
      }
    }
  }
}

TEST(StoreDamageTest, AnUnknownFormatIsRefusedInASentence) {
  Machine machine;
  ASSERT_TRUE(machine.Open().ok());
  ApplyBatch batch(StoreEpoch(1));
  batch.PutStored(MetaKey("format"), std::string("\x09\0\0\0", 4));
  ASSERT_TRUE(machine.Write(std::move(batch)).ok());
  machine.Close();
  const absl::Status opened = machine.Open();
  EXPECT_TRUE(absl::IsFailedPrecondition(opened)) << opened;
  EXPECT_THAT(std::string(opened.message()),
              HasSubstr("has format 9, and this program knows only format 1"));
}

// A row moved under another key with all its bytes: LevelDB's checksums are right, ours is not.
TEST(StoreDamageTest, ARowUnderAWrongKeyIsFound) {
  Machine machine;
  ASSERT_TRUE(machine.Open().ok());
  ApplyBatch batch(StoreEpoch(1));
  batch.Put("a", runtime::Timestamp(5), "row of a");
  ASSERT_TRUE(machine.Write(std::move(batch)).ok());
  std::string sealed;
  ASSERT_TRUE(
      machine.database()->leveldb().Get({}, DataKey("a", runtime::Timestamp(5)), &sealed).ok());
  for (const std::string& wrong :
       {DataKey("b", runtime::Timestamp(5)), DataKey("a", runtime::Timestamp(6))}) {
    ASSERT_TRUE(machine.database()->leveldb().Put({}, wrong, sealed).ok());
  }
  for (const char* key : {"a", "b"}) {
    machine.Close();
    ASSERT_TRUE(machine.Open().ok());
    absl::StatusOr<View> view =
        Database::NewView(machine.database(), kGroup, Database::Installing::kRefused);
    EXPECT_TRUE(absl::IsDataLoss(view->Newest(key).status()));
    EXPECT_TRUE(machine.database()->damaged());
    EXPECT_TRUE(absl::IsDataLoss(view->Newest("c").status())) << "a damaged store serves nothing";
  }
}

// ---- The write-ahead log.

TEST(WriteAheadLogTest, EveryCutOfALogIsCutBackToWholeRecords) {
  // Batches of all sizes, so that records are whole, in fragments, and end beside a block's end.
  runtime::Random random(3);
  Machine machine;
  ASSERT_TRUE(machine.Open().ok());
  std::set<size_t> ends;
  std::string path;
  for (const std::string& file : machine.disk().Paths()) {
    if (absl::EndsWith(file, ".log")) path = file;
  }
  const auto size = [&] {
    uint64_t bytes = 0;
    EXPECT_TRUE(machine.env().GetFileSize(path, &bytes).ok());
    return static_cast<size_t>(bytes);
  };
  ends.insert(0);
  ends.insert(size());
  while (size() < 60'000) {
    leveldb::WriteBatch batch;
    batch.Put("k", std::string(static_cast<size_t>(random.Uniform(0, 3000)), 'v'));
    ASSERT_TRUE(machine.database()->leveldb().Write({}, &batch).ok());
    ends.insert(size());
  }
  std::string log;
  ASSERT_TRUE(ReadWholeFile(&machine.env(), path, &log).ok());
  EXPECT_EQ(CleanLogPrefix(log), log.size());
  for (size_t cut = 0; cut < log.size(); cut += 1 + cut % 7) {
    const size_t clean = CleanLogPrefix(absl::string_view(log).substr(0, cut));
    ASSERT_EQ(clean, *std::prev(ends.upper_bound(cut))) << "cut at " << cut;
    std::string flipped = log;
    flipped[cut] = static_cast<char>(flipped[cut] ^ 0x10);
    ASSERT_EQ(CleanLogPrefix(flipped), *std::prev(ends.upper_bound(cut))) << "flipped at " << cut;
  }
}

}  // namespace
}  // namespace storage

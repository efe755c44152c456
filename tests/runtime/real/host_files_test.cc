// What the real files do beyond LevelDB's own: a log is synced when it is closed, a segment is ready
// for small syncs.
#include "runtime/real/host_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <barrier>
#include <latch>
#include <memory>
#include <string>
#include <vector>

#include "runtime/real/segment_file.h"

namespace real {
namespace {

using ::testing::ElementsAre;

// An Env whose files only say what is done to them, and whose syncs can be made to fail.
class TellingFiles final : public leveldb::EnvWrapper {
 public:
  TellingFiles() : leveldb::EnvWrapper(leveldb::Env::Default()) {}

  leveldb::Status NewWritableFile(const std::string& path, leveldb::WritableFile** file) override {
    *file = new TellingFile(this, path);
    return leveldb::Status::OK();
  }

  std::vector<std::string> told;
  bool syncs_fail = false;

 private:
  class TellingFile final : public leveldb::WritableFile {
   public:
    TellingFile(TellingFiles* files, std::string path) : files_(*files), path_(std::move(path)) {}
    leveldb::Status Append(const leveldb::Slice&) override { return Tell("append "); }
    leveldb::Status Flush() override { return Tell("flush "); }
    leveldb::Status Close() override { return Tell("close "); }
    leveldb::Status Sync() override {
      Tell("sync ");
      return files_.syncs_fail ? leveldb::Status::IOError(path_, "broken") : leveldb::Status::OK();
    }

   private:
    leveldb::Status Tell(const char* what) {
      files_.told.push_back(what + path_);
      return leveldb::Status::OK();
    }

    TellingFiles& files_;
    const std::string path_;
  };
};

void Write(HostFiles* files, const std::string& path, bool sync) {
  leveldb::WritableFile* file = nullptr;
  ASSERT_TRUE(files->NewWritableFile(path, &file).ok());
  file->Append("x");
  if (sync) file->Sync();
  delete file;  // As LevelDB does with its log.
}

TEST(HostFiles, SyncsALogThatIsDestroyedWithUnsyncedBytes) {
  TellingFiles disk;
  HostFiles files(1, &disk);
  Write(&files, "1.log", /*sync=*/false);
  EXPECT_THAT(disk.told, ElementsAre("append 1.log", "sync 1.log", "close 1.log"));
}

TEST(HostFiles, DoesNothingTwiceAndLeavesOtherFilesAlone) {
  TellingFiles disk;
  HostFiles files(1, &disk);
  Write(&files, "1.log", /*sync=*/true);
  EXPECT_THAT(disk.told, ElementsAre("append 1.log", "sync 1.log", "close 1.log"));
  disk.told.clear();
  Write(&files, "2.ldb", /*sync=*/false);
  EXPECT_THAT(disk.told, ElementsAre("append 2.ldb"));
}

TEST(HostFiles, WritesNothingMoreOnceALogIsLost) {
  TellingFiles disk;
  HostFiles files(1, &disk);
  disk.syncs_fail = true;
  Write(&files, "1.log", /*sync=*/false);
  disk.syncs_fail = false;
  leveldb::WritableFile* file = nullptr;
  EXPECT_TRUE(files.NewWritableFile("2.log", &file).IsIOError());
  EXPECT_TRUE(files.NewWritableFile("MANIFEST-3", &file).IsIOError());
}

std::string ReadAll(const std::string& path) {
  std::string content;
  EXPECT_TRUE(leveldb::ReadFileToString(leveldb::Env::Default(), path, &content).ok());
  return content;
}

TEST(HostFiles, ASegmentHasZerosAheadUntilItIsClosed) {
  HostFiles files(1);
  const std::string path = ::testing::TempDir() + "/zeros.segment";
  leveldb::WritableFile* opened = nullptr;
  ASSERT_TRUE(files.NewWritableFile(path, &opened).ok());
  std::unique_ptr<leveldb::WritableFile> file(opened);
  std::string content;
  for (int i = 0; i < 100; ++i) {
    const std::string record(5000, static_cast<char>('a' + i % 26));
    content += record;
    ASSERT_TRUE(file->Append(record).ok() && file->Sync().ok());
  }
  const std::string open = ReadAll(path);
  EXPECT_EQ(open.substr(0, content.size()), content);
  EXPECT_GT(open.size(), content.size());
  EXPECT_LE(open.size(), content.size() + SegmentFile::kZerosAhead);
  EXPECT_EQ(open.find_first_not_of('\0', content.size()), std::string::npos);
  ASSERT_TRUE(file->Append("end").ok() && file->Close().ok());
  EXPECT_EQ(ReadAll(path), content + "end");
}

TEST(HostFiles, ASegmentThatIsMadeAgainIsEmpty) {
  HostFiles files(1);
  const std::string path = ::testing::TempDir() + "/again.segment";
  for (const std::string& content : {std::string(300'000, 'x'), std::string("short")}) {
    leveldb::WritableFile* file = nullptr;
    ASSERT_TRUE(files.NewWritableFile(path, &file).ok());
    ASSERT_TRUE(file->Append(content).ok() && file->Sync().ok());
    delete file;
    EXPECT_EQ(ReadAll(path), content);
  }
}

// The first two can only end together.
TEST(HostFiles, StoresCompactSideBySideUpToANumber) {
  std::barrier<> together(2);
  std::latch done(3);
  struct Both {
    std::barrier<>* together;
    std::latch* done;
  } both{&together, &done};
  HostFiles files(2);
  const auto meet = [](void* argument) {
    static_cast<Both*>(argument)->together->arrive_and_wait();
    static_cast<Both*>(argument)->done->count_down();
  };
  files.Schedule(meet, &both);
  files.Schedule(meet, &both);
  files.Schedule([](void* argument) { static_cast<Both*>(argument)->done->count_down(); }, &both);
  done.wait();
}

}  // namespace
}  // namespace real

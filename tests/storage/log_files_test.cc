// The log store on real files, with loops and threads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <leveldb/env.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/run_on.h"
#include "runtime/task_scope.h"
#include "storage/log_store.h"
#include "tests/runtime/real/test_world.h"

namespace storage {
namespace {

using ::testing::SizeIs;

constexpr uint64_t kWriters = 40;
constexpr uint64_t kSlots = 100;

runtime::Task<void> WriteSlots(LogStore* log, GroupId group, int* failures) {
  for (uint64_t slot = 1; slot <= kSlots; ++slot) {
    LogWrite write = {
        .group = group,
        .meta = absl::StrCat("promised ", slot),
        .entries = {{Slot(slot), std::string(500, static_cast<char>('a' + slot % 26))}}};
    if (slot > 50) write.truncate_before = Slot(slot - 50);
    if (!(co_await log->Write(std::move(write))).ok()) ++*failures;
  }
}

runtime::Task<void> ReadSlots(LogStore* log, GroupId group, int* wrong) {
  const auto entries = co_await log->Read(group, Slot(1), Slot(kSlots + 1), size_t{1} << 20);
  if (!entries.ok() || entries->size() != 51) {
    ++*wrong;
    co_return;
  }
  for (const LogEntry& entry : *entries) {
    const char letter = static_cast<char>('a' + entry.slot.value() % 26);
    if (entry.bytes != std::string(500, letter)) ++*wrong;
  }
}

runtime::Task<std::string> WriteAll(runtime::World* world, std::string directory) {
  auto log = co_await LogStore::Open(world, directory, {.segment_bytes = 256 << 10});
  if (!log.ok()) co_return log.status().ToString();
  int failures = 0;
  runtime::TaskScope scope(runtime::Executor::Current());
  for (uint64_t i = 1; i <= kWriters; ++i) {
    scope.Spawn(WriteSlots(log->get(), GroupId(i), &failures));
  }
  co_await scope.Join();
  co_await (*log)->Close();
  co_return failures == 0 ? "" : absl::StrCat(failures, " writes failed");
}

runtime::Task<std::string> ReadAll(runtime::World* world, std::string directory) {
  auto log = co_await LogStore::Open(world, directory, {.cache_bytes_max = 0});
  if (!log.ok()) co_return log.status().ToString();
  const std::vector<RecoveredGroup> groups = (*log)->TakeRecovered();
  int wrong = groups.size() == kWriters ? 0 : 1;
  {
    runtime::TaskScope scope(runtime::Executor::Current());
    for (const RecoveredGroup& group : groups) {
      if (group.meta != absl::StrCat("promised ", kSlots)) ++wrong;
      scope.Spawn(ReadSlots(log->get(), group.group, &wrong));
    }
    co_await scope.Join();
  }
  co_await (*log)->Close();
  co_return wrong == 0 ? "" : absl::StrCat(wrong, " things are wrong");
}

void RemoveAll(leveldb::Env* files, const std::string& directory) {
  std::vector<std::string> names;
  files->GetChildren(directory, &names);
  for (const std::string& name : names) files->RemoveFile(absl::StrCat(directory, "/", name));
  files->RemoveDir(directory);
}

TEST(LogFiles, ConcurrentWritersOnRealFiles) {
  const std::string directory = absl::StrCat(::testing::TempDir(), "/log_files_test");
  RemoveAll(&real::TestWorld()->files(), directory);
  for (int start = 0; start < 3; ++start) {
    const auto world = real::TestWorld();
    EXPECT_EQ(world->RunUntilDone(WriteAll(world.get(), directory)), "");
  }
  const auto world = real::TestWorld();
  EXPECT_EQ(world->RunUntilDone(ReadAll(world.get(), directory)), "");
  RemoveAll(&world->files(), directory);
}

}  // namespace
}  // namespace storage

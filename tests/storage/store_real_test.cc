// The store on real files and threads: views are read on helper threads while the loop writes,
// collects garbage and copies a snapshot.
#include <gtest/gtest.h>
#include <leveldb/env.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/blocking.h"
#include "runtime/real/real_world.h"
#include "runtime/status_macros.h"
#include "runtime/task_scope.h"
#include "storage/range_snapshot.h"
#include "storage/store.h"

namespace storage {
namespace {

using real::RealWorld;
using runtime::Task;
using runtime::Timestamp;

constexpr GroupId kGroup{1};
constexpr int kBatches = 300;
constexpr int kRows = 40;

// Each batch writes all rows, so that any view sees as many of one timestamp.
Task<absl::Status> WriteBatches(Store* store) {
  for (int batch = 1; batch <= kBatches; ++batch) {
    ApplyBatch changes(store->epoch());
    for (int row = 0; row < kRows; ++row) {
      changes.Put(absl::StrCat("row", row), Timestamp(batch), std::string(200, 'v'));
    }
    changes.SetApplied(kGroup, absl::StrCat(batch));
    CO_RETURN_IF_ERROR(co_await store->Write(std::move(changes)));
    if (batch % 50 != 0) continue;
    CO_ASSIGN_OR_RETURN(const WorkStep step,
                        co_await store->CollectGarbage(kGroup, {}, Timestamp(batch - 20), ""));
    static_cast<void>(step);
  }
  co_return absl::OkStatus();
}

absl::Status CheckView(View* view) {
  ASSIGN_OR_RETURN(const std::optional<std::string> applied, view->Applied());
  ASSIGN_OR_RETURN(const ScanResult rows, view->Scan({.range = {}, .at = Timestamp::Max()}));
  if (!applied.has_value()) return absl::OkStatus();
  if (rows.rows.size() != kRows) return absl::InternalError("rows are missing");
  for (const Row& row : rows.rows) {
    if (absl::StrCat(row.timestamp.nanoseconds()) != *applied) {
      return absl::InternalError("a row is not of the applied batch");
    }
  }
  return absl::OkStatus();
}

Task<void> ReadViews(RealWorld* world, Store* store, bool* written, absl::Status* failed) {
  while (!*written && failed->ok()) {
    absl::StatusOr<View> view = store->NewView(kGroup);
    if (!view.ok()) {
      *failed = view.status();
      co_return;
    }
    const absl::Status checked = co_await runtime::RunBlocking(
        &world->blocking(), [held = *std::move(view)]() mutable { return CheckView(&held); });
    if (!checked.ok()) *failed = checked;
  }
}

Task<absl::Status> Copy(RealWorld* world, Store* from, Store* to) {
  CO_ASSIGN_OR_RETURN(View view, from->NewView(kGroup));
  CO_ASSIGN_OR_RETURN(SnapshotReader reader,
                      SnapshotReader::Create(std::move(view), {}, 1, {.chunk_bytes_max = 4000}));
  CO_ASSIGN_OR_RETURN(auto installer, co_await SnapshotInstaller::Begin(to, kGroup, {}, 1));
  while (!installer->done()) {
    absl::StatusOr<std::string> chunk = co_await runtime::RunBlocking(
        &world->blocking(),
        [source = &reader, token = installer->resume_token()] { return source->ReadChunk(token); });
    CO_RETURN_IF_ERROR(chunk.status());
    CO_RETURN_IF_ERROR(co_await installer->Add(*std::move(chunk)));
  }
  CO_ASSIGN_OR_RETURN(View copy, to->NewView(kGroup));
  co_return CheckView(&copy);
}

Task<absl::Status> ReadWhileWriting(RealWorld* world, Store* store) {
  bool written = false;
  absl::Status failed;
  runtime::TaskScope readers(world->loop(0));
  for (int i = 0; i < 3; ++i) readers.Spawn(ReadViews(world, store, &written, &failed));
  absl::Status status = co_await WriteBatches(store);
  written = true;
  co_await readers.Join();
  CO_RETURN_IF_ERROR(status);
  co_return failed;
}

Task<absl::Status> UseStores(RealWorld* world, std::string directory) {
  const std::string target = directory + "-copy";
  for (const std::string& path : {directory, target}) {
    CO_RETURN_IF_ERROR(co_await Store::Wipe(world, path));
  }
  StoreOptions options{.directory = directory, .write_buffer_bytes = 64 << 10};
  CO_ASSIGN_OR_RETURN(auto store, co_await Store::Open(world, options));
  absl::Status status = co_await ReadWhileWriting(world, store.get());
  options.directory = target;
  CO_ASSIGN_OR_RETURN(auto copy, co_await Store::Open(world, options));
  if (status.ok()) status = co_await Copy(world, store.get(), copy.get());
  if (status.ok()) status = co_await store->SyncApplied();
  co_await store->Close();
  co_await copy->Close();
  for (const std::string& path : {directory, target}) {
    CO_RETURN_IF_ERROR(co_await Store::Wipe(world, path));
  }
  co_return status;
}

TEST(StoreRealTest, ViewsAreConsistentOnOtherThreads) {
  real::RealWorldOptions options;
  options.loops = 1;
  options.log = real::LogDestination::kNowhere;
  absl::StatusOr<std::unique_ptr<RealWorld>> world = RealWorld::Create(options);
  ASSERT_TRUE(world.ok()) << world.status();
  std::string directory;
  ASSERT_TRUE((*world)->files().GetTestDirectory(&directory).ok());
  const absl::Status status =
      (*world)->RunUntilDone(UseStores(world->get(), directory + "/store_real_test"));
  EXPECT_TRUE(status.ok()) << status;
}

}  // namespace
}  // namespace storage

// What the store costs, each figure beside LevelDB alone in the same run.
#include <leveldb/db.h>
#include <leveldb/write_batch.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "runtime/blocking.h"
#include "runtime/random.h"
#include "runtime/real/real_world.h"
#include "runtime/status_macros.h"
#include "storage/range_snapshot.h"
#include "storage/store.h"
#include "tests/bench/bench_main.h"
#include "tests/bench/report.h"

namespace {

using bench::Report;
using real::RealWorld;
using runtime::Task;
using runtime::Timestamp;
using storage::GroupId;
using storage::Store;

constexpr GroupId kGroup{1};
constexpr int kRowsPerBatch = 50;
constexpr int kBatches = 20'000;
constexpr size_t kSmallRow = 40;
constexpr int kGets = 100'000;
constexpr uint64_t kSnapshotBytes = uint64_t{256} << 20;
constexpr size_t kSnapshotRow = 1000;

std::string KeyOf(int number) { return absl::StrFormat("row%010d", number); }

// A folder that goes with it.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "storage-bench-XXXXXX").string();
    path_ = mkdtemp(name.data()) == nullptr ? "" : name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string Path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// LevelDB as the store sets it up, without the store.
std::unique_ptr<leveldb::DB> OpenPlain(RealWorld* world, const std::string& path) {
  leveldb::Options options;
  options.env = &world->files();
  options.create_if_missing = true;
  options.paranoid_checks = true;
  options.write_buffer_size = storage::StoreOptions().write_buffer_bytes;
  leveldb::DB* opened = nullptr;
  if (!leveldb::DB::Open(options, path, &opened).ok()) std::abort();
  return std::unique_ptr<leveldb::DB>(opened);
}

double FillPlain(leveldb::DB* db) {
  const std::string row(kSmallRow, 'v');
  return bench::Seconds([&] {
    for (int batch = 0; batch < kBatches; ++batch) {
      leveldb::WriteBatch changes;
      for (int i = 0; i < kRowsPerBatch; ++i) {
        changes.Put(KeyOf((batch * 7919 + i) % (kBatches * kRowsPerBatch)), row);
      }
      if (!db->Write({}, &changes).ok()) std::abort();
    }
  });
}

Task<absl::Status> Fill(Store* store) {
  const std::string row(kSmallRow, 'v');
  for (int batch = 0; batch < kBatches; ++batch) {
    storage::ApplyBatch changes(store->epoch());
    for (int i = 0; i < kRowsPerBatch; ++i) {
      changes.Put(KeyOf((batch * 7919 + i) % (kBatches * kRowsPerBatch)), Timestamp(batch + 1),
                  row);
    }
    changes.SetApplied(kGroup, "applied");
    CO_RETURN_IF_ERROR(co_await store->Write(std::move(changes)));
  }
  co_return absl::OkStatus();
}

Task<absl::Status> MeasureApply(Store* store, leveldb::DB* plain, Report* report) {
  constexpr double kRows = double{kBatches} * kRowsPerBatch;
  const double plain_seconds = FillPlain(plain);
  const double begin = bench::Now();
  CO_RETURN_IF_ERROR(co_await Fill(store));
  report->Record({.figure = "rows applied, in batches of 50",
                  .unit = "rows/s",
                  .value = kRows / (bench::Now() - begin),
                  .reference = "LevelDB, such batches",
                  .reference_value = kRows / plain_seconds,
                  .target = Report::Target::kAtLeast,
                  .bound = 150'000,
                  .bound_is_ratio = false});
  co_return absl::OkStatus();
}

absl::Status MeasureGets(Store* store, leveldb::DB* plain, Report* report) {
  leveldb::ReadOptions checked;
  checked.verify_checksums = true;
  runtime::Random random(1);
  const auto next = [&random] { return KeyOf(static_cast<int>(random.Uniform(0, 100'000))); };
  absl::Status failed;
  const double plain_seconds = bench::Seconds([&] {
    std::string value;
    for (int i = 0; i < kGets; ++i) plain->Get(checked, next(), &value);
  });
  const auto get = [&](auto view_of) {
    return bench::Seconds([&] {
      for (int i = 0; i < kGets && failed.ok(); ++i) {
        failed = view_of().Get(next(), Timestamp::Max()).status();
      }
    });
  };
  ASSIGN_OR_RETURN(storage::View kept, store->NewView(kGroup));
  const double kept_seconds = get([&]() -> storage::View& { return kept; });
  const double fresh_seconds = get([&] { return *store->NewView(kGroup); });
  for (const auto& [name, seconds] : {std::pair("a get, one view for many", kept_seconds),
                                      {"a get, a view for each", fresh_seconds}}) {
    report->Record({.figure = name,
                    .unit = "us",
                    .value = seconds / kGets * 1e6,
                    .reference = "LevelDB get",
                    .reference_value = plain_seconds / kGets * 1e6,
                    .bound = 6});
  }
  return failed;
}

absl::Status MeasureScan(Store* store, leveldb::DB* plain, Report* report) {
  double plain_rows = 0;
  const double plain_seconds = bench::Seconds([&] {
    leveldb::ReadOptions checked;
    checked.verify_checksums = true;
    const std::unique_ptr<leveldb::Iterator> it(plain->NewIterator(checked));
    for (it->SeekToFirst(); it->Valid(); it->Next()) ++plain_rows;
  });
  for (const auto order : {storage::ScanOrder::kForward, storage::ScanOrder::kReverse}) {
    ASSIGN_OR_RETURN(storage::View view, store->NewView(kGroup));
    std::optional<storage::KeyRange> rest = storage::KeyRange{};
    double rows = 0;
    absl::Status failed;
    const double seconds = bench::Seconds([&] {
      while (rest.has_value() && failed.ok()) {
        auto result = view.Scan({.range = *rest, .at = Timestamp::Max(), .order = order});
        failed = result.status();
        if (!result.ok()) break;
        rows += static_cast<double>(result->rows.size());
        rest = result->rest;
      }
    });
    RETURN_IF_ERROR(failed);
    // The store passes every version, about seven to a row.
    report->Record({.figure = order == storage::ScanOrder::kForward ? "rows scanned, newest version"
                                                                    : "rows scanned, in reverse",
                    .unit = "rows/s",
                    .value = rows / seconds,
                    .reference = "LevelDB iterator",
                    .reference_value = plain_rows / plain_seconds,
                    .target = Report::Target::kAtLeast,
                    .bound = 0.05});
  }
  return absl::OkStatus();
}

Task<absl::Status> FillForSnapshot(Store* store) {
  runtime::Random random(2);
  std::string row(kSnapshotRow, 'v');
  for (uint64_t bytes = 0; bytes < kSnapshotBytes;) {
    storage::ApplyBatch changes(store->epoch());
    for (int i = 0; i < 500; ++i, bytes += kSnapshotRow) {
      for (size_t at = 0; at < row.size(); at += 2) row[at] = static_cast<char>(random.Next());
      changes.Put(KeyOf(static_cast<int>(bytes / kSnapshotRow)), Timestamp(1), row);
    }
    changes.SetApplied(kGroup, "applied");
    CO_RETURN_IF_ERROR(co_await store->Write(std::move(changes)));
  }
  co_return absl::OkStatus();
}

// Reads and installs in turns, as a peer that is asked for chunk after chunk.
Task<absl::Status> CopySnapshot(RealWorld* world, Store* from, Store* to) {
  CO_ASSIGN_OR_RETURN(storage::View view, from->NewView(kGroup));
  CO_ASSIGN_OR_RETURN(storage::SnapshotReader reader,
                      storage::SnapshotReader::Create(std::move(view), {}, 1, {}));
  CO_ASSIGN_OR_RETURN(auto installer,
                      co_await storage::SnapshotInstaller::Begin(to, kGroup, {}, 1));
  while (!installer->done()) {
    absl::StatusOr<std::string> chunk = co_await runtime::RunBlocking(
        &world->blocking(),
        [&reader, token = installer->resume_token()] { return reader.ReadChunk(token); });
    CO_RETURN_IF_ERROR(chunk.status());
    CO_RETURN_IF_ERROR(co_await installer->Add(*std::move(chunk)));
  }
  co_return absl::OkStatus();
}

Task<absl::Status> MeasureSnapshot(RealWorld* world, Folder* folder, Report* report) {
  CO_ASSIGN_OR_RETURN(auto from, co_await Store::Open(world, {.directory = folder->Path("from")}));
  CO_ASSIGN_OR_RETURN(auto to, co_await Store::Open(world, {.directory = folder->Path("to")}));
  const double fill_begin = bench::Now();
  CO_RETURN_IF_ERROR(co_await FillForSnapshot(from.get()));
  const double fill_seconds = bench::Now() - fill_begin;
  const double begin = bench::Now();
  absl::Status copied = co_await CopySnapshot(world, from.get(), to.get());
  const double megabytes = static_cast<double>(kSnapshotBytes) / 1e6;
  report->Record({.figure = "a snapshot read and installed",
                  .unit = "MB/s",
                  .value = megabytes / (bench::Now() - begin),
                  .reference = "the same rows applied",
                  .reference_value = megabytes / fill_seconds,
                  .target = Report::Target::kAtLeast,
                  .bound = 40,
                  .bound_is_ratio = false});
  co_await from->Close();
  co_await to->Close();
  const double reopen_begin = bench::Now();
  CO_ASSIGN_OR_RETURN(to, co_await Store::Open(world, {.directory = folder->Path("to")}));
  report->Record({.figure = "a store of 256 MB opened",
                  .unit = "ms",
                  .value = (bench::Now() - reopen_begin) * 1e3,
                  .bound = 1000});
  co_await to->Close();
  co_return copied;
}

Task<absl::Status> MeasureAll(RealWorld* world, Folder* folder, Report* report) {
  CO_ASSIGN_OR_RETURN(auto store,
                      co_await Store::Open(world, {.directory = folder->Path("store")}));
  const std::unique_ptr<leveldb::DB> plain = OpenPlain(world, folder->Path("plain"));
  absl::Status measured = co_await MeasureApply(store.get(), plain.get(), report);
  if (measured.ok()) measured = MeasureGets(store.get(), plain.get(), report);
  if (measured.ok()) measured = MeasureScan(store.get(), plain.get(), report);
  co_await store->Close();
  CO_RETURN_IF_ERROR(measured);
  co_return co_await MeasureSnapshot(world, folder, report);
}

int Run(Report* report) {
  real::RealWorldOptions options;
  options.loops = 1;
  options.log = real::LogDestination::kNowhere;
  absl::StatusOr<std::unique_ptr<RealWorld>> world = RealWorld::Create(options);
  if (!world.ok()) {
    std::fprintf(stderr, "%s\n", world.status().ToString().c_str());
    return 2;
  }
  Folder folder;
  const absl::Status measured = (*world)->RunUntilDone(MeasureAll(world->get(), &folder, report));
  if (!measured.ok()) std::fprintf(stderr, "%s\n", measured.ToString().c_str());
  return measured.ok() ? 0 : 2;
}

}  // namespace

int main(int argc, char** argv) { return bench::Main(argc, argv, "What the store costs", Run); }

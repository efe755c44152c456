// LogRig: a simulated machine with a log store on it, driven from outside, call by call.
#ifndef TESTS_STORAGE_LOG_RIG_H_
#define TESTS_STORAGE_LOG_RIG_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/check.h"
#include "runtime/metrics.h"
#include "runtime/simulated/node_world.h"
#include "runtime/simulated/universe.h"
#include "runtime/task.h"
#include "runtime/task_scope.h"
#include "storage/log_store.h"

namespace storage {

class LogRig {
 public:
  static constexpr char kDirectory[] = "log";

  explicit LogRig(uint64_t seed, LogStoreOptions options = {}, bool buggify = false)
      : options_(options), universe_(seed, {.buggify = buggify}) {
    node_ = &universe_.AddNode(runtime::NodeId(1), {.program = [this](runtime::World& world) {
                                 auto program = std::make_unique<Program>(world);
                                 program_ = program.get();
                                 return program;
                               }});
    AwaitProgram();
  }

  simulated::Universe& universe() { return universe_; }
  simulated::SimulatedDisk& disk() { return node_->disk(); }
  runtime::World& world() { return *node_; }
  LogStore& log() { return *program_->log; }
  bool is_open() const { return program_ != nullptr && program_->log != nullptr; }
  LogStoreOptions& options() { return options_; }

  // Runs `task` on the node's loop, to its end.
  template <typename T>
  T Run(runtime::Task<T> task) {
    std::optional<T> result;
    Spawn(StoreResult(std::move(task), &result));
    CHECK(
        universe_.RunUntil([&] { return result.has_value(); }, runtime::Duration(600'000'000'000)))
        << "it did not end: " << universe_.violation();
    return *std::move(result);
  }

  // Begins `task` on the node's loop. A crash ends it where it stands.
  void Spawn(runtime::Task<void> task) { program_->scope.Spawn(std::move(task)); }

  absl::Status Open() {
    absl::StatusOr<std::unique_ptr<LogStore>> opened =
        Run(LogStore::Open(node_, kDirectory, options_));
    if (!opened.ok()) return opened.status();
    program_->log = *std::move(opened);
    return absl::OkStatus();
  }
  // Begins to open it, for a crash to come in between.
  void SpawnOpen() { Spawn(OpenTask(this)); }
  absl::Status Write(LogWrite write) { return Run(log().Write(std::move(write))); }
  absl::StatusOr<std::vector<LogEntry>> Read(GroupId group, uint64_t from = 1,
                                             uint64_t to = ~uint64_t{0},
                                             size_t bytes_max = ~size_t{0}) {
    return Run(log().Read(group, Slot(from), Slot(to), bytes_max));
  }
  void Close() {
    Run(CloseTask(&log()));
    program_->log = nullptr;
  }

  // The machine goes down at once and comes up again, with nothing open.
  void Crash() {
    program_ = nullptr;
    node_->Restart();
    AwaitProgram();
  }
  // The same, after a clean end.
  void Reboot() {
    Close();
    Crash();
  }

  void RunFor(runtime::Duration length) { universe_.RunFor(length); }

  std::vector<std::string> Segments() const {
    std::vector<std::string> segments;
    for (const std::string& path : node_->disk().Paths()) {
      if (path.ends_with(".segment")) segments.push_back(path);
    }
    return segments;
  }
  double Metric(const std::string& name) {
    return node_->metrics().GetCounter(name, "", {}).value();
  }

 private:
  struct Program final : simulated::NodeProgram {
    explicit Program(runtime::World& world) : scope(world.loop(0)) {}
    std::unique_ptr<LogStore> log;
    runtime::TaskScope scope;
  };

  template <typename T>
  static runtime::Task<void> StoreResult(runtime::Task<T> task, std::optional<T>* result) {
    result->emplace(co_await std::move(task));
  }
  static runtime::Task<void> OpenTask(LogRig* rig) {
    Program* const program = rig->program_;
    auto opened = co_await LogStore::Open(rig->node_, kDirectory, rig->options_);
    if (opened.ok()) program->log = *std::move(opened);
  }
  static runtime::Task<bool> CloseTask(LogStore* log) {
    co_await log->Close();
    co_return true;
  }
  void AwaitProgram() {
    CHECK(universe_.RunUntil([this] { return program_ != nullptr; },
                             runtime::Duration(1'000'000'000)));
  }

  LogStoreOptions options_;
  Program* program_ = nullptr;
  simulated::Universe universe_;
  simulated::NodeWorld* node_ = nullptr;
};

inline LogWrite Entry(uint64_t group, uint64_t slot, std::string bytes) {
  return {.group = GroupId(group), .entries = {{Slot(slot), std::move(bytes)}}};
}
inline LogWrite Meta(uint64_t group, std::string meta) {
  return {.group = GroupId(group), .meta = std::move(meta)};
}

}  // namespace storage

#endif  // TESTS_STORAGE_LOG_RIG_H_

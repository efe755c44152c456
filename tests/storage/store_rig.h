// StoreRig: a simulated machine with a store on it, driven from outside, call by call.
#ifndef TESTS_STORAGE_STORE_RIG_H_
#define TESTS_STORAGE_STORE_RIG_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/check.h"
#include "runtime/simulated/node_world.h"
#include "runtime/simulated/universe.h"
#include "runtime/task.h"
#include "runtime/task_scope.h"
#include "storage/store.h"

namespace storage {

class StoreRig {
 public:
  static constexpr GroupId kGroup{7};

  // With small buffers, so that a test sees flushes and compactions.
  explicit StoreRig(uint64_t seed, simulated::DiskOptions disk = {}) : universe_(seed, {}) {
    options_.write_buffer_bytes = 64 << 10;
    node_ = &universe_.AddNode(runtime::NodeId(1), {.program =
                                                        [this](runtime::World& world) {
                                                          auto program =
                                                              std::make_unique<Program>(world);
                                                          program_ = program.get();
                                                          return program;
                                                        },
                                                    .disk = disk});
    AwaitProgram();
  }

  simulated::Universe& universe() { return universe_; }
  simulated::SimulatedDisk& disk() { return node_->disk(); }
  runtime::World& world() { return *node_; }
  Store& store() { return *program_->store; }
  StoreOptions& options() { return options_; }
  bool is_open() const { return program_ != nullptr && program_->store != nullptr; }

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
  template <typename T>
  void Begin(runtime::Task<T> task) {
    Spawn(Drop(std::move(task)));
  }

  // Opens it some time; for a crash to come between.
  void BeginOpen() { Spawn(OpenInto(node_, options_, &program_->store)); }
  absl::Status Open() {
    absl::StatusOr<std::unique_ptr<Store>> opened = Run(Store::Open(node_, options_));
    if (!opened.ok()) return opened.status();
    program_->store = *std::move(opened);
    return absl::OkStatus();
  }
  void Close() {
    Run(CloseTask(&store()));
    program_->store = nullptr;
  }
  absl::Status Wipe() { return Run(Store::Wipe(node_, options_.directory)); }

  // The machine goes down at once and comes up again, with nothing open.
  void Crash() {
    program_ = nullptr;
    node_->Restart();
    AwaitProgram();
  }

  ApplyBatch NewBatch() { return ApplyBatch(store().epoch()); }
  absl::Status Write(ApplyBatch batch) { return Run(store().Write(std::move(batch))); }
  View NewView(GroupId group = kGroup) {
    absl::StatusOr<View> view = store().NewView(group);
    CHECK(view.ok()) << view.status();
    return *std::move(view);
  }
  // All steps of a piece of work that begins with "".
  template <typename Step>
  absl::Status RunSteps(Step step) {
    std::optional<std::string> resume = "";
    while (resume.has_value()) {
      absl::StatusOr<WorkStep> done = Run(step(*resume));
      if (!done.ok()) return done.status();
      resume = std::move(done->resume);
    }
    return absl::OkStatus();
  }
  void RunFor(runtime::Duration length) { universe_.RunFor(length); }

 private:
  struct Program final : simulated::NodeProgram {
    explicit Program(runtime::World& world) : scope(world.loop(0)) {}
    std::unique_ptr<Store> store;
    runtime::TaskScope scope;
  };

  template <typename T>
  static runtime::Task<void> StoreResult(runtime::Task<T> task, std::optional<T>* result) {
    result->emplace(co_await std::move(task));
  }
  template <typename T>
  static runtime::Task<void> Drop(runtime::Task<T> task) {
    const T result = co_await std::move(task);
    static_cast<void>(result);
  }
  static runtime::Task<void> OpenInto(runtime::World* world, StoreOptions options,
                                      std::unique_ptr<Store>* store) {
    absl::StatusOr<std::unique_ptr<Store>> opened = co_await Store::Open(world, options);
    if (opened.ok()) *store = *std::move(opened);
  }
  static runtime::Task<bool> CloseTask(Store* store) {
    co_await store->Close();
    co_return true;
  }
  void AwaitProgram() {
    CHECK(universe_.RunUntil([this] { return program_ != nullptr; },
                             runtime::Duration(1'000'000'000)));
  }

  StoreOptions options_;
  simulated::Universe universe_;
  simulated::NodeWorld* node_ = nullptr;
  Program* program_ = nullptr;  // Of the present incarnation; null until it is made.
};

}  // namespace storage

#endif  // TESTS_STORAGE_STORE_RIG_H_

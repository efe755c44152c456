// InterruptWatch: takes a benchmark's folder away when a person has had enough.
#ifndef TESTS_BENCH_PAXOS_INTERRUPT_WATCH_H_
#define TESTS_BENCH_PAXOS_INTERRUPT_WATCH_H_

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "cli/terminal.h"
#include "tests/bench/paxos/folder.h"

namespace bench {

class InterruptWatch {
 public:
  explicit InterruptWatch(const Folder* folder) : thread_([this, folder] { Watch(folder); }) {
    cli::WatchForInterrupts();
  }
  ~InterruptWatch() {
    stop_ = true;
    thread_.join();
  }

 private:
  void Watch(const Folder* folder) {
    while (!stop_) {
      if (cli::Interrupted()) {
        // The nodes go on making files until the process ends, but not in a folder that is gone.
        for (int i = 0; i < kRemovals; ++i) folder->Remove("");
        std::_Exit(kInterrupted);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }

  static constexpr int kInterrupted = 130;
  static constexpr int kRemovals = 20;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace bench

#endif  // TESTS_BENCH_PAXOS_INTERRUPT_WATCH_H_

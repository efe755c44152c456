#include "truetime/seqlock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "truetime/kernel/clock_function.h"

namespace truetime {
namespace {

struct Numbers {
  int64_t first = 0;
  int64_t second = 0;
  int64_t third = 0;
};

TEST(Seqlock, AReaderSeesAllOfAValueOrNone) {
  Seqlock<Numbers> lock;
  std::atomic<bool> stop = false;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      int64_t last = 0;
      while (!stop.load()) {
        const auto [numbers, unused] = lock.Load([] { return 0; });
        ASSERT_EQ(numbers.second, 2 * numbers.first);
        ASSERT_EQ(numbers.third, 3 * numbers.first);
        ASSERT_GE(numbers.first, last);
        last = numbers.first;
      }
    });
  }
  for (int64_t n = 1; n <= 20'000; ++n) {
    lock.Store([n] { return Numbers{n, 2 * n, 3 * n}; });
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
}

// TT-MONOTONE across threads: the writer replaces the function by wildly different ones, and still
// no reader ever sees either end go back, nor below what any other had seen before it began.
TEST(Seqlock, AnIntervalThatIsReplacedAllTheTimeNeverGoesBackInAnyThread) {
  Seqlock<ClockFunction> published;
  // A clock that all threads share, as the raw clock is: every look moves it on.
  std::atomic<int64_t> clock = 1;
  const auto read_clock = [&clock] { return BaseTime(clock.fetch_add(1)); };
  std::atomic<int64_t> earliest_seen = 0;
  std::atomic<int64_t> latest_seen = 0;
  std::atomic<bool> stop = false;
  const auto raise = [](std::atomic<int64_t>& to, int64_t value) {
    int64_t before = to.load();
    while (value > before && !to.compare_exchange_weak(before, value)) {
    }
  };
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop.load()) {
        const int64_t earliest_before = earliest_seen.load();
        const int64_t latest_before = latest_seen.load();
        const auto [function, base] = published.Load(read_clock);
        if (!function.known) continue;
        const Interval now = function.At(base);
        ASSERT_GE(now.earliest.nanoseconds(), earliest_before);
        ASSERT_GE(now.latest.nanoseconds(), latest_before);
        raise(earliest_seen, now.earliest.nanoseconds());
        raise(latest_seen, now.latest.nanoseconds());
      }
    });
  }
  ClockFunction held;
  for (int64_t n = 0; n < 20'000; ++n) {
    const int64_t jump = (n * 7919) % 1000 - 500;
    published.Store([&] {
      const BaseTime base = read_clock();
      ClockFunction next;
      next.known = true;
      next.drift = Drift::FromPpm(200);
      next.bounds.lower = {base, Timestamp(1'000'000 + base.nanoseconds() + jump)};
      next.bounds.upper = {base, Timestamp(1'000'600 + base.nanoseconds() - jump)};
      next.HoldFloors(held, base);
      held = next;
      return next;
    });
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace truetime

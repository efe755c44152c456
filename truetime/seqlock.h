// Seqlock: a small value, written now and then by one thread and read all the time by others.
//
// What makes this one special is that a reader takes a clock reading together with the value, and
// that the writer can rely on it: Store() calls its argument at a moment (of a clock that all
// processors share) at or after every sample that any reader has returned, or will ever return,
// with the old value. That is what TT-MONOTONE needs to hold across threads without a
// read-modify-write per call.
//
// Why: the writer first makes the sequence odd, with a full barrier, and then reads its clock at
// time W. A reader reads the clock at time R and then finds the sequence still at the old even
// number. Had R been after W, the odd number, visible before W, would have been seen. Both need the
// clock read to stay on its side of the memory access, which an ordinary fence does not promise for
// a time-stamp counter: ClockBarrier does.
//
// Readers write nothing, so they do not slow each other down. They repeat only while a store is
// under way (some 100 ns, a few times a second), or longer if the writer loses its processor just
// then.
#ifndef TRUETIME_SEQLOCK_H_
#define TRUETIME_SEQLOCK_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

namespace truetime {

template <typename T>
class Seqlock {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % sizeof(uint64_t) == 0);

 public:
  Seqlock() {
    Store([] { return T(); });
  }
  Seqlock(const Seqlock&) = delete;
  Seqlock& operator=(const Seqlock&) = delete;

  // The value, and what `sample()` gave while it was in force. Any thread.
  template <typename Sample>
  std::pair<T, std::invoke_result_t<Sample>> Load(Sample sample) const {
    while (true) {
      const uint64_t before = sequence_.load(std::memory_order_acquire);
      if (before % 2 != 0) {
        Pause();
        continue;
      }
      std::array<uint64_t, kWords> words;
      for (size_t i = 0; i < kWords; ++i) words[i] = words_[i].load(std::memory_order_acquire);
      auto sampled = sample();
      ClockBarrier();
      if (sequence_.load(std::memory_order_acquire) != before) continue;
      T value;
      std::memcpy(&value, words.data(), sizeof(T));
      return {value, sampled};
    }
  }

  // Replaces the value by `make()`, which is called while all readers wait. One thread at a time.
  template <typename Make>
  void Store(Make make) {
    const uint64_t odd = sequence_.load(std::memory_order_relaxed) + 1;
    sequence_.exchange(odd, std::memory_order_seq_cst);
    ClockBarrier();
    const T value = make();
    std::array<uint64_t, kWords> words;
    std::memcpy(words.data(), &value, sizeof(T));
    for (size_t i = 0; i < kWords; ++i) words_[i].store(words[i], std::memory_order_release);
    sequence_.store(odd + 1, std::memory_order_release);
  }

 private:
  static constexpr size_t kWords = sizeof(T) / sizeof(uint64_t);

  // Nothing after it, memory access or clock read, begins before what stands before it is done.
  static void ClockBarrier() {
#if defined(__x86_64__)
    __builtin_ia32_lfence();
#elif defined(__aarch64__)
    asm volatile("dmb ish\n\tisb" ::: "memory");
#else
    std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
  }
  static void Pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }

  alignas(64) std::atomic<uint64_t> sequence_{0};  // Odd while a store is under way.
  std::array<std::atomic<uint64_t>, kWords> words_{};
};

}  // namespace truetime

#endif  // TRUETIME_SEQLOCK_H_

#include "runtime/real/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"

namespace real {
namespace {

using runtime::Duration;
using runtime::MonotonicTime;

// How many pieces of each kind one turn takes.
constexpr int kPiecesPerTurn = 64;
// How long a thread that brings an event runs the loop before it leaves the rest to the loop's own
// thread: gRPC's threads have other connections to poll.
constexpr Duration kGuestTurn = std::chrono::microseconds(200);
// How long the loop's thread runs before it looks at its descriptors again.
constexpr Duration kOwnTurn = std::chrono::milliseconds(1);

// What epoll gives back for the loop's own descriptors; watches count from 1 up.
constexpr uint64_t kWakeTag = ~uint64_t{0};
constexpr uint64_t kTimerTag = kWakeTag - 1;

bool Watch(int epoll, int fd, uint64_t tag, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

void Drain(int fd) {
  uint64_t count = 0;
  // Fails with EAGAIN if another wake-up of this poll has drained it, which is as good.
  [[maybe_unused]] const ssize_t got = read(fd, &count, sizeof(count));
}

}  // namespace

Loop::~Loop() { CHECK(!thread_.joinable()) << "a loop was not stopped"; }

Loop& Loop::Current() {
  Executor& current = Executor::Current();
  DCHECK(dynamic_cast<Loop*>(&current) != nullptr);
  return static_cast<Loop&>(current);
}

absl::Status Loop::Start() {
  epoll_fd_ = FileDescriptor(epoll_create1(EPOLL_CLOEXEC));
  wake_fd_ = FileDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  timer_fd_ = FileDescriptor(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!epoll_fd_.open() || !wake_fd_.open() || !timer_fd_.open() ||
      !real::Watch(epoll_fd_.number(), wake_fd_.number(), kWakeTag, EPOLLIN) ||
      !real::Watch(epoll_fd_.number(), timer_fd_.number(), kTimerTag, EPOLLIN)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot make an event loop: ", strerror(errno)));
  }
  thread_ = std::thread([this] { ThreadMain(); });
  return absl::OkStatus();
}

void Loop::Stop() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    WakeThread();
    while (owned_) released_.Wait(&mutex_);
  }
  if (thread_.joinable()) thread_.join();
}

void Loop::DropAll(absl::FunctionRef<void()> drop_more) {
  const RunningHere here(this);
  DestroyAllTasks();
  drop_more();
  std::vector<Work> dropped;
  {
    MutexLock lock(&mutex_);
    CHECK(stopping_ && !owned_);
    dropped.swap(inbox_);
  }
  dropped.clear();
  batch_.clear();
}

void Loop::Post(Work work) {
  // Dropped work is destroyed after the lock is gone (parameters outlive locals), since its
  // destructor may post.
  MutexLock lock(&mutex_);
  if (stopping_) return;
  inbox_.push_back(std::move(work));
  if (!owned_) WakeThread();
}

void Loop::Deliver(Work work) {
  if (CurrentOrNull() != nullptr) return Post(std::move(work));
  {
    MutexLock lock(&mutex_);
    if (stopping_) return;
    inbox_.push_back(std::move(work));
    if (owned_) return;
    owned_ = true;
  }
  RunAndRelease(kGuestTurn);
}

MonotonicTime Loop::Now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return MonotonicTime(now.tv_sec * 1'000'000'000 + now.tv_nsec);
}

void Loop::ThreadMain() {
  while (true) {
    bool work = false;
    {
      MutexLock lock(&mutex_);
      if (stopping_) return;
      work = !owned_ && (!inbox_.empty() || HasLocalWork());
      if (work) {
        owned_ = true;
      } else {
        asleep_ = true;
        if (!owned_) ArmTimer();
      }
    }
    if (work) {
      if (RunAndRelease(kOwnTurn)) PollDescriptors(0);
    } else {
      PollDescriptors(-1);
    }
  }
}

void Loop::PollDescriptors(int timeout_ms) {
  std::array<epoll_event, 32> events;
  const int count = epoll_wait(epoll_fd_.number(), events.data(), events.size(), timeout_ms);
  MutexLock lock(&mutex_);
  asleep_ = false;
  for (int i = 0; i < count; ++i) {
    const uint64_t tag = events[static_cast<size_t>(i)].data.u64;
    if (tag == kWakeTag) {
      Drain(wake_fd_.number());
    } else if (tag == kTimerTag) {
      Drain(timer_fd_.number());
      armed_ = MonotonicTime::Max();
    } else {
      inbox_.push_back([this, tag] {
        if (auto watch = watches_.find(tag); watch != watches_.end()) watch->second->Wake();
      });
    }
  }
}

bool Loop::RunAndRelease(Duration at_most) {
  const RunningHere here(this);
  // Read late: a guest that finds little to do need not know the time.
  std::optional<MonotonicTime> end;
  while (true) {
    RunTurn();
    MutexLock lock(&mutex_);
    const bool more = !inbox_.empty() || HasLocalWork();
    if (more && !stopping_) {
      const MonotonicTime now = Now();
      if (!end.has_value()) end = now + at_most;
      if (now < *end) continue;
    }
    owned_ = false;
    ArmTimer();
    if (more) WakeThread();
    if (stopping_) released_.NotifyAll();
    return more;
  }
}

void Loop::RunTurn() {
  if (next_ == batch_.size()) {
    batch_.clear();
    next_ = 0;
    MutexLock lock(&mutex_);
    batch_.swap(inbox_);
  }
  for (int i = 0; i < kPiecesPerTurn && next_ < batch_.size(); ++i) {
    // Moved out, so that what it owns is gone before the next piece runs.
    Work work = std::move(batch_[next_++]);
    work();
  }
  if (TimerDue()) FireTimers(Now());
  for (int i = 0; i < kPiecesPerTurn && has_ready(); ++i) RunOne();
}

void Loop::ArmTimer() {
  const MonotonicTime next = NextTimer();
  if (next >= armed_) return;
  armed_ = next;
  itimerspec when{};
  // A time of zero would disarm it, and one before zero is refused: both mean "at once".
  const int64_t nanoseconds = std::max<int64_t>(next.nanoseconds(), 1);
  when.it_value.tv_sec = nanoseconds / 1'000'000'000;
  when.it_value.tv_nsec = nanoseconds % 1'000'000'000;
  CHECK_EQ(timerfd_settime(timer_fd_.number(), TFD_TIMER_ABSTIME, &when, nullptr), 0);
}

void Loop::WakeThread() {
  if (!asleep_) return;
  asleep_ = false;
  const uint64_t one = 1;
  CHECK_EQ(write(wake_fd_.number(), &one, sizeof(one)), static_cast<ssize_t>(sizeof(one)));
}

void Loop::ReadableAwaiter::Watch() {
  watch_ = ++loop_->watches_made_;
  loop_->watches_.emplace(watch_, this);
  if (!real::Watch(loop_->epoll_fd_.number(), fd_, watch_, EPOLLIN | EPOLLONESHOT)) {
    Wake(absl::ResourceExhaustedError(absl::StrCat("cannot watch a socket: ", strerror(errno))));
  }
}

void Loop::ReadableAwaiter::Unwatch() {
  if (watch_ == 0) return;
  loop_->watches_.erase(watch_);
  epoll_ctl(loop_->epoll_fd_.number(), EPOLL_CTL_DEL, fd_, nullptr);
  watch_ = 0;
}

}  // namespace real

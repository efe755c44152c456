// The three kinds of time, kept apart by type.
//
//   Duration       a length, in nanoseconds.
//   MonotonicTime  a point on one process's clock that only runs forward; it means nothing
//   elsewhere. Timestamp      a point in true time, nanoseconds since the Unix epoch; what TrueTime
//   bounds and
//                  what commits are stamped with. Leap seconds never step it (TT-BOUND).
#ifndef RUNTIME_TIME_H_
#define RUNTIME_TIME_H_

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>
#include <ostream>

namespace runtime {

using Duration = std::chrono::nanoseconds;
using std::chrono_literals::operator""ns;
using std::chrono_literals::operator""us;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

// A point in time on the clock that `Tag` names. Adding saturates at Min() and Max(), so that
// "for ever" stays for ever.
template <typename Tag>
class TimePoint {
 public:
  constexpr TimePoint() = default;
  constexpr explicit TimePoint(int64_t nanoseconds) : nanoseconds_(nanoseconds) {}
  static constexpr TimePoint Min() { return TimePoint(std::numeric_limits<int64_t>::min()); }
  static constexpr TimePoint Max() { return TimePoint(std::numeric_limits<int64_t>::max()); }

  constexpr int64_t nanoseconds() const { return nanoseconds_; }

  friend constexpr auto operator<=>(TimePoint, TimePoint) = default;

  friend constexpr TimePoint operator+(TimePoint time, Duration length) {
    int64_t sum = 0;
    if (__builtin_add_overflow(time.nanoseconds_, length.count(), &sum)) {
      return length.count() > 0 ? Max() : Min();
    }
    return TimePoint(sum);
  }
  friend constexpr TimePoint operator-(TimePoint time, Duration length) {
    int64_t difference = 0;
    if (__builtin_sub_overflow(time.nanoseconds_, length.count(), &difference)) {
      return length.count() > 0 ? Min() : Max();
    }
    return TimePoint(difference);
  }
  friend constexpr Duration operator-(TimePoint a, TimePoint b) {
    int64_t difference = 0;
    if (__builtin_sub_overflow(a.nanoseconds_, b.nanoseconds_, &difference)) {
      return a > b ? Duration::max() : Duration::min();
    }
    return Duration(difference);
  }
  friend std::ostream& operator<<(std::ostream& out, TimePoint time) {
    return out << time.nanoseconds_ << "ns";
  }

 private:
  int64_t nanoseconds_ = 0;
};

using MonotonicTime = TimePoint<struct MonotonicTag>;
using Timestamp = TimePoint<struct TimestampTag>;

}  // namespace runtime

#endif  // RUNTIME_TIME_H_

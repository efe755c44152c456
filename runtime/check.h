// CHECK: assertions that stay on in every build.
//
// For our own mistakes only: bytes from disk, network or users are the world's, and give an
// absl::Status instead. A failed CHECK prints what it saw and stops the process: a database that is
// unsure stops. Stream what a reader of the crash needs: CHECK(a < b) << "slot " << slot;
// DCHECK is for checks that cost more than O(1); it exists only in debug and sanitizer builds.
#ifndef RUNTIME_CHECK_H_
#define RUNTIME_CHECK_H_

#include <sstream>

namespace runtime::internal {

// Collects the streamed message; the destructor prints it and aborts.
class CheckFailure {
 public:
  CheckFailure(const char* file, int line, const char* condition);
  CheckFailure(const CheckFailure&) = delete;
  CheckFailure& operator=(const CheckFailure&) = delete;
  [[noreturn]] ~CheckFailure();

  std::ostream& stream() { return stream_; }

 private:
  std::ostringstream stream_;
};

// Swallows the stream expression, so that CHECK is a statement of type void.
struct Voidify {
  void operator&(std::ostream&) const {}
};

}  // namespace runtime::internal

#define CHECK(condition)                 \
  __builtin_expect(!!(condition), 1)     \
      ? static_cast<void>(0)             \
      : ::runtime::internal::Voidify() & \
            ::runtime::internal::CheckFailure(__FILE__, __LINE__, #condition).stream()

#define RUNTIME_CHECK_OP(a, op, b) CHECK((a)op(b)) << (a) << " against " << (b) << ' '
#define CHECK_EQ(a, b) RUNTIME_CHECK_OP(a, ==, b)
#define CHECK_NE(a, b) RUNTIME_CHECK_OP(a, !=, b)
#define CHECK_LT(a, b) RUNTIME_CHECK_OP(a, <, b)
#define CHECK_LE(a, b) RUNTIME_CHECK_OP(a, <=, b)
#define CHECK_GT(a, b) RUNTIME_CHECK_OP(a, >, b)
#define CHECK_GE(a, b) RUNTIME_CHECK_OP(a, >=, b)

#if defined(NDEBUG) && !defined(ISOCHRON_SANITIZED)
#define DCHECK(condition) CHECK(true || (condition))
#else
#define DCHECK(condition) CHECK(condition)
#endif

#endif  // RUNTIME_CHECK_H_

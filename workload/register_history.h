// A history of registers: what clients asked of some keys, and what they were told.
//
// An operation takes effect at one moment between `invoked` and `completed`, or it does not. Times
// are of one clock that all clients share: virtual time in the simulator.
#ifndef WORKLOAD_REGISTER_HISTORY_H_
#define WORKLOAD_REGISTER_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/time.h"

namespace workload {

// None: the key is not there.
using RegisterValue = std::optional<std::string>;

enum class RegisterAction : uint8_t {
  kRead,           // Finds `found`.
  kWrite,          // Leaves `written`.
  kCompareAndSet,  // Leaves `written` if it finds `expected`.
};

enum class Outcome : uint8_t {
  kUnknown,   // It may have taken effect, may still do so at any later time, or never.
  kFailed,    // It certainly had no effect, and never will.
  kOk,        // It took effect.
  kMismatch,  // Of a compare-and-set: it found `found`, which is not `expected`, and left it.
};

struct RegisterOperation {
  uint64_t client = 0;
  std::string key = {};
  RegisterAction action = RegisterAction::kRead;
  RegisterValue written = {};
  RegisterValue expected = {};
  RegisterValue found = {};  // Known with kOk of a read and with kMismatch.
  runtime::MonotonicTime invoked = {};
  runtime::MonotonicTime completed = runtime::MonotonicTime::Max();
  Outcome outcome = Outcome::kUnknown;
};

// "client 3 set k1 to 17 where 16 (1.204000s to 1.210000s, ok)".
std::string Describe(const RegisterOperation& operation);

// Records operations as they begin and end. One that never ends stays kUnknown.
class RegisterHistory {
 public:
  // Its place in operations().
  size_t Invoked(RegisterOperation operation);
  // A read that found `found`, or a write or compare-and-set that took effect.
  void Succeeded(size_t operation, RegisterValue found, runtime::MonotonicTime completed);
  void Mismatched(size_t operation, RegisterValue found, runtime::MonotonicTime completed);
  void Failed(size_t operation, runtime::MonotonicTime completed);

  const std::vector<RegisterOperation>& operations() const { return operations_; }

 private:
  RegisterOperation& Open(size_t operation);

  std::vector<RegisterOperation> operations_;
};

}  // namespace workload

#endif  // WORKLOAD_REGISTER_HISTORY_H_

#include "workload/register_history.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "runtime/check.h"

namespace workload {
namespace {

std::string Show(const RegisterValue& value) { return value.value_or("nothing"); }

std::string ShowTime(runtime::MonotonicTime time) {
  return absl::StrFormat("%.6fs", static_cast<double>(time.nanoseconds()) * 1e-9);
}

std::string ShowAction(const RegisterOperation& operation) {
  switch (operation.action) {
    case RegisterAction::kRead:
      return absl::StrCat("read ", Show(operation.found), " from ", operation.key);
    case RegisterAction::kWrite:
      return absl::StrCat("wrote ", Show(operation.written), " to ", operation.key);
    case RegisterAction::kCompareAndSet:
      break;
  }
  return absl::StrCat("set ", operation.key, " to ", Show(operation.written), " where ",
                      Show(operation.expected));
}

std::string ShowOutcome(const RegisterOperation& operation) {
  switch (operation.outcome) {
    case Outcome::kUnknown:
      return "outcome unknown";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kOk:
      return "ok";
    case Outcome::kMismatch:
      break;
  }
  return absl::StrCat("found ", Show(operation.found));
}

}  // namespace

std::string Describe(const RegisterOperation& operation) {
  const bool ended = operation.completed != runtime::MonotonicTime::Max();
  return absl::StrCat(
      "client ", operation.client, " ", ShowAction(operation), " (", ShowTime(operation.invoked),
      " to ", ended ? ShowTime(operation.completed) : "the end", ", ", ShowOutcome(operation), ")");
}

size_t RegisterHistory::Invoked(RegisterOperation operation) {
  operations_.push_back(std::move(operation));
  return operations_.size() - 1;
}

void RegisterHistory::Succeeded(size_t operation, RegisterValue found,
                                runtime::MonotonicTime completed) {
  RegisterOperation& open = Open(operation);
  open.outcome = Outcome::kOk;
  open.found = std::move(found);
  open.completed = completed;
}

void RegisterHistory::Mismatched(size_t operation, RegisterValue found,
                                 runtime::MonotonicTime completed) {
  RegisterOperation& open = Open(operation);
  CHECK(open.action == RegisterAction::kCompareAndSet);
  open.outcome = Outcome::kMismatch;
  open.found = std::move(found);
  open.completed = completed;
}

void RegisterHistory::Failed(size_t operation, runtime::MonotonicTime completed) {
  RegisterOperation& open = Open(operation);
  open.outcome = Outcome::kFailed;
  open.completed = completed;
}

RegisterOperation& RegisterHistory::Open(size_t operation) {
  CHECK_LT(operation, operations_.size());
  CHECK(operations_[operation].outcome == Outcome::kUnknown) << "an operation ends once";
  return operations_[operation];
}

}  // namespace workload

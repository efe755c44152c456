// RETURN_IF_ERROR, ASSIGN_OR_RETURN and their CO_ forms for coroutines.
//
//   RETURN_IF_ERROR(Open(path));
//   ASSIGN_OR_RETURN(const Config config, ReadConfig(path));
//   CO_ASSIGN_OR_RETURN(std::string reply, co_await network.Call(...));
//
// Named as in later Abseil releases, so that switching to those is a change of one include.
#ifndef RUNTIME_STATUS_MACROS_H_
#define RUNTIME_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define RUNTIME_RETURN_IF_ERROR_IMPL(return_keyword, expression)          \
  do {                                                                    \
    if (absl::Status status_macro_ = (expression); !status_macro_.ok()) { \
      return_keyword status_macro_;                                       \
    }                                                                     \
  } while (false)

#define RUNTIME_CONCAT_IMPL(a, b) a##b
#define RUNTIME_CONCAT(a, b) RUNTIME_CONCAT_IMPL(a, b)

#define RUNTIME_ASSIGN_OR_RETURN_IMPL(return_keyword, temporary, left, expression) \
  auto temporary = (expression);                                                   \
  if (!temporary.ok()) return_keyword std::move(temporary).status();               \
  left = *std::move(temporary)

#define RETURN_IF_ERROR(expression) RUNTIME_RETURN_IF_ERROR_IMPL(return, expression)
#define CO_RETURN_IF_ERROR(expression) RUNTIME_RETURN_IF_ERROR_IMPL(co_return, expression)

#define ASSIGN_OR_RETURN(left, expression) \
  RUNTIME_ASSIGN_OR_RETURN_IMPL(return, RUNTIME_CONCAT(status_or_, __LINE__), left, expression)
#define CO_ASSIGN_OR_RETURN(left, expression) \
  RUNTIME_ASSIGN_OR_RETURN_IMPL(co_return, RUNTIME_CONCAT(status_or_, __LINE__), left, expression)

#endif  // RUNTIME_STATUS_MACROS_H_

// ChildProcess: a program that a test started, and ends by its process id, also when the test
// fails.
#ifndef TESTS_CLUSTER_CHILD_PROCESS_H_
#define TESTS_CLUSTER_CHILD_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace cluster {

class ChildProcess {
 public:
  // Runs `arguments[0]` (found by PATH) with its output going to `output_file`. It is also ended if
  // this process dies.
  static absl::StatusOr<ChildProcess> Start(std::vector<std::string> arguments,
                                            const std::string& output_file);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();

  // Ends it, gently and then not, and waits for its end.
  void End();
  // Waits for its own end; its exit status, or 128 + signal.
  int Wait();

  pid_t pid() const { return pid_; }

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}

  pid_t pid_ = 0;  // 0: it has ended.
};

// The path of a program in PATH or the usual places of daemons; empty if there is none.
std::string FindProgram(const std::string& name);

}  // namespace cluster

#endif  // TESTS_CLUSTER_CHILD_PROCESS_H_

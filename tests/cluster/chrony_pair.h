// ChronyPair: two chronyd processes in a temporary folder, neither of which touches the machine's
// clock (-x): an upstream that declares its own clock to be right, and a follower that polls it
// over loopback, often. Both can be killed and started again; the upstream's time can be set.
#ifndef TESTS_CLUSTER_CHRONY_PAIR_H_
#define TESTS_CLUSTER_CHRONY_PAIR_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/cluster/child_process.h"

namespace cluster {

class ChronyPair {
 public:
  // A reason for a test to be skipped; empty if chronyd and chronyc are installed.
  static std::string WhyNot();

  static absl::StatusOr<ChronyPair> Create();
  ChronyPair(ChronyPair&&) = default;
  ~ChronyPair();

  absl::Status StartUpstream();
  absl::Status StartFollower();
  void KillUpstream() { upstream_.reset(); }
  void KillFollower() { follower_.reset(); }

  // Steps the upstream's time by some 5 s, to a whole second.
  absl::Status StepUpstream();

  std::string upstream_address() const;  // Of the command port.
  std::string follower_socket() const { return folder_ + "/follower.sock"; }
  std::string follower_address() const;
  const std::string& folder() const { return folder_; }

 private:
  ChronyPair() = default;
  absl::StatusOr<ChildProcess> StartDaemon(const std::string& name, const std::string& config);

  std::string folder_;
  int ntp_port_ = 0;
  int upstream_command_port_ = 0;
  int follower_command_port_ = 0;
  std::optional<ChildProcess> upstream_;
  std::optional<ChildProcess> follower_;
};

}  // namespace cluster

#endif  // TESTS_CLUSTER_CHRONY_PAIR_H_

// GroupCaller: calls whoever leads a group, and remembers who that is.
//
// Place:       one for all calls of a node to leaders: its gateway's, and those of its shards to other
//              groups. On the loop where it was made; network and map outlive it.
// Repeats:     what certainly was not done is tried again, with backoff and jitter: at the leader
//              that is named, at the next member if none is, or if a node does not answer. Until the
//              call's deadline. Refusals that only the caller can judge end it: kOverloaded,
//              kWrongRange, kAborted, kTooOld, kInvalid, kUnknown.
// Waiting:     a request that may wait at the leader (`wait_max`) is told with each try how long: for
//              as long as the call lasts, and a little less, so that the reason arrives.
// Once:        a request that must not arrive twice (kOnce) ends with Refusal::kUnknown as soon as
//              nobody knows whether it did.
// Concurrency: one loop.
#ifndef TXN_GROUP_CALLER_H_
#define TXN_GROUP_CALLER_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "runtime/executor.h"
#include "runtime/world.h"
#include "storage/ids.h"
#include "txn/calls.h"
#include "txn/shard_map.h"

namespace txn {

using runtime::MonotonicTime;

struct GroupCallerOptions {
  // One try at one node. A node that does not answer is passed by after that.
  runtime::Duration attempt_max = std::chrono::seconds(2);
  // Between two tries, at first; it doubles, with jitter, up to the other.
  runtime::Duration backoff_min = std::chrono::milliseconds(2);
  runtime::Duration backoff_max = std::chrono::milliseconds(200);
};

class GroupCaller {
 public:
  enum class Repeat : uint8_t { kSafe, kOnce };

  GroupCaller(runtime::World* world, const ShardMap* map, GroupCallerOptions options)
      : world_(*world), map_(*map), options_(options) {}
  GroupCaller(const GroupCaller&) = delete;
  GroupCaller& operator=(const GroupCaller&) = delete;

  // The reply of the group's leader; a refusal (see above); or kNotNow with what went wrong last
  // when the deadline has come.
  template <typename Request, typename Reply>
  runtime::Task<absl::StatusOr<Reply>> Call(runtime::Method<Request, Reply> method,
                                            storage::GroupId group, Request request,
                                            MonotonicTime deadline, Repeat repeat = Repeat::kSafe);

  // Where the next call goes: to who led last, or some member. None: the map does not know the group.
  std::optional<runtime::NodeId> LeaderOf(storage::GroupId group) const;
  // Somebody said who leads; 0: he does not know.
  void Learn(storage::GroupId group, runtime::NodeId leader) {
    if (leader != runtime::NodeId()) Follow(group, leader);
  }

 private:
  // What to do after a try.
  struct Next {
    bool again = false;
    absl::Status end = {};  // If not again.
  };
  // One call's tries.
  struct Tries {
    runtime::Duration backoff;
    int failures = 0;
    absl::Status last = {};
  };

  runtime::Task<Next> Judge(storage::GroupId group, runtime::NodeId asked, absl::Status error,
                            MonotonicTime deadline, Repeat repeat, Tries* tries);
  static absl::Status Late(storage::GroupId group, const Tries& tries);
  static absl::Status UnknownGroup(storage::GroupId group);
  void Follow(storage::GroupId group, runtime::NodeId leader) { leaders_[group] = leader; }
  // Leaves this node for the next member.
  void PassBy(storage::GroupId group, runtime::NodeId node);

  runtime::World& world_;
  const ShardMap& map_;
  const GroupCallerOptions options_;
  std::map<storage::GroupId, runtime::NodeId> leaders_;  // The last that was known.
};

namespace internal {

// A try that ends before the call does is repeated, and goes on waiting: who waits for a lock is in
// line by age (TX-LOCKS).
template <typename Request>
void LimitWait(Request* request, runtime::Duration left) {
  if constexpr (requires { request->set_wait_max(int64_t{}); }) {
    request->set_wait_max((left - left / 16).count());
  }
}

}  // namespace internal

template <typename Request, typename Reply>
runtime::Task<absl::StatusOr<Reply>> GroupCaller::Call(runtime::Method<Request, Reply> method,
                                                       storage::GroupId group, Request request,
                                                       MonotonicTime deadline, Repeat repeat) {
  request.set_group(group.value());
  Tries tries{.backoff = options_.backoff_min};
  while (true) {
    const runtime::Duration left = deadline - runtime::Executor::Current().Now();
    if (left <= runtime::Duration(0)) co_return Late(group, tries);
    const std::optional<runtime::NodeId> node = LeaderOf(group);
    if (!node) co_return UnknownGroup(group);
    internal::LimitWait(&request, left);
    absl::StatusOr<Reply> reply = co_await CallNode(&world_.network(), method, *node, request,
                                                    std::min(left, options_.attempt_max));
    if (reply.ok()) {
      Follow(group, *node);
      co_return reply;
    }
    const Next next = co_await Judge(group, *node, reply.status(), deadline, repeat, &tries);
    if (!next.again) co_return next.end;
  }
}

}  // namespace txn

#endif  // TXN_GROUP_CALLER_H_

// Nearest: in which order replicas are asked, by how long each will probably take: the way there and
// back, as it was measured, and the wait until a timestamp is safe there, as far as the replica was
// behind when it last answered.
//
// Place:       one at each gateway.
// Guesses:     nothing rests on them but time. What was not heard of for a while is not known.
// Concurrency: one loop. Decides, and never waits.
#ifndef TXN_NEAREST_H_
#define TXN_NEAREST_H_

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/strong_id.h"
#include "runtime/time.h"
#include "storage/ids.h"

namespace txn {

class Nearest {
 public:
  struct Candidate {
    runtime::NodeId node;
    // Until a timestamp is safe there.
    runtime::Duration wait{};
    runtime::Duration all{};
  };
  struct Question {
    storage::GroupId group;
    std::vector<runtime::NodeId> nodes;  // That have replicas of it.
    runtime::NodeId self;
    // Makes any timestamp safe that has come.
    std::optional<runtime::NodeId> leader;
    // How far the timestamp that is to be read lies back.
    runtime::Duration ago{};
  };

  // The node answered after so long.
  void Answered(runtime::NodeId node, runtime::Duration round_trip, runtime::MonotonicTime now);
  // It did not.
  void Silent(runtime::NodeId node, runtime::MonotonicTime now);
  // The replica's safe time was so far behind.
  void Behind(storage::GroupId group, runtime::NodeId node, runtime::Duration lag,
              runtime::MonotonicTime now);

  // The best first.
  std::vector<Candidate> Order(const Question& question, runtime::MonotonicTime now) const;

 private:
  struct Guess {
    runtime::Duration value{};
    runtime::MonotonicTime at;
  };
  using Replica = std::pair<storage::GroupId, runtime::NodeId>;

  static void Mix(runtime::Duration value, runtime::MonotonicTime now, std::optional<Guess>* guess);

  std::map<runtime::NodeId, std::optional<Guess>> round_trips_;
  std::map<runtime::NodeId, runtime::MonotonicTime> silent_;
  std::map<Replica, std::optional<Guess>> lags_;
};

}  // namespace txn

#endif  // TXN_NEAREST_H_

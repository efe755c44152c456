// Walk: a group of kernels driven at random, with no world under them: messages late, lost, doubled
// and out of order, disks that are slow or stand still, crashes that lose what was not saved,
// pauses, clocks that are off, changed members, hand-overs, cut logs. One seed, one walk. The
// watchers look after every step; in the end all is healed and must go on.
#ifndef TESTS_PAXOS_KERNEL_WALK_H_
#define TESTS_PAXOS_KERNEL_WALK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/random.h"
#include "tests/paxos/kernel/node.h"
#include "tests/paxos/kernel/watchers.h"

namespace paxos {

struct WalkOptions {
  bool clocks_lie = false;  // Some are off by more than they say.
  Without without;
  Duration chaos = std::chrono::seconds(6);
};

struct WalkCounts {
  uint64_t proposals = 0;
  uint64_t chosen = 0;
  uint64_t elections_won = 0;
  uint64_t configurations = 0;
  uint64_t removed = 0;
  uint64_t hand_overs = 0;
  uint64_t crashes = 0;
  uint64_t snapshots = 0;
  uint64_t no_ops = 0;
  uint64_t reproposed = 0;
  uint64_t order_refused = 0;
  uint64_t events = 0;

  void Add(const WalkCounts& other);
};

class Walk {
 public:
  Walk(uint64_t seed, WalkOptions options);

  // What went wrong, with its place in true time; empty if nothing did.
  std::string Run();
  const WalkCounts& counts() const { return counts_; }
  // Tells everything that happens, from `from` on.
  void Trace(std::ostream* out, Timestamp from) {
    trace_ = out;
    trace_from_ = from;
  }

 private:
  // How bad this walk is: drawn from the seed, and some of it not at all in most walks.
  struct Weather {
    double loss = 0;
    double duplicates = 0;
    double slow_messages = 0;
    Duration delay{};
    Duration save{};
    double stalls = 0;
    double crashes = 0;
    double pauses = 0;
    double partitions = 0;
    double clocks = 0;
    double members = 0;
    double hand_overs = 0;
    double pins = 0;
    double cuts = 0;
    double lost_machines = 0;
  };

  struct Host {
    explicit Host(KernelNode made) : node(std::move(made)) {}

    KernelNode node;
    uint64_t incarnation = 0;
    Duration offset{};
    Duration epsilon{};
    bool time_safe = true;
    truetime::Interval last;  // TT-MONOTONE.
    Timestamp paused_until;
    Timestamp tick_at = Timestamp::Max();
    bool saving = false;
    uint64_t applying = 0;
    bool gone = false;  // Removed.
    uint64_t side = 0;  // Of a partition.
  };

  void DrawWeather();
  void Heal();
  Moment Now(Host& host);
  // `event` happens to `host` after `delay`, unless it crashed until then; a pause puts it off.
  void After(Duration delay, Host& host, std::function<void()> event);
  void RunUntil(Timestamp end);
  Host& Any();
  Host* AnyUp();
  Host* Leader();

  void Start(Host& host);
  void Crash(Host& host);
  void Join(ReplicaId replica);
  // Carries out what the kernel of `host` wants, and looks.
  void Settle(Host& host);
  void Send(Host& host, const Message& message);
  void Save(Host& host);
  void ScheduleSave(Host& host);
  void ScheduleApply(Host& host);
  void ScheduleTick(Host& host);
  void Catch(Host& host, const Fetch& fetch);
  void Look();
  template <typename... Parts>
  void Say(const Parts&... parts);

  void Client();
  void Fault();
  bool Propose(Host& host);
  void Reconfigure(Host& host);
  void ChangeClock(Host& host);
  std::string CheckAlive();

  const WalkOptions options_;
  runtime::Random random_;
  Weather weather_;
  ReplicaOptions replica_options_;
  KernelWatchers watchers_;
  std::map<ReplicaId, std::unique_ptr<Host>> hosts_;
  Timestamp now_;
  uint64_t sequence_ = 0;
  std::map<std::pair<Timestamp, uint64_t>, std::function<void()>> events_;
  uint64_t commands_ = 0;
  bool reconfiguring_ = false;
  WalkCounts counts_;
  std::ostream* trace_ = nullptr;
  Timestamp trace_from_;
};

}  // namespace paxos

#endif  // TESTS_PAXOS_KERNEL_WALK_H_

// What was read at a safe time never changes (TX-SAFE-TIME): random transactions on three replicas
// that crash, or whose disk is full, now and then, and reads at any replica, at any moment, of what
// it calls safe. In the end all are read again, everywhere.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/trials.h"
#include "tests/txn/shard_cluster.h"
#include "tests/txn/walk_seeds.h"

namespace txn {
namespace {

using runtime::operator""us;
using runtime::operator""ms;

constexpr uint64_t kSeeds = tests::Trials(60);
constexpr int kSteps = 400;
constexpr int kKeys = 6;

class ReadWalk {
 public:
  explicit ReadWalk(uint64_t seed)
      : random_(seed), cluster_(seed, {.epsilon = random_.Uniform(1ms, 10ms)}) {
    // Between any two events, so also while a batch is being written.
    cluster_.universe().AddWatcher([this] {
      if (random_.Chance(0.1)) Look(static_cast<int>(random_.Uniform(1, 3)));
    });
  }

  std::string Run() {
    cluster_.AwaitLeader();
    for (int step = 0; step < kSteps; ++step) {
      cluster_.RunFor(random_.Uniform(1us, 2ms));
      Act();
      if (!cluster_.universe().violation().ok()) break;
    }
    EndAll();
    if (!cluster_.universe().violation().ok()) return cluster_.universe().violation().ToString();
    return ReadAllAgain();
  }
  size_t reads() const { return reads_.size(); }

 private:
  struct Read {
    int node;
    Key key;
    Timestamp at;
    std::string value;
  };
  struct Pending {
    TransactionId id;
    Key key;
  };

  Key SomeKey() { return Key(1, static_cast<char>('b' + random_.Uniform(0, kKeys - 1))); }
  TransactionId Begins() { return {cluster_.universe().true_time(), NodeId(1), ++sequence_}; }
  // The node that leads now; 0: none.
  int Leader() {
    for (int node = 1; node <= 3; ++node) {
      const auto group = cluster_.group(node);
      if (group != nullptr && group->leading()) return node;
    }
    return 0;
  }
  bool IsLocked(const Key& key) const {
    return std::ranges::any_of(pending_, [&](const Pending& one) { return one.key == key; });
  }

  void Act() {
    simulated::NodeWorld& world = cluster_.world(static_cast<int>(random_.Uniform(1, 3)));
    if (random_.Chance(0.005)) world.Restart();
    // A disk that is full for a while makes a store open anew, also under a leader.
    if (random_.Chance(0.01)) world.disk().SetCapacity(world.disk().used_bytes() + 100);
    if (random_.Chance(0.1)) GiveRoom();
    const int leader = Leader();
    if (leader == 0) {
      cluster_.RunFor(100ms);
      return;
    }
    const double what = random_.Fraction();
    const Key key = SomeKey();
    if (what < 0.4 && !IsLocked(key)) {
      cluster_.Begin(leader, Commit{.id = Begins(), .writes = {{key, absl::StrCat(sequence_)}}});
    } else if (what < 0.6 && !IsLocked(key)) {
      pending_.push_back({Begins(), key});
      cluster_.Begin(leader, PrepareOf(pending_.back()));
    } else if (what < 0.8 && !pending_.empty()) {
      TellOutcome(leader, static_cast<size_t>(
                              random_.Uniform(0, static_cast<int64_t>(pending_.size()) - 1)));
    }
  }

  void GiveRoom() {
    for (int node = 1; node <= 3; ++node) {
      cluster_.world(node).disk().SetCapacity(simulated::DiskOptions().capacity_bytes);
    }
  }

  Prepare PrepareOf(const Pending& one) {
    return {.id = one.id,
            .age = Age::Of(one.id),
            .coordinator = GroupId(9),
            .writes = {{one.key, absl::StrCat("p", one.id.sequence)}}};
  }

  // Of one that the leader shows as prepared, at its prepare timestamp or later.
  void TellOutcome(int leader, size_t place) {
    const TransactionId id = pending_[place].id;
    const PreparedTransaction* const found = cluster_.machine(leader).prepared().Find(id);
    if (found == nullptr) return;
    const Timestamp now = cluster_.program(leader)->truetime().Now().latest;
    const Timestamp s = random_.Chance(0.5) ? found->timestamp : std::max(found->timestamp, now);
    const Outcome outcome =
        random_.Chance(0.8) ? Outcome::Committed(s) : Outcome::Aborted("given up");
    // The first decision counts.
    cluster_.Begin(leader, Resolve{id, decided_.emplace(id, outcome).first->second});
  }

  // Reads a key at a replica, as late as it may be read.
  void Look(int node) {
    const auto group = cluster_.group(node);
    if (group == nullptr) return;
    // The lock of what has ended is free when that is shown.
    std::erase_if(pending_, [&](const Pending& one) {
      return cluster_.program(node)->witness().ended.contains(one.id);
    });
    const Key key = SomeKey();
    const ShardMachine& machine = cluster_.machine(node);
    const Timestamp at = machine.SafeTime(PointRange(key), group->PaxosSafeTime());
    absl::StatusOr<ShardRead> read = machine.NewRead({PointRange(key)}, at, group->PaxosSafeTime());
    if (!read.ok()) return;
    const auto cells = read->Get({key});
    if (!cells.ok()) return;
    reads_.push_back({node, key, at, (*cells)[0] ? (*cells)[0]->value : "-"});
  }

  void EndAll() {
    GiveRoom();
    for (const Pending& one : std::exchange(pending_, {})) {
      const CommandResult known = cluster_.Do(PrepareOf(one));
      if (known.kind != CommandResult::Kind::kPrepared) continue;
      const auto decided = decided_.find(one.id);
      cluster_.Do(Resolve{one.id, decided != decided_.end() ? decided->second
                                                            : Outcome::Committed(known.timestamp)});
    }
    cluster_.AwaitApplied({1, 2, 3});
  }

  std::string ReadAllAgain() {
    for (const int node : {1, 2, 3}) {
      for (const Read& read : reads_) {
        absl::StatusOr<storage::View> view =
            cluster_.program(node)->host()->store()->NewView(kShardGroup);
        if (!view.ok()) return view.status().ToString();
        const auto cell = view->Get(read.key, read.at);
        const std::string now = cell.ok() && *cell ? (*cell)->value : "-";
        if (now == read.value) continue;
        std::ostringstream wrong;
        wrong << "TX-SAFE-TIME: key " << read.key << " at " << read.at << " was " << read.value
              << " on node " << read.node << ", and is " << now << " on node " << node;
        return wrong.str();
      }
    }
    return "";
  }

  runtime::Random random_;
  ShardCluster cluster_;
  uint64_t sequence_ = 0;
  std::vector<Pending> pending_;  // Prepared, perhaps, and holding the lock of their key.
  std::map<TransactionId, Outcome> decided_;
  std::vector<Read> reads_;
};

TEST(ReadWalk, WhatWasReadAtASafeTimeStays) {
  size_t reads = 0;
  WalkSeeds(kSeeds, [&reads](uint64_t seed) {
    ReadWalk walk(seed);
    std::string wrong = walk.Run();
    reads += walk.reads();
    return wrong;
  });
  std::printf("%zu reads\n", reads);
}

}  // namespace
}  // namespace txn

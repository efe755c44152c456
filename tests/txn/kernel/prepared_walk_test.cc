// Random walks of the prepared table, and of the last commits, beside lists that are searched from
// end to end. ISOCHRON_WALK_SEEDS=FROM-TO walks more of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "runtime/random.h"
#include "tests/trials.h"
#include "tests/txn/walk_seeds.h"
#include "txn/kernel/last_commits.h"
#include "txn/kernel/prepared_table.h"

namespace txn {
namespace {

using runtime::operator""ns;

constexpr uint64_t kSeeds = tests::Trials(400);
constexpr int kSteps = 400;

template <typename Walk>
void WalkAll() {
  WalkSeeds(kSeeds, [](uint64_t seed) { return Walk(seed).Run(kSteps); });
}

Key KeyOf(int64_t number) {
  std::string key = std::to_string(number);
  return std::string(3 - key.size(), '0') + key;
}

KeyRange SomeRange(runtime::Random* random, int64_t keys) {
  if (random->Chance(0.3)) return PointRange(KeyOf(random->Uniform(0, keys - 1)));
  if (random->Chance(0.1)) return {};
  const int64_t from = random->Uniform(0, keys - 1);
  const int64_t to = random->Uniform(0, keys);
  return {KeyOf(std::min(from, to)), random->Chance(0.2) ? "" : KeyOf(std::max(from, to))};
}

class PreparedWalk {
 public:
  explicit PreparedWalk(uint64_t seed) : random_(seed), keys_(random_.Uniform(1, 300)) {}

  std::string Run(int steps) {
    for (int step = 0; step < steps; ++step) {
      if (random_.Chance(0.55)) {
        Add();
      } else if (!model_.empty()) {
        Remove(static_cast<size_t>(random_.Uniform(0, static_cast<int64_t>(model_.size()) - 1)));
      }
      const KeyRange range = SomeRange(&random_, keys_);
      if (const std::string wrong = Ask(range); !wrong.empty()) {
        return wrong + " in step " + std::to_string(step);
      }
    }
    while (!model_.empty()) Remove(0);
    return Ask({});
  }

 private:
  void Add() {
    now_ = now_ + runtime::Duration(random_.Uniform(1, 5));
    PreparedTransaction one{.id = {now_, NodeId(1), ++sequence_},
                            .age = {},
                            .timestamp = now_,
                            .coordinator = GroupId(1)};
    std::set<Key> keys;
    for (int64_t count = random_.Uniform(0, 10); count > 0; --count) {
      const Key key = KeyOf(random_.Uniform(0, keys_ - 1));
      if (taken_.insert(key).second) keys.insert(key);
    }
    for (const Key& key : keys) one.writes.push_back({key, "v"});
    table_.Add(std::make_shared<const PreparedTransaction>(one));
    model_.push_back(std::move(one));
  }

  void Remove(size_t place) {
    const PreparedTransaction& one = model_[place];
    for (const Write& write : one.writes) taken_.erase(write.key);
    table_.Remove(one.id);
    model_.erase(model_.begin() + static_cast<ptrdiff_t>(place));
  }

  std::string Ask(const KeyRange& range) {
    Timestamp expected = Timestamp::Max();
    Timestamp of_all = Timestamp::Max();
    for (const PreparedTransaction& one : model_) {
      of_all = std::min(of_all, one.timestamp - 1ns);
      for (const Write& write : one.writes) {
        if (range.Contains(write.key)) expected = std::min(expected, one.timestamp - 1ns);
      }
    }
    if (table_.size() != model_.size()) return "TX-SAFE-TIME: other transactions are prepared";
    if (table_.SafeTime() != of_all) return "TX-SAFE-TIME: of the whole group";
    const Timestamp safe = table_.SafeTime(range);
    if (safe == expected) return "";
    std::ostringstream wrong;
    wrong << "TX-SAFE-TIME: [" << range.start << ", " << range.end << ") is safe at " << safe
          << ", not at " << expected;
    return wrong.str();
  }

  runtime::Random random_;
  const int64_t keys_;
  PreparedTable table_;
  std::vector<PreparedTransaction> model_;
  std::set<Key> taken_;
  Timestamp now_;
  uint64_t sequence_ = 0;
};

class LastCommitsWalk {
 public:
  explicit LastCommitsWalk(uint64_t seed)
      : random_(seed),
        keys_(random_.Uniform(1, 300)),
        keys_max_(static_cast<size_t>(random_.Uniform(1, 200))),
        commits_(keys_max_) {
    commits_.Reset(now_);
  }

  std::string Run(int steps) {
    for (int step = 0; step < steps; ++step) {
      now_ = now_ + runtime::Duration(random_.Uniform(1, 5));
      const Key key = KeyOf(random_.Uniform(0, keys_ - 1));
      commits_.Add(key, now_);
      model_[key] = now_;
      const KeyRange range = SomeRange(&random_, keys_);
      Timestamp exact = Timestamp::Min();
      for (const auto& [written, at] : model_) {
        if (range.Contains(written)) exact = std::max(exact, at);
      }
      const Timestamp last = commits_.LastIn(range);
      if (commits_.size() > keys_max_) return "TX-READ-ONLY: too many keys";
      if (last < exact) return "TX-READ-ONLY: a commit was forgotten";
      if (last != std::max(exact, commits_.mark()))
        return "TX-READ-ONLY: not as exact as it can be";
    }
    return "";
  }

 private:
  runtime::Random random_;
  const int64_t keys_;
  const size_t keys_max_;
  Timestamp now_{100};
  LastCommits commits_;
  std::map<Key, Timestamp> model_;
};

TEST(PreparedWalk, SafeTimeIsThatOfASearchThroughAll) { WalkAll<PreparedWalk>(); }
TEST(LastCommitsWalk, NoCommitIsForgotten) { WalkAll<LastCommitsWalk>(); }

}  // namespace
}  // namespace txn

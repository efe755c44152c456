// What the lock table costs, each figure beside something measured in the same run.
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "tests/bench/bench_main.h"
#include "tests/bench/report.h"
#include "txn/kernel/lock_table.h"

namespace {

using bench::Report;
using txn::Age;
using txn::Lock;
using txn::LockAnswer;
using txn::LockMode;
using txn::LockTable;
using txn::RequestId;
using txn::TransactionId;

constexpr int kRounds = 20'000;
constexpr int kOthers = 1000;  // Locks of others that are there all the time.
constexpr int kBatch = 10;
constexpr runtime::MonotonicTime kNow{1};

// As a row's key is: longer than what a string holds in place.
std::string KeyOf(int number) { return absl::StrFormat("accounts/row/%010d", number); }

TransactionId IdOf(uint64_t sequence) {
  return {runtime::Timestamp(static_cast<int64_t>(1'000'000 + sequence)), runtime::NodeId(1),
          sequence};
}

void Demand(bool condition) {
  if (!condition) std::abort();
}

// A table in which others hold locks, and the transactions that come to it one after another.
class Floor {
 public:
  explicit Floor(LockMode others) {
    for (int i = 0; i < kOthers; ++i) {
      keys_.push_back(KeyOf(2 * i));
      free_.push_back(KeyOf(2 * i + 1));
      Begin();
      Demand(Acquire({{txn::PointRange(keys_.back()), others}}) == LockAnswer::kGranted);
    }
  }

  void Begin() { id_ = IdOf(++sequence_); }
  LockAnswer Acquire(std::vector<Lock> wants) {
    return table_.Acquire(RequestId(++requests_), id_, Age::Of(id_), std::move(wants), kNow);
  }
  void End() { table_.Release(id_, kNow); }

  const TransactionId& id() const { return id_; }
  // Where nobody has a lock.
  const std::string& FreeKey(int number) const {
    return free_[static_cast<size_t>(number % kOthers)];
  }
  LockTable& table() { return table_; }

 private:
  LockTable table_{txn::LockTableOptions()};
  std::vector<std::string> keys_;
  std::vector<std::string> free_;
  TransactionId id_;
  uint64_t sequence_ = 0;
  uint64_t requests_ = 0;
};

// Nanoseconds of each.
double Each(int count, const std::function<void()>& work) {
  return bench::Seconds(work) * 1e9 / count;
}

double PointLocks(Floor* floor) {
  return Each(kRounds, [&] {
    for (int i = 0; i < kRounds; ++i) {
      floor->Begin();
      Demand(floor->Acquire({{txn::PointRange(floor->FreeKey(i * 7)), LockMode::kExclusive}}) ==
             LockAnswer::kGranted);
      floor->End();
    }
  });
}

// The least that an ordered table of locks has to do: an entry of its own, put in and taken out.
double MapEntries(std::map<std::string, std::vector<TransactionId>>* map, const Floor& floor) {
  return Each(kRounds, [&] {
    for (int i = 0; i < kRounds; ++i) {
      const auto entry = map->try_emplace(floor.FreeKey(i * 7)).first;
      entry->second.push_back(IdOf(static_cast<uint64_t>(i)));
      map->erase(entry);
    }
  });
}

double Batches(Floor* floor) {
  constexpr int kBatches = kRounds / kBatch;
  return Each(kBatches, [&] {
    for (int i = 0; i < kBatches; ++i) {
      std::vector<Lock> wants;
      wants.reserve(kBatch);
      for (int key = 0; key < kBatch; ++key) {
        wants.push_back({txn::PointRange(floor->FreeKey(i * 7 + key * 31)), LockMode::kExclusive});
      }
      floor->Begin();
      Demand(floor->Acquire(std::move(wants)) == LockAnswer::kGranted);
      floor->End();
    }
  });
}

double RangeLocks(Floor* floor) {
  constexpr int kRanges = 100;
  return Each(kRanges, [&] {
    for (int i = 0; i < kRanges; ++i) {
      floor->Begin();
      Demand(floor->Acquire({{{}, LockMode::kShared}}) == LockAnswer::kGranted);
      floor->End();
    }
  });
}

// A thousand wait for one key, and get it one after another.
double HotKey() {
  Floor floor(LockMode::kShared);
  std::vector<TransactionId> line;
  for (int i = 0; i < kOthers; ++i) {
    floor.Begin();
    line.push_back(floor.id());
    floor.Acquire({{txn::PointRange("hot"), LockMode::kExclusive}});
  }
  return Each(kOthers, [&] {
    for (const TransactionId& first : line) {
      floor.table().Release(first, kNow);
      Demand(floor.table().TakeEffects().granted.size() == (first == line.back() ? 0 : 1));
    }
  });
}

int MeasureAll(Report* report) {
  Floor floor(LockMode::kShared);
  std::map<std::string, std::vector<TransactionId>> map;
  for (int i = 0; i < kOthers; ++i) map[KeyOf(2 * i)].push_back(IdOf(1));
  report->Compare({.figure = "one key locked and released, among 1,000 locks",
                   .reference = "an entry put into a std::map and taken out",
                   .unit = "ns",
                   .ours = [&] { return PointLocks(&floor); },
                   .theirs = [&] { return MapEntries(&map, floor); },
                   .target = Report::Target::kAtMost,
                   .ratio = 8});
  report->Compare({.figure = "a batch of 10 keys locked and released",
                   .reference = "one key",
                   .unit = "ns",
                   .ours = [&] { return Batches(&floor); },
                   .theirs = [&] { return PointLocks(&floor); },
                   .target = Report::Target::kAtMost,
                   .ratio = 16});
  report->Compare({.figure = "a range over 1,000 locks, locked and released",
                   .reference = "one key",
                   .unit = "ns",
                   .ours = [&] { return RangeLocks(&floor); },
                   .theirs = [&] { return PointLocks(&floor); },
                   .target = Report::Target::kAtMost,
                   .ratio = 250});
  report->Compare({.figure = "a key of a line of 1,000 waiters passed on",
                   .reference = "one key",
                   .unit = "ns",
                   .ours = HotKey,
                   .theirs = [&] { return PointLocks(&floor); },
                   .target = Report::Target::kAtMost,
                   .ratio = 4});
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return bench::Main(argc, argv, "What the lock table costs.", MeasureAll);
}

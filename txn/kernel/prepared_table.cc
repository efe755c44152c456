#include "txn/kernel/prepared_table.h"

#include "runtime/check.h"
#include "txn/kernel/lock_conflict.h"

namespace txn {
namespace {

using runtime::operator""ns;

Timestamp JustBelow(Timestamp time) { return time - 1ns; }

}  // namespace

std::vector<KeyRange> ExclusiveRanges(const PreparedTransaction& prepared) {
  std::vector<KeyRange> ranges = prepared.locks;
  ranges.reserve(ranges.size() + prepared.writes.size());
  for (const Write& write : prepared.writes) ranges.push_back(PointRange(write.key));
  return ranges;
}

void PreparedTable::Add(Entry prepared) {
  const PreparedTransaction& added = *prepared;
  CHECK(entries_.emplace(added.id, std::move(prepared)).second)
      << "TX-2PC: " << added.id << " is prepared twice";
  by_time_.emplace(added.timestamp, added.id);
  for (const Write& write : added.writes) {
    CHECK(!keys_.Find(write.key)) << "PreparedTable inv 1: " << added.id
                                  << " and another prepared transaction write "
                                  << PrintKeys(PointRange(write.key));
    keys_.Set(write.key, added.timestamp);
  }
}

void PreparedTable::Remove(const TransactionId& id) {
  const auto at = entries_.find(id);
  CHECK(at != entries_.end()) << "TX-2PC: " << id << " ends and is not prepared";
  for (const Write& write : at->second->writes) keys_.Erase(write.key);
  by_time_.erase({at->second->timestamp, id});
  entries_.erase(at);
}

void PreparedTable::Clear() {
  entries_.clear();
  by_time_.clear();
  keys_.Clear();
}

Timestamp PreparedTable::SafeTime(const KeyRange& range) const {
  const std::optional<Timestamp> earliest = keys_.EarliestIn(range);
  return earliest ? JustBelow(*earliest) : Timestamp::Max();
}

Timestamp PreparedTable::SafeTime() const {
  return by_time_.empty() ? Timestamp::Max() : JustBelow(by_time_.begin()->first);
}

const PreparedTransaction* PreparedTable::Find(const TransactionId& id) const {
  const auto at = entries_.find(id);
  return at == entries_.end() ? nullptr : at->second.get();
}

}  // namespace txn

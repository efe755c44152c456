#include "txn/shard_map.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"

namespace txn {

using storage::GroupId;
using storage::Key;

StaticShardMap::StaticShardMap(std::vector<ShardLocation> shards) : shards_(std::move(shards)) {
  std::sort(shards_.begin(), shards_.end(), [](const ShardLocation& a, const ShardLocation& b) {
    return a.range.start < b.range.start;
  });
  for (size_t i = 0; i < shards_.size(); ++i) {
    CHECK(!shards_[i].range.empty()) << "group " << shards_[i].group << " has no keys";
    if (i == 0) continue;
    const Key& end = shards_[i - 1].range.end;
    CHECK(!end.empty() && end <= shards_[i].range.start)
        << "groups " << shards_[i - 1].group << " and " << shards_[i].group
        << " have the same keys";
  }
}

std::optional<ShardLocation> StaticShardMap::Find(const Key& key) const {
  const auto after = std::upper_bound(
      shards_.begin(), shards_.end(), key,
      [](const Key& wanted, const ShardLocation& shard) { return wanted < shard.range.start; });
  if (after == shards_.begin() || !std::prev(after)->range.Contains(key)) return std::nullopt;
  return *std::prev(after);
}

std::optional<ShardLocation> StaticShardMap::FindBelow(const Key& end) const {
  auto after = shards_.end();
  if (!end.empty()) {
    after = std::lower_bound(
        shards_.begin(), shards_.end(), end,
        [](const ShardLocation& shard, const Key& wanted) { return shard.range.start < wanted; });
  }
  if (after == shards_.begin()) return std::nullopt;
  const Key& shard_end = std::prev(after)->range.end;
  const bool reaches = shard_end.empty() || (!end.empty() && end <= shard_end);
  return reaches ? std::make_optional(*std::prev(after)) : std::nullopt;
}

std::optional<ShardLocation> StaticShardMap::FindGroup(GroupId group) const {
  for (const ShardLocation& shard : shards_) {
    if (shard.group == group) return shard;
  }
  return std::nullopt;
}

runtime::Task<absl::Status> StaticShardMap::Refresh(GroupId group, uint64_t) {
  co_return absl::UnavailableError(
      absl::StrCat("the map of shards never changes, and is wrong about group ", group.value()));
}

}  // namespace txn

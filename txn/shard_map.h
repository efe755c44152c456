// ShardMap: which group has which keys, and on which nodes its replicas are.
//
// Place:       above the groups' names, below the gateway, which routes by it. What it says is a
//              hint: each shard knows its own range, and refuses what is outside of it
//              (WRONG_RANGE), so a map that is out of date costs time and nothing else.
// Concurrency: one loop.
#ifndef TXN_SHARD_MAP_H_
#define TXN_SHARD_MAP_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "runtime/strong_id.h"
#include "runtime/task.h"
#include "storage/ids.h"
#include "storage/key_range.h"

namespace txn {

struct ShardLocation {
  storage::GroupId group;
  storage::KeyRange range;
  uint64_t generation = 0;                  // As in the shard's descriptor.
  std::vector<runtime::NodeId> nodes = {};  // Of its replicas; any order.

  friend bool operator==(const ShardLocation&, const ShardLocation&) = default;
};

class ShardMap {
 public:
  virtual ~ShardMap() = default;

  // The shard that has the key, as far as is known here; none if nothing is.
  virtual std::optional<ShardLocation> Find(const storage::Key& key) const = 0;
  // The one that has the keys just below `end`; an empty `end` is infinity.
  virtual std::optional<ShardLocation> FindBelow(const storage::Key& end) const = 0;
  virtual std::optional<ShardLocation> FindGroup(storage::GroupId group) const = 0;

  // What it said of this group is wrong: the shard is not there, or has another range by now, of
  // this generation or a later one. Ends when something newer is known, or with UNAVAILABLE.
  virtual runtime::Task<absl::Status> Refresh(storage::GroupId group, uint64_t generation) = 0;
};

// A map that never changes.
class StaticShardMap final : public ShardMap {
 public:
  // CHECKs that the ranges are not empty, and that no two of them overlap.
  explicit StaticShardMap(std::vector<ShardLocation> shards);

  std::optional<ShardLocation> Find(const storage::Key& key) const override;
  std::optional<ShardLocation> FindBelow(const storage::Key& end) const override;
  std::optional<ShardLocation> FindGroup(storage::GroupId group) const override;
  runtime::Task<absl::Status> Refresh(storage::GroupId group, uint64_t generation) override;

  const std::vector<ShardLocation>& shards() const { return shards_; }

 private:
  std::vector<ShardLocation> shards_;  // Ascending by range.
};

}  // namespace txn

#endif  // TXN_SHARD_MAP_H_

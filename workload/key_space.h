// KeySpace: keys that lie in the shard that one wants. Shard 0 has all keys below "s1", shard 1 those
// from there to "s2", the last one all that are left.
#ifndef WORKLOAD_KEY_SPACE_H_
#define WORKLOAD_KEY_SPACE_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "storage/key_range.h"

namespace workload {

using storage::Key;
using storage::KeyRange;

class KeySpace {
 public:
  explicit KeySpace(int shards) : shards_(shards) {}

  int shards() const { return shards_; }
  KeyRange RangeOf(int shard) const {
    return {shard == 0 ? "" : absl::StrCat("s", shard),
            shard == shards_ - 1 ? "" : absl::StrCat("s", shard + 1)};
  }
  static Key At(int shard, absl::string_view name) {
    return absl::StrCat("s", shard, "/", std::string(name));
  }
  // The keys of these numbers are spread evenly.
  Key Numbered(int64_t number, absl::string_view name) const {
    return At(static_cast<int>(number % shards_), name);
  }

 private:
  int shards_;
};

}  // namespace workload

#endif  // WORKLOAD_KEY_SPACE_H_

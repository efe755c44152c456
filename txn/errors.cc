#include "txn/errors.h"

#include "absl/strings/str_cat.h"
#include "runtime/format.h"
#include "txn/kernel/lock_conflict.h"
#include "txn/refusal.h"

namespace txn {

absl::Status NoState(storage::GroupId group) {
  return Refuse(Refusal::Kind::kNotNow, absl::StrCat("the replica of group ", group.value(),
                                                     " has no state to read from now"));
}

absl::Status NotSafeYet(storage::GroupId group, Timestamp at, Timestamp safe) {
  if (safe == Timestamp::Min()) return NoState(group);
  return ToStatus(
      {.kind = Refusal::Kind::kNotSafeYet,
       .why = absl::StrCat(
           "the replica of group ", group.value(), " is ", runtime::FormatDuration(at - safe),
           " behind the timestamp that is to be read: until then something may still be written"),
       .safe_time = safe});
}

absl::Status NotInShard(storage::GroupId group, const KeyRange& range,
                        const ShardDescriptor& descriptor) {
  return ToStatus(
      {.kind = Refusal::Kind::kWrongRange,
       .why = absl::StrCat(PrintKeys(range), " is not of group ", group.value(), ", which has ",
                           PrintKeys(descriptor.range), " in generation ", descriptor.generation),
       .shard = descriptor});
}

}  // namespace txn

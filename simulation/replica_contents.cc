#include "simulation/replica_contents.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "paxos/records.h"
#include "runtime/status_macros.h"

namespace simulation {
namespace {

using runtime::Timestamp;
using storage::Version;

constexpr size_t kVersionsMax = 10'000;

// Down to the one that is read at `horizon`, unless that is a deletion, which may be gone as well.
std::vector<Version> AtOrAbove(const std::vector<Version>& versions, Timestamp horizon) {
  std::vector<Version> kept;
  for (const Version& version : versions) {
    const bool is_last = version.timestamp <= horizon;
    if (!is_last || version.value.has_value()) kept.push_back(version);
    if (is_last) break;
  }
  return kept;
}

}  // namespace

absl::StatusOr<ReplicaContents> ReadContents(storage::View* view, const storage::KeyRange& range) {
  ReplicaContents contents;
  ASSIGN_OR_RETURN(const std::optional<std::string> applied, view->Applied());
  if (!applied.has_value()) return absl::UnavailableError("nothing was applied");
  ASSIGN_OR_RETURN(const paxos::AppliedState state, paxos::DecodeAppliedState(*applied));
  contents.applied = state.slot;
  contents.horizon = view->horizon();
  for (std::optional<storage::KeyRange> rest = range; rest.has_value();) {
    ASSIGN_OR_RETURN(storage::ScanResult scanned,
                     view->Scan({.range = *rest, .at = Timestamp::Max()}));
    for (const storage::Row& row : scanned.rows) contents.rows[row.key];
    rest = std::move(scanned.rest);
  }
  for (auto& [key, versions] : contents.rows) {
    ASSIGN_OR_RETURN(versions, view->Versions(key, Timestamp::Max(), kVersionsMax));
  }
  return contents;
}

std::string Difference(const ReplicaContents& a, const ReplicaContents& b) {
  const Timestamp horizon = std::max(a.horizon, b.horizon);
  for (const auto& [key, versions] : a.rows) {
    const auto other = b.rows.find(key);
    if (other == b.rows.end()) return absl::StrCat("row '", key, "' is in one only");
    if (AtOrAbove(versions, horizon) != AtOrAbove(other->second, horizon)) {
      return absl::StrCat("row '", key, "' has other versions");
    }
  }
  if (a.rows.size() != b.rows.size()) {
    return absl::StrCat("there are ", a.rows.size(), " rows and ", b.rows.size());
  }
  return "";
}

}  // namespace simulation

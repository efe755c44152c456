#include "tests/txn/kernel/lock_watchers.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"

namespace txn {
namespace {

constexpr size_t kAll = std::numeric_limits<size_t>::max();

bool Goes(const Age& age_a, const TransactionId& a, const Age& age_b, const TransactionId& b) {
  return age_a == age_b ? a > b : age_a < age_b;
}

std::string CheckHolders(const std::vector<LockView>& locks) {
  for (const LockView& a : locks) {
    for (const LockView& b : locks) {
      if (a.transaction < b.transaction && Conflicts(a.lock.mode, b.lock.mode) &&
          Overlap(a.lock.range, b.lock.range)) {
        return absl::StrCat("TX-LOCKS: locks in conflict are held by ", ToText(a.transaction),
                            " and ", ToText(b.transaction), " on ",
                            PrintKeys(Intersection(a.lock.range, b.lock.range)));
      }
    }
  }
  return "";
}

// It waits for everybody who holds a lock in its way, none of them younger and unprepared, and for
// one at least.
std::string CheckWaiter(const WaitView& wait, const std::vector<LockView>& locks) {
  if (wait.waits_for.empty()) {
    return absl::StrCat("TX-LOCKS: request ", wait.request.value(), " could be granted");
  }
  for (const LockView& held : locks) {
    if (held.transaction == wait.transaction) continue;
    const bool conflict = std::any_of(wait.wants.begin(), wait.wants.end(), [&](const Lock& want) {
      return Conflicts(want.mode, held.lock.mode) && Overlap(want.range, held.lock.range);
    });
    if (!conflict) continue;
    if (std::find(wait.waits_for.begin(), wait.waits_for.end(), held.transaction) ==
        wait.waits_for.end()) {
      return absl::StrCat("TX-LOCKS: request ", wait.request.value(), " is not seen to wait for ",
                          ToText(held.transaction));
    }
    if (!held.prepared && Goes(wait.age, wait.transaction, held.age, held.transaction)) {
      return absl::StrCat("TX-LOCKS: ", ToText(wait.transaction), " waits for ",
                          ToText(held.transaction), ", which is younger and not prepared");
    }
  }
  return "";
}

}  // namespace

std::string CheckLockTable(const LockTable& table) {
  const std::vector<LockView> locks = table.ListLocks(kAll);
  const std::vector<WaitView> waits = table.ListWaits(kAll, kAll);
  if (std::string wrong = CheckHolders(locks); !wrong.empty()) return wrong;
  for (const WaitView& wait : waits) {
    if (std::string wrong = CheckWaiter(wait, locks); !wrong.empty()) return wrong;
    if (table.prepared(wait.transaction)) {
      return absl::StrCat("TX-LOCKS: ", ToText(wait.transaction), " is prepared and waits");
    }
  }
  if (!FindCircle(table).empty()) return "TX-LOCKS: transactions wait in a circle";
  size_t count = locks.size();
  for (const WaitView& wait : waits) count += wait.wants.size();
  if (count != table.locks()) return absl::StrCat("it counts ", table.locks(), " of ", count);
  if (table.segments().size() > 2 * count) {
    return absl::StrCat(table.segments().size(), " segments for ", count, " locks");
  }
  return "";
}

std::vector<TransactionId> FindCircle(const LockTable& table) {
  std::map<TransactionId, std::set<TransactionId>> edges;
  for (const WaitView& wait : table.ListWaits(kAll, kAll)) {
    edges[wait.transaction].insert(wait.waits_for.begin(), wait.waits_for.end());
  }
  std::set<TransactionId> done;
  std::vector<TransactionId> path;
  const auto visit = [&](const auto& self, const TransactionId& at) -> bool {
    const auto before = std::find(path.begin(), path.end(), at);
    const bool circle = before != path.end();
    if (circle) path.erase(path.begin(), before);
    path.push_back(at);
    if (circle) return true;
    if (done.insert(at).second) {
      for (const TransactionId& next : edges[at]) {
        if (self(self, next)) return true;
      }
    }
    path.pop_back();
    return false;
  };
  for (const auto& [from, to] : std::map(edges)) {
    if (visit(visit, from)) return path;
  }
  return {};
}

}  // namespace txn

#include "txn/kernel/lock_conflict.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "runtime/format.h"

namespace txn {
namespace {

std::string Quoted(const Key& key) { return absl::StrCat("\"", absl::CHexEscape(key), "\""); }

std::string ALock(LockMode mode) {
  return absl::StrCat(mode == LockMode::kShared ? "a " : "an ", LockModeName(mode), " lock");
}

std::string ExplainWound(const LockConflict& conflict, const KeyPrinter& print_keys) {
  const LockConflict::Party& loser = conflict.loser;
  const LockConflict::Party& other = conflict.other;
  const std::string winner = ToText(other.transaction);
  std::string why = absl::StrCat("transaction ", ToText(loser.transaction), " was aborted for ");
  if (loser.age == other.age) {
    absl::StrAppend(&why, "a later attempt of itself, ", winner);
  } else {
    absl::StrAppend(&why, "the older transaction ", winner);
    const runtime::Duration apart = loser.age.first_begun - other.age.first_begun;
    if (apart > runtime::Duration::zero()) {
      absl::StrAppend(&why, ", which began ", runtime::FormatDuration(apart), " before it");
    }
  }
  absl::StrAppend(&why, ": ", winner, " wants ", ALock(other.mode), " on ",
                  print_keys(conflict.range), ", where ", ToText(loser.transaction), " had held ",
                  ALock(loser.mode), " for ", runtime::FormatDuration(loser.lasted));
  return why;
}

std::string ExplainWait(const LockConflict& conflict, const KeyPrinter& print_keys) {
  const LockConflict::Party& loser = conflict.loser;
  const LockConflict::Party& other = conflict.other;
  return absl::StrCat(
      "transaction ", ToText(loser.transaction), " waited ", runtime::FormatDuration(loser.lasted),
      " for ", ALock(loser.mode), " on ", print_keys(conflict.range), ", where ",
      other.prepared ? "the prepared transaction " : "transaction ", ToText(other.transaction),
      other.holds ? " has held " : ", which is older, has waited for ", ALock(other.mode), " for ",
      runtime::FormatDuration(other.lasted));
}

}  // namespace

std::string PrintKeys(const KeyRange& range) {
  if (IsPoint(range)) return absl::StrCat("key ", Quoted(range.start));
  if (range.end.empty()) {
    return range.start.empty() ? "all keys" : absl::StrCat("the keys from ", Quoted(range.start));
  }
  return absl::StrCat("the keys from ", Quoted(range.start), " to before ", Quoted(range.end));
}

std::string Explain(const LockConflict& conflict, const KeyPrinter& print_keys) {
  switch (conflict.kind) {
    case LockConflict::Kind::kWounded:
      return ExplainWound(conflict, print_keys);
    case LockConflict::Kind::kWaited:
      return ExplainWait(conflict, print_keys);
    case LockConflict::Kind::kForgotten:
      break;
  }
  return absl::StrCat("transaction ", ToText(conflict.loser.transaction),
                      " was aborted for an older one that wanted one of its locks; which one is "
                      "not known any more, since many others were aborted after it");
}

}  // namespace txn

#include "workload/checker/register_analysis.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "workload/checker/internal_consistency.h"
#include "workload/checker/later_targets.h"

namespace checker {

RegisterAnalysis::RegisterAnalysis(const History& history, WriteIndex* writes,
                                   Level keys_ordered_by, AnomalyLog* log)
    : history_(history),
      writes_(writes),
      keys_ordered_by_(keys_ordered_by),
      log_(log),
      cyclic_(history.keys().size(), false) {}

void RegisterAnalysis::Run(DependencyGraph* graph) {
  graph_ = graph;
  MakeVersions();
  OperationsByKey operations(history_);
  for (TxnId id = 0; id < history_.transactions().size(); ++id) {
    if (history_.transaction(id).outcome == Outcome::kFail) continue;
    operations.ForEach(id,
                       [&](KeyId key, KeyOperations on_key) { CheckTransaction(id, key, on_key); });
  }
  std::sort(touches_.begin(), touches_.end(), [](const Touch& a, const Touch& b) {
    return std::pair(a.key, a.id) < std::pair(b.key, b.id);
  });
  CheckLostUpdates();
  FindCyclicKeys();
  AddReadFrom();
  AddFollowing();
  AddFromNil();
  if (keys_ordered_by_ >= Level::kProcess) AddProcessFollowing();
  if (keys_ordered_by_ >= Level::kRealTime) AddRealTimeFollowing();
}

void RegisterAnalysis::MakeVersions() {
  for (KeyId key = 0; key < history_.keys().size(); ++key) versions_.push_back({key, kNil, kNoTxn});
  for (TxnId id = 0; id < history_.transactions().size(); ++id) {
    const bool aborted = history_.transaction(id).outcome == Outcome::kFail;
    for (const Operation& operation : history_.operations(id)) {
      if (operation.kind == OperationKind::kRead) continue;
      writes_->Find(operation.key, operation.value)->position =
          static_cast<uint32_t>(versions_.size());
      versions_.push_back({operation.key, operation.value, aborted ? kNoTxn : id});
    }
  }
}

void RegisterAnalysis::CheckTransaction(TxnId id, KeyId key, KeyOperations operations) {
  CheckRegisterInternally(history_, id, operations, log_);
  Touch touch{key, id, kNoVersion, kNoVersion, false};
  for (const Operation* operation : operations) {
    VersionId version = kNoVersion;
    if (operation->kind == OperationKind::kRead) {
      // Only the first thing that it does to a key can tell it what others wrote.
      if (!operation->known || touch.last != kNoVersion) continue;
      version = CheckRead(id, *operation);
      if (version == kNoVersion) continue;
      touch.reads = true;
      ++versions_[version].readers;
    } else {
      version = writes_->Find(key, operation->value)->position;
      const bool follows = touch.last != kNoVersion && versions_[touch.last].value != kNil;
      if (follows) following_.push_back({touch.last, version});
    }
    if (touch.first == kNoVersion) touch.first = version;
    touch.last = version;
  }
  if (touch.first == kNoVersion) return;
  touches_.push_back(touch);
  const Transaction& transaction = history_.transaction(id);
  if (transaction.outcome != Outcome::kOk) return;
  for (const VersionId version : {touch.first, touch.last}) {
    versions_[version].seen = std::min(versions_[version].seen, transaction.ended);
  }
}

RegisterAnalysis::VersionId RegisterAnalysis::CheckRead(TxnId reader, const Operation& read) {
  if (read.value == kNil) return read.key;
  const WriteIndex::Write* const write = writes_->Find(read.key, read.value);
  const auto said = [&](absl::string_view rest) {
    return absl::StrCat(TxnName(reader), " read ", Name(read.key), " = ", read.value, rest);
  };
  if (write == nullptr) {
    log_->Add("garbage-read", [&] {
      return Anomaly{.sentence = said(", but nobody wrote that"), .transactions = {reader}};
    });
    return kNoVersion;
  }
  if (write->writer == reader) {
    log_->Add("internal", [&] {
      return Anomaly{.sentence = said(", which it wrote itself only later"),
                     .transactions = {reader}};
    });
    return kNoVersion;
  }
  if (history_.transaction(write->writer).outcome == Outcome::kFail) {
    log_->Add("G1a", [&] {
      return Anomaly{.sentence = said(absl::StrCat(", which ", TxnName(write->writer),
                                                   " wrote, and that was aborted")),
                     .transactions = {write->writer, reader}};
    });
  } else if (!write->last) {
    log_->Add("G1b", [&] {
      return Anomaly{.sentence = said(absl::StrCat(", which ", TxnName(write->writer),
                                                   " wrote and then overwrote itself: a state in "
                                                   "its middle")),
                     .transactions = {write->writer, reader}};
    });
  }
  return write->position;
}

void RegisterAnalysis::CheckLostUpdates() {
  std::vector<TxnId> updater(versions_.size(), kNoTxn);
  for (const Touch& touch : touches_) {
    const bool updates = touch.reads && touch.last != touch.first &&
                         history_.transaction(touch.id).outcome == Outcome::kOk;
    if (!updates) continue;
    if (updater[touch.first] == kNoTxn) {
      updater[touch.first] = touch.id;
      continue;
    }
    log_->Add("lost-update", [&, first = updater[touch.first]] {
      return Anomaly{.sentence = absl::StrCat(TxnName(first), " and ", TxnName(touch.id),
                                              " both read ", DescribeVersion(touch.first),
                                              " and then wrote there, neither seeing the other"),
                     .transactions = {first, touch.id}};
    });
  }
}

void RegisterAnalysis::FindCyclicKeys() {
  DependencyGraph order(versions_.size());
  for (const Following& pair : following_) {
    order.Add(pair.before, pair.after, EdgeKind::kWriteWrite, Level::kPlain, 0);
  }
  order.Finish();
  for (const std::vector<NodeId>& circle : CyclicComponents(order, {})) {
    const KeyId key = versions_[circle[0]].key;
    cyclic_[key] = true;
    log_->Add("cyclic-versions", [&] {
      Anomaly anomaly{.sentence = absl::StrCat("by what was read before it was written, ",
                                               circle.size(), " versions of ", Name(key),
                                               " each come before the other: ")};
      for (const VersionId version : circle) {
        absl::StrAppend(&anomaly.sentence, version == circle[0] ? "" : ", ",
                        versions_[version].value);
        if (versions_[version].writer != kNoTxn) {
          anomaly.transactions.push_back(versions_[version].writer);
        }
      }
      return anomaly;
    });
  }
}

void RegisterAnalysis::AddReadFrom() {
  for (const Touch& touch : touches_) {
    if (!touch.reads || versions_[touch.first].writer == kNoTxn) continue;
    graph_->Add(versions_[touch.first].writer, touch.id, EdgeKind::kWriteRead, Level::kPlain,
                touch.key);
  }
}

// By reads and writes alone.
void RegisterAnalysis::AddFollowing() {
  for (const Following& pair : following_) {
    Version& before = versions_[pair.before];
    const Version& after = versions_[pair.after];
    if (cyclic_[before.key] || after.writer == kNoTxn) continue;
    if (before.writer != kNoTxn) {
      graph_->Add(before.writer, after.writer, EdgeKind::kWriteWrite, Level::kPlain, before.key);
    }
    if (before.readers == 0) continue;
    if (before.later == kNoTxn) before.later = graph_->AddWaypoint();
    graph_->AddOnward(before.later, after.writer);
  }
  for (const Touch& touch : touches_) {
    const NodeId later = touch.reads ? versions_[touch.first].later : kNoTxn;
    if (later != kNoTxn) {
      graph_->Add(touch.id, later, EdgeKind::kReadWrite, Level::kPlain, touch.key);
    }
  }
}

void RegisterAnalysis::AddFromNil() {
  std::vector<NodeId> all_writers(history_.keys().size(), kNoTxn);
  for (KeyId key = 0; key < all_writers.size(); ++key) {
    if (versions_[key].readers > 0 && !cyclic_[key]) all_writers[key] = graph_->AddWaypoint();
  }
  for (const Touch& touch : touches_) {
    if (all_writers[touch.key] == kNoTxn) continue;
    if (touch.reads && touch.first == touch.key) {
      graph_->Add(touch.id, all_writers[touch.key], EdgeKind::kReadWrite, Level::kPlain, touch.key);
    }
    const bool writes = !touch.reads || touch.last != touch.first;
    if (writes) graph_->AddOnward(all_writers[touch.key], touch.id);
  }
}

// What a process saw of a key is before the next other version that it sees there.
void RegisterAnalysis::AddProcessFollowing() {
  std::vector<const Touch*> by_process;
  for (const Touch& touch : touches_) {
    const Transaction& transaction = history_.transaction(touch.id);
    if (transaction.outcome == Outcome::kOk && !transaction.stale && !cyclic_[touch.key]) {
      by_process.push_back(&touch);
    }
  }
  std::sort(by_process.begin(), by_process.end(), [&](const Touch* a, const Touch* b) {
    return std::tuple(a->key, history_.transaction(a->id).process, a->id) <
           std::tuple(b->key, history_.transaction(b->id).process, b->id);
  });
  std::vector<Following> promised;
  for (size_t i = 1; i < by_process.size(); ++i) {
    const Touch& before = *by_process[i - 1];
    const Touch& after = *by_process[i];
    const bool same = before.key == after.key && history_.transaction(before.id).process ==
                                                     history_.transaction(after.id).process;
    if (same && before.last != after.first) promised.push_back({before.last, after.first});
  }
  std::vector<NodeId> later(versions_.size(), kNoTxn);
  for (const Following& pair : promised) {
    const TxnId writer = versions_[pair.after].writer;
    if (versions_[pair.before].readers == 0 || writer == kNoTxn) continue;
    if (later[pair.before] == kNoTxn) later[pair.before] = graph_->AddWaypoint();
    graph_->AddOnward(later[pair.before], writer);
  }
  for (const Touch& touch : touches_) {
    if (!touch.reads || later[touch.first] == kNoTxn) continue;
    graph_->Add(touch.id, later[touch.first], EdgeKind::kReadWrite, Level::kProcess, touch.key);
  }
}

void RegisterAnalysis::AddRealTimeFollowing() {
  for (size_t begin = 0; begin < touches_.size();) {
    size_t end = begin + 1;
    while (end < touches_.size() && touches_[end].key == touches_[begin].key) ++end;
    if (!cyclic_[touches_[begin].key]) {
      AddRealTimeOfKey(absl::MakeConstSpan(touches_).subspan(begin, end - begin));
    }
    begin = end;
  }
}

// Whoever begins after a version was seen sees it or a later one, or writes a later one.
void RegisterAnalysis::AddRealTimeOfKey(absl::Span<const Touch> touches) {
  std::vector<NodeId> row;
  std::vector<const Touch*> touched;
  for (const Touch& touch : touches) {
    if (history_.transaction(touch.id).stale) continue;
    touched.push_back(&touch);
    row.push_back(versions_[touch.first].writer);
  }
  // The places of each version in the row, for the versions that were read.
  std::vector<std::pair<VersionId, size_t>> places;
  for (size_t i = 0; i < touched.size(); ++i) places.push_back({touched[i]->first, i});
  std::sort(places.begin(), places.end());
  std::vector<std::pair<VersionId, NodeId>> later;
  LaterTargets targets(std::move(row), graph_);
  for (size_t first = 0; first < places.size();) {
    size_t last = first;
    while (last < places.size() && places[last].first == places[first].first) ++last;
    const VersionId version = places[first].first;
    const EventId seen = versions_[version].seen;
    if (versions_[version].readers > 0 && versions_[version].value != kNil && seen != kNever) {
      const NodeId waypoint = graph_->AddWaypoint();
      later.push_back({version, waypoint});
      size_t from = static_cast<size_t>(
          std::partition_point(
              touched.begin(), touched.end(),
              [&](const Touch* touch) { return history_.transaction(touch->id).begun <= seen; }) -
          touched.begin());
      // All but those that saw this version themselves.
      for (size_t i = first; i < last; ++i) {
        if (places[i].second < from) continue;
        targets.Connect(waypoint, from, places[i].second);
        from = places[i].second + 1;
      }
      targets.Connect(waypoint, from, touched.size());
    }
    first = last;
  }
  for (const Touch& touch : touches) {
    if (!touch.reads) continue;
    const auto found =
        std::lower_bound(later.begin(), later.end(), std::pair(touch.first, NodeId{0}));
    if (found == later.end() || found->first != touch.first) continue;
    graph_->Add(touch.id, found->second, EdgeKind::kReadWrite, Level::kRealTime, touch.key);
  }
}

std::string RegisterAnalysis::DescribeVersion(VersionId version) const {
  return absl::StrCat(Name(versions_[version].key), " = ", DescribeValue(versions_[version].value));
}

const RegisterAnalysis::Touch* RegisterAnalysis::FindTouch(TxnId id, KeyId key) const {
  const auto found = std::lower_bound(
      touches_.begin(), touches_.end(), std::pair(key, id),
      [](const Touch& touch, const auto& at) { return std::pair(touch.key, touch.id) < at; });
  return &*found;
}

std::string RegisterAnalysis::Explain(const CycleEdge& edge) const {
  const Touch& from = *FindTouch(edge.from, edge.key);
  const Touch& to = *FindTouch(edge.to, edge.key);
  const std::string first = TxnName(edge.from), second = TxnName(edge.to);
  const int64_t written = versions_[to.last].value;
  if (edge.kind == EdgeKind::kWriteRead) {
    return absl::StrCat(second, " read ", DescribeVersion(to.first), ", which ", first, " wrote");
  }
  if (edge.kind == EdgeKind::kWriteWrite) {
    return absl::StrCat(second, " had read ", DescribeVersion(to.first),
                        to.reads ? absl::StrCat(", which ", first, " wrote, ") : " ",
                        "before it wrote ", written);
  }
  const std::string read = absl::StrCat(first, " read ", DescribeVersion(from.first), ", before ");
  if (versions_[from.first].value == kNil) {
    return absl::StrCat(read, second, " wrote ", written, " there first");
  }
  if (edge.level == Level::kPlain) {
    return absl::StrCat(
        read, second, " wrote ", written, " there, ",
        versions_[from.first].writer == edge.to ? "over its own write" : "having read the same");
  }
  return absl::StrCat(read, second, " wrote ", written, ", which was written or seen only by ",
                      edge.level == Level::kProcess ? "a process that had seen" : "who began after",
                      " ", DescribeValue(versions_[from.first].value),
                      edge.level == Level::kProcess ? " before" : " had been seen");
}

}  // namespace checker

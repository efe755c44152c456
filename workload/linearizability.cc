#include "workload/linearizability.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "runtime/check.h"

namespace workload {
namespace {

using runtime::MonotonicTime;

// Values by number.
using ValueId = uint32_t;

// An operation as the search sees it.
struct Step {
  const RegisterOperation* operation;
  bool reads = false;     // It needs the value `before`.
  bool writes = false;    // It leaves the value `after`.
  bool refuses = false;   // It needs a value that is not `refused`.
  bool optional = false;  // It need not take effect.
  ValueId before = 0;
  ValueId after = 0;
  ValueId refused = 0;
  MonotonicTime invoked;
  MonotonicTime completed;
};

class Values {
 public:
  ValueId Of(const RegisterValue& value) {
    return ids_.try_emplace(value, static_cast<ValueId>(ids_.size())).first->second;
  }

 private:
  std::map<RegisterValue, ValueId> ids_;
};

// Makes steps of the operations of one key, with what is known about the unknown ones.
class Preparation {
 public:
  explicit Preparation(const RegisterValue& initial) : initial_(values_.Of(initial)) {}

  void Add(const RegisterOperation& operation) {
    const bool read = operation.action == RegisterAction::kRead;
    if (operation.outcome == Outcome::kFailed || (read && operation.outcome == Outcome::kUnknown)) {
      return;
    }
    Step step{
        .operation = &operation, .invoked = operation.invoked, .completed = operation.completed};
    if (operation.outcome == Outcome::kMismatch) {
      step.reads = step.refuses = true;
      step.before = values_.Of(operation.found);
      step.refused = values_.Of(operation.expected);
    } else {
      step.reads = operation.action != RegisterAction::kWrite;
      step.before = values_.Of(read ? operation.found : operation.expected);
      step.writes = !read;
      step.after = values_.Of(operation.written);
    }
    if (step.writes) ++writers_[step.after];
    step.optional = operation.outcome == Outcome::kUnknown;
    if (step.optional) step.completed = MonotonicTime::Max();
    if (!step.optional) Found(step);
    steps_.push_back(step);
  }

  std::vector<Step> Take() {
    while (Settle()) {
    }
    std::vector<Step> kept;
    std::vector<Step> open;
    for (const Step& step : steps_) (step.optional ? open : kept).push_back(step);
    // Of the others, those whose value may have been found; what they expect may be found by them.
    while (true) {
      const auto useful = std::partition(open.begin(), open.end(), [this](const Step& step) {
        return !found_.contains(step.after);
      });
      if (useful == open.end()) return kept;
      for (auto step = useful; step != open.end(); ++step) Found(*step);
      kept.insert(kept.end(), useful, open.end());
      open.erase(useful, open.end());
    }
  }

  ValueId initial() const { return initial_; }

 private:
  bool Unique(ValueId value) const { return value != initial_ && writers_.at(value) == 1; }

  void Found(const Step& step) {
    if (!step.reads) return;
    const auto [found, is_new] = found_.try_emplace(step.before, step.completed);
    found->second = std::min(found->second, step.completed);
  }

  // Finds open operations that did take effect. Whether there were any.
  bool Settle() {
    bool settled = false;
    for (Step& step : steps_) {
      if (!step.optional || !Unique(step.after)) continue;
      const auto found = found_.find(step.after);
      if (found == found_.end()) continue;
      step.optional = false;
      step.completed = std::max(step.invoked, found->second);
      Found(step);
      settled = true;
    }
    return settled;
  }

  Values values_;
  const ValueId initial_;
  std::vector<Step> steps_;
  std::map<ValueId, int> writers_;
  // By value: when the first of those who certainly found it had ended.
  std::map<ValueId, MonotonicTime> found_;
};

// The search over the steps of one key.
class Search {
 public:
  Search(std::vector<Step> steps, ValueId initial, uint64_t steps_max)
      : steps_(std::move(steps)), value_(initial), steps_left_(steps_max) {
    MakeEvents();
  }

  absl::Status Run();

 private:
  static constexpr size_t kNone = ~size_t{0};

  // The beginnings and ends of all steps that are not in the order yet: a list in the order of
  // time, behind events_[0].
  struct Event {
    size_t step = 0;
    bool begins = false;
    size_t previous = kNone;
    size_t next = kNone;
  };
  // A step of the order, and how it was before it.
  struct Placed {
    size_t step;
    ValueId value;
    bool forced;  // There is no other choice worth trying.
  };
  // Of the set of placed steps: each has two random numbers, which are added up. Two sets that
  // meet in 128 bits would make the search miss an order, once in the life of the universe.
  struct Fingerprint {
    uint64_t low = 0;
    uint64_t high = 0;
    ValueId value = 0;

    friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
    template <typename H>
    friend H AbslHashValue(H state, const Fingerprint& fingerprint) {
      return H::combine(std::move(state), fingerprint.low, fingerprint.high, fingerprint.value);
    }
  };

  void MakeEvents();
  void Unlink(size_t event);
  void Relink(size_t event);
  bool Fits(const Step& step) const {
    return !step.reads || (step.before == value_ && !(step.refuses && value_ == step.refused));
  }
  // The first event from `event` on, before anything ends, whose step could be next; kNone.
  size_t FirstFitting(size_t event, bool writes) const;
  void Place(size_t event, bool forced);
  // Takes back the last step that has an alternative, and gives the event to go on from; kNone if
  // there is none.
  size_t Back();
  void NoteDeadEnd();
  Fingerprint Present(ValueId value) const { return {low_, high_, value}; }
  void Flip(size_t step);
  absl::Status Explain() const;

  const std::vector<Step> steps_;
  std::vector<Event> events_;
  std::vector<size_t> begin_of_;  // By step: its event.
  std::vector<size_t> end_of_;    // kNone for optional ones.
  size_t to_place_ = 0;           // Steps that are not optional.
  ValueId value_;
  std::vector<Placed> order_;
  uint64_t low_ = 0;
  uint64_t high_ = 0;
  absl::flat_hash_set<Fingerprint> seen_;
  uint64_t steps_left_;

  // The longest order that led nowhere, and the step whose end was next.
  std::vector<size_t> longest_;
  size_t stuck_ = kNone;
};

void Search::MakeEvents() {
  struct Moment {
    MonotonicTime time;
    bool ends;  // What ends when another begins was under way together with it.
    size_t step;
    auto operator<=>(const Moment&) const = default;
  };
  std::vector<Moment> moments;
  for (size_t i = 0; i < steps_.size(); ++i) {
    moments.push_back({steps_[i].invoked, false, i});
    if (steps_[i].optional) continue;
    moments.push_back({steps_[i].completed, true, i});
    ++to_place_;
  }
  std::sort(moments.begin(), moments.end());
  begin_of_.assign(steps_.size(), kNone);
  end_of_.assign(steps_.size(), kNone);
  events_.resize(moments.size() + 1);
  for (size_t i = 0; i < moments.size(); ++i) {
    events_[i].next = i + 1;
    events_[i + 1] = {moments[i].step, !moments[i].ends, i, kNone};
    (moments[i].ends ? end_of_ : begin_of_)[moments[i].step] = i + 1;
  }
}

void Search::Unlink(size_t event) {
  const Event& gone = events_[event];
  events_[gone.previous].next = gone.next;
  if (gone.next != kNone) events_[gone.next].previous = gone.previous;
}

void Search::Relink(size_t event) {
  const Event& back = events_[event];
  events_[back.previous].next = event;
  if (back.next != kNone) events_[back.next].previous = event;
}

size_t Search::FirstFitting(size_t event, bool writes) const {
  for (; event != kNone && events_[event].begins; event = events_[event].next) {
    const Step& step = steps_[events_[event].step];
    if (step.writes == writes && Fits(step)) return event;
  }
  return kNone;
}

void Search::Flip(size_t step) {
  // SplitMix64 of the step's number.
  const auto mix = [](uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  };
  low_ ^= mix((2 * step + 1) * 0x9e3779b97f4a7c15);
  high_ ^= mix((2 * step + 2) * 0x9e3779b97f4a7c15);
}

void Search::Place(size_t event, bool forced) {
  const size_t placed = events_[event].step;
  const Step& step = steps_[placed];
  order_.push_back({placed, value_, forced});
  if (step.writes) value_ = step.after;
  Flip(placed);
  Unlink(begin_of_[placed]);
  if (end_of_[placed] != kNone) Unlink(end_of_[placed]);
  to_place_ -= !step.optional;
}

size_t Search::Back() {
  while (!order_.empty()) {
    const Placed last = order_.back();
    order_.pop_back();
    // In the opposite order of Place(), or neighbours would not fit.
    if (end_of_[last.step] != kNone) Relink(end_of_[last.step]);
    Relink(begin_of_[last.step]);
    to_place_ += !steps_[last.step].optional;
    Flip(last.step);
    value_ = last.value;
    if (!last.forced) return events_[begin_of_[last.step]].next;
  }
  return kNone;
}

void Search::NoteDeadEnd() {
  if (stuck_ != kNone && order_.size() <= longest_.size()) return;
  longest_.clear();
  for (const Placed& placed : order_) longest_.push_back(placed.step);
  size_t event = events_[0].next;
  while (event != kNone && events_[event].begins) event = events_[event].next;
  CHECK_NE(event, kNone) << "an order without an end is complete";
  stuck_ = events_[event].step;
}

absl::Status Search::Run() {
  size_t from = events_[0].next;
  while (to_place_ > 0) {
    if (steps_left_-- == 0) {
      return absl::ResourceExhaustedError("the search for an order was given up");
    }
    if (const size_t read = FirstFitting(events_[0].next, false); read != kNone) {
      Place(read, true);
      from = events_[0].next;
      continue;
    }
    const size_t write = FirstFitting(from, true);
    if (write == kNone) {
      NoteDeadEnd();
      from = Back();
      if (order_.empty() && from == kNone) return Explain();
      continue;
    }
    const size_t step = events_[write].step;
    Flip(step);
    const bool is_new = seen_.insert(Present(steps_[step].after)).second;
    Flip(step);
    if (is_new) {
      Place(write, false);
      from = events_[0].next;
    } else {
      from = events_[write].next;
    }
  }
  return absl::OkStatus();
}

absl::Status Search::Explain() const {
  constexpr size_t kShown = 6;
  std::string text = absl::StrCat("not linearizable: no place for ",
                                  Describe(*steps_[stuck_].operation), "; the longest order of ",
                                  "the others has ", longest_.size(), " operations and ends with");
  const size_t first = longest_.size() > kShown ? longest_.size() - kShown : 0;
  for (size_t i = first; i < longest_.size(); ++i) {
    absl::StrAppend(&text, i == first ? " " : ", then ", Describe(*steps_[longest_[i]].operation));
  }
  if (longest_.empty()) absl::StrAppend(&text, " the beginning");
  return absl::FailedPreconditionError(text);
}

}  // namespace

absl::Status CheckLinearizable(const std::vector<RegisterOperation>& history,
                               const LinearizabilityOptions& options) {
  std::map<std::string, Preparation> keys;
  for (const RegisterOperation& operation : history) {
    keys.try_emplace(operation.key, options.initial).first->second.Add(operation);
  }
  for (auto& [key, preparation] : keys) {
    const ValueId initial = preparation.initial();
    Search search(preparation.Take(), initial, options.steps_max);
    const absl::Status checked = search.Run();
    if (!checked.ok()) {
      return absl::Status(checked.code(),
                          absl::StrCat("key ", key, ": ", std::string(checked.message())));
    }
  }
  return absl::OkStatus();
}

}  // namespace workload

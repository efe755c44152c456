// HistoryBuilder: makes a History of events, one after the other, and refuses those that cannot be.
// HistoryRecorder: the same for a workload that runs in this process.
//
//   HistoryRecorder recorder;
//   recorder.Invoke(process, {Append("x", 1), Read("y")}, now);
//   recorder.Ok(process, {Append("x", 1), ReadList("y", {3, 4})}, now, {.commit_timestamp = s});
//   absl::StatusOr<Verdict> verdict = Check(recorder.Take(), {});
//
// A process is a client that does one thing at a time. One whose outcome stays unknown is ended
// with Info(); what never ends at all counts as that.
#ifndef WORKLOAD_CHECKER_HISTORY_BUILDER_H_
#define WORKLOAD_CHECKER_HISTORY_BUILDER_H_

#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "workload/checker/history.h"

namespace checker {

enum class EventType : uint8_t { kInvoke, kOk, kFail, kInfo };

// An operation as it is asked for or answered.
struct EventOperation {
  OperationKind kind = OperationKind::kRead;
  Key key;
  int64_t value = kNil;                           // Appended, written, or read from a register.
  std::optional<std::vector<int64_t>> list = {};  // What a read of a list returned.
};

EventOperation Append(Key key, int64_t value);
EventOperation Write(Key key, int64_t value);
// Before its result is known, or a register that nobody wrote, or an empty list.
EventOperation Read(Key key);
EventOperation Read(Key key, int64_t value);
EventOperation ReadList(Key key, std::vector<int64_t> list);

// What a database that tells its timestamps says at the end of a transaction.
struct Timestamps {
  int64_t commit_timestamp = kUntold;
  int64_t read_timestamp = kUntold;
  bool stale = false;
};

struct Event {
  EventType type = EventType::kInvoke;
  int64_t process = 0;
  // Of kInvoke and kOk; what a kFail or kInfo says of its operations is not believed.
  std::vector<EventOperation> operations;
  int64_t time = kUntold;
  Timestamps timestamps;
};

class HistoryBuilder {
 public:
  // InvalidArgument, in one sentence, if the event cannot follow the ones before it; it then
  // changed nothing that matters, but the history is not to be used.
  absl::Status Add(const Event& event);

  // The history of all events. InvalidArgument if it has no transaction, or both lists and
  // registers. The builder is then empty.
  absl::StatusOr<History> Take();

 private:
  absl::Status Begin(const Event& event);
  absl::Status End(const Event& event);
  absl::Status Complete(const Event& event, Transaction* transaction);
  absl::Status Fill(const EventOperation& answer, Operation* operation);
  KeyId Intern(const Key& key);

  History history_;
  absl::flat_hash_map<Key, KeyId> key_ids_;
  absl::flat_hash_map<int64_t, TxnId> open_;  // By process.
  bool has_appends_ = false;
  bool has_writes_ = false;
  bool has_lists_ = false;
  bool has_values_ = false;
};

// One executor; what it is told wrongly is a mistake of ours and CHECKed.
class HistoryRecorder {
 public:
  void Invoke(int64_t process, std::vector<EventOperation> operations, int64_t time = kUntold);
  void Ok(int64_t process, std::vector<EventOperation> operations, int64_t time = kUntold,
          Timestamps timestamps = {});
  void Fail(int64_t process, int64_t time = kUntold);
  void Info(int64_t process, int64_t time = kUntold, Timestamps timestamps = {});

  // All that was recorded; at least one transaction. The recorder is then empty.
  History Take();

 private:
  void Add(EventType type, int64_t process, std::vector<EventOperation> operations, int64_t time,
           Timestamps timestamps);

  HistoryBuilder builder_;
};

}  // namespace checker

#endif  // WORKLOAD_CHECKER_HISTORY_BUILDER_H_

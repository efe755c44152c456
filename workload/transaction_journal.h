// TransactionJournal: what clients asked of a database and what they were told, one entry for each
// attempt of a transaction; the history that the checker reads is made of it.
//
// It is one for all clients, so it knows the real order of what they saw. It does not ask when a
// transaction begins what it is going to do, since most find out by reading. Where there is someone
// who knows the true time it holds each timestamp against that at once (TX-COMMIT-TS,
// TX-COMMIT-WAIT). What is wrong goes to `wrong`, the first time.
//
// Concurrency: one thread.
#ifndef WORKLOAD_TRANSACTION_JOURNAL_H_
#define WORKLOAD_TRANSACTION_JOURNAL_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "runtime/time.h"
#include "storage/ids.h"
#include "txn/kernel/outcomes.h"
#include "txn/kernel/transaction_id.h"
#include "txn/read_only.h"
#include "workload/checker/check.h"
#include "workload/checker/history_builder.h"

namespace workload {

struct JournalOptions {
  // What time it truly is. Empty: nobody knows.
  std::function<runtime::Timestamp()> true_time;
  // Hears in a sentence that something cannot be.
  std::function<void(absl::string_view)> wrong;
  // Hears how each attempt ended, for people. May be empty.
  std::function<void(absl::string_view)> trace = {};
  // Clocks are beyond their bounds: nothing that rests on real time is demanded.
  bool clocks_lie = false;
};

class TransactionJournal {
 public:
  using EntryId = size_t;

  // A commit of which nobody knows what came of it, and who can be asked.
  struct Doubt {
    EntryId entry;
    txn::TransactionId id;
    storage::GroupId coordinator;
  };

  explicit TransactionJournal(JournalOptions options) : options_(std::move(options)) {}
  TransactionJournal(const TransactionJournal&) = delete;
  TransactionJournal& operator=(const TransactionJournal&) = delete;

  // A number that it never gave before.
  int64_t NewValue() { return ++last_value_; }
  // A client that does one thing at a time. One whose machine crashed is another one after that.
  int64_t NewProcess() { return ++last_process_; }

  // An attempt begins, of which nothing is written yet. What is open in this process stays so for
  // ever.
  EntryId Begin(int64_t process);
  void Did(EntryId entry, checker::EventOperation operation);
  // From here on it may commit.
  void Commits(EntryId entry);

  // How it ended. Of one that ends in no way nobody knows what came of it; it did nothing if it did
  // not come to Commits().
  void Committed(EntryId entry, runtime::Timestamp timestamp);
  void Failed(EntryId entry, const absl::Status& why);
  void Unknown(EntryId entry, std::optional<Doubt> doubt, const absl::Status& why);
  // It read at `timestamp` as `bound` wants it.
  void Read(EntryId entry, runtime::Timestamp timestamp, const txn::ReadBound& bound);

  // Those of Unknown(), to be asked about, and what was answered: whoever is asked has to say the
  // same (TX-ONCE).
  const std::vector<Doubt>& doubts() const { return doubts_; }
  void Concluded(const Doubt& doubt, const txn::Outcome& outcome);

  // A timestamp of some commit that is known, for reads in the past; none while there is none.
  std::optional<runtime::Timestamp> LastCommit() const;

  void Wrong(absl::string_view sentence) { options_.wrong(sentence); }
  bool clocks_lie() const { return options_.clocks_lie; }
  uint64_t committed() const { return committed_; }
  uint64_t read_only() const { return read_only_; }

  checker::History History() const;
  // Holds the history against the model, by what was read and by the timestamps.
  absl::Status Judge() const;
  // Whether it is strictly serializable by what was read, although clocks lie.
  absl::Status JudgeRealTime() const;

 private:
  enum class End : uint8_t { kOpen, kCommitted, kRead, kFailed, kUnknown };
  struct Entry {
    int64_t process = 0;
    std::vector<checker::EventOperation> operations = {};
    bool commits = false;
    bool writes = false;
    bool stale = false;
    End end = End::kOpen;
    runtime::Timestamp timestamp = runtime::Timestamp::Min();
    runtime::Timestamp begun_at = runtime::Timestamp::Min();    // In true time.
    runtime::Timestamp commits_at = runtime::Timestamp::Min();  // The same.
  };
  struct Event {
    EntryId entry;
    bool begins;
  };

  Entry& Open(EntryId entry);
  void EndWith(EntryId entry, End end, const absl::Status& why = absl::OkStatus());
  runtime::Timestamp TrueTime() const;
  bool KnowsTime() const { return options_.true_time != nullptr && !options_.clocks_lie; }
  checker::Timestamps TimestampsOf(const Entry& entry) const;
  bool HasOperations() const;
  absl::Status JudgeAs(const checker::History& history, const checker::CheckOptions& options) const;

  const JournalOptions options_;
  int64_t last_value_ = 0;
  int64_t last_process_ = 0;
  uint64_t committed_ = 0;
  uint64_t read_only_ = 0;
  runtime::Timestamp last_commit_ = runtime::Timestamp::Min();
  std::vector<Entry> entries_;
  std::vector<Event> events_;  // As they came.
  std::vector<Doubt> doubts_;
  std::map<EntryId, txn::Outcome> concluded_;
};

}  // namespace workload

#endif  // WORKLOAD_TRANSACTION_JOURNAL_H_

#include "tests/workload/checker/generated_history.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace checker {
namespace {

// The database: runs one transaction after the other.
class SerialDatabase {
 public:
  SerialDatabase(const GenerateOptions& options, runtime::Random* random)
      : options_(options), random_(random) {}

  GeneratedTransaction Next(int64_t moment) {
    GeneratedTransaction transaction;
    transaction.timestamp = moment;
    transaction.begin = moment - random_->Uniform(1, options_.window_max);
    transaction.end = moment + random_->Uniform(1, options_.window_max);
    const bool reads_only = random_->Chance(0.4);
    if (random_->Chance(options_.unknown)) {
      transaction.outcome = Outcome::kInfo;
    } else if (random_->Chance(options_.fails)) {
      transaction.outcome = Outcome::kFail;
    }
    const bool unknown = transaction.outcome == Outcome::kInfo;
    const bool happens = transaction.outcome == Outcome::kOk || (unknown && random_->Chance(0.5));
    const auto lists = lists_;
    const auto registers = registers_;
    const int64_t operations = random_->Uniform(1, options_.operations_max);
    for (int64_t i = 0; i < operations; ++i) {
      RunOperation(reads_only || random_->Chance(0.4), &transaction);
    }
    if (!happens) {
      lists_ = lists;
      registers_ = registers;
    }
    return transaction;
  }

 private:
  void RunOperation(bool read, GeneratedTransaction* transaction) {
    const int64_t key = random_->Uniform(1, options_.keys);
    const bool is_list = options_.datatype == Datatype::kLists;
    if (read) {
      transaction->asked.push_back(Read(key));
      const auto value = registers_.find(key);
      transaction->answered.push_back(
          is_list ? ReadList(key, lists_[key])
                  : Read(key, value == registers_.end() ? kNil : value->second));
      return;
    }
    transaction->writes = true;
    const int64_t value = ++last_value_;
    transaction->asked.push_back(is_list ? Append(key, value) : Write(key, value));
    transaction->answered.push_back(transaction->asked.back());
    if (is_list) {
      lists_[key].push_back(value);
    } else {
      registers_[key] = value;
    }
  }

  const GenerateOptions options_;
  runtime::Random* const random_;
  std::map<int64_t, std::vector<int64_t>> lists_;
  std::map<int64_t, int64_t> registers_;
  int64_t last_value_ = 0;
};

}  // namespace

std::vector<GeneratedTransaction> Generate(const GenerateOptions& options,
                                           runtime::Random* random) {
  SerialDatabase database(options, random);
  std::vector<GeneratedTransaction> transactions;
  for (size_t i = 0; i < options.transactions; ++i) {
    transactions.push_back(database.Next(static_cast<int64_t>(i + 1) * 10));
  }
  return transactions;
}

History MakeHistory(const std::vector<GeneratedTransaction>& transactions) {
  struct Moment {
    int64_t time;
    bool is_begin;  // At the same time ends come first: false before true.
    size_t index;
  };
  std::vector<Moment> moments;
  for (size_t i = 0; i < transactions.size(); ++i) {
    moments.push_back({transactions[i].begin, true, i});
    moments.push_back({transactions[i].end, false, i});
  }
  std::sort(moments.begin(), moments.end(), [](const Moment& a, const Moment& b) {
    return std::tie(a.time, a.is_begin, a.index) < std::tie(b.time, b.is_begin, b.index);
  });
  HistoryRecorder recorder;
  std::vector<int64_t> free_processes;
  std::vector<int64_t> process_of(transactions.size());
  int64_t processes = 0;
  for (const Moment& moment : moments) {
    const GeneratedTransaction& transaction = transactions[moment.index];
    int64_t& process = process_of[moment.index];
    if (moment.is_begin) {
      if (free_processes.empty()) free_processes.push_back(processes++);
      process = free_processes.back();
      free_processes.pop_back();
      recorder.Invoke(process, transaction.asked, moment.time);
      continue;
    }
    Timestamps timestamps;
    (transaction.writes ? timestamps.commit_timestamp : timestamps.read_timestamp) =
        transaction.timestamp;
    if (transaction.outcome == Outcome::kInfo) {
      recorder.Info(process, moment.time);
      continue;  // A client that does not know goes away.
    }
    free_processes.push_back(process);
    if (transaction.outcome == Outcome::kFail) {
      recorder.Fail(process, moment.time);
    } else {
      recorder.Ok(process, transaction.answered, moment.time, timestamps);
    }
  }
  return recorder.Take();
}

}  // namespace checker

// Histories that are right by construction pass in every mode; each way to spoil them is noticed.
#include "tests/workload/checker/generated_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/random.h"
#include "workload/checker/check.h"
#include "workload/checker/report.h"

namespace checker {
namespace {

constexpr uint64_t kSeeds = 300;
using Transactions = std::vector<GeneratedTransaction>;

// The list of the first read of a key, if it was asked of the database and not of itself.
const EventOperation* ReadOfOthers(const GeneratedTransaction& transaction) {
  if (transaction.outcome != Outcome::kOk || transaction.writes) return nullptr;
  return &transaction.answered[0];
}

bool Wrote(const GeneratedTransaction& transaction, const Key& key, int64_t value) {
  return std::any_of(transaction.asked.begin(), transaction.asked.end(),
                     [&](const EventOperation& operation) {
                       return operation.kind != OperationKind::kRead && operation.key == key &&
                              operation.value == value;
                     });
}

GeneratedTransaction* WriterOf(Transactions* all, const Key& key, int64_t value) {
  for (GeneratedTransaction& transaction : *all) {
    if (Wrote(transaction, key, value)) return &transaction;
  }
  return nullptr;
}

// Sets every read of the key in the transaction to this answer.
void Answer(GeneratedTransaction* transaction, const EventOperation& answer) {
  for (EventOperation& operation : transaction->answered) {
    if (operation.key == answer.key) operation = answer;
  }
}

// Somebody reads the list without its last element, which was acknowledged before.
bool StaleList(Transactions* all, runtime::Random*) {
  for (GeneratedTransaction& reader : *all) {
    const EventOperation* const read = ReadOfOthers(reader);
    if (read == nullptr || read->list->empty()) continue;
    const GeneratedTransaction* const writer = WriterOf(all, read->key, read->list->back());
    if (writer->outcome != Outcome::kOk || writer->end >= reader.begin) continue;
    EventOperation stale = *read;
    stale.list->pop_back();
    Answer(&reader, stale);
    return true;
  }
  return false;
}

// An acknowledged append is in no list.
bool LostAppend(Transactions* all, runtime::Random*) {
  for (const GeneratedTransaction& reader : *all) {
    const EventOperation* const read = ReadOfOthers(reader);
    if (read == nullptr || read->list->empty()) continue;
    const int64_t lost = read->list->front();
    const Key key = read->key;
    const GeneratedTransaction* const writer = WriterOf(all, key, lost);
    if (writer->outcome != Outcome::kOk || writer->end >= reader.begin) continue;
    for (GeneratedTransaction& transaction : *all) {
      for (EventOperation& operation : transaction.answered) {
        if (operation.key == key && operation.list.has_value()) std::erase(*operation.list, lost);
      }
    }
    return true;
  }
  return false;
}

// Two elements are the other way round, in one of two reads that have both.
bool SwappedElements(Transactions* all, runtime::Random*) {
  for (GeneratedTransaction& reader : *all) {
    const EventOperation* const read = ReadOfOthers(reader);
    if (read == nullptr || read->list->size() < 2) continue;
    for (const GeneratedTransaction& other : *all) {
      const EventOperation* const second = ReadOfOthers(other);
      if (second == nullptr || &other == &reader || second->key != read->key ||
          second->list->size() < read->list->size()) {
        continue;
      }
      EventOperation swapped = *read;
      std::swap(swapped.list->end()[-1], swapped.list->end()[-2]);
      Answer(&reader, swapped);
      return true;
    }
  }
  return false;
}

// Somebody reads a value that was overwritten, and both writes were acknowledged one by one.
bool StaleRegister(Transactions* all, runtime::Random*) {
  for (GeneratedTransaction& reader : *all) {
    const EventOperation* const read = ReadOfOthers(reader);
    if (read == nullptr || read->value == kNil) continue;
    const GeneratedTransaction* const newer = WriterOf(all, read->key, read->value);
    if (newer->outcome != Outcome::kOk || newer->end >= reader.begin) continue;
    for (const GeneratedTransaction& older : *all) {
      if (older.outcome != Outcome::kOk || older.end >= newer->begin) continue;
      for (const EventOperation& write : older.asked) {
        if (write.kind != OperationKind::kWrite || write.key != read->key) continue;
        Answer(&reader, Read(write.key, write.value));
        return true;
      }
    }
  }
  return false;
}

std::optional<std::pair<size_t, size_t>> WriterAndReader(Transactions* all) {
  for (size_t i = 0; i < all->size(); ++i) {
    const EventOperation* const read = ReadOfOthers((*all)[i]);
    if (read == nullptr) continue;
    const bool empty = read->list.has_value() ? read->list->empty() : read->value == kNil;
    if (empty) continue;
    const int64_t value = read->list.has_value() ? read->list->back() : read->value;
    const GeneratedTransaction* const writer = WriterOf(all, read->key, value);
    if (writer->outcome == Outcome::kOk) {
      return std::pair(static_cast<size_t>(writer - all->data()), i);
    }
  }
  return std::nullopt;
}

// Somebody read what was written only after it had ended.
bool ReadBeforeWrite(Transactions* all, runtime::Random*) {
  const auto pair = WriterAndReader(all);
  if (!pair.has_value()) return false;
  (*all)[pair->second].end = (*all)[pair->first].begin - 1;
  (*all)[pair->second].begin = (*all)[pair->first].begin - 2;
  return true;
}

// Somebody read what was then said to be aborted.
bool AbortedRead(Transactions* all, runtime::Random*) {
  const auto pair = WriterAndReader(all);
  if (!pair.has_value()) return false;
  (*all)[pair->first].outcome = Outcome::kFail;
  return true;
}

struct Mutation {
  const char* name;
  Datatype datatype;
  bool (*apply)(Transactions*, runtime::Random*);
  // One of these must be among the anomalies.
  std::set<std::string> black_box;
  std::set<std::string> white_box;
};

void PrintTo(const Mutation& mutation, std::ostream* out) { *out << mutation.name; }

const Mutation kMutations[] = {
    {"StaleList",
     Datatype::kLists,
     StaleList,
     {"G-single-realtime", "G-single-process", "G-single", "G1b"},
     {"stale-read"}},
    {"LostAppend",
     Datatype::kLists,
     LostAppend,
     {"G-single-realtime", "G-single-process", "G-single", "internal"},
     {"stale-read", "internal"}},
    {"SwappedElements",
     Datatype::kLists,
     SwappedElements,
     {"incompatible-order"},
     {"incompatible-order"}},
    {"ListReadBeforeWrite",
     Datatype::kLists,
     ReadBeforeWrite,
     {"G1c-realtime", "G1c-process", "G0-realtime", "G0-process"},
     {"realtime-order"}},
    {"AbortedListRead", Datatype::kLists, AbortedRead, {"G1a"}, {"G1a"}},
    {"StaleRegister",
     Datatype::kRegisters,
     StaleRegister,
     {"G-single-realtime", "G-single-process", "G-single", "G1b"},
     {"stale-read", "G1b"}},
    {"RegisterReadBeforeWrite",
     Datatype::kRegisters,
     ReadBeforeWrite,
     {"G1c-realtime", "G1c-process", "G0-realtime", "G0-process"},
     {"realtime-order"}},
    {"AbortedRegisterRead", Datatype::kRegisters, AbortedRead, {"G1a"}, {"G1a"}},
};

GenerateOptions OptionsOf(uint64_t seed, Datatype datatype) {
  // Few and many keys, much and little at once.
  return {.datatype = datatype,
          .keys = static_cast<int64_t>(1 + seed % 5),
          .window_max = static_cast<int64_t>(seed % 3 == 0   ? 9
                                             : seed % 3 == 1 ? 60
                                                             : 300)};
}

class GoodHistories : public testing::TestWithParam<Datatype> {};

TEST_P(GoodHistories, PassInEveryMode) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    runtime::Random random(seed);
    const History history = MakeHistory(Generate(OptionsOf(seed, GetParam()), &random));
    for (const Model& model : Models()) {
      const absl::StatusOr<Verdict> verdict = Check(history, {.model = model});
      ASSERT_TRUE(verdict.ok()) << verdict.status();
      ASSERT_TRUE(verdict->valid()) << "seed " << seed << "\n" << FormatVerdict(history, *verdict);
    }
    const absl::StatusOr<Verdict> stamped = Check(history, {.timestamps = true});
    ASSERT_TRUE(stamped.ok()) << stamped.status();
    ASSERT_TRUE(stamped->valid()) << "seed " << seed << "\n" << FormatVerdict(history, *stamped);
  }
}

INSTANTIATE_TEST_SUITE_P(Both, GoodHistories,
                         testing::Values(Datatype::kLists, Datatype::kRegisters));

class SpoiledHistories : public testing::TestWithParam<Mutation> {};

bool NamesOneOf(const Verdict& verdict, const std::set<std::string>& names) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return verdict.anomalies.contains(name); });
}

TEST_P(SpoiledHistories, AreNoticedInBothModes) {
  const Mutation& mutation = GetParam();
  size_t spoiled = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    runtime::Random random(seed);
    Transactions transactions = Generate(OptionsOf(seed, mutation.datatype), &random);
    if (!mutation.apply(&transactions, &random)) continue;
    ++spoiled;
    const History history = MakeHistory(transactions);
    const absl::StatusOr<Verdict> black = Check(history, {});
    ASSERT_TRUE(black.ok()) << black.status();
    ASSERT_TRUE(NamesOneOf(*black, mutation.black_box)) << "seed " << seed << "\n"
                                                        << FormatVerdict(history, *black);
    const absl::StatusOr<Verdict> white = Check(history, {.timestamps = true});
    ASSERT_TRUE(white.ok()) << white.status();
    ASSERT_TRUE(NamesOneOf(*white, mutation.white_box)) << "seed " << seed << "\n"
                                                        << FormatVerdict(history, *white);
  }
  EXPECT_GT(spoiled, kSeeds / 3);
}

INSTANTIATE_TEST_SUITE_P(All, SpoiledHistories, testing::ValuesIn(kMutations),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace checker

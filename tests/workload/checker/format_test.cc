// What is read as a history, and what is said of what is none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "workload/checker/history_format.h"

namespace checker {
namespace {

using ::testing::HasSubstr;

constexpr HistoryFormat kAuto = HistoryFormat::kAuto;

TEST(ReadHistory, TakesWhatJepsenWrites) {
  const absl::StatusOr<History> history = ReadHistory(
      "#jepsen.history.Op{:index 0, :time 12, :type :invoke, :process 0, :f :txn,\n"
      "  :value [[:append 3 1] [:r :y nil]]}\n"
      "{:index 1, :time 13, :type :info, :process :nemesis, :f :kill, :value {:n1 [:x #{1 2}]}}\n"
      "{:index 2, :time 14, :type :ok, :process 0, :f :txn, :value [[:append 3 1] [:r :y [5 6]]],\n"
      " :unknown-field #inst \"2026-01-01\" #_ (gone) }  ; the end\n",
      kAuto);
  ASSERT_TRUE(history.ok()) << history.status();
  EXPECT_EQ(history->transactions().size(), 1);
  EXPECT_EQ(DescribeOperations(*history, 0), "append 3 1, r y [5 6]");
  EXPECT_EQ(history->transaction(0).end_time, 14);
}

TEST(ReadHistory, TakesOneVectorOfEvents) {
  const char* const kEdn =
      "[{:type :invoke :process 0 :value [[:w x 1]]} {:type :ok :process 0 :value [[:w x 1]]}]";
  EXPECT_TRUE(ReadHistory(kEdn, kAuto).ok());
}

TEST(ReadHistory, TakesJsonAsAnArrayAndLineByLine) {
  const std::string first = R"({"type":"invoke","f":"txn","process":4,"value":[["r","x",null]]})";
  const std::string last = R"({"type":"ok","f":"txn","process":4,"value":[["r","x",[1,2]]]})";
  for (const std::string& text :
       {first + "\n" + last + "\n", "[" + first + ",\n" + last + "]\n", first + "\n\n" + last}) {
    const absl::StatusOr<History> history = ReadHistory(text, kAuto);
    ASSERT_TRUE(history.ok()) << history.status() << " of " << text;
    EXPECT_EQ(DescribeOperations(*history, 0), "r x [1 2]");
  }
}

TEST(ReadHistory, KeepsHardNamesOfKeys) {
  const std::string text = "{:type :invoke :process 0 :value [[:w \"a \\\"b\\\\ \\u00e9\" 1]]}\n";
  const absl::StatusOr<History> history = ReadHistory(text, kAuto);
  ASSERT_TRUE(history.ok()) << history.status();
  EXPECT_EQ(KeyName(history->keys()[0]), "a \"b\\ \xC3\xA9");
  for (const HistoryFormat format : {HistoryFormat::kEdn, HistoryFormat::kJson}) {
    const absl::StatusOr<History> again = ReadHistory(WriteHistory(*history, format), kAuto);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->keys(), history->keys());
  }
}

struct Bad {
  const char* text;
  const char* sentence;
};

class BadHistories : public testing::TestWithParam<Bad> {};

TEST_P(BadHistories, GetOneSentenceWithThePosition) {
  const absl::StatusOr<History> history = ReadHistory(GetParam().text, kAuto);
  ASSERT_EQ(history.status().code(), absl::StatusCode::kInvalidArgument) << GetParam().text;
  EXPECT_THAT(std::string(history.status().message()), HasSubstr(GetParam().sentence));
  EXPECT_EQ(history.status().message().find('\n'), absl::string_view::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Edn, BadHistories,
    testing::Values(
        Bad{"", "the history has no transaction"}, Bad{" ; nothing\n", "has no transaction"},
        Bad{"{:type :invoke", "line 1, column 1: '{' is never closed"},
        Bad{"\n  {:type}", "line 2, column 3: a map has a key without a value"},
        Bad{"}", "line 1, column 1: '}' has no place here"},
        Bad{"[{:process :nemesis}", "'[' is never closed"},
        Bad{"[] 3", "something follows the list of events"}, Bad{"7", "an event is a map"},
        Bad{"{:type :ok 3 4}", "a field's name is no word"},
        Bad{"{:type :ok :type :ok :process 0}",
            "line 1, column 12: the field 'type' is here twice"},
        Bad{"{:type :ok}", "an event has no process"}, Bad{"{:process 0}", "an event has no type"},
        Bad{"{:process 0 :type :done}", "invoke, ok, fail or info"},
        Bad{"{:process 1.5 :type :ok}", "'process' is not a whole number"},
        Bad{"{:process 99999999999999999999 :type :ok}", "'process' is not a whole number"},
        Bad{"{:process 0 :type :invoke :f :read :value [[:r x nil]]}", "events whose 'f' is txn"},
        Bad{"{:process 0 :type :invoke}", "an event has no value"},
        Bad{"{:process 0 :type :invoke :value 5}", "is a list of operations"},
        Bad{"{:process 0 :type :invoke :value [[:r x]]}", "an operation has three parts"},
        Bad{"{:process 0 :type :invoke :value [[:cas x 1]]}", "an operation is r, append or w"},
        Bad{"{:process 0 :type :invoke :value [[:w 1.5 1]]}", "a key is a whole number or a word"},
        Bad{"{:process 0 :type :invoke :value [[:w x nil]]}", "'what is appended or written'"},
        Bad{"{:process 0 :type :invoke :value [[:w x 1]] :stale 1}", "'stale' is true or false"},
        Bad{"{:process 0 :type :ok :value []}", "process 0 ends a transaction, but it has none"},
        Bad{"{:process 0 :type :invoke :value []}\n{:process 0 :type :invoke :value []}",
            "line 2, column 1: process 0 begins a transaction while T0"},
        Bad{"{:process 0 :type :invoke :value [[:w x 1]]}\n{:process 0 :type :ok :value []}",
            "with 0 operations that it began with 1"},
        Bad{"{:process 0 :type :invoke :value [[:w x 1]]}\n"
            "{:process 0 :type :ok :value [[:w x 2]]}",
            "operation 1 is not 'w x 1'"},
        Bad{"{:process 0 :type :invoke :value [[:w x 1] [:append y 1]]}",
            "both lists and registers"},
        Bad{"{:process 0 :type :invoke :index 5 :value []}\n"
            "{:process 0 :type :ok :index 4 :value []}",
            "the index 4 follows 5"},
        Bad{"{:process 0 :a \"x", "a string is never closed"},
        Bad{"{:process 0 :a \"\\q\"}", "an escape that there is not"},
        Bad{"{:process 0 :a \"\\ud800\"}", "an escape that there is not"},
        Bad{"{:process 0 :a 1x}", "'1x' is not a number"}, Bad{"{:process 0 : 1}", "not a keyword"},
        Bad{"{:process 0 :a \\c}", "begins nothing that a history holds"},
        Bad{"{:process 0 :a #_}", "has no place here"},
        Bad{"{:process 0 #_", "'#_' has nothing to discard"},
        Bad{"{:process 0 :a \xFF}", "line 1, column 16: the text is not UTF-8"}));

INSTANTIATE_TEST_SUITE_P(
    Json, BadHistories,
    testing::Values(Bad{"{\"type\": ", "line 1, column 9: not JSON"},
                    Bad{"[{\"process\":\"nemesis\"}", "not JSON"},
                    Bad{"{\"process\":\"n\"}\n{\"process\":\"n\"} 7", "line 2"},
                    Bad{"{\"process\": 0}", "an event has no type"},
                    Bad{"{\"process\": 0.5, \"type\": \"ok\"}", "'process' is not a whole number"},
                    Bad{"{\"process\": \"\xFF\"}", "not JSON"},
                    Bad{"{\"process\":0,\"type\":\"ok\",\"type\":\"ok\"}", "is here twice"}));

TEST(ReadHistory, RefusesWhatIsNestedTooDeeply) {
  const std::string deep(100'000, '[');
  EXPECT_THAT(std::string(ReadHistory("{:a " + deep, kAuto).status().message()),
              HasSubstr("nested deeper than 64 levels"));
  EXPECT_THAT(std::string(ReadHistory("{\"a\": " + deep, kAuto).status().message()),
              HasSubstr("nested deeper than 64 levels"));
  std::string discards;
  for (int i = 0; i < 100'000; ++i) discards += "#_ ";
  EXPECT_THAT(std::string(ReadHistory(discards, kAuto).status().message()),
              HasSubstr("nested deeper than 64 levels"));
}

}  // namespace
}  // namespace checker

// The histories of tests/workload/histories, each with a comment of what it shows, and exactly the
// anomalies that the checker must name in it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "workload/checker/check.h"
#include "workload/checker/history_format.h"
#include "workload/checker/report.h"

namespace checker {
namespace {

using ::testing::HasSubstr;

std::string Text(const std::string& name) {
  std::ifstream file(std::string(HISTORIES) + "/" + name + ".edn");
  EXPECT_TRUE(file) << name;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

History Load(const std::string& name) {
  absl::StatusOr<History> history = ReadHistory(Text(name), HistoryFormat::kAuto);
  EXPECT_TRUE(history.ok()) << name << ": " << history.status();
  return *std::move(history);
}

std::set<std::string> Names(const Verdict& verdict) {
  std::set<std::string> names;
  for (const auto& [name, found] : verdict.anomalies) names.insert(name);
  return names;
}

std::set<std::string> Anomalies(const std::string& file, const CheckOptions& options) {
  const absl::StatusOr<Verdict> verdict = Check(Load(file), options);
  EXPECT_TRUE(verdict.ok()) << file << ": " << verdict.status();
  EXPECT_EQ(verdict->valid(), verdict->anomalies.empty());
  return Names(*verdict);
}

struct Known {
  const char* file;
  std::set<std::string> anomalies;
  const char* model = "strict-serializable";
};

class KnownHistories : public testing::TestWithParam<Known> {};

TEST_P(KnownHistories, HaveJustTheseAnomalies) {
  CheckOptions options{.model = *FindModel(GetParam().model)};
  EXPECT_EQ(Anomalies(GetParam().file, options), GetParam().anomalies);
}

INSTANTIATE_TEST_SUITE_P(
    Lists, KnownHistories,
    testing::Values(
        Known{"list-g0", {"G0"}}, Known{"list-g0", {"G0"}, "read-uncommitted"},
        Known{"list-g0-process", {"G0-process"}},
        Known{"list-g0-process", {"G0-process"}, "strong-session-serializable"},
        Known{"list-g0-process", {}, "serializable"}, Known{"list-g0-realtime", {"G0-realtime"}},
        Known{"list-g0-realtime", {}, "strong-session-serializable"}, Known{"list-g1a", {"G1a"}},
        Known{"list-g1a", {"G1a"}, "read-committed"}, Known{"list-g1a", {}, "read-uncommitted"},
        Known{"list-g1b", {"G1b", "G-single"}}, Known{"list-g1b", {"G1b"}, "read-committed"},
        Known{"list-g1c", {"G1c"}}, Known{"list-g1c", {"G1c"}, "read-committed"},
        Known{"list-g1c", {}, "read-uncommitted"}, Known{"list-g1c-realtime", {"G1c-realtime"}},
        Known{"list-g-single", {"G-single"}},
        Known{"list-g-single", {"G-single"}, "snapshot-isolation"},
        Known{"list-g-single", {}, "read-committed"}, Known{"list-g-single-elle", {"G-single"}},
        Known{"list-g-single-process", {"G-single-process"}},
        Known{"list-g-single-process", {}, "serializable"},
        Known{"list-g-single-realtime", {"G-single-realtime"}},
        Known{"list-g-single-realtime", {}, "strong-session-serializable"},
        Known{"list-lost-append", {"G-single-realtime"}},
        Known{"list-lost-append", {}, "serializable"},
        Known{"list-g-nonadjacent", {"G-nonadjacent"}},
        Known{"list-g-nonadjacent", {"G-nonadjacent"}, "snapshot-isolation"},
        Known{"list-g2-item", {"G2-item"}}, Known{"list-g2-item", {"G2-item"}, "serializable"},
        Known{"list-g2-item", {}, "snapshot-isolation"},
        Known{"list-g2-item-realtime", {"G2-item-realtime"}},
        Known{"list-g2-item-realtime", {}, "strong-session-serializable"},
        Known{"list-g-nonadjacent-realtime", {"G-nonadjacent-realtime"}},
        Known{"list-lost-update", {"G-single", "lost-update"}},
        Known{"list-lost-update", {}, "read-committed"}, Known{"list-internal", {"internal"}},
        Known{"list-dirty-update", {"G1a", "dirty-update"}},
        Known{"list-incompatible-order", {"incompatible-order"}},
        Known{"list-duplicate-elements", {"duplicate-elements"}},
        Known{"list-garbage-read", {"garbage-read"}}));

INSTANTIATE_TEST_SUITE_P(
    GoodLists, KnownHistories,
    testing::Values(Known{"list-good-serial", {}}, Known{"list-good-concurrent", {}},
                    Known{"list-good-unknown-seen", {}}, Known{"list-good-unknown-unseen", {}},
                    Known{"list-good-unknown-open", {}}, Known{"list-good-aborted", {}},
                    Known{"list-good-own-appends", {}}, Known{"list-good-unseen-appends", {}},
                    Known{"list-good-stale", {}}));

INSTANTIATE_TEST_SUITE_P(
    Registers, KnownHistories,
    testing::Values(Known{"register-g1a", {"G1a"}}, Known{"register-g1b", {"G1b", "G-single"}},
                    Known{"register-g1c", {"G1c"}}, Known{"register-g0-realtime", {"G0-realtime"}},
                    Known{"register-g0-realtime", {}, "serializable"},
                    Known{"register-g-single", {"G-single"}},
                    Known{"register-g-single-realtime", {"G-single-realtime"}},
                    Known{"register-g-single-realtime", {}, "serializable"},
                    Known{"register-g-single-realtime-read", {"G-single-realtime"}},
                    Known{"register-g-single-process", {"G-single-process"}},
                    Known{"register-g-single-process", {}, "serializable"},
                    Known{"register-g-nonadjacent", {"G-nonadjacent"}},
                    Known{"register-g2-item", {"G2-item"}},
                    Known{"register-g2-item", {}, "snapshot-isolation"},
                    Known{"register-lost-update", {"G2-item", "lost-update"}},
                    Known{"register-internal", {"internal"}},
                    Known{"register-cyclic-versions", {"G1c", "cyclic-versions"}},
                    Known{"register-garbage-read", {"garbage-read"}}));

INSTANTIATE_TEST_SUITE_P(GoodRegisters, KnownHistories,
                         testing::Values(Known{"register-good-serial", {}},
                                         Known{"register-good-concurrent-writes", {}},
                                         Known{"register-good-unknown-seen", {}},
                                         Known{"register-good-unknown-overwritten", {}},
                                         Known{"register-good-blind", {}}));

struct Stamped {
  const char* file;
  std::set<std::string> anomalies;
};

class StampedHistories : public testing::TestWithParam<Stamped> {};

TEST_P(StampedHistories, HaveJustTheseAnomalies) {
  EXPECT_EQ(Anomalies(GetParam().file, {.timestamps = true}), GetParam().anomalies);
}

INSTANTIATE_TEST_SUITE_P(Timestamps, StampedHistories,
                         testing::Values(Stamped{"timestamps-good", {}},
                                         Stamped{"timestamps-good-last-timestamp", {}},
                                         Stamped{"timestamps-good-unknown", {}},
                                         Stamped{"timestamps-good-stale", {}},
                                         Stamped{"timestamps-good-readers", {}},
                                         Stamped{"timestamps-stale-read", {"stale-read"}},
                                         Stamped{"timestamps-future-read", {"future-read"}},
                                         Stamped{"timestamps-realtime-order", {"realtime-order"}},
                                         Stamped{"timestamps-realtime-read", {"realtime-order"}},
                                         Stamped{"timestamps-realtime-readers", {"realtime-order"}},
                                         Stamped{"timestamps-tie", {"timestamp-tie"}},
                                         Stamped{"timestamps-fractured-read", {"fractured-read"}}));

TEST(Timestamps, RealTimeDoesNotMatterToASerializableDatabase) {
  const CheckOptions options{.model = *FindModel("serializable"), .timestamps = true};
  EXPECT_EQ(Anomalies("timestamps-realtime-order", options), std::set<std::string>());
}

TEST(Timestamps, OneIsDemandedOfWhateverCommitted) {
  const absl::StatusOr<Verdict> verdict = Check(Load("timestamps-missing"), {.timestamps = true});
  EXPECT_EQ(verdict.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(verdict.status().message(), HasSubstr("T0 of process 0 (w x 1) has no commit-time"));
}

TEST(Registers, CanBeOrderedWhereTheModelPromisesNoOrder) {
  CheckOptions options{.model = *FindModel("serializable"),
                       .registers_ordered_by = Level::kRealTime};
  EXPECT_EQ(Anomalies("register-good-blind", options), std::set<std::string>());
  // Each key by itself keeps real time, transactions do not: nothing is wrong across keys.
  EXPECT_EQ(Anomalies("register-g-nonadjacent", options), std::set<std::string>{"G-nonadjacent"});
}

TEST(Registers, ThatAreOrderedDoNotOrderTransactions) {
  // One after the other in real time, which only strict serializability minds.
  const absl::StatusOr<History> history = ReadHistory(
      "{:process 0 :type :invoke :value [[:r x nil] [:r y nil] [:w x 1]]}\n"
      "{:process 0 :type :ok :value [[:r x nil] [:r y nil] [:w x 1]]}\n"
      "{:process 1 :type :invoke :value [[:r x nil] [:r y nil] [:w y 1]]}\n"
      "{:process 1 :type :ok :value [[:r x nil] [:r y nil] [:w y 1]]}\n",
      HistoryFormat::kEdn);
  ASSERT_TRUE(history.ok()) << history.status();
  CheckOptions options{.model = *FindModel("serializable"),
                       .registers_ordered_by = Level::kRealTime};
  EXPECT_EQ(Names(*Check(*history, options)), std::set<std::string>{"G2-item"});
  EXPECT_EQ(Names(*Check(*history, {})), (std::set<std::string>{"G-single-realtime", "G2-item"}));
}

TEST(Report, ShowsTheShortestCycleAndWhyEachOfItsEdgesHolds) {
  const History history = Load("list-g-single");
  const std::string report = FormatVerdict(history, *Check(history, {}));
  EXPECT_THAT(report, HasSubstr("NOT strict-serializable"));
  EXPECT_THAT(report, HasSubstr("T1 -wr-> T0: T0 read y = [1], whose last element T1 appended"));
  EXPECT_THAT(report, HasSubstr("T0 -rw-> T1: T0 read x = [], without the 1 that T1 appended"));
  EXPECT_THAT(report, HasSubstr("process 0, events 0 to 3, ok: r x [], r y [1]"));
}

TEST(Report, SaysWhoEndedBeforeWhomInRealTime) {
  const History history = Load("list-g-single-realtime");
  const std::string report = FormatVerdict(history, *Check(history, {}));
  EXPECT_THAT(report, HasSubstr("T0 -realtime-> T1: T0 ended (event 1) before T1 began (event 2)"));
}

TEST(Report, CountsWhatItDoesNotShow) {
  const History history = Load("list-g0");
  Verdict verdict = *Check(history, {});
  verdict.anomalies["G0"].count = 12;
  EXPECT_THAT(FormatVerdict(history, verdict), HasSubstr("G0 (12 of them; the first 1)"));
}

TEST(Histories, SurviveBothFormats) {
  for (const char* name : {"list-g-single", "register-g2-item", "timestamps-good-stale",
                           "list-good-unknown-open", "register-good-unknown-seen"}) {
    const History history = Load(name);
    const std::string edn = WriteHistory(history, HistoryFormat::kEdn);
    const std::string json = WriteHistory(history, HistoryFormat::kJson);
    EXPECT_EQ(WriteHistory(*ReadHistory(json, HistoryFormat::kAuto), HistoryFormat::kEdn), edn);
    EXPECT_EQ(WriteHistory(*ReadHistory(edn, HistoryFormat::kAuto), HistoryFormat::kJson), json);
  }
}

}  // namespace
}  // namespace checker

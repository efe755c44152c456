#include "truetime/chrony_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/task_scope.h"
#include "runtime/when.h"
#include "tests/truetime/chrony_packets.h"
#include "tests/truetime/fake_world.h"

namespace truetime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr Timestamp kRealtime{1'795'171'680'000'000'000};

// A chronyd that is synchronised within 1 ms of dispersion and 4 ms of delay.
ChronyTracking GoodTracking() {
  ChronyTracking tracking;
  tracking.reference_address = "192.0.2.7";
  tracking.stratum = 3;
  tracking.reference_time = kRealtime - 20s;
  tracking.correction = {0.010, 1e-9};
  tracking.root_dispersion = {0.001, 1e-9};
  tracking.root_delay = {0.004, 2e-9};
  return tracking;
}

ChronyExchange QuickExchange() {
  return {MonotonicTime(1000), kRealtime, kRealtime + 200us, MonotonicTime(1000) + 200us};
}

TEST(TtBound, AReadingLiesAroundTheSteeredClockPlusItsCorrection) {
  const auto reading = ReadingFromTracking(GoodTracking(), QuickExchange());
  ASSERT_TRUE(reading.ok()) << reading.status();
  // 1 ms of dispersion, half of 4 ms of delay, 3 ns of roundings and one for our own.
  EXPECT_EQ(reading->interval.earliest, kRealtime + 10ms - 3ms - 4ns);
  EXPECT_EQ(reading->interval.latest, kRealtime + 200us + 10ms + 3ms + 4ns);
  EXPECT_EQ(reading->before, BaseTime(1000));
  EXPECT_EQ(reading->after, BaseTime(201'000));
  // The manual's bound contains it.
  const Interval manual = {kRealtime - 13ms - 4ns, kRealtime + 200us + 13ms + 4ns};
  EXPECT_EQ(Intersect(manual, reading->interval), reading->interval);
  EXPECT_EQ(reading->detail.reference, "192.0.2.7");
  EXPECT_EQ(reading->detail.stratum, 3);
  EXPECT_EQ(reading->detail.correction, 10ms);
  EXPECT_EQ(reading->detail.root_dispersion, 1ms);
  EXPECT_EQ(reading->detail.root_delay, 4ms);
  EXPECT_EQ(reading->detail.reference_age, 20s + 200us + 10ms);
  EXPECT_EQ(reading->detail.leap_status, "normal");
  EXPECT_EQ(reading->updated, kRealtime - 20s);
}

TEST(TtStates, AChronydThatDoesNotKnowTheTimeGivesNoReading) {
  ChronyTracking tracking = GoodTracking();
  tracking.leap_status = 3;
  EXPECT_THAT(ReadingFromTracking(tracking, QuickExchange()).status().ToString(),
              HasSubstr("chronyd is not synchronised"));
  tracking = GoodTracking();
  tracking.stratum = 0;
  EXPECT_FALSE(ReadingFromTracking(tracking, QuickExchange()).ok());
  tracking = GoodTracking();
  tracking.reference_address.clear();
  tracking.reference_id = ChronyTracking::kLocalReference;
  EXPECT_THAT(ReadingFromTracking(tracking, QuickExchange()).status().ToString(),
              HasSubstr("its own clock"));
}

TEST(TtBound, NumbersThatMakeNoSenseGiveNoReading) {
  for (const double seconds : {-1.0, 1e18, -1e18}) {
    ChronyTracking tracking = GoodTracking();
    tracking.root_dispersion = {seconds, 1e-9};
    EXPECT_FALSE(ReadingFromTracking(tracking, QuickExchange()).ok()) << seconds;
  }
  for (const double seconds : {1e18, -1e18}) {
    ChronyTracking tracking = GoodTracking();
    tracking.correction = {seconds, 1};
    EXPECT_FALSE(ReadingFromTracking(tracking, QuickExchange()).ok()) << seconds;
    tracking = GoodTracking();
    tracking.root_delay = {seconds, 1};
    EXPECT_FALSE(ReadingFromTracking(tracking, QuickExchange()).ok()) << seconds;
  }
}

TEST(TtBound, AStepDuringTheQuestionGivesNoReading) {
  ChronyExchange exchange = QuickExchange();
  exchange.realtime_after = exchange.realtime_after + 5ms;
  EXPECT_THAT(ReadingFromTracking(GoodTracking(), exchange).status().ToString(),
              HasSubstr("stepped while"));
  exchange.realtime_after = exchange.realtime_before - 5ms;
  EXPECT_FALSE(ReadingFromTracking(GoodTracking(), exchange).ok());
}

// chronyd's recorded answers, with the sequence number of the request.
class ChronySourceTest : public testing::Test {
 protected:
  ChronySourceTest() {
    world_.fake_datagrams.answer = [this](const std::string& address, const std::string& request) {
      asked_.push_back(address);
      return Answer(request);
    };
  }

  virtual absl::StatusOr<std::string> Answer(const std::string& request) {
    if (!silent_.ok()) return silent_;
    std::string answer;
    switch (request[5]) {
      case 33:
        answer = TrackingOfFollower();
        break;
      case 14:
        answer = OneSource();
        answer[31] = static_cast<char>(sources_);
        break;
      default:
        answer = SelectedSource();
        answer[53] = static_cast<char>(source_state_);
        answer[59] = static_cast<char>(reachability_);
    }
    answer.replace(16, 4, request, 8, 4);
    return answer;
  }

  absl::StatusOr<Reading> Read(std::vector<std::string> addresses = {"/chronyd.sock"}) {
    ChronySource source(&world_, {.addresses = std::move(addresses)});
    std::optional<absl::StatusOr<Reading>> reading;
    std::optional<runtime::TaskScope> scope;
    world_.executor.Do([&] {
      scope.emplace(world_.executor);
      scope->Spawn(runtime::internal::StoreResult(source.Read(), &reading));
    });
    world_.executor.Run();
    return *std::move(reading);
  }

  FakeWorld world_;
  std::vector<std::string> asked_;
  absl::Status silent_;
  int sources_ = 1;
  int source_state_ = 0;
  int reachability_ = 0xFF;
};

TEST_F(ChronySourceTest, ReadsThroughTheWorldsDatagrams) {
  const absl::StatusOr<Reading> reading = Read();
  ASSERT_TRUE(reading.ok()) << reading.status();
  EXPECT_TRUE(reading->interval.Contains(world_.clocks().Realtime() + -1045ns));
  EXPECT_LT(reading->interval.epsilon(), 50us);
  EXPECT_THAT(asked_, ElementsAre("/chronyd.sock", "/chronyd.sock", "/chronyd.sock"));
}

TEST_F(ChronySourceTest, TheFirstAddressThatAnswersCounts) {
  silent_ = absl::NotFoundError("/a: nothing there");
  const absl::Status status = Read({"/a", "/b"}).status();
  EXPECT_THAT(asked_, ElementsAre("/a", "/b"));
  EXPECT_THAT(status.ToString(), HasSubstr("chronyd is silent: /a: nothing there; /a: nothing"));
}

TEST_F(ChronySourceTest, WithoutAReachableSelectedSourceThereIsNoReading) {
  reachability_ = 0;
  EXPECT_THAT(Read().status().ToString(), HasSubstr("none of chronyd's 1 sources is reachable"));
  reachability_ = 1;
  source_state_ = 1;
  EXPECT_THAT(Read().status().ToString(), HasSubstr("none of chronyd's 1 sources is reachable"));
  sources_ = 0;
  EXPECT_THAT(Read().status().ToString(), HasSubstr("chronyd has no sources"));
}

}  // namespace
}  // namespace truetime

#include "truetime/host_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <leveldb/env.h>

#include <filesystem>
#include <fstream>

namespace truetime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using namespace std::chrono_literals;

constexpr char kRecommended[] = R"(
# What docs/truetime.md recommends.
pool pool.example iburst maxpoll 6
maxclockerror 50
maxslewrate 1000
leapsecmode slew
makestep 1 3
rtcsync
)";

TEST(CheckChronyConf, TheRecommendedOneGivesNoWarning) {
  EXPECT_THAT(CheckChronyConf(kRecommended), IsEmpty());
}

TEST(CheckChronyConf, DefaultsAreNotWhatABoundNeeds) {
  EXPECT_THAT(CheckChronyConf(""),
              ElementsAre(StartsWith("maxclockerror is 1 ppm (default)"),
                          StartsWith("maxslewrate is 83333.3 ppm (default)"),
                          StartsWith("leapsecmode is system"), StartsWith("rtcsync is not set"),
                          HasSubstr("names 0 time sources")));
}

struct Case {
  const char* line;
  const char* warning;
};

class OneLine : public testing::TestWithParam<Case> {};

TEST_P(OneLine, GivesItsWarning) {
  const std::string text = std::string(kRecommended) + GetParam().line + "\n";
  EXPECT_THAT(CheckChronyConf(text), ElementsAre(HasSubstr(GetParam().warning)));
}

INSTANTIATE_TEST_SUITE_P(
    CheckChronyConf, OneLine,
    testing::Values(Case{"maxclockerror 10", "maxclockerror is 10 ppm,"},
                    Case{"  MaxSlewRate\t2000", "maxslewrate is 2000 ppm,"},
                    Case{"leapsecmode step", "leap second steps the clock"},
                    Case{"leapsecmode ignore", "a second wrong after a leap second"},
                    Case{"makestep 0.1 -1", "makestep may step the clock at any time"},
                    Case{"makestep 1 1000", "in the first 1000 updates"},
                    Case{"local stratum 10", "local makes chronyd serve its own clock"}));

TEST(CheckChronyConf, CommentsAndUnknownDirectivesAreNothing) {
  EXPECT_THAT(CheckChronyConf(std::string(kRecommended) +
                              "! leapsecmode step\n%local\n;local\n#local\nlogdir /var/log\n\n"),
              IsEmpty());
}

TEST(CheckChronyConf, OneSourceIsTooFewUnlessItIsAReferenceClock) {
  const std::string rest = "maxclockerror 50\nmaxslewrate 100\nleapsecmode slew\nrtcsync\n";
  EXPECT_THAT(CheckChronyConf(rest + "server a\n"), ElementsAre(HasSubstr("names 1 time source,")));
  EXPECT_THAT(CheckChronyConf(rest + "server a\nserver b\nserver c\n"), IsEmpty());
  EXPECT_THAT(CheckChronyConf(rest + "pool a maxsources 2\n"), ElementsAre(HasSubstr("names 2")));
  EXPECT_THAT(CheckChronyConf(rest + "refclock PHC /dev/ptp0\n"), IsEmpty());
}

class CheckHostTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "/host_check";
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_ + "/conf.d");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
  }
  std::vector<std::string> Check() {
    return CheckHost(leveldb::Env::Default(), folder_ + "/chrony.conf");
  }

  std::string folder_;
};

TEST_F(CheckHostTest, WhatCannotBeReadIsTheWarning) {
  EXPECT_THAT(Check(), ElementsAre(HasSubstr("chrony.conf cannot be read, so nothing is known")));
}

TEST_F(CheckHostTest, FollowsInclusions) {
  Write("chrony.conf", "confdir " + folder_ + "/conf.d\nsourcedir " + folder_ + "/none\ninclude " +
                           folder_ + "/*.inc\n");
  Write("conf.d/a.conf", kRecommended);
  Write("conf.d/b.txt", "local\n");
  Write("steps.inc", "makestep 1 -1\n");
  EXPECT_THAT(Check(), ElementsAre(HasSubstr("makestep may step the clock at any time")));
}

TEST_F(CheckHostTest, AnInclusionOfItselfEnds) {
  Write("chrony.conf", std::string(kRecommended) + "include " + folder_ + "/chrony.conf\n");
  EXPECT_THAT(Check(), ElementsAre(HasSubstr("cannot be read")));
}

TEST_F(CheckHostTest, AMissingInclusionIsSaid) {
  Write("chrony.conf", std::string(kRecommended) + "include /nonexistent/x.conf\n");
  EXPECT_THAT(Check(), ElementsAre(StartsWith("/nonexistent/x.conf cannot be read")));
}

TEST(CheckReading, SaysWhatChronydItselfGivesAway) {
  ReadingDetail detail;
  EXPECT_THAT(CheckReading(detail), IsEmpty());
  detail.reference_age = 2h;
  detail.leap_status = "insert second";
  EXPECT_THAT(CheckReading(detail),
              ElementsAre(HasSubstr("2 h 0 min ago"), HasSubstr("announces a leap second")));
}

}  // namespace
}  // namespace truetime

#include "cli/truetime_run.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/command.h"
#include "cli/parse.h"
#include "cli/terminal.h"
#include "cli/truetime_view.h"
#include "cli/truetime_wait.h"
#include "runtime/blocking.h"
#include "runtime/deadline.h"
#include "runtime/format.h"
#include "runtime/real/real_world.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "truetime/chrony_source.h"
#include "truetime/fixed_source.h"
#include "truetime/host_check.h"
#include "truetime/truetime.h"

namespace cli {
namespace {

using runtime::Duration;
using runtime::operator""ms;
using runtime::operator""s;

constexpr Duration kRedraw = 100ms;
// A poll each so often makes the sawtooth one that a person can watch grow and fall.
constexpr Duration kPollPeriod = 2s;
// How long --once waits for a first reading.
constexpr Duration kFirstReading = 3s;
constexpr size_t kEpsilonsKept = 1000;

// What the flags of the view mean.
struct ViewPlan {
  bool chrony = true;
  truetime::ChronySourceOptions chrony_options;
  std::string chrony_conf;
  Duration epsilon{};
};

absl::StatusOr<ViewPlan> Understand(const TrueTimeFlags& flags) {
  ViewPlan plan;
  if (flags.source != "chrony" && flags.source != "fixed") {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no time source '", flags.source, "': it is chrony or fixed"));
  }
  plan.chrony = flags.source == "chrony";
  if (!flags.chrony.empty()) plan.chrony_options.addresses = {flags.chrony};
  plan.chrony_conf = flags.chrony_conf.empty() ? truetime::kChronyConf : flags.chrony_conf;
  ASSIGN_OR_RETURN(plan.epsilon, ParseDuration(flags.epsilon));
  return plan;
}

std::unique_ptr<truetime::TimeSource> MakeSource(real::RealWorld* world, const ViewPlan& plan) {
  if (plan.chrony) return std::make_unique<truetime::ChronySource>(world, plan.chrony_options);
  return std::make_unique<truetime::FixedSource>(world, plan.epsilon);
}

TrueTimePicture TakePicture(const truetime::TrueTime& truetime, std::string source,
                            std::vector<std::string> warnings) {
  TrueTimePicture picture;
  picture.source = std::move(source);
  picture.interval = truetime.Now();
  picture.state = truetime.history().back();
  picture.history.assign(truetime.history().begin(), std::prev(truetime.history().end()));
  picture.reading = truetime.last_reading();
  if (!truetime.last_failure().ok()) {
    picture.failure = std::string(truetime.last_failure().message());
  }
  picture.warnings = std::move(warnings);
  if (picture.reading.has_value()) {
    for (std::string& warning : truetime::CheckReading(picture.reading->detail)) {
      picture.warnings.push_back(std::move(warning));
    }
  }
  return picture;
}

// One picture, after the first reading. UNAVAILABLE, with the source's own sentence, if there is
// none in time.
runtime::Task<absl::StatusOr<TrueTimePicture>> TakeOnePicture(truetime::TrueTime* truetime,
                                                              std::vector<std::string> warnings) {
  const absl::Status safe = co_await runtime::WithTimeout(kFirstReading, truetime->WaitUntilSafe());
  if (!safe.ok() && truetime->state() == truetime::ClockState::kWaiting) {
    const std::string why(truetime->last_failure().message());
    co_return absl::UnavailableError(absl::StrCat(
        "there is no time to show: ", why.empty() ? "the source does not answer" : why));
  }
  co_return TakePicture(*truetime, truetime->source().name(), std::move(warnings));
}

runtime::Task<absl::Status> WatchLive(truetime::TrueTime* truetime, FullScreen* screen,
                                      std::vector<std::string> warnings) {
  std::vector<double> epsilons;
  while (!Interrupted()) {
    for (char key = screen->Key(); key != 0; key = screen->Key()) {
      if (key == 'q' || key == 'Q') co_return absl::OkStatus();
    }
    if (truetime->state() != truetime::ClockState::kWaiting) {
      epsilons.push_back(static_cast<double>(truetime->Now().epsilon().count()));
    }
    if (epsilons.size() > kEpsilonsKept) epsilons.erase(epsilons.begin());
    TrueTimePicture picture = TakePicture(*truetime, truetime->source().name(), warnings);
    picture.epsilons = epsilons;
    screen->Show(DrawScreen(picture, screen->width(), screen->height()));
    CO_RETURN_IF_ERROR(co_await runtime::SleepFor(kRedraw));
  }
  co_return absl::OkStatus();
}

// Runs the clock for as long as it is looked at.
runtime::Task<absl::StatusOr<TrueTimePicture>> View(real::RealWorld* world, ViewPlan plan,
                                                    FullScreen* screen) {
  std::vector<std::string> warnings;
  if (plan.chrony) {
    warnings = co_await runtime::RunBlocking(&world->blocking(),
                                             [files = &world->files(), path = plan.chrony_conf] {
                                               return truetime::CheckHost(files, path);
                                             });
  }
  truetime::TrueTimeOptions options;
  options.poll_period = kPollPeriod;
  options.clock.epsilon_max = std::max(options.clock.epsilon_max, 2 * plan.epsilon);
  truetime::TrueTime truetime(world, MakeSource(world, plan), options);
  truetime.Start();
  absl::StatusOr<TrueTimePicture> result{TrueTimePicture{}};
  if (screen == nullptr) {
    result = co_await TakeOnePicture(&truetime, warnings);
  } else if (absl::Status watched = co_await WatchLive(&truetime, screen, warnings);
             !watched.ok()) {
    result = watched;
  }
  co_await truetime.Close();
  co_return result;
}

absl::StatusOr<std::unique_ptr<real::RealWorld>> MakeWorld() {
  real::RealWorldOptions options;
  options.log = real::LogDestination::kNowhere;
  return real::RealWorld::Create(options);
}

}  // namespace

int RunView(const TrueTimeFlags& flags) {
  const absl::StatusOr<ViewPlan> plan = Understand(flags);
  if (!plan.ok()) return Refuse(plan.status());
  const bool live = !flags.once && !flags.json && IsTerminal();
  const absl::StatusOr<std::unique_ptr<real::RealWorld>> world = MakeWorld();
  if (!world.ok()) return Refuse(world.status());
  WatchForInterrupts();
  absl::StatusOr<TrueTimePicture> picture = absl::UnknownError("not taken");
  {
    const auto screen = live ? std::make_unique<FullScreen>() : nullptr;
    picture = (*world)->RunUntilDone(View(world->get(), *plan, screen.get()));
  }
  if (!picture.ok()) return Refuse(picture.status());
  if (live) return kExitOk;
  std::printf("%s%s", (flags.json ? ToJson(*picture) : DescribeOnce(*picture)).c_str(),
              flags.json ? "\n" : "");
  return kExitOk;
}

namespace {

void PrintWaitRow(const WaitFigures& figures) {
  absl::PrintF("%10s %14s %14s %14s %14s\n", runtime::FormatDuration(figures.epsilon),
               runtime::FormatDuration(2 * figures.epsilon),
               runtime::FormatDuration(figures.median), runtime::FormatDuration(figures.p99),
               runtime::FormatDuration(figures.over));
  std::fflush(stdout);
}

nlohmann::ordered_json ToJson(const WaitFigures& figures) {
  return {{"epsilon", figures.epsilon.count()},
          {"commits", figures.commits},
          {"two_epsilon", (2 * figures.epsilon).count()},
          {"median", figures.median.count()},
          {"p99", figures.p99.count()},
          {"over", figures.over.count()}};
}

}  // namespace

int RunWait(const WaitFlags& flags) {
  const absl::StatusOr<std::vector<Duration>> epsilons = ParseDurations(flags.epsilons);
  if (!epsilons.ok()) return Refuse(epsilons.status());
  if (flags.commits < 1 || flags.commits > 100'000) {
    return Refuse(absl::InvalidArgumentError("--commits is from 1 to 100000"));
  }
  const absl::StatusOr<std::unique_ptr<real::RealWorld>> world = MakeWorld();
  if (!world.ok()) return Refuse(world.status());
  if (!flags.json) {
    absl::PrintF("%10s %14s %14s %14s %14s\n", "epsilon", "2 x epsilon", "median wait", "p99 wait",
                 "over");
  }
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Duration epsilon : *epsilons) {
    const absl::StatusOr<WaitFigures> figures =
        MeasureCommitWait(world->get(), epsilon, flags.commits);
    if (!figures.ok()) return Refuse(figures.status());
    if (flags.json) {
      rows.push_back(ToJson(*figures));
    } else {
      PrintWaitRow(*figures);
    }
  }
  if (flags.json) std::printf("%s\n", rows.dump(2).c_str());
  return kExitOk;
}

}  // namespace cli

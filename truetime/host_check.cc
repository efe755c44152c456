#include "truetime/host_check.h"

#include <leveldb/env.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runtime/format.h"

namespace truetime {

namespace {

// What a bound needs.
constexpr double kClockErrorMinPpm = 50;
constexpr double kSlewRateMaxPpm = 1000;
constexpr double kStepUpdatesMax = 10;
constexpr int kSourcesMin = 3;
// chronyd's own values where the configuration says nothing.
constexpr double kDefaultClockErrorPpm = 1;
constexpr double kDefaultSlewRatePpm = 83333.333;
constexpr int kDefaultPoolSources = 4;

// chronyd allows ten, and an inclusion that includes itself must end.
constexpr int kInclusionDepthMax = 10;

// The directives that matter here. In chrony.conf the last one of a kind counts.
struct Settings {
  std::optional<double> max_clock_error_ppm;
  std::optional<double> max_slew_rate_ppm;
  std::string leap_second_mode = "system";
  bool leap_seconds_by_steps() const {
    return leap_second_mode == "system" || leap_second_mode == "step";
  }
  std::optional<double> step_updates;  // Set if makestep is; negative: for ever.
  bool sync_rtc = false;
  bool local = false;
  int sources = 0;
  bool reference_clock = false;
  std::vector<std::string> unreadable;
};

using Words = std::vector<std::string>;

std::optional<double> NumberAt(const Words& words, size_t index) {
  double number = 0;
  if (index >= words.size() || !absl::SimpleAtod(words[index], &number)) return std::nullopt;
  return number;
}

int PoolSources(const Words& words) {
  for (size_t i = 2; i + 1 < words.size(); ++i) {
    if (words[i] == "maxsources") {
      return static_cast<int>(NumberAt(words, i + 1).value_or(kDefaultPoolSources));
    }
  }
  return kDefaultPoolSources;
}

void Apply(const Words& words, Settings* settings) {
  const std::string& directive = words[0];
  if (directive == "maxclockerror") {
    settings->max_clock_error_ppm = NumberAt(words, 1);
  } else if (directive == "maxslewrate") {
    settings->max_slew_rate_ppm = NumberAt(words, 1);
  } else if (directive == "leapsecmode" && words.size() > 1) {
    settings->leap_second_mode = words[1];
  } else if (directive == "makestep") {
    settings->step_updates = NumberAt(words, 2);
  } else if (directive == "rtcsync") {
    settings->sync_rtc = true;
  } else if (directive == "local") {
    settings->local = true;
  } else if (directive == "server" || directive == "peer") {
    ++settings->sources;
  } else if (directive == "pool") {
    settings->sources += PoolSources(words);
  } else if (directive == "refclock") {
    settings->reference_clock = true;
  }
}

// The words of each line that is not a comment, in lower case but for paths.
std::vector<Words> Lines(absl::string_view text) {
  std::vector<Words> lines;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    Words words = absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
    if (words.empty() || absl::StrContains("#%;!", words[0].substr(0, 1))) continue;
    absl::AsciiStrToLower(&words[0]);
    lines.push_back(std::move(words));
  }
  return lines;
}

// Reads configuration files and what they include.
class Inclusion {
 public:
  Inclusion(leveldb::Env* files, Settings* settings) : files_(files), settings_(settings) {}

  void File(const std::string& path, int depth) {
    std::string text;
    const leveldb::Status read = leveldb::ReadFileToString(files_, path, &text);
    if (!read.ok() || depth > kInclusionDepthMax) {
      settings_->unreadable.push_back(path);
      return;
    }
    for (const Words& words : Lines(text)) {
      const std::string& directive = words[0];
      if (directive == "include" && words.size() > 1) {
        Pattern(words[1], depth + 1);
      } else if (directive == "confdir" || directive == "sourcedir") {
        const char* suffix = directive == "confdir" ? ".conf" : ".sources";
        for (size_t i = 1; i < words.size(); ++i) Folder(words[i], suffix, depth + 1);
      } else {
        Apply(words, settings_);
      }
    }
  }

 private:
  // All files of a folder with that suffix, in the order of their names. The folder need not exist.
  void Folder(const std::string& folder, const std::string& suffix, int depth) {
    std::vector<std::string> names;
    if (!files_->GetChildren(folder, &names).ok()) return;
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      if (absl::EndsWith(name, suffix)) File(absl::StrCat(folder, "/", name), depth);
    }
  }

  // A path whose last part may be "*" followed by a suffix, as is usual.
  void Pattern(const std::string& pattern, int depth) {
    const size_t star = pattern.find('*');
    if (star == std::string::npos) return File(pattern, depth);
    const size_t slash = pattern.rfind('/', star);
    if (slash == std::string::npos || slash + 1 != star) {
      settings_->unreadable.push_back(pattern);
      return;
    }
    Folder(pattern.substr(0, slash), pattern.substr(star + 1), depth);
  }

  leveldb::Env* const files_;
  Settings* const settings_;
};

std::string Ppm(double ppm) { return absl::StrCat(ppm, " ppm"); }

void WarnOfRates(const Settings& settings, std::vector<std::string>* warnings) {
  const double error = settings.max_clock_error_ppm.value_or(kDefaultClockErrorPpm);
  if (error < kClockErrorMinPpm) {
    warnings->push_back(absl::StrCat(
        "maxclockerror is ", Ppm(error),
        settings.max_clock_error_ppm.has_value() ? "" : " (default)",
        ", an estimate and not a bound of what an oscillator does: set maxclockerror 50."));
  }
  const double slew = settings.max_slew_rate_ppm.value_or(kDefaultSlewRatePpm);
  if (slew > kSlewRateMaxPpm) {
    warnings->push_back(absl::StrCat(
        "maxslewrate is ", Ppm(slew), settings.max_slew_rate_ppm.has_value() ? "" : " (default)",
        ", so that the clock may run far from true time's rate: set maxslewrate 1000 or less."));
  }
}

void WarnOfSteps(const Settings& settings, std::vector<std::string>* warnings) {
  if (settings.leap_seconds_by_steps()) {
    warnings->push_back(absl::StrCat("leapsecmode is ", settings.leap_second_mode,
                                     ", so that a leap second steps the clock: set leapsecmode "
                                     "slew."));
  } else if (settings.leap_second_mode != "slew") {
    warnings->push_back(absl::StrCat("leapsecmode is ", settings.leap_second_mode,
                                     ", so that the clock is a second wrong after a leap second: "
                                     "set leapsecmode slew."));
  }
  if (!settings.step_updates.has_value()) return;
  if (*settings.step_updates < 0 || *settings.step_updates > kStepUpdatesMax) {
    warnings->push_back(
        absl::StrCat("makestep may step the clock ",
                     *settings.step_updates < 0
                         ? std::string("at any time")
                         : absl::StrCat("in the first ", *settings.step_updates, " updates"),
                     ", long after the start: set makestep 1 3."));
  }
}

void WarnOfSources(const Settings& settings, std::vector<std::string>* warnings) {
  if (settings.local) {
    warnings->push_back(
        "local makes chronyd serve its own clock as if it were right when it has no source: remove "
        "it on nodes.");
  }
  if (settings.reference_clock || settings.sources >= kSourcesMin) return;
  warnings->push_back(absl::StrCat(
      "the configuration names ", settings.sources, " time source",
      settings.sources == 1 ? "" : "s",
      ", and a false one is found out only by a majority of others: name at least three."));
}

std::vector<std::string> Warnings(const Settings& settings) {
  std::vector<std::string> warnings;
  for (const std::string& path : settings.unreadable) {
    warnings.push_back(absl::StrCat(path, " cannot be read, so what it says is not checked."));
  }
  WarnOfRates(settings, &warnings);
  WarnOfSteps(settings, &warnings);
  if (!settings.sync_rtc) {
    warnings.push_back(
        "rtcsync is not set, so that a restarted machine begins with the time of an unsteered "
        "clock: set rtcsync.");
  }
  WarnOfSources(settings, &warnings);
  return warnings;
}

}  // namespace

std::vector<std::string> CheckHost(leveldb::Env* files, const std::string& path) {
  Settings settings;
  Inclusion(files, &settings).File(path, 0);
  if (std::count(settings.unreadable.begin(), settings.unreadable.end(), path) > 0) {
    return {absl::StrCat(path, " cannot be read, so nothing is known of how chronyd is set up.")};
  }
  return Warnings(settings);
}

std::vector<std::string> CheckChronyConf(absl::string_view text) {
  Settings settings;
  for (const Words& words : Lines(text)) Apply(words, &settings);
  return Warnings(settings);
}

std::vector<std::string> CheckReading(const ReadingDetail& detail) {
  constexpr Duration kOld(3'600'000'000'000);
  std::vector<std::string> warnings;
  if (detail.reference_age.has_value() && *detail.reference_age > kOld) {
    warnings.push_back(absl::StrCat("chronyd last heard from its reference ",
                                    runtime::FormatDuration(*detail.reference_age),
                                    " ago: set a maxpoll of 6 for its sources."));
  }
  if (detail.leap_status == "insert second" || detail.leap_status == "delete second") {
    warnings.push_back(absl::StrCat("chronyd announces a leap second (", detail.leap_status,
                                    "): make sure that leapsecmode is slew."));
  }
  return warnings;
}

}  // namespace truetime

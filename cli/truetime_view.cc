#include "cli/truetime_view.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/chart.h"
#include "cli/parse.h"
#include "runtime/format.h"

namespace cli {
namespace {

using runtime::Duration;
using truetime::ClockState;

constexpr char kBold[] = "\x1b[1m";
constexpr char kDim[] = "\x1b[2m";
constexpr char kGreen[] = "\x1b[32m";
constexpr char kYellow[] = "\x1b[33m";
constexpr char kRed[] = "\x1b[31m";
constexpr char kPlain[] = "\x1b[0m";

// Lines beside the chart: what stands above it, and what explains it below when there is room.
constexpr int kChartHeight = 8;
constexpr int kAxisWidth = 12;

constexpr const char* kMeanings[] = {
    "true time   is somewhere in the interval, both ends included: that is the promise.",
    "epsilon     half the interval's width. It jumps down with each reading of the source",
    "            and grows in between, by as much as the oscillator may drift (200 ppm).",
    "commit wait a commit stamped with `latest` waits until `earliest` has passed it:",
    "            about 2 x epsilon, during which it replicates anyway.",
    "state       synchronised and holdover are safe to commit in; the others are not.",
};

const char* Colour(ClockState state) {
  if (state == ClockState::kSynchronised) return kGreen;
  return truetime::TimeSafe(state) ? kYellow : kRed;
}

std::string Field(absl::string_view name, absl::string_view value) {
  return absl::StrFormat("  %-10s %s", name, value);
}

std::string DescribeReading(const truetime::ReadingDetail& detail) {
  std::vector<std::string> parts;
  if (!detail.reference.empty()) parts.push_back(absl::StrCat("follows ", detail.reference));
  if (detail.stratum) parts.push_back(absl::StrCat("stratum ", *detail.stratum));
  if (detail.correction) {
    parts.push_back(absl::StrCat("correction ", runtime::FormatDuration(*detail.correction)));
  }
  if (detail.root_dispersion) {
    parts.push_back(
        absl::StrCat("root dispersion ", runtime::FormatDuration(*detail.root_dispersion)));
  }
  if (detail.root_delay) {
    parts.push_back(absl::StrCat("root delay ", runtime::FormatDuration(*detail.root_delay)));
  }
  return absl::StrJoin(parts, ", ");
}

// The part of the screen that is always there.
std::vector<std::string> DrawHead(const TrueTimePicture& picture) {
  std::vector<std::string> lines;
  const ClockState state = picture.state.state;
  lines.push_back(absl::StrCat(kBold, "Isochron TrueTime", kPlain, "   source ", picture.source,
                               kDim, "   q quits", kPlain));
  lines.push_back("");
  lines.push_back(
      Field("state", absl::StrCat(Colour(state), truetime::ClockStateName(state), kPlain, kDim,
                                  "  since ", FormatTimestamp(picture.state.since).substr(0, 19),
                                  kPlain, "  ", picture.state.why)));
  if (state == ClockState::kWaiting) {
    lines.push_back(Field("interval", "all of time: there was no reading yet"));
  } else {
    lines.push_back(Field("earliest", FormatTimestamp(picture.interval.earliest) + " UTC"));
    lines.push_back(Field("latest", FormatTimestamp(picture.interval.latest) + " UTC"));
    lines.push_back(
        Field("epsilon",
              absl::StrCat(kBold, runtime::FormatDuration(picture.interval.epsilon()), kPlain)));
  }
  if (!picture.failure.empty()) {
    lines.push_back(Field("source", absl::StrCat(kYellow, picture.failure, kPlain)));
  } else if (picture.reading.has_value()) {
    lines.push_back(Field("source", DescribeReading(picture.reading->detail)));
  }
  return lines;
}

std::vector<std::string> DrawSawtooth(const std::vector<double>& epsilons, int width) {
  const int columns_shown = std::max(width - kAxisWidth, 1);
  // The axis is for what is seen: an epsilon that has scrolled away does not flatten the rest.
  const auto shown =
      std::min(static_cast<ptrdiff_t>(columns_shown), static_cast<ptrdiff_t>(epsilons.size()));
  const double most = shown == 0 ? 0 : *std::max_element(epsilons.end() - shown, epsilons.end());
  const double top = RoundUpForAxis(most);
  const std::vector<std::string> columns = DrawColumns(epsilons, top, columns_shown, kChartHeight);
  std::vector<std::string> lines = {"", absl::StrCat(kDim, "  epsilon over time", kPlain)};
  for (int i = 0; i < kChartHeight; ++i) {
    std::string label;
    if (i == 0) label = runtime::FormatDuration(Duration(static_cast<int64_t>(top)));
    if (i == kChartHeight - 1) label = "0";
    lines.push_back(absl::StrFormat("%*s %s%s%s", kAxisWidth - 1, label,
                                    Colour(ClockState::kSynchronised),
                                    columns[static_cast<size_t>(i)], kPlain));
  }
  return lines;
}

}  // namespace

std::vector<std::string> DrawScreen(const TrueTimePicture& picture, int width, int height) {
  std::vector<std::string> lines = DrawHead(picture);
  for (std::string& line : DrawSawtooth(picture.epsilons, width)) lines.push_back(std::move(line));
  if (!picture.warnings.empty()) {
    lines.push_back("");
    lines.push_back(absl::StrCat(kYellow, "  this host's time set-up", kPlain));
    for (const std::string& warning : picture.warnings) lines.push_back("  - " + warning);
  }
  if (!picture.history.empty()) {
    lines.push_back("");
    lines.push_back(absl::StrCat(kDim, "  before", kPlain));
    for (auto change = picture.history.rbegin();
         change != picture.history.rend() && change - picture.history.rbegin() < 4; ++change) {
      lines.push_back(absl::StrFormat("  %s  %-13s %s",
                                      FormatTimestamp(change->since).substr(11, 12),
                                      truetime::ClockStateName(change->state), change->why));
    }
  }
  if (static_cast<int>(lines.size() + std::size(kMeanings)) + 1 <= height) {
    lines.push_back("");
    for (const char* meaning : kMeanings) {
      lines.push_back(absl::StrCat(kDim, "  ", meaning, kPlain));
    }
  }
  return lines;
}

std::string DescribeOnce(const TrueTimePicture& picture) {
  std::string text = absl::StrCat(
      Field("source", picture.source), "\n",
      Field("state",
            absl::StrCat(truetime::ClockStateName(picture.state.state), ": ", picture.state.why)),
      "\n", Field("earliest", FormatTimestamp(picture.interval.earliest)), " UTC\n",
      Field("latest", FormatTimestamp(picture.interval.latest)), " UTC\n",
      Field("epsilon", runtime::FormatDuration(picture.interval.epsilon())), "\n");
  if (picture.reading.has_value()) {
    const std::string reading = DescribeReading(picture.reading->detail);
    if (!reading.empty()) absl::StrAppend(&text, Field("reading", reading), "\n");
  }
  for (const std::string& warning : picture.warnings) {
    absl::StrAppend(&text, Field("warning", warning), "\n");
  }
  return text;
}

std::string ToJson(const TrueTimePicture& picture) {
  return nlohmann::ordered_json{
      {"earliest", picture.interval.earliest.nanoseconds()},
      {"latest", picture.interval.latest.nanoseconds()},
      {"epsilon", picture.interval.epsilon().count()},
      {"state", std::string(truetime::ClockStateName(picture.state.state))},
      {"source", picture.source},
      {"since", picture.state.since.nanoseconds()},
      {"why", picture.state.why},
      {"warnings", picture.warnings}}
      .dump();
}

}  // namespace cli

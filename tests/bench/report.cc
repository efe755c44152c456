#include "tests/bench/report.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

namespace bench {
namespace {

double Median(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  return samples[samples.size() / 2];
}

bool Meets(double value, Report::Target target, double bound) {
  return target == Report::Target::kAtMost ? value <= bound : value >= bound;
}

const char* Sign(Report::Target target) { return target == Report::Target::kAtMost ? "<=" : ">="; }

}  // namespace

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double Seconds(const std::function<void()>& work) {
  const double begin = Now();
  work();
  return Now() - begin;
}

void Report::Compare(const Comparison& comparison) {
  std::vector<double> ours;
  std::vector<double> theirs;
  std::vector<double> ratios;
  comparison.theirs();
  comparison.ours();  // Both warm.
  for (int round = 0; round < comparison.rounds; ++round) {
    const bool ours_first = round % 2 == 1;
    if (ours_first) ours.push_back(comparison.ours());
    theirs.push_back(comparison.theirs());
    if (!ours_first) ours.push_back(comparison.ours());
    ratios.push_back(ours.back() / theirs.back());
  }
  const double ratio = Median(ratios);
  Record({.figure = comparison.figure,
          .unit = comparison.unit,
          .value = Median(ours),
          .reference = comparison.reference,
          .reference_value = Median(theirs),
          .ratio = ratio,
          .target = comparison.target,
          .bound = comparison.ratio});
}

void Report::Measure(const std::string& figure, const std::string& unit,
                     const std::function<double()>& sample, Target target, double bound,
                     int rounds) {
  std::vector<double> samples;
  sample();
  for (int round = 0; round < rounds; ++round) samples.push_back(sample());
  Record({.figure = figure,
          .unit = unit,
          .value = Median(samples),
          .target = target,
          .bound = bound,
          .bound_is_ratio = false});
}

void Report::Record(Line line) {
  const bool compared = !line.reference.empty();
  if (compared && line.ratio == 0) line.ratio = line.value / line.reference_value;
  line.met = Meets(line.bound_is_ratio ? line.ratio : line.value, line.target, line.bound);
  if (output_ == Output::kTable) Print(line);
  lines_.push_back(std::move(line));
}

void Report::Print(const Line& line) const {
  const bool compared = !line.reference.empty();
  if (lines_.empty()) {
    std::printf("%-44s %12s  %-38s %12s %8s %10s\n", "figure", "ours", "reference", "reference",
                "ratio", "target");
  }
  char bound[32];
  std::snprintf(bound, sizeof(bound), "%s %g%s", Sign(line.target), line.bound,
                line.bound_is_ratio ? "x" : "");
  const std::string figure = line.figure + ", " + line.unit;
  if (!compared) {
    std::printf("%-44s %12.1f  %-38s %12s %8s %10s  %s\n", figure.c_str(), line.value, "-", "-",
                "-", bound, line.met ? "ok" : "MISSED");
  } else {
    std::printf("%-44s %12.1f  %-38s %12.1f %7.2fx %10s  %s\n", figure.c_str(), line.value,
                line.reference.c_str(), line.reference_value, line.ratio, bound,
                line.met ? "ok" : "MISSED");
  }
  std::fflush(stdout);
}

std::string Report::ToJson() const {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const Line& line : lines_) {
    nlohmann::ordered_json entry = {
        {"figure", line.figure}, {"unit", line.unit}, {"value", line.value}};
    if (!line.reference.empty()) {
      entry["reference"] = line.reference;
      entry["reference_value"] = line.reference_value;
      entry["ratio"] = line.ratio;
    }
    entry["target"] = Sign(line.target);
    entry["bound"] = line.bound;
    entry["met"] = line.met;
    all.push_back(std::move(entry));
  }
  return all.dump(2);
}

bool Report::WriteJson(const std::string& path) const {
  std::ofstream file(path);
  file << ToJson() << '\n';
  return file.good();
}

bool Report::all_met() const {
  return std::all_of(lines_.begin(), lines_.end(), [](const Line& line) { return line.met; });
}

}  // namespace bench

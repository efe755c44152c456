#include "tests/bench/truetime/figures.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"

namespace bench {

namespace {

std::string Time(double nanoseconds) {
  if (nanoseconds < 1e3) return absl::StrFormat("%.1f ns", nanoseconds);
  if (nanoseconds < 1e6) return absl::StrFormat("%.1f us", nanoseconds / 1e3);
  return absl::StrFormat("%.2f ms", nanoseconds / 1e6);
}

}  // namespace

std::string Figure::Target() const {
  if (ratio_max.has_value()) return absl::StrFormat("<= %gx", *ratio_max);
  if (nanoseconds_max.has_value()) return "<= " + Time(*nanoseconds_max);
  return "";
}

void Figures::Print() const {
  absl::PrintF("%-42s %10s   %-28s %10s %8s  %-10s\n", "figure", "measured", "reference",
               "measured", "ratio", "target");
  for (const Figure& figure : figures_) {
    absl::PrintF("%-42s %10s   %-28s %10s %7.2fx  %-10s %s\n", figure.name,
                 Time(figure.nanoseconds), figure.reference, Time(figure.reference_nanoseconds),
                 figure.ratio(), figure.Target(), figure.met() ? "ok" : "MISSED");
  }
}

bool Figures::WriteJson(const std::string& file) const {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Figure& figure : figures_) {
    rows.push_back({{"figure", figure.name},
                    {"nanoseconds", figure.nanoseconds},
                    {"reference", figure.reference},
                    {"reference_nanoseconds", figure.reference_nanoseconds},
                    {"ratio", figure.ratio()},
                    {"target", figure.Target()},
                    {"ok", figure.met()}});
  }
  std::ofstream out(file);
  out << rows.dump(2) << "\n";
  return out.good();
}

bool Figures::AllMet() const {
  return std::all_of(figures_.begin(), figures_.end(),
                     [](const Figure& figure) { return figure.met(); });
}

}  // namespace bench

#include "tests/bench/truetime/figures.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"

namespace bench {

namespace {

// The unit that a figure is shown in, and how many nanoseconds it has.
struct Unit {
  const char* name;
  double nanoseconds;
};
Unit UnitOf(const Figure& figure) {
  return figure.nanoseconds < 1000 ? Unit{"ns", 1} : Unit{"us", 1000};
}

}  // namespace

double Figure::Bound() const {
  return ratio_max.value_or(nanoseconds_max.value_or(0) / UnitOf(*this).nanoseconds);
}

void Figures::Print() const {
  absl::PrintF("%-44s %12s  %-38s %12s %8s %10s\n", "figure", "ours", "reference", "reference",
               "ratio", "target");
  for (const Figure& figure : figures_) {
    const Unit unit = UnitOf(figure);
    const std::string target =
        absl::StrFormat("<= %g%s", figure.Bound(), figure.ratio_max.has_value() ? "x" : "");
    absl::PrintF("%-44s %12.1f  %-38s %12.1f %7.2fx %10s  %s\n", figure.name + ", " + unit.name,
                 figure.nanoseconds / unit.nanoseconds, figure.reference,
                 figure.reference_nanoseconds / unit.nanoseconds, figure.ratio(), target,
                 figure.met() ? "ok" : "MISSED");
  }
}

bool Figures::WriteJson(const std::string& file) const {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Figure& figure : figures_) {
    const Unit unit = UnitOf(figure);
    rows.push_back({{"figure", figure.name},
                    {"unit", unit.name},
                    {"value", figure.nanoseconds / unit.nanoseconds},
                    {"reference", figure.reference},
                    {"reference_value", figure.reference_nanoseconds / unit.nanoseconds},
                    {"ratio", figure.ratio()},
                    {"target", "<="},
                    {"bound", figure.Bound()},
                    {"met", figure.met()}});
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

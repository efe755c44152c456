// Figures: a benchmark's table: each figure beside a reference from the same run, and its target.
#ifndef TESTS_BENCH_TRUETIME_FIGURES_H_
#define TESTS_BENCH_TRUETIME_FIGURES_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bench {

struct Figure {
  std::string name;
  double nanoseconds = 0;
  std::string reference;
  double reference_nanoseconds = 0;
  // The targets, where there are any.
  std::optional<double> ratio_max = std::nullopt;
  std::optional<double> nanoseconds_max = std::nullopt;

  double ratio() const { return nanoseconds / reference_nanoseconds; }
  bool met() const {
    return ratio() <= ratio_max.value_or(ratio()) &&
           nanoseconds <= nanoseconds_max.value_or(nanoseconds);
  }
  // The target: a ratio, or in the unit of the figure.
  double Bound() const;
};

class Figures {
 public:
  void Add(Figure figure) { figures_.push_back(std::move(figure)); }
  void Print() const;
  // False if the file cannot be written.
  bool WriteJson(const std::string& file) const;
  bool AllMet() const;

 private:
  std::vector<Figure> figures_;
};

}  // namespace bench

#endif  // TESTS_BENCH_TRUETIME_FIGURES_H_

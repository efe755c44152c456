// Report: measures figures against references, side by side, and prints them as one table.
//
// The machine is shared and small, so what counts is the ratio of two things measured in the same
// run: each round measures the reference and ours right after one another (in turns first), and the
// figure shown is the median over the rounds, of the ratio too.
#ifndef TESTS_BENCH_REPORT_H_
#define TESTS_BENCH_REPORT_H_

#include <functional>
#include <string>
#include <vector>

namespace bench {

// Seconds on the monotonic clock.
double Now();

// The seconds that `work` takes.
double Seconds(const std::function<void()>& work);

class Report {
 public:
  enum class Target { kAtMost, kAtLeast };
  enum class Output { kTable, kNothing };

  explicit Report(Output output = Output::kTable) : output_(output) {}

  struct Comparison {
    std::string figure;
    std::string reference;
    std::string unit;
    // Each gives one sample in that unit.
    std::function<double()> ours;
    std::function<double()> theirs;
    Target target;
    double ratio;  // Of ours to theirs.
    int rounds = 15;
  };
  // Measures and prints a line.
  void Compare(const Comparison& comparison);

  // A figure with a target of its own: the median of `rounds` samples.
  void Measure(const std::string& figure, const std::string& unit,
               const std::function<double()>& sample, Target target, double bound, int rounds = 15);

  // A line that was measured elsewhere.
  struct Line {
    std::string figure;
    std::string unit;
    double value = 0;
    std::string reference = {};  // Empty: there is none, and the target is for the value itself.
    double reference_value = 0;
    double ratio = 0;  // Of the value to the reference; 0: from the two values.
    Target target = Target::kAtMost;
    double bound = 0;
    bool bound_is_ratio = true;  // Otherwise it is for the value itself.
    bool met = false;            // Filled in by Record().
  };
  void Record(Line line);

  // All lines.
  std::string ToJson() const;
  // Writes them to a file. False if it cannot be written.
  bool WriteJson(const std::string& path) const;
  bool all_met() const;

 private:
  void Print(const Line& line) const;

  const Output output_;
  std::vector<Line> lines_;
};

}  // namespace bench

#endif  // TESTS_BENCH_REPORT_H_

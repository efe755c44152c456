// What `isochron truetime` shows: a picture of one clock, as lines of text or as JSON. No input or
// output here.
#ifndef CLI_TRUETIME_VIEW_H_
#define CLI_TRUETIME_VIEW_H_

#include <optional>
#include <string>
#include <vector>

#include "truetime/clock_state.h"
#include "truetime/interval.h"
#include "truetime/source.h"

namespace cli {

struct TrueTimePicture {
  std::string source;
  truetime::Interval interval;
  truetime::ClockStateChange state;
  // The changes before it, oldest first.
  std::vector<truetime::ClockStateChange> history;
  // The last good reading, if there was one, and why the last attempt gave none, if it did not.
  std::optional<truetime::Reading> reading;
  std::string failure;
  // What deviates on this host from what a bound needs.
  std::vector<std::string> warnings;
  // Epsilon in nanoseconds as it was at each redraw, newest last.
  std::vector<double> epsilons;
};

// A screen of at most `width` columns and `height` lines.
std::vector<std::string> DrawScreen(const TrueTimePicture& picture, int width, int height);

// A few lines for people, and one line for programs: earliest, latest, epsilon and since in integer
// nanoseconds, state, source, why, warnings.
std::string DescribeOnce(const TrueTimePicture& picture);
std::string ToJson(const TrueTimePicture& picture);

}  // namespace cli

#endif  // CLI_TRUETIME_VIEW_H_

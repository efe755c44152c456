// Durations as people read them.
#ifndef TRUETIME_FORMAT_H_
#define TRUETIME_FORMAT_H_

#include <string>

#include "runtime/time.h"

namespace truetime {

// "1.5 ms", "-5 s", "250 us", "0 ns": three or four significant digits.
std::string FormatDuration(runtime::Duration length);

}  // namespace truetime

#endif  // TRUETIME_FORMAT_H_

// Values as people read them.
#ifndef RUNTIME_FORMAT_H_
#define RUNTIME_FORMAT_H_

#include <string>

#include "runtime/time.h"

namespace runtime {

// "350 ns", "12.35 us", "2.04 ms", "-5 s", "1 min 30 s", "62 h 5 min"; up to four significant
// digits below a minute.
std::string FormatDuration(Duration length);

}  // namespace runtime

#endif  // RUNTIME_FORMAT_H_

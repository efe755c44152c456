// HostClocks: what clock_gettime says.
#ifndef RUNTIME_REAL_HOST_CLOCKS_H_
#define RUNTIME_REAL_HOST_CLOCKS_H_

#include "runtime/clocks.h"

namespace real {

class HostClocks final : public runtime::Clocks {
 public:
  runtime::MonotonicTime Raw() override;
  runtime::Timestamp Realtime() override;
  runtime::Suspensions Suspended() override;
};

}  // namespace real

#endif  // RUNTIME_REAL_HOST_CLOCKS_H_

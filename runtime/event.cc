#include "runtime/event.h"

namespace runtime {

void Event::Set() {
  set_ = true;
  while (!waiters_.empty()) waiters_.front().Wake();
}

}  // namespace runtime

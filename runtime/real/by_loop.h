// ByLoop: things sorted by the loop they belong to, in order for each loop.
#ifndef RUNTIME_REAL_BY_LOOP_H_
#define RUNTIME_REAL_BY_LOOP_H_

#include <utility>
#include <vector>

#include "runtime/real/loop.h"

namespace real {

template <typename T>
class ByLoop {
 public:
  void Add(Loop* loop, T thing) {
    // Few loops, so a list is searched faster than a table.
    auto place = loops_.begin();
    while (place != loops_.end() && place->first != loop) ++place;
    if (place == loops_.end()) place = loops_.insert(place, {loop, {}});
    place->second.push_back(std::move(thing));
  }

  auto begin() { return loops_.begin(); }
  auto end() { return loops_.end(); }

 private:
  std::vector<std::pair<Loop*, std::vector<T>>> loops_;
};

}  // namespace real

#endif  // RUNTIME_REAL_BY_LOOP_H_

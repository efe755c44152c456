// WideSource: time that is right, and never sure by less than a given width.
#ifndef TESTS_TXN_WIDE_SOURCE_H_
#define TESTS_TXN_WIDE_SOURCE_H_

#include <optional>
#include <string>

#include "runtime/simulated/universe.h"
#include "truetime/source.h"

namespace txn {

class WideSource final : public truetime::TimeSource {
 public:
  WideSource(simulated::Universe* universe, simulated::NodeWorld* world, runtime::Duration epsilon)
      : universe_(*universe), world_(*world), epsilon_(epsilon) {}

  std::string name() const override { return "wide"; }
  truetime::BaseClock base() const override { return truetime::BaseClock::kRaw; }
  runtime::Task<absl::StatusOr<truetime::Reading>> Read() override {
    const truetime::BaseTime now = truetime::ReadBase(world_.clocks(), base());
    co_return truetime::Reading{now,
                                now,
                                truetime::Interval::Around(universe_.true_time(), epsilon_),
                                runtime::Duration(0),
                                std::nullopt,
                                {}};
  }

 private:
  simulated::Universe& universe_;
  simulated::NodeWorld& world_;
  const runtime::Duration epsilon_;
};

}  // namespace txn

#endif  // TESTS_TXN_WIDE_SOURCE_H_

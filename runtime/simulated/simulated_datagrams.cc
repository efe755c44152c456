#include "runtime/simulated/simulated_datagrams.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/deadline.h"

namespace simulated {
namespace {

using Answer = Completion<absl::StatusOr<std::string>>;

runtime::Task<absl::Status> Wait(Answer answer) { co_return co_await answer.Wait(); }

}  // namespace

DatagramHost::DatagramHost(Scheduler* scheduler, NodeId node, uint64_t seed)
    : scheduler_(*scheduler), node_(node), random_(seed) {}

void DatagramHost::SetResponder(std::string address, DatagramResponder responder) {
  if (responder) {
    responders_[std::move(address)] = std::move(responder);
  } else {
    responders_.erase(address);
  }
}

void DatagramHost::Ask(std::string address, std::string request, Answer answer) {
  scheduler_.recorder().Fold(Happened::kSent, node_.value(), HashBytes(request));
  if (random_.Chance(faults_.loss)) return;
  scheduler_.After(DrawDelay(), [this, address = std::move(address), request = std::move(request),
                                 answer]() mutable {
    const auto responder = responders_.find(address);
    if (responder == responders_.end()) {
      return answer.Set(absl::UnavailableError(absl::StrCat("nobody listens at ", address)));
    }
    absl::StatusOr<std::string> said = responder->second(std::move(request));
    if (random_.Chance(faults_.loss)) return;
    scheduler_.After(DrawDelay(),
                     [answer, said = std::move(said)]() mutable { answer.Set(std::move(said)); });
  });
}

Duration DatagramHost::DrawDelay() {
  return faults_.delay_min + random_.Exponential(faults_.delay_mean);
}

runtime::Task<absl::StatusOr<std::string>> SimulatedDatagrams::Exchange(std::string address,
                                                                        std::string request,
                                                                        Duration timeout) {
  const Answer answer;
  host_.Ask(address, std::move(request), answer);
  const absl::Status waited = co_await runtime::WithTimeout(timeout, Wait(answer));
  if (absl::IsDeadlineExceeded(waited)) {
    co_return absl::DeadlineExceededError(absl::StrCat(address, " did not answer in time"));
  }
  if (!waited.ok()) co_return waited;
  co_return answer.Take();
}

}  // namespace simulated

#include "runtime/real/client_call.h"

#include <grpcpp/generic/generic_stub.h>

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/real/tls_errors.h"

namespace real {

ClientCall::ClientCall(const ClientCallContext* shared,
                       std::shared_ptr<const ClientCallTarget> target, std::string method,
                       const std::string& request)
    : shared_(shared),
      target_(std::move(target)),
      method_(std::move(method)),
      request_(ToByteBuffer(request)) {}

void ClientCall::Start(std::shared_ptr<ClientCall> call, runtime::Duration timeout,
                       std::shared_ptr<RemoteWaiter::Link> link) {
  shared_->outstanding->Begin();
  self_ = std::move(call);
  link_ = std::move(link);
  context_.AddMetadata(kSenderKey, EncodeSender({shared_->self, shared_->stamps->Now()}));
  context_.set_deadline(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                     gpr_time_from_nanos(timeout.count(), GPR_TIMESPAN)));
  started_ = shared_->clocks->Raw();
  hand_over_.Give();
  // One pointer fits into the function without an allocation; self_ keeps it good.
  grpc::GenericStub(target_->channel)
      .UnaryCall(&context_, method_, grpc::StubOptions(), &request_, &reply_,
                 [this](grpc::Status status) { Ended(std::move(status)); });
}

void ClientCall::Ended(grpc::Status status) {
  hand_over_.Take();
  // gRPC, and the waiting loop through the link, let go at different times.
  std::shared_ptr<ClientCall> self = std::move(self_);
  const runtime::Duration round_trip = shared_->clocks->Raw() - started_;
  status_ = std::move(status);
  if (const auto sender = FindSender(context_.GetServerInitialMetadata()); sender.has_value()) {
    answered_ = true;
    shared_->stamps->Observe(sender->node, sender->stamp, round_trip);
  }
  shared_->metrics->calls.Add();
  if (!status_.ok()) shared_->metrics->calls_failed.Add();
  shared_->metrics->call_latency.Record(round_trip);
  Outstanding* const outstanding = shared_->outstanding;
  RemoteWaiter::WakeRemotely(std::move(link_));
  self.reset();  // Before it is counted out: then the network, and its channels, may end.
  outstanding->End();
}

absl::StatusOr<std::string> ClientCall::TakeResult() {
  if (status_.ok()) return ToString(reply_);
  const absl::Status status = ToAbsl(status_);
  if (answered_) return status;
  // Our own gRPC's words, so say whom they are about.
  return absl::Status(status.code(),
                      absl::StrCat("node ", target_->peer.value(), " at ", target_->address, ": ",
                                   ExplainConnectionError(status.message(), target_->tls)));
}

absl::StatusOr<std::string> ClientCall::Awaiter::await_resume() {
  if (!status().ok()) return status();  // It did not begin.
  absl::StatusOr<std::string> result = call_->TakeResult();
  if (!result.ok() && !reason_.ok()) return reason_;
  return result;
}

void ClientCall::Awaiter::Cancelled(const absl::Status& reason) {
  reason_ = reason;
  call_->TryCancel();
}

}  // namespace real

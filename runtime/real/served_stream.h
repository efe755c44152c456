// ServedStream: our end of a peer's stream. Messages and the requests of calls on the shared lane
// come in; the replies go back.
//
// Place:    made by the GrpcServer, it deletes itself when gRPC is done with it.
// Pressure: the next batch is read when the handlers of the last one's messages have run, and those
//           of its requests have begun, so that gRPC's flow control holds a fast sender back.
#ifndef RUNTIME_REAL_SERVED_STREAM_H_
#define RUNTIME_REAL_SERVED_STREAM_H_

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/support/byte_buffer.h>

#include <memory>
#include <vector>

#include "runtime/real/hand_over.h"
#include "runtime/real/serving.h"
#include "runtime/real/stream_calls.h"

namespace real {

class ServedStream final : public grpc::ServerGenericBidiReactor, private StreamCalls::Writer {
 public:
  // `end` is given when it is gone. Both outlive it.
  ServedStream(const Serving* serving, HandOver* end);
  ~ServedStream() override { end_->Give(); }

 private:
  struct BatchUnderWay;

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  void Write(std::vector<StreamCalls::Reply> replies) override;
  void ReadOn();
  void End(grpc::Status status);

  const Serving* const serving_;
  HandOver* const end_;
  HandOver hand_over_;
  const std::shared_ptr<StreamCalls> calls_;
  grpc::ByteBuffer read_;
  grpc::ByteBuffer written_;
  grpc::Status status_;  // Of the end.
};

}  // namespace real

#endif  // RUNTIME_REAL_SERVED_STREAM_H_

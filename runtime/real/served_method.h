// ServedMethod and ServedCall: the serving side of a call, whoever brings it: the wire or the own
// node.
//
// Place:       a ServedMethod lives from Serve() until its registration is undone and its last call
//              has ended; its calls run on its loop, each as a task under its own cancel scope.
// Guarantees:  a call answers exactly once: with its handler's result, or, if the handler is
//              destroyed, the method gone or the loop stopped, with UNAVAILABLE. `answer` is what
//              carries the answer away; it runs on the method's loop, or on whatever thread drops
//              the call.
// Concurrency: Begin() and CancelLater() from any thread; the rest on the method's loop, or in its
//              name once that has stopped.
#ifndef RUNTIME_REAL_SERVED_METHOD_H_
#define RUNTIME_REAL_SERVED_METHOD_H_

#include <boost/intrusive/list.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "runtime/network.h"
#include "runtime/real/loop.h"
#include "runtime/task.h"

namespace real {

class ServedMethod;

class ServedCall final : public std::enable_shared_from_this<ServedCall>,
                         private runtime::Timer,
                         private runtime::internal::TaskObserver {
 public:
  using Answer = absl::AnyInvocable<void(absl::StatusOr<std::string>)>;

  ServedCall(std::shared_ptr<ServedMethod> method, runtime::NodeId caller, std::string request,
             runtime::MonotonicTime deadline, Answer answer);
  ~ServedCall();

  // Runs the handler on the method's loop.
  static void Begin(std::shared_ptr<ServedCall> call);

  // The same for several calls of methods on `loop`, in one go. `done` is destroyed when all have
  // begun, or were dropped because the loop has stopped.
  static void BeginAll(Loop* loop, std::vector<std::shared_ptr<ServedCall>> calls,
                       std::shared_ptr<void> done);

  // Where it runs.
  Loop* loop() const;

  // Cancels the call on its loop, if it is still there.
  static void CancelLater(Loop* loop, std::weak_ptr<ServedCall> call, absl::Status reason);

 private:
  friend class ServedMethod;

  void Run();
  void Fire() override;
  void TaskEnded() override;
  // Destroys the task, wherever it stands, and answers with `result`.
  void End(absl::StatusOr<std::string> result);

  const std::shared_ptr<ServedMethod> method_;
  const runtime::NodeId caller_;
  std::string request_;
  const runtime::MonotonicTime deadline_;
  Answer answer_;  // Null once it was called.

  // The loop's:
  runtime::CancelScope cancel_;
  runtime::Task<absl::StatusOr<std::string>> task_;
  runtime::ListHook hook_;            // In the method's list while the handler runs.
  std::shared_ptr<ServedCall> self_;  // While the handler runs.
};

class ServedMethod final : public std::enable_shared_from_this<ServedMethod> {
 public:
  ServedMethod(std::string name, Loop* loop, runtime::Network::CallHandler handler);
  ~ServedMethod();

  const std::string& name() const { return name_; }
  Loop* loop() const { return loop_; }

  // Refuses new calls, cancels those under way, and destroys them with the loop's next turn.
  void Close();
  // Destroys the calls under way now.
  void DestroyCalls();

 private:
  friend class ServedCall;
  using CallHook = boost::intrusive::member_hook<ServedCall, runtime::ListHook, &ServedCall::hook_>;

  const std::string name_;
  Loop* const loop_;
  const runtime::Network::CallHandler handler_;
  bool closed_ = false;
  boost::intrusive::list<ServedCall, CallHook, boost::intrusive::constant_time_size<false>> calls_;
};

}  // namespace real

#endif  // RUNTIME_REAL_SERVED_METHOD_H_

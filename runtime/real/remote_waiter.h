// RemoteWaiter: a wait on a loop that another thread ends.
//
// The awaiter derives from it, starts the foreign work in await_suspend with its link(), and that
// work calls Wake(link) when it is done. What the other thread wrote before, the coroutine sees
// after its wait. The link may outlive the waiting frame: then nobody is woken.
#ifndef RUNTIME_REAL_REMOTE_WAITER_H_
#define RUNTIME_REAL_REMOTE_WAITER_H_

#include <memory>
#include <utility>
#include <vector>

#include "runtime/cancel_scope.h"
#include "runtime/real/by_loop.h"
#include "runtime/real/loop.h"

namespace real {

class RemoteWaiter : public runtime::Waiter {
 public:
  struct Link {
    Loop* const home;
    RemoteWaiter* waiter;  // Null when that is gone. For the home loop's owner only.
  };

  // Ends the wait with `status`. From any thread, holding no lock (see Loop::Deliver).
  static void WakeRemotely(std::shared_ptr<Link> link, absl::Status status = absl::OkStatus()) {
    Loop* const home = link->home;
    home->Deliver([link = std::move(link), status = std::move(status)] {
      if (link->waiter != nullptr) link->waiter->Wake(status);
    });
  }
  // The same for several waits at once: those of one loop go on in one go.
  static void WakeAllRemotely(std::vector<std::shared_ptr<Link>> links) {
    ByLoop<std::shared_ptr<Link>> by_loop;
    for (auto& link : links) {
      Loop* const home = link->home;
      by_loop.Add(home, std::move(link));
    }
    for (auto& [home, woken] : by_loop) {
      home->Deliver([of_home = std::move(woken)] {
        for (const std::shared_ptr<Link>& link : of_home) {
          if (link->waiter != nullptr) link->waiter->Wake();
        }
      });
    }
  }

 protected:
  // On `home`, which is where it waits.
  explicit RemoteWaiter(Loop* home) : link_(std::make_shared<Link>(Link{home, this})) {}
  ~RemoteWaiter() { link_->waiter = nullptr; }

  const std::shared_ptr<Link>& link() const { return link_; }

 private:
  const std::shared_ptr<Link> link_;
};

}  // namespace real

#endif  // RUNTIME_REAL_REMOTE_WAITER_H_

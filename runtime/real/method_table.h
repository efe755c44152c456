// MethodTable: the methods this node serves, by name. Any thread.
#ifndef RUNTIME_REAL_METHOD_TABLE_H_
#define RUNTIME_REAL_METHOD_TABLE_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "runtime/check.h"
#include "runtime/real/mutex.h"
#include "runtime/real/served_method.h"

namespace real {

class MethodTable {
 public:
  // CHECKs that the name is free.
  void Add(std::shared_ptr<ServedMethod> method) {
    MutexLock lock(&mutex_);
    const std::string& name = method->name();
    CHECK(methods_.emplace(name, method).second) << name << " has a handler already";
  }
  void Remove(const std::string& name) {
    MutexLock lock(&mutex_);
    methods_.erase(name);
  }
  // Null if there is none.
  std::shared_ptr<ServedMethod> Find(const std::string& name) {
    MutexLock lock(&mutex_);
    const auto found = methods_.find(name);
    return found != methods_.end() ? found->second : nullptr;
  }
  // Destroys the calls under way on `loop`, in its name.
  void DestroyCallsOn(Loop* loop) {
    // A copy: what a call's frame owns may undo registrations.
    absl::btree_map<std::string, std::shared_ptr<ServedMethod>> methods;
    {
      MutexLock lock(&mutex_);
      methods = methods_;
    }
    for (auto& [name, method] : methods) {
      if (method->loop() == loop) method->DestroyCalls();
    }
  }

 private:
  Mutex mutex_;
  absl::btree_map<std::string, std::shared_ptr<ServedMethod>> methods_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace real

#endif  // RUNTIME_REAL_METHOD_TABLE_H_

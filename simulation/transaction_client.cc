#include "simulation/transaction_client.h"

#include "runtime/sleep.h"

namespace simulation {

runtime::Task<void> TransactionClient::Run() {
  while ((co_await runtime::SleepFor(client_.random->Exponential(options_.rest))).ok() &&
         !truth_.quiet) {
    if (!truth_.open) continue;
    busy_ = true;
    co_await truth_.workload->Act(&client_);
    busy_ = false;
  }
}

}  // namespace simulation

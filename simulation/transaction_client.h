// TransactionClient: a client that does what the workload says, again and again, at the gateway of the
// node on which it lives.
#ifndef SIMULATION_TRANSACTION_CLIENT_H_
#define SIMULATION_TRANSACTION_CLIENT_H_

#include "runtime/task.h"
#include "runtime/time.h"
#include "simulation/transaction_truth.h"
#include "workload/transaction_workload.h"

namespace simulation {

struct TransactionClientOptions {
  // From one thing that it does to the next; exponentially distributed.
  runtime::Duration rest{std::chrono::milliseconds(60)};
};

class TransactionClient {
 public:
  // `truth`, and what `client` points to, outlive it.
  TransactionClient(TransactionTruth* truth, workload::WorkloadClient client,
                    TransactionClientOptions options)
      : truth_(*truth), client_(client), options_(options) {}
  TransactionClient(const TransactionClient&) = delete;
  TransactionClient& operator=(const TransactionClient&) = delete;

  // Works until the truth is quiet.
  runtime::Task<void> Run();
  bool busy() const { return busy_; }

 private:
  TransactionTruth& truth_;
  workload::WorkloadClient client_;
  const TransactionClientOptions options_;
  bool busy_ = false;
};

}  // namespace simulation

#endif  // SIMULATION_TRANSACTION_CLIENT_H_

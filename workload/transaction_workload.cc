#include "workload/transaction_workload.h"

#include "runtime/check.h"
#include "workload/appends.h"
#include "workload/bank.h"
#include "workload/external_chains.h"
#include "workload/phantoms.h"
#include "workload/registers.h"
#include "workload/write_skew.h"

namespace workload {

std::unique_ptr<TransactionWorkload> MakeWorkload(absl::string_view name,
                                                  TransactionJournal* journal, int shards) {
  if (name == "bank") return std::make_unique<BankWorkload>(journal, shards);
  if (name == "append") return std::make_unique<AppendWorkload>(journal, shards);
  if (name == "register") return std::make_unique<RegisterWorkload>(journal, shards);
  if (name == "write-skew") return std::make_unique<WriteSkewWorkload>(journal, shards);
  if (name == "long-fork") return std::make_unique<LongForkWorkload>(journal, shards);
  if (name == "phantom") return std::make_unique<PhantomWorkload>(journal, shards);
  if (name == "external") return std::make_unique<ExternalWorkload>(journal, shards);
  CHECK(false) << "no workload " << std::string(name);
  return nullptr;
}

}  // namespace workload

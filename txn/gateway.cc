#include "txn/gateway.h"

#include <algorithm>
#include <utility>

#include "runtime/random.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "txn/gateway_core.h"
#include "txn/read_write.h"
#include "txn/session_errors.h"
#include "txn/snapshot_reads.h"

namespace txn {

using runtime::Duration;
using runtime::Task;
using runtime::Timestamp;

Gateway::Gateway(runtime::World* world, truetime::TrueTime* truetime, ShardMap* map,
                 ShardServer* local, GatewayOptions options)
    : core_(std::make_unique<GatewayCore>(world, truetime, map, local, options)) {}

Gateway::~Gateway() = default;

Task<void> Gateway::Close() { return core_->Close(); }

std::unique_ptr<Transaction> Gateway::Begin(std::optional<Age> age) {
  absl::Status refused;
  const TransactionId id = core_->NewId(&refused);
  return std::make_unique<ReadWrite>(core_.get(), id, age.value_or(Age::Of(id)),
                                     std::move(refused));
}

std::unique_ptr<ReadOnly> Gateway::BeginReadOnly(ReadBound bound) {
  return std::make_unique<SnapshotReads>(core_.get(), bound);
}

Task<absl::StatusOr<Timestamp>> Gateway::Run(Body body) {
  Duration backoff = options().backoff_min;
  std::optional<Age> age;
  for (int attempt = 1;; ++attempt) {
    const std::unique_ptr<Transaction> transaction = Begin(age);
    age = transaction->age();
    absl::Status failed = co_await body(transaction.get());
    if (failed.ok()) {
      absl::StatusOr<Timestamp> committed = co_await transaction->Commit();
      if (committed.ok()) co_return committed;
      failed = std::move(committed).status();
    }
    co_await transaction->Rollback();
    if (!absl::IsAborted(failed) || attempt >= options().attempts_max) co_return failed;
    const Duration pause = core_->world().random().Uniform(backoff / 2, backoff);
    backoff = std::min(2 * backoff, options().backoff_max);
    CO_RETURN_IF_ERROR(co_await runtime::SleepFor(pause));
  }
}

Task<absl::StatusOr<Outcome>> Gateway::Conclude(TransactionId id, storage::GroupId coordinator) {
  absl::StatusOr<Outcome> outcome =
      co_await core_->Conclude(id, coordinator, "", core_->Deadline());
  if (!outcome.ok()) co_return ReadError(outcome.status());
  co_return outcome;
}

const GatewayOptions& Gateway::options() const { return core_->options(); }

}  // namespace txn

#include "truetime/chrony_source.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/check.h"
#include "runtime/clocks.h"
#include "runtime/datagrams.h"
#include "runtime/status_macros.h"

namespace truetime {

namespace {

// More sources than anybody configures.
constexpr uint32_t kSourcesMax = 64;

// A bound that is wider than this says nothing, and keeps sums of three far from an overflow.
constexpr double kSecondsMax = 1e6;

// Seconds to nanoseconds, for numbers within kSecondsMax.
Duration Nearest(double seconds) { return Duration(std::llround(seconds * 1e9)); }
Duration RoundedUp(double seconds) {
  return Duration(static_cast<int64_t>(std::ceil(seconds * 1e9)));
}

std::string LeapStatusName(uint16_t leap_status) {
  switch (static_cast<ChronyLeapStatus>(leap_status)) {
    case ChronyLeapStatus::kNormal:
      return "normal";
    case ChronyLeapStatus::kInsertSecond:
      return "insert second";
    case ChronyLeapStatus::kDeleteSecond:
      return "delete second";
    case ChronyLeapStatus::kUnsynchronised:
      return "not synchronised";
  }
  return absl::StrCat("unknown (", leap_status, ")");
}

absl::Status CheckSynchronised(const ChronyTracking& tracking) {
  if (tracking.leap_status == static_cast<uint16_t>(ChronyLeapStatus::kUnsynchronised) ||
      tracking.stratum == 0) {
    return absl::UnavailableError("chronyd is not synchronised");
  }
  if (tracking.reference_id == ChronyTracking::kLocalReference &&
      tracking.reference_address.empty()) {
    return absl::UnavailableError("chronyd follows no source but its own clock (local reference)");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Reading> ReadingFromTracking(const ChronyTracking& tracking,
                                            const ChronyExchange& exchange) {
  RETURN_IF_ERROR(CheckSynchronised(tracking));
  const double correction = tracking.correction.value;
  const double dispersion = tracking.root_dispersion.value;
  const double delay = tracking.root_delay.value;
  const double rounding = tracking.correction.rounding + tracking.root_dispersion.rounding +
                          tracking.root_delay.rounding / 2;
  const double bound = dispersion + std::abs(delay) / 2 + rounding;
  if (!(dispersion >= 0) || !(bound <= kSecondsMax) || !(std::abs(correction) <= kSecondsMax)) {
    return absl::UnavailableError(absl::StrCat("chronyd's bound makes no sense: correction ",
                                               correction, " s, root dispersion ", dispersion,
                                               " s, root delay ", delay, " s"));
  }
  const Duration raw = exchange.raw_after - exchange.raw_before;
  const Duration realtime = exchange.realtime_after - exchange.realtime_before;
  // Steering explains a tenth of it, scheduling between two reads of clocks the rest.
  if (const Duration apart = realtime - raw, allowed = raw / 8 + Duration(1'000'000);
      apart > allowed || -apart > allowed) {
    return absl::UnavailableError("the realtime clock was stepped while chronyd was asked");
  }
  const Duration half_width = RoundedUp(bound) + Duration(1);
  Reading reading;
  reading.before = BaseTime(exchange.raw_before.nanoseconds());
  reading.after = BaseTime(exchange.raw_after.nanoseconds());
  // At the moment of the answer CLOCK_REALTIME was somewhere between the two times read.
  reading.interval = {exchange.realtime_before + Nearest(correction) - half_width,
                      exchange.realtime_after + Nearest(correction) + half_width};
  reading.updated = tracking.reference_time;
  reading.detail.reference = ChronyReferenceName(tracking);
  reading.detail.stratum = tracking.stratum;
  reading.detail.correction = Nearest(correction);
  reading.detail.root_dispersion = Nearest(dispersion);
  reading.detail.root_delay = Nearest(delay);
  reading.detail.reference_age =
      exchange.realtime_after + Nearest(correction) - tracking.reference_time;
  reading.detail.leap_status = LeapStatusName(tracking.leap_status);
  return reading;
}

ChronySource::ChronySource(runtime::World* world, ChronySourceOptions options)
    : world_(world), options_(std::move(options)) {
  CHECK(!options_.addresses.empty());
}

runtime::Task<absl::StatusOr<Reading>> ChronySource::Read() {
  std::vector<std::string> failures;
  for (const std::string& address : options_.addresses) {
    ChronyExchange exchange;
    const absl::StatusOr<ChronyTracking> tracking = co_await AskTracking(address, &exchange);
    if (!tracking.ok()) {
      failures.push_back(std::string(tracking.status().message()));
      continue;
    }
    // The order matters for people: a chronyd without sources has lost them, whatever it still
    // says.
    CO_RETURN_IF_ERROR(co_await CheckSources(address));
    co_return ReadingFromTracking(*tracking, exchange);
  }
  co_return absl::UnavailableError(
      absl::StrCat("chronyd is silent: ", absl::StrJoin(failures, "; ")));
}

runtime::Task<absl::StatusOr<ChronyTracking>> ChronySource::AskTracking(std::string address,
                                                                        ChronyExchange* exchange) {
  runtime::Clocks& clocks = world_->clocks();
  const uint32_t sequence = ++sequence_;
  std::string request = EncodeTrackingRequest(sequence);
  exchange->raw_before = clocks.Raw();
  exchange->realtime_before = clocks.Realtime();
  absl::StatusOr<std::string> answer = co_await world_->datagrams().Exchange(
      std::move(address), std::move(request), options_.answer_timeout);
  exchange->realtime_after = clocks.Realtime();
  exchange->raw_after = clocks.Raw();
  CO_RETURN_IF_ERROR(answer.status());
  co_return DecodeTrackingReply(*answer, sequence);
}

runtime::Task<absl::Status> ChronySource::CheckSources(std::string address) {
  runtime::Datagrams& datagrams = world_->datagrams();
  const uint32_t count_sequence = ++sequence_;
  CO_ASSIGN_OR_RETURN(const std::string count_answer,
                      co_await datagrams.Exchange(address, EncodeSourceCountRequest(count_sequence),
                                                  options_.answer_timeout));
  CO_ASSIGN_OR_RETURN(const uint32_t count, DecodeSourceCountReply(count_answer, count_sequence));
  for (uint32_t index = 0; index < std::min(count, kSourcesMax); ++index) {
    const uint32_t sequence = ++sequence_;
    CO_ASSIGN_OR_RETURN(const std::string answer,
                        co_await datagrams.Exchange(address, EncodeSourceRequest(sequence, index),
                                                    options_.answer_timeout));
    const absl::StatusOr<ChronySourceReport> source = DecodeSourceReply(answer, sequence);
    if (absl::IsNotFound(source.status())) break;  // It has just been removed.
    CO_RETURN_IF_ERROR(source.status());
    if (source->state == ChronySourceReport::kSelected && source->reachability != 0) {
      co_return absl::OkStatus();
    }
  }
  co_return absl::UnavailableError(
      count == 0 ? "chronyd has no sources"
                 : absl::StrCat("none of chronyd's ", count, " sources is reachable and selected"));
}

}  // namespace truetime

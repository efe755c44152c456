#include "runtime/simulated/clock_model.h"

#include <algorithm>
#include <cmath>

#include "runtime/check.h"

namespace simulated {
namespace {

constexpr int64_t kBillion = 1'000'000'000;

// `length` * ppb / 10^9, rounded towards zero, without overflow on the way.
int64_t PartsPerBillion(int64_t length, int64_t ppb) {
  return static_cast<int64_t>(static_cast<__int128>(length) * ppb / kBillion);
}

int64_t ToPpb(double ppm) { return std::llround(ppm * 1000); }

}  // namespace

ClockModel::ClockModel(Recorder* recorder, NodeId node, ClockOptions options, uint64_t seed)
    : recorder_(*recorder),
      node_(node),
      random_(seed),
      drift_ppb_max_(ToPpb(options.drift_ppm_max)),
      wander_every_(options.wander_every) {
  anchor_ = recorder_.now();
  // Up to a year of uptime.
  turned_ = static_cast<__int128>(random_.Uniform(0, 365 * 86'400 * kBillion)) * kBillion;
  drift_ppb_ = random_.Uniform(-drift_ppb_max_, drift_ppb_max_);
  next_wander_ =
      wander_every_ > 0s ? anchor_ + random_.Uniform(1ns, wander_every_) : MonotonicTime::Max();
  realtime_raw_ = RawWithoutWander(anchor_);
  realtime_ =
      recorder_.true_time().nanoseconds() +
      random_.Uniform(-options.realtime_error_max.count(), options.realtime_error_max.count());
  // What the kernel kept from the last run: close to right.
  frequency_ppb_ = -drift_ppb_;
}

MonotonicTime ClockModel::Raw() {
  CatchUp();
  return MonotonicTime(RawAt(recorder_.now()));
}

Timestamp ClockModel::Realtime() {
  CatchUp();
  return Timestamp(RealtimeAt(recorder_.now()));
}

runtime::Suspensions ClockModel::Suspended() {
  const Duration under_way = suspended_ ? recorder_.now() - suspended_since_ : 0ns;
  return {suspended_for_ + under_way, suspended_for_ + under_way};
}

void ClockModel::SetDrift(double ppm) {
  CatchUp();
  RawAt(recorder_.now());
  wander_every_ = 0s;
  next_wander_ = MonotonicTime::Max();
  AnchorOscillator(recorder_.now(), ToPpb(ppm));
  Record(1, drift_ppb_);
}

void ClockModel::SetFrequency(int64_t ppb) {
  CatchUp();
  SetFrequencyAt(recorder_.now(), ppb);
  Record(2, ppb);
}

void ClockModel::Slew(Duration amount, int64_t rate_ppb) {
  CatchUp();
  SlewAt(recorder_.now(), amount, rate_ppb);
  Record(3, amount.count());
}

void ClockModel::Step(Duration amount) {
  CatchUp();
  StepAt(recorder_.now(), amount);
  Record(4, amount.count());
}

void ClockModel::Suspend() {
  if (suspended_) return;
  CatchUp();
  RawAt(recorder_.now());
  AnchorOscillator(recorder_.now(), drift_ppb_);
  suspended_ = true;
  suspended_since_ = recorder_.now();
  Record(5, 0);
}

void ClockModel::Wake() {
  if (!suspended_) return;
  const Duration slept = recorder_.now() - suspended_since_;
  anchor_ = recorder_.now();
  awake_since_ = recorder_.now();
  suspended_ = false;
  suspended_for_ += slept;
  StepAt(recorder_.now(), slept);
  Record(6, slept.count());
}

int64_t ClockModel::RawAt(MonotonicTime moment) {
  if (suspended_) return RawWithoutWander(moment);
  while (next_wander_ <= moment) {
    AnchorOscillator(std::max(next_wander_, anchor_),
                     random_.Uniform(-drift_ppb_max_, drift_ppb_max_));
    next_wander_ = next_wander_ + wander_every_;
  }
  return RawWithoutWander(moment);
}

void ClockModel::AnchorOscillator(MonotonicTime moment, int64_t drift_ppb) {
  turned_ = TurnedAt(moment);
  anchor_ = moment;
  drift_ppb_ = drift_ppb;
}

__int128 ClockModel::TurnedAt(MonotonicTime moment) const {
  if (suspended_) return turned_;
  const int64_t elapsed = (moment - anchor_).count();
  CHECK_GE(elapsed, 0) << "a clock was asked about the past";
  return turned_ + static_cast<__int128>(elapsed) * (kBillion + drift_ppb_);
}

int64_t ClockModel::RawWithoutWander(MonotonicTime moment) const {
  return static_cast<int64_t>(TurnedAt(moment) / kBillion);
}

int64_t ClockModel::RealtimeAt(MonotonicTime moment) {
  const int64_t elapsed = RawAt(moment) - realtime_raw_;
  return realtime_ + elapsed + PartsPerBillion(elapsed, frequency_ppb_) + SlewedSince(elapsed);
}

int64_t ClockModel::SlewedSince(int64_t raw_elapsed) const {
  const int64_t possible = PartsPerBillion(raw_elapsed, slew_ppb_);
  return std::clamp(slew_left_, -possible, possible);
}

void ClockModel::AnchorRealtime(MonotonicTime moment) {
  const int64_t realtime = RealtimeAt(moment);
  const int64_t raw = RawAt(moment);
  slew_left_ -= SlewedSince(raw - realtime_raw_);
  realtime_ = realtime;
  realtime_raw_ = raw;
}

void ClockModel::SlewAt(MonotonicTime moment, Duration amount, int64_t rate_ppb) {
  CHECK_GE(rate_ppb, 0);
  AnchorRealtime(moment);
  slew_left_ = amount.count();
  slew_ppb_ = rate_ppb;
}

void ClockModel::SetFrequencyAt(MonotonicTime moment, int64_t ppb) {
  AnchorRealtime(moment);
  frequency_ppb_ = ppb;
}

void ClockModel::StepAt(MonotonicTime moment, Duration amount) {
  AnchorRealtime(moment);
  realtime_ += amount.count();
}

void ClockModel::CatchUp() {
  if (catch_up_) catch_up_();
}

void ClockModel::Record(uint64_t what, int64_t value) {
  recorder_.Fold(Happened::kClock, node_.value(), Mix(what, static_cast<uint64_t>(value)));
}

}  // namespace simulated

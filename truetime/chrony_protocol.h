// chronyd's command protocol, version 6: requests as bytes, and replies from bytes.
//
// The part that TrueTime asks with: tracking (how far off is the clock, how sure is that), and the
// list of sources (is there still one). No input or output here. All integers are big-endian. A
// request is padded with zeros to the length of its reply, so that nobody can use chronyd to
// amplify traffic; chronyd refuses a shorter one.
//
//   request  version type=1 0 0 | command:16 attempt:16 | sequence:32 | 0:32 0:32 | arguments |
//   padding reply    version type=2 0 0 | command:16 reply:16 | status:16 0:16 0:16 0:16 |
//   sequence:32 |
//            0:32 0:32 | body
//
// Decoding takes any bytes. What is not a reply to that request gives DATA_LOSS; another version
// UNIMPLEMENTED; a refusal by chronyd PERMISSION_DENIED or UNAVAILABLE.
#ifndef TRUETIME_CHRONY_PROTOCOL_H_
#define TRUETIME_CHRONY_PROTOCOL_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/time.h"

namespace truetime {

// chrony's 32-bit float: a signed exponent of 7 bits and a signed coefficient c of 25 bits,
// standing for c * 2^(exponent - 25). What was rounded to it is less than one unit of the
// coefficient away.
struct ChronyFloat {
  double value = 0;
  double rounding = 0;
};
ChronyFloat DecodeChronyFloat(uint32_t bits);

enum class ChronyLeapStatus : uint16_t {
  kNormal = 0,
  kInsertSecond = 1,
  kDeleteSecond = 2,
  kUnsynchronised = 3,
};

// The reply to `tracking`, as of the moment at which chronyd answers: the root dispersion has grown
// until then.
struct ChronyTracking {
  static constexpr uint32_t kLocalReference = 0x7F7F0101;  // chronyd follows its own clock.

  uint32_t reference_id = 0;
  std::string reference_address;  // Empty if the reference has none.
  uint16_t stratum = 0;           // 0: not synchronised.
  uint16_t leap_status = 0;       // A ChronyLeapStatus, or what a later version may send.
  runtime::Timestamp reference_time;
  // In seconds. What is to be added to CLOCK_REALTIME to get chronyd's estimate of the time.
  ChronyFloat correction;
  ChronyFloat last_offset;
  ChronyFloat rms_offset;
  // In parts per million.
  ChronyFloat frequency;
  ChronyFloat residual_frequency;
  ChronyFloat skew;
  // In seconds.
  ChronyFloat root_delay;
  ChronyFloat root_dispersion;
  ChronyFloat last_update_interval;
};

// The reply to `source data`: one of chronyd's sources.
struct ChronySourceReport {
  static constexpr uint16_t kSelected = 0;

  std::string address;
  int16_t poll = 0;  // The interval between two polls is 2^poll seconds.
  uint16_t stratum = 0;
  uint16_t state = 0;         // kSelected: the one that the clock follows.
  uint16_t reachability = 0;  // A bit for each of the last eight polls, set if it was answered.
  uint32_t seconds_since_sample = 0;
};

std::string EncodeTrackingRequest(uint32_t sequence);
std::string EncodeSourceCountRequest(uint32_t sequence);
std::string EncodeSourceRequest(uint32_t sequence, uint32_t index);

absl::StatusOr<ChronyTracking> DecodeTrackingReply(absl::string_view reply, uint32_t sequence);
absl::StatusOr<uint32_t> DecodeSourceCountReply(absl::string_view reply, uint32_t sequence);
absl::StatusOr<ChronySourceReport> DecodeSourceReply(absl::string_view reply, uint32_t sequence);

// "192.0.2.7", "[GPS]" for a reference clock, "7F7F0101" for what is not text.
std::string ChronyReferenceName(const ChronyTracking& tracking);

}  // namespace truetime

#endif  // TRUETIME_CHRONY_PROTOCOL_H_

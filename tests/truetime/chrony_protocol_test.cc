#include "truetime/chrony_protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "runtime/random.h"
#include "tests/truetime/chrony_packets.h"

namespace truetime {
namespace {

using testing::HasSubstr;

TEST(ChronyFloat, IsASignedCoefficientTimesAPowerOfTwo) {
  EXPECT_EQ(DecodeChronyFloat(0).value, 0.0);
  const uint32_t one = (uint32_t{2} << 25) | (1 << 23);  // 2^23 * 2^(2-25).
  EXPECT_EQ(DecodeChronyFloat(one).value, 1.0);
  EXPECT_EQ(DecodeChronyFloat(one).rounding, std::ldexp(1.0, -23));
  // All bits: coefficient -1, exponent -1.
  EXPECT_EQ(DecodeChronyFloat(0xFFFFFFFF).value, -std::ldexp(1.0, -26));
  // The largest and the smallest there are.
  EXPECT_EQ(DecodeChronyFloat(0x7EFFFFFF).value, std::ldexp(16777215.0, 63 - 25));
  EXPECT_EQ(DecodeChronyFloat(0x7F000000).value, std::ldexp(-16777216.0, 63 - 25));
}

TEST(ChronyFloat, AnyBitsGiveAFiniteNumber) {
  runtime::Random random(1);
  for (int i = 0; i < 100'000; ++i) {
    const ChronyFloat number = DecodeChronyFloat(static_cast<uint32_t>(random.Next()));
    ASSERT_TRUE(std::isfinite(number.value));
    ASSERT_GT(number.rounding, 0);
  }
}

TEST(ChronyRequest, IsPaddedToTheLengthOfItsReply) {
  std::string tracking("\x06\x01\0\0\0\x21\0\0\x01\x02\x03\x04", 12);
  tracking.resize(104, '\0');
  EXPECT_EQ(EncodeTrackingRequest(kSequence), tracking);
  EXPECT_EQ(EncodeSourceCountRequest(1).size(), 32u);
  const std::string source = EncodeSourceRequest(kSequence, 7);
  EXPECT_EQ(source.size(), 76u);
  EXPECT_EQ(source.substr(0, 24),
            std::string("\x06\x01\0\0\0\x0F\0\0\x01\x02\x03\x04\0\0\0\0\0\0\0\0\0\0\0\x07", 24));
}

TEST(ChronyReply, TrackingAsChronydSendsIt) {
  const auto tracking = DecodeTrackingReply(TrackingOfFollower(), kSequence);
  ASSERT_TRUE(tracking.ok()) << tracking.status();
  EXPECT_EQ(tracking->reference_id, 0x7F000001u);
  EXPECT_EQ(tracking->reference_address, "127.0.0.1");
  EXPECT_EQ(tracking->stratum, 2);
  EXPECT_EQ(tracking->leap_status, 0);
  EXPECT_EQ(tracking->reference_time, runtime::Timestamp(1795171680'311968642));
  // What chronyc printed, to the digits that it prints.
  EXPECT_NEAR(tracking->correction.value, -0.000001045, 1e-9);
  EXPECT_NEAR(tracking->last_offset.value, 0.000000004, 1e-9);
  EXPECT_NEAR(tracking->rms_offset.value, 0.000000306, 1e-9);
  EXPECT_NEAR(tracking->frequency.value, 0.008, 1e-3);  // chronyc turns its sign.
  EXPECT_NEAR(tracking->residual_frequency.value, -0.002, 1e-3);
  EXPECT_NEAR(tracking->skew.value, 0.403, 1e-3);
  EXPECT_NEAR(tracking->root_delay.value, 0.000004624, 1e-9);
  EXPECT_NEAR(tracking->root_dispersion.value, 0.000040633, 1e-6);  // It grows.
  EXPECT_NEAR(tracking->last_update_interval.value, 0.125, 0.01);
  EXPECT_EQ(ChronyReferenceName(*tracking), "127.0.0.1");
}

TEST(ChronyReply, TrackingOfALocalReference) {
  const auto tracking = DecodeTrackingReply(TrackingOfLocalReference(), kSequence);
  ASSERT_TRUE(tracking.ok()) << tracking.status();
  EXPECT_EQ(tracking->reference_id, ChronyTracking::kLocalReference);
  EXPECT_EQ(tracking->reference_address, "");
  EXPECT_EQ(tracking->stratum, 1);
  EXPECT_EQ(ChronyReferenceName(*tracking), "7F7F0101");
}

TEST(ChronyReply, Sources) {
  const auto count = DecodeSourceCountReply(OneSource(), kSequence);
  ASSERT_TRUE(count.ok()) << count.status();
  EXPECT_EQ(*count, 1u);
  const auto source = DecodeSourceReply(SelectedSource(), kSequence);
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ(source->address, "127.0.0.1");
  EXPECT_EQ(source->poll, -3);
  EXPECT_EQ(source->stratum, 1);
  EXPECT_EQ(source->state, ChronySourceReport::kSelected);
  EXPECT_EQ(source->reachability, 0xFF);
  EXPECT_EQ(source->seconds_since_sample, 0u);
  EXPECT_EQ(DecodeSourceReply(NoSuchSource(), kSequence).status().code(),
            absl::StatusCode::kNotFound);
}

TEST(ChronyReply, RefusalsAreSaid) {
  EXPECT_THAT(DecodeTrackingReply(BadLength(), kSequence).status().ToString(),
              HasSubstr("refused a command with status 19"));
  std::string unauthorised = BadLength();
  unauthorised[9] = 2;
  EXPECT_EQ(DecodeTrackingReply(unauthorised, kSequence).status().code(),
            absl::StatusCode::kPermissionDenied);
  std::string bad_version = BadLength();
  bad_version[9] = 18;
  EXPECT_EQ(DecodeTrackingReply(bad_version, kSequence).status().code(),
            absl::StatusCode::kUnimplemented);
}

TEST(ChronyReply, AnotherVersionIsSaid) {
  std::string reply = TrackingOfFollower();
  reply[0] = 7;
  const absl::Status status = DecodeTrackingReply(reply, kSequence).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(status.ToString(), HasSubstr("version 7"));
}

TEST(ChronyReply, OnlyTheAnswerToTheRequestCounts) {
  EXPECT_EQ(DecodeTrackingReply(TrackingOfFollower(), kSequence + 1).status().code(),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(DecodeSourceCountReply(TrackingOfFollower(), kSequence).status().code(),
            absl::StatusCode::kDataLoss);
  std::string request = TrackingOfFollower();
  request[1] = 1;
  EXPECT_EQ(DecodeTrackingReply(request, kSequence).status().code(), absl::StatusCode::kDataLoss);
}

TEST(ChronyReply, EveryTruncationIsAnError) {
  for (const std::string& whole : {TrackingOfFollower(), OneSource(), SelectedSource()}) {
    for (size_t length = 0; length < whole.size(); ++length) {
      const std::string part = whole.substr(0, length);
      EXPECT_EQ(DecodeTrackingReply(part, kSequence).status().code(), absl::StatusCode::kDataLoss);
      EXPECT_EQ(DecodeSourceCountReply(part, kSequence).status().code(),
                absl::StatusCode::kDataLoss);
      EXPECT_EQ(DecodeSourceReply(part, kSequence).status().code(), absl::StatusCode::kDataLoss);
    }
  }
}

TEST(ChronyReply, LongerThanKnownIsFine) {
  EXPECT_TRUE(DecodeTrackingReply(TrackingOfFollower() + "more", kSequence).ok());
}

TEST(ChronyReply, AnyBitOfItMayBeFlipped) {
  runtime::Random random(2);
  for (int i = 0; i < 100'000; ++i) {
    std::string reply = TrackingOfFollower();
    for (int64_t flips = random.Uniform(1, 20); flips > 0; --flips) {
      const auto at =
          static_cast<size_t>(random.Uniform(0, static_cast<int64_t>(reply.size()) - 1));
      reply[at] = static_cast<char>(reply[at] ^ (1 << random.Uniform(0, 7)));
    }
    const auto tracking = DecodeTrackingReply(reply, kSequence);
    if (tracking.ok()) ChronyReferenceName(*tracking);
  }
}

TEST(ChronyReferenceName, ShowsAReferenceClocksName) {
  ChronyTracking tracking;
  tracking.reference_id = 0x47505300;
  EXPECT_EQ(ChronyReferenceName(tracking), "[GPS]");
  tracking.reference_id = 0x50484330;
  EXPECT_EQ(ChronyReferenceName(tracking), "[PHC0]");
  tracking.reference_id = 0;
  EXPECT_EQ(ChronyReferenceName(tracking), "00000000");
}

}  // namespace
}  // namespace truetime

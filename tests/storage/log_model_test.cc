// The log store against a model: random writes, harm, crashes anywhere. After each crash the store
// holds all that was acknowledged and perhaps, whole and in order, some of what was under way;
// never anything else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "runtime/random.h"
#include "runtime/sleep.h"
#include "tests/storage/log_rig.h"
#include "tests/trials.h"

namespace storage {
namespace {

using runtime::Duration;
using runtime::Random;
using runtime::operator""us;
using runtime::operator""ms;
using runtime::operator""s;

// Every write also says its number here, so that what came back tells how far it goes.
constexpr GroupId kCounter{1'000'000};

struct ModelGroup {
  std::string meta;
  Slot truncated_before;
  std::map<Slot, std::string> entries;

  friend bool operator==(const ModelGroup&, const ModelGroup&) = default;
};
using ModelState = std::map<GroupId, ModelGroup>;

void Apply(const LogWrite& write, ModelState* state) {
  if (write.erase) state->erase(write.group);
  const bool says_more =
      write.meta.has_value() || write.truncate_before.has_value() || !write.entries.empty();
  if (!says_more) return;
  ModelGroup& group = (*state)[write.group];
  if (write.meta.has_value()) group.meta = *write.meta;
  group.truncated_before = std::max(group.truncated_before, write.truncate_before.value_or(Slot()));
  for (const LogEntry& entry : write.entries) group.entries[entry.slot] = entry.bytes;
  group.entries.erase(group.entries.begin(), group.entries.lower_bound(group.truncated_before));
}

// What was written, and how much of it was acknowledged.
class Model {
 public:
  explicit Model(uint64_t seed) : random_(seed) {}

  // The next write, and its number.
  std::pair<std::vector<LogWrite>, uint64_t> Next() {
    std::vector<LogWrite> writes;
    for (int64_t i = random_.Uniform(1, 3); i > 0; --i) writes.push_back(Draw());
    const uint64_t number = ++issued_;
    writes.push_back({.group = kCounter, .meta = absl::StrCat(number)});
    under_way_[number] = writes;
    return {writes, number};
  }
  void Acknowledge(uint64_t number) { acknowledged_ = std::max(acknowledged_, number); }

  // It was not taken, and must never be seen.
  void Refuse(uint64_t number) { under_way_.erase(number); }

  // What is wrong with what came back, or "". From here on that is all that was ever written.
  std::string Settle(const ModelState& found) {
    uint64_t last = 0;
    if (const auto counter = found.find(kCounter); counter != found.end()) {
      if (!absl::SimpleAtoi(counter->second.meta, &last)) return "the counter is no number";
    }
    if (last < acknowledged_) {
      return absl::StrCat("write ", acknowledged_, " was acknowledged, and what came back ends at ",
                          last);
    }
    if (last > issued_) return "what came back was never written";
    for (const auto& [number, writes] : under_way_) {
      if (number > last) break;
      for (const LogWrite& write : writes) Apply(write, &state_);
    }
    under_way_.clear();
    issued_ = acknowledged_ = last;
    return found == state_ ? "" : Difference(found);
  }

 private:
  LogWrite Draw() {
    const GroupId group(static_cast<uint64_t>(random_.Uniform(1, 12)));
    uint64_t& last = last_slot_[group];
    LogWrite write = {.group = group, .erase = random_.Chance(0.01)};
    if (random_.Chance(0.5)) write.meta = Bytes(200);
    for (int64_t i = random_.Uniform(0, 3); i > 0; --i) {
      // Mostly the next slot; some out of order, some again.
      const uint64_t slot =
          random_.Chance(0.7)
              ? last + 1
              : static_cast<uint64_t>(random_.Uniform(last > 5 ? static_cast<int64_t>(last) - 5 : 1,
                                                      static_cast<int64_t>(last) + 4));
      last = std::max(last, slot);
      write.entries.push_back({Slot(slot), Bytes(random_.Chance(0.05) ? 9000 : 300)});
    }
    if (random_.Chance(0.1)) {
      write.truncate_before = Slot(static_cast<uint64_t>(random_.Uniform(
          last > 20 ? static_cast<int64_t>(last) - 20 : 0, static_cast<int64_t>(last) + 1)));
    }
    return write;
  }

  std::string Bytes(int64_t size_max) {
    const std::string mark = absl::StrCat(random_.Next());
    std::string bytes(static_cast<size_t>(random_.Uniform(0, size_max)), 'v');
    bytes.replace(0, mark.size(), mark);
    return bytes;
  }

  std::string Difference(const ModelState& found) const {
    for (const auto& [id, group] : state_) {
      const auto other = found.find(id);
      if (other == found.end()) return absl::StrCat("group ", id.value(), " is gone");
      if (other->second != group) return absl::StrCat("group ", id.value(), " is another");
    }
    return "there is a group too many";
  }

  Random random_;
  ModelState state_;
  std::map<uint64_t, std::vector<LogWrite>> under_way_;  // Not refused, by number.
  uint64_t acknowledged_ = 0;
  uint64_t issued_ = 0;
  std::map<GroupId, uint64_t> last_slot_;
};

runtime::Task<void> WriteAndRest(LogStore* log, Model* model, Random random, const bool* quiet) {
  while (!*quiet) {
    auto [writes, number] = model->Next();
    const absl::Status written = co_await log->Write(std::move(writes));
    if (written.ok()) {
      model->Acknowledge(number);
    } else if (absl::IsUnavailable(written) || absl::IsResourceExhausted(written)) {
      model->Refuse(number);
    } else {
      co_return;
    }
    const bool rests = !written.ok() || random.Chance(0.3);
    if (rests && !(co_await runtime::SleepFor(random.Exponential(200us))).ok()) co_return;
  }
}

// Everything that is in the store, by its public face.
std::string ReadAll(LogRig* rig, ModelState* found) {
  for (RecoveredGroup& group : rig->log().TakeRecovered()) {
    ModelGroup& to = (*found)[group.group];
    to.meta = std::move(group.meta);
    to.truncated_before = group.truncated_before;
    const auto entries = rig->Read(group.group);
    if (!entries.ok()) return entries.status().ToString();
    for (const LogEntry& entry : *entries) to.entries[entry.slot] = entry.bytes;
    const Slot first = entries->empty() ? Slot() : entries->front().slot;
    const Slot last = entries->empty() ? Slot() : entries->back().slot;
    if (first != group.first || last != group.last) return "first and last slot are wrong";
  }
  return "";
}

// A machine that is used and harmed again and again.
class Loop {
 public:
  explicit Loop(uint64_t seed)
      : random_(seed), model_(seed), rig_(seed, Options(), /*buggify=*/true) {}

  // Opens the store, however long it takes, and compares it with the model.
  std::string OpenAndCheck() {
    absl::Status opened = rig_.Open();
    for (int i = 0; i < 50 && absl::IsUnavailable(opened); ++i) {
      rig_.RunFor(10ms);
      opened = rig_.Open();
    }
    if (!opened.ok()) return opened.ToString();
    ModelState found;
    if (std::string wrong = ReadAll(&rig_, &found); !wrong.empty()) return wrong;
    return model_.Settle(found);
  }

  void Use(Duration length) {
    quiet_ = false;
    for (int64_t i = random_.Uniform(1, 8); i > 0; --i) {
      rig_.Spawn(WriteAndRest(&rig_.log(), &model_, random_.Fork(), &quiet_));
    }
    rig_.RunFor(random_.Uniform(0us, length));
  }

  // No further writes; those under way have time to end.
  void Rest(Duration length) {
    quiet_ = true;
    rig_.RunFor(length);
  }

  LogRig& rig() { return rig_; }
  Random& random() { return random_; }

 private:
  LogStoreOptions Options() {
    return {.segment_bytes = static_cast<size_t>(random_.Uniform(32, 256)) << 10,
            .cache_bytes_max = random_.Chance(0.5) ? size_t{0} : size_t{64} << 10};
  }

  Random random_;
  Model model_;
  bool quiet_ = false;
  LogRig rig_;
};

TEST(LogModel, ACrashAnywhereTakesNothingThatWasAcknowledged) {
  for (uint64_t seed = 1; seed <= tests::Trials(100); ++seed) {
    SCOPED_TRACE(seed);
    Loop loop(seed);
    for (int crash = 0; crash < 25; ++crash) {
      SCOPED_TRACE(crash);
      // Recovery may be crashed too.
      if (loop.random().Chance(0.2)) {
        loop.rig().SpawnOpen();
        loop.rig().RunFor(loop.random().Uniform(0us, 2ms));
        loop.rig().Crash();
      }
      ASSERT_EQ(loop.OpenAndCheck(), "");
      loop.Use(loop.random().Chance(0.2) ? 100ms : 5ms);
      if (loop.random().Chance(0.1)) loop.rig().Close();
      loop.rig().Crash();
    }
  }
}

TEST(LogModel, NeitherDoCrashesOfAFailingDisk) {
  for (uint64_t seed = 1; seed <= tests::Trials(60); ++seed) {
    SCOPED_TRACE(seed);
    Loop loop(seed);
    for (int crash = 0; crash < 15; ++crash) {
      SCOPED_TRACE(crash);
      simulated::SimulatedDisk& disk = loop.rig().disk();
      ASSERT_EQ(loop.OpenAndCheck(), "");
      disk.faults().sync_error = loop.random().Chance(0.5) ? 0.05 : 0;
      disk.faults().write_error = loop.random().Chance(0.5) ? 0.02 : 0;
      disk.faults().read_flip = loop.random().Chance(0.3) ? 0.02 : 0;
      if (loop.random().Chance(0.3)) disk.SetCapacity(disk.used_bytes() + 100'000);
      loop.Use(300ms);
      if (loop.random().Chance(0.5)) {
        disk.faults() = {};
        disk.SetCapacity(uint64_t{1} << 40);
        loop.Rest(5s);
        ASSERT_EQ(loop.rig().log().state(), LogState::kHealthy);
      }
      loop.rig().Crash();
      disk.faults() = {};
      disk.SetCapacity(uint64_t{1} << 40);
    }
  }
}

// Every operation of a run fails once, in its turn.
TEST(LogModel, AnyOperationMayFail) {
  for (uint64_t operation = 1; operation <= tests::Trials(400); ++operation) {
    SCOPED_TRACE(operation);
    Loop loop(7);
    loop.rig().disk().faults().fail_at = operation;
    ASSERT_EQ(loop.OpenAndCheck(), "");
    loop.Use(20ms);
    loop.Rest(5s);
    ASSERT_EQ(loop.rig().log().state(), LogState::kHealthy);
    loop.rig().Crash();
    ASSERT_EQ(loop.OpenAndCheck(), "");
  }
}

TEST(LogModel, OneBadBitAnywhereIsDetectedOrHarmlessAndRepaired) {
  double bad_copies = 0;
  for (uint64_t seed = 1; seed <= tests::Trials(80); ++seed) {
    SCOPED_TRACE(seed);
    Loop loop(seed);
    ASSERT_EQ(loop.OpenAndCheck(), "");
    for (int trial = 0; trial < 25; ++trial) {
      SCOPED_TRACE(trial);
      loop.Use(3ms);
      loop.rig().Crash();
      ASSERT_TRUE(loop.rig().disk().FlipRandomBit());
      ASSERT_EQ(loop.OpenAndCheck(), "");
      // The next one comes when this one has been repaired.
      loop.rig().RunFor(1s);
      bad_copies += loop.rig().Metric("isochron_log_bad_copies_total");
    }
  }
  EXPECT_GT(bad_copies, tests::Trials(500));
}

TEST(LogModel, SoIsOneThatFlipsWhileTheStoreIsOpen) {
  for (uint64_t seed = 1; seed <= tests::Trials(40); ++seed) {
    SCOPED_TRACE(seed);
    Loop loop(seed);
    for (int trial = 0; trial < 10; ++trial) {
      SCOPED_TRACE(trial);
      ASSERT_EQ(loop.OpenAndCheck(), "");
      loop.Use(3ms);
      ASSERT_TRUE(loop.rig().disk().FlipRandomBit());
      loop.rig().RunFor(100ms);
      for (uint64_t group = 1; group <= 12; ++group) {
        ASSERT_TRUE(loop.rig().Read(GroupId(group)).ok());
      }
      ASSERT_EQ(loop.rig().log().state(), LogState::kHealthy);
      loop.rig().Crash();
      ASSERT_EQ(loop.OpenAndCheck(), "");
      loop.rig().RunFor(1s);
      loop.rig().Crash();
    }
  }
}

}  // namespace
}  // namespace storage

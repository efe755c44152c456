// Sentences of the Spanner paper (Corbett et al., OSDI 2012) about locks, and of the paper that
// wound-wait is from, each with a test that the kernel keeps it.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/txn/kernel/lock_story.h"

namespace txn {
namespace {

std::string Play(LockStory* story, const std::vector<std::string>& commands) {
  std::string last;
  for (const std::string& command : commands) last = story->Do(command);
  EXPECT_FALSE(story->failed());
  return last;
}

// 4.2.1: reads within read-write transactions use "wound-wait to avoid deadlocks". What a client
// reads is locked shared at the leader.
TEST(SpannerPaper, ReadsTakeSharedLocksByWoundWait) {
  LockStory story;
  EXPECT_EQ(Play(&story, {"begin Old Young", "Old wants 1 shared k", "Young wants 2 shared k"}),
            "granted\n");
  EXPECT_EQ(Play(&story, {"Young wants 3 exclusive k"}), "waits for Old\n");
  EXPECT_EQ(Play(&story, {"Old wants 4 exclusive k", "Young wants 5 shared x"}),
            "refused: wounded\n");
}

// 4.2.1: a participant "first acquires write locks. It then chooses a prepare timestamp". Ours is
// prepared only when it waits for none.
TEST(SpannerPaper, AParticipantAcquiresItsWriteLocksBeforeItIsPrepared) {
  LockStory story;
  Play(&story, {"begin A B", "A wants 1 exclusive k", "B wants 2 exclusive x"});
  EXPECT_EQ(Play(&story, {"B wants 3 exclusive k"}), "waits for A\n");
  EXPECT_EQ(Play(&story, {"B prepares"}), "refused\n");
  EXPECT_EQ(Play(&story, {"A ends"}), "request 3 is granted\n");
  EXPECT_EQ(Play(&story, {"B prepares"}), "prepared\n");
}

// Rosenkrantz, Stearns, Lewis 1978: of two in conflict, an older requester wounds the younger, and
// a younger requester waits.
TEST(WoundWait, SettlesBothOrdersOfTheSameConflictByAge) {
  for (const bool older_first : {true, false}) {
    LockStory story;
    const std::string first = older_first ? "Old" : "Young";
    const std::string second = older_first ? "Young" : "Old";
    Play(&story, {"begin Old Young", first + " wants 1 exclusive k"});
    Play(&story, {second + " wants 2 exclusive k"});
    EXPECT_EQ(Play(&story, {"Old holds exclusive k"}), "yes\n") << first << " asks first";
  }
}

}  // namespace
}  // namespace txn

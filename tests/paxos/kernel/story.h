// Story: replicas of one group as a scenario file drives them, command by command; what happens comes
// back as text (tests/paxos/scenarios/README.md has the commands).
#ifndef TESTS_PAXOS_KERNEL_STORY_H_
#define TESTS_PAXOS_KERNEL_STORY_H_

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "tests/paxos/kernel/node.h"
#include "tests/paxos/kernel/watchers.h"

namespace paxos {

class Story {
 public:
  // Carries out one line; what happened, in whole lines.
  std::string Do(const std::string& line);
  // A rule was broken, in a story that did not switch one off.
  bool failed() const { return failed_; }

 private:
  using Words = std::vector<std::string>;

  struct Actor {
    explicit Actor(KernelNode made) : node(std::move(made)) {}

    KernelNode node;
    Duration offset{};
    Duration epsilon{5};
    bool time_safe = true;
    bool slow_disk = false;
    truetime::Interval last{Timestamp::Min(), Timestamp::Min()};  // TT-MONOTONE.
    Role role = Role::kFollower;                                  // As it was told last.
    std::optional<Fetch> fetch;
  };

  // Which of the messages under way: "from 1", "to 2", a kind, or several of them.
  struct Filter {
    std::optional<ReplicaId> from;
    std::optional<ReplicaId> to;
    std::string kind;

    bool Matches(const Message& message) const;
  };

  // --- Commands ---
  void Group(const Words& words);
  void Clock(const Words& words);
  void Tick(const Words& words);
  void Carry(const Words& words);
  void Save(const Words& words);
  void Restart(const Words& words);
  void Propose(const Words& words);
  void Reconfigure(const Words& words);
  void Learn(const Words& words);
  void Run(const Words& words);
  void State();

  Actor& Named(const std::string& word);
  std::vector<Actor*> NamedOrAll(const Words& words, size_t from);
  static Filter ParseFilter(const Words& words);
  void AddActor(Disk disk);
  Moment Now(Actor& actor);
  void DeliverAll(const Filter& filter);
  void Deliver(const Message& message);
  bool Teach(Actor& actor, Actor& source);
  // What the kernel wants done, is done, and told.
  void Settle(Actor& actor);
  void Persist(Actor& actor);
  void TellSave(const Actor& actor, const paxos::Save& save, const char* how);
  void Look();
  template <typename... Parts>
  void Say(const Parts&... parts);
  // Left out while time runs by itself.
  template <typename... Parts>
  void Whisper(const Parts&... parts);

  ReplicaOptions options_;
  std::map<ReplicaId, std::unique_ptr<Actor>> actors_;
  std::optional<KernelWatchers> watchers_;
  std::list<Message> under_way_;
  Timestamp now_{1000};
  bool quiet_ = false;
  bool failed_ = false;
  bool rule_is_off_ = false;
  bool told_violation_ = false;
  std::ostringstream out_;
};

}  // namespace paxos

#endif  // TESTS_PAXOS_KERNEL_STORY_H_

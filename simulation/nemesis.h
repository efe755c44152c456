// Nemesis: brings harm to a simulated cluster, and takes it back.
//
// Each seed draws which kinds of harm are in use at all (a swarm: what is never done in a run lets
// other states be reached), then when, to whom and for how long. Several kinds may be at work at
// once, one of each kind per node. Lives on the universe's executor; the universe outlives it.
#ifndef SIMULATION_NEMESIS_H_
#define SIMULATION_NEMESIS_H_

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runtime/simulated/universe.h"
#include "runtime/task.h"

namespace simulation {

// One kind of harm. `inflict` does it to a node and returns what undoes it; null if the node is in
// no state for it.
struct Harm {
  const char* name;
  std::function<std::function<void()>(simulated::NodeWorld*)> inflict;
};

// The kinds there are, by what they strike. `universe` outlives them.
std::vector<Harm> ProcessHarms(simulated::Universe* universe);
// All within the bounds: TT-CONTAINS must hold.
std::vector<Harm> ClockHarms(simulated::Universe* universe);
std::vector<Harm> NetworkHarms(simulated::Universe* universe);
// What a program can see and recover from by itself; not bits that flip, which need a copy
// elsewhere.
std::vector<Harm> DiskHarms(simulated::Universe* universe);

// All of these kinds. One that is named twice strikes twice as often.
std::vector<Harm> AllOf(std::initializer_list<std::vector<Harm>> kinds);

struct NemesisOptions {
  std::vector<Harm> harms;
  // From one blow to the next, and how long a harm lasts, in the mean; exponentially distributed.
  runtime::Duration blow_every{std::chrono::milliseconds(1500)};
  runtime::Duration harm_lasts{std::chrono::seconds(3)};
};

class Nemesis {
 public:
  Nemesis(simulated::Universe* universe, NemesisOptions options);
  Nemesis(const Nemesis&) = delete;
  Nemesis& operator=(const Nemesis&) = delete;

  // Strikes the nodes that there are, for `length`, then heals all.
  runtime::Task<void> Reign(runtime::Duration length);

 private:
  void Strike();
  runtime::Task<void> UndoLater(std::string key);
  void Undo(const std::string& key);
  void HealAll();

  simulated::Universe& universe_;
  NemesisOptions options_;
  runtime::Random random_;
  // What is at work, by kind and victim, with what undoes it.
  std::map<std::string, std::function<void()>> at_work_;
};

}  // namespace simulation

#endif  // SIMULATION_NEMESIS_H_

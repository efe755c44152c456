#include "workload/checker/model.h"

namespace checker {
namespace {

constexpr Model kModels[] = {
    {"strict-serializable", "one at a time, in real-time order", CycleClass::kG2Item,
     Level::kRealTime, true, true},
    {"strong-session-serializable", "one at a time, each process in its order", CycleClass::kG2Item,
     Level::kProcess, true, true},
    {"serializable", "one at a time, in any order", CycleClass::kG2Item, Level::kPlain, true, true},
    {"snapshot-isolation", "each reads a snapshot, and no two write the same at once",
     CycleClass::kGNonadjacent, Level::kPlain, true, true},
    {"read-committed", "nobody sees what was aborted or was not finished", CycleClass::kG1c,
     Level::kPlain, false, true},
    {"read-uncommitted", "writes of two are not interleaved", CycleClass::kG0, Level::kPlain, false,
     false},
};

}  // namespace

bool Model::Forbids(absl::string_view anomaly) const {
  if (anomaly == "lost-update") return forbids_lost_update;
  if (anomaly == "G1a" || anomaly == "G1b") return forbids_dirty_reads;
  return true;
}

absl::Span<const Model> Models() { return kModels; }

const Model* FindModel(absl::string_view name) {
  for (const Model& model : kModels) {
    if (name == model.name) return &model;
  }
  return nullptr;
}

const Model& StrictSerializable() { return kModels[0]; }

}  // namespace checker

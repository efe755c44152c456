// WorkStep: how far a long piece of work over stored keys has come.
#ifndef STORAGE_WORK_STEP_H_
#define STORAGE_WORK_STEP_H_

#include <cstdint>
#include <optional>
#include <string>

namespace storage {

struct WorkStep {
  // Where to go on; none at the end.
  std::optional<std::string> resume;
  uint64_t examined = 0;  // Entries.
  uint64_t deleted = 0;
};

}  // namespace storage

#endif  // STORAGE_WORK_STEP_H_

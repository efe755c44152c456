// Generations: how a store's directory is emptied in one step that no crash can halve.
//
// Each opening of an empty store has a directory of its own, named by its number. The highest is
// the store; the others are what was thrown away, and are removed when there is time. So making the
// next one is what wipes a store.
#ifndef STORAGE_GENERATION_H_
#define STORAGE_GENERATION_H_

#include <leveldb/env.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace storage {

// The directory of the newest generation, after removing the older ones. Makes `directory` if it is
// not there; a first generation is for whoever opens it to make.
absl::StatusOr<std::string> NewestGeneration(leveldb::Env* files, const std::string& directory);

// Makes the next generation, durably, and removes the older ones.
absl::Status StartNextGeneration(leveldb::Env* files, const std::string& directory);

}  // namespace storage

#endif  // STORAGE_GENERATION_H_

#include "storage/generation.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "runtime/status_macros.h"
#include "storage/database.h"

namespace storage {
namespace {

std::string GenerationPath(const std::string& directory, uint64_t generation) {
  return absl::StrFormat("%s/%06d", directory, generation);
}

// Oldest first.
absl::StatusOr<std::vector<uint64_t>> Generations(leveldb::Env* files,
                                                  const std::string& directory) {
  std::vector<std::string> children;
  RETURN_IF_ERROR(FromLevelDb(files->GetChildren(directory, &children)));
  std::vector<uint64_t> generations;
  for (const std::string& name : children) {
    uint64_t generation = 0;
    if (absl::SimpleAtoi(name, &generation)) generations.push_back(generation);
  }
  std::sort(generations.begin(), generations.end());
  return generations;
}

// What cannot be removed now is removed by a later opening.
void RemoveGeneration(leveldb::Env* files, const std::string& path) {
  std::vector<std::string> children;
  files->GetChildren(path, &children);
  for (const std::string& name : children) {
    if (name != "." && name != "..") files->RemoveFile(absl::StrCat(path, "/", name));
  }
  files->RemoveDir(path);
}

// A leveldb::Env syncs a directory only along with a file in it that has a MANIFEST's name.
absl::Status SyncDirectory(leveldb::Env* files, const std::string& directory) {
  const std::string path = directory + "/MANIFEST-sync";
  leveldb::WritableFile* opened = nullptr;
  RETURN_IF_ERROR(FromLevelDb(files->NewWritableFile(path, &opened)));
  const std::unique_ptr<leveldb::WritableFile> file(opened);
  RETURN_IF_ERROR(FromLevelDb(file->Sync()));
  return FromLevelDb(file->Close());
}

}  // namespace

absl::StatusOr<std::string> NewestGeneration(leveldb::Env* files, const std::string& directory) {
  if (!files->FileExists(directory)) RETURN_IF_ERROR(FromLevelDb(files->CreateDir(directory)));
  ASSIGN_OR_RETURN(const std::vector<uint64_t> generations, Generations(files, directory));
  if (generations.empty()) return GenerationPath(directory, 1);
  for (const uint64_t generation : generations) {
    if (generation == generations.back()) break;
    RemoveGeneration(files, GenerationPath(directory, generation));
  }
  return GenerationPath(directory, generations.back());
}

absl::Status StartNextGeneration(leveldb::Env* files, const std::string& directory) {
  if (!files->FileExists(directory)) RETURN_IF_ERROR(FromLevelDb(files->CreateDir(directory)));
  ASSIGN_OR_RETURN(const std::vector<uint64_t> generations, Generations(files, directory));
  const uint64_t newest = generations.empty() ? 0 : generations.back();
  RETURN_IF_ERROR(FromLevelDb(files->CreateDir(GenerationPath(directory, newest + 1))));
  RETURN_IF_ERROR(SyncDirectory(files, directory));
  for (const uint64_t generation : generations) {
    RemoveGeneration(files, GenerationPath(directory, generation));
  }
  return absl::OkStatus();
}

}  // namespace storage

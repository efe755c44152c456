#include "tests/bench/paxos/folder.h"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"

namespace bench {

absl::StatusOr<Folder> Folder::Make(const std::string& parent) {
  std::error_code error;
  const std::string where =
      parent.empty() ? std::filesystem::temp_directory_path(error).string() : parent;
  std::string path = absl::StrCat(where, "/isochron-bench-XXXXXX");
  if (error || mkdtemp(path.data()) == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("no folder can be made in '", where, "': ", strerror(errno)));
  }
  return Folder(std::move(path));
}

Folder::Folder(Folder&& other) noexcept : path_(std::exchange(other.path_, "")) {}

Folder::~Folder() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Folder::Sub(absl::string_view name) const {
  const std::string path = absl::StrCat(path_, "/", name);
  std::error_code error;
  std::filesystem::create_directories(path, error);
  CHECK(!error) << path << ": " << error.message();
  return path;
}

void Folder::Remove(absl::string_view name) const {
  std::error_code ignored;
  std::filesystem::remove_all(absl::StrCat(path_, "/", name), ignored);
}

}  // namespace bench

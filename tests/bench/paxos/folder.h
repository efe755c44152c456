// Folder: a directory of the benchmark's own, which goes with all that is in it.
#ifndef TESTS_BENCH_PAXOS_FOLDER_H_
#define TESTS_BENCH_PAXOS_FOLDER_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace bench {

class Folder {
 public:
  // A new one in `parent`, which must be there; empty: in the system's temporary directory.
  // UNAVAILABLE with a sentence.
  static absl::StatusOr<Folder> Make(const std::string& parent);
  Folder(Folder&& other) noexcept;
  Folder& operator=(Folder&&) = delete;
  ~Folder();

  const std::string& path() const { return path_; }
  // A new directory in it.
  std::string Sub(absl::string_view name) const;
  // Takes one away again, with all that is in it.
  void Remove(absl::string_view name) const;

 private:
  explicit Folder(std::string path) : path_(std::move(path)) {}

  std::string path_;  // Empty: it was moved from.
};

}  // namespace bench

#endif  // TESTS_BENCH_PAXOS_FOLDER_H_

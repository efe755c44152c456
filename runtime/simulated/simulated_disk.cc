#include "runtime/simulated/simulated_disk.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/check.h"

namespace simulated {
namespace {

std::string ParentOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

absl::string_view BaseName(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? path : path.substr(slash + 1);
}

bool IsManifest(absl::string_view path) { return absl::StartsWith(BaseName(path), "MANIFEST"); }

leveldb::Status NoSuchFile(const std::string& path) {
  return leveldb::Status::NotFound(path, "no such file or directory");
}

}  // namespace

SimulatedDisk::SimulatedDisk(Recorder* recorder, NodeId node, DiskOptions options, uint64_t seed)
    : recorder_(*recorder), node_(node), options_(options), random_(seed) {}

// ---- What every operation goes through.

leveldb::Status SimulatedDisk::Begin(Operation operation, absl::string_view path) {
  ++counts_.operations;
  cost_ += options_.operation_time;
  recorder_.Fold(Happened::kFile, node_.value(),
                 Mix(static_cast<uint64_t>(operation), HashBytes(path)));
  if (!DrawError(operation)) return leveldb::Status::OK();
  ++counts_.errors;
  if (recorder_.tracing()) recorder_.Trace(node_, absl::StrCat("disk error ", path));
  return leveldb::Status::IOError(std::string(path), "simulated I/O error");
}

bool SimulatedDisk::DrawError(Operation operation) {
  if (faults_.fail_at > 0 && --faults_.fail_at == 0) return true;
  if (operation == Operation::kSync && std::exchange(faults_.fail_next_sync, false)) return true;
  const double probability = operation == Operation::kRead   ? faults_.read_error
                             : operation == Operation::kSync ? faults_.sync_error
                                                             : faults_.write_error;
  return probability > 0 && random_.Chance(probability);
}

leveldb::Status SimulatedDisk::CheckParent(const std::string& path) const {
  const std::string parent = ParentOf(path);
  if (parent.empty()) return leveldb::Status::OK();
  const auto found = names_.find(parent);
  const bool is_directory = found != names_.end() && found->second == nullptr;
  return is_directory ? leveldb::Status::OK() : NoSuchFile(path);
}

void SimulatedDisk::Apply(const DirectoryChange& change, Names* names) {
  switch (change.kind) {
    case DirectoryChange::Kind::kAdd:
      (*names)[change.path] = change.file;
      break;
    case DirectoryChange::Kind::kRemove:
      names->erase(change.path);
      break;
    case DirectoryChange::Kind::kRename: {
      const auto moved = names->extract(change.path);
      if (!moved.empty()) (*names)[change.target] = moved.mapped();
      break;
    }
  }
}

void SimulatedDisk::Change(DirectoryChange change) {
  change.sequence = ++sequence_;
  if (change.file != nullptr) change.file->created = sequence_;
  Apply(change, &names_);
  journal_.push_back(std::move(change));
}

void SimulatedDisk::Release(const std::string& path) {
  const auto found = names_.find(path);
  if (found != names_.end() && found->second != nullptr) used_bytes_ -= found->second->data.size();
}

// ---- Operations.

leveldb::Status SimulatedDisk::Create(const std::string& path, FilePtr* file) {
  leveldb::Status status = Begin(Operation::kDirectory, path);
  if (status.ok()) status = CheckParent(path);
  if (!status.ok()) return status;
  // A file that is cut to nothing is a new one: until that is durable, the old one may come back.
  Release(path);
  *file = std::make_shared<File>();
  Change({0, DirectoryChange::Kind::kAdd, path, "", *file});
  return leveldb::Status::OK();
}

leveldb::Status SimulatedDisk::Open(const std::string& path, FilePtr* file) {
  const leveldb::Status status = Begin(Operation::kRead, path);
  if (!status.ok()) return status;
  const auto found = names_.find(path);
  if (found == names_.end() || found->second == nullptr) return NoSuchFile(path);
  *file = found->second;
  return leveldb::Status::OK();
}

std::vector<std::string> SimulatedDisk::Children(const std::string& directory) const {
  std::vector<std::string> children;
  for (const auto& [path, file] : names_) {
    if (ParentOf(path) == directory) children.emplace_back(BaseName(path));
  }
  return children;
}

leveldb::Status SimulatedDisk::Remove(const std::string& path) {
  const leveldb::Status status = Begin(Operation::kDirectory, path);
  if (!status.ok()) return status;
  if (!Exists(path)) return NoSuchFile(path);
  Release(path);
  Change({0, DirectoryChange::Kind::kRemove, path, "", nullptr});
  return leveldb::Status::OK();
}

leveldb::Status SimulatedDisk::Rename(const std::string& from, const std::string& to) {
  leveldb::Status status = Begin(Operation::kDirectory, to);
  if (status.ok()) status = CheckParent(to);
  if (!status.ok()) return status;
  if (!Exists(from)) return NoSuchFile(from);
  if (from == to) return leveldb::Status::OK();
  Release(to);
  Change({0, DirectoryChange::Kind::kRename, from, to, nullptr});
  return leveldb::Status::OK();
}

leveldb::Status SimulatedDisk::MakeDirectory(const std::string& path) {
  leveldb::Status status = Begin(Operation::kDirectory, path);
  if (status.ok()) status = CheckParent(path);
  if (!status.ok()) return status;
  if (Exists(path)) return leveldb::Status::IOError(path, "exists already");
  Change({0, DirectoryChange::Kind::kAdd, path, "", nullptr});
  return leveldb::Status::OK();
}

leveldb::Status SimulatedDisk::RemoveDirectory(const std::string& path) {
  if (!Children(path).empty()) return leveldb::Status::IOError(path, "directory not empty");
  return Remove(path);
}

leveldb::Status SimulatedDisk::Append(const std::string& path, const FilePtr& file,
                                      absl::string_view data) {
  const leveldb::Status status = Begin(Operation::kWrite, path);
  if (!status.ok()) return status;
  const uint64_t room = options_.capacity_bytes - std::min(used_bytes_, options_.capacity_bytes);
  const absl::string_view fitting =
      data.substr(0, static_cast<size_t>(std::min<uint64_t>(room, data.size())));
  recorder_.Fold(Happened::kFile, node_.value(), HashBytes(fitting));
  cost_ +=
      Duration(static_cast<int64_t>(fitting.size()) * 1'000'000'000 / options_.bytes_per_second);
  file->data.append(fitting.data(), fitting.size());
  used_bytes_ += fitting.size();
  file->appended.push_back({++sequence_, file->data.size()});
  if (fitting.size() == data.size()) return leveldb::Status::OK();
  ++counts_.errors;
  return leveldb::Status::IOError(path, "no space left on device");
}

leveldb::Status SimulatedDisk::Sync(const std::string& path, const FilePtr& file) {
  const leveldb::Status status = Begin(Operation::kSync, path);
  if (!status.ok()) {
    // Those before it, in the same window, have taken place.
    file->sync_failed_at = std::min(file->sync_failed_at, sequence_);
    return status;
  }
  ++counts_.syncs;
  cost_ += DrawSyncTime();
  ++sequence_;
  const uint64_t journal_up_to = IsManifest(path) ? sequence_ : file->created;
  syncs_.push_back({sequence_, file, file->data.size(), journal_up_to});
  if (!in_window_) Commit(sequence_);
  return leveldb::Status::OK();
}

Duration SimulatedDisk::DrawSyncTime() {
  // What the work under way has cost so far has passed by then: it waits for a stall once.
  const Duration stalled = std::max(stalled_until_ - (recorder_.now() + cost_), Duration::zero());
  return stalled + options_.sync_min + random_.Exponential(options_.sync_mean);
}

leveldb::Status SimulatedDisk::Read(const std::string& path, const FilePtr& file, uint64_t offset,
                                    size_t size, char* scratch, size_t* read) {
  *read = 0;
  const leveldb::Status status = Begin(Operation::kRead, path);
  if (!status.ok()) return status;
  if (offset >= file->data.size()) return leveldb::Status::OK();
  *read = std::min(size, file->data.size() - static_cast<size_t>(offset));
  std::memcpy(scratch, file->data.data() + offset, *read);
  cost_ += Duration(static_cast<int64_t>(*read) * 1'000'000'000 / options_.bytes_per_second);
  if (*read > 0 && faults_.read_flip > 0 && random_.Chance(faults_.read_flip)) {
    const int64_t bit = random_.Uniform(0, static_cast<int64_t>(*read) * 8 - 1);
    scratch[bit / 8] = static_cast<char>(scratch[bit / 8] ^ (1 << (bit % 8)));
    ++counts_.flipped_bits;
  }
  return leveldb::Status::OK();
}

// ---- Durability.

void SimulatedDisk::OpenWindow() {
  CHECK(!in_window_) << "blocking work was started inside blocking work";
  in_window_ = true;
  cost_ = Duration::zero();
}

SimulatedDisk::Window SimulatedDisk::CloseWindow() {
  in_window_ = false;
  return {sequence_, std::exchange(cost_, Duration::zero())};
}

void SimulatedDisk::Commit(uint64_t window_end) {
  while (!syncs_.empty() && syncs_.front().sequence <= window_end) {
    MakeDurable(syncs_.front());
    syncs_.pop_front();
  }
  committed_ = std::max(committed_, window_end);
}

void SimulatedDisk::MakeDurable(const SyncPoint& point) {
  MakeJournalDurable(point.journal_up_to);
  File& file = *point.file;
  if (point.sequence > file.sync_failed_at) return;
  file.durable_size = std::max(file.durable_size, point.size);
  std::erase_if(file.appended,
                [&file](const File::Mark& mark) { return mark.size <= file.durable_size; });
}

void SimulatedDisk::MakeJournalDurable(uint64_t up_to) {
  while (!journal_.empty() && journal_.front().sequence <= up_to) {
    Apply(journal_.front(), &durable_names_);
    journal_.pop_front();
  }
}

// ---- Faults.

void SimulatedDisk::Crash() {
  CHECK(!in_window_);
  // Often the last thing that the program did has taken place, though it was not told.
  const uint64_t cut =
      random_.Chance(0.5) ? sequence_
                          : static_cast<uint64_t>(random_.Uniform(static_cast<int64_t>(committed_),
                                                                  static_cast<int64_t>(sequence_)));
  const bool power_lost = random_.Chance(0.75);
  Commit(cut);
  syncs_.clear();
  CutJournal(cut, power_lost);
  used_bytes_ = 0;
  for (auto& [path, file] : durable_names_) {
    if (file == nullptr) continue;
    CutFile(path, file.get(), cut, power_lost);
    used_bytes_ += file->data.size();
  }
  names_ = durable_names_;
  committed_ = sequence_;
  cost_ = Duration::zero();
}

void SimulatedDisk::CutJournal(uint64_t cut, bool power_lost) {
  const auto later = std::find_if(journal_.begin(), journal_.end(),
                                  [cut](const auto& change) { return change.sequence > cut; });
  journal_.erase(later, journal_.end());
  const auto surviving = power_lost ? random_.Uniform(0, static_cast<int64_t>(journal_.size()))
                                    : static_cast<int64_t>(journal_.size());
  for (int64_t i = 0; i < surviving; ++i) Apply(journal_[static_cast<size_t>(i)], &durable_names_);
  journal_.clear();
}

void SimulatedDisk::CutFile(const std::string& path, File* file, uint64_t cut, bool power_lost) {
  size_t size = file->data.size();
  for (const File::Mark& mark : file->appended) {
    // The first append past the cut never happened: the file is what the one before left.
    if (mark.sequence <= cut) continue;
    size = file->durable_size;
    for (const File::Mark& earlier : file->appended) {
      if (earlier.sequence <= cut) size = std::max(size, earlier.size);
    }
    break;
  }
  file->data.resize(size);
  if (power_lost && size > file->durable_size) Tear(path, file);
  file->durable_size = file->data.size();
  file->created = 0;
  file->sync_failed_at = kNever;
  file->appended.clear();
}

void SimulatedDisk::Tear(const std::string& path, File* file) {
  constexpr size_t kSectorBytes = 512;
  const size_t written = file->data.size();
  const auto keep = static_cast<size_t>(
      random_.Uniform(static_cast<int64_t>(file->durable_size), static_cast<int64_t>(written)));
  ++counts_.torn_files;
  file->data.resize(keep);
  const bool garble = options_.garble_manifest || !IsManifest(path);
  switch (garble ? random_.Uniform(0, 3) : 0) {
    case 0:
    case 1:
      break;   // A clean cut.
    case 2: {  // The sector that was being written holds anything.
      const size_t end = std::min(written, (keep / kSectorBytes + 1) * kSectorBytes);
      while (file->data.size() < end) file->data.push_back(static_cast<char>(random_.Next()));
      break;
    }
    case 3:  // The length made it to the disk, the bytes did not.
      file->data.resize(written, '\0');
      break;
  }
}

void SimulatedDisk::Stall(Duration length) {
  stalled_until_ = std::max(stalled_until_, recorder_.now() + length);
}

bool SimulatedDisk::FlipBit(const std::string& path, uint64_t bit) {
  const auto found = names_.find(path);
  if (found == names_.end() || found->second == nullptr) return false;
  std::string& data = found->second->data;
  if (bit / 8 >= data.size()) return false;
  data[bit / 8] = static_cast<char>(data[bit / 8] ^ (1 << (bit % 8)));
  ++counts_.flipped_bits;
  recorder_.Fold(Happened::kFile, node_.value(), bit);
  if (recorder_.tracing()) recorder_.Trace(node_, absl::StrCat("bit ", bit, " flips in ", path));
  return true;
}

bool SimulatedDisk::FlipRandomBit() {
  if (used_bytes_ == 0) return false;
  auto at = static_cast<uint64_t>(random_.Uniform(0, static_cast<int64_t>(used_bytes_) - 1));
  for (const auto& [path, file] : names_) {
    if (file == nullptr) continue;
    if (at < file->data.size()) {
      return FlipBit(path, at * 8 + static_cast<uint64_t>(random_.Uniform(0, 7)));
    }
    at -= file->data.size();
  }
  return false;
}

void SimulatedDisk::Wipe() {
  names_.clear();
  durable_names_.clear();
  journal_.clear();
  syncs_.clear();
  used_bytes_ = 0;
  committed_ = sequence_;
}

std::vector<std::string> SimulatedDisk::Paths() const {
  std::vector<std::string> paths;
  for (const auto& [path, file] : names_) {
    if (file != nullptr) paths.push_back(path);
  }
  return paths;
}

// ---- LevelDB's background work.

void SimulatedDisk::Schedule(void (*function)(void*), void* argument) {
  background_.emplace_back(function, argument);
  if (background_.size() == 1 && !running_background_ && scheduled_) scheduled_();
}

void SimulatedDisk::RunBackgroundWork() {
  if (running_background_) return;
  running_background_ = true;
  while (!background_.empty()) {
    const auto [function, argument] = background_.front();
    background_.pop_front();
    ++counts_.background_runs;
    function(argument);
  }
  running_background_ = false;
  background_was_passed_over_ = false;
}

void SimulatedDisk::MayRunBackgroundWork() {
  if (background_.empty() || running_background_) return;
  if (background_was_passed_over_ || random_.Chance(0.5)) {
    RunBackgroundWork();
  } else {
    background_was_passed_over_ = true;
  }
}

}  // namespace simulated

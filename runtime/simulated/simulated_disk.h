// SimulatedDisk: the disk of one simulated machine. It knows what was synced; a crash loses or
// tears what was not.
//
// Model:       files hold bytes, of which a prefix is durable. Creations, renames and deletions
//              stand in one journal and become durable in order (as on ext4 and xfs). Syncing a
//              file makes its bytes durable, and the journal up to its creation; syncing a MANIFEST
//              the whole journal, since LevelDB's POSIX Env then syncs the directory. A sync that
//              failed has lost those bytes for good, though later ones succeed (as on Linux).
// Crash:       of each file a drawn prefix of what was not durable survives, perhaps with a garbled
//              or zeroed tail; of the journal a drawn prefix. In some crashes only the process
//              dies, and all that it wrote survives.
// Windows:     what runs inside RunInWindow() takes effect at once for the program, but has taken
//              place only when virtual time has passed and Commit() was called. A crash in between
//              is a crash at a drawn operation of the window: what came later never happened.
// LevelDB:     its background work is queued (see SimulatedEnv) and run by RunBackgroundWork(),
//              never inside the call that scheduled it.
// Lifetime:    the machine's; incarnations come and go with an Env each.
#ifndef RUNTIME_SIMULATED_SIMULATED_DISK_H_
#define RUNTIME_SIMULATED_SIMULATED_DISK_H_

#include <leveldb/status.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "runtime/random.h"
#include "runtime/simulated/recorder.h"

namespace simulated {

struct DiskOptions {
  uint64_t capacity_bytes = uint64_t{1} << 40;
  // What operations cost in virtual time.
  Duration operation_time = 2us;
  Duration sync_min = 80us;
  Duration sync_mean = 40us;  // Exponential, on top.
  int64_t bytes_per_second = 1'000'000'000;
  // Whether the torn tail of a MANIFEST may hold garbage too. LevelDB 1.23 then refuses to open
  // the store; this is for scenarios about a node that has lost its disk.
  bool garble_manifest = false;
  // Whether closing a write-ahead log syncs it (see SimulatedEnv). LevelDB's own POSIX Env does
  // not; without it a crash may lose a write and keep a later one.
  bool log_close_syncs = true;
};

// What goes wrong from now on. Probabilities are per operation.
struct DiskFaults {
  double read_error = 0;
  double write_error = 0;
  double sync_error = 0;
  // One bit of what is read is wrong; the file is not.
  double read_flip = 0;
  // The so many-th operation from now fails, once; 0: none.
  uint64_t fail_at = 0;
  // The next sync fails.
  bool fail_next_sync = false;
};

struct DiskCounts {
  uint64_t operations = 0;
  uint64_t syncs = 0;
  uint64_t errors = 0;
  uint64_t flipped_bits = 0;
  uint64_t torn_files = 0;
  uint64_t background_runs = 0;
};

class SimulatedDisk {
 public:
  static constexpr uint64_t kNever = ~uint64_t{0};

  // A file's content; shared by its name and by whoever has it open.
  struct File {
    struct Mark {
      uint64_t sequence;
      size_t size;
    };
    std::string data;
    size_t durable_size = 0;
    // The sequence number of its creation; what syncing it makes durable of the journal.
    uint64_t created = 0;
    // Syncs after this sequence number have no effect: one failed there.
    uint64_t sync_failed_at = kNever;
    // Its size after each append past durable_size.
    std::vector<Mark> appended;
  };
  using FilePtr = std::shared_ptr<File>;

  // What a window's work has cost, and what to Commit() when that time has passed.
  struct Window {
    uint64_t end = 0;
    Duration cost{};
  };

  SimulatedDisk(Recorder* recorder, NodeId node, DiskOptions options, uint64_t seed);
  SimulatedDisk(const SimulatedDisk&) = delete;
  SimulatedDisk& operator=(const SimulatedDisk&) = delete;

  // For the nemesis.
  DiskFaults& faults() { return faults_; }
  void SetCapacity(uint64_t bytes) { options_.capacity_bytes = bytes; }
  // No sync ends before `length` from now has passed.
  void Stall(Duration length);
  // Flips a bit of a file at rest: of that one, or of a drawn one. False if there is none.
  bool FlipBit(const std::string& path, uint64_t bit);
  bool FlipRandomBit();
  // Everything is gone: a new disk.
  void Wipe();

  const DiskOptions& options() const { return options_; }
  const DiskCounts& counts() const { return counts_; }
  uint64_t used_bytes() const { return used_bytes_; }
  std::vector<std::string> Paths() const;

  // For the node. The crash itself; Envs must have been closed before (SimulatedEnv::Close).
  void Crash();
  template <typename Work>
  Window RunInWindow(Work&& work) {
    OpenWindow();
    work();
    return CloseWindow();
  }
  void Commit(uint64_t window_end);

  // LevelDB's background work.
  void Schedule(void (*function)(void* argument), void* argument);
  void RunBackgroundWork();
  bool has_background_work() const { return !background_.empty(); }
  // A place where LevelDB holds no mutex in the midst of a call: its background thread may get a
  // turn here, and does if it has waited since the last such place.
  void MayRunBackgroundWork();
  // `scheduled` is called when the first piece of background work was queued.
  void SetBackgroundListener(std::function<void()> scheduled) { scheduled_ = std::move(scheduled); }

  // For SimulatedEnv and its files.
  leveldb::Status Create(const std::string& path, FilePtr* file);
  leveldb::Status Open(const std::string& path, FilePtr* file);
  bool Exists(const std::string& path) const { return names_.contains(path); }
  std::vector<std::string> Children(const std::string& directory) const;
  leveldb::Status Remove(const std::string& path);
  leveldb::Status Rename(const std::string& from, const std::string& to);
  leveldb::Status MakeDirectory(const std::string& path);
  leveldb::Status RemoveDirectory(const std::string& path);
  leveldb::Status Append(const std::string& path, const FilePtr& file, absl::string_view data);
  leveldb::Status Sync(const std::string& path, const FilePtr& file);
  // Copies up to `size` bytes from `offset` to `scratch`.
  leveldb::Status Read(const std::string& path, const FilePtr& file, uint64_t offset, size_t size,
                       char* scratch, size_t* read);
  void Spend(Duration cost) { cost_ += cost; }
  Recorder& recorder() { return recorder_; }
  NodeId node() const { return node_; }

 private:
  // A name stands for a file, or, with a null file, for a directory.
  using Names = std::map<std::string, FilePtr>;
  struct DirectoryChange {
    enum class Kind { kAdd, kRemove, kRename };
    uint64_t sequence;
    Kind kind;
    std::string path;
    std::string target;  // Of a rename.
    FilePtr file;        // Of an addition.
  };
  struct SyncPoint {
    uint64_t sequence;
    FilePtr file;
    size_t size;
    uint64_t journal_up_to;
  };
  enum class Operation { kRead = 1, kWrite, kSync, kDirectory };

  static void Apply(const DirectoryChange& change, Names* names);
  leveldb::Status Begin(Operation operation, absl::string_view path);
  bool DrawError(Operation operation);
  leveldb::Status CheckParent(const std::string& path) const;
  void Change(DirectoryChange change);
  void Release(const std::string& path);
  void OpenWindow();
  Window CloseWindow();
  void MakeDurable(const SyncPoint& point);
  void MakeJournalDurable(uint64_t up_to);
  Duration DrawSyncTime();
  // The parts of a crash.
  void CutJournal(uint64_t cut, bool power_lost);
  void CutFile(const std::string& path, File* file, uint64_t cut, bool power_lost);
  void Tear(const std::string& path, File* file);

  Recorder& recorder_;
  const NodeId node_;
  DiskOptions options_;
  DiskFaults faults_;
  DiskCounts counts_;
  runtime::Random random_;

  Names names_;                          // As the program sees them.
  Names durable_names_;                  // As they are if the machine loses power now.
  std::deque<DirectoryChange> journal_;  // From durable_names_ to names_.
  uint64_t used_bytes_ = 0;

  uint64_t sequence_ = 0;        // Counts what changes the disk.
  uint64_t committed_ = 0;       // All up to here has taken place. Invariant: <= sequence_.
  std::deque<SyncPoint> syncs_;  // Those past committed_.
  bool in_window_ = false;
  Duration cost_{};
  MonotonicTime stalled_until_;

  std::deque<std::pair<void (*)(void*), void*>> background_;
  std::function<void()> scheduled_;
  bool running_background_ = false;
  bool background_was_passed_over_ = false;
};

}  // namespace simulated

#endif  // RUNTIME_SIMULATED_SIMULATED_DISK_H_

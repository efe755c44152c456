#include "storage/write_ahead_log.h"

#include <algorithm>
#include <map>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "storage/coding.h"
#include "storage/crc32c.h"

namespace storage {
namespace {

// LevelDB's documented log format: blocks of 32 KiB, in each records with a header of checksum (4
// bytes), length (2) and type (1). Where no header fits, a block is filled up.
constexpr size_t kBlockBytes = 32 << 10;
constexpr size_t kHeaderBytes = 7;
enum RecordType : uint8_t { kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

// One physical record at the front of `block`, which goes to the end of its block or of the file.
// Its size, or 0 if it is not whole.
size_t TakeRecord(absl::string_view block, uint8_t* type) {
  if (block.size() < kHeaderBytes) return 0;
  const size_t length = static_cast<uint8_t>(block[4]) | size_t{static_cast<uint8_t>(block[5])}
                                                             << 8;
  *type = static_cast<uint8_t>(block[6]);
  if (*type < kFull || *type > kLast || kHeaderBytes + length > block.size()) return 0;
  // The checksum is of the type and what follows.
  if (UnmaskCrc32c(ReadFixed32(block.data())) != Crc32c(block.substr(6, 1 + length))) return 0;
  return kHeaderBytes + length;
}

leveldb::Status WriteWholeFile(leveldb::Env* files, const std::string& path,
                               absl::string_view content) {
  leveldb::WritableFile* opened = nullptr;
  leveldb::Status status = files->NewWritableFile(path, &opened);
  if (!status.ok()) return status;
  const std::unique_ptr<leveldb::WritableFile> file(opened);
  status = file->Append({content.data(), content.size()});
  if (status.ok()) status = file->Sync();
  if (status.ok()) status = file->Close();
  return status;
}

}  // namespace

size_t CleanLogPrefix(absl::string_view log) {
  size_t clean = 0;
  bool in_fragments = false;
  for (size_t at = 0; at < log.size();) {
    const size_t room = kBlockBytes - at % kBlockBytes;
    if (room < kHeaderBytes) {
      at += room;
      continue;
    }
    uint8_t type = 0;
    const size_t size = TakeRecord(log.substr(at, room), &type);
    const bool begins = type == kFull || type == kFirst;
    if (size == 0 || begins == in_fragments) return clean;
    at += size;
    in_fragments = type == kFirst || type == kMiddle;
    if (!in_fragments) clean = at;
  }
  // The filling after the last record belongs to it.
  return log.size() - clean < kHeaderBytes && !in_fragments ? log.size() : clean;
}

leveldb::Status ReadWholeFile(leveldb::Env* files, const std::string& path, std::string* content) {
  content->clear();
  leveldb::SequentialFile* opened = nullptr;
  leveldb::Status status = files->NewSequentialFile(path, &opened);
  if (!status.ok()) return status;
  const std::unique_ptr<leveldb::SequentialFile> file(opened);
  std::string scratch(1 << 16, '\0');
  while (true) {
    leveldb::Slice read;
    status = file->Read(scratch.size(), &read, scratch.data());
    if (!status.ok() || read.empty()) return status;
    content->append(read.data(), read.size());
  }
}

leveldb::Status CutWriteAheadLogs(leveldb::Env* files, const std::string& directory,
                                  uint64_t* dropped) {
  *dropped = 0;
  std::vector<std::string> children;
  leveldb::Status status = files->GetChildren(directory, &children);
  if (!status.ok()) return status;
  std::map<uint64_t, std::string> logs;
  for (const std::string& name : children) {
    uint64_t number = 0;
    if (!absl::EndsWith(name, ".log")) continue;
    if (!absl::SimpleAtoi(absl::string_view(name).substr(0, name.size() - 4), &number)) continue;
    logs[number] = absl::StrCat(directory, "/", name);
  }
  std::string content;
  size_t clean = 0;
  auto bad = logs.begin();
  for (; bad != logs.end(); ++bad) {
    status = ReadWholeFile(files, bad->second, &content);
    if (!status.ok()) return status;
    clean = CleanLogPrefix(content);
    if (clean < content.size()) break;
  }
  if (bad == logs.end()) return status;
  // The bad record goes last: while it is there, the next call would do the same again.
  for (auto later = logs.rbegin(); later->first != bad->first; ++later) {
    uint64_t size = 0;
    status = files->GetFileSize(later->second, &size);
    if (status.ok()) status = files->RemoveFile(later->second);
    if (!status.ok()) return status;
    *dropped += size;
  }
  *dropped += content.size() - clean;
  // Named as LevelDB's own temporary files, so that it removes one that was left over.
  const std::string temporary =
      absl::StrCat(bad->second.substr(0, bad->second.size() - 4), ".dbtmp");
  status = WriteWholeFile(files, temporary, absl::string_view(content).substr(0, clean));
  return status.ok() ? files->RenameFile(temporary, bad->second) : status;
}

}  // namespace storage

#include "storage/range_scan.h"

#include <utility>

#include "absl/strings/match.h"
#include "runtime/status_macros.h"
#include "storage/stored_key.h"

namespace storage {
namespace {

// So many versions are passed one by one; past more of them a seek is cheaper.
constexpr int kStepsBeforeSeek = 8;
constexpr size_t kTimestampBytes = 8;

}  // namespace

RangeScan::RangeScan(leveldb::Iterator* iterator, const ScanRequest& request)
    : it_(*iterator), request_(request), stored_(StoredData(request.range)) {}

absl::StatusOr<ScanResult> RangeScan::Run() {
  if (request_.range.empty()) return std::move(result_);
  RETURN_IF_ERROR(request_.order == ScanOrder::kForward ? RunForward() : RunReverse());
  return std::move(result_);
}

absl::string_view RangeScan::StoredKey() const { return {it_.key().data(), it_.key().size()}; }

bool RangeScan::AtPrefix() const {
  return it_.Valid() && StoredKey().size() == prefix_.size() + kTimestampBytes &&
         absl::StartsWith(StoredKey(), prefix_);
}

std::string RangeScan::SeekOfTimestamp() const {
  // A data key with an empty key ends with the same timestamp.
  const std::string any = DataKey("", request_.at);
  return prefix_ + any.substr(any.size() - kTimestampBytes);
}

std::string RangeScan::EndOfVersions() const {
  return prefix_ + std::string(kTimestampBytes, '\xff') + '\0';
}

absl::Status RangeScan::RunForward() {
  it_.Seek(stored_.start);
  while (it_.Valid() && StoredKey() < stored_.end && !stopped_) {
    ASSIGN_OR_RETURN(const DataKeyParts parts, SplitDataKey(StoredKey()));
    prefix_.assign(parts.prefix.data(), parts.prefix.size());
    // To the newest version that may be seen.
    for (int step = 0; AtPrefix() && SplitDataKey(StoredKey())->timestamp > request_.at; ++step) {
      if (step < kStepsBeforeSeek) {
        it_.Next();
      } else {
        it_.Seek(SeekOfTimestamp());
      }
    }
    if (!AtPrefix()) continue;
    RETURN_IF_ERROR(Take(StoredKey(), {it_.value().data(), it_.value().size()}));
    // Past the older ones.
    for (int step = 0; AtPrefix(); ++step) {
      if (step < kStepsBeforeSeek) {
        it_.Next();
      } else {
        it_.Seek(EndOfVersions());
      }
    }
  }
  return absl::OkStatus();
}

absl::Status RangeScan::RunReverse() {
  it_.Seek(stored_.end);
  if (it_.Valid()) {
    it_.Prev();
  } else {
    it_.SeekToLast();
  }
  while (it_.Valid() && StoredKey() >= stored_.start && !stopped_) {
    RETURN_IF_ERROR(TakeKeyInReverse());
  }
  return absl::OkStatus();
}

absl::Status RangeScan::TakeKeyInReverse() {
  ASSIGN_OR_RETURN(const DataKeyParts parts, SplitDataKey(StoredKey()));
  prefix_.assign(parts.prefix.data(), parts.prefix.size());
  std::string key;
  std::string value;
  int steps = 0;
  for (; AtPrefix() && SplitDataKey(StoredKey())->timestamp <= request_.at; ++steps) {
    if (steps == kStepsBeforeSeek) {
      it_.Seek(SeekOfTimestamp());
      RETURN_IF_ERROR(AtPrefix() ? Take(StoredKey(), {it_.value().data(), it_.value().size()})
                                 : absl::OkStatus());
      key.clear();
      break;
    }
    key = it_.key().ToString();
    value = it_.value().ToString();
    it_.Prev();
  }
  if (!key.empty()) RETURN_IF_ERROR(Take(key, value));
  // Past the newer ones.
  if (AtPrefix()) {
    it_.Seek(prefix_);
    if (it_.Valid()) it_.Prev();
  }
  return absl::OkStatus();
}

absl::Status RangeScan::Take(absl::string_view stored_key, absl::string_view sealed) {
  ASSIGN_OR_RETURN(const StoredVersion version, UnsealVersion(stored_key, sealed));
  if (version.kind == VersionKind::kDeletion) return absl::OkStatus();
  ASSIGN_OR_RETURN(const DataKeyParts parts, SplitDataKey(stored_key));
  ASSIGN_OR_RETURN(Key key, KeyOfDataPrefix(parts.prefix));
  bytes_ += key.size() + version.row.size();
  if (result_.rows.size() + 1 >= request_.rows_max || bytes_ >= request_.bytes_max) {
    stopped_ = true;
    KeyRange rest = request_.order == ScanOrder::kForward
                        ? KeyRange{KeyAfter(key), request_.range.end}
                        : KeyRange{request_.range.start, key};
    // Nothing is before the empty key, which as the end of a range would be infinity.
    const bool is_first = request_.order == ScanOrder::kReverse && key.empty();
    if (!rest.empty() && !is_first) result_.rest = std::move(rest);
  }
  result_.rows.push_back({std::move(key), parts.timestamp, std::string(version.row)});
  return absl::OkStatus();
}

}  // namespace storage

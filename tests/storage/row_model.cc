#include "tests/storage/row_model.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "runtime/status_macros.h"

namespace storage {
namespace {

using runtime::Timestamp;

// Few keys, so that they meet often; with the bytes that are special to an encoding.
Key RandomKey(runtime::Random* random) {
  static constexpr char kBytes[] = {'\0', '\x01', 'a', '\xfe', '\xff'};
  Key key;
  const int64_t length = random->Uniform(0, 3);
  for (int64_t i = 0; i < length; ++i) key.push_back(kBytes[random->Uniform(0, 4)]);
  return key;
}

std::string RandomValue(runtime::Random* random, size_t bytes_max) {
  const auto size = static_cast<size_t>(random->Uniform(0, static_cast<int64_t>(bytes_max)));
  std::string value;
  while (value.size() < size) value.push_back(static_cast<char>(random->Next()));
  return value;
}

std::optional<std::string> RandomChange(runtime::Random* random, size_t bytes_max) {
  if (random->Chance(0.3)) return std::nullopt;
  return RandomValue(random, bytes_max);
}

}  // namespace

ModelBatch RandomBatch(runtime::Random* random, size_t value_bytes_max) {
  ModelBatch batch;
  const int64_t rows = random->Uniform(0, 8);
  for (int64_t i = 0; i < rows; ++i) {
    batch.rows[RandomKey(random)] = RandomChange(random, value_bytes_max);
  }
  const int64_t states = random->Uniform(0, 2);
  for (int64_t i = 0; i < states; ++i) {
    batch.state[RandomKey(random)] = RandomChange(random, value_bytes_max);
  }
  return batch;
}

Timestamp TimestampOfBatch(uint64_t number) { return Timestamp(static_cast<int64_t>(number) * 10); }

ApplyBatch ToApplyBatch(const ModelBatch& batch, uint64_t number, GroupId group, StoreEpoch epoch) {
  ApplyBatch apply(epoch);
  for (const auto& [key, value] : batch.rows) {
    if (value.has_value()) {
      apply.Put(key, TimestampOfBatch(number), *value);
    } else {
      apply.Delete(key, TimestampOfBatch(number));
    }
  }
  for (const auto& [key, value] : batch.state) {
    if (value.has_value()) {
      apply.PutState(group, key, *value);
    } else {
      apply.DeleteState(group, key);
    }
  }
  apply.SetApplied(group, absl::StrCat(number));
  return apply;
}

void RowModel::Apply(const ModelBatch& batch) {
  ++applied_;
  for (const auto& [key, value] : batch.rows) {
    rows_[key][TimestampOfBatch(applied_).nanoseconds()] = value;
  }
  for (const auto& [key, value] : batch.state) {
    if (value.has_value()) {
      state_[key] = *value;
    } else {
      state_.erase(key);
    }
  }
}

std::optional<Cell> RowModel::Get(const Key& key, Timestamp at) const {
  const auto versions = rows_.find(key);
  if (versions == rows_.end()) return std::nullopt;
  auto after = versions->second.upper_bound(at.nanoseconds());
  if (after == versions->second.begin()) return std::nullopt;
  --after;
  if (!after->second.has_value()) return std::nullopt;
  return Cell{Timestamp(after->first), *after->second};
}

std::vector<Row> RowModel::Scan(const KeyRange& range, Timestamp at, ScanOrder order) const {
  std::vector<Row> rows;
  for (const auto& [key, versions] : rows_) {
    if (!range.Contains(key)) continue;
    const std::optional<Cell> cell = Get(key, at);
    if (cell.has_value()) rows.push_back({key, cell->timestamp, cell->value});
  }
  if (order == ScanOrder::kReverse) std::reverse(rows.begin(), rows.end());
  return rows;
}

std::vector<Version> RowModel::Versions(const Key& key) const {
  std::vector<Version> found;
  const auto versions = rows_.find(key);
  if (versions == rows_.end()) return found;
  for (auto it = versions->second.rbegin(); it != versions->second.rend(); ++it) {
    found.push_back({Timestamp(it->first), it->second});
  }
  return found;
}

std::vector<Key> RowModel::Keys() const {
  std::vector<Key> keys;
  for (const auto& [key, versions] : rows_) keys.push_back(key);
  return keys;
}

absl::StatusOr<std::vector<Row>> ScanAll(View* view, ScanRequest request) {
  std::vector<Row> rows;
  std::optional<KeyRange> rest = request.range;
  while (rest.has_value()) {
    request.range = *rest;
    ASSIGN_OR_RETURN(ScanResult result, view->Scan(request));
    rows.insert(rows.end(), result.rows.begin(), result.rows.end());
    rest = std::move(result.rest);
  }
  return rows;
}

namespace {

absl::StatusOr<std::string> DifferenceOfScan(View* view, const RowModel& model,
                                             runtime::Random* random) {
  ScanRequest request;
  if (random->Chance(0.7)) request.range = {RandomKey(random), RandomKey(random)};
  const auto last = static_cast<int64_t>(model.applied()) * 10 + 5;
  request.at = std::max(view->horizon(), Timestamp(random->Uniform(0, last)));
  if (random->Chance(0.3)) request.at = Timestamp::Max();
  request.order = random->Chance(0.5) ? ScanOrder::kForward : ScanOrder::kReverse;
  request.rows_max = static_cast<size_t>(random->Uniform(1, 20));
  request.bytes_max = static_cast<size_t>(random->Uniform(1, 1000));
  ASSIGN_OR_RETURN(const std::vector<Row> rows, ScanAll(view, request));
  if (rows == model.Scan(request.range, request.at, request.order)) return std::string();
  return absl::StrCat("a scan at ", request.at.nanoseconds(), " gave ", rows.size(), " rows");
}

// Of the model's versions those that a read at or above the horizon sees must be there, and none
// that the model has not.
absl::StatusOr<std::string> DifferenceOfVersions(View* view, const RowModel& model,
                                                 const Key& key) {
  ASSIGN_OR_RETURN(const std::vector<Version> found,
                   view->Versions(key, Timestamp::Max(), 1'000'000));
  const std::vector<Version> expected = model.Versions(key);
  for (const Version& version : found) {
    if (std::find(expected.begin(), expected.end(), version) == expected.end()) {
      return absl::StrCat("a version at ", version.timestamp.nanoseconds(), " was never written");
    }
  }
  for (const Version& version : expected) {
    if (std::find(found.begin(), found.end(), version) != found.end()) continue;
    const std::optional<Cell> at_horizon = model.Get(key, view->horizon());
    const bool seen = at_horizon.has_value() && at_horizon->timestamp == version.timestamp;
    if (seen || version.timestamp > view->horizon()) {
      return absl::StrCat("the version at ", version.timestamp.nanoseconds(), " is missing");
    }
  }
  return std::string();
}

absl::StatusOr<std::string> DifferenceOfKey(View* view, const RowModel& model, const Key& key,
                                            runtime::Random* random) {
  const auto last = static_cast<int64_t>(model.applied()) * 10 + 5;
  const Timestamp at = std::max(view->horizon(), Timestamp(random->Uniform(0, last)));
  ASSIGN_OR_RETURN(const std::optional<Cell> cell, view->Get(key, at));
  if (cell != model.Get(key, at)) return absl::StrCat("a get at ", at.nanoseconds(), " differs");
  ASSIGN_OR_RETURN(const std::optional<Version> newest, view->Newest(key));
  const std::vector<Version> versions = model.Versions(key);
  const bool collected = !newest.has_value() && !versions.empty() &&
                         !versions[0].value.has_value() && versions[0].timestamp <= view->horizon();
  if (!collected && newest != (versions.empty() ? std::nullopt : std::optional(versions[0]))) {
    return "the newest version differs";
  }
  return DifferenceOfVersions(view, model, key);
}

}  // namespace

absl::StatusOr<std::string> Difference(View* view, const RowModel& model, runtime::Random* random) {
  ASSIGN_OR_RETURN(const std::optional<std::string> applied, view->Applied());
  if (applied.value_or("0") != absl::StrCat(model.applied())) {
    return absl::StrCat("applied is ", applied.value_or("0"), ", not ", model.applied());
  }
  ASSIGN_OR_RETURN(const std::vector<StateEntry> entries, view->ScanState({}, 1'000'000));
  std::map<Key, std::string> state;
  for (const StateEntry& entry : entries) state[entry.key] = entry.value;
  if (state != model.state()) return "the state differs";
  for (int i = 0; i < 6; ++i) {
    ASSIGN_OR_RETURN(std::string different, DifferenceOfScan(view, model, random));
    if (!different.empty()) return different;
  }
  for (const Key& key : model.Keys()) {
    ASSIGN_OR_RETURN(std::string different, DifferenceOfKey(view, model, key, random));
    if (!different.empty()) return different;
  }
  return std::string();
}

}  // namespace storage

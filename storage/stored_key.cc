#include "storage/stored_key.h"

#include "runtime/status_macros.h"
#include "storage/coding.h"
#include "storage/crc32c.h"
#include "storage/key_encoding.h"

namespace storage {
namespace {

constexpr char kMeta = 1;
constexpr char kChain = 2;
constexpr char kApplied = 3;
constexpr char kGroup = 4;
constexpr char kState = 5;
constexpr char kData = 6;

constexpr size_t kTimestampBytes = 8;
constexpr size_t kChecksumBytes = 4;
constexpr size_t kGroupBytes = 8;

void AppendBigEndian64(uint64_t value, std::string* out) {
  for (int i = 7; i >= 0; --i) out->push_back(static_cast<char>(value >> (8 * i)));
}

uint64_t ReadBigEndian64(absl::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < 8; ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

std::string OfGroup(char tag, GroupId group) {
  std::string key(1, tag);
  AppendBigEndian64(group.value(), &key);
  return key;
}

KeyRange AllOf(char tag) {
  return {std::string(1, tag), std::string(1, static_cast<char>(tag + 1))};
}

absl::Status BadKey() { return absl::DataLossError("the store holds a key of no known form"); }

}  // namespace

std::string MetaKey(absl::string_view name) {
  std::string key(1, kMeta);
  key.append(name.data(), name.size());
  return key;
}

std::string ChainKey(uint32_t position) {
  std::string key(1, kChain);
  for (int i = 3; i >= 0; --i) key.push_back(static_cast<char>(position >> (8 * i)));
  return key;
}

std::string AppliedKey(GroupId group) { return OfGroup(kApplied, group); }
std::string GroupKey(GroupId group) { return OfGroup(kGroup, group); }

std::string StateKey(GroupId group, absl::string_view key) {
  std::string stored = OfGroup(kState, group);
  stored.append(key.data(), key.size());
  return stored;
}

void AppendDataKey(absl::string_view key, runtime::Timestamp timestamp, std::string* out) {
  out->push_back(kData);
  AppendEscaped(key, out);
  // The sign bit turned makes the order of the bits that of the times, and all turned the reverse.
  const auto bits = static_cast<uint64_t>(timestamp.nanoseconds());
  AppendBigEndian64(~(bits ^ (uint64_t{1} << 63)), out);
}

std::string DataKey(absl::string_view key, runtime::Timestamp timestamp) {
  std::string stored;
  stored.reserve(key.size() + 16);
  AppendDataKey(key, timestamp, &stored);
  return stored;
}

std::string DataPrefix(absl::string_view key) {
  std::string prefix(1, kData);
  AppendEscaped(key, &prefix);
  return prefix;
}

KeyRange StoredChain() { return AllOf(kChain); }
KeyRange StoredApplied() { return AllOf(kApplied); }
KeyRange StoredGroups() { return AllOf(kGroup); }
KeyRange StoredState(GroupId group) { return PrefixRange(OfGroup(kState, group)); }

KeyRange StoredState(GroupId group, const KeyRange& range) {
  KeyRange stored = StoredState(group);
  stored.start = StateKey(group, range.start);
  if (!range.end.empty()) stored.end = StateKey(group, range.end);
  return stored;
}

KeyRange StoredData(const KeyRange& range) {
  KeyRange stored = AllOf(kData);
  if (!range.start.empty()) stored.start = DataPrefix(range.start);
  if (!range.end.empty()) stored.end = DataPrefix(range.end);
  return stored;
}

absl::StatusOr<DataKeyParts> SplitDataKey(absl::string_view stored_key) {
  if (stored_key.size() < 1 + 2 + kTimestampBytes || stored_key[0] != kData) return BadKey();
  const size_t size = stored_key.size() - kTimestampBytes;
  const uint64_t bits = ~ReadBigEndian64(stored_key.substr(size)) ^ (uint64_t{1} << 63);
  return DataKeyParts{stored_key.substr(0, size), runtime::Timestamp(static_cast<int64_t>(bits))};
}

absl::StatusOr<Key> KeyOfDataPrefix(absl::string_view prefix) {
  prefix.remove_prefix(1);
  ASSIGN_OR_RETURN(Key key, TakeEscaped(&prefix));
  if (!prefix.empty()) return BadKey();
  return key;
}

absl::StatusOr<GroupId> GroupOfStoredKey(absl::string_view stored_key) {
  if (stored_key.size() != 1 + kGroupBytes) return BadKey();
  return GroupId(ReadBigEndian64(stored_key.substr(1)));
}

absl::StatusOr<Key> KeyOfStateKey(absl::string_view stored_key) {
  if (stored_key.size() < 1 + kGroupBytes) return BadKey();
  return Key(stored_key.substr(1 + kGroupBytes));
}

void Seal(absl::string_view stored_key, std::string* value) {
  AppendFixed32(MaskCrc32c(ExtendCrc32c(Crc32c(stored_key), *value)), value);
}

absl::StatusOr<absl::string_view> Unseal(absl::string_view stored_key, absl::string_view sealed) {
  if (sealed.size() >= kChecksumBytes) {
    const absl::string_view value = sealed.substr(0, sealed.size() - kChecksumBytes);
    const uint32_t crc = ExtendCrc32c(Crc32c(stored_key), value);
    if (UnmaskCrc32c(ReadFixed32(sealed.data() + value.size())) == crc) return value;
  }
  return absl::DataLossError("a stored value does not match its checksum");
}

absl::StatusOr<StoredVersion> UnsealVersion(absl::string_view stored_key,
                                            absl::string_view sealed) {
  ASSIGN_OR_RETURN(const absl::string_view value, Unseal(stored_key, sealed));
  const auto kind = value.empty() ? uint8_t{0xff} : static_cast<uint8_t>(value[0]);
  if (kind > static_cast<uint8_t>(VersionKind::kRow)) {
    return absl::DataLossError("a stored version is neither a row nor a deletion");
  }
  return StoredVersion{static_cast<VersionKind>(kind), value.substr(1)};
}

std::string EncodeGroupRecord(const GroupRecord& record) {
  std::string bytes;
  AppendFixed64(static_cast<uint64_t>(record.horizon.nanoseconds()), &bytes);
  bytes.push_back(record.install.has_value() ? 1 : 0);
  if (record.install.has_value()) {
    AppendFixed64(record.install->snapshot, &bytes);
    AppendBytes(record.install->range.start, &bytes);
    AppendBytes(record.install->range.end, &bytes);
    AppendBytes(record.install->resume_token, &bytes);
  }
  return bytes;
}

absl::StatusOr<GroupRecord> DecodeGroupRecord(absl::string_view bytes) {
  Decoder decoder(bytes);
  GroupRecord record;
  record.horizon = runtime::Timestamp(static_cast<int64_t>(decoder.TakeFixed64()));
  if (decoder.TakeByte() != 0) {
    InstallMark& install = record.install.emplace();
    install.snapshot = decoder.TakeFixed64();
    install.range.start = std::string(decoder.TakeBytes());
    install.range.end = std::string(decoder.TakeBytes());
    install.resume_token = std::string(decoder.TakeBytes());
  }
  RETURN_IF_ERROR(decoder.Finish("the record of a group"));
  return record;
}

}  // namespace storage

// Any bytes read as a key give values that encode to just those bytes, or an error, never a crash.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "runtime/check.h"
#include "storage/key_encoding.h"
#include "storage/stored_key.h"

namespace {

using storage::KeyBuilder;
using storage::KeyReader;
using storage::Ordering;

// Reads values of drawn types and orderings, and builds the key anew from what was read.
void ReadKey(absl::string_view types, absl::string_view key) {
  KeyReader reader(key);
  KeyBuilder builder;
  for (const char type : types) {
    const Ordering ordering{
        (type & 1) != 0 ? storage::Direction::kDescending : storage::Direction::kAscending,
        (type & 2) != 0 ? storage::Nulls::kFirst : storage::Nulls::kLast};
    const auto repeat = [&](const auto& read, auto append) {
      if (read.ok()) (builder.*append)(*read, ordering);
      return read.ok();
    };
    bool read = false;
    switch (static_cast<unsigned char>(type) / 4 % 6) {
      case 0:
        read = repeat(reader.ReadBool(ordering), &KeyBuilder::AppendBool);
        break;
      case 1:
        read = repeat(reader.ReadInt64(ordering), &KeyBuilder::AppendInt64);
        break;
      case 2:
        read = repeat(reader.ReadDouble(ordering), &KeyBuilder::AppendDouble);
        break;
      case 3:
        read = repeat(reader.ReadNumeric(ordering), &KeyBuilder::AppendNumeric);
        break;
      case 4:
        read = repeat(reader.ReadText(ordering), &KeyBuilder::AppendText);
        break;
      default:
        read = repeat(reader.ReadUuid(ordering), &KeyBuilder::AppendUuid);
    }
    if (!read) return;
    CHECK(builder.key() == key.substr(0, key.size() - reader.rest().size()));
  }
}

void ReadStoredKey(absl::string_view stored) {
  const auto parts = storage::SplitDataKey(stored);
  if (!parts.ok()) return;
  const auto key = storage::KeyOfDataPrefix(parts->prefix);
  if (key.ok()) CHECK(storage::DataKey(*key, parts->timestamp) == stored);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t types = input.empty() ? 0 : 1 + static_cast<unsigned char>(input[0]) % 4;
  if (input.size() > types) ReadKey(input.substr(1, types), input.substr(1 + types));
  ReadStoredKey(input);
  storage::DecodeGroupRecord(input).status().IgnoreError();
  return 0;
}

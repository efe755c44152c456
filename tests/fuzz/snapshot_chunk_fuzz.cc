// Any bytes from a peer are a chunk of a snapshot that encodes to them, or refused, never a crash;
// and the entries of a chunk are what an installer may put into the store.
#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/check.h"
#include "storage/coding.h"
#include "storage/crc32c.h"
#include "storage/snapshot_chunk.h"
#include "storage/stored_key.h"

namespace {

void Decode(absl::string_view bytes) {
  const auto chunk = storage::DecodeSnapshotChunk(bytes);
  if (!chunk.ok()) return;
  CHECK(storage::EncodeSnapshotChunk(*chunk) == bytes);
  absl::string_view before;
  for (const storage::SnapshotEntry& entry : chunk->entries) {
    CHECK(before < entry.stored_key) << "the entries are in order";
    before = entry.stored_key;
    CHECK(storage::StoredState(chunk->group).Contains(entry.stored_key) ||
          storage::StoredData(chunk->range).Contains(entry.stored_key))
        << "no entry is of another group";
    CHECK(storage::Unseal(entry.stored_key, entry.sealed).ok());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string input(data, data + size);
  Decode(input);
  storage::DecodeSnapshotPosition(input).status().IgnoreError();
  // The fuzzer would hardly guess a checksum.
  storage::AppendFixed32(storage::MaskCrc32c(storage::Crc32c(input)), &input);
  Decode(input);
  return 0;
}

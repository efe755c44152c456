// WriteChain: how a hole among the batches that a store was given is found.
//
// LevelDB loses a whole table when the end of its MANIFEST is lost, and goes on with the logs that
// came after: what it recovers is then no prefix. So batches are numbered, and grouped into links;
// every batch writes the record of its link, {link, first batch, last batch so far}, into a ring of
// keys. Links that follow each other must also do so in their batches. What can be lost is a whole
// memtable; a new link begins with every opening and after a small part of a memtable's worth of
// batches, so a loss always shows as a missing link or a gap between two.
//
// The ring spans many times the two memtables that may not be in tables yet.
#ifndef STORAGE_WRITE_CHAIN_H_
#define STORAGE_WRITE_CHAIN_H_

#include <leveldb/write_batch.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace storage {

struct ChainLink {
  uint64_t number = 0;  // From 1. Stands at position number % kLinks.
  uint64_t first = 0;   // Batches.
  uint64_t last = 0;

  friend bool operator==(const ChainLink&, const ChainLink&) = default;
};
std::string EncodeChainLink(const ChainLink& link);
absl::StatusOr<ChainLink> DecodeChainLink(absl::string_view bytes);

class WriteChain {
 public:
  static constexpr uint32_t kLinks = 1024;

  // A link takes `link_bytes` of batches.
  explicit WriteChain(size_t link_bytes) : link_bytes_(link_bytes) {}

  // Goes on after the links that were found, in any order. DATA_LOSS if there is a hole, or none:
  // making a store writes a first batch.
  absl::Status Continue(std::vector<ChainLink> found);

  // Adds its record to the next batch. A batch that is not written ends the chain's use.
  void Append(leveldb::WriteBatch* batch);

  uint64_t last_batch() const { return link_.last; }

 private:
  const size_t link_bytes_;
  ChainLink link_;
  size_t bytes_ = 0;  // Of the batches in link_.
  bool begun_ = false;
};

}  // namespace storage

#endif  // STORAGE_WRITE_CHAIN_H_

#include "storage/write_chain.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "runtime/status_macros.h"
#include "storage/coding.h"
#include "storage/stored_key.h"

namespace storage {

std::string EncodeChainLink(const ChainLink& link) {
  std::string bytes;
  AppendFixed64(link.number, &bytes);
  AppendFixed64(link.first, &bytes);
  AppendFixed64(link.last, &bytes);
  return bytes;
}

absl::StatusOr<ChainLink> DecodeChainLink(absl::string_view bytes) {
  Decoder decoder(bytes);
  ChainLink link;
  link.number = decoder.TakeFixed64();
  link.first = decoder.TakeFixed64();
  link.last = decoder.TakeFixed64();
  RETURN_IF_ERROR(decoder.Finish("a link of the chain"));
  return link;
}

absl::Status WriteChain::Continue(std::vector<ChainLink> found) {
  std::sort(found.begin(), found.end(),
            [](const ChainLink& a, const ChainLink& b) { return a.number < b.number; });
  const uint64_t newest = found.empty() ? 0 : found.back().number;
  if (found.empty() || found.size() != std::min<uint64_t>(newest, kLinks)) {
    return absl::DataLossError(absl::StrCat("of the last batches some are missing: ", found.size(),
                                            " links up to number ", newest));
  }
  for (size_t i = 0; i < found.size(); ++i) {
    const bool follows = i == 0 ? found[i].number > 1 || found[i].first == 1
                                : found[i].number == found[i - 1].number + 1 &&
                                      found[i].first == found[i - 1].last + 1;
    if (!follows || found[i].last < found[i].first) {
      return absl::DataLossError(absl::StrCat("batches are missing before batch ", found[i].first));
    }
  }
  link_ = found.back();
  begun_ = false;
  return absl::OkStatus();
}

void WriteChain::Append(leveldb::WriteBatch* batch) {
  if (!begun_ || bytes_ >= link_bytes_) {
    link_ = {link_.number + 1, link_.last + 1, link_.last};
    bytes_ = 0;
    begun_ = true;
  }
  ++link_.last;
  bytes_ += batch->ApproximateSize();
  const std::string key = ChainKey(static_cast<uint32_t>(link_.number % kLinks));
  std::string value = EncodeChainLink(link_);
  Seal(key, &value);
  batch->Put(key, value);
}

}  // namespace storage

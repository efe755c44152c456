#include "txn/page_maker.h"

#include <algorithm>
#include <utility>

#include "runtime/check.h"

namespace txn {
namespace {

// Own writes that are looked at to see how many stored rows they hide.
constexpr size_t kLookedAtMax = 1000;

}  // namespace

PageMaker::PageMaker(ScanQuery query, const WriteBuffer* writes)
    : query_(std::move(query)), writes_(*writes) {
  // At least one row is given.
  query_.rows_max = std::max<size_t>(query_.rows_max, 1);
  query_.bytes_max = std::max<size_t>(query_.bytes_max, 1);
  if (!query_.range.empty()) left_ = query_.range;
}

size_t PageMaker::rows_wanted() const {
  size_t hidden = 0;
  size_t looked_at = 0;
  WriteCursor own(&writes_, *left_, query_.backward);
  for (; own.Peek() != nullptr && looked_at < kLookedAtMax; own.Next(), ++looked_at) {
    if (!own.Peek()->second.value) ++hidden;
  }
  return query_.rows_max - rows_.size() + hidden;
}

void PageMaker::Add(const KeyRange& stretch, std::vector<ScannedRow> rows,
                    const std::optional<KeyRange>& rest) {
  CHECK(left_ && left_->Contains(stretch)) << "a stretch of what was scanned already";
  KeyRange covered = stretch;
  if (rest && query_.backward) covered.start = rest->end;
  if (rest && !query_.backward) covered.end = rest->start;
  // Nothing was covered: what is infinite above begins at its end.
  if (rest && (query_.backward ? rest->end == stretch.end : rest->start == stretch.start)) return;
  WriteCursor own(&writes_, covered, query_.backward);
  for (size_t i = 0; own.Peek() != nullptr || i < rows.size();) {
    ScannedRow row;
    if (own.Peek() == nullptr || (i < rows.size() && Before(rows[i].key, own.Peek()->first))) {
      row = std::move(rows[i++]);
    } else {
      const auto& [key, written] = *own.Peek();
      if (i < rows.size() && rows[i].key == key) ++i;
      own.Next();
      if (!written.value) continue;
      row = {key, *written.value};
    }
    if (full()) return LeaveFrom(row.key);
    bytes_ += row.key.size() + row.value.size();
    rows_.push_back(std::move(row));
  }
  LeaveBehind(covered);
}

void PageMaker::LeaveFrom(const Key& key) {
  if (query_.backward) {
    left_->end = storage::KeyAfter(key);
  } else {
    left_->start = key;
  }
}

void PageMaker::LeaveBehind(const KeyRange& covered) {
  if (query_.backward) {
    left_->end = covered.start;
    if (left_->end <= left_->start) left_.reset();
  } else {
    left_->start = covered.end;
    if (covered.end.empty() || left_->empty()) left_.reset();
  }
}

ScanPage PageMaker::Take() {
  CHECK(done());
  return {.rows = std::move(rows_), .rest = std::move(left_)};
}

}  // namespace txn

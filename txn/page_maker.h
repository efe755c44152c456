// PageMaker: one page of a scan, made of stretches of stored rows as the shards give them, with a
// transaction's own writes laid over them.
//
//   PageMaker page(query, &writes);
//   while (!page.done()) {
//     ... ask for a stretch at the near end of page.left(), rows_wanted() and bytes_wanted() of it ...
//     page.Add(stretch, rows, rest);
//   }
//   return page.Take();
//
// Guarantee:   the page is what a scan of the stored rows with the writes applied gives: as long as
//              its limits allow, and `rest` begins with the first row that is not on it, or with what
//              was not asked for.
// Concurrency: one loop. Decides, and never waits.
#ifndef TXN_PAGE_MAKER_H_
#define TXN_PAGE_MAKER_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "txn/transaction.h"
#include "txn/write_buffer.h"

namespace txn {

class PageMaker {
 public:
  // `writes` outlives it.
  PageMaker(ScanQuery query, const WriteBuffer* writes);

  // Whether the page is full, or nothing is left to scan.
  bool done() const { return !left_ || full(); }
  // What has not been scanned. Not when done().
  const KeyRange& left() const { return *left_; }
  bool backward() const { return query_.backward; }
  // How much to ask for.
  size_t rows_wanted() const;
  size_t bytes_wanted() const { return query_.bytes_max > bytes_ ? query_.bytes_max - bytes_ : 1; }

  // The stored rows of `stretch`, in the order of the scan, but for `rest`. The stretch is a part of
  // left(): its beginning, or its end when scanning backward.
  void Add(const KeyRange& stretch, std::vector<ScannedRow> rows,
           const std::optional<KeyRange>& rest);

  // Once, when done().
  ScanPage Take();

 private:
  bool full() const { return rows_.size() >= query_.rows_max || bytes_ >= query_.bytes_max; }
  bool Before(const Key& a, const Key& b) const { return query_.backward ? a > b : a < b; }
  void LeaveFrom(const Key& key);
  void LeaveBehind(const KeyRange& covered);

  ScanQuery query_;
  const WriteBuffer& writes_;
  std::optional<KeyRange> left_;
  std::vector<ScannedRow> rows_;
  size_t bytes_ = 0;
};

}  // namespace txn

#endif  // TXN_PAGE_MAKER_H_

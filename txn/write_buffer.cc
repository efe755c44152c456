#include "txn/write_buffer.h"

#include <iterator>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"

namespace txn {

size_t WriteBuffer::Cost(const Key& key, const Value& value) {
  return kWriteOverhead + key.size() + (value ? value->size() : 0);
}

size_t WriteBuffer::Cost(const Before& before) {
  return Cost(before.key, before.written ? before.written->value : std::nullopt);
}

absl::Status WriteBuffer::Set(Key key, Value value) {
  const auto found = writes_.find(key);
  const bool is_new = found == writes_.end();
  const size_t layer = savepoints_.size();
  std::optional<Before> before;
  if (layer > 0 && (is_new || found->second.layer < layer)) {
    before = Before{key, is_new ? std::nullopt : std::optional<Written>(found->second)};
  }
  const size_t bytes = bytes_ - (is_new ? 0 : Cost(key, found->second.value)) + Cost(key, value) +
                       (before ? Cost(*before) : 0);
  if (bytes > bytes_max_) {
    return absl::ResourceExhaustedError(absl::StrCat("the transaction would write ", bytes,
                                                     " bytes; ", bytes_max_,
                                                     " are the most: it has to be split"));
  }
  bytes_ = bytes;
  if (before) undo_.push_back(*std::move(before));
  if (is_new) {
    writes_.emplace(std::move(key), Written{std::move(value), layer});
  } else {
    found->second = {std::move(value), layer};
  }
  return absl::OkStatus();
}

WriteBuffer::Savepoint WriteBuffer::Save() {
  // Two with nothing between them are one: so there are no more of them than writes.
  if (savepoints_.empty() || savepoints_.back() != undo_.size()) {
    savepoints_.push_back(undo_.size());
  }
  return savepoints_.size() - 1;
}

void WriteBuffer::RollBackTo(Savepoint savepoint) {
  CHECK(savepoint < savepoints_.size()) << "there is no savepoint " << savepoint;
  while (undo_.size() > savepoints_[savepoint]) {
    Before& before = undo_.back();
    bytes_ -= Cost(before);
    const auto found = writes_.find(before.key);
    bytes_ -= Cost(found->first, found->second.value);
    if (before.written) {
      found->second = *std::move(before.written);
      bytes_ += Cost(found->first, found->second.value);
    } else {
      writes_.erase(found);
    }
    undo_.pop_back();
  }
  savepoints_.resize(savepoint + 1);
}

const WriteBuffer::Value* WriteBuffer::Find(const Key& key) const {
  const auto found = writes_.find(key);
  return found == writes_.end() ? nullptr : &found->second.value;
}

WriteCursor::WriteCursor(const WriteBuffer* writes, const KeyRange& range, bool backward)
    : backward_(backward), first_(writes->writes().end()), end_(first_) {
  if (range.empty()) return;
  first_ = writes->writes().lower_bound(range.start);
  if (!range.end.empty()) end_ = writes->writes().lower_bound(range.end);
}

const WriteBuffer::Writes::value_type* WriteCursor::Peek() const {
  if (first_ == end_) return nullptr;
  return backward_ ? &*std::prev(end_) : &*first_;
}

void WriteCursor::Next() {
  if (backward_) {
    --end_;
  } else {
    ++first_;
  }
}

}  // namespace txn

#include "workload/checker/json_reader.h"

#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "runtime/status_macros.h"

namespace checker {
namespace {

using nlohmann::json;

constexpr size_t kDepthMax = 64;

// Walks over the text and tells how far the parser, which copies it, has come.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char** reached) : at_(at), reached_(reached) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    *reached_ = ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator!=(const CountingIterator& a, const CountingIterator& b) {
    return a.at_ != b.at_;
  }

 private:
  const char* at_;
  const char** reached_;
};

// What nlohmann's parser calls. Values at the depth `event_depth` go to the sink, one by one.
class TapeWriter final : public nlohmann::json_sax<json> {
 public:
  TapeWriter(absl::string_view text, const char* const* reached, size_t event_depth, FormSink sink)
      : text_(text), reached_(reached), event_depth_(event_depth), sink_(sink) {}

  // Why the parser stopped, if it did.
  const absl::Status& status() const { return status_; }

  bool null() override { return Add(Form::Kind::kNil, 0, ""); }
  bool boolean(bool value) override { return Add(Form::Kind::kBoolean, value ? 1 : 0, ""); }
  bool number_integer(number_integer_t value) override {
    return Add(Form::Kind::kInteger, value, "");
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return Add(Form::Kind::kNumber, 0, "");
    }
    return Add(Form::Kind::kInteger, static_cast<int64_t>(value), "");
  }
  bool number_float(number_float_t, const string_t&) override {
    return Add(Form::Kind::kNumber, 0, "");
  }
  bool string(string_t& value) override { return Add(Form::Kind::kString, 0, value); }
  bool binary(binary_t&) override { return Fail("a binary value"); }
  bool key(string_t& value) override {
    tape_.Add(Form::Kind::kString, Offset(), 0, value);
    return true;
  }
  bool start_object(size_t) override { return Open(Form::Kind::kMap); }
  bool end_object() override { return Close(); }
  bool start_array(size_t) override { return Open(Form::Kind::kSequence); }
  bool end_array() override { return Close(); }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception& error) override {
    // What the library says begins with its own name and position.
    absl::string_view sentence = error.what();
    const size_t colon = sentence.find(": ");
    if (colon != absl::string_view::npos) sentence.remove_prefix(colon + 2);
    return Fail(absl::StrCat("not JSON: ", sentence));
  }

 private:
  // Where the parser is: at the last character of what it hands over.
  size_t Offset() const {
    const size_t read = static_cast<size_t>(*reached_ - text_.data());
    return read == 0 ? 0 : read - 1;
  }

  bool Fail(absl::string_view sentence) {
    status_ = ErrorAt(text_, Offset(), sentence);
    return false;
  }

  bool Add(Form::Kind kind, int64_t integer, absl::string_view text) {
    if (open_.size() == event_depth_) tape_.Clear();
    tape_.Add(kind, Offset(), integer, text);
    return open_.size() != event_depth_ || Give();
  }

  bool Open(Form::Kind kind) {
    if (open_.size() == kDepthMax) {
      return Fail(absl::StrCat("nested deeper than ", kDepthMax, " levels"));
    }
    if (open_.size() == event_depth_) tape_.Clear();
    open_.push_back(open_.size() < event_depth_ ? 0 : tape_.Add(kind, Offset()));
    return true;
  }

  bool Close() {
    const size_t form = open_.back();
    open_.pop_back();
    if (open_.size() < event_depth_) return true;  // The list of events itself.
    tape_.Close(form);
    return open_.size() != event_depth_ || Give();
  }

  bool Give() {
    status_ = sink_(tape_);
    return status_.ok();
  }

  const absl::string_view text_;
  const char* const* const reached_;
  const size_t event_depth_;
  const FormSink sink_;
  FormTape tape_;
  std::vector<size_t> open_;  // Indexes into the tape; of what is outside events, 0.
  absl::Status status_;
};

absl::Status Parse(absl::string_view text, absl::string_view part, size_t event_depth,
                   FormSink sink) {
  const char* reached = part.data();
  TapeWriter writer(text, &reached, event_depth, sink);
  const bool parsed =
      json::sax_parse(CountingIterator(part.data(), &reached),
                      CountingIterator(part.data() + part.size(), &reached), &writer);
  if (!parsed && writer.status().ok()) return ErrorAt(text, 0, "not JSON");
  return writer.status();
}

}  // namespace

absl::Status ReadJson(absl::string_view text, FormSink sink) {
  const absl::string_view stripped = absl::StripLeadingAsciiWhitespace(text);
  if (!stripped.empty() && stripped[0] == '[') return Parse(text, text, 1, sink);
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const absl::string_view line = text.substr(at, end - at);
    if (!absl::StripAsciiWhitespace(line).empty()) RETURN_IF_ERROR(Parse(text, line, 0, sink));
    at = end + 1;
  }
  return absl::OkStatus();
}

}  // namespace checker

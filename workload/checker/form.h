// FormTape: one value of a JSON or EDN text, read into one flat array.
//
// Both languages write the same few things: nil, truth, numbers, words, sequences and maps. A tape
// holds a value and, right behind it, all that is inside it, so that reading a history costs no
// allocation per value: the tape of one event is cleared for the next.
#ifndef WORKLOAD_CHECKER_FORM_H_
#define WORKLOAD_CHECKER_FORM_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace checker {

struct Form {
  enum class Kind : uint8_t {
    kNil,
    kBoolean,  // `integer` is 0 or 1.
    kInteger,  // One that fits 64 bits.
    kNumber,   // Any other number.
    kString,
    kKeyword,   // EDN's :word, without the colon.
    kSymbol,    // EDN's word.
    kSequence,  // [..], (..), #{..}.
    kMap,       // Keys and values in turn.
  };
  Kind kind = Kind::kNil;
  size_t offset = 0;  // Where it stands in the text, in bytes.
  int64_t integer = 0;
  size_t text_begin = 0;
  size_t text_size = 0;
  size_t next = 0;  // The index behind all that is inside it.
};

class FormTape {
 public:
  void Clear() {
    forms_.clear();
    characters_.clear();
  }

  // Adds a form without anything inside it; the text of a word besides.
  size_t Add(Form::Kind kind, size_t offset, int64_t integer = 0, absl::string_view text = "") {
    forms_.push_back({kind, offset, integer, characters_.size(), text.size(), forms_.size() + 1});
    characters_.append(text.data(), text.size());
    return forms_.size() - 1;
  }
  // All that was added since `form` is inside it.
  void Close(size_t form) { forms_[form].next = forms_.size(); }
  // Takes back all that was added from `form` on.
  void Drop(size_t form) { forms_.resize(form); }

  size_t size() const { return forms_.size(); }
  const Form& operator[](size_t index) const { return forms_[index]; }
  // A string, a keyword or a symbol.
  absl::string_view text(const Form& form) const {
    return absl::string_view(characters_).substr(form.text_begin, form.text_size);
  }

 private:
  std::vector<Form> forms_;
  std::string characters_;
};

// Receives one value of the text after the other; index 0 is the value. What it returns ends the
// reading unless it is OK.
using FormSink = absl::FunctionRef<absl::Status(const FormTape& tape)>;

// "line 3, column 14", counted from 1, of the byte `offset`.
std::string DescribePosition(absl::string_view text, size_t offset);
// InvalidArgument: "line 3, column 14: <sentence>".
absl::Status ErrorAt(absl::string_view text, size_t offset, absl::string_view sentence);

}  // namespace checker

#endif  // WORKLOAD_CHECKER_FORM_H_

#include "workload/checker/edn_reader.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "runtime/status_macros.h"
#include "workload/checker/utf8.h"

namespace checker {
namespace {

constexpr int kDepthMax = 64;

bool IsSpace(char c) { return c == ',' || absl::ascii_isspace(static_cast<unsigned char>(c)); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
// Ends a word or a number.
bool IsDelimiter(char c) {
  return IsSpace(c) || absl::string_view("()[]{}\";").find(c) != absl::string_view::npos;
}

class EdnReader {
 public:
  EdnReader(absl::string_view text, FormSink sink) : text_(text), sink_(sink) {}

  absl::Status Read() {
    RETURN_IF_ERROR(SkipToForm());
    if (AtEnd()) return absl::OkStatus();
    const char opening = text_[at_];
    if (opening != '[' && opening != '(') return ReadUntil('\0');
    const size_t begin = at_++;
    RETURN_IF_ERROR(ReadUntil(opening == '[' ? ']' : ')'));
    if (AtEnd())
      return ErrorAt(text_, begin, absl::StrCat("'", Opening(begin), "' is never closed"));
    ++at_;
    RETURN_IF_ERROR(SkipToForm());
    if (!AtEnd()) return ErrorAt(text_, at_, "something follows the list of events");
    return absl::OkStatus();
  }

 private:
  bool AtEnd() const { return at_ == text_.size(); }
  absl::string_view Opening(size_t at) const { return text_.substr(at, 1); }

  // Gives each form to the sink, up to `closing` or the end.
  absl::Status ReadUntil(char closing) {
    while (true) {
      RETURN_IF_ERROR(SkipToForm());
      if (AtEnd() || (closing != '\0' && text_[at_] == closing)) return absl::OkStatus();
      tape_.Clear();
      RETURN_IF_ERROR(ReadForm(0));
      RETURN_IF_ERROR(sink_(tape_));
    }
  }

  // Over spaces, comments, and what #_ discards.
  absl::Status SkipToForm(int depth = 0) {
    while (!AtEnd()) {
      if (IsSpace(text_[at_])) {
        ++at_;
      } else if (text_[at_] == ';') {
        while (!AtEnd() && text_[at_] != '\n') ++at_;
      } else if (text_.substr(at_, 2) == "#_") {
        const size_t begin = at_;
        if (depth >= kDepthMax) return TooDeep();
        at_ += 2;
        RETURN_IF_ERROR(SkipToForm(depth + 1));
        if (AtEnd()) return ErrorAt(text_, begin, "'#_' has nothing to discard");
        const size_t form = tape_.size();
        RETURN_IF_ERROR(ReadForm(depth + 1));
        tape_.Drop(form);
      } else {
        break;
      }
    }
    return absl::OkStatus();
  }

  absl::Status TooDeep() const {
    return ErrorAt(text_, at_, absl::StrCat("nested deeper than ", kDepthMax, " levels"));
  }

  // The one at at_, where a form begins.
  absl::Status ReadForm(int depth) {
    if (depth > kDepthMax) return TooDeep();
    const char c = text_[at_];
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (c == '[') return ReadCollection(Form::Kind::kSequence, 1, ']', depth);
    if (c == '(') return ReadCollection(Form::Kind::kSequence, 1, ')', depth);
    if (c == '{') return ReadCollection(Form::Kind::kMap, 1, '}', depth);
    if (c == '#' && next == '{') return ReadCollection(Form::Kind::kSequence, 2, '}', depth);
    if (c == '#') return ReadTagged(depth);
    if (c == '"') return ReadString();
    if (IsDelimiter(c))
      return ErrorAt(text_, at_, absl::StrCat("'", Opening(at_), "' has no place here"));
    if (c == '\\' || c == '^' || c == '@' || c == '\'' || c == '`' || c == '~') {
      return ErrorAt(text_, at_,
                     absl::StrCat("'", Opening(at_), "' begins nothing that a history holds"));
    }
    if (IsDigit(c) || ((c == '-' || c == '+') && IsDigit(next))) return ReadNumber();
    return ReadWord();
  }

  absl::Status ReadCollection(Form::Kind kind, size_t opening_size, char closing, int depth) {
    const size_t begin = at_;
    const size_t form = tape_.Add(kind, begin);
    at_ += opening_size;
    size_t count = 0;
    while (true) {
      RETURN_IF_ERROR(SkipToForm(depth));
      if (AtEnd())
        return ErrorAt(text_, begin, absl::StrCat("'", Opening(begin), "' is never closed"));
      if (text_[at_] == closing) break;
      RETURN_IF_ERROR(ReadForm(depth + 1));
      ++count;
    }
    if (kind == Form::Kind::kMap && count % 2 != 0) {
      return ErrorAt(text_, begin, "a map has a key without a value");
    }
    ++at_;
    tape_.Close(form);
    return absl::OkStatus();
  }

  // #tag form: only the form counts.
  absl::Status ReadTagged(int depth) {
    const size_t begin = at_++;
    while (!AtEnd() && !IsDelimiter(text_[at_])) ++at_;
    if (at_ == begin + 1) return ErrorAt(text_, begin, "'#' is followed by no tag");
    RETURN_IF_ERROR(SkipToForm(depth));
    if (AtEnd()) return ErrorAt(text_, begin, "a tag is followed by no value");
    return ReadForm(depth + 1);
  }

  absl::Status ReadNumber() {
    const size_t begin = at_;
    while (!AtEnd() && !IsDelimiter(text_[at_])) ++at_;
    absl::string_view number = text_.substr(begin, at_ - begin);
    absl::string_view digits = number;
    if (digits.back() == 'N') digits.remove_suffix(1);
    int64_t integer = 0;
    double real = 0;
    const size_t first_digit = IsDigit(digits[0]) ? 0 : 1;
    const bool whole =
        digits.find_first_not_of("0123456789", first_digit) == absl::string_view::npos;
    if (whole && absl::SimpleAtoi(digits, &integer)) {
      tape_.Add(Form::Kind::kInteger, begin, integer);
      return absl::OkStatus();
    }
    if (number.back() == 'M') number.remove_suffix(1);
    const bool real_digits = number.find_first_not_of("0123456789.eE+-") == absl::string_view::npos;
    if (whole || (real_digits && absl::SimpleAtod(number, &real))) {
      tape_.Add(Form::Kind::kNumber, begin);
      return absl::OkStatus();
    }
    return ErrorAt(text_, begin, absl::StrCat("'", number, "' is not a number"));
  }

  absl::Status ReadWord() {
    const size_t begin = at_;
    while (!AtEnd() && !IsDelimiter(text_[at_])) ++at_;
    const absl::string_view word = text_.substr(begin, at_ - begin);
    if (word == "nil") {
      tape_.Add(Form::Kind::kNil, begin);
    } else if (word == "true" || word == "false") {
      tape_.Add(Form::Kind::kBoolean, begin, word == "true" ? 1 : 0);
    } else if (word[0] != ':') {
      tape_.Add(Form::Kind::kSymbol, begin, 0, word);
    } else if (word.size() == 1 || word[1] == ':') {
      return ErrorAt(text_, begin, absl::StrCat("'", word, "' is not a keyword"));
    } else {
      tape_.Add(Form::Kind::kKeyword, begin, 0, word.substr(1));
    }
    return absl::OkStatus();
  }

  absl::Status ReadString() {
    const size_t begin = at_++;
    string_.clear();
    while (!AtEnd() && text_[at_] != '"') {
      if (text_[at_] == '\\') {
        RETURN_IF_ERROR(ReadEscape());
      } else {
        string_.push_back(text_[at_++]);
      }
    }
    if (AtEnd()) return ErrorAt(text_, begin, "a string is never closed");
    ++at_;
    tape_.Add(Form::Kind::kString, begin, 0, string_);
    return absl::OkStatus();
  }

  absl::Status ReadEscape() {
    static constexpr absl::string_view kEscapes = "tnrbf\\\"";
    static constexpr absl::string_view kMeanings = "\t\n\r\b\f\\\"";
    const size_t begin = at_++;
    const size_t escape = AtEnd() ? absl::string_view::npos : kEscapes.find(text_[at_]);
    if (escape != absl::string_view::npos) {
      string_.push_back(kMeanings[escape]);
      ++at_;
      return absl::OkStatus();
    }
    uint32_t code = 0;
    const absl::string_view digits = text_.substr(std::min(at_ + 1, text_.size()), 4);
    const bool is_code = !AtEnd() && text_[at_] == 'u' && digits.size() == 4 &&
                         absl::SimpleHexAtoi(digits, &code) && absl::ascii_isxdigit(digits[0]) &&
                         absl::ascii_isxdigit(digits[1]);
    if (!is_code || !AppendUtf8(code, &string_)) {
      return ErrorAt(text_, begin, "a string has an escape that there is not");
    }
    at_ += 5;
    return absl::OkStatus();
  }

  const absl::string_view text_;
  const FormSink sink_;
  FormTape tape_;
  std::string string_;
  size_t at_ = 0;  // Invariant: at_ <= text_.size().
};

}  // namespace

absl::Status ReadEdn(absl::string_view text, FormSink sink) {
  if (const size_t bad = FindInvalidUtf8(text); bad != absl::string_view::npos) {
    return ErrorAt(text, bad, "the text is not UTF-8");
  }
  return EdnReader(text, sink).Read();
}

}  // namespace checker

#include "workload/checker/event_decoder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/status_macros.h"

namespace checker {
namespace {

bool IsWord(const Form& form) {
  return form.kind == Form::Kind::kString || form.kind == Form::Kind::kKeyword ||
         form.kind == Form::Kind::kSymbol;
}

}  // namespace

// The fields of an event that the checker reads; null where there is none.
struct EventDecoder::Fields {
  const Form* type = nullptr;
  const Form* f = nullptr;
  const Form* process = nullptr;
  const Form* time = nullptr;
  const Form* index = nullptr;
  const Form* commit_timestamp = nullptr;
  const Form* read_timestamp = nullptr;
  const Form* stale = nullptr;
  size_t value = 0;  // On the tape; 0 is the event itself, so: none.
};

absl::StatusOr<EventDecoder::Fields> EventDecoder::FindFields(const FormTape& tape) const {
  Fields fields;
  const std::pair<absl::string_view, const Form**> slots[] = {
      {"type", &fields.type},
      {"f", &fields.f},
      {"process", &fields.process},
      {"time", &fields.time},
      {"index", &fields.index},
      {"commit-timestamp", &fields.commit_timestamp},
      {"read-timestamp", &fields.read_timestamp},
      {"stale", &fields.stale}};
  for (size_t name = 1; name < tape[0].next; name = tape[tape[name].next].next) {
    if (!IsWord(tape[name])) return ErrorAt(text_, tape[name].offset, "a field's name is no word");
    const absl::string_view text = tape.text(tape[name]);
    const size_t value = tape[name].next;
    bool twice = false;
    if (text == "value") {
      twice = fields.value != 0;
      fields.value = value;
    }
    for (const auto& [known, slot] : slots) {
      if (text != known) continue;
      twice = *slot != nullptr;
      *slot = &tape[value];
    }
    if (twice) {
      return ErrorAt(text_, tape[name].offset,
                     absl::StrCat("the field '", text, "' is here twice"));
    }
  }
  return fields;
}

absl::StatusOr<const Event*> EventDecoder::Decode(const FormTape& tape) {
  const size_t offset = tape[0].offset;
  if (tape[0].kind != Form::Kind::kMap) {
    return ErrorAt(text_, offset, "an event is a map with :type, :process and :value");
  }
  ASSIGN_OR_RETURN(const Fields fields, FindFields(tape));
  if (fields.index != nullptr) {
    int64_t index = 0;
    RETURN_IF_ERROR(DecodeNumber(fields.index, "index", &index));
    if (last_index_.has_value() && index <= *last_index_) {
      return ErrorAt(text_, fields.index->offset,
                     absl::StrCat("the index ", index, " follows ", *last_index_,
                                  ": events stand in the order in which they happened"));
    }
    last_index_ = index;
  }
  if (fields.process == nullptr) return ErrorAt(text_, offset, "an event has no process");
  if (IsWord(*fields.process)) return nullptr;
  RETURN_IF_ERROR(DecodeType(tape, fields.type));
  RETURN_IF_ERROR(DecodeNumber(fields.process, "process", &event_.process));
  if (fields.f != nullptr && fields.f->kind != Form::Kind::kNil &&
      !(IsWord(*fields.f) && tape.text(*fields.f) == "txn")) {
    return ErrorAt(text_, fields.f->offset,
                   "the checker reads transactions, events whose 'f' is txn, and no others");
  }
  event_.time = kUntold;
  if (fields.time != nullptr) RETURN_IF_ERROR(DecodeNumber(fields.time, "time", &event_.time));
  RETURN_IF_ERROR(DecodeTimestamps(fields));
  event_.operations.clear();
  if (event_.type == EventType::kInvoke || event_.type == EventType::kOk) {
    if (fields.value == 0) return ErrorAt(text_, offset, "an event has no value");
    RETURN_IF_ERROR(DecodeOperations(tape, fields.value));
  }
  return &event_;
}

absl::Status EventDecoder::DecodeType(const FormTape& tape, const Form* type) {
  static constexpr std::pair<absl::string_view, EventType> kTypes[] = {
      {"invoke", EventType::kInvoke},
      {"ok", EventType::kOk},
      {"fail", EventType::kFail},
      {"info", EventType::kInfo}};
  if (type == nullptr) return ErrorAt(text_, tape[0].offset, "an event has no type");
  for (const auto& [name, value] : kTypes) {
    if (!IsWord(*type) || tape.text(*type) != name) continue;
    event_.type = value;
    return absl::OkStatus();
  }
  return ErrorAt(text_, type->offset, "the type of an event is invoke, ok, fail or info");
}

absl::Status EventDecoder::DecodeNumber(const Form* form, absl::string_view name,
                                        int64_t* number) const {
  if (form->kind != Form::Kind::kInteger || form->integer == kUntold) {
    return ErrorAt(text_, form->offset,
                   absl::StrCat("'", name, "' is not a whole number that fits 64 bits"));
  }
  *number = form->integer;
  return absl::OkStatus();
}

absl::Status EventDecoder::DecodeTimestamps(const Fields& fields) {
  Timestamps& timestamps = event_.timestamps;
  timestamps = {};
  const auto told = [](const Form* form) {
    return form != nullptr && form->kind != Form::Kind::kNil;
  };
  if (told(fields.commit_timestamp)) {
    RETURN_IF_ERROR(
        DecodeNumber(fields.commit_timestamp, "commit-timestamp", &timestamps.commit_timestamp));
  }
  if (told(fields.read_timestamp)) {
    RETURN_IF_ERROR(
        DecodeNumber(fields.read_timestamp, "read-timestamp", &timestamps.read_timestamp));
  }
  if (!told(fields.stale)) return absl::OkStatus();
  if (fields.stale->kind != Form::Kind::kBoolean) {
    return ErrorAt(text_, fields.stale->offset, "'stale' is true or false");
  }
  timestamps.stale = fields.stale->integer == 1;
  return absl::OkStatus();
}

absl::Status EventDecoder::DecodeOperations(const FormTape& tape, size_t value) {
  if (tape[value].kind != Form::Kind::kSequence) {
    return ErrorAt(text_, tape[value].offset,
                   "the value of an event is a list of operations like [append x 1] or [r x nil]");
  }
  for (size_t at = value + 1; at < tape[value].next; at = tape[at].next) {
    event_.operations.emplace_back();
    RETURN_IF_ERROR(DecodeOperation(tape, at, &event_.operations.back()));
  }
  return absl::OkStatus();
}

absl::Status EventDecoder::DecodeOperation(const FormTape& tape, size_t at,
                                           EventOperation* operation) {
  static constexpr std::pair<absl::string_view, OperationKind> kKinds[] = {
      {"r", OperationKind::kRead},
      {"append", OperationKind::kAppend},
      {"w", OperationKind::kWrite}};
  const Form& form = tape[at];
  size_t parts = 0;
  for (size_t i = at + 1; i < form.next; i = tape[i].next) ++parts;
  if (form.kind != Form::Kind::kSequence || parts != 3) {
    return ErrorAt(text_, form.offset, "an operation has three parts, like [r x nil]");
  }
  const Form& kind = tape[at + 1];
  const size_t key = kind.next;
  const size_t value = tape[key].next;
  bool known = false;
  for (const auto& [name, meaning] : kKinds) {
    if (!IsWord(kind) || tape.text(kind) != name) continue;
    operation->kind = meaning;
    known = true;
  }
  if (!known) return ErrorAt(text_, kind.offset, "an operation is r, append or w");
  ASSIGN_OR_RETURN(operation->key, DecodeKey(tape, tape[key]));
  if (operation->kind == OperationKind::kRead) return DecodeResult(tape, value, operation);
  return DecodeNumber(&tape[value], "what is appended or written", &operation->value);
}

absl::Status EventDecoder::DecodeResult(const FormTape& tape, size_t at,
                                        EventOperation* operation) {
  const Form& result = tape[at];
  if (result.kind == Form::Kind::kNil) return absl::OkStatus();
  if (result.kind != Form::Kind::kSequence) {
    return DecodeNumber(&result, "what is read", &operation->value);
  }
  std::vector<int64_t>& list = operation->list.emplace();
  for (size_t element = at + 1; element < result.next; element = tape[element].next) {
    RETURN_IF_ERROR(DecodeNumber(&tape[element], "an element of a list", &list.emplace_back()));
  }
  return absl::OkStatus();
}

absl::StatusOr<Key> EventDecoder::DecodeKey(const FormTape& tape, const Form& form) const {
  if (form.kind == Form::Kind::kInteger) return Key(form.integer);
  if (IsWord(form)) return Key(std::string(tape.text(form)));
  return ErrorAt(text_, form.offset, "a key is a whole number or a word");
}

}  // namespace checker

// Makes events of what Jepsen writes into a history:
//
//   {:type :ok, :f :txn, :value [[:append x 1] [:r y [1 2]]], :process 0, :time 123, :index 5}
//
// and the same in JSON, where keywords are strings. What :process is no number of, the nemesis for
// example, is no client and is passed over. Isochron adds :commit-timestamp, :read-timestamp and
// :stale.
#ifndef WORKLOAD_CHECKER_EVENT_DECODER_H_
#define WORKLOAD_CHECKER_EVENT_DECODER_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "workload/checker/form.h"
#include "workload/checker/history_builder.h"

namespace checker {

// Decodes one event after the other out of `text`, of which its errors give the position.
class EventDecoder {
 public:
  explicit EventDecoder(absl::string_view text) : text_(text) {}

  // The event on the tape; null if it is not one of a client. It is overwritten by the next.
  absl::StatusOr<const Event*> Decode(const FormTape& tape);

 private:
  struct Fields;
  absl::StatusOr<Fields> FindFields(const FormTape& tape) const;
  absl::Status DecodeType(const FormTape& tape, const Form* type);
  absl::Status DecodeNumber(const Form* form, absl::string_view name, int64_t* number) const;
  absl::Status DecodeTimestamps(const Fields& fields);
  absl::Status DecodeOperations(const FormTape& tape, size_t value);
  absl::Status DecodeOperation(const FormTape& tape, size_t at, EventOperation* operation);
  absl::Status DecodeResult(const FormTape& tape, size_t at, EventOperation* operation);
  absl::StatusOr<Key> DecodeKey(const FormTape& tape, const Form& form) const;

  const absl::string_view text_;
  Event event_;
  std::optional<int64_t> last_index_;
};

}  // namespace checker

#endif  // WORKLOAD_CHECKER_EVENT_DECODER_H_

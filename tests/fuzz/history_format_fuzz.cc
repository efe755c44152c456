// Any bytes give a history or one sentence, never a crash; a history survives being written and read
// again; and the checker has a verdict for it, or says why not.
#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/check.h"
#include "workload/checker/check.h"
#include "workload/checker/history_format.h"
#include "workload/checker/report.h"

namespace {

using checker::HistoryFormat;

// The fuzzer meets large cycles now and then; here they need not be searched to the end.
constexpr uint64_t kStepsMax = 10'000;

void Survive(const checker::History& history, HistoryFormat format) {
  const std::string text = checker::WriteHistory(history, format);
  const absl::StatusOr<checker::History> again = checker::ReadHistory(text, format);
  CHECK(again.ok()) << again.status() << " of\n" << text;
  CHECK(checker::WriteHistory(*again, format) == text) << text;
}

void Judge(const checker::History& history, const checker::CheckOptions& options) {
  const absl::StatusOr<checker::Verdict> verdict = checker::Check(history, options);
  if (!verdict.ok()) return;
  checker::FormatVerdict(history, *verdict);
  checker::FormatVerdictJson(history, *verdict);
}

void Try(absl::string_view text, HistoryFormat format) {
  const absl::StatusOr<checker::History> history = checker::ReadHistory(text, format);
  if (!history.ok()) {
    CHECK(history.status().message().find('\n') == absl::string_view::npos) << history.status();
    return;
  }
  Survive(*history, HistoryFormat::kEdn);
  Survive(*history, HistoryFormat::kJson);
  for (const checker::Model& model : checker::Models()) {
    Judge(*history, {.model = model, .steps_max = kStepsMax});
  }
  Judge(*history, {.timestamps = true});
}

// Bytes as a history that is well-formed: the fuzzer then looks for the checker's mistakes, and
// need not find out how events are written.
std::string Compose(const uint8_t* data, size_t size) {
  std::string text;
  std::string open[4];
  for (size_t i = 0; i + 3 < size; i += 4) {
    const size_t process = data[i] % 4;
    std::string& operations = open[process];
    const std::string head = "{:process " + std::to_string(process) + " :type ";
    if (operations.empty()) {
      for (size_t j = 1; j <= 2; ++j) {
        const std::string key = std::to_string(data[i + j] % 3);
        operations += data[i + j] & 0x40 ? "[:r " + key + " VALUE]"
                                         : "[:w " + key + " " + std::to_string(data[i + j] >> 3) +
                                               std::to_string(i) + "]";
      }
      std::string asked = operations;
      for (size_t at; (at = asked.find("VALUE")) != std::string::npos;) asked.replace(at, 5, "nil");
      text += head + ":invoke :value [" + asked + "]}\n";
      continue;
    }
    for (size_t at; (at = operations.find("VALUE")) != std::string::npos;) {
      operations.replace(at, 5,
                         data[i + 3] & 1
                             ? "nil"
                             : std::to_string(data[i + 1] >> 3) + std::to_string(data[i + 2] & ~3));
    }
    const char* const type = data[i + 3] % 8 == 7   ? ":fail"
                             : data[i + 3] % 8 == 6 ? ":info"
                                                    : ":ok";
    text += head + type + " :value [" + operations + "] :commit-timestamp " +
            std::to_string(data[i + 3]) + "}\n";
    operations.clear();
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(data, data + size);
  Try(input, HistoryFormat::kEdn);
  Try(input, HistoryFormat::kJson);
  Try(Compose(data, size), HistoryFormat::kAuto);
  return 0;
}

// isochron check: whether a history of transactions is what a database promises.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/command.h"
#include "runtime/status_macros.h"
#include "workload/checker/check.h"
#include "workload/checker/history_format.h"
#include "workload/checker/report.h"

namespace cli {
namespace {

constexpr size_t kReadSize = size_t{1} << 20;

struct CheckFlags {
  std::string file;
  std::string model = checker::StrictSerializable().name;
  std::string format = "auto";
  std::string registers = "model";
  int64_t examples = 3;
  bool timestamps = false;
  bool json = false;
};

// The flags, understood.
struct CheckPlan {
  checker::HistoryFormat format = checker::HistoryFormat::kAuto;
  checker::CheckOptions options;
};

std::string ModelNames() {
  std::vector<std::string> names;
  for (const checker::Model& model : checker::Models()) names.push_back(model.name);
  return absl::StrJoin(names, ", ");
}

absl::StatusOr<checker::HistoryFormat> UnderstandFormat(const std::string& format) {
  if (format == "auto") return checker::HistoryFormat::kAuto;
  if (format == "edn") return checker::HistoryFormat::kEdn;
  if (format == "json") return checker::HistoryFormat::kJson;
  return absl::InvalidArgumentError(
      absl::StrCat("there is no format '", format, "': it is auto, edn or json"));
}

absl::StatusOr<std::optional<checker::Level>> UnderstandOrder(const std::string& registers) {
  if (registers == "model") return std::nullopt;
  if (registers == "unordered") return checker::Level::kPlain;
  if (registers == "sequential") return checker::Level::kProcess;
  if (registers == "linearizable") return checker::Level::kRealTime;
  return absl::InvalidArgumentError(
      absl::StrCat("registers cannot be '", registers,
                   "': they are unordered, sequential, linearizable, or as the model says"));
}

absl::StatusOr<CheckPlan> Understand(const CheckFlags& flags) {
  CheckPlan plan;
  const checker::Model* const model = checker::FindModel(flags.model);
  if (model == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no model '", flags.model, "': it is one of ", ModelNames()));
  }
  ASSIGN_OR_RETURN(plan.format, UnderstandFormat(flags.format));
  ASSIGN_OR_RETURN(plan.options.registers_ordered_by, UnderstandOrder(flags.registers));
  if (flags.examples < 1 || flags.examples > 1000) {
    return absl::InvalidArgumentError("--examples is from 1 to 1000");
  }
  if (flags.timestamps && model->mildest != checker::CycleClass::kG2Item) {
    return absl::InvalidArgumentError(absl::StrCat("--timestamps checks a serial order, which ",
                                                   model->name, " does not promise"));
  }
  if (flags.timestamps && flags.registers != "model") {
    return absl::InvalidArgumentError(
        "--registers is for histories without timestamps, which tell the order themselves");
  }
  plan.options.model = *model;
  plan.options.timestamps = flags.timestamps;
  plan.options.examples_max = static_cast<size_t>(flags.examples);
  return plan;
}

absl::StatusOr<std::string> ReadAll(const std::string& path) {
  std::ifstream file;
  if (path != "-") {
    file.open(path, std::ios::binary);
    // A folder opens like a file, and only reading it fails.
    if (!file || file.peek() == std::ifstream::traits_type::eof()) {
      const bool is_empty = file.is_open() && file.eof() && !file.bad();
      return absl::InvalidArgumentError(
          is_empty ? absl::StrCat("the history '", path, "' is empty")
                   : absl::StrCat("the history '", path, "' cannot be read"));
    }
  }
  std::istream& in = path == "-" ? std::cin : file;
  std::string text;
  std::vector<char> part(kReadSize);
  while (in.read(part.data(), static_cast<std::streamsize>(part.size())) || in.gcount() > 0) {
    text.append(part.data(), static_cast<size_t>(in.gcount()));
  }
  if (in.bad())
    return absl::InvalidArgumentError(absl::StrCat("the history '", path, "' cannot be read"));
  return text;
}

absl::StatusOr<checker::History> Read(const std::string& path, checker::HistoryFormat format) {
  ASSIGN_OR_RETURN(const std::string text, ReadAll(path));
  absl::StatusOr<checker::History> history = checker::ReadHistory(text, format);
  if (history.ok()) return history;
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", history.status().message()));
}

class CheckCommand final : public Command {
 public:
  CLI::App* Describe(CLI::App* app) override {
    CLI::App* check =
        app->add_subcommand("check", "Check a history of transactions (docs/checker.md)");
    check->add_option("file", flags_.file,
                      "The history, in Jepsen's EDN or JSON (- is standard input)");
    check->add_option("--model", flags_.model, absl::StrCat("What is promised: ", ModelNames()))
        ->capture_default_str();
    check->add_flag("--timestamps", flags_.timestamps,
                    "Take commit and read timestamps as the order, and check them");
    check
        ->add_option("--registers", flags_.registers,
                     "What each register promises by itself: unordered, sequential, linearizable, "
                     "or model (what the model says)")
        ->capture_default_str();
    check->add_option("--format", flags_.format, "auto, edn or json")->capture_default_str();
    check->add_option("--examples", flags_.examples, "Anomalies of each name to show")
        ->capture_default_str();
    check->add_flag("--json", flags_.json, "The verdict as a JSON object");
    return check;
  }

  int Run() override {
    if (flags_.file.empty()) {
      return Refuse(absl::InvalidArgumentError("check needs the FILE of a history"));
    }
    const absl::StatusOr<CheckPlan> plan = Understand(flags_);
    if (!plan.ok()) return Refuse(plan.status());
    const absl::StatusOr<checker::History> history = Read(flags_.file, plan->format);
    if (!history.ok()) return Refuse(history.status());
    const absl::StatusOr<checker::Verdict> verdict = checker::Check(*history, plan->options);
    if (!verdict.ok()) {
      return Refuse(
          absl::InvalidArgumentError(absl::StrCat(flags_.file, ": ", verdict.status().message())));
    }
    const std::string report = flags_.json ? checker::FormatVerdictJson(*history, *verdict) + "\n"
                                           : checker::FormatVerdict(*history, *verdict);
    std::fputs(report.c_str(), stdout);
    return verdict->valid() ? kExitOk : kExitFailed;
  }

 private:
  CheckFlags flags_;
};

}  // namespace

std::unique_ptr<Command> MakeCheckCommand() { return std::make_unique<CheckCommand>(); }

}  // namespace cli

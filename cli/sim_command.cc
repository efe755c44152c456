// isochron sim: runs scenarios of the simulator over ranges of seeds, and replays a seed with its
// trace.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/command.h"
#include "cli/parse.h"
#include "cli/terminal.h"
#include "runtime/format.h"
#include "runtime/simulated/trace.h"
#include "runtime/status_macros.h"
#include "simulation/campaign.h"
#include "simulation/rules.h"
#include "simulation/scenario.h"

namespace cli {
namespace {

// How many of the last events a failure shows.
constexpr size_t kTailLines = 40;

struct SimFlags {
  std::string scenarios;
  std::string seeds = "1-100";
  std::string without;
  std::string trace;
  bool twice = false;
  bool verbose = false;
  bool probes = false;
  bool json = false;
  bool list = false;
};

// The flags, understood.
struct SimPlan {
  std::vector<const simulation::Scenario*> scenarios;
  SeedRange seeds;
  std::set<std::string> without;
};

// Writes the whole trace to a stream.
class StreamTrace final : public simulated::TraceSink {
 public:
  explicit StreamTrace(std::ostream* out) : out_(out) {}
  void Line(absl::string_view line) override { *out_ << line << '\n'; }

 private:
  std::ostream* const out_;
};

absl::StatusOr<SimPlan> Understand(const SimFlags& flags) {
  SimPlan plan;
  ASSIGN_OR_RETURN(plan.seeds, ParseSeeds(flags.seeds));
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ParseNames(flags.scenarios));
  for (const std::string& name : names) {
    const simulation::Scenario* scenario = simulation::FindScenario(name);
    if (scenario == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("there is no scenario '", name, "': isochron sim --list names them"));
    }
    plan.scenarios.push_back(scenario);
  }
  if (!flags.without.empty()) {
    ASSIGN_OR_RETURN(const std::vector<std::string> rules, ParseNames(flags.without));
    for (const std::string& rule : rules) {
      RETURN_IF_ERROR(simulation::CheckRuleHasSwitch(rule));
      plan.without.insert(rule);
    }
  }
  if (!flags.trace.empty() && (plan.seeds.first != plan.seeds.last || plan.scenarios.size() != 1)) {
    return absl::InvalidArgumentError("--trace is for one scenario and one seed");
  }
  return plan;
}

int List() {
  for (const simulation::Scenario& scenario : simulation::Scenarios()) {
    std::printf("%-16s %s\n", scenario.name, scenario.summary);
  }
  std::printf("\nrules with a switch (--without):\n");
  for (const simulation::RuleSwitch& rule : simulation::RuleSwitches()) {
    std::printf("%-16s %s\n", rule.name, rule.lets_in);
  }
  return kExitOk;
}

std::string ReplayCommand(const simulation::Scenario& scenario, uint64_t seed,
                          const SimPlan& plan) {
  return absl::StrCat(
      "isochron sim --scenario ", scenario.name, " --seeds ", seed,
      plan.without.empty() ? "" : absl::StrCat(" --without ", absl::StrJoin(plan.without, ",")),
      " --trace trace.txt");
}

void PrintFailure(const simulation::Scenario& scenario, const SimPlan& plan,
                  const simulation::SeedResult& failure) {
  simulated::TraceRing tail(kTailLines);
  simulation::RunSeed(scenario, failure.seed, plan.without, &tail);
  std::printf("  the last events before it:\n");
  for (const std::string& line : tail.lines()) std::printf("    %s\n", line.c_str());
  std::printf("  seed %llu: %s\n  replay: %s\n", static_cast<unsigned long long>(failure.seed),
              std::string(failure.violation.message()).c_str(),
              ReplayCommand(scenario, failure.seed, plan).c_str());
}

nlohmann::json ToJson(const simulation::Scenario& scenario,
                      const simulation::CampaignResult& result) {
  nlohmann::json json = {{"scenario", scenario.name},
                         {"seeds", result.seeds},
                         {"events", result.events},
                         {"simulated_ns", result.simulated.count()},
                         {"hash", absl::StrFormat("%016x", result.hash)},
                         {"ok", !result.failure.has_value()},
                         {"probes", result.probes}};
  if (result.failure.has_value()) {
    json["failed_seed"] = result.failure->seed;
    json["violation"] = std::string(result.failure->violation.message());
  }
  return json;
}

class SimCommand final : public Command {
 public:
  CLI::App* Describe(CLI::App* app) override {
    CLI::App* sim = app->add_subcommand("sim", "Run scenarios in the simulated world");
    sim->add_option("--scenario", flags_.scenarios,
                    "Scenarios, comma-separated (--list names them)");
    sim->add_option("--seeds", flags_.seeds, "One seed or a range: 7 or 1-200")
        ->capture_default_str();
    sim->add_option("--without", flags_.without, "Protocol rules to switch off, comma-separated");
    sim->add_option("--trace", flags_.trace,
                    "Write every event of one seed to this file (- is standard output)");
    sim->add_flag("--twice", flags_.twice,
                  "Run each seed twice and compare the hashes of all events");
    sim->add_flag("--verbose", flags_.verbose, "A line for each seed");
    sim->add_flag("--probes", flags_.probes,
                  "List the rare paths that were reached, and how often");
    sim->add_flag("--json", flags_.json, "A JSON object for each scenario");
    sim->add_flag("--list", flags_.list, "Name the scenarios and the rules that have a switch");
    return sim;
  }

  int Run() override {
    if (flags_.list) return List();
    if (flags_.scenarios.empty()) {
      return Refuse(absl::InvalidArgumentError(
          "sim needs --scenario NAME[,NAME]: isochron sim --list names them"));
    }
    const absl::StatusOr<SimPlan> plan = Understand(flags_);
    if (!plan.ok()) return Refuse(plan.status());
    if (!flags_.trace.empty()) return Trace(*plan);
    WatchForInterrupts();
    int exit = kExitOk;
    for (const simulation::Scenario* scenario : plan->scenarios) {
      if (!RunScenario(*scenario, *plan)) exit = kExitFailed;
      if (Interrupted()) return kExitFailed;
    }
    return exit;
  }

 private:
  // Whether all seeds passed.
  bool RunScenario(const simulation::Scenario& scenario, const SimPlan& plan) {
    simulation::CampaignOptions options{.first_seed = plan.seeds.first,
                                        .last_seed = plan.seeds.last,
                                        .without = plan.without,
                                        .twice = flags_.twice,
                                        .on_seed = {}};
    const bool live = IsTerminal() && !flags_.json;
    options.on_seed = [&](const simulation::SeedResult& seed) {
      if (flags_.verbose) {
        absl::PrintF("%-16s seed %-8d %s  %s events  hash %016x\n", scenario.name, seed.seed,
                     seed.violation.ok() ? "ok    " : "FAILED", FormatCount(seed.events),
                     seed.hash);
      } else if (live) {
        absl::PrintF("\r%-16s seed %d of %d-%d ", scenario.name, seed.seed, plan.seeds.first,
                     plan.seeds.last);
        std::fflush(stdout);
      }
      return !Interrupted();
    };
    const simulation::CampaignResult result = simulation::RunCampaign(scenario, options);
    if (flags_.json) {
      std::printf("%s\n", ToJson(scenario, result).dump().c_str());
      return !result.failure.has_value();
    }
    absl::PrintF("%s%-16s seeds %d-%d  %s  %s events, %s simulated  hash %016x\n", live ? "\r" : "",
                 scenario.name, plan.seeds.first, plan.seeds.first + result.seeds - 1,
                 result.failure ? "FAILED" : "ok", FormatCount(result.events),
                 runtime::FormatDuration(result.simulated), result.hash);
    if (result.failure.has_value()) PrintFailure(scenario, plan, *result.failure);
    if (flags_.probes) {
      for (const auto& [probe, count] : result.probes) {
        absl::PrintF("  %-40s %s\n", probe, FormatCount(count));
      }
    }
    return !result.failure.has_value();
  }

  int Trace(const SimPlan& plan) {
    std::ofstream file;
    if (flags_.trace != "-") {
      file.open(flags_.trace);
      if (!file) {
        return Refuse(absl::InvalidArgumentError(
            absl::StrCat("the trace file '", flags_.trace, "' cannot be written")));
      }
    }
    StreamTrace trace(flags_.trace == "-" ? &std::cout : &file);
    const simulation::SeedResult result =
        simulation::RunSeed(*plan.scenarios[0], plan.seeds.first, plan.without, &trace);
    absl::FPrintF(stderr, "%s seed %d: %s, %s events, hash %016x\n", plan.scenarios[0]->name,
                  result.seed, result.violation.ok() ? "ok" : result.violation.message(),
                  FormatCount(result.events), result.hash);
    return result.violation.ok() ? kExitOk : kExitFailed;
  }

  SimFlags flags_;
};

}  // namespace

std::unique_ptr<Command> MakeSimCommand() { return std::make_unique<SimCommand>(); }

}  // namespace cli

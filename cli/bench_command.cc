// isochron bench: three nodes in one process, on real disks and real gRPC, measured against what they
// stand on.
#include "cli/bench_command.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/parse.h"
#include "runtime/status_macros.h"

namespace cli {
namespace {

constexpr runtime::Duration kEpsilonMax = std::chrono::seconds(1);

template <typename T>
absl::Status CheckRange(const char* flag, T value, T least, T most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(flag, " is from ", least, " to ", most));
}

absl::Status Check(const PaxosBenchFlags& flags) {
  RETURN_IF_ERROR(CheckRange("--seconds", flags.seconds, 0.1, 600.0));
  RETURN_IF_ERROR(CheckRange("--groups", flags.groups, 1, 20'000));
  RETURN_IF_ERROR(CheckRange("--outstanding", flags.outstanding, 1, 4096));
  RETURN_IF_ERROR(CheckRange("--value-bytes", flags.value_bytes, 1, 32'768));
  RETURN_IF_ERROR(CheckRange("--megabytes", flags.megabytes, 64, 16'384));
  RETURN_IF_ERROR(CheckRange("--proposals", flags.proposals, 1000, 100'000'000));
  return CheckPaxosFigures(flags.only);
}

class BenchCommand final : public Command {
 public:
  CLI::App* Describe(CLI::App* app) override {
    CLI::App* bench = app->add_subcommand("bench", "Measure this machine and what runs on it");
    bench->require_subcommand(0, 1);
    DescribePaxos(bench);
    DescribeCommitWait(bench);
    DescribeTransactions(bench);
    DescribeNode(bench);
    return bench;
  }

  int Run() override {
    if (node_app_->parsed()) return RunPaxosNode(node_);
    if (commit_wait_app_->parsed()) return RunCommitWait();
    if (transactions_app_->parsed()) return RunTransactions();
    if (!paxos_app_->parsed()) {
      return Refuse(absl::InvalidArgumentError(
          "what to measure is missing: isochron bench paxos, commit-wait or transactions"));
    }
    if (!only_.empty()) {
      absl::StatusOr<std::vector<std::string>> names = ParseNames(only_);
      if (!names.ok()) return Refuse(names.status());
      paxos_.only = *std::move(names);
    }
    if (const absl::Status checked = Check(paxos_); !checked.ok()) return Refuse(checked);
    return RunPaxosBench(paxos_);
  }

 private:
  void DescribePaxos(CLI::App* bench) {
    CLI::App* const paxos = paxos_app_ = bench->add_subcommand(
        "paxos", "Three nodes in one process, on real disks and real gRPC over loopback");
    paxos->add_option("--only", only_, "Figures, comma-separated (default: all)");
    paxos->add_option("--seconds", paxos_.seconds, "For each sample of a throughput")
        ->capture_default_str();
    paxos
        ->add_option("--outstanding", paxos_.outstanding, "Proposals at a time, and etcd's clients")
        ->capture_default_str();
    paxos->add_option("--value-bytes", paxos_.value_bytes, "Of each value")->capture_default_str();
    paxos->add_option("--groups", paxos_.groups, "Groups that are idle")->capture_default_str();
    paxos->add_option("--megabytes", paxos_.megabytes, "What is restarted with, and sent over")
        ->capture_default_str();
    paxos->add_option("--proposals", paxos_.proposals, "That an idle replica sits through")
        ->capture_default_str();
    paxos->add_option("--data", paxos_.data,
                      "A folder on the disk to measure (default: the system's temporary one)");
    paxos->add_flag("--json", paxos_.json, "As JSON, at the end");
  }

  void DescribeCommitWait(CLI::App* bench) {
    CLI::App* const app = commit_wait_app_ = bench->add_subcommand(
        "commit-wait", "What commits cost as the clocks' uncertainty grows, beside the model");
    app->add_option("--epsilon", epsilons_, "Half the width of the clocks' intervals")
        ->capture_default_str();
    app->add_option("--commits", commit_wait_.commits, "For each median")->capture_default_str();
    app->add_option("--data", commit_wait_.data,
                    "A folder on the disk to measure (default: the system's temporary one)");
    app->add_flag("--json", commit_wait_.json, "As JSON, at the end");
  }

  void DescribeTransactions(CLI::App* bench) {
    CLI::App* const app = transactions_app_ = bench->add_subcommand(
        "transactions", "What transactions cost beside what they are made of");
    app->add_option("--seconds", transactions_.seconds, "For each sample of a throughput")
        ->capture_default_str();
    app->add_option("--clients", transactions_.clients, "Transfers at a time")
        ->capture_default_str();
    app->add_option("--data", transactions_.data,
                    "A folder on the disk to measure (default: the system's temporary one)");
    app->add_flag("--json", transactions_.json, "As JSON, at the end");
  }

  int RunCommitWait() {
    absl::StatusOr<std::vector<runtime::Duration>> epsilons = ParseDurations(epsilons_);
    if (!epsilons.ok()) return Refuse(epsilons.status());
    for (const runtime::Duration epsilon : *epsilons) {
      if (epsilon > kEpsilonMax) {
        return Refuse(absl::InvalidArgumentError("--epsilon is from 0 to 1s"));
      }
    }
    commit_wait_.epsilons = *std::move(epsilons);
    const absl::Status checked = CheckRange("--commits", commit_wait_.commits, 1, 1'000'000);
    return checked.ok() ? RunCommitWaitBench(commit_wait_) : Refuse(checked);
  }

  int RunTransactions() {
    absl::Status checked = CheckRange("--seconds", transactions_.seconds, 0.1, 600.0);
    checked.Update(CheckRange("--clients", transactions_.clients, 1, 4096));
    return checked.ok() ? RunTransactionsBench(transactions_) : Refuse(checked);
  }

  // What this process starts of itself.
  void DescribeNode(CLI::App* bench) {
    node_app_ = bench->add_subcommand("paxos-node", "")->group("");
    node_app_->add_option("--node", node_.node)->required();
    node_app_->add_option("--port", node_.port)->required();
    node_app_->add_option("--parent", node_.parent)->required();
    node_app_->add_option("--data", node_.data)->required();
  }

  PaxosBenchFlags paxos_;
  PaxosNodeFlags node_;
  std::string only_;
  CLI::App* paxos_app_ = nullptr;
  CLI::App* node_app_ = nullptr;
  CommitWaitBenchFlags commit_wait_;
  std::string epsilons_ = "0,500us,1ms,2ms,4ms,7ms,10ms,20ms";
  CLI::App* commit_wait_app_ = nullptr;
  TransactionsBenchFlags transactions_;
  CLI::App* transactions_app_ = nullptr;
};

}  // namespace

std::unique_ptr<Command> MakeBenchCommand() { return std::make_unique<BenchCommand>(); }

}  // namespace cli

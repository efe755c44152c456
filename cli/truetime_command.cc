// isochron truetime and isochron truetime wait: their flags.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/command.h"
#include "cli/truetime_run.h"

namespace cli {
namespace {

class TrueTimeCommand final : public Command {
 public:
  CLI::App* Describe(CLI::App* app) override {
    CLI::App* truetime =
        app->add_subcommand("truetime", "Watch the TrueTime interval; measure commit-wait");
    truetime
        ->add_option("--source", view_.source, "chrony, or fixed (this host's clock +- --epsilon)")
        ->capture_default_str();
    truetime->add_option("--chrony", view_.chrony,
                         "chronyd's command socket, or address:port (default: the usual ones)");
    truetime->add_option("--chrony-conf", view_.chrony_conf,
                         "chronyd's configuration, to be checked (default: the usual one)");
    truetime->add_option("--epsilon", view_.epsilon, "Half width for --source fixed")
        ->capture_default_str();
    truetime->add_flag("--once", view_.once, "One picture instead of the live view");
    truetime->add_flag("--json", view_.json, "One picture as JSON, times in integer nanoseconds");
    wait_app_ =
        truetime->add_subcommand("wait", "Measure how long commits wait, against 2 x epsilon");
    wait_app_->add_option("--epsilon", wait_.epsilons, "Epsilons, comma-separated: 0,1ms,2ms")
        ->capture_default_str();
    wait_app_->add_option("--commits", wait_.commits, "Commits for each epsilon")
        ->capture_default_str();
    wait_app_->add_flag("--json", wait_.json, "As JSON, in integer nanoseconds");
    return truetime;
  }

  int Run() override { return wait_app_->parsed() ? RunWait(wait_) : RunView(view_); }

 private:
  TrueTimeFlags view_;
  WaitFlags wait_;
  CLI::App* wait_app_ = nullptr;
};

}  // namespace

std::unique_ptr<Command> MakeTrueTimeCommand() { return std::make_unique<TrueTimeCommand>(); }

}  // namespace cli

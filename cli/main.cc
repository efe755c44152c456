// isochron: the one binary. Finds the command, lets it read its flags, runs it.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"

namespace cli {

int Refuse(const absl::Status& status) {
  std::fprintf(stderr, "isochron: %s\n", std::string(status.message()).c_str());
  return kExitUsage;
}

namespace {

int Main(int argc, char** argv) {
  CLI::App app("Isochron: an externally consistent, sharded SQL database", "isochron");
  app.require_subcommand(0, 1);
  app.set_version_flag("--version", "isochron 0.1.0");

  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(MakeTrueTimeCommand());
  commands.push_back(MakeSimCommand());
  commands.push_back(MakeCheckCommand());
  commands.push_back(MakeBenchCommand());
  std::vector<CLI::App*> parts;
  for (const auto& command : commands) parts.push_back(command->Describe(&app));

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version.
    std::fprintf(stderr, "isochron: %s; see isochron --help\n", error.what());
    return kExitUsage;
  }
  for (size_t i = 0; i < commands.size(); ++i) {
    if (parts[i]->parsed()) return commands[i]->Run();
  }
  return Refuse(absl::InvalidArgumentError("a command is missing; see isochron --help"));
}

}  // namespace
}  // namespace cli

int main(int argc, char** argv) { return cli::Main(argc, argv); }

// Command: one word after `isochron`.
#ifndef CLI_COMMAND_H_
#define CLI_COMMAND_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"

namespace CLI {
class App;
}

namespace cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;  // What was asked was done, and the answer is bad.
inline constexpr int kExitUsage = 2;   // It could not be asked like that, or not here.

class Command {
 public:
  virtual ~Command() = default;

  // Adds itself, with its flags, to `app`; returns the part of `app` that tells whether it was
  // asked for.
  virtual CLI::App* Describe(CLI::App* app) = 0;

  // Does it, after the flags were read. The exit status of the process.
  virtual int Run() = 0;
};

std::unique_ptr<Command> MakeBenchCommand();
std::unique_ptr<Command> MakeCheckCommand();
std::unique_ptr<Command> MakeSimCommand();
std::unique_ptr<Command> MakeTrueTimeCommand();

// Prints "isochron: <message>" to standard error; returns kExitUsage.
int Refuse(const absl::Status& status);

}  // namespace cli

#endif  // CLI_COMMAND_H_

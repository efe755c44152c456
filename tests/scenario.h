// Scenario files: blocks of commands, "----", what happened, and an empty line. Lines that begin
// with # are comments.
#ifndef TESTS_SCENARIO_H_
#define TESTS_SCENARIO_H_

#include <functional>
#include <istream>
#include <sstream>
#include <string>
#include <vector>

namespace tests {

// What the file is when its story is told again: comments and commands as they were, with what
// `carry_out` says, in whole lines, of each command now. Commands at the end without "----" are
// left without an answer, so that the file differs from itself.
inline std::string RetellScenario(std::istream& file,
                                  const std::function<std::string(const std::string&)>& carry_out) {
  std::ostringstream told;
  std::vector<std::string> commands;
  bool answering = false;
  for (std::string line; std::getline(file, line);) {
    if (answering) {
      answering = !line.empty();
      if (!answering) told << '\n';
      continue;
    }
    told << line << '\n';
    if (line == "----") {
      for (const std::string& command : commands) told << carry_out(command);
      commands.clear();
      answering = true;
    } else if (!line.empty() && line[0] != '#') {
      commands.push_back(line);
    }
  }
  for (const std::string& command : commands) told << "without ----: " << command << '\n';
  return told.str();
}

}  // namespace tests

#endif  // TESTS_SCENARIO_H_

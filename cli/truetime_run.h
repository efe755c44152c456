// What `isochron truetime` does with its flags: shows one TrueTime clock, or measures commit-wait.
#ifndef CLI_TRUETIME_RUN_H_
#define CLI_TRUETIME_RUN_H_

#include <string>

namespace cli {

struct TrueTimeFlags {
  std::string source = "chrony";
  std::string chrony;
  std::string chrony_conf;
  std::string epsilon = "1ms";
  bool once = false;
  bool json = false;
};

struct WaitFlags {
  std::string epsilons = "0,1ms,2ms,5ms,10ms";
  int commits = 200;
  bool json = false;
};

// The exit status of the process.
int RunView(const TrueTimeFlags& flags);
int RunWait(const WaitFlags& flags);

}  // namespace cli

#endif  // CLI_TRUETIME_RUN_H_

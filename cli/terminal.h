// The terminal that the command talks to: its size, single key presses, a screen that is put back
// on exit.
#ifndef CLI_TERMINAL_H_
#define CLI_TERMINAL_H_

#include <string>
#include <vector>

namespace cli {

// Whether standard input and output are both a terminal.
bool IsTerminal();

// True once Ctrl-C, SIGTERM or a hang-up asked the process to end. WatchForInterrupts() is called
// first; the second interrupt ends the process at once.
void WatchForInterrupts();
bool Interrupted();

// Takes over the terminal's other screen while it lives: no echo, single keys, no cursor. Standard
// input and output must be a terminal.
class FullScreen {
 public:
  FullScreen();
  ~FullScreen();
  FullScreen(const FullScreen&) = delete;
  FullScreen& operator=(const FullScreen&) = delete;

  // Characters in a line, and lines; 80 by 24 where the terminal does not tell.
  int width() const;
  int height() const;

  // Replaces what is shown by `lines`, cutting what does not fit. A line may hold colour codes.
  void Show(const std::vector<std::string>& lines);

  // The next key that was pressed, or 0. Does not wait.
  char Key();

 private:
  struct Saved;
  Saved* saved_;
};

}  // namespace cli

#endif  // CLI_TERMINAL_H_

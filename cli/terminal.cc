#include "cli/terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

namespace cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;

void OnInterrupt(int signal) {
  interrupted = 1;
  std::signal(signal, SIG_DFL);
}

winsize Size() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    size.ws_col = 80;
    size.ws_row = 24;
  }
  return size;
}

// The bytes of `line` that fill at most `width` cells: escape sequences take none, a UTF-8
// character one.
std::string Cut(const std::string& line, int width) {
  int cells = 0;
  size_t i = 0;
  while (i < line.size()) {
    if (line[i] == '\x1b') {
      while (i < line.size() && line[i] != 'm') ++i;
      if (i < line.size()) ++i;
      continue;
    }
    if (++cells > width) break;
    do ++i;
    while (i < line.size() && (static_cast<unsigned char>(line[i]) & 0xc0) == 0x80);
  }
  return line.substr(0, i) + "\x1b[0m";
}

}  // namespace

bool IsTerminal() { return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1; }

void WatchForInterrupts() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, OnInterrupt);
}

bool Interrupted() { return interrupted != 0; }

struct FullScreen::Saved {
  termios settings{};
};

FullScreen::FullScreen() : saved_(new Saved) {
  tcgetattr(STDIN_FILENO, &saved_->settings);
  termios raw = saved_->settings;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  std::fputs("\x1b[?1049h\x1b[?25l", stdout);
}

FullScreen::~FullScreen() {
  std::fputs("\x1b[?25h\x1b[?1049l", stdout);
  std::fflush(stdout);
  tcsetattr(STDIN_FILENO, TCSANOW, &saved_->settings);
  delete saved_;
}

int FullScreen::width() const { return Size().ws_col; }
int FullScreen::height() const { return Size().ws_row; }

void FullScreen::Show(const std::vector<std::string>& lines) {
  const winsize size = Size();
  std::string frame = "\x1b[H";
  const size_t count = std::min<size_t>(lines.size(), size.ws_row);
  for (size_t i = 0; i < count; ++i) {
    frame += Cut(lines[i], size.ws_col) + "\x1b[K" + (i + 1 < count ? "\r\n" : "");
  }
  frame += "\x1b[J";
  std::fwrite(frame.data(), 1, frame.size(), stdout);
  std::fflush(stdout);
}

char FullScreen::Key() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  char key = 0;
  if (poll(&input, 1, 0) <= 0 || read(STDIN_FILENO, &key, 1) != 1) return 0;
  return key;
}

}  // namespace cli

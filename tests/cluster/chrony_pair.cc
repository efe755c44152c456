#include "tests/cluster/chrony_pair.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "runtime/status_macros.h"

namespace cluster {

namespace {

// A UDP port of loopback that nobody has now.
int FreePort() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = bind(fd, generic, length) == 0 && getsockname(fd, generic, &length) == 0;
  close(fd);
  return bound ? ntohs(address.sin_port) : 0;
}

}  // namespace

std::string ChronyPair::WhyNot() {
  if (FindProgram("chronyd").empty()) return "chronyd is not installed";
  if (FindProgram("chronyc").empty()) return "chronyc is not installed";
  return "";
}

absl::StatusOr<ChronyPair> ChronyPair::Create() {
  ChronyPair pair;
  std::string folder = (std::filesystem::temp_directory_path() / "isochron-chrony-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return absl::UnavailableError("no temporary folder");
  pair.folder_ = folder;
  // chronyd opens its socket only in a folder that others cannot enter.
  chmod(folder.c_str(), 0770);
  pair.ntp_port_ = FreePort();
  pair.upstream_command_port_ = FreePort();
  pair.follower_command_port_ = FreePort();
  RETURN_IF_ERROR(pair.StartUpstream());
  RETURN_IF_ERROR(pair.StartFollower());
  return pair;
}

ChronyPair::~ChronyPair() {
  follower_.reset();
  upstream_.reset();
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

absl::StatusOr<ChildProcess> ChronyPair::StartDaemon(const std::string& name,
                                                     const std::string& config) {
  const std::string path = absl::StrCat(folder_, "/", name);
  std::ofstream(path + ".conf") << config << "\nbindcmdaddress 127.0.0.1\nbindcmdaddress " << path
                                << ".sock\npidfile " << path << ".pid\n";
  std::vector<std::string> arguments = {FindProgram("chronyd"), "-x", "-d", "-U", "-f",
                                        path + ".conf"};
  if (geteuid() == 0) {
    arguments.push_back("-u");
    arguments.push_back("root");
  }
  return ChildProcess::Start(arguments, path + ".log");
}

absl::Status ChronyPair::StartUpstream() {
  ASSIGN_OR_RETURN(
      upstream_,
      StartDaemon("upstream", absl::StrCat("local stratum 1\nmanual\nallow 127.0.0.1\n", "port ",
                                           ntp_port_, "\ncmdport ", upstream_command_port_)));
  return absl::OkStatus();
}

absl::Status ChronyPair::StartFollower() {
  ASSIGN_OR_RETURN(
      follower_,
      StartDaemon("follower", absl::StrCat("server 127.0.0.1 port ", ntp_port_,
                                           " iburst minpoll -6 maxpoll -3\nmaxclockerror 50\n",
                                           "port 0\ncmdport ", follower_command_port_)));
  return absl::OkStatus();
}

absl::Status ChronyPair::StepUpstream() {
  using std::chrono::system_clock;
  // From the beginning of a second, five whole ones are five.
  std::this_thread::sleep_until(std::chrono::ceil<std::chrono::seconds>(system_clock::now()));
  const std::time_t then = system_clock::to_time_t(system_clock::now() + std::chrono::seconds(5));
  std::tm parts{};
  localtime_r(&then, &parts);
  char text[64];
  std::strftime(text, sizeof(text), "%b %d, %Y %H:%M:%S", &parts);
  ASSIGN_OR_RETURN(ChildProcess chronyc,
                   ChildProcess::Start({FindProgram("chronyc"), "-h", folder_ + "/upstream.sock",
                                        absl::StrCat("settime ", text)},
                                       folder_ + "/chronyc.log"));
  if (const int status = chronyc.Wait(); status != 0) {
    return absl::UnavailableError(absl::StrCat("chronyc settime ended with ", status));
  }
  return absl::OkStatus();
}

std::string ChronyPair::upstream_address() const {
  return absl::StrCat("127.0.0.1:", upstream_command_port_);
}

std::string ChronyPair::follower_address() const {
  return absl::StrCat("127.0.0.1:", follower_command_port_);
}

}  // namespace cluster

#include "tests/bench/bench_main.h"

#include <CLI/CLI.hpp>
#include <cstdio>

namespace bench {

int Main(int argc, char** argv, const std::string& description,
         const std::function<int(Report*)>& measure) {
  CLI::App app(description);
  std::string json;
  app.add_option("--json", json, "also write the figures to this file");
  CLI11_PARSE(app, argc, argv);
  Report report;
  if (const int status = measure(&report); status != 0) return status;
  if (!json.empty() && !report.WriteJson(json)) {
    std::fprintf(stderr, "%s cannot be written\n", json.c_str());
    return 2;
  }
  return report.all_met() ? 0 : 1;
}

}  // namespace bench

#include "engine/cli/job_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "operators/list.h"

namespace freshet {

std::unique_ptr<JobPlan> LoadJob(const std::string& path, const std::vector<std::string>& overrides) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file) {
    std::fprintf(stderr, "freshet: cannot read %s: %s\n", path.c_str(), std::strerror(errno));
    return nullptr;
  }
  Diagnostics diagnostics(path);
  std::unique_ptr<JobPlan> plan = PlanJob(text.str(), Operators(), {overrides}, diagnostics);
  std::fputs(diagnostics.Text().c_str(), stderr);
  return plan;
}

}  // namespace freshet

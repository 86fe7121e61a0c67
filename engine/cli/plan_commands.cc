#include <cstdio>

#include "engine/cli/commands.h"
#include "engine/cli/exit.h"
#include "engine/cli/job_file.h"

namespace freshet {

int CheckCommand(const CommandLine& line) {
  if (LoadJob(line.operands[0], line.set) == nullptr) return kUsage;
  std::printf("%s: ok\n", line.operands[0].c_str());
  return Printed();
}

int PlanCommand(const CommandLine& line) {
  const std::unique_ptr<JobPlan> plan = LoadJob(line.operands[0], line.set);
  if (plan == nullptr) return kUsage;
  std::fputs(Explain(*plan).c_str(), stdout);
  return Printed();
}

}  // namespace freshet

#include <csignal>
#include <cstdio>

#include "engine/cli/commands.h"
#include "engine/cli/exit.h"

namespace freshet {
namespace {

constexpr char kVersion[] = "0.1.0";

int Main(int argc, const char* const* argv) {
  Result<CommandLine> parsed = ParseCommandLine(argc, argv);
  if (!parsed.ok()) return Refuse(parsed.status());
  const CommandLine& line = *parsed;
  if (line.help) {
    std::fputs(HelpText(line.command).c_str(), stdout);
    return Printed();
  }
  if (line.command == "check") return CheckCommand(line);
  if (line.command == "plan") return PlanCommand(line);
  if (line.command == "run") return RunCommand(line);
  if (line.command == "produce") return ProduceCommand(line);
  if (line.command == "consume") return ConsumeCommand(line);
  if (line.command == "generate") return GenerateCommand(line);
  if (line.command == "schema") return SchemaCommand(line);
  std::printf("freshet %s\n", kVersion);
  return Printed();
}

}  // namespace
}  // namespace freshet

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that has seen enough is told by the write, and ends nothing
  return freshet::Main(argc, argv);
}

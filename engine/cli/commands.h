#pragma once
// The commands. Each returns the process's exit code. One thread.
#include "engine/cli/command_line.h"

namespace freshet {

int CheckCommand(const CommandLine& line);
int PlanCommand(const CommandLine& line);
int RunCommand(const CommandLine& line);
int ProduceCommand(const CommandLine& line);
int ConsumeCommand(const CommandLine& line);
int GenerateCommand(const CommandLine& line);
int SchemaCommand(const CommandLine& line);

}  // namespace freshet

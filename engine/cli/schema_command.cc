#include <cstdio>

#include "engine/cli/commands.h"
#include "engine/cli/exit.h"
#include "engine/spec/document.h"
#include "operators/list.h"

namespace freshet {

int SchemaCommand(const CommandLine& /*line*/) {
  const Registry registry = Operators();
  std::vector<NamedShape> shapes;
  for (const Definition& definition : registry.operators) {
    shapes.push_back({definition.type, definition.shape, definition.example.operators});
  }
  std::fputs(JobJsonSchema(shapes, *registry.model).c_str(), stdout);
  return Printed();
}

}  // namespace freshet

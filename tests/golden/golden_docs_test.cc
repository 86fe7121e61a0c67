// docs/jobs.md and docs/job.schema.json are made from the declarations that read job files, and are never
// stale.
#include <vector>

#include <gtest/gtest.h>

#include "engine/spec/document.h"
#include "operators/list.h"
#include "tests/golden/golden_file.h"

namespace freshet {
namespace {

std::vector<NamedShape> Shapes(const Registry& registry) {
  std::vector<NamedShape> shapes;
  for (const Definition& definition : registry.operators) {
    shapes.push_back({definition.type, definition.shape, definition.example.operators});
  }
  return shapes;
}

TEST(GoldenDocs, OfJobs) {
  const Registry registry = Operators();
  ExpectGolden("docs/jobs.md", JobDocs(Shapes(registry), *registry.model));
}

TEST(GoldenDocs, SchemaOfJobs) {
  const Registry registry = Operators();
  ExpectGolden("docs/job.schema.json", JobJsonSchema(Shapes(registry), *registry.model));
}

}  // namespace
}  // namespace freshet

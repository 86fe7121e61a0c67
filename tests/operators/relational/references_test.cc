#include "operators/relational/references.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace freshet {
namespace {

std::vector<std::string> Paths(std::string_view text) {
  const std::vector<std::string_view> found = PathsIn(text);
  return {found.begin(), found.end()};
}
using List = std::vector<std::string>;

TEST(PathsIn, FindsColumnsAndNothingElse) {
  EXPECT_EQ(Paths("a + b_1 * a"), (List{"a", "b_1", "a"}));
  EXPECT_EQ(Paths("max(a, min (b, 2))"), (List{"a", "b"}));
  EXPECT_EQ(Paths("model.probability > 0.5"), (List{"model.probability"}));
  EXPECT_EQ(Paths("name.startsWith('a.b') && s == \"q \\\" z\""), (List{"name", "s"}));
  EXPECT_EQ(Paths("1e5 + 0x1f + 2.5e-3 + x"), (List{"x"}));
  EXPECT_EQ(Paths("'unclosed a"), List{});
  EXPECT_EQ(Paths(""), List{});
}

}  // namespace
}  // namespace freshet

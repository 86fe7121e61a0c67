#include "engine/data/type.h"

#include <gtest/gtest.h>

namespace freshet {
namespace {

TEST(Type, NamesComeBack) {
  for (int i = 0; i <= static_cast<int>(Type::kListString); ++i) {
    const auto type = static_cast<Type>(i);
    EXPECT_EQ(TypeNamed(NameOf(type)), type);
  }
  EXPECT_EQ(NameOf(Type::kListFloat64), "list<float64>");
  EXPECT_EQ(TypeNamed("int"), std::nullopt);
  EXPECT_EQ(TypeNamed(""), std::nullopt);
}

TEST(Schema, FindsAndCompares) {
  Schema schema({{"a", Type::kInt64, {}}});
  schema.Add({"b", Type::kString, {"x", "y"}});
  EXPECT_EQ(schema.Find("b"), 1U);
  EXPECT_EQ(schema.Find("c"), std::nullopt);
  EXPECT_TRUE(schema == Schema({{"a", Type::kInt64, {}}, {"b", Type::kString, {}}}))
      << "closed sets are no part";
  EXPECT_FALSE(schema == Schema({{"a", Type::kInt64, {}}}));
  EXPECT_FALSE(schema == Schema({{"a", Type::kInt64, {}}, {"b", Type::kBytes, {}}}));
  EXPECT_FALSE(schema == Schema({{"b", Type::kString, {}}, {"a", Type::kInt64, {}}}));
}

}  // namespace
}  // namespace freshet

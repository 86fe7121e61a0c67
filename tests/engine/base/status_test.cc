#include "engine/base/status.h"

#include <memory>

#include <gtest/gtest.h>

namespace freshet {
namespace {

TEST(Status, CarriesItsError) {
  EXPECT_TRUE(Status().ok());
  EXPECT_EQ(Status().code(), Code::kOk);
  EXPECT_EQ(Status().message(), "");
  const Status error(Code::kUnreachable, "no broker answers");
  EXPECT_FALSE(error.ok());
  EXPECT_EQ(error.Within("start").message(), "start: no broker answers");
  EXPECT_EQ(error.Within("start").code(), Code::kUnreachable);
  EXPECT_TRUE(Status().Within("start").ok());
  Status copy = error;
  copy = Status();
  EXPECT_EQ(error.message(), "no broker answers");
}

TEST(Status, EveryCodeHasItsOwnName) {
  for (int a = 0; a <= static_cast<int>(Code::kInternal); ++a) {
    EXPECT_FALSE(NameOf(static_cast<Code>(a)).empty());
    for (int b = 0; b < a; ++b)
      EXPECT_NE(NameOf(static_cast<Code>(a)), NameOf(static_cast<Code>(b)));
  }
}

TEST(Result, HoldsAValueOrAStatus) {
  Result<std::unique_ptr<int>> value(std::make_unique<int>(3));
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(**value, 3);
  const std::unique_ptr<int> taken = std::move(value).value();
  EXPECT_EQ(*taken, 3);
  const Result<int> error(Invalid("no number"));
  EXPECT_FALSE(error.ok());
  EXPECT_EQ(error.status().message(), "no number");
}

}  // namespace
}  // namespace freshet

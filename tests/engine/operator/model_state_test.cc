#include "engine/operator/model_state.h"

#include <gtest/gtest.h>

namespace freshet {
namespace {

struct Pair {
  double a = 0;
  double b = 0;
};

TEST(ModelState, WhatIsDerivedIsSharedAndCurrentForOneVersion) {
  ModelState state;
  const auto array = state.Declare<double>("array", 3, true);
  const auto derived = state.DeclareDerived<Pair>("derived", 2);
  EXPECT_EQ(state.DeclareDerived<Pair>("derived", 2).index, derived.index);
  EXPECT_NE(state.DeclareDerived<Pair>("other", 2).index, derived.index);
  ASSERT_EQ(state.Derive(derived).size(), 2U);
  EXPECT_EQ(state.Derive(derived)[1].b, 0);
  EXPECT_FALSE(state.is_current(derived));  // nobody has worked it out
  state.Derive(derived)[1].b = 7;
  state.SetCurrent(derived);
  EXPECT_TRUE(state.is_current(derived));
  EXPECT_EQ(state.Derive(derived)[1].b, 7);
  const auto writer = state.Write(array);
  writer.Touch(0);
  writer[0] = 1;
  state.Advance(1);
  EXPECT_FALSE(state.is_current(derived));
}

TEST(ModelState, WhatIsDerivedIsVoidOnceOtherArraysAreRead) {
  ModelState from;
  const auto writer = from.Write(from.Declare<double>("array", 3, true));
  writer.Touch(2);
  writer[2] = 4;
  ModelState to;
  const auto array = to.Declare<double>("array", 3, true);
  const auto derived = to.DeclareDerived<Pair>("derived", 1);
  to.SetCurrent(derived);
  const Status status =
      from.Collect(true, [&](std::string_view key, std::string_view bytes) { return to.Apply(key, bytes); });
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(to.Read(array)[2], 4);
  EXPECT_FALSE(to.is_current(derived));
  to.SetCurrent(derived);
  to.SetVersion(to.version(), 1);
  EXPECT_FALSE(to.is_current(derived));
}

TEST(ModelState, WhatIsDerivedIsNeverSaved) {
  ModelState state;
  state.Derive(state.DeclareDerived<Pair>("derived", 1))[0].a = 1;
  for (const bool published : {true, false}) {
    const Status status = state.Collect(published, [](std::string_view, std::string_view) -> Status {
      ADD_FAILURE() << "a block";
      return {};
    });
    EXPECT_TRUE(status.ok());
  }
}

}  // namespace
}  // namespace freshet

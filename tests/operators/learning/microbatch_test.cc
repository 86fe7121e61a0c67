// Examples that wait for their microbatch to fill, when the job file gives it another size meanwhile.
#include <gtest/gtest.h>

#include "tests/operators/learning/learning_rows.h"

namespace freshet {
namespace {

constexpr uint32_t kBits = 10;

std::unique_ptr<OperatorFixture> Trainer(size_t microbatch, std::string_view update = "sequential") {
  const std::string models =
      "m: {features: {" + std::string(kAllFeatures) + ", bits: " + std::to_string(kBits) +
      "}, microbatch: " + std::to_string(microbatch) + ", update: " + std::string(update) + "}";
  auto fixture = std::make_unique<OperatorFixture>(train_definition(), "from: rows\nmodels: [m]\nlabel: late",
                                                   LearningStreams(), WithModels(models));
  EXPECT_TRUE(fixture->ok()) << fixture->diagnostics();
  return fixture;
}

using Rows = std::span<const FixtureRow>;

// A job that learnt the first rows in microbatches of `before` goes on with such of `after`.
std::unique_ptr<OperatorFixture> Resized(Rows first, size_t before, Rows rest, size_t after,
                                         std::string_view update = "sequential") {
  const auto earlier = Trainer(before, update);
  earlier->Feed(first, 3);
  earlier->Commit();
  auto later = Trainer(after, update);
  later->GoOnFrom(*earlier);
  later->Feed(rest, 2);
  later->Commit();
  return later;
}

TEST(Microbatch, ASmallerSizeLearnsWhatWaitedAsIfItHadBeenSmallAllAlong) {
  const std::vector<FixtureRow> rows = LearningRows(12, 1);
  const Rows all(rows);
  for (const std::string_view update : {"sequential", "mean_gradient"}) {
    for (const size_t size : {1, 2, 3, 5, 7, 9}) {
      const auto small = Trainer(size, update);
      small->Feed(rows);
      small->Commit();
      const auto resized = Resized(all.first(7), 10, all.subspan(7), size, update);
      EXPECT_EQ(resized->model("m").examples(), 12 - 12 % size) << size;
      EXPECT_TRUE(NumbersOf(resized->model("m"), kBits) == NumbersOf(small->model("m"), kBits)) << size;
      EXPECT_EQ(resized->durable(), small->durable()) << size;
    }
  }
}

TEST(Microbatch, WhatWaitedIsLearntBeforeTheNextRowIsPredicted) {
  const std::vector<FixtureRow> rows = LearningRows(12, 1);
  const Rows all(rows);
  const auto small = Trainer(3);
  small->Feed(rows);
  const auto resized = Resized(all.first(7), 10, all.subspan(7), 3);
  ASSERT_EQ(resized->emitted().size(), 5U);
  for (size_t i = 0; i < 5; ++i)
    EXPECT_EQ(resized->emitted()[i].cells, small->emitted()[7 + i].cells) << i;
}

// Two numbers, no indicators: slots are intercept, a, b. What a row lacks is the mean so far, which nothing
// has worked out when what waited is learnt.
TEST(Microbatch, WhatWaitedIsLearntByTheMeansAsTheyWereSaved) {
  constexpr size_t kSlots = 3;
  const auto trainer = [](size_t microbatch) {
    auto fixture = std::make_unique<OperatorFixture>(
        train_definition(), "from: rows\nmodels: [m]\nlabel: late", LearningStreams(),
        WithModels("m: {features: {numeric: [a, b], missing: mean}, scaling: none, microbatch: " +
                   std::to_string(microbatch) + "}"));
    EXPECT_TRUE(fixture->ok()) << fixture->diagnostics();
    return fixture;
  };
  for (const size_t lacking : {0, 1}) {
    std::vector<FixtureRow> rows = LearningRows(12, 1);
    rows[6].cells[lacking] = kNull;  // the one that waits
    const Rows all(rows);
    const auto small = trainer(1);
    small->Feed(rows);
    const auto earlier = trainer(3);
    earlier->Feed(all.first(7));
    earlier->Commit();
    ASSERT_EQ(earlier->model("m").version(), 2U);
    const auto later = trainer(1);
    later->GoOnFrom(*earlier);
    later->Feed(all.subspan(7));
    EXPECT_EQ(later->model("m").examples(), rows.size());
    EXPECT_EQ(WeightsOf(later->model("m"), kSlots), WeightsOf(small->model("m"), kSlots)) << lacking;
  }
}

TEST(Microbatch, ALargerSizeGoesOnWithWhatWaited) {
  const std::vector<FixtureRow> rows = LearningRows(16, 2);
  const Rows all(rows);
  const auto resized = Resized(all.first(7), 3, all.subspan(7), 10);  // learns 6, then 10 with the one left
  EXPECT_EQ(resized->model("m").version(), 3U);
  const auto one = Trainer(1);
  one->Feed(rows);
  ModelNumbers expected = NumbersOf(one->model("m"), kBits);
  expected.version = 3;
  EXPECT_TRUE(NumbersOf(resized->model("m"), kBits) == expected);
}

TEST(Microbatch, ManyThatWaitedAreAllLearnt) {
  const std::vector<FixtureRow> rows = LearningRows(3001, 3);
  const Rows all(rows);
  const auto resized = Resized(all.first(3000), 65536, all.subspan(3000), 64);
  EXPECT_EQ(resized->model("m").examples(), 46U * 64);
  const auto small = Trainer(64);
  small->Feed(rows);
  small->Commit();
  EXPECT_EQ(resized->durable(), small->durable());
}

TEST(Microbatch, ARestoreAfterASmallerSizeChangesNothing) {
  const std::vector<FixtureRow> rows = LearningRows(12, 4);
  const Rows all(rows);
  const auto undisturbed = Resized(all.first(7), 10, all.subspan(7), 3);
  for (size_t at = 7; at <= rows.size(); ++at) {
    const auto restored = Resized(all.first(7), 10, all.subspan(7, at - 7), 3);
    restored->Feed(all.subspan(at));  // lost
    restored->Restore();
    restored->Feed(all.subspan(at));
    restored->Commit();
    EXPECT_EQ(restored->durable(), undisturbed->durable()) << at;
    EXPECT_TRUE(NumbersOf(restored->model("m"), kBits) == NumbersOf(undisturbed->model("m"), kBits)) << at;
  }
}

}  // namespace
}  // namespace freshet

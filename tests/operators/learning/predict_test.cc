#include <cmath>

#include <gtest/gtest.h>

#include "tests/operators/learning/learning_rows.h"

namespace freshet {
namespace {

using Texts = std::vector<std::string>;

std::unique_ptr<OperatorFixture> Predictor(const std::string& body, const std::string& models,
                                           std::function<bool(size_t, size_t)> is_read = {}) {
  FixtureOptions options = WithModels(models);
  options.is_read = std::move(is_read);
  auto fixture = std::make_unique<OperatorFixture>(predict_definition(), "from: rows\n" + body,
                                                   LearningStreams(), options);
  EXPECT_TRUE(fixture->ok()) << fixture->diagnostics();
  return fixture;
}

// `to`'s model `m` as it is after learning `rows`.
void TrainOn(const std::vector<FixtureRow>& rows, const std::string& models, OperatorFixture& to,
             const std::string& label = "late") {
  OperatorFixture trainer(train_definition(), "from: rows\nmodels: [m]\nlabel: " + label, LearningStreams(),
                          WithModels(models));
  ASSERT_TRUE(trainer.ok()) << trainer.diagnostics();
  trainer.Feed(rows);
  Publish(trainer.model("m"), to.model("m"));
}

const std::string kModel = "m: {features: {" + std::string(kAllFeatures) + ", bits: 16}}\n";

TEST(Predict, AddsVersionScoreAndProbability) {
  const auto fixture = Predictor("model: m", kModel);
  EXPECT_EQ(fixture->plan().predicts, Texts{"m"});
  const Schema& schema = fixture->schema();
  ASSERT_EQ(schema.size(), 12U);
  EXPECT_EQ(schema[9].name, "m.version");
  EXPECT_EQ(schema[9].type, Type::kInt64);
  EXPECT_EQ(schema[10].name, "m.score");
  EXPECT_EQ(schema[11].name, "m.probability");
  const std::vector<FixtureRow> rows = LearningRows(300, 1);
  TrainOn(rows, kModel, *fixture);
  NaiveModel naive({});
  for (const FixtureRow& row : rows)
    naive.Learn(NaiveOf(row, true));
  const std::vector<FixtureRow> fresh = LearningRows(50, 2);
  fixture->Feed(fresh, 7);
  ASSERT_EQ(fixture->emitted().size(), fresh.size());
  for (size_t i = 0; i < fresh.size(); ++i) {
    const EmittedRow& row = fixture->emitted()[i];
    const double expected = naive.Score(NaiveOf(fresh[i], true));
    EXPECT_EQ(fixture->At(row, "m.version"), Cell(int64_t{300}));
    EXPECT_NEAR(std::get<double>(fixture->At(row, "m.score")), expected, 1e-9);
    EXPECT_NEAR(std::get<double>(fixture->At(row, "m.probability")), 1 / (1 + std::exp(-expected)), 1e-9);
    EXPECT_TRUE(std::equal(fresh[i].cells.begin(), fresh[i].cells.end(), row.cells.begin()));
  }
}

TEST(Predict, SquaredLossGivesAValue) {
  const std::string model =
      "m: {features: {numeric: [a, b]}, learner: {linear: {loss: squared}}, optimizer: adagrad}";
  const auto fixture = Predictor("model: m", model);
  TrainOn(LearningRows(2000, 1), model, *fixture, "delay");
  const std::vector<FixtureRow> rows = LearningRows(200, 2);
  fixture->Feed(rows);
  double error = 0;
  double spread = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const EmittedRow& row = fixture->emitted()[i];
    EXPECT_EQ(fixture->At(row, "m.value"), fixture->At(row, "m.score"));
    const double delay = std::get<double>(rows[i].cells[8]);
    error += std::pow(std::get<double>(fixture->At(row, "m.value")) - delay, 2);
    spread += std::pow(delay - 1, 2);
  }
  EXPECT_LT(error, spread / 3);
}

TEST(Predict, ChangesNoState) {
  const auto fixture = Predictor("model: m", kModel);
  TrainOn(LearningRows(20, 1), kModel, *fixture);
  fixture->Commit();
  const OperatorFixture::Durable before = fixture->durable();
  fixture->Feed(LearningRows(20, 2));
  fixture->Commit();
  EXPECT_EQ(fixture->durable(), before);
  for (const bool published : {true, false}) {
    const Status status = fixture->model("m").Collect(
        published, [](std::string_view, std::string_view) { return Internal("a block was written"); });
    EXPECT_TRUE(status.ok()) << status.message();
  }
}

TEST(Predict, CutsChangeNothing) {
  const std::vector<FixtureRow> rows = LearningRows(60, 2);
  const auto whole = Predictor("model: m\nexplain: 4", kModel);
  TrainOn(LearningRows(50, 1), kModel, *whole);
  whole->Feed(rows);
  for (const size_t cut : {1, 7}) {
    const auto pieces = Predictor("model: m\nexplain: 4", kModel);
    TrainOn(LearningRows(50, 1), kModel, *pieces);
    pieces->Feed(rows, cut);
    EXPECT_EQ(pieces->emitted(), whole->emitted());
  }
}

TEST(Predict, ExplanationsSumToTheScore) {
  const auto fixture = Predictor("model: m\nexplain: 100", kModel);
  TrainOn(LearningRows(300, 1), kModel, *fixture);
  const std::vector<FixtureRow> rows = LearningRows(60, 2);
  fixture->Feed(rows, 9);
  for (size_t i = 0; i < rows.size(); ++i) {
    const EmittedRow& row = fixture->emitted()[i];
    const auto names = std::get<Texts>(fixture->At(row, "m.contributions.features"));
    const auto values = std::get<std::vector<double>>(fixture->At(row, "m.contributions.values"));
    ASSERT_EQ(names.size(), values.size());
    double sum = 0;
    for (size_t k = 0; k < values.size(); ++k) {
      EXPECT_NE(values[k], 0);
      if (k > 0) {
        EXPECT_GE(std::abs(values[k - 1]), std::abs(values[k]));
      }
      sum += values[k];
    }
    EXPECT_NEAR(sum, std::get<double>(fixture->At(row, "m.score")), 1e-12);
    for (const NaiveRow naive = NaiveOf(rows[i], true); const auto& [name, number] : naive.numbers) {
      if (number) continue;
      EXPECT_NE(std::find(names.begin(), names.end(), name + " missing"), names.end()) << name;
    }
  }
}

TEST(Predict, ExplanationsNameFeaturesAndKeepTheLargest) {
  const std::string body = "model: m\nexplain: ";
  const auto all = Predictor(body + "100", kModel);
  const auto two = Predictor(body + "2", kModel);
  const auto none = Predictor(body + "100", kModel);
  std::vector<FixtureRow> row = LearningRows(1, 2);
  row[0].cells = {1.5, int64_t{2}, true, kNull, "UA", kNull, int64_t{3}, true, 0.5};
  for (const auto& fixture : {all.get(), two.get()})
    TrainOn(LearningRows(300, 1), kModel, *fixture);
  for (const auto& fixture : {all.get(), two.get(), none.get()})
    fixture->Feed(row);
  auto names = std::get<Texts>(all->At(all->emitted()[0], "m.contributions.features"));
  const auto largest = std::get<Texts>(two->At(two->emitted()[0], "m.contributions.features"));
  EXPECT_EQ(largest, Texts(names.begin(), names.begin() + 2));
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (Texts{"a", "b", "c", "carrier=UA", "carrier=UA,dest missing", "d missing", "hour=3",
                          "intercept"}));
  EXPECT_EQ(none->At(none->emitted()[0], "m.contributions.features"), Cell(Texts{}));
}

TEST(Predict, ShadowsPredictToo) {
  const std::string models =
      kModel + "s: {features: {numeric: [a], missing: error}, learner: {linear: {loss: squared}}}";
  const auto fixture = Predictor("model: m\nshadow: [s]", models);
  EXPECT_EQ(fixture->plan().predicts, (Texts{"m", "s"}));
  for (const Field& field : fixture->schema().fields())
    EXPECT_EQ(field.shadow, field.name.starts_with("s.")) << field.name;
  std::vector<FixtureRow> rows = LearningRows(30, 2);
  size_t failures = 0;
  rows[4].cells[0] = kNull;
  rows[5].cells[0] = 2.0;
  fixture->Feed(rows, 7);
  ASSERT_EQ(fixture->emitted().size(), rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const bool failed = rows[i].cells[0] == Cell(kNull);
    failures += failed ? 1 : 0;
    EXPECT_EQ(fixture->At(fixture->emitted()[i], "s.version"), failed ? Cell() : Cell(int64_t{0}));
    EXPECT_EQ(fixture->At(fixture->emitted()[i], "s.score"), failed ? Cell() : Cell(0.0));
    EXPECT_EQ(fixture->At(fixture->emitted()[i], "s.value"), failed ? Cell() : Cell(0.0));
    EXPECT_EQ(fixture->At(fixture->emitted()[i], "m.probability"), Cell(0.5));
  }
  EXPECT_GT(failures, 0U);
  EXPECT_EQ(fixture->counter("shadow_failures"), failures);
  EXPECT_TRUE(fixture->dead_letters().empty());
}

// Of equal version too, as after a store that was lost.
TEST(Predict, GoesByTheScalesOfWhateverWasPublishedLast) {
  const std::vector<FixtureRow> rows = LearningRows(20, 3);
  const std::span<const FixtureRow> asked = std::span(rows).first(5);
  const auto used = Predictor("model: m", kModel);
  used->Feed(asked);
  TrainOn(LearningRows(30, 4), kModel, *used);
  used->Feed(asked);
  TrainOn(LearningRows(30, 5), kModel, *used);
  used->Feed(asked);
  const auto fresh = Predictor("model: m", kModel);
  TrainOn(LearningRows(30, 4), kModel, *fresh);
  TrainOn(LearningRows(30, 5), kModel, *fresh);
  fresh->Feed(asked);
  for (size_t i = 0; i < asked.size(); ++i) {
    EXPECT_EQ(used->At(used->emitted()[10 + i], "m.score"), fresh->At(fresh->emitted()[i], "m.score"));
    EXPECT_NE(used->At(used->emitted()[5 + i], "m.score"), fresh->At(fresh->emitted()[i], "m.score"));
  }
}

TEST(Predict, AShadowNobodyReadsCostsNothing) {
  const std::string models = kModel + "s: {features: {numeric: [a], missing: error}}";
  const auto fixture =
      Predictor("model: m\nshadow: [s]", models, [](size_t, size_t column) { return column < 12; });
  fixture->Feed(LearningRows(50, 2));
  EXPECT_EQ(fixture->At(fixture->emitted()[0], "s.score"), Cell());
  EXPECT_EQ(fixture->counter("shadow_failures"), 0U);
}

TEST(Predict, WhatNobodyReadsIsNullInBatchesOfAnyNumberOfRows) {
  const std::string models = kModel + "s: {features: {numeric: [a], missing: error}}";
  const auto fixture = Predictor("model: m\nexplain: 3\nshadow: [s]", models,
                                 [](size_t, size_t column) { return column < 9; });
  ASSERT_EQ(fixture->schema().size(), 17U);
  size_t emitted = 0;
  for (const size_t count : {3, 11, 3, 20, 30, 28, 1}) {
    const std::vector<FixtureRow> rows = LearningRows(count, count);
    fixture->Feed(rows);
    ASSERT_EQ(fixture->emitted().size(), emitted + count);
    for (size_t i = 0; i < count; ++i) {
      std::vector<Cell> expected = rows[i].cells;
      expected.resize(fixture->schema().size(), kNull);
      EXPECT_EQ(fixture->emitted()[emitted + i].cells, expected) << count << " rows, number " << i;
    }
    emitted += count;
  }
}

TEST(Predict, RowsTheModelCannotUseAreDeadLetters) {
  const auto fixture =
      Predictor("model: m", "m: {features: {numeric: [a, b], missing: {columns: {b: error}}}}");
  std::vector<FixtureRow> rows = LearningRows(8, 2);
  for (FixtureRow& row : rows) {
    row.cells[0] = 1.0;
    row.cells[1] = int64_t{1};
  }
  rows[1].cells[0] = std::nan("");
  rows[4].cells[1] = kNull;
  rows[5].cells[0] = kNull;  // an indicator
  for (const size_t cut : {8, 1}) {
    fixture->Feed(rows, cut);
  }
  EXPECT_EQ(fixture->emitted().size(), 12U);
  EXPECT_EQ(fixture->emitted()[1].cause, 2);
  ASSERT_EQ(fixture->dead_letters().size(), 4U);
  EXPECT_EQ(fixture->dead_letters()[0],
            (DeadLetterRow{1, "not_finite", "feature `a` of model `m` is not a finite number within 1e100"}));
  EXPECT_EQ(fixture->dead_letters()[1],
            (DeadLetterRow{4, "missing_feature",
                           "feature `b` of model `m` is null, which its `missing: error` refuses"}));
  EXPECT_EQ(fixture->dead_letters()[3].cause, 12);
}

TEST(Predict, DerivesFromTheFeaturesOfItsModel) {
  const auto fixture = Predictor("model: m\nshadow: [s]",
                                 "m: {features: {numeric: [b], crosses: [[carrier, dest]]}}\n"
                                 "s: {features: {numeric: [a]}}");
  const auto columns = [](const std::vector<ColumnRef>& refs) {
    std::vector<size_t> all;
    for (const ColumnRef& ref : refs)
      all.push_back(ref.column);
    return all;
  };
  const std::vector<Derivation>& derivations = fixture->plan().outputs[0].derivations;
  EXPECT_EQ(columns(fixture->plan().reads), (std::vector<size_t>{1, 4, 5}));
  EXPECT_EQ(columns(derivations[9].current), std::vector<size_t>{});
  EXPECT_EQ(columns(derivations[11].reads), (std::vector<size_t>{1, 4, 5}));
  EXPECT_EQ(columns(derivations[11].current), (std::vector<size_t>{1, 4, 5}));
  EXPECT_EQ(columns(derivations[14].current), std::vector<size_t>{0});
}

TEST(Predict, ExactCategoriesHaveASlotForEachValueAndOneForOthers) {
  Named<Schema> streams = {{"rows", Schema({{"color", Type::kString, {"red", "green"}},
                                            {"c", Type::kBool, {}},
                                            {"late", Type::kBool, {}}})}};
  const std::string models =
      "m: {features: {categorical: [color, c], encoding: exact}, optimizer: {sgd: {rate: 1}}}";
  OperatorFixture fixture(train_definition(), "from: rows\nmodels: [m]\nlabel: late", streams,
                          WithModels(models));
  ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
  const auto row = [](Cell color, Cell c) {
    return FixtureRow{0, 0, {std::move(color), std::move(c), true}};
  };
  // intercept, color: null, red, green, other; c: null, false, true
  const std::vector<std::pair<FixtureRow, std::vector<size_t>>> cases = {{row(kNull, kNull), {1, 5}},
                                                                         {row("red", false), {2, 6}},
                                                                         {row("green", true), {3, 7}},
                                                                         {row("blue", true), {4, 7}},
                                                                         {row("", false), {4, 6}}};
  const auto array = fixture.model("m").Declare<float>("weights", 8, true);
  for (const auto& [fed, slots] : cases) {
    const auto weights = fixture.model("m").Write(array);
    for (size_t i = 0; i < weights.size(); ++i) {
      weights.Touch(i);
      weights[i] = 0;
    }
    fixture.Feed({&fed, 1});
    std::vector<size_t> moved;
    for (size_t i = 1; i < 8; ++i) {
      if (fixture.model("m").Read(array)[i] != 0) moved.push_back(i);
    }
    EXPECT_EQ(moved, slots);
  }
}

}  // namespace
}  // namespace freshet

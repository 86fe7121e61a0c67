// Every optimizer with every loss, missing policy, scaling and way to cut microbatches, against NaiveModel.
#include <cmath>

#include <gtest/gtest.h>

#include "engine/base/number.h"
#include "tests/operators/learning/learning_rows.h"

namespace freshet {
namespace {

struct OptimizerCase {
  std::string yaml;
  NaiveOptions naive;
};

std::vector<OptimizerCase> OptimizerCases() {
  return {{"ftrl", {}},
          {"{ftrl: {alpha: 0.3, beta: 0.5, l1: 0.4, l2: 0.2}}", {"ftrl", 0.3, 0.5, 0.4, 0.2}},
          {"adagrad", {"adagrad", 0.1, 0, 0, 0}},
          {"sgd", {"sgd", 0.01, 0, 0, 0}},
          {"{sgd: {rate: 0.1, power: 0.5, l2: 0.01}}", {"sgd", 0.1, 0, 0, 0.01, 0.5}}};
}

// `checked`: rows whose predictions were compared.
void Compare(const OptimizerCase& optimizer, const NaiveOptions& options, const std::vector<FixtureRow>& rows,
             size_t& checked) {
  std::string model =
      "m:\n  features: {" + std::string(kAllFeatures) + ", bits: 16, missing: " + options.missing + "}\n";
  model += "  learner: {linear: {loss: " + std::string(options.logistic ? "logistic" : "squared") + "}}\n";
  model += "  optimizer: " + optimizer.yaml + "\n";
  model += "  scaling: " + std::string(options.scale ? "standard" : "none") + "\n";
  model += "  microbatch: " + std::to_string(options.microbatch) + "\n";
  model += "  update: " + std::string(options.mean_gradient ? "mean_gradient" : "sequential") + "\n";
  if (options.positive_weight != 1) {
    model += "  class_weight: {positive: " + FormatDouble(options.positive_weight) + "}\n";
  }
  SCOPED_TRACE(model);
  OperatorFixture fixture(
      train_definition(),
      std::string("from: rows\nmodels: [m]\nlabel: ") + (options.logistic ? "late" : "delay"),
      LearningStreams(), WithModels(model));
  ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
  fixture.Feed(rows, 64);
  ASSERT_EQ(fixture.emitted().size(), rows.size());
  NaiveModel naive(options);
  for (size_t i = 0; i < rows.size(); ++i) {
    const NaiveRow row = NaiveOf(rows[i], options.logistic);
    const EmittedRow& emitted = fixture.emitted()[i];
    const double expected = naive.Score(row);
    const double score = std::get<double>(fixture.At(emitted, "m.score"));
    ASSERT_NEAR(score, expected, 1e-9 * std::max(1.0, std::abs(expected))) << "row " << i;
    ASSERT_EQ(std::get<int64_t>(fixture.At(emitted, "m.version")), naive.version()) << "row " << i;
    const double prediction =
        std::get<double>(fixture.At(emitted, options.logistic ? "m.probability" : "m.value"));
    ASSERT_NEAR(prediction, options.logistic ? 1 / (1 + std::exp(-expected)) : expected,
                1e-9 * std::max(1.0, std::abs(expected)));
    naive.Learn(row);
    ++checked;
  }
}

TEST(LearningFormulas, EqualThoseOfAPlainProgram) {
  const std::vector<FixtureRow> rows = LearningRows(150, 7);
  size_t checked = 0;
  for (const OptimizerCase& optimizer : OptimizerCases()) {
    for (const bool logistic : {true, false}) {
      for (const std::string missing : {"indicator", "mean", "zero"}) {
        for (const bool scale : {true, false}) {
          for (const auto& [microbatch, mean] :
               std::vector<std::pair<size_t, bool>>{{1, false}, {5, false}, {5, true}}) {
            NaiveOptions options = optimizer.naive;
            options.logistic = logistic;
            options.missing = missing;
            options.scale = scale;
            options.microbatch = microbatch;
            options.mean_gradient = mean;
            Compare(optimizer, options, rows, checked);
            if (HasFatalFailure()) return;
          }
        }
      }
    }
  }
  EXPECT_EQ(checked, rows.size() * 5 * 2 * 3 * 2 * 3);
}

TEST(LearningFormulas, PositiveExamplesCountMore) {
  NaiveOptions options;
  options.positive_weight = 5;
  size_t checked = 0;
  Compare({"ftrl", {}}, options, LearningRows(150, 8), checked);
  EXPECT_EQ(checked, 150U);
}

TEST(LearningFormulas, AModelLearns) {
  const std::vector<FixtureRow> rows = LearningRows(4000, 9);
  OperatorFixture fixture(train_definition(), "from: rows\nmodels: [m]\nlabel: late", LearningStreams(),
                          WithModels("m:\n  features: {" + std::string(kAllFeatures) + "}"));
  ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
  fixture.Feed(rows);
  size_t right = 0;
  size_t late = 0;
  for (size_t i = 2000; i < rows.size(); ++i) {
    const bool label = std::get<bool>(rows[i].cells[7]);
    late += label ? 1 : 0;
    right += (std::get<double>(fixture.At(fixture.emitted()[i], "m.probability")) > 0.5) == label ? 1 : 0;
  }
  EXPECT_GT(late, 500U);
  EXPECT_LT(late, 1500U);
  EXPECT_GT(right, 1600U);
}

// Numbers that would overflow every sum: refused, or kept within bounds, but never in the weights.
TEST(LearningFormulas, NothingThatIsNotFiniteEntersAModel) {
  for (const std::string optimizer : {"ftrl", "adagrad", "{sgd: {rate: 10}}"}) {
    OperatorFixture fixture(
        train_definition(), "from: rows\nmodels: [m]\nlabel: delay", LearningStreams(),
        WithModels(
            "m: {features: {numeric: [a]}, learner: {linear: {loss: squared}}, scaling: none, optimizer: " +
            optimizer + "}"));
    ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
    std::vector<FixtureRow> rows = LearningRows(200, 3);
    for (size_t i = 0; i < rows.size(); ++i) {
      rows[i].cells[0] = i % 3 == 0 ? 1e99 : -9e99;
      rows[i].cells[8] = i % 2 == 0 ? 1e99 : -1e99;
    }
    rows[10].cells[0] = std::nan("");
    rows[11].cells[0] = INFINITY;
    rows[12].cells[0] = 1e101;
    rows[13].cells[8] = -INFINITY;
    rows[14].cells[8] = std::nan("");
    fixture.Feed(rows, 7);
    ASSERT_EQ(fixture.emitted().size(), 195U);
    for (const EmittedRow& row : fixture.emitted()) {
      ASSERT_TRUE(std::isfinite(std::get<double>(fixture.At(row, "m.score")))) << row;
    }
    ASSERT_EQ(fixture.dead_letters().size(), 5U);
    for (size_t i = 0; i < 5; ++i) {
      EXPECT_EQ(fixture.dead_letters()[i].cause, static_cast<int64_t>(10 + i));
      EXPECT_EQ(fixture.dead_letters()[i].reason, "not_finite");
    }
    EXPECT_EQ(fixture.counter("rows_refused"), 5U);
    EXPECT_EQ(fixture.model("m").version(), 195U);
  }
}

}  // namespace
}  // namespace freshet

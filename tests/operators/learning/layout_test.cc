// What an author may get wrong in a model, and what saved models rest on.
#include <gtest/gtest.h>

#include "operators/learning/encoder.h"
#include "tests/operators/learning/learning_rows.h"

namespace freshet {
namespace {

Named<Schema> Streams() {
  Named<Schema> streams = LearningStreams();
  streams[0].second.Add({"t", Type::kTimestamp, {}});
  streams[0].second.Add({"m.score", Type::kFloat64, {}});
  return streams;
}

std::string Check(std::string models, std::string_view body = "{from: rows, model: q}") {
  OperatorFixture fixture(predict_definition(), body, Streams(), WithModels(std::move(models)));
  return fixture.diagnostics();
}

TEST(ModelDiagnostics, AreAllReportedAtTheirPlace) {
  EXPECT_EQ(Check("q:\n  features:\n    numeric: [a, b, carier]\n"),
            "job.yaml:3:21: no column `carier`; did you mean `carrier`?\n");
  EXPECT_EQ(
      Check("q:\n  features:\n    numeric: [a, carrier, t]\n    categorical: [delay, a]\n"
            "    crosses: [[carrier], [dest, t]]\n"),
      "job.yaml:3:18: `carrier` is a string, not a number; name it under categorical\n"
      "job.yaml:3:27: `t` is a timestamp, not a number; make a number of it with a `derive` before the "
      "model\n"
      "job.yaml:4:19: `delay` is a float64, whose values are too many for a category; name it under numeric, "
      "or "
      "make text of it with a `derive`: string(delay)\n"
      "job.yaml:4:26: `a` is a float64, whose values are too many for a category; name it under numeric, or "
      "make text of it with a `derive`: string(a)\n"
      "job.yaml:5:15: a cross needs two columns or more\n"
      "job.yaml:5:33: `t` is a timestamp, whose values are too many for a category; make text of it with a "
      "`derive` before the model\n");
  EXPECT_EQ(Check("q:\n  features: {numeric: [a, a], categorical: [carrier, carrier]}\n"),
            "job.yaml:2:27: `a` is named twice\njob.yaml:2:54: `carrier` is named twice\n");
  EXPECT_EQ(Check("q:\n  features: {numeric: []}\n"),
            "job.yaml:2:23: the model has no features; name columns under numeric, categorical or crosses\n");
  EXPECT_EQ(Check("q:\n  features: {numeric: [a], bits: 60}\n  microbatch: 0\n"),
            "job.yaml:2:34: bits may be 1 to 26\njob.yaml:3:15: microbatch may be 1 to 65536\n");
  EXPECT_EQ(
      Check("q:\n  features:\n    numeric: [a, delay]\n    categorical: [carrier, hour]\n"
            "    missing: {columns: {dely: mean}}\n    encoding: {columns: {hour: exact}}\n"),
      "job.yaml:4:28: `hour` is to be encoded exactly, but its values are not known; give its source field "
      "`values: [...]`, or leave it hashed\n"
      "job.yaml:5:31: `dely` is not among the numeric features of the model; did you mean `delay`?\n");
  EXPECT_EQ(Check("q:\n  features: {numeric: [a]}\n  optimizer: {ftrl: {alpha: 0}}\n"),
            "job.yaml:3:29: 0 is out of range; give a number above 0 up to 1e9\n");
  EXPECT_EQ(Check("q:\n  features: {numeric: [a]}\n  optimizer: {sgd: {power: 2, l2: -1}}\n"),
            "job.yaml:3:28: give a power from 0 to 1\n"
            "job.yaml:3:35: -1 is out of range; give a number from 0 up to 1e9\n");
  EXPECT_EQ(
      Check("q:\n  features: {numeric: [a]}\n  learner: {linear: {loss: squared}}\n"
            "  class_weight: {positive: 2}\n"),
      "job.yaml:4:28: class_weight is for labels that are true or false; a model with squared loss has none: "
      "remove it\n");
  EXPECT_EQ(Check("m: {features: {numeric: [a]}}", "{from: rows, model: m}"),
            "job.yaml:1:21: `m` has predicted on these rows already; leave one of the two out\n");
  EXPECT_EQ(Check("q: {features: {numeric: [a]}}", "{from: rows, model: q, explain: -1}"),
            "job.yaml:1:33: explain may be 0 to 1000\n");
}

TEST(Forbid, RefusesAFeatureThatDerivesFromAForbiddenField) {
  EXPECT_EQ(Check("q:\n  forbid: [delay, late]\n  features:\n    numeric: [a, delay]\n    crosses: "
                  "[[carrier, dest]]\n"),
            "job.yaml:4:18: `delay` is `delay`, which models.q.forbid excludes; take it out of the features, "
            "or out of "
            "forbid\n");
}

TEST(Forbid, RequiresThatItsNamesAreKnown) {
  EXPECT_EQ(Check("q:\n  forbid: [dely, delay]\n  features: {numeric: [a]}\n"),
            "job.yaml:2:12: nothing has `dely`\n");
}

// A column that a step before made from others.
class LineageBinder final : public Binder {
 public:
  LineageBinder() {
    schema_.Add({"gap", Type::kFloat64, {}});
    schema_.Add({"safe", Type::kFloat64, {}});
    origins_ = {{{"dep_delay", "gap ← dep_delay"}, {"origin", "gap ← origin"}},
                {{"distance", "safe ← distance"}}};
  }
  const std::string& name() const override { return name_; }
  const Schema& input(size_t) const override { return schema_; }
  std::optional<size_t> Column(size_t, const FieldRef& field) override { return schema_.Find(field.name); }
  ExprPtr Compile(const Expr&, const Schema&, std::optional<Type>) override { return nullptr; }
  const void* model(const ModelRef&) override { return &spec; }
  std::span<const Origin> lineage(size_t, size_t column) const override { return origins_[column]; }
  void RequireKnown(const FieldRef&) override {}
  Duration out_of_orderness(size_t) const override { return 0; }
  void Error(const void*, std::string what) override { faults.push_back(std::move(what)); }
  void Error(Position at, std::string what) override {
    faults.push_back(std::to_string(at.line) + ":" + std::to_string(at.column) + ": " + what);
  }
  void Warning(Position at, std::string what) override { Error(at, "warning: " + what); }

  ModelSpec spec;
  std::vector<std::string> faults;

 private:
  std::string name_ = "op";
  Schema schema_;
  std::vector<std::vector<Origin>> origins_;
};

TEST(Forbid, NamesThePath) {
  LineageBinder binder;
  binder.spec.features.numeric = {{"gap", {7, 9}}, {"safe", {7, 14}}};
  binder.spec.forbid = {{"dep_delay", {3, 1}}, {"departed_at", {3, 2}}};
  EXPECT_EQ(BindModel({"blind", {1, 1}}, 0, binder), nullptr);
  EXPECT_EQ(binder.faults,
            (std::vector<std::string>{
                "7:9: `gap` derives from `dep_delay`, which models.blind.forbid excludes: gap ← dep_delay"}));
  binder.faults.clear();
  binder.spec.forbid = {{"departed_at", {3, 2}}};
  EXPECT_NE(BindModel({"blind", {1, 1}}, 0, binder), nullptr);
  EXPECT_TRUE(binder.faults.empty());
}

class StreamBinder final : public Binder {
 public:
  explicit StreamBinder(Schema schema) : schema_(std::move(schema)) {}
  const std::string& name() const override { return name_; }
  const Schema& input(size_t) const override { return schema_; }
  std::optional<size_t> Column(size_t, const FieldRef& field) override { return schema_.Find(field.name); }
  ExprPtr Compile(const Expr&, const Schema&, std::optional<Type>) override { return nullptr; }
  const void* model(const ModelRef&) override { return &spec; }
  std::span<const Origin> lineage(size_t, size_t) const override { return {}; }
  void RequireKnown(const FieldRef&) override {}
  Duration out_of_orderness(size_t) const override { return 0; }
  void Error(const void*, std::string what) override { ADD_FAILURE() << what; }
  void Error(Position, std::string what) override { ADD_FAILURE() << what; }
  void Warning(Position, std::string what) override { ADD_FAILURE() << what; }
  ModelSpec spec;

 private:
  std::string name_ = "op";
  Schema schema_;
};

// Saved weights lie where these numbers say: they may never change.
TEST(Layout, HashedSlotsAreFixedForEver) {
  StreamBinder binder(LearningStreams()[0].second);
  binder.spec.features.numeric = {{"a", {}}, {"b", {}}};
  binder.spec.features.categorical = {{"carrier", {}}, {"hour", {}}, {"late", {}}};
  binder.spec.features.crosses = {{{"carrier", {}}, {"dest", {}}}};
  const auto layout = BindModel({"m", {}}, 0, binder);
  ASSERT_NE(layout, nullptr);
  EXPECT_EQ(layout->hashed_first, 8U);  // intercept, two values, two indicators, three nulls
  EXPECT_EQ(layout->slots, 8U + (1U << 18));
  Pool pool;
  std::vector<FixtureRow> rows = LearningRows(2, 1);
  rows[0].cells = {1.5, int64_t{2}, true, kNull, "UA", "IAH", int64_t{-3}, true, 0.5};
  rows[1].cells = {kNull, int64_t{2}, true, kNull, kNull, "IAH", kNull, false, 0.5};
  RawRows raw(*layout);
  RowReader reader(*layout);
  EXPECT_EQ(reader.Read(MakeBatch(pool, LearningStreams()[0].second, rows), raw), 0U);
  const auto slots = [&raw](size_t row) {
    return std::vector<uint32_t>(raw[row].slots.begin(), raw[row].slots.end());
  };
  EXPECT_EQ(slots(0), (std::vector<uint32_t>{258170, 159424, 193978, 63451}));
  EXPECT_EQ(slots(1), (std::vector<uint32_t>{5, 6, 183545, 138548}));
  EXPECT_EQ(layout->fingerprint, 11627603634287566298U);
}

TEST(Layout, DoesNotHangOnWhatElseTheStreamCarries) {
  StreamBinder narrow(Schema({{"carrier", Type::kString, {}}, {"a", Type::kFloat64, {}}}));
  StreamBinder wide(LearningStreams()[0].second);
  for (StreamBinder* binder : {&narrow, &wide}) {
    binder->spec.features.numeric = {{"a", {}}};
    binder->spec.features.categorical = {{"carrier", {}}};
  }
  const auto first = BindModel({"m", {}}, 0, narrow);
  const auto second = BindModel({"m", {}}, 0, wide);
  ASSERT_TRUE(first != nullptr && second != nullptr);
  EXPECT_EQ(first->fingerprint, second->fingerprint);
  EXPECT_EQ(first->slots, second->slots);
  wide.spec.features.missing.policy = Missing::kZero;
  EXPECT_NE(BindModel({"m", {}}, 0, wide)->fingerprint, first->fingerprint);
}

}  // namespace
}  // namespace freshet

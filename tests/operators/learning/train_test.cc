// What training must not depend on: cuts of batches, commits, restores, the size of microbatches.
#include <limits>

#include <gtest/gtest.h>

#include "tests/operators/learning/learning_rows.h"

namespace freshet {
namespace {

constexpr uint32_t kBits = 10;

std::string ModelOf(size_t microbatch, std::string_view update = "sequential") {
  return "m: {features: {" + std::string(kAllFeatures) + ", bits: " + std::to_string(kBits) +
         "}, microbatch: " + std::to_string(microbatch) + ", update: " + std::string(update) + "}";
}

std::unique_ptr<OperatorFixture> Trainer(const std::string& models) {
  auto fixture = std::make_unique<OperatorFixture>(train_definition(), "from: rows\nmodels: [m]\nlabel: late",
                                                   LearningStreams(), WithModels(models));
  EXPECT_TRUE(fixture->ok()) << fixture->diagnostics();
  return fixture;
}

TEST(Train, SequentialWeightsAreThoseOfMicrobatchOne) {
  const std::vector<FixtureRow> rows = LearningRows(size_t{7} * 64, 1);  // whole microbatches of each size
  const auto one = Trainer(ModelOf(1));
  one->Feed(rows);
  ModelNumbers expected = NumbersOf(one->model("m"), kBits);
  EXPECT_EQ(expected.version, rows.size());
  for (const size_t microbatch : {7, 64}) {
    const auto several = Trainer(ModelOf(microbatch));
    several->Feed(rows, 30);
    ModelNumbers numbers = NumbersOf(several->model("m"), kBits);
    EXPECT_EQ(numbers.version, rows.size() / microbatch);
    numbers.version = expected.version;
    EXPECT_TRUE(numbers == expected) << "microbatch " << microbatch;
  }
}

TEST(Train, TheMeanGradientIsAnotherUpdate) {
  const std::vector<FixtureRow> rows = LearningRows(64, 1);
  const auto one = Trainer(ModelOf(8));
  const auto mean = Trainer(ModelOf(8, "mean_gradient"));
  one->Feed(rows);
  mean->Feed(rows);
  EXPECT_FALSE(NumbersOf(one->model("m"), kBits) == NumbersOf(mean->model("m"), kBits));
}

TEST(Train, CutsChangeNothing) {
  const std::vector<FixtureRow> rows = LearningRows(100, 2);
  for (const std::string& model : {ModelOf(1), ModelOf(9), ModelOf(9, "mean_gradient"), ModelOf(1000)}) {
    const auto whole = Trainer(model);
    whole->Feed(rows);
    whole->Commit();
    for (const size_t cut : {1, 7}) {
      const auto pieces = Trainer(model);
      pieces->Feed(rows, cut);
      pieces->Commit();
      EXPECT_EQ(pieces->emitted(), whole->emitted());
      EXPECT_EQ(pieces->durable(), whole->durable());
      EXPECT_TRUE(NumbersOf(pieces->model("m"), kBits) == NumbersOf(whole->model("m"), kBits));
    }
  }
}

TEST(Train, ARestoreBetweenAnyTwoRowsChangesNothing) {
  const std::vector<FixtureRow> rows = LearningRows(25, 3);
  const std::span<const FixtureRow> all(rows);
  for (const std::string& model : {ModelOf(1), ModelOf(4), ModelOf(4, "mean_gradient")}) {
    const auto undisturbed = Trainer(model);
    undisturbed->Feed(rows, 5);
    undisturbed->Commit();
    for (size_t at = 0; at <= rows.size(); ++at) {
      const auto restored = Trainer(model);
      restored->Feed(all.first(at), 3);
      restored->Commit();
      restored->Feed(all.subspan(at).first(std::min<size_t>(6, rows.size() - at)));  // lost
      restored->Restore();
      restored->Feed(all.subspan(at), 3);
      restored->Commit();
      ASSERT_EQ(restored->emitted(), undisturbed->emitted()) << "restored after " << at;
      ASSERT_EQ(restored->durable(), undisturbed->durable()) << "restored after " << at;
      ASSERT_TRUE(NumbersOf(restored->model("m"), kBits) == NumbersOf(undisturbed->model("m"), kBits));
    }
  }
}

TEST(Train, PublishesNothingOfAPartFilledMicrobatch) {
  const auto trainer = Trainer(ModelOf(10));
  trainer->Feed(LearningRows(9, 4));
  EXPECT_EQ(trainer->model("m").version(), 0U);
  size_t blocks = 0;
  for (const bool published : {true, false}) {
    const Status status = trainer->model("m").Collect(published, [&](std::string_view, std::string_view) {
      ++blocks;
      return Status();
    });
    ASSERT_TRUE(status.ok());
  }
  EXPECT_EQ(blocks, 0U);
}

// By hand: after the rows (1.5, 1) and (0.5, 0) with rate 0.5, intercept and weight are 0.5 - 0.4375 = 0.0625
// and 0.75 - 0.21875 = 0.53125.
TEST(Train, PredictsFirstByTheLastFullMicrobatch) {
  OperatorFixture fixture(
      train_definition(), "from: rows\nmodels: [m]\nlabel: delay", LearningStreams(),
      WithModels("m: {learner: {linear: {loss: squared}}, optimizer: {sgd: {rate: 0.5}}, features: "
                 "{numeric: [a]}, scaling: none, microbatch: 2}"));
  ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
  std::vector<FixtureRow> rows = LearningRows(3, 1);
  rows[0].cells[0] = 1.5;
  rows[0].cells[8] = 1.0;
  rows[1].cells[0] = 0.5;
  rows[1].cells[8] = 0.0;
  rows[2].cells[0] = 1.5;
  fixture.Feed(rows);
  for (size_t i = 0; i < rows.size(); ++i) {
    const EmittedRow& row = fixture.emitted()[i];
    EXPECT_EQ(fixture.At(row, "m.version"), Cell(int64_t{i == 2 ? 1 : 0}));
    EXPECT_EQ(fixture.At(row, "m.score"), Cell(i == 2 ? 0.859375 : 0.0));
    EXPECT_EQ(fixture.At(row, "m.value"), fixture.At(row, "m.score"));
    EXPECT_EQ(fixture.At(row, "label"), rows[i].cells[8]);
  }
}

TEST(Train, RowsWithoutALabelAreLeftOut) {
  const auto trainer = Trainer(ModelOf(1));
  std::vector<FixtureRow> rows = LearningRows(10, 5);
  rows[3].cells[7] = kNull;
  rows[9].cells[7] = kNull;
  trainer->Feed(rows, 4);
  EXPECT_EQ(trainer->emitted().size(), 8U);
  EXPECT_EQ(trainer->emitted()[3].cause, 4);
  EXPECT_EQ(trainer->counter("rows_without_label"), 2U);
  EXPECT_EQ(trainer->model("m").examples(), 8U);
  EXPECT_TRUE(trainer->dead_letters().empty());
}

// Rows as a label_join gives them: predicted on by two models, with a label.
Named<Schema> JoinedStreams() {
  Named<Schema> streams = LearningStreams();
  for (const std::string model : {"first", "second"}) {
    streams[0].second.Add({model + ".version", Type::kInt64, {}});
    streams[0].second.Add({model + ".score", Type::kFloat64, {}});
    streams[0].second.Add({model + ".probability", Type::kFloat64, {}});
  }
  streams[0].second.Add({"label", Type::kBool, {}});
  return streams;
}
constexpr std::string_view kTwoModels =
    "first: {features: {numeric: [a, b]}}\nsecond: {features: {numeric: [a]}}\n";

std::vector<FixtureRow> PredictedRows(size_t count) {
  std::vector<FixtureRow> rows = LearningRows(count, 6);
  for (FixtureRow& row : rows) {
    for (int i = 0; i < 2; ++i)
      row.cells.insert(row.cells.end(), {int64_t{0}, 0.0, 0.5});
    row.cells.push_back(row.cells[7]);
  }
  return rows;
}

// What a row lacks is the mean so far, and no prediction has worked that out since the restore.
TEST(Train, TheFirstRowAfterARestoreMayLackANumber) {
  constexpr size_t kSlots = 3;  // intercept, a, b
  const auto trainer_of = [](int microbatch) {
    auto trainer = std::make_unique<OperatorFixture>(
        train_definition(), "from: rows\nmodels: [first]", JoinedStreams(),
        WithModels("first: {features: {numeric: [a, b], missing: mean}, scaling: none, microbatch: " +
                   std::to_string(microbatch) + "}"));
    EXPECT_TRUE(trainer->ok()) << trainer->diagnostics();
    return trainer;
  };
  for (const int microbatch : {1, 3}) {
    for (size_t at = 3; at < 12; ++at) {
      std::vector<FixtureRow> rows = PredictedRows(15);
      rows[at].cells[at % 2] = kNull;
      const std::span<const FixtureRow> all(rows);
      const auto undisturbed = trainer_of(microbatch);
      undisturbed->Feed(rows);
      const auto restored = trainer_of(microbatch);
      restored->Feed(all.first(at));
      restored->Commit();
      EXPECT_GT(restored->model("first").version(), 0U);
      restored->Restore();
      restored->Feed(all.subspan(at));
      EXPECT_EQ(WeightsOf(restored->model("first"), kSlots), WeightsOf(undisturbed->model("first"), kSlots))
          << "microbatch " << microbatch << ", row " << at;
    }
  }
}

TEST(Train, EveryModelThatPredictedLearnsInATaskOfItsOwn) {
  const std::vector<FixtureRow> rows = PredictedRows(20);
  for (const size_t part : {0, 1}) {
    FixtureOptions options = WithModels(std::string(kTwoModels));
    options.part = part;
    OperatorFixture fixture(train_definition(), "from: rows", JoinedStreams(), options);
    ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
    EXPECT_EQ(fixture.plan().trains, (std::vector<std::string>{"first", "second"}));
    EXPECT_EQ(fixture.schema(), JoinedStreams()[0].second);
    fixture.Feed(rows, 6);
    if (part == 0) {
      ASSERT_EQ(fixture.emitted().size(), rows.size());
      EXPECT_EQ(fixture.emitted()[7].cells, rows[7].cells);
    } else {
      EXPECT_TRUE(fixture.emitted().empty());
    }
    EXPECT_EQ(fixture.model("first").version(), part == 0 ? 20U : 0U);
    EXPECT_EQ(fixture.model("second").version(), part == 1 ? 20U : 0U);
    const std::string learnt = part == 0 ? "models/first/" : "models/second/";
    EXPECT_EQ(fixture.Summarize(),
              (std::map<std::string, double>{{learnt + "version", 20}, {learnt + "learnt", 20}}));
  }
}

// The same, `second` being a shadow.
Named<Schema> ShadowedStreams() {
  std::vector<Field> fields = JoinedStreams()[0].second.fields();
  for (Field& field : fields)
    field.shadow = field.name.starts_with("second.");
  return {{"rows", Schema(fields)}};
}

std::vector<FixtureRow> ShadowedRows(size_t count) {
  std::vector<FixtureRow> rows = LearningRows(count, 6);
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i].cells[0] = i % 4 == 1 ? Cell() : Cell(1.5);  // a, which `second` needs
    for (int model = 0; model < 2; ++model)
      rows[i].cells.insert(rows[i].cells.end(), {int64_t{0}, 0.0, 0.5});
    rows[i].cells.push_back(rows[i].cells[7]);
  }
  return rows;
}

constexpr std::string_view kStrictSecond =
    "first: {features: {numeric: [b]}}\nsecond: {features: {numeric: [a], missing: error}, microbatch: 2}\n";

// `body`: which models; `part`: of them.
std::unique_ptr<OperatorFixture> TrainerOf(const Named<Schema>& streams, std::string_view body, size_t part) {
  FixtureOptions options = WithModels(std::string(kStrictSecond));
  options.part = part;
  auto fixture = std::make_unique<OperatorFixture>(train_definition(), "from: rows" + std::string(body),
                                                   streams, options);
  EXPECT_TRUE(fixture->ok()) << fixture->diagnostics();
  return fixture;
}

TEST(Train, ARowThatAShadowCannotUseIsLeftOutForThatModelOnly) {
  const std::vector<FixtureRow> rows = ShadowedRows(20);  // 5 of them without a
  for (const std::string_view body : {"", "\nmodels: [second, first]"}) {
    const auto first = TrainerOf(ShadowedStreams(), body, 0);
    EXPECT_EQ(first->plan().trains, (std::vector<std::string>{"first", "second"}));  // shadows come last
    first->Feed(rows, 6);
    EXPECT_EQ(first->emitted().size(), rows.size());
    EXPECT_EQ(first->model("first").examples(), 20U);
    EXPECT_EQ(first->counter("shadow_rows_left_out"), 0U);

    const auto second = TrainerOf(ShadowedStreams(), body, 1);
    second->Feed(rows, 6);
    EXPECT_TRUE(second->dead_letters().empty());
    EXPECT_TRUE(second->emitted().empty());
    EXPECT_EQ(second->counter("shadow_rows_left_out"), 5U);
    EXPECT_EQ(second->counter("rows_refused"), 0U);
    EXPECT_EQ(second->model("second").examples(), 14U);  // the fifteenth waits
  }
}

TEST(Train, ARowThatTheOnlyTrainedModelAShadowCannotUseGoesOutAllTheSame) {
  const std::vector<FixtureRow> rows = ShadowedRows(20);
  const auto trainer = TrainerOf(ShadowedStreams(), "\nmodels: [second]", 0);
  trainer->Feed(rows, 6);
  ASSERT_EQ(trainer->emitted().size(), rows.size());
  for (size_t i = 0; i < rows.size(); ++i)
    EXPECT_EQ(trainer->emitted()[i].cells, rows[i].cells) << i;
  EXPECT_EQ(trainer->counter("shadow_rows_left_out"), 5U);
  EXPECT_TRUE(trainer->dead_letters().empty());
}

TEST(Train, ARowThatAModelCannotUseIsADeadLetter) {
  const std::vector<FixtureRow> rows = ShadowedRows(20);
  const auto trainer = TrainerOf(JoinedStreams(), "", 1);
  trainer->Feed(rows, 6);
  ASSERT_EQ(trainer->dead_letters().size(), 5U);
  EXPECT_EQ(trainer->dead_letters()[0].reason, "missing_feature");
  EXPECT_EQ(trainer->dead_letters()[0].cause, 1);
  EXPECT_EQ(trainer->counter("rows_refused"), 5U);
  EXPECT_EQ(trainer->counter("shadow_rows_left_out"), 0U);
}

TEST(Train, ALabelThatIsNoNumberIsADeadLetterForAShadowToo) {
  Named<Schema> streams = ShadowedStreams();
  std::vector<Field> fields = streams[0].second.fields();
  fields.back().type = Type::kFloat64;
  streams[0].second = Schema(fields);
  OperatorFixture trainer(
      train_definition(), "from: rows\nmodels: [second]", streams,
      WithModels("second: {features: {numeric: [a]}, learner: {linear: {loss: squared}}}"));
  ASSERT_TRUE(trainer.ok()) << trainer.diagnostics();
  std::vector<FixtureRow> rows = ShadowedRows(2);
  rows[0].cells.back() = std::numeric_limits<double>::infinity();
  rows[1].cells.back() = 1.0;
  trainer.Feed(rows);
  ASSERT_EQ(trainer.dead_letters().size(), 1U);
  EXPECT_EQ(trainer.dead_letters()[0].reason, "not_finite");
  EXPECT_EQ(trainer.emitted().size(), 1U);
}

TEST(Train, ReadsLabelAndFeaturesWhateverIsReadDownstream) {
  FixtureOptions options = WithModels(std::string(kTwoModels));
  OperatorFixture fixture(train_definition(), "from: rows", JoinedStreams(), options);
  ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
  std::vector<size_t> columns;
  for (const ColumnRef& read : fixture.plan().reads)
    columns.push_back(read.column);
  EXPECT_EQ(columns, (std::vector<size_t>{0, 1, 15}));
}

TEST(Train, RefusesAModelLearntWithOtherFeatures) {
  const auto trainer = Trainer("m: {features: {numeric: [a, b]}}");
  trainer->Feed(LearningRows(3, 1));
  OperatorFixture other(train_definition(), "from: rows\nmodels: [m]\nlabel: late", LearningStreams(),
                        WithModels("m: {features: {numeric: [b, a]}}"));
  ASSERT_TRUE(other.ok()) << other.diagnostics();
  Publish(trainer->model("m"), other.model("m"));
  struct Nowhere final : Emitter {
    void Emit(size_t, Batch) override { FAIL(); }
  } nowhere;
  const Status status = other.op().Process(
      0, MakeBatch(other.pool(), LearningStreams()[0].second, LearningRows(1, 1)), nowhere);
  EXPECT_EQ(status.code(), Code::kConflict);
  EXPECT_NE(status.message().find("new name"), std::string::npos) << status.message();
}

std::string Faults(std::string_view body, std::string models,
                   const Named<Schema>& streams = LearningStreams()) {
  OperatorFixture fixture(train_definition(), body, streams, WithModels(std::move(models)));
  EXPECT_FALSE(fixture.ok());
  return fixture.diagnostics();
}

TEST(Train, SaysWhatIsWrongWithLabels) {
  const std::string one = "m: {features: {numeric: [a]}}";
  EXPECT_EQ(Faults("from: rows", one),
            "job.yaml:1:7: no model has predicted on the rows of `rows`; read a stream that comes from a "
            "`predict`, or "
            "name `models:` and `label:`\njob.yaml:1:7: the rows of `rows` have no column `label`; read a "
            "`label_join`, or say what is to be predicted with `label:`\n");
  EXPECT_NE(Faults("from: rows\nmodels: [m]\nlabel: delay", one)
                .find("the label is a float64, but the loss of model `m` needs a bool"),
            std::string::npos);
  EXPECT_NE(Faults("from: rows\nmodels: [m]\nlabel: late",
                   "m: {features: {numeric: [a]}, learner: {linear: {loss: squared}}}")
                .find("the label is a bool, but the loss of model `m` needs a number"),
            std::string::npos);
  EXPECT_NE(Faults("from: rows\nmodels: [m, m]\nlabel: late", one).find("`m` is named twice"),
            std::string::npos);
  EXPECT_NE(Faults("from: rows\nmodels: [first, second]\nlabel: late", std::string(kTwoModels))
                .find("job.yaml:2:10: `first` has not predicted on these rows"),
            std::string::npos);
  Named<Schema> unjoined = JoinedStreams();
  std::vector<Field> fields = unjoined[0].second.fields();
  fields.pop_back();
  unjoined[0].second = Schema(fields);
  EXPECT_NE(Faults("from: rows\nmodels: [first]\nlabel: late", std::string(kTwoModels), unjoined)
                .find("leave the `predict` out"),
            std::string::npos);
}

}  // namespace
}  // namespace freshet

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "operators/joins/kept_rows.h"
#include "tests/operators/joins/join_oracle.h"

namespace freshet {

const Definition& label_join_definition();

namespace {

const std::string kBody = "from: predictions\nlabels: labels\nkey: {from: id, labels: ref}\n";

void ExpectError(const std::string& more, const std::string& what) {
  OperatorFixture fixture(label_join_definition(), kBody + more, JoinStreams());
  EXPECT_FALSE(fixture.ok()) << more;
  EXPECT_NE(fixture.diagnostics().find(what), std::string::npos) << fixture.diagnostics();
}

TEST(LabelJoin, SaysWhatIsWrong) {
  ExpectError("label: y\nwait: 0s", "`wait` is longer than 0s");
  ExpectError("label: note\nwait: 1h", "the label is a string");
  ExpectError("label: y\nwait: 1h\ntake: any", "`take: any` needs a bool");
  ExpectError("label: y\nwait: 1h\ntake: last", "add `release: after_wait`");
  ExpectError("label: y\nwait: 1h\nremember: 30m", "at least as long as `wait`");
  ExpectError("label: y\nwait: 1h\nremember: 1h\nlate_labels: correct",
              "make `remember` longer than `wait`, 1h");
  ExpectError("label: y\nwait: 1h\nlabels_early: -1s", "is negative");
  ExpectError("label: y\nwait: 1h\nkeep: [nothing]", "no column `nothing`");
  ExpectError("label: y\nwait: 1h\non_timeout: {label: x}", "job.yaml:");
  ExpectError("label: y > 1\nwait: 1h\non_timeout: {label: 3}", "job.yaml:");
  ExpectError("label: y\nwait: 1h\non_timeout: {label: 1.0 / 0.0}", "this label is null");
}

TEST(LabelJoin, TheKeysAgree) {
  OperatorFixture fixture(
      label_join_definition(),
      "{from: predictions, labels: labels, key: {from: id, labels: y}, label: y, wait: 1h}", JoinStreams());
  EXPECT_FALSE(fixture.ok());
  EXPECT_NE(fixture.diagnostics().find("of the same types"), std::string::npos) << fixture.diagnostics();
}

TEST(LabelJoin, PlansWhatItReadsAndWhenItEmits) {
  OperatorFixture plain(label_join_definition(), kBody + "label: y > 1\nwait: 1h\nkeep: [note]",
                        JoinStreams());
  ASSERT_TRUE(plain.ok()) << plain.diagnostics();
  EXPECT_TRUE(plain.plan().timers.empty()) << "nothing goes out when time is over";
  ASSERT_EQ(plain.plan().reads.size(), 3U);
  const Output& output = plain.plan().outputs[0];
  const size_t label = *output.schema.Find("label");
  EXPECT_EQ(output.schema[label].type, Type::kBool);
  ASSERT_EQ(output.derivations[label].current.size(), 1U);
  EXPECT_EQ(output.derivations[label].current[0].port, 1U);
  EXPECT_TRUE(output.derivations[*output.schema.Find("prediction_time")].event_time);
  EXPECT_EQ(output.derivations[0].current[0].port, 0U);
  EXPECT_EQ(output.derivations[*output.schema.Find("note")].current[0].port, 1U);
  OperatorFixture side(label_join_definition(), kBody + "label: y\nwait: 1h\non_timeout: side",
                       JoinStreams());
  ASSERT_EQ(side.plan().timers.size(), 1U);
  EXPECT_EQ(side.plan().timers[0].after, kHour);
  EXPECT_EQ(side.plan().outputs[1].name, "timed_out");
}

TEST(LabelJoin, KeepsOnlyWhatIsRead) {
  FixtureOptions options;
  options.is_read = [](size_t, size_t column) { return column == 1 || column > 6; };
  OperatorFixture fixture(label_join_definition(), kBody + "label: y\nwait: 1h\nkeep: [note]", JoinStreams(),
                          options);
  ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
  const std::vector<FixtureRow> rows = {
      {0, 10, {"a", 1.5, int64_t{2}, true, std::vector<std::string>{"t"}, std::vector<double>{1}}},
      {1, 20, {"a", 3.0, "n"}}};
  fixture.Feed(rows);
  ASSERT_EQ(fixture.emitted().size(), 1U);
  const std::vector<Cell> expected = {kNull, 1.5, kNull,       kNull,       kNull,     kNull,
                                      kNull, 3.0, int64_t{20}, int64_t{10}, "labelled"};
  EXPECT_EQ(fixture.emitted()[0].cells, expected);
}

// Of its own columns too: x, label and prediction_time here, beside the label's note on the side.
TEST(LabelJoin, MakesOnlyWhatIsRead) {
  FixtureOptions options;
  options.is_read = [](size_t port, size_t column) {
    return port == 0 ? column == 1 || column == 7 || column == 9 : column == 1 || column == 10;
  };
  OperatorFixture fixture(label_join_definition(),
                          kBody + "label: y\nwait: 1h\nkeep: [note]\non_timeout: side", JoinStreams(),
                          options);
  ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
  const std::vector<FixtureRow> rows = {{0, 10, {"a", 1.5, kNull, kNull, kNull, kNull}},
                                        {0, 15, {"b", 2.5, kNull, kNull, kNull, kNull}},
                                        {1, 20, {"a", 3.0, "n"}}};
  fixture.Feed(rows);
  fixture.FireTimers(kMaxTime);
  ASSERT_EQ(fixture.emitted().size(), 2U);
  const std::vector<Cell> labelled = {kNull, 1.5, kNull, kNull,       kNull, kNull,
                                      kNull, 3.0, kNull, int64_t{10}, kNull};
  EXPECT_EQ(fixture.emitted()[0].cells, labelled);
  const std::vector<Cell> timed_out = {kNull, 2.5,   kNull, kNull, kNull,      kNull,
                                       kNull, kNull, kNull, kNull, "timed_out"};
  EXPECT_EQ(fixture.emitted()[1].cells, timed_out);
}

// Columns that nobody reads have as many rows as the others, whatever batches came before.
TEST(LabelJoin, BatchesOfAnyNumberOfRows) {
  FixtureOptions options;
  options.is_read = [](size_t, size_t column) { return column == 1; };
  OperatorFixture fixture(label_join_definition(), kBody + "label: y\nwait: 1h", JoinStreams(), options);
  ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
  Time time = 0;
  size_t emitted = 0;
  for (const size_t count : {1, 9, 1, 17, 9, 2, 10, 2, 1}) {
    std::vector<FixtureRow> rows;
    for (size_t i = 0; i < count; ++i) {
      rows.push_back({0, ++time, {std::to_string(time), static_cast<double>(i), kNull, kNull, kNull, kNull}});
    }
    for (size_t i = 0; i < count; ++i)
      rows.push_back({1, time, {rows[i].cells[0], 3.0, "n"}});
    fixture.Feed(rows);
    ASSERT_EQ(fixture.emitted().size(), emitted + count);
    for (size_t i = 0; i < count; ++i) {
      std::vector<Cell> expected(fixture.schema().size(), kNull);
      expected[1] = static_cast<double>(i);
      EXPECT_EQ(fixture.emitted()[emitted + i].cells, expected) << count << " rows, number " << i;
    }
    emitted += count;
  }
}

FixtureRow Prediction(Time time, Time watermark, double x) {
  return {0, time, {"a", x, kNull, kNull, kNull, kNull}, watermark};
}
FixtureRow LabelOfA(Time time, Time watermark, double y) {
  return {1, time, {"a", y, "n"}, watermark};
}

struct Corrected {
  Time time = 0;
  Cell x, label, label_time, state;
  bool operator==(const Corrected&) const = default;
};
std::vector<Corrected> RowsOf(const OperatorFixture& fixture) {
  std::vector<Corrected> rows;
  for (const EmittedRow& row : fixture.emitted())
    rows.push_back({row.time, row.cells[1], row.cells[7], row.cells[8], row.cells[10]});
  return rows;
}

constexpr std::string_view kCorrecting =
    "label: y\nwait: 10us\nremember: 30us\nlate_labels: correct\nkeep: [note]\non_timeout: ";

TEST(LabelJoin, ALabelAfterTheTimeOutCorrectsItOnce) {
  OperatorFixture fixture(label_join_definition(), kBody + std::string(kCorrecting) + "{label: -1.0}",
                          JoinStreams());
  ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
  const std::vector<FixtureRow> rows = {Prediction(100, 0, 1.5),
                                        LabelOfA(109, 112, 3),  // late by the watermark
                                        LabelOfA(115, 116, 4), Prediction(120, 117, 2.5)};
  fixture.Feed(rows);
  EXPECT_EQ(RowsOf(fixture), (std::vector<Corrected>{{110, 1.5, -1.0, kNull, "timed_out"},
                                                     {109, 1.5, 3.0, int64_t{109}, "corrected"}}));
  EXPECT_EQ(fixture.counter("timed_out"), 1U);
  EXPECT_EQ(fixture.counter("labels_late"), 1U);
  EXPECT_EQ(fixture.counter("corrected"), 1U);
  EXPECT_EQ(fixture.counter("labels_repeated"), 1U);
  EXPECT_EQ(fixture.dead_letters().size(), 1U);
}

// A label that is late by its own time, when the watermark has not got so far yet.
TEST(LabelJoin, ALateLabelWaitsForTheTimeOutItCorrects) {
  OperatorFixture dropping(label_join_definition(), kBody + std::string(kCorrecting) + "drop", JoinStreams());
  ASSERT_TRUE(dropping.ok()) << dropping.diagnostics();
  const std::vector<FixtureRow> late = {Prediction(100, 0, 1.5), LabelOfA(112, 101, 3),
                                        LabelOfA(113, 102, 4)};
  dropping.Feed(late);
  EXPECT_TRUE(dropping.emitted().empty());
  EXPECT_EQ(dropping.counter("labels_repeated"), 1U);
  dropping.Commit();
  dropping.Restore();
  dropping.FireTimers(110);
  EXPECT_EQ(RowsOf(dropping), (std::vector<Corrected>{{112, 1.5, 3.0, int64_t{112}, "corrected"}}));

  // One in time that comes after it counts.
  OperatorFixture in_time(label_join_definition(), kBody + std::string(kCorrecting) + "drop", JoinStreams());
  const std::vector<FixtureRow> both = {Prediction(100, 0, 1.5), LabelOfA(112, 101, 3),
                                        LabelOfA(108, 102, 5)};
  in_time.Feed(both);
  in_time.FireTimers(kMaxTime);
  EXPECT_EQ(RowsOf(in_time), (std::vector<Corrected>{{108, 1.5, 5.0, int64_t{108}, "labelled"}}));
}

// Whether the wait is over by the watermark when it comes, or not yet.
TEST(LabelJoin, ALateLabelAfterOneInTimeIsRepeated) {
  for (const Time watermark : {106, 111}) {
    SCOPED_TRACE(watermark);
    OperatorFixture fixture(label_join_definition(),
                            kBody + std::string(kCorrecting) + "drop\nrelease: after_wait", JoinStreams());
    ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
    const std::vector<FixtureRow> rows = {Prediction(100, 0, 1.5), LabelOfA(105, 101, 3),
                                          LabelOfA(112, watermark, 4)};
    fixture.Feed(rows);
    fixture.FireTimers(kMaxTime);
    EXPECT_EQ(RowsOf(fixture), (std::vector<Corrected>{{110, 1.5, 3.0, int64_t{105}, "labelled"}}));
    EXPECT_EQ(fixture.counter("labels_repeated"), 1U);
    EXPECT_EQ(fixture.counter("labels_late"), 0U);
  }
}

TEST(LabelJoin, WhatIsNoLabelOfTheRowCorrectsNothing) {
  OperatorFixture fixture(label_join_definition(), kBody + std::string(kCorrecting) + "side", JoinStreams());
  ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
  const std::vector<FixtureRow> rows = {Prediction(100, 0, 1.5),
                                        LabelOfA(99, 111, 3),    // before the prediction
                                        LabelOfA(131, 112, 4)};  // of another one
  fixture.Feed(rows);
  fixture.FireTimers(kMaxTime);
  ASSERT_EQ(fixture.emitted().size(), 1U);
  EXPECT_EQ(fixture.emitted()[0].port, 1U);
  EXPECT_EQ(fixture.counter("labels_late"), 1U);
  EXPECT_EQ(fixture.counter("labels_unmatched"), 1U);
}

// What timed out before the job file said `correct` is a marker without a row; after it said so, a row that
// nobody needs.
TEST(LabelJoin, AJobFileMayBeginAndCeaseToCorrect) {
  const std::string correct = kBody + std::string(kCorrecting) + "side";
  const std::string count = kBody + "label: y\nwait: 10us\nremember: 30us\nkeep: [note]\non_timeout: side";
  for (const bool begins : {true, false}) {
    OperatorFixture before(label_join_definition(), begins ? count : correct, JoinStreams());
    const std::vector<FixtureRow> timed_out = {Prediction(100, 0, 1.5)};
    before.Feed(timed_out);
    before.FireTimers(110);
    before.Commit();
    OperatorFixture after(label_join_definition(), begins ? correct : count, JoinStreams());
    after.GoOnFrom(before);
    const std::vector<FixtureRow> late = {LabelOfA(111, 112, 3)};
    after.Feed(late);
    EXPECT_TRUE(after.emitted().empty());
    EXPECT_EQ(after.counter("labels_late"), 1U);
    after.FireTimers(kMaxTime);
    after.Commit();
    OperatorFixture idle(label_join_definition(), count, JoinStreams());
    idle.Commit();
    EXPECT_EQ(after.durable().size(), idle.durable().size()) << "the entry goes in the end";
  }
}

// The timer of the wait, which the label ends, and that of the marker it leaves are two, even where both
// would be due at one moment.
TEST(LabelJoin, AMarkerGoesThoughItIsRememberedNoLongerThanTheWait) {
  const std::string body = kBody + "label: y\nwait: 64us\nremember: 64us";
  OperatorFixture fixture(label_join_definition(), body, JoinStreams());
  ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
  const std::vector<FixtureRow> rows = {Prediction(64, 0, 1.5), LabelOfA(65, 1, 3)};
  fixture.Feed(rows);
  EXPECT_EQ(fixture.emitted().size(), 1U);
  fixture.FireTimers(kMaxTime);
  fixture.Commit();
  OperatorFixture idle(label_join_definition(), body, JoinStreams());
  idle.Commit();
  EXPECT_EQ(fixture.durable().size(), idle.durable().size()) << "the marker goes in the end";
}

TEST(LabelJoin, KnowsWhichPredictionsMayEmitAtOnce) {
  OperatorFixture fixture(label_join_definition(), kBody + "label: y\nwait: 10us\nlabels_early: 5us",
                          JoinStreams());
  ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
  EXPECT_EQ(fixture.op().EmitsAtOnceUntil(0), kMinTime);
  EXPECT_EQ(fixture.op().EmitsAtOnceUntil(1), kMaxTime);
  const std::vector<FixtureRow> label = {LabelOfA(100, 0, 1)};
  fixture.Feed(label);
  EXPECT_EQ(fixture.op().EmitsAtOnceUntil(0), 105);
  fixture.Commit();
  fixture.Restore();
  EXPECT_EQ(fixture.op().EmitsAtOnceUntil(0), 105);
  const std::vector<FixtureRow> prediction = {Prediction(99, 0, 1)};
  fixture.Feed(prediction);
  EXPECT_EQ(fixture.emitted().size(), 1U);
  EXPECT_EQ(fixture.op().EmitsAtOnceUntil(0), kMinTime);
}

// Of the shards in which labels wait now; in which one did, says nothing.
TEST(LabelJoin, KnowsItOfAllShards) {
  FixtureOptions options;
  options.shards = 64;
  OperatorFixture fixture(label_join_definition(), kBody + "label: y\nwait: 10us\nlabels_early: 5us",
                          JoinStreams(), options);
  ASSERT_TRUE(fixture.ok()) << fixture.diagnostics();
  std::vector<FixtureRow> labels = {LabelOfA(100, 0, 1), LabelOfA(90, 0, 1)};
  labels[1].cells[0] = "other";
  fixture.Feed(labels);
  EXPECT_EQ(fixture.op().EmitsAtOnceUntil(0), 105);
  const std::vector<FixtureRow> prediction = {Prediction(99, 0, 1)};
  fixture.Feed(prediction);
  EXPECT_EQ(fixture.emitted().size(), 1U);
  EXPECT_EQ(fixture.op().EmitsAtOnceUntil(0), 95);
  fixture.Commit();
  fixture.Restore();
  EXPECT_EQ(fixture.op().EmitsAtOnceUntil(0), 95);
}

}  // namespace
}  // namespace freshet

// Compiled kernels against the plain interpreter: every value to the bit and every fault counted, however the
// rows are cut.
#include <array>

#include <gtest/gtest.h>

#include "engine/expression/expression.h"
#include "tests/engine/expression/oracle.h"

namespace freshet {
namespace {

ColumnPtr MakeColumn(Pool& pool, Type type, const std::vector<Row>& rows, size_t column) {
  ColumnBuilder builder(pool, type);
  for (const Row& row : rows) {
    const Value& v = row[column];
    if (const auto* b = std::get_if<bool>(&v)) {
      builder.Append(*b);
    } else if (const auto* i = std::get_if<int64_t>(&v)) {
      builder.Append(*i);
    } else if (const auto* d = std::get_if<double>(&v)) {
      builder.Append(*d);
    } else if (const auto* s = std::get_if<std::string>(&v)) {
      builder.Append(std::string_view(*s));
    } else if (const auto* numbers = std::get_if<std::vector<double>>(&v)) {
      builder.AppendList(std::span<const double>(*numbers));
    } else if (const auto* texts = std::get_if<std::vector<std::string>>(&v)) {
      const std::vector<std::string_view> views(texts->begin(), texts->end());
      builder.AppendList(std::span<const std::string_view>(views));
    } else {
      builder.AppendNull();
    }
  }
  return builder.Finish();
}

Batch MakeRows(Pool& pool, const std::vector<Row>& rows) {
  std::vector<ColumnPtr> columns;
  for (size_t c = 0; c < OracleSchema().size(); ++c)
    columns.push_back(MakeColumn(pool, OracleSchema()[c].type, rows, c));
  const std::vector<Time> times(rows.size(), 0);
  std::vector<uint32_t> ordinals(rows.size());
  for (size_t i = 0; i < rows.size(); ++i)
    ordinals[i] = static_cast<uint32_t>(i);
  return Batch::Make(pool, columns, times, ordinals);
}

Value ValueAt(const Column& column, size_t row) {
  if (!column.valid(row)) return {};
  switch (column.type()) {
    case Type::kBool:
      return column.values<uint8_t>()[row] != 0;
    case Type::kFloat64:
      return column.values<double>()[row];
    case Type::kString:
      return std::string(column.text(row));
    default:
      return column.values<int64_t>()[row];
  }
}

struct Outcome {
  std::vector<Value> values;
  ExpressionFaults faults;
};

Outcome Run(const Program& program, Pool& pool, const Batch& batch, size_t piece) {
  Outcome out;
  for (size_t first = 0; first < batch.rows(); first += piece) {
    const size_t count = std::min(piece, batch.rows() - first);
    std::vector<uint32_t> rows(count);
    for (size_t i = 0; i < count; ++i)
      rows[i] = static_cast<uint32_t>(first + i);
    const Batch part = count == batch.rows() ? batch : batch.Take(pool, rows);
    const ColumnPtr column = program.Evaluate(pool, part, out.faults);
    EXPECT_EQ(column->rows(), count);
    EXPECT_EQ(column->type(), program.type());
    for (size_t i = 0; i < count; ++i)
      out.values.push_back(ValueAt(*column, i));
  }
  return out;
}

constexpr Type kTypes[] = {Type::kBool,   Type::kInt64,     Type::kFloat64,
                           Type::kString, Type::kTimestamp, Type::kDuration};

void Check(uint64_t seed, size_t rows, double nulls, int trees) {
  Random random(seed);
  Pool pool;
  std::vector<Row> all;
  for (size_t i = 0; i < rows; ++i)
    all.push_back(RandomRow(random, nulls));
  const Batch batch = MakeRows(pool, all);
  for (int n = 0; n < trees; ++n) {
    const Type type = kTypes[random.Below(std::size(kTypes))];
    const Tree tree = RandomTree(random, type, 1 + static_cast<int>(random.Below(5)));
    const std::string text = Print(tree, random);
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + text);
    Diagnostics diagnostics("random");
    const ExprPtr program = Compile({text, {1, 1}}, OracleSchema(), type, diagnostics);
    ASSERT_NE(program, nullptr) << diagnostics.Text();
    Outcome expected;
    for (const Row& row : all)
      expected.values.push_back(Interpret(tree, row, expected.faults));
    for (const size_t piece : {rows, size_t{7}, size_t{1}}) {
      const Outcome outcome = Run(*program, pool, batch, piece);
      ASSERT_EQ(outcome.values.size(), expected.values.size());
      for (size_t i = 0; i < rows; ++i) {
        ASSERT_TRUE(Same(outcome.values[i], expected.values[i]))
            << "row " << i << " is " << ToText(outcome.values[i]) << ", should be "
            << ToText(expected.values[i]);
      }
      ASSERT_EQ(outcome.faults.division_by_zero, expected.faults.division_by_zero);
      ASSERT_EQ(outcome.faults.overflow, expected.faults.overflow);
      ASSERT_EQ(outcome.faults.bad_conversion, expected.faults.bad_conversion);
    }
  }
}

TEST(ExpressionProperty, NoNulls) {
  for (uint64_t seed = 1; seed <= 40; ++seed)
    Check(seed, 70, 0, 25);
}

TEST(ExpressionProperty, SomeNulls) {
  for (uint64_t seed = 101; seed <= 160; ++seed)
    Check(seed, 70, 0.2, 25);
}

TEST(ExpressionProperty, MostlyNulls) {
  for (uint64_t seed = 201; seed <= 220; ++seed)
    Check(seed, 40, 0.8, 25);
}

TEST(ExpressionProperty, SeveralChunks) {
  for (uint64_t seed = 301; seed <= 306; ++seed)
    Check(seed, 2500, 0.1, 5);
}

// Programs evaluated together give, each, what they give alone, and together as many faults.
TEST(ExpressionProperty, TogetherAsAlone) {
  for (uint64_t seed = 401; seed <= 440; ++seed) {
    Random random(seed);
    Pool pool;
    std::vector<Row> all;
    const size_t rows = std::array<size_t, 4>{0, 1, 70, 2500}[random.Below(4)];
    for (size_t i = 0; i < rows; ++i)
      all.push_back(RandomRow(random, 0.2));
    const Batch batch = MakeRows(pool, all);
    std::vector<std::string> texts = {"i", "f + 1.0", "s", "1", "\"one\"", "i"};
    for (size_t n = random.Below(8); n > 0; --n) {
      const Type type = kTypes[random.Below(std::size(kTypes))];
      texts.push_back(Print(RandomTree(random, type, 1 + static_cast<int>(random.Below(4))), random));
    }
    std::vector<ExprPtr> programs;
    ExpressionFaults alone, together;
    std::vector<ColumnPtr> expected;
    for (const std::string& text : texts) {
      Diagnostics diagnostics("random");
      programs.push_back(Compile({text, {1, 1}}, OracleSchema(), std::nullopt, diagnostics));
      ASSERT_NE(programs.back(), nullptr) << text << '\n' << diagnostics.Text();
      expected.push_back(programs.back()->Evaluate(pool, batch, alone));
    }
    const auto group = Together(programs);
    ASSERT_EQ(group->size(), texts.size());
    std::vector<ColumnPtr> columns(texts.size());
    group->Evaluate(pool, batch, together, columns);
    for (size_t n = 0; n < texts.size(); ++n) {
      ASSERT_EQ(columns[n]->rows(), rows) << texts[n];
      for (size_t i = 0; i < rows; ++i) {
        ASSERT_TRUE(Same(ValueAt(*columns[n], i), ValueAt(*expected[n], i)))
            << "seed " << seed << ", row " << i << ": " << texts[n];
      }
    }
    EXPECT_EQ(together.division_by_zero, alone.division_by_zero);
    EXPECT_EQ(together.overflow, alone.overflow);
    EXPECT_EQ(together.bad_conversion, alone.bad_conversion);
  }
}

TEST(ExpressionProperty, SteadyStateAllocatesNothing) {
  Random random(7);
  Pool pool;
  std::vector<Row> all;
  for (size_t i = 0; i < 1500; ++i)
    all.push_back(RandomRow(random, 0.2));
  const Batch batch = MakeRows(pool, all);
  Diagnostics diagnostics("random");
  const ExprPtr program = Compile({"upper(s) + string(i / j) + (b ? r : lower(s)) + string(t)", {}},
                                  OracleSchema(), {}, diagnostics);
  ASSERT_NE(program, nullptr) << diagnostics.Text();
  ExpressionFaults faults;
  program->Evaluate(pool, batch, faults);
  const uint64_t before = pool.fresh_blocks();
  for (int i = 0; i < 5; ++i)
    program->Evaluate(pool, batch, faults);
  EXPECT_EQ(pool.fresh_blocks(), before);
}

TEST(ExpressionProperty, NoRows) {
  Pool pool;
  const Batch batch = MakeRows(pool, {});
  for (const char* text : {"i + 1", "s + r", "b && i > 0", "1", "ls", "f"}) {
    Diagnostics diagnostics("none");
    const ExprPtr program = Compile({text, {}}, OracleSchema(), {}, diagnostics);
    ASSERT_NE(program, nullptr) << diagnostics.Text();
    ExpressionFaults faults;
    EXPECT_EQ(program->Evaluate(pool, batch, faults)->rows(), 0U) << text;
  }
}

}  // namespace
}  // namespace freshet

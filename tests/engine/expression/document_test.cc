// Runs every example of docs/expressions.md: `expression  =>  value` and `expression  !!  error`.
#include <fstream>

#include <gtest/gtest.h>

#include "engine/base/number.h"
#include "engine/base/time.h"
#include "engine/expression/expression.h"

namespace freshet {
namespace {

std::string Trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" `");
  const size_t end = text.find_last_not_of(" `");
  return begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
}

std::string Unquoted(const std::string& text) {
  return text.substr(1, text.size() - 2);
}

// The row of the page's first table.
struct ExampleRow {
  Pool pool;
  Schema schema;
  std::vector<ColumnPtr> columns;

  void Add(const std::string& name, Type type, const std::string& value) {
    schema.Add({name, type, {}});
    ColumnBuilder builder(pool, type);
    if (value == "null") {
      builder.AppendNull();
    } else if (type == Type::kBool) {
      builder.Append(value == "true");
    } else if (type == Type::kInt64) {
      builder.Append(*ParseInt(value));
    } else if (type == Type::kFloat64) {
      builder.Append(*ParseDouble(value));
    } else if (type == Type::kString) {
      builder.Append(std::string_view(Unquoted(value)));
    } else if (type == Type::kTimestamp) {
      builder.Append(*ParseTimestamp(value));
    } else if (type == Type::kDuration) {
      builder.Append(*ParseDuration(value));
    } else {
      ASSERT_EQ(value, "[\"UA\", \"DL\"]");
      const std::string_view items[] = {"UA", "DL"};
      builder.AppendList(std::span<const std::string_view>(items));
    }
    columns.push_back(builder.Finish());
  }
  Batch Make() {
    const Time times[] = {0};
    const uint32_t ordinals[] = {0};
    return Batch::Make(pool, columns, times, ordinals);
  }
};

std::string Shown(const Column& column) {
  if (!column.valid(0)) return "null";
  switch (column.type()) {
    case Type::kBool:
      return column.values<uint8_t>()[0] != 0 ? "true" : "false";
    case Type::kInt64:
      return std::to_string(column.values<int64_t>()[0]);
    case Type::kFloat64: {
      const std::string text = FormatDouble(column.values<double>()[0]);
      return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
    }
    case Type::kString:
      return '"' + std::string(column.text(0)) + '"';
    case Type::kTimestamp:
      return FormatTimestamp(column.values<int64_t>()[0]);
    case Type::kDuration:
      return FormatDuration(column.values<int64_t>()[0]);
    default:
      return "another type";
  }
}

void CheckExample(const std::string& line, ExampleRow& row, const Batch& batch) {
  SCOPED_TRACE(line);
  const bool fails = line.find("  !!  ") != std::string::npos;
  const size_t sign = line.find(fails ? "  !!  " : "  =>  ");
  ASSERT_NE(sign, std::string::npos) << "not an example";
  const std::string text = line.substr(0, sign);
  const std::string expected = line.substr(sign + 6);
  Diagnostics diagnostics("page");
  const ExprPtr program = Compile({text, {1, 1}}, row.schema, std::nullopt, diagnostics);
  if (fails) {
    ASSERT_EQ(diagnostics.all().size(), 1U) << diagnostics.Text();
    EXPECT_EQ(diagnostics.all()[0].message, expected);
    EXPECT_EQ(program, nullptr);
    return;
  }
  ASSERT_NE(program, nullptr) << diagnostics.Text();
  ExpressionFaults faults;
  const ColumnPtr column = program->Evaluate(row.pool, batch, faults);
  EXPECT_EQ(Shown(*column), expected);
}

TEST(ExpressionDocument, EveryExampleHolds) {
  std::ifstream page("docs/expressions.md");
  ASSERT_TRUE(page) << "run from the project's root";
  ExampleRow row;
  Batch batch;
  std::string line;
  bool inside = false;
  int examples = 0;
  while (std::getline(page, line)) {
    if (line.rfind("```", 0) == 0) {
      inside = line == "```text";
      if (batch.empty()) batch = row.Make();
    } else if (inside) {
      CheckExample(line, row, batch);
      ++examples;
    } else if (batch.empty() && line.rfind("| `", 0) == 0) {
      const size_t first = line.find(" | ");
      const size_t second = line.find(" | ", first + 3);
      const auto type = TypeNamed(Trimmed(line.substr(first + 3, second - first - 3)));
      ASSERT_TRUE(type) << line;
      row.Add(Trimmed(line.substr(2, first - 2)), *type,
              Trimmed(line.substr(second + 3, line.size() - second - 5)));
    }
  }
  EXPECT_EQ(row.schema.size(), 12U);
  EXPECT_GT(examples, 100);
}

// A function that the page does not name is one nobody finds.
TEST(ExpressionDocument, NamesEveryFunction) {
  std::ifstream page("docs/expressions.md");
  const std::string text((std::istreambuf_iterator<char>(page)), std::istreambuf_iterator<char>());
  for (const char* name : {"abs",    "sign",  "min",       "max",       "floor",    "ceil",       "round",
                           "sqrt",   "exp",   "log",       "log1p",     "pow",      "sigmoid",    "coalesce",
                           "string", "int",   "double",    "size",      "contains", "startsWith", "endsWith",
                           "lower",  "upper", "substring", "timestamp", "duration", "year",       "month",
                           "day",    "hour",  "minute",    "second",    "dayOfWeek"}) {
    EXPECT_NE(text.find('`' + std::string(name) + '('), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace freshet

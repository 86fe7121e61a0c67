// What is wrong with an expression, and where: the exact words, and the column inside the scalar.
#include <gtest/gtest.h>

#include "engine/expression/expression.h"

namespace freshet {
namespace {

const Schema& Scope() {
  static const Schema schema({{"delay", Type::kFloat64, {}},
                              {"flights", Type::kInt64, {}},
                              {"carrier", Type::kString, {"AA", "UA", "DL"}},
                              {"late", Type::kBool, {}},
                              {"at", Type::kTimestamp, {}},
                              {"took", Type::kDuration, {}},
                              {"tags", Type::kListString, {}},
                              {"raw", Type::kBytes, {}}});
  return schema;
}

std::string Faults(std::string text, std::optional<Type> expected = std::nullopt, Position at = {3, 10}) {
  Diagnostics diagnostics("job.yaml");
  const ExprPtr program = Compile({std::move(text), at}, Scope(), expected, diagnostics);
  EXPECT_EQ(program == nullptr, !diagnostics.ok());
  return diagnostics.Text();
}

std::string Times(int count, std::string_view text) {
  std::string out;
  for (int i = 0; i < count; ++i)
    out += text;
  return out;
}

struct Case {
  std::string text;
  int column;  // within the expression, from 0
  std::string message;
};

TEST(ExpressionErrors, WordsAndPlaces) {
  const Case cases[] = {
      {"", 0, "an empty expression"},
      {"   ", 3, "an empty expression"},
      {"delay +", 7, "expected a value, found the end"},
      {"delay + * 2", 8, "expected a value, found `*`"},
      {"delay flights", 6, "expected an operator or the end, found `flights`"},
      {"delay + 1)", 9, "expected an operator or the end, found `)`"},
      {"max(delay, 1", 12, "expected `)` or `,` after an argument, found the end"},
      {"carrier in [\"a\" \"b\"]", 16, "expected `]` or `,` after an item, found a string"},
      {"late ? 1", 8, "expected `:` and what holds otherwise, found the end"},
      {"late ? 1 : ", 11, "expected a value, found the end"},
      {"delay & late", 6, "write && for the logical operator"},
      {"delay @ 2", 6, "unexpected character `@`"},
      {"delay \xc3\xa9", 6, "unexpected character; quote names as `…`"},
      {"delay.", 6, "expected a name after `.`, found the end"},
      {"(delay + 1).x", 12, "only a column has members; a function is called with parentheses: x()"},
      {"30s", 0, "a number ends in letters; a duration is written duration(\"30s\")"},
      {"7u", 0, "there are no unsigned integers; remove the `u`"},
      {"9223372036854775808", 0, "this integer is beyond 64 bits; write it as a float64, with `.0`"},
      {"99999999999999999999", 0, "this integer is beyond 64 bits; write it as a float64, with `.0`"},
      {"1e999", 0, "this number is beyond what a float64 holds"},
      {"0x", 0, "expected hexadecimal digits after 0x"},
      {"\"a\\q\"", 2, "unknown escape \\q; a backslash itself is written \\\\"},
      {"\"\\u12\"", 1, "this escape needs 4 hexadecimal digits"},
      {"\"\\ud800\"", 1, "this escape is no character"},
      {"'open", 0, "the quote opened here is never closed"},
      {"`open", 0, "the ` opened here is never closed"},
      {"1 + dleay", 4, "no column `dleay`; did you mean `delay`?"},
      {"abs", 0, "no column `abs`; the function is called with parentheses"},
      {"zzzzzzz", 0, "no column `zzzzzzz`; one of delay, flights, carrier, late, at, took, tags, raw"},
      {"has(delay)", 0, "unknown function `has`; write `x != null`"},
      {"roundd(delay)", 0, "unknown function `roundd`; did you mean `round`?"},
      {"abs(carrier)", 0, "`abs` takes (int64), (float64) or (duration), not (string)"},
      {"carrier.substring()", 8, "`substring` takes (string, int64) or (string, int64, int64), not (string)"},
      {"late + 1", 5, "`+` does not take bool and int64"},
      {"-carrier", 0, "`-` does not take string"},
      {"!delay", 0, "`!` does not take float64"},
      {"late && delay", 8, "what stands beside `&&` must be a bool, and this is a float64"},
      {"delay ? 1 : 2", 0, "what stands before `?` must be a bool, and this is a float64"},
      {"1 < 2 < 3", 6, "`<` does not take bool and int64"},
      {"tags == tags", 5, "`==` does not take list<string> and list<string>"},
      {"[1, 2]", 0, "a list may stand only to the right of `in`"},
      {"delay in []", 6, "`in` an empty list is never true"},
      {"delay in [\"a\"]", 6, "the value and the items of `in` must be of one type, not float64 and string"},
      {"delay in tags", 6, "`in` takes a value and a list of such values, not float64 and list<string>"},
      {"delay in carrier", 6, "`in` takes a value and a list of such values, not float64 and string"},
      {"null in [1]", 5, "null is in no list; write == null"},
      {"null", 0, "null alone has no type; name a column or a value"},
      {"coalesce(null, null)", 0, "the values of `coalesce` are all null; one must have a type"},
      {"coalesce(delay)", 0, "`coalesce` takes two values or more"},
      {"coalesce(tags, tags)", 0, "`coalesce` does not take lists"},
      {"max(late, late)", 0, "`max` does not take bool"},
      {"took * 1.5", 5, "`*` does not take duration and float64"},
      {"at > \"2024\"", 3, "`>` does not take timestamp and string; write timestamp(\"…\") for a time"},
      {"timestamp(\"2024\")", 0, "\"2024\" is no timestamp such as \"2024-02-29T13:00:00Z\""},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(Faults(one.text), "job.yaml:3:" + std::to_string(10 + one.column) + ": " + one.message + '\n')
        << one.text;
  }
}

TEST(ExpressionErrors, AllAtOnce) {
  EXPECT_EQ(Faults("dleay + nope(carier) + abs(late)"),
            "job.yaml:3:10: no column `dleay`; did you mean `delay`?\n"
            "job.yaml:3:18: unknown function `nope`; docs/expressions.md lists all\n"
            "job.yaml:3:23: no column `carier`; did you mean `carrier`?\n"
            "job.yaml:3:33: `abs` takes (int64), (float64) or (duration), not (bool)\n");
}

TEST(ExpressionErrors, ExpectedType) {
  EXPECT_EQ(Faults("delay + 1", Type::kBool),
            "job.yaml:3:10: expected a bool here, and this is a float64; compare it with something\n");
  EXPECT_EQ(Faults("1 + flights", Type::kString),
            "job.yaml:3:10: expected a string here, and this is an int64; convert it with string(…)\n");
  EXPECT_EQ(Faults("delay", Type::kInt64),
            "job.yaml:3:10: expected an int64 here, and this is a float64; convert it with int(…)\n");
  EXPECT_EQ(Faults("flights", Type::kFloat64), "");  // widens
  EXPECT_EQ(Faults("null", Type::kFloat64), "");
}

TEST(ExpressionErrors, Warnings) {
  EXPECT_EQ(Faults("1 / 0"), "job.yaml:3:12: warning: this divides by zero, so it is always null\n");
  EXPECT_EQ(Faults("log(0.0) + delay"),
            "job.yaml:3:10: warning: this has no result that fits, so it is always null\n");
  EXPECT_EQ(Faults("carrier == \"UAL\""),
            "job.yaml:3:18: warning: `carrier` is never \"UAL\"; did you mean `UA`?\n");
  EXPECT_EQ(Faults("carrier in [\"UA\", \"XX9\"]"),
            "job.yaml:3:28: warning: `carrier` is never \"XX9\"; one of AA, UA, DL\n");
}

// Where the scalar is not in the file as it reads (escapes, folded lines), the place is told in words.
TEST(ExpressionErrors, PlaceWithoutTheFilesText) {
  Diagnostics folded("job.yaml");
  Compile({"1 + dleay", {3, 10}, false}, Scope(), std::nullopt, folded);
  EXPECT_EQ(folded.Text(),
            "job.yaml:3:10: no column `dleay`; did you mean `delay`? (at character 5 of the expression)\n");
  EXPECT_EQ(Faults("1 + dleay", std::nullopt, {Position::kOverride, 0}),
            "--set: no column `dleay`; did you mean `delay`? (at character 5 of the expression)\n");
}

TEST(ExpressionErrors, HostileInput) {
  const std::string deep = Times(101, "(");
  EXPECT_EQ(Faults(deep), "job.yaml:3:110: nested more than 100 deep; split the expression\n");
  std::string closed = Times(5000, "(") + "1" + Times(5000, ")");
  EXPECT_EQ(Faults(closed), "job.yaml:3:110: nested more than 100 deep; split the expression\n");
  EXPECT_EQ(Faults(Times(5000, "-") + "delay"),
            "job.yaml:3:110: nested more than 100 deep; split the expression\n");
  EXPECT_EQ(Faults(Times(5000, "!") + "late"),
            "job.yaml:3:110: nested more than 100 deep; split the expression\n");
  EXPECT_EQ(Faults(Times(5000, "[")), "job.yaml:3:110: nested more than 100 deep; split the expression\n");
  std::string ternaries;
  for (int i = 0; i < 1000; ++i)
    ternaries += "late ? 1 : ";
  EXPECT_NE(Faults(ternaries + "2").find("nested more than 100 deep"), std::string::npos);
  std::string sum = "1";
  for (int i = 0; i < 5000; ++i)
    sum += "+1";
  EXPECT_NE(Faults(sum).find("more than 1000 operators in one chain; split the expression"),
            std::string::npos);
  std::string calls = "carrier";
  for (int i = 0; i < 1500; ++i)
    calls += ".lower()";
  EXPECT_NE(Faults(calls).find("more than 1000 operators"), std::string::npos);
  EXPECT_EQ(Faults(Times(20000, "1")),
            "job.yaml:3:10: longer than 16384 bytes; split the expression over several columns\n");
  EXPECT_NE(Faults(std::string("1 + \0 2", 7)), "");
  EXPECT_NE(Faults("\xff\xfe"), "");
}

// What is just allowed must work, to the last byte.
TEST(ExpressionErrors, LimitsAreUsable) {
  EXPECT_EQ(Faults(Times(99, "(") + "delay" + Times(99, ")")), "");
  std::string items = "flights in [0";
  for (int i = 1; i < 3000; ++i)
    items += ',' + std::to_string(i);
  EXPECT_EQ(Faults(items + ']'), "");
  std::string sum = "flights";
  for (int i = 0; i < 990; ++i)
    sum += "+flights";
  EXPECT_EQ(Faults(sum), "");
  EXPECT_EQ(Faults("-9223372036854775808"), "");
}

}  // namespace
}  // namespace freshet

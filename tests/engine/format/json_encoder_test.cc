#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "engine/base/time.h"
#include "engine/format/format.h"

namespace freshet {
namespace {

class Row {
 public:
  template <class... Values>
  Row& Add(Type type, Values... values) {
    ColumnBuilder builder(pool_, type);
    if constexpr (sizeof...(Values) == 0) {
      builder.AppendNull();
    } else if (IsList(type)) {
      if constexpr (!(std::is_same_v<Values, std::string_view> || ...)) AddList(builder, values...);
    } else {
      if constexpr (!(std::is_same_v<Values, std::vector<double>> || ...)) (builder.Append(values), ...);
    }
    schema_.Add({"c" + std::to_string(columns_.size()), type, {}});
    columns_.push_back(builder.Finish());
    return *this;
  }
  std::string Encode(const std::vector<OutputField>& fields) {
    const Time time = 0;
    const uint32_t ordinal = 0;
    const Batch batch = Batch::Make(pool_, columns_, {&time, 1}, {&ordinal, 1});
    std::string out = "before ";
    FindFormat("json")->encoder(schema_, fields)->Encode(batch, 0, out);
    EXPECT_EQ(out.substr(0, 7), "before ") << "appends";
    return out.substr(7);
  }
  std::string Key(size_t column) const {
    std::string out;
    AppendKeyText(*columns_[column], 0, out);
    return out;
  }
  std::string Key() const {
    std::vector<const Column*> columns;
    for (const ColumnPtr& column : columns_)
      columns.push_back(column.get());
    std::string out;
    AppendKeyText(columns, 0, out);
    return out;
  }

 private:
  static void AddList(ColumnBuilder& builder, const std::vector<double>& items) { builder.AppendList(items); }
  template <class T>
  static void AddList(ColumnBuilder&, const T&) {}

  Pool pool_;
  Schema schema_;
  std::vector<ColumnPtr> columns_;
};

TEST(JsonEncoder, ValuesOfEachType) {
  Row row;
  row.Add(Type::kBool, true)
      .Add(Type::kInt64, int64_t{-42})
      .Add(Type::kFloat64, 0.1)
      .Add(Type::kString, std::string_view("a\"\\\n\1\xc3\xa9"))
      .Add(Type::kBytes, std::string_view("\0\xff", 2))
      .Add(Type::kTimestamp, int64_t{1360336980} * kSecond)
      .Add(Type::kDuration, 90 * kMinute)
      .Add(Type::kListFloat64, std::vector<double>{1, 0.5, std::nan("")})
      .Add(Type::kString, std::string_view("\xff\xed\xa0\x80!"));
  std::vector<OutputField> fields;
  for (size_t i = 0; i < 9; ++i)
    fields.push_back({i, {"f" + std::to_string(i)}});
  EXPECT_EQ(row.Encode(fields),
            R"({"f0":true,"f1":-42,"f2":0.1,"f3":"a\"\\\n\u0001)"
            "\xc3\xa9"
            R"(","f4":"AP8=","f5":"2013-02-08T15:23:00Z","f6":"1h30m","f7":[1,0.5,null],"f8":")"
            "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd!\"}");
}

TEST(JsonEncoder, NullsAndWhatJsonCannotHoldAreOmitted) {
  Row row;
  row.Add(Type::kInt64)
      .Add(Type::kFloat64, std::numeric_limits<double>::infinity())
      .Add(Type::kFloat64, std::nan(""))
      .Add(Type::kInt64, int64_t{1});
  EXPECT_EQ(row.Encode({{0, {"a"}}, {1, {"b"}}, {2, {"c"}}, {3, {"d"}}}), R"({"d":1})");
  EXPECT_EQ(row.Encode({{3, {"d"}}, {0, {"a"}}}), R"({"d":1})");
  EXPECT_EQ(row.Encode({{0, {"o", "a"}}, {1, {"o", "p", "b"}}, {3, {"d"}}}), R"({"d":1})")
      << "no empty objects";
  EXPECT_EQ(row.Encode({{0, {"a"}}}), "{}");
  EXPECT_EQ(row.Encode({}), "{}");
}

TEST(JsonEncoder, MembersOfOneObjectStandTogether) {
  Row row;
  for (int64_t i = 0; i < 5; ++i)
    row.Add(Type::kInt64, i);
  EXPECT_EQ(
      row.Encode({{0, {"m", "a"}}, {1, {"x"}}, {2, {"m", "o", "b"}}, {3, {"m", "c"}}, {4, {"m", "o", "d"}}}),
      R"({"m":{"a":0,"o":{"b":2,"d":4},"c":3},"x":1})");
  EXPECT_EQ(row.Encode({{0, {"q\"\n"}}}), R"({"q\"\n":0})");
}

TEST(KeyText, OfOneValue) {
  Row row;
  row.Add(Type::kString, std::string_view("B6 \"35\""))
      .Add(Type::kInt64, int64_t{-7})
      .Add(Type::kTimestamp, int64_t{0})
      .Add(Type::kBool, true)
      .Add(Type::kFloat64, 2.5)
      .Add(Type::kBytes, std::string_view("\0\xff", 2))
      .Add(Type::kDuration, kHour)
      .Add(Type::kString)
      .Add(Type::kFloat64, std::numeric_limits<double>::infinity());
  const std::string_view texts[] = {
      "B6 \"35\"", "-7", "1970-01-01T00:00:00Z", "true", "2.5", {"\0\xff", 2}, "1h", "", "inf"};
  for (size_t i = 0; i < std::size(texts); ++i)
    EXPECT_EQ(row.Key(i), texts[i]);
}

TEST(KeyText, OfSeveralFieldsIsAJsonArray) {
  Row row;
  row.Add(Type::kString, std::string_view("B6 \"35\""))
      .Add(Type::kInt64, int64_t{-7})
      .Add(Type::kString)
      .Add(Type::kTimestamp, int64_t{0})
      .Add(Type::kBytes, std::string_view("\0\xff", 2));
  EXPECT_EQ(row.Key(), R"(["B6 \"35\"",-7,null,"1970-01-01T00:00:00Z","AP8="])");
}

TEST(KeyText, ZerosAreOneAndWhatJsonCannotHoldIsNull) {
  Row row;
  row.Add(Type::kFloat64, -0.0)
      .Add(Type::kFloat64, 0.0)
      .Add(Type::kFloat64, -0.5)
      .Add(Type::kFloat64)
      .Add(Type::kFloat64, -std::numeric_limits<double>::infinity())
      .Add(Type::kFloat64, std::nan(""))
      .Add(Type::kInt64, int64_t{0});
  EXPECT_EQ(row.Key(0), "0");
  EXPECT_EQ(row.Key(1), "0");
  EXPECT_EQ(row.Key(), "[0,0,-0.5,null,null,null,0]");
}

TEST(Formats, AreFoundByName) {
  ASSERT_NE(FindFormat("json"), nullptr);
  EXPECT_EQ(FindFormat("json")->name, "json");
  EXPECT_EQ(FindFormat("xml"), nullptr);
  for (const Format& format : Formats()) {
    EXPECT_EQ(FindFormat(format.name), &format);
    EXPECT_FALSE(format.doc.empty());
  }
}

}  // namespace
}  // namespace freshet

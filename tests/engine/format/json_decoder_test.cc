#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "engine/base/time.h"
#include "engine/format/format.h"

namespace freshet {
namespace {

// One decoder and its builders, and what each record does to them.
class Records {
 public:
  explicit Records(const std::vector<InputField>& fields) : decoder_(FindFormat("json")->decoder(fields)) {
    for (const InputField& field : fields)
      builders_.emplace_back(pool_, field.type);
  }

  // The reason why the record was refused, or nothing.
  std::string Decode(std::string_view record) {
    const size_t before = rows_;
    const auto bad = decoder_->Decode(record, builders_);
    if (!bad) ++rows_;
    detail_ = bad ? bad->detail : "";
    EXPECT_LE(detail_.size(), 200U);
    EXPECT_EQ(bad.has_value(), !detail_.empty()) << "every refusal has its detail";
    for (const ColumnBuilder& builder : builders_)
      EXPECT_EQ(builder.rows(), bad ? before : before + 1);
    return bad ? std::string(bad->reason) : "";
  }
  const std::string& detail() const { return detail_; }
  ColumnPtr Column(size_t i) { return builders_[i].Finish(); }

 private:
  Pool pool_;
  std::unique_ptr<Decoder> decoder_;
  std::vector<ColumnBuilder> builders_;
  std::string detail_;
  size_t rows_ = 0;
};

InputField Field(std::string name, Type type) {
  InputField field;
  field.name = std::move(name);
  field.type = type;
  return field;
}

std::string Nested(size_t depth, const std::string& open, const std::string& close,
                   const std::string& middle) {
  std::string text;
  for (size_t i = 0; i < depth; ++i)
    text += open;
  text += middle;
  for (size_t i = 0; i < depth; ++i)
    text += close;
  return text;
}

TEST(JsonDecoder, WholeRecordsOrNothing) {
  const std::pair<const char*, const char*> records[] = {
      {R"({"a":1})", ""},
      {R"({})", ""},
      {" \n\t{ \"a\" : 1 , \"x\" : [ ] } \r\n", ""},
      {R"({"x":{"y":[1,{"z":null}],"w":"\u00e9\ud83d\ude00"},"a":1})", ""},
      {R"({"x":12345678901234567890123,"y":1e999,"z":-0.0E-5})", ""},  // numbers nobody reads
      {R"({"x":"\ud800"})", ""},                                       // nor half a surrogate
      {"", "not_json"},
      {"   ", "not_json"},
      {"null", "not_json"},
      {"[]", "not_json"},
      {R"([{"a":1}])", "not_json"},
      {"1", "not_json"},
      {R"("a")", "not_json"},
      {R"({"a":1}})", "not_json"},
      {R"({"a":1}{})", "not_json"},
      {R"({"a":1} {"a":2})", "not_json"},
      {R"({"a":1} x)", "not_json"},
      {R"({"a":1},)", "not_json"},
      {R"({"a":1)", "not_json"},
      {R"({"a":1,})", "not_json"},
      {R"({,"a":1})", "not_json"},
      {R"({"a":1 "b":2})", "not_json"},
      {R"({"a":1,,"b":2})", "not_json"},
      {R"({"a" 1})", "not_json"},
      {R"({"a"})", "not_json"},
      {R"({"a":})", "not_json"},
      {R"({a:1})", "not_json"},
      {R"({'a':1})", "not_json"},
      {R"({"a":1, bad})", "not_json"},
      {R"({"a":1, "x":bad})", "not_json"},
      {R"({"a":1, "x":tru})", "not_json"},
      {R"({"a":1, "x":truee})", "not_json"},
      {R"({"a":1, "x":nul})", "not_json"},
      {R"({"a":1, "x":NaN})", "not_json"},
      {R"({"a":NaN})", "not_json"},
      {R"({"a":Infinity})", "not_json"},
      {R"({"a":-Infinity})", "not_json"},
      {R"({"a":01})", "not_json"},
      {R"({"a":1.})", "not_json"},
      {R"({"a":.5})", "not_json"},
      {R"({"a":+1})", "not_json"},
      {R"({"a":-})", "not_json"},
      {R"({"a":1e})", "not_json"},
      {R"({"a":0x1})", "not_json"},
      {R"({"a":1x})", "not_json"},
      {R"({"a":1_0})", "not_json"},
      {R"({"a":1, "x":[1,2})", "not_json"},
      {R"({"a":1, "x":[1 2]})", "not_json"},
      {R"({"a":1, "x":[1,]})", "not_json"},
      {R"({"a":1, "x":[,1]})", "not_json"},
      {R"({"a":1, "x":{"y":1]})", "not_json"},
      {R"({"a":1, "x":"y)", "not_json"},
      {R"({"a":1, "x":"y"z})", "not_json"},
      {R"({"a":1, "x":"y":"z"})", "not_json"},  // a key where a value should be
      {R"({"a":1, "x":["y":1]})", "not_json"},
      {R"({"a":1:2})", "not_json"},
      {R"({"a":1, "x":"\q"})", "not_json"},
      {R"({"a":1, "x":"\u12g4"})", "not_json"},
      {R"({"a":1, "\q":2})", "not_json"},
      {R"({"a":1, "x":{"\q":2}})", "not_json"},
      {"{\"a\":1, \"x\":\"line\nbreak\"}", "not_json"},
      {"{\"a\":1, \"x\":\"\xff\"}", "bad_encoding"},
      {"{\"a\":1, \"x\":\"\xc3\"}", "bad_encoding"},
      {"{\"a\":1, \"x\":\"\xed\xa0\x80\"}", "bad_encoding"},
      {"{\"a\":1} \xff", "bad_encoding"},
  };
  Records decoder({Field("a", Type::kInt64)});
  for (const auto& [record, reason] : records)
    EXPECT_EQ(decoder.Decode(record), reason) << record;
  EXPECT_EQ(decoder.Decode(std::string_view("{\"a\":1\0}", 8)), "not_json");
  EXPECT_EQ(decoder.Decode(std::string_view("{\"a\":1}\0", 8)), "not_json");
}

TEST(JsonDecoder, DepthIsLimited) {
  Records decoder({Field("a", Type::kInt64)});
  EXPECT_EQ(decoder.Decode(Nested(64, R"({"x":)", "}", "1")), "");
  EXPECT_EQ(decoder.Decode(Nested(65, R"({"x":)", "}", "1")), "too_deep");
  EXPECT_EQ(decoder.Decode(R"({"x":)" + Nested(63, "[", "]", "1") + "}"), "");
  EXPECT_EQ(decoder.Decode(R"({"x":)" + Nested(64, "[", "]", "1") + "}"), "too_deep");
  EXPECT_EQ(decoder.Decode(R"({"x":)" + Nested(300'000, "[", "]", "1") + "}"), "too_deep");
  EXPECT_EQ(decoder.Decode(R"({"x":)" + Nested(500'000, "[", "", "") + "}"), "too_deep");
}

TEST(JsonDecoder, SizeIsLimited) {
  Records decoder({Field("a", Type::kString)});
  const std::string fits = R"({"a":")" + std::string((1 << 20) - 8, 'x') + R"("})";
  ASSERT_EQ(fits.size(), size_t{1} << 20);
  EXPECT_EQ(decoder.Decode(fits), "");
  EXPECT_EQ(decoder.Decode(fits + " "), "too_large");
  EXPECT_EQ(decoder.Column(0)->text(0).size(), fits.size() - 8);
}

struct Case {
  Type type;
  const char* value;
  const char* reason;  // "" for good
};

TEST(JsonDecoder, ValuesOfEachType) {
  const Case cases[] = {
      {Type::kBool, "true", ""},
      {Type::kBool, "0", "wrong_type"},
      {Type::kBool, "\"true\"", "wrong_type"},
      {Type::kInt64, "-9223372036854775808", ""},
      {Type::kInt64, "9223372036854775807", ""},
      {Type::kInt64, "9223372036854775808", "out_of_range"},
      {Type::kInt64, "-9223372036854775809", "out_of_range"},
      {Type::kInt64, "123456789012345678901234567890", "out_of_range"},
      {Type::kInt64, "3.0", ""},
      {Type::kInt64, "3.5", "wrong_type"},
      {Type::kInt64, "1e300", "out_of_range"},
      {Type::kInt64, "1e-300", "wrong_type"},
      {Type::kInt64, "1e99999999999999999999", "out_of_range"},
      {Type::kInt64, "0e99999999999999999999", ""},
      {Type::kInt64, "\"3\"", "wrong_type"},
      {Type::kInt64, "true", "wrong_type"},
      {Type::kInt64, "[]", "wrong_type"},
      {Type::kInt64, "{}", "wrong_type"},
      {Type::kFloat64, "1", ""},
      {Type::kFloat64, "12345678901234567890123", ""},
      {Type::kFloat64, "1.7976931348623157e308", ""},
      {Type::kFloat64, "1.8e308", "out_of_range"},
      {Type::kFloat64, "-1e400", "out_of_range"},
      {Type::kFloat64, "1e-400", ""},
      {Type::kFloat64, "\"1\"", "wrong_type"},
      {Type::kString, "\"\"", ""},
      {Type::kString, "1", "wrong_type"},
      {Type::kString, "{}", "wrong_type"},
      {Type::kString, R"("\ud83d\ude00")", ""},
      {Type::kString, R"("\ud83d")", "bad_encoding"},
      {Type::kString, R"("\q")", "not_json"},
      {Type::kBytes, R"("aGk=")", ""},
      {Type::kBytes, R"("aGk")", "bad_encoding"},
      {Type::kBytes, "1", "wrong_type"},
      {Type::kTimestamp, R"("2013-02-08T15:23:00Z")", ""},
      {Type::kTimestamp, R"("2013-02-30T15:23:00Z")", "wrong_type"},
      {Type::kTimestamp, R"("1360336980000")", "wrong_type"},
      {Type::kTimestamp, "1360336980000", ""},
      {Type::kTimestamp, "253402300800000", "out_of_range"},
      {Type::kTimestamp, "-62135596800001", "out_of_range"},
      {Type::kTimestamp, "1e30", "out_of_range"},
      {Type::kTimestamp, "true", "wrong_type"},
      {Type::kDuration, R"("1h30m")", ""},
      {Type::kDuration, R"("1h30")", "wrong_type"},
      {Type::kDuration, "9223372036854775", ""},
      {Type::kDuration, "9223372036854776", "out_of_range"},
      {Type::kListFloat64, "[1,2.5]", ""},
      {Type::kListFloat64, "[]", ""},
      {Type::kListFloat64, "[1,null]", "wrong_type"},
      {Type::kListFloat64, "[1,\"2\"]", "wrong_type"},
      {Type::kListFloat64, "[1,[2]]", "wrong_type"},
      {Type::kListFloat64, "[1e400]", "out_of_range"},
      {Type::kListFloat64, "1", "wrong_type"},
      {Type::kListString, R"(["a","\u0041",""])", ""},
      {Type::kListString, "[1]", "wrong_type"},
      {Type::kListString, "[{}]", "wrong_type"},
      {Type::kListString, "\"a\"", "wrong_type"},
  };
  for (const Case& c : cases) {
    Records decoder({Field("before", Type::kString), Field("v", c.type)});
    const std::string record = std::string(R"({"before":"x","v":)") + c.value + "}";
    EXPECT_EQ(decoder.Decode(record), c.reason) << record;
    EXPECT_EQ(decoder.Decode(R"({"v":null})"), "");
  }
}

TEST(JsonDecoder, ValuesAreExact) {
  Records decoder({Field("i", Type::kInt64), Field("f", Type::kFloat64), Field("s", Type::kString),
                   Field("b", Type::kBool), Field("y", Type::kBytes)});
  ASSERT_EQ(
      decoder.Decode(
          R"({"i":9007199254740993.0,"f":0.1,"s":"a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00","b":true,"y":"AP8="})"),
      "");
  ASSERT_EQ(decoder.Decode(R"({"i":-1.5e1,"f":-0.0,"s":"","b":false,"y":""})"), "");
  ASSERT_EQ(decoder.Decode(R"({"i":120e-1,"f":1e-400})"), "");
  const ColumnPtr i = decoder.Column(0);
  EXPECT_EQ(i->values<int64_t>()[0], 9007199254740993);
  EXPECT_EQ(i->values<int64_t>()[1], -15);
  EXPECT_EQ(i->values<int64_t>()[2], 12);
  const ColumnPtr f = decoder.Column(1);
  EXPECT_EQ(f->values<double>()[0], 0.1);
  EXPECT_TRUE(std::signbit(f->values<double>()[1]));
  EXPECT_EQ(f->values<double>()[2], 0);
  const ColumnPtr s = decoder.Column(2);
  EXPECT_EQ(s->text(0), "a\"\\/\b\f\n\r\t\xc3\xa9\xf0\x9f\x98\x80");
  EXPECT_EQ(s->text(1), "");
  EXPECT_TRUE(s->valid(1));
  EXPECT_FALSE(s->valid(2));
  EXPECT_EQ(decoder.Column(3)->values<uint8_t>()[0], 1);
  EXPECT_EQ(decoder.Column(4)->text(0), std::string_view("\0\xff", 2));
}

TEST(JsonDecoder, UnitsOfNumbers) {
  const struct {
    TimeUnit unit;
    const char* number;
    int64_t micros;
  } cases[] = {
      {TimeUnit::kSeconds, "1360336980", 1360336980 * kSecond},
      {TimeUnit::kSeconds, "1360336980.123457", 1360336980 * kSecond + 123457},
      {TimeUnit::kSeconds, "1360336980.1234579", 1360336980 * kSecond + 123457},
      {TimeUnit::kSeconds, "-0.0000001", -1},
      {TimeUnit::kSeconds, "1.36033698e9", 1360336980 * kSecond},
      {TimeUnit::kMilliseconds, "1360336980123", 1360336980123 * kMillisecond},
      {TimeUnit::kMilliseconds, "0.001", 1},
      {TimeUnit::kMicroseconds, "1360336980123456", 1360336980123456},
      {TimeUnit::kNanoseconds, "1360336980123456789", 1360336980123456},
      {TimeUnit::kNanoseconds, "-1", -1},
      {TimeUnit::kNanoseconds, "-1000", -1},
  };
  for (const auto& c : cases) {
    InputField time = Field("t", Type::kTimestamp);
    InputField span = Field("d", Type::kDuration);
    time.unit = span.unit = c.unit;
    Records decoder({time, span});
    EXPECT_EQ(decoder.Decode(std::string(R"({"t":)") + c.number + R"(,"d":)" + c.number + "}"), "");
    EXPECT_EQ(decoder.Column(0)->values<int64_t>()[0], c.micros) << c.number;
    EXPECT_EQ(decoder.Column(1)->values<int64_t>()[0], c.micros) << c.number;
  }
}

TEST(JsonDecoder, RequiredFieldsAndClosedSets) {
  InputField id = Field("id", Type::kString);
  id.required = true;
  InputField carrier = Field("carrier", Type::kString);
  carrier.values = {"UA", "B6", "AA"};
  Records decoder({id, carrier});
  EXPECT_EQ(decoder.Decode(R"({"id":"1","carrier":"B6"})"), "");
  EXPECT_EQ(decoder.Decode(R"({"id":"1"})"), "");
  EXPECT_EQ(decoder.Decode(R"({"id":"1","carrier":null})"), "");
  EXPECT_EQ(decoder.Decode(R"({"id":"1","carrier":"ZZ"})"), "unknown_value");
  EXPECT_NE(decoder.detail().find("ZZ"), std::string::npos);
  EXPECT_EQ(decoder.Decode(R"({"carrier":"B6"})"), "missing_field");
  EXPECT_NE(decoder.detail().find("id"), std::string::npos);
  EXPECT_EQ(decoder.Decode(R"({"id":null})"), "missing_field");
  EXPECT_EQ(decoder.Decode(R"({"id":""})"), "");
}

TEST(JsonDecoder, NestedPaths) {
  InputField deep = Field("deep", Type::kInt64);
  deep.path = {"a", "b", "c"};
  InputField shallow = Field("shallow", Type::kInt64);
  shallow.path = {"a", "d"};
  InputField same = Field("same", Type::kFloat64);  // one value, two fields
  same.path = {"a", "d"};
  InputField odd = Field("odd", Type::kInt64);
  odd.path = {"q\"\\\n"};
  Records decoder({deep, shallow, same, odd});
  EXPECT_EQ(decoder.Decode(R"({"a":{"x":[{}],"b":{"c":1,"c2":{}},"d":2},"b":{"c":9}})"), "");
  EXPECT_EQ(decoder.Decode(R"({"a":{"d":2,"b":null}})"), "");
  EXPECT_EQ(decoder.Decode(R"({"a":null,"q\u0022\\\n":7})"), "");
  EXPECT_EQ(decoder.Decode(R"({"a":3})"), "wrong_type");
  EXPECT_EQ(decoder.Decode(R"({"a":[{"d":2}]})"), "wrong_type");
  EXPECT_EQ(decoder.Decode(R"({"a":{"d":{"x":1}}})"), "wrong_type");
  const ColumnPtr c = decoder.Column(0);
  EXPECT_EQ(c->values<int64_t>()[0], 1);
  EXPECT_FALSE(c->valid(1));
  const ColumnPtr d = decoder.Column(1);
  EXPECT_EQ(d->values<int64_t>()[1], 2);
  EXPECT_FALSE(d->valid(2));
  EXPECT_EQ(decoder.Column(2)->values<double>()[1], 2);
  EXPECT_EQ(decoder.Column(3)->values<int64_t>()[2], 7);
}

TEST(JsonDecoder, DuplicatesOnReadPathsAreRefused) {
  InputField nested = Field("n", Type::kInt64);
  nested.path = {"o", "n"};
  Records decoder({Field("a", Type::kInt64), nested});
  EXPECT_EQ(decoder.Decode(R"({"a":1,"a":1})"), "duplicate_field");
  EXPECT_EQ(decoder.Decode(R"({"a":1,"b":0,"\u0061":2})"), "duplicate_field");
  EXPECT_EQ(decoder.Decode(R"({"a":null,"a":1})"), "duplicate_field");
  EXPECT_EQ(decoder.Decode(R"({"o":{"n":1},"o":{}})"), "duplicate_field");
  EXPECT_EQ(decoder.Decode(R"({"o":null,"o":{"n":1}})"), "duplicate_field");
  EXPECT_EQ(decoder.Decode(R"({"o":{"n":1,"n":2}})"), "duplicate_field");
  EXPECT_EQ(decoder.Decode(R"({"a":1,"x":1,"x":2,"y":{"a":1,"a":2}})"), "") << "nobody reads those";
  EXPECT_EQ(decoder.Decode(R"({"a":1,"n":{"a":2},"o":{"a":3,"n":4}})"), "");
}

// The fault comes last, when everything else has been read.
TEST(JsonDecoder, NothingOfARefusedRecordStays) {
  InputField required = Field("r", Type::kInt64);
  required.required = true;
  Records decoder({Field("s", Type::kString), Field("y", Type::kBytes), Field("n", Type::kListFloat64),
                   Field("t", Type::kListString), Field("i", Type::kInt64), required});
  const char* good = R"({"s":"kept","y":"AP8=","n":[1,2],"t":["x","yz"],"i":5,"r":1})";
  const std::pair<const char*, const char*> bad[] = {
      {R"({"s":"gone","y":"AAAA","n":[3],"t":["u"],"i":6,"r":1.5})", "wrong_type"},
      {R"({"s":"gone","y":"AAAA","n":[3],"t":["u"],"i":6})", "missing_field"},
      {R"({"r":1,"s":"gone","n":[3],"t":["u",4]})", "wrong_type"},
      {R"({"r":1,"s":"gone","n":[3],"t":["u"],"i":6}})", "not_json"},
  };
  ASSERT_EQ(decoder.Decode(good), "");
  for (const auto& [record, reason] : bad) {
    EXPECT_EQ(decoder.Decode(record), reason);
    ASSERT_EQ(decoder.Decode(good), "");
  }
  ASSERT_EQ(decoder.Decode(R"({"r":1})"), "");
  const ColumnPtr columns[] = {decoder.Column(0), decoder.Column(1), decoder.Column(2),
                               decoder.Column(3), decoder.Column(4), decoder.Column(5)};
  constexpr size_t kGood = 1 + std::size(bad);
  for (size_t row = 0; row < kGood; ++row) {
    EXPECT_EQ(columns[0]->text(row), "kept");
    EXPECT_EQ(columns[1]->text(row), std::string_view("\0\xff", 2));
    EXPECT_EQ(columns[2]->list(row), std::make_pair(2 * row, 2 * row + 2));
    EXPECT_EQ(columns[3]->items().text(2 * row + 1), "yz");
    EXPECT_EQ(columns[4]->values<int64_t>()[row], 5);
  }
  for (size_t column = 0; column < 5; ++column) {
    EXPECT_EQ(columns[column]->null_count(), 1U);
    EXPECT_FALSE(columns[column]->valid(kGood));
  }
  EXPECT_TRUE(columns[5]->all_valid());
}

// Models read the value under a null as 0, also where a refused record had one there.
TEST(JsonDecoder, NothingOfARefusedRecordStaysUnderANull) {
  InputField required = Field("r", Type::kInt64);
  required.required = true;
  InputField nested = Field("nested", Type::kInt64);
  nested.path = {"o", "p", "n"};
  InputField wide = Field("wide", Type::kFloat64);  // takes what `narrow`, of the same value, does not
  InputField narrow = Field("narrow", Type::kInt64);
  wide.path = narrow.path = {"o", "w"};
  const std::vector<InputField> fields{Field("b", Type::kBool),
                                       Field("i", Type::kInt64),
                                       Field("f", Type::kFloat64),
                                       Field("t", Type::kTimestamp),
                                       Field("d", Type::kDuration),
                                       Field("s", Type::kString),
                                       Field("y", Type::kBytes),
                                       Field("n", Type::kListFloat64),
                                       Field("u", Type::kListString),
                                       nested,
                                       wide,
                                       narrow,
                                       required};
  constexpr size_t kNullable = 12;
  const std::string values =
      R"("b":true,"i":6,"f":2.5,"t":1360336980000,"d":"1h","s":"gone","y":"AAAA","n":[3],"u":["v"],)"
      R"("o":{"p":{"n":7},"w":8})";
  const std::pair<std::string, const char*> bad[] = {
      {"{" + values + "}", "missing_field"},
      {"{" + values + R"(,"r":1.5})", "wrong_type"},
      {"{" + values + R"(,"r":1}})", "not_json"},
      {"{" + values + R"(,"r":1,"b":false})", "duplicate_field"},
      {R"({"r":1,"o":{"p":{"n":7},"w":8.5}})", "wrong_type"},
      {R"({"r":1,"o":{"w":9e18,"p":{"n":1e19}}})", "out_of_range"},
  };
  for (const auto& [record, reason] : bad) {
    for (const size_t before : {0U, 1U, 5U, 63U, 64U}) {
      Records decoder(fields);
      for (size_t row = 0; row < before; ++row)
        ASSERT_EQ(decoder.Decode("{" + values + R"(,"r":1})"), "");
      ASSERT_EQ(decoder.Decode(record), reason) << record;
      ASSERT_EQ(decoder.Decode(R"({"r":1})"), "");
      for (size_t i = 0; i < kNullable; ++i) {
        const ColumnPtr column = decoder.Column(i);
        ASSERT_FALSE(column->valid(before)) << fields[i].name;
        if (IsText(fields[i].type)) {
          EXPECT_EQ(column->text(before), "") << fields[i].name;
        } else if (IsList(fields[i].type)) {
          EXPECT_EQ(column->list(before), std::make_pair(before, before)) << fields[i].name;
          EXPECT_EQ(column->items().rows(), before) << fields[i].name;
        } else if (fields[i].type == Type::kBool) {
          EXPECT_EQ(column->values<uint8_t>()[before], 0) << fields[i].name;
        } else {  // all bits, so +0 of a float64
          EXPECT_EQ(column->values<int64_t>()[before], 0) << fields[i].name << " after " << record;
        }
      }
    }
  }
}

TEST(JsonDecoder, OrderOfFieldsDoesNotMatter) {
  Records decoder({Field("a", Type::kInt64), Field("b", Type::kInt64), Field("c", Type::kInt64),
                   Field("ab", Type::kInt64)});
  const char* orders[] = {R"({"a":1,"b":2,"c":3,"ab":4})", R"({"ab":4,"c":3,"b":2,"a":1})",
                          R"({"c":3,"x":0,"ab":4,"a":1,"b":2})", R"({"b":2,"ab":4,"\u0063":3,"a":1})",
                          R"({"a":1,"b":2,"c":3,"ab":4})"};
  for (const char* record : orders)
    ASSERT_EQ(decoder.Decode(record), "");
  for (size_t column = 0; column < 4; ++column) {
    const ColumnPtr values = decoder.Column(column);
    for (size_t row = 0; row < std::size(orders); ++row) {
      EXPECT_EQ(values->values<int64_t>()[row], static_cast<int64_t>(column + 1)) << orders[row];
    }
  }
}

TEST(JsonDecoder, DetailsNameTheFieldAndWhatWasFound) {
  Records decoder({Field("dep_delay", Type::kFloat64)});
  EXPECT_EQ(decoder.Decode(R"({"dep_delay":"late"})"), "wrong_type");
  EXPECT_NE(decoder.detail().find("dep_delay"), std::string::npos);
  EXPECT_NE(decoder.detail().find("late"), std::string::npos);
  std::string umlauts;
  for (int i = 0; i < 500; ++i)
    umlauts += "\xc3\xbc";
  EXPECT_EQ(decoder.Decode(R"({"dep_delay":")" + umlauts + "\"}"), "wrong_type");
  const size_t half = decoder.detail().find("\xc3\xe2");  // a character cut before the ellipsis
  EXPECT_EQ(half, std::string::npos);
}

}  // namespace
}  // namespace freshet

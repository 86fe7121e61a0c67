#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "engine/format/format.h"
#include "engine/format/json_text.h"

namespace freshet {
namespace {

__extension__ typedef __int128 Int128;  // holds every int64 times any unit

constexpr Type kTypes[] = {Type::kBool,     Type::kInt64,       Type::kFloat64,
                           Type::kString,   Type::kBytes,       Type::kTimestamp,
                           Type::kDuration, Type::kListFloat64, Type::kListString};

std::string AnyText(Random& random) {
  const std::string_view parts[] = {
      "a", "Z", " ", "\"", "\\", "\n", "\t", "/", "\xc3\xa9", "\xf0\x9f\x98\x80", "{", "\x7f", "\1"};
  std::string text;
  for (uint64_t left = random.Below(8); left > 0; --left)
    text += parts[random.Below(std::size(parts))];
  if (random.Chance(0.1)) text.push_back('\0');
  return text;
}

double AnyFinite(Random& random) {
  const double value = std::bit_cast<double>(random.Next());
  return std::isfinite(value) && random.Chance(0.7) ? value : static_cast<double>(random.Below(1000)) / 8;
}

void AppendAny(Random& random, Type type, ColumnBuilder& out) {
  if (random.Chance(0.2)) return out.AppendNull();
  switch (type) {
    case Type::kBool:
      return out.Append(random.Chance(0.5));
    case Type::kInt64:
    case Type::kDuration:
      return out.Append(static_cast<int64_t>(random.Next()) >> random.Below(64));
    case Type::kTimestamp:
      return out.Append(kFirstTimestamp + static_cast<int64_t>(random.Below(
                                              static_cast<uint64_t>(kLastTimestamp - kFirstTimestamp))));
    case Type::kFloat64:
      return out.Append(AnyFinite(random));
    case Type::kString:
    case Type::kBytes:
      return out.Append(AnyText(random));
    case Type::kListFloat64: {
      std::vector<double> items(random.Below(4));
      for (double& item : items)
        item = AnyFinite(random);
      return out.AppendList(items);
    }
    case Type::kListString: {
      std::vector<std::string> texts(random.Below(4));
      for (std::string& text : texts)
        text = AnyText(random);
      const std::vector<std::string_view> items(texts.begin(), texts.end());
      return out.AppendList(items);
    }
  }
}

bool Same(const Column& a, size_t row_a, const Column& b, size_t row_b) {
  if (a.valid(row_a) != b.valid(row_b)) return false;
  if (!a.valid(row_a)) return true;
  if (IsText(a.type())) return a.text(row_a) == b.text(row_b);
  if (a.type() == Type::kBool) return a.values<uint8_t>()[row_a] == b.values<uint8_t>()[row_b];
  if (!IsList(a.type()))
    return a.values<int64_t>()[row_a] == b.values<int64_t>()[row_b];  // floats by their bits
  const auto [first_a, last_a] = a.list(row_a);
  const auto [first_b, last_b] = b.list(row_b);
  if (last_a - first_a != last_b - first_b) return false;
  for (size_t i = 0; i < last_a - first_a; ++i) {
    if (!Same(a.items(), first_a + i, b.items(), first_b + i)) return false;
  }
  return true;
}

// A text as JSON (RFC 8259, section 7), a byte or a sequence at a time, the lengths of those of UTF-8 from a
// table (RFC 3629, section 4).
std::string NaiveJson(const std::string& text) {
  struct Form {
    uint8_t first[2], second[2];
    size_t length;
  };
  constexpr Form kForms[] = {{{0xc2, 0xdf}, {0x80, 0xbf}, 2}, {{0xe0, 0xe0}, {0xa0, 0xbf}, 3},
                             {{0xe1, 0xec}, {0x80, 0xbf}, 3}, {{0xed, 0xed}, {0x80, 0x9f}, 3},
                             {{0xee, 0xef}, {0x80, 0xbf}, 3}, {{0xf0, 0xf0}, {0x90, 0xbf}, 4},
                             {{0xf1, 0xf3}, {0x80, 0xbf}, 4}, {{0xf4, 0xf4}, {0x80, 0x8f}, 4}};
  const auto within = [&](size_t i, uint8_t low, uint8_t high) {
    return i < text.size() && static_cast<uint8_t>(text[i]) >= low && static_cast<uint8_t>(text[i]) <= high;
  };
  std::string out = "\"";
  for (size_t i = 0; i < text.size();) {
    size_t length = within(i, 0, 0x7f) ? 1 : 0;
    for (const Form& form : kForms) {
      bool good = within(i, form.first[0], form.first[1]) && within(i + 1, form.second[0], form.second[1]);
      for (size_t k = 2; k < form.length; ++k)
        good = good && within(i + k, 0x80, 0xbf);
      if (good) length = form.length;
    }
    constexpr std::string_view kShort = "\"\\\n\r\t", kLetters = "\"\\nrt";
    const size_t found = kShort.find(text[i]);
    char escape[7] = {};
    if (found != std::string_view::npos) {
      out += {'\\', kLetters[found]};
    } else if (within(i, 0, 0x1f)) {
      std::snprintf(escape, sizeof(escape), "\\u%04x", static_cast<unsigned>(text[i]));
      out += escape;
    } else {
      out += length == 0 ? "\xef\xbf\xbd" : text.substr(i, length);
    }
    i += std::max<size_t>(length, 1);
  }
  return out + "\"";
}

// Runs of plain bytes, of what must be escaped, of sequences whole and broken, of anything, at any place.
TEST(JsonProperty, TextsAreTheBytesOfTheNaiveWay) {
  const std::vector<std::string> parts{"plain text ",
                                       "a",
                                       "\"",
                                       "\\",
                                       "\n",
                                       "\x01",
                                       "\x1f",
                                       "\x7f",
                                       "\xc3\xa9",
                                       "\xe2\x82\xac",
                                       "\xf0\x9f\x98\x80",
                                       "\xc3",
                                       "\xe2\x82",
                                       "\xf0\x9f\x98",
                                       "\xed\xa0\x80",
                                       "\xc0\x80",
                                       "\xf4\x90\x80\x80",
                                       "\x80",
                                       "\xff",
                                       std::string(1, '\0'),
                                       "a longer run of plain bytes that no special one interrupts"};
  Random random(3);
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (uint64_t left = random.Below(10); left > 0; --left)
      text += random.Chance(0.1) ? std::string(1, static_cast<char>(random.Next()))
                                 : parts[random.Below(parts.size())];
    std::string out = "before ";
    AppendJsonString(text, out);
    ASSERT_EQ(out, "before " + NaiveJson(text));
  }
}

// Random schemas, nested paths and values: what the encoder writes is JSON to another parser, and the decoder
// reads the same values back.
TEST(JsonProperty, EncodedRowsDecodeToThemselves) {
  Random random(1);
  for (int round = 0; round < 300; ++round) {
    Pool pool;
    std::vector<InputField> inputs;
    std::vector<OutputField> outputs;
    std::vector<ColumnBuilder> builders;
    Schema schema;
    const size_t count = 1 + random.Below(12);
    for (size_t i = 0; i < count; ++i) {
      InputField input;
      input.type = kTypes[random.Below(std::size(kTypes))];
      input.name = "f" + std::to_string(i);
      for (uint64_t depth = random.Below(3); depth > 0; --depth)
        input.path.push_back("o" + std::to_string(random.Below(2)));
      input.path.push_back(input.name + AnyText(random));
      outputs.push_back({i, input.path});
      schema.Add({input.name, input.type, {}});
      builders.emplace_back(pool, input.type);
      inputs.push_back(std::move(input));
    }
    const size_t rows = random.Below(20);
    std::vector<ColumnPtr> columns;
    for (size_t i = 0; i < count; ++i) {
      for (size_t row = 0; row < rows; ++row)
        AppendAny(random, inputs[i].type, builders[i]);
      columns.push_back(builders[i].Finish());
    }
    const Batch batch = Batch::Make(pool, columns, std::vector<Time>(rows), std::vector<uint32_t>(rows));
    const auto encoder = FindFormat("json")->encoder(schema, outputs);
    const auto decoder = FindFormat("json")->decoder(inputs);
    for (size_t row = 0; row < rows; ++row) {
      std::string record;
      encoder->Encode(batch, row, record);
      boost::json::error_code error;
      EXPECT_TRUE(boost::json::parse(record, error).is_object()) << record;
      const auto bad = decoder->Decode(record, builders);
      ASSERT_FALSE(bad) << record << ": " << bad->detail;
    }
    for (size_t i = 0; i < count; ++i) {
      const ColumnPtr back = builders[i].Finish();
      for (size_t row = 0; row < rows; ++row)
        EXPECT_TRUE(Same(*columns[i], row, *back, row)) << NameOf(inputs[i].type);
    }
  }
}

// Numbers of any length, with and without a point, on both sides of what is read the short way.
TEST(JsonProperty, NumbersAreTheNearestDoubles) {
  Random random(4);
  InputField input;
  input.name = "f";
  input.type = Type::kFloat64;
  const auto decoder = FindFormat("json")->decoder({input});
  Pool pool;
  std::vector<ColumnBuilder> row;
  row.emplace_back(pool, Type::kFloat64);
  for (int i = 0; i < 20'000; ++i) {
    std::string text = random.Chance(0.5) ? "-" : "";
    text += random.Chance(0.2) ? "0" : std::to_string(1 + random.Below(9));
    if (text.back() != '0') {
      for (uint64_t left = random.Below(18); left > 0; --left)
        text += std::to_string(random.Below(10));
    }
    if (random.Chance(0.7)) {
      text += '.';
      for (uint64_t left = 1 + random.Below(18); left > 0; --left)
        text += std::to_string(random.Below(10));
    }
    if (random.Chance(0.1)) text += "e" + std::to_string(random.Below(40));
    ASSERT_FALSE(decoder->Decode("{\"f\":" + text + "}", row)) << text;
    const ColumnPtr read = row[0].Finish();
    ASSERT_EQ(std::bit_cast<int64_t>(read->values<double>()[0]),
              std::bit_cast<int64_t>(std::strtod(text.c_str(), nullptr)))
        << text;
  }
}

// Integers of any length, with and without a point, on both sides of what is read the short way; as int64 and
// as durations of each unit.
TEST(JsonProperty, IntegersAreExact) {
  struct Reader {
    InputField field;
    Int128 times = 1;
    Int128 over = 1;
  };
  std::vector<Reader> readers(5);
  readers[0].field.type = Type::kInt64;
  for (size_t i = 1; i < readers.size(); ++i)
    readers[i].field.type = Type::kDuration;
  readers[1].field.unit = TimeUnit::kSeconds;
  readers[1].times = 1'000'000;
  readers[2].field.unit = TimeUnit::kMilliseconds;
  readers[2].times = 1000;
  readers[3].field.unit = TimeUnit::kMicroseconds;
  readers[4].field.unit = TimeUnit::kNanoseconds;
  readers[4].over = 1000;
  std::vector<std::string> texts;
  Random random(5);
  for (int i = 0; i < 10'000; ++i) {
    std::string text = random.Chance(0.5) ? "-" : "";
    const uint64_t digits = 1 + random.Below(19);
    text += std::to_string(digits == 1 ? random.Below(10) : 1 + random.Below(9));
    for (uint64_t left = digits - 1; left > 0; --left)
      text += random.Chance(0.2) ? "0" : std::to_string(random.Below(10));
    texts.push_back(text + (random.Chance(0.3) ? ".0" : ""));
  }
  Pool pool;
  for (Reader& reader : readers) {
    reader.field.name = "v";
    const auto decoder = FindFormat("json")->decoder({reader.field});
    std::vector<ColumnBuilder> row;
    row.emplace_back(pool, reader.field.type);
    int fitting = 0;
    for (const std::string& text : texts) {
      Int128 wanted = 0;
      for (const char c : text.substr(0, text.find('.')))
        wanted = c == '-' ? wanted : wanted * 10 + (c - '0');
      wanted *= text[0] == '-' ? -reader.times : reader.times;
      const Int128 rest = wanted % reader.over;
      wanted = wanted / reader.over - (rest < 0 ? 1 : 0);
      const bool fits = wanted >= INT64_MIN && wanted <= INT64_MAX;
      const auto bad = decoder->Decode("{\"v\":" + text + "}", row);
      ASSERT_EQ(bad ? bad->reason : "", fits ? "" : "out_of_range") << text;
      const ColumnPtr read = row[0].Finish();
      ASSERT_EQ(read->rows(), fits ? 1U : 0U) << text;
      if (!fits) continue;
      ASSERT_EQ(read->values<int64_t>()[0], static_cast<int64_t>(wanted)) << text;
      ++fitting;
    }
    EXPECT_GT(fitting, 5000);
  }
}

std::string AnyValue(Random& random, int depth) {
  const uint64_t kind = random.Below(depth > 0 ? 9 : 6);
  if (kind >= 6) {
    const bool object = kind > 6;
    std::string text = object ? "{" : "[";
    for (uint64_t i = 0, n = random.Below(4); i < n; ++i) {
      if (i > 0) text += random.Chance(0.2) ? " , " : ",";
      if (object) text += "\"k" + std::to_string(random.Next() % 1000) + "_" + std::to_string(i) + "\":";
      text += AnyValue(random, depth - 1);
    }
    return text + (object ? "}" : "]");
  }
  const std::string_view scalars[] = {"null", "true", "false", "-12.5e3", "\"t\\n\\\"x\\u00e9\"", "77"};
  return std::string(scalars[kind]);
}

std::string Mutate(Random& random, std::string text) {
  const std::string_view pieces[] = {"{",  "}", "[", "]", ",",    ":", "\"", "\\", "0",
                                     "1e", "-", ".", "t", "null", " ", "\n", "\1", "/"};
  for (uint64_t left = 1 + random.Below(3); left > 0 && !text.empty(); --left) {
    const size_t at = random.Below(text.size());
    const std::string_view piece = pieces[random.Below(std::size(pieces))];
    switch (random.Below(5)) {
      case 0:
        text.erase(at, 1 + random.Below(3));
        break;
      case 1:
        text.insert(at, piece);
        break;
      case 2:
        text.replace(at, 1, piece);
        break;
      case 3:
        text[at] = static_cast<char>(random.Next());
        break;
      default:
        text.resize(at);
        break;
    }
  }
  return text;
}

// Broken records are refused exactly where an independent strict parser refuses them, and never
// half-appended.
TEST(JsonProperty, MutatedRecordsAreReadWholeOrNotAtAll) {
  Random random(2);
  std::vector<InputField> inputs(3);
  inputs[0].name = "a";
  inputs[0].type = Type::kFloat64;
  inputs[1].name = "b";
  inputs[1].path = {"o", "b"};
  inputs[2].name = "c";
  inputs[2].type = Type::kListFloat64;
  const auto reader = FindFormat("json")->decoder(inputs);
  const auto skipper = FindFormat("json")->decoder({});
  Pool pool;
  std::vector<ColumnBuilder> row;
  for (const InputField& input : inputs)
    row.emplace_back(pool, input.type);
  boost::json::parse_options options;
  options.max_depth = 64;
  int accepted = 0;
  int refused = 0;
  for (int i = 0; i < 60'000; ++i) {
    std::string record = R"({"a":1.5,"x":)" + AnyValue(random, 3) + R"(,"o":{"b":"t\\x","z":)" +
                         AnyValue(random, 2) + R"(},"c":[1,2]})";
    record = Mutate(random, std::move(record));
    const size_t before = row[0].rows();
    const bool appended = !reader->Decode(record, row);
    for (const ColumnBuilder& builder : row)
      ASSERT_EQ(builder.rows(), before + (appended ? 1 : 0)) << record;
    boost::json::error_code error;
    const auto value = boost::json::parse(record, error, {}, options);
    const bool good = !error && value.is_object();
    const bool skipped = !skipper->Decode(record, {});
    // The decoders differ where a number is too large for a double, which only a reader of it need mind, and
    // on half a surrogate pair.
    if (record.find("\\u") != std::string::npos || error == boost::json::error::exponent_overflow) continue;
    EXPECT_EQ(skipped, good) << record << (error ? error.message() : "");
    EXPECT_TRUE(good || !appended) << record;
    (good ? accepted : refused) += 1;
    if (row[0].rows() > 500) {
      for (ColumnBuilder& builder : row)
        builder.Finish();
    }
  }
  EXPECT_GT(accepted, 1000);
  EXPECT_GT(refused, 20'000);
}

}  // namespace
}  // namespace freshet

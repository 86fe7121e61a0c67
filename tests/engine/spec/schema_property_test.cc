// The JSON Schema of durations, sizes and fractions takes exactly the texts that reading them takes.
#include <regex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "engine/spec/diagnostics.h"
#include "engine/spec/shape.h"

namespace freshet {
namespace {

// What an editor that knows the schema takes, of texts.
class TextSchema {
 public:
  explicit TextSchema(const ValueType& type) {
    const std::string schema = type.JsonSchema(0);
    const std::string begin = R"("pattern":")";
    const size_t at = schema.find(begin);
    EXPECT_NE(at, std::string::npos) << schema;
    if (at == std::string::npos) return;
    const std::string rest = schema.substr(at + begin.size());
    pattern_ = rest.substr(0, rest.find('"'));
    EXPECT_EQ(pattern_.find('\\'), std::string::npos)
        << "JSON's escapes are not taken out here: " << pattern_;
    EXPECT_EQ(pattern_.find("(?"), std::string::npos) << "not every validator looks around: " << pattern_;
    regex_ = std::regex(pattern_, std::regex::ECMAScript);
    no_empty_ = schema.find(R"("minLength":1)") != std::string::npos;
  }
  bool Takes(const std::string& text) const {
    return !(text.empty() && no_empty_) && std::regex_search(text, regex_);
  }
  const std::string& pattern() const { return pattern_; }

 private:
  std::string pattern_;
  std::regex regex_;
  bool no_empty_ = false;
};

template <class T>
bool Reads(const std::string& text, bool quoted) {
  Diagnostics diagnostics("f");
  Positions positions;
  ReadContext context{diagnostics, positions};
  Node node;
  node.kind = Node::Kind::kScalar;
  node.text = text;
  node.quoted = quoted;
  T value;
  ReadValue(ValueOf<T>(), node, &value, context);
  return diagnostics.ok();
}

std::string Joined(Random& random, const std::vector<std::string>& parts, uint64_t most) {
  std::string text;
  for (uint64_t left = random.Below(most + 1); left > 0; --left)
    text += parts[random.Below(parts.size())];
  return text;
}

// A number with one unit after another: mostly in their order.
std::string AnyDuration(Random& random) {
  static const std::vector<std::string> units{"w", "d", "h", "m", "s", "ms", "us"};
  std::string text = random.Chance(0.05) ? "-" : "";
  for (const std::string& unit : units) {
    if (random.Chance(0.5)) continue;
    text += random.Chance(0.05) ? "1.5" : std::to_string(random.Below(2000));
    text += random.Chance(0.95) ? unit : units[random.Below(units.size())];
    if (random.Chance(0.03)) text += ' ';
  }
  return text;
}

template <class T>
void ExpectAgreement(const std::vector<std::string>& texts, size_t least_of_each) {
  const TextSchema schema(ValueOf<T>());
  size_t taken = 0;
  for (const std::string& text : texts) {
    const bool takes = schema.Takes(text);
    taken += takes ? 1 : 0;
    EXPECT_EQ(Reads<T>(text, true), takes) << '"' << text << "\" by " << schema.pattern();
  }
  EXPECT_GE(taken, least_of_each);
  EXPECT_GE(texts.size() - taken, least_of_each);
}

TEST(SchemaProperty, DurationsAreThoseThatAreRead) {
  Random random(8);
  std::vector<std::string> texts{"",
                                 "0s",
                                 "1.5s",
                                 "1h30m",
                                 "30m1h",
                                 "1h1h",
                                 "3",
                                 "s",
                                 "-0s",
                                 "-1h",
                                 "+1h",
                                 "1 h",
                                 " 1h",
                                 "1h ",
                                 "1H",
                                 "1y",
                                 "1month",
                                 "007s",
                                 "1e3s",
                                 "1ms5s",
                                 "1m5ms",
                                 "1us",
                                 "1w2d3h4m5s6ms7us",
                                 "1msus",
                                 "30 days",
                                 "1ns"};
  for (int i = 0; i < 3000; ++i) {
    texts.push_back(AnyDuration(random));
    texts.push_back(
        Joined(random, {"1", "2", "0", ".", "-", " ", "w", "d", "h", "m", "s", "ms", "us", "u"}, 6));
  }
  ExpectAgreement<Span>(texts, 1000);
}

// Numbers alone are the schema's integers. That parts of a unit must come to whole bytes no pattern says.
TEST(SchemaProperty, SizesAreThoseThatAreRead) {
  Random random(8);
  std::vector<std::string> texts{"",    "64",   "64 ",   "64MiB", "64 MiB", "64  MiB", "1.5MiB", "2.0",
                                 "2.B", "2.0B", ".5KiB", "64mib", "64KB",   "64kB",    "1e3B",   "-1B",
                                 "+1B", "B",    ".B",    " 64B",  "64B ",   "012KiB"};
  for (int i = 0; i < 3000; ++i)
    texts.push_back(std::to_string(random.Below(2000)) +
                    Joined(random, {" ", "K", "k", "M", "i", "B", "MiB", "GB"}, 2));
  ExpectAgreement<ByteSize>(texts, 200);
}

TEST(SchemaProperty, FractionsAreThoseThatAreRead) {
  Random random(8);
  std::vector<std::string> texts{"",    "90%",  "0.5%", "100%", "100.5%", "101%", "-5%", "1e1%",   ".5%",
                                 "5.%", "012%", "0.9",  "%",    "50 %",   "+5%",  "-0%", "100.00%"};
  for (int i = 0; i < 3000; ++i)
    texts.push_back(Joined(random, {"1", "2", "0", "100", ".", "%", "9"}, 5));
  ExpectAgreement<Fraction>(texts, 100);
}

}  // namespace
}  // namespace freshet

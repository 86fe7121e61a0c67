// The YAML tree: what is refused and where, and what survives.
#include <gtest/gtest.h>

#include "engine/spec/diagnostics.h"
#include "engine/spec/node.h"

namespace freshet {
namespace {

std::string Faults(std::string_view text) {
  Diagnostics diagnostics("f");
  ParseYaml(text, diagnostics);
  return diagnostics.Text();
}

// The tree in one line, texts in quotes where the file has them.
std::string Flat(const Node& node) {
  if (node.broken) return "broken";
  std::string out;
  switch (node.kind) {
    case Node::Kind::kNull:
      return "null";
    case Node::Kind::kScalar:
      return node.quoted ? '"' + node.text + '"' : node.text;
    case Node::Kind::kList:
      for (const Node& item : node.items)
        out += (out.empty() ? "" : ", ") + Flat(item);
      return '[' + out + ']';
    case Node::Kind::kMap:
      for (const auto& entry : node.entries) {
        out += (out.empty() ? "" : ", ") + Flat(entry.first) + ": " + Flat(entry.second);
      }
      return '{' + out + '}';
  }
  return out;
}

std::string Tree(std::string_view text) {
  Diagnostics diagnostics("f");
  const Node root = ParseYaml(text, diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.Text();
  return Flat(root);
}

TEST(Yaml, ScalarsStayText) {
  EXPECT_EQ(Tree("{a: 012, b: yes, c: 1e3, d: \"7\", e: 'x', f: ~, g: null, h: 0x1F}"),
            "{a: 012, b: yes, c: 1e3, d: \"7\", e: \"x\", f: null, g: null, h: 0x1F}");
  EXPECT_EQ(Tree("a:\n  - 1\n  - [2, {b: 3}]\nc: |\n  two\n  lines\nd: plain text\n  folded\n"),
            "{a: [1, [2, {b: 3}]], c: \"two\nlines\n\", d: plain text folded}");
  EXPECT_EQ(Tree(""), "null");
  EXPECT_EQ(Tree("# nothing\n"), "null");
  EXPECT_EQ(Tree("---\na: 1\n...\n"), "{a: 1}");
  EXPECT_EQ(Tree("\xef\xbb\xbf"
                 "a: 1\r\nb: 2\r\n"),
            "{a: 1, b: 2}");
  EXPECT_EQ(Tree("\"on\": 1\n'y': 2\n"), "{\"on\": 1, \"y\": 2}");  // in quotes every tool reads a text
}

TEST(Yaml, Positions) {
  Diagnostics diagnostics("f");
  const Node root = ParseYaml("a: 1\nempty:\nb:\n  - x: \"quo\\tted\"\n    w: 'same'\nc: z\n", diagnostics);
  ASSERT_TRUE(diagnostics.ok());
  EXPECT_EQ(root.Find("a")->position, (Position{1, 4}));
  EXPECT_EQ(root.Find("empty")->position, (Position{2, 1}));  // nothing stands at its key
  const Node& item = root.Find("b")->items[0];
  EXPECT_EQ(item.position, (Position{4, 5}));
  EXPECT_EQ(item.Find("x")->position, (Position{4, 8}));
  EXPECT_FALSE(item.Find("x")->verbatim);
  EXPECT_TRUE(item.Find("w")->verbatim);
  EXPECT_TRUE(root.Find("c")->verbatim);
  EXPECT_EQ(root.Find("nothing"), nullptr);
}

TEST(Yaml, Refused) {
  const struct {
    const char* text;
    const char* faults;
  } cases[] = {
      {"a: 1\nb: 2\na: 3\n", "f:3:1: the key `a` stands here twice, first at line 1; remove one\n"},
      {"x: {a: 1, \"a\": 2}\n", "f:1:11: the key `a` stands here twice, first at line 1; remove one\n"},
      {"a: &x 1\n", "f:1:4: anchors are not supported; write each value out\n"},
      {"a: &x {b: 1}\n", "f:1:4: anchors are not supported; write each value out\n"},
      {"a: *x\n", "f:1:4: aliases are not supported; write the value out\n"},
      {"a: {<<: {b: 1}}\n", "f:1:5: merge keys (<<) are not supported; write the keys out\n"},
      {"a: !int 3\n", "f:1:4: tags are not supported; remove `!int`\n"},
      {"a: ! 3\n", "f:1:4: tags are not supported; remove `!`\n"},
      {"a: !!map {b: 1}\n", "f:1:4: tags are not supported; remove `tag:yaml.org,2002:map`\n"},
      {"a: !x [1]\n", "f:1:4: tags are not supported; remove `!x`\n"},
      {"a: 1\n---\nb: 2\n", "f:2:1: a second document; a job file holds one, remove the rest\n"},
      {"[a, b]: 1\n", "f:1:1: a key must be a word, not a list\n"},
      {"{a: 1}: 1\n", "f:1:1: a key must be a word, not a map\n"},
      {"~: 1\n", "f:1:1: a key must be a word, not nothing; quote it if it is a name\n"},
      {"a:\n\tb: 1\n", "f:2:1: a tab in the indentation; use spaces\n"},
      {"a: \"open\n", "f:1:4: the quote opened here is never closed\n"},
      {"a: 'it''s\n", "f:1:4: the quote opened here is never closed\n"},
      {"a: {b: 1\n",
       "f:2:1: a map that was opened with { before this place lacks a comma or its closing }\n"},
      {"a: 1\n b: 2\n",
       "f:2:3: a key and its value cannot stand here; indent the line as the keys beside it, or put a text "
       "with `: ` in it in quotes\n"},
      {"a: @b\n", "f:1:4: no value begins with this character; put the text in quotes\n"},
      {"a: ]\n", "f:1:4: this bracket closes none that is open; remove it, or put the text in quotes\n"},
      {"a: - b\n", "f:1:4: a list cannot begin here; put its first `- ` on the next line\n"},
      {"a: \"\\q\"\n", "f:1:7: no such escape; write \\\\ for a backslash, or use single quotes\n"},
      {"a: \x01\n", "f:1:4: a byte that is no text; save the file as UTF-8\n"},
      {"a: \xff\xfe\n", "f:1:4: a byte that is no text; save the file as UTF-8\n"},
      {"a: \xed\xa0\x80\n", "f:1:4: a byte that is no text; save the file as UTF-8\n"},
  };
  for (const auto& one : cases)
    EXPECT_EQ(Faults(one.text), one.faults) << one.text;
}

TEST(Yaml, KeysThatOtherToolsReadAsBooleans) {
  for (const char* key : {"on", "off", "yes", "no", "y", "n", "Y", "NO", "On", "true", "False"}) {
    EXPECT_EQ(Faults(std::string(key) + ": 1\n"),
              "f:1:1: the key `" + std::string(key) +
                  "` is read as a boolean by many YAML tools; rename it, or quote it\n");
  }
}

TEST(Yaml, AllFaultsAtOnce) {
  EXPECT_EQ(Faults("a: &x 1\nb: *x\na: 2\non: 3\nc: !t 4\n"),
            "f:1:4: anchors are not supported; write each value out\n"
            "f:2:4: aliases are not supported; write the value out\n"
            "f:3:1: the key `a` stands here twice, first at line 1; remove one\n"
            "f:4:1: the key `on` is read as a boolean by many YAML tools; rename it, or quote it\n"
            "f:5:4: tags are not supported; remove `!t`\n");
}

TEST(Yaml, HostileInput) {
  std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n";
  const std::string_view names = "abcdefghijklm";
  for (size_t i = 1; i < names.size(); ++i) {
    bomb += names[i];
    bomb += ": &";
    bomb += names[i];
    for (int k = 0; k < 9; ++k) {
      bomb += k == 0 ? " [*" : ", *";
      bomb += names[i - 1];
    }
    bomb += "]\n";
  }
  EXPECT_NE(Faults(bomb).find("aliases are not supported"), std::string::npos);
  for (const std::string open : {"[", "{a: ", "- ", "? "}) {
    std::string deep;
    for (int i = 0; i < 100000; ++i)
      deep += open;
    const std::string faults = Faults(deep);
    EXPECT_NE(faults, "") << open;
    EXPECT_LT(faults.size(), 1000U) << open;
  }
  EXPECT_EQ(Faults(std::string((1 << 20) + 1, ' ')),
            "f:1:1: the file is larger than 1 MiB; a job needs no such file\n");
  std::string wide;
  for (int i = 0; i < 60000; ++i)
    wide += "key" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(Faults(wide), "");
  std::string deep_good = "a";
  for (int i = 0; i < 60; ++i)
    deep_good = "[" + deep_good + "]";
  EXPECT_EQ(Faults(deep_good), "");
  for (int i = 0; i < 10; ++i)
    deep_good = "[" + deep_good + "]";
  EXPECT_NE(Faults(deep_good).find("nested more than 64 deep"), std::string::npos);
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines = {""};
  for (const char c : text) {
    if (c == '\n') {
      lines.emplace_back();
    } else {
      lines.back().push_back(c);
    }
  }
  return lines;
}

// One column past a line's last character is where it ends.
void ExpectWithin(const std::vector<std::string>& lines, Position at) {
  ASSERT_GE(at.line, 1);
  ASSERT_GE(at.column, 1);
  ASSERT_LE(static_cast<size_t>(at.line), lines.size());
  EXPECT_LE(static_cast<size_t>(at.column), lines[static_cast<size_t>(at.line) - 1].size() + 1);
}

void ExpectWithin(const std::vector<std::string>& lines, const Node& node) {
  ExpectWithin(lines, node.position);
  for (const Node& item : node.items)
    ExpectWithin(lines, item);
  for (const auto& entry : node.entries) {
    ExpectWithin(lines, entry.first);
    ExpectWithin(lines, entry.second);
  }
}

// Whether the text ends inside quotes, or brackets, in neither of which it has an escape.
bool EndsOpen(std::string_view text) {
  char quote = 0;
  int depth = 0;
  for (const char c : text) {
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return quote != 0 || depth > 0;
}

// Every piece of a job ends in a tree or in faults, with places within it; never in anything worse.
TEST(Yaml, AnyPrefix) {
  const std::string text =
      "job: \"x\"\nsources: {a: {fields: [1, 'two', \"three\"], b: ~}}\nc: |\n  text\n? d\n: &e !f *g\n- "
      "<<\n%h\n";
  size_t open = 0;
  for (size_t n = 0; n <= text.size(); ++n) {
    for (const std::string& piece : {text.substr(0, n), text.substr(n)}) {
      SCOPED_TRACE(piece);
      Diagnostics diagnostics("f");
      const Node root = ParseYaml(piece, diagnostics);
      const std::vector<std::string> lines = LinesOf(piece);
      ExpectWithin(lines, root);
      for (const Diagnostic& fault : diagnostics.all()) {
        ExpectWithin(lines, fault.position);
        EXPECT_NE(fault.message, "");
      }
    }
    if (!EndsOpen(text.substr(0, n))) continue;
    ++open;
    EXPECT_NE(Faults(text.substr(0, n)), "") << text.substr(0, n);
  }
  EXPECT_EQ(open, 41U);
}

}  // namespace
}  // namespace freshet

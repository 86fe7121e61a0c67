#include <algorithm>
#include <array>
#include <istream>
#include <map>
#include <optional>
#include <streambuf>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "engine/spec/diagnostics.h"
#include "engine/spec/node.h"
#include "engine/spec/scalar.h"

namespace freshet {
namespace {

constexpr size_t kMaxBytes = 1 << 20;
constexpr size_t kMaxDepth = 64;

class TextBuffer : public std::streambuf {
 public:
  explicit TextBuffer(std::string& text) { setg(text.data(), text.data(), text.data() + text.size()); }
};

bool IsBoolean11(std::string_view word) {
  static constexpr std::array<std::string_view, 8> kWords{"y",  "n",   "yes",  "no",
                                                          "on", "off", "true", "false"};
  std::string lower(word);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
}

Position PlaceOf(const YAML::Mark& mark) {
  return mark.is_null() ? Position{} : Position{mark.line + 1, mark.column + 1};
}

// Builds the tree of the first document; faults are reported and what they spoil is left out.
class Builder : public YAML::EventHandler {
 public:
  Builder(std::string_view source, Diagnostics& diagnostics) : source_(source), diagnostics_(diagnostics) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 2)
      diagnostics_.Error(PlaceOf(mark), "a second document; a job file holds one, remove the rest");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    CheckAnchor(mark, anchor);
    Node node;
    node.position = PlaceOf(mark);
    // The mark of a value left out is that of whatever comes next.
    const char c = At(mark.pos);
    if (!frames_.empty() && frames_.back().key && c != '~' && c != 'n' && c != 'N') {
      node.position = frames_.back().key->position;
    }
    Add(std::move(node));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    diagnostics_.Error(PlaceOf(mark), "aliases are not supported; write the value out");
    Node node;
    node.position = PlaceOf(mark);
    node.broken = true;
    Add(std::move(node));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    CheckAnchor(mark, anchor);
    Node node;
    node.kind = Node::Kind::kScalar;
    node.position = PlaceOf(mark);
    node.text = value;
    const char first = At(mark.pos);
    node.quoted = tag == "!" && (first == '"' || first == '\'' || first == '|' || first == '>');
    if (tag != "?" && !node.quoted) node.broken = CheckTag(mark, tag);
    if (anchor != 0) node.broken = true;
    const size_t begin = static_cast<size_t>(std::max(mark.pos, 0)) + (first == '"' || first == '\'' ? 1 : 0);
    node.verbatim = source_.substr(std::min(begin, source_.size()), value.size()) == value &&
                    value.find('\n') == std::string::npos;
    if (node.quoted && !Closed(static_cast<size_t>(mark.pos))) {
      diagnostics_.Error(node.position, "the quote opened here is never closed");
      node.broken = true;
    }
    Add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(Node::Kind::kList, mark, tag, anchor);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(Node::Kind::kMap, mark, tag, anchor);
  }
  void OnMapEnd() override { Close(); }

  size_t documents() const { return documents_; }
  // What was read; after a syntax error, what is still open goes in as it is.
  Node Take() {
    while (!frames_.empty())
      Close();
    return std::move(root_);
  }

 private:
  struct Frame {
    Node node;
    std::optional<Node> key;           // of a map, when its value comes next
    std::map<std::string, int> lines;  // of a map's keys
  };

  char At(int position) const {
    return position >= 0 && static_cast<size_t>(position) < source_.size()
               ? source_[static_cast<size_t>(position)]
               : '\0';
  }
  void CheckAnchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) diagnostics_.Error(PlaceOf(mark), "anchors are not supported; write each value out");
  }
  bool CheckTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag == "?") return false;
    diagnostics_.Error(PlaceOf(mark), "tags are not supported; remove " + QuoteText(tag));
    return true;
  }
  // Whether the quoted scalar at `begin` ends: the library takes the end of the file for a closing quote.
  bool Closed(size_t begin) const {
    const char quote = source_[begin];
    if (quote != '"' && quote != '\'') return true;
    for (size_t i = begin + 1; i < source_.size(); ++i) {
      if (source_[i] == '\\' && quote == '"') {
        ++i;
      } else if (source_[i] == quote) {
        if (quote == '"' || i + 1 == source_.size() || source_[i + 1] != '\'') return true;
        ++i;
      }
    }
    return false;
  }

  void Open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    CheckAnchor(mark, anchor);
    Frame frame;
    frame.node.kind = kind;
    frame.node.position = PlaceOf(mark);
    frame.node.broken = CheckTag(mark, tag) || anchor != 0;
    if (frames_.size() == kMaxDepth) {
      if (!too_deep_)
        diagnostics_.Error(PlaceOf(mark), "nested more than 64 deep; a job needs no such depth");
      too_deep_ = true;
      frame.node.broken = true;
    }
    frames_.push_back(std::move(frame));
  }
  void Close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    if (frames_.size() >= kMaxDepth) {  // dropped, but its place is kept
      frame.node.items.clear();
      frame.node.entries.clear();
    }
    Add(std::move(frame.node));
  }
  void Add(Node node) {
    if (documents_ > 1) return;
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.kind == Node::Kind::kList) {
      frame.node.items.push_back(std::move(node));
    } else if (!frame.key) {
      frame.key = std::move(node);
    } else {
      Node key = std::move(*frame.key);
      frame.key.reset();
      if (KeyIsGood(frame, key)) frame.node.entries.push_back({std::move(key), std::move(node)});
    }
  }
  // Whether the entry is kept.
  bool KeyIsGood(Frame& frame, Node& key) {
    if (key.broken) return false;
    if (key.kind != Node::Kind::kScalar) {
      diagnostics_.Error(key.position,
                         "a key must be a word, not " + std::string(key.KindName()) +
                             (key.kind == Node::Kind::kNull ? "; quote it if it is a name" : ""));
      return false;
    }
    if (!key.quoted && key.text == "<<") {
      diagnostics_.Error(key.position, "merge keys (<<) are not supported; write the keys out");
      frame.node.broken = true;  // what it would have brought is not missing
      return false;
    }
    if (!key.quoted && IsBoolean11(key.text)) {
      diagnostics_.Error(key.position,
                         "the key " + QuoteText(key.text) +
                             " is read as a boolean by many YAML tools; rename it, or quote it");
      key.broken = true;  // kept: whoever reads what it names is right to
    }
    const auto [at, fresh] = frame.lines.emplace(key.text, key.position.line);
    if (!fresh) {
      diagnostics_.Error(key.position, "the key " + QuoteText(key.text) +
                                           " stands here twice, first at line " + std::to_string(at->second) +
                                           "; remove one");
    }
    return fresh;
  }

  std::string_view source_;
  Diagnostics& diagnostics_;
  std::vector<Frame> frames_;
  Node root_;
  size_t documents_ = 0;
  bool too_deep_ = false;
};

// Tabs, control characters and bytes that are no UTF-8: the library takes some, and means something else by
// them.
bool CheckBytes(std::string_view text, Diagnostics& diagnostics) {
  int line = 1;
  size_t start = 0;
  bool indentation = true;
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const Position here{line, static_cast<int>(i - start) + 1};
    if (c == '\n') {
      ++line;
      start = i + 1;
      indentation = true;
    } else if (c == '\t' && indentation) {
      diagnostics.Error(here, "a tab in the indentation; use spaces");
      return false;
    } else if (c != ' ') {
      indentation = false;
    }
    const size_t length = Utf8Length(text.substr(i));
    if (length == 0 || (c < 0x20 && c != '\n' && c != '\t' && c != '\r') || c == 0x7f) {
      diagnostics.Error(here, "a byte that is no text; save the file as UTF-8");
      return false;
    }
    i += length;
  }
  return true;
}

std::string WithUnixLines(std::string_view text) {
  if (text.substr(0, 3) == "\xef\xbb\xbf") text.remove_prefix(3);
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') out.push_back(text[i]);
  }
  return out;
}

constexpr std::string_view kEscape = "no such escape; write \\\\ for a backslash, or use single quotes";

// What yaml-cpp found wrong, for those messages of its that name no remedy.
std::string SyntaxMessage(const YAML::Exception& e) {
  const std::string_view said = e.msg;
  if (said.find("anchor") != said.npos) return "aliases are not supported; write the value out";
  if (said == YAML::ErrorMsg::END_OF_MAP_FLOW)
    return "a map that was opened with { before this place lacks a comma or its closing }";
  if (said == YAML::ErrorMsg::END_OF_SEQ_FLOW)
    return "a list that was opened with [ before this place lacks a comma or its closing ]";
  if (said == YAML::ErrorMsg::END_OF_MAP)
    return "the lines of this map are not indented alike, or a value with `: ` in it is not in quotes";
  static const std::array<std::array<std::string_view, 2>, 14> kSaid{{
      {YAML::ErrorMsg::UNKNOWN_TOKEN, "no value begins with this character; put the text in quotes"},
      {YAML::ErrorMsg::CHAR_IN_SCALAR, "this character cannot stand here; put the text in quotes"},
      {YAML::ErrorMsg::INVALID_HEX, kEscape},
      {YAML::ErrorMsg::INVALID_UNICODE, kEscape},
      {YAML::ErrorMsg::INVALID_ESCAPE, kEscape},
      {YAML::ErrorMsg::DOC_IN_SCALAR, "--- or ... ends the document inside a text; close the quote before"},
      {YAML::ErrorMsg::EOF_IN_SCALAR, "the file ends inside a text; close its quote"},
      {YAML::ErrorMsg::FLOW_END,
       "this bracket closes none that is open; remove it, or put the text in quotes"},
      {YAML::ErrorMsg::END_OF_SEQ,
       "the items of this list are not indented alike; give each the same indent"},
      {YAML::ErrorMsg::BLOCK_ENTRY, "a list cannot begin here; put its first `- ` on the next line"},
      {YAML::ErrorMsg::MAP_KEY, "a key cannot stand here; put it on a line of its own"},
      {YAML::ErrorMsg::MAP_VALUE,
       "a key and its value cannot stand here; indent the line as the keys beside it, or put a text with "
       "`: ` in it in quotes"},
      {YAML::ErrorMsg::CHAR_IN_BLOCK, "after | or > the text begins on the next line"},
      {YAML::ErrorMsg::INVALID_TAG, "tags are not supported; remove it"},
  }};
  for (const auto& [theirs, ours] : kSaid) {
    if (said.starts_with(theirs)) return std::string(ours);
  }
  return "not YAML: " + std::string(said) + "; look for a bracket, a quote or an indent that is wrong here";
}

}  // namespace

Node ParseYaml(std::string_view text, Diagnostics& diagnostics) {
  Node broken;
  broken.position = {1, 1};
  broken.broken = true;
  if (text.size() > kMaxBytes) {
    diagnostics.Error(broken.position, "the file is larger than 1 MiB; a job needs no such file");
    return broken;
  }
  std::string source = WithUnixLines(text);
  if (!CheckBytes(source, diagnostics)) return broken;
  Builder builder(source, diagnostics);
  TextBuffer buffer(source);
  std::istream stream(&buffer);
  bool failed = false;
  try {
    YAML::Parser parser(stream);
    while (builder.documents() < 2 && parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& e) {
    diagnostics.Error(PlaceOf(e.mark), SyntaxMessage(e));
    failed = true;
  } catch (const std::exception& e) {
    diagnostics.Error({}, std::string("cannot read this as YAML: ") + e.what());
    failed = true;
  }
  Node root = builder.Take();
  if (root.position.line == 0) root.position = {1, 1};
  root.broken = root.broken || failed;
  return root;
}

}  // namespace freshet

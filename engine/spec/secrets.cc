#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

#include "engine/spec/job.h"
#include "engine/spec/scalar.h"

namespace freshet {
namespace {

constexpr size_t kMaxSecret = 64 << 10;

std::optional<std::string> FromEnvironment(const std::string& name, Position at, Diagnostics& diagnostics) {
  const char* value = std::getenv(name.c_str());
  if (value != nullptr) return value;
  diagnostics.Error(at,
                    "the environment variable " + QuoteText(name) + " is not set; set it before starting");
  return std::nullopt;
}

// A file's text without the newline at its end, as mounted secrets have it.
std::optional<std::string> FromFile(const std::string& path, Position at, Diagnostics& diagnostics) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxSecret + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || (file.gcount() == 0 && !file.eof())) {
    diagnostics.Error(at, "cannot read the file " + QuoteText(path) + ": " + std::strerror(errno));
    return std::nullopt;
  }
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kMaxSecret) {
    diagnostics.Error(at, "the file " + QuoteText(path) + " is larger than 64 KiB, too large for a secret");
    return std::nullopt;
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
    text.pop_back();
  return text;
}

void ResolveScalar(Node& node, Diagnostics& diagnostics) {
  if (node.text.find("${") == std::string::npos) return;
  std::string out;
  std::string_view rest = node.text;
  bool found = false;
  while (true) {
    const size_t open = rest.find("${");
    out += rest.substr(0, open);
    if (open == std::string_view::npos) break;
    const size_t close = rest.find('}', open);
    const std::string_view inside =
        close == std::string_view::npos ? std::string_view() : rest.substr(open + 2, close - open - 2);
    std::optional<std::string> value;
    if (inside.starts_with("env:") && inside.size() > 4) {
      value = FromEnvironment(std::string(inside.substr(4)), node.position, diagnostics);
    } else if (inside.starts_with("file:") && inside.size() > 5) {
      value = FromFile(std::string(inside.substr(5)), node.position, diagnostics);
    } else {
      diagnostics.Error(node.position, "expected ${env:NAME} or ${file:PATH}, found " +
                                           QuoteText(rest.substr(open, close == std::string_view::npos
                                                                           ? std::string_view::npos
                                                                           : close + 1 - open)));
    }
    if (!value) {
      node.broken = true;
      return;
    }
    found = true;
    out += *value;
    rest.remove_prefix(close + 1);
  }
  node.text = std::move(out);
  node.secret = found;
  node.verbatim = false;
}

}  // namespace

void ResolveSecrets(Node& root, Diagnostics& diagnostics) {
  if (root.kind == Node::Kind::kScalar) ResolveScalar(root, diagnostics);
  for (Node& item : root.items)
    ResolveSecrets(item, diagnostics);
  for (Node::Entry& entry : root.entries)
    ResolveSecrets(entry.second, diagnostics);
}

}  // namespace freshet

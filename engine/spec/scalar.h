#pragma once
// Scalars of the job file read as what a key expects, by YAML 1.2's core rules and stricter: 012, yes and
// quoted numbers are refused with what to write instead. Inside engine/spec only. Pure, any thread.
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/spec/diagnostics.h"
#include "engine/spec/node.h"

namespace freshet {

// The bytes of the UTF-8 character `text` begins with; 0 when it is none.
size_t Utf8Length(std::string_view text);
// `text` in backticks, shortened, for messages.
std::string QuoteText(std::string_view text);
// "a bool", "an int64".
std::string WithArticle(std::string_view noun);
// What stands at `node`, for messages: "`abc`", "a list", "nothing", "a secret".
std::string Shown(const Node& node);

// Each reports what is wrong with `node` and returns false. `what`: what is expected ("a duration such as
// 30s").
bool TextOf(const Node& node, std::string_view what, Diagnostics& diagnostics, std::string& out);
bool BoolOf(const Node& node, Diagnostics& diagnostics, bool& out);
bool IntOf(const Node& node, Diagnostics& diagnostics, int64_t& out);
bool DoubleOf(const Node& node, std::string_view what, Diagnostics& diagnostics, double& out);

}  // namespace freshet

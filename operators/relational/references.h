#pragma once
// Which names an expression uses, from its text alone: needed before it can be compiled, to order the
// expressions that use one another. Pure, any thread.
#include <string_view>
#include <vector>

namespace freshet {

// The paths (`a`, `a.b.c`) of `text` that may be columns: not in quotes, not called as functions. A path may
// be a column followed by a member, so its beginnings may be what is meant.
std::vector<std::string_view> PathsIn(std::string_view text);

}  // namespace freshet

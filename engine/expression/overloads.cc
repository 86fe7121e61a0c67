#include "engine/expression/overloads.h"

#include <algorithm>

namespace freshet {
namespace {

const std::vector<Overload>& All() {
  static const std::vector<Overload> all = [] {
    std::vector<Overload> made;
    AddNumbers(made);
    AddComparisons(made);
    AddTexts(made);
    AddTimes(made);
    return made;
  }();
  return all;
}

}  // namespace

std::vector<const Overload*> OverloadsOf(std::string_view name) {
  std::vector<const Overload*> found;
  for (const Overload& one : All()) {
    if (one.name == name) found.push_back(&one);
  }
  return found;
}

const std::vector<std::string>& FunctionNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> made{"coalesce", "max", "min"};
    for (const Overload& one : All()) {
      const char c = one.name[0];
      if (c >= 'a' && c <= 'z' && one.name != "neg") made.emplace_back(one.name);
    }
    std::sort(made.begin(), made.end());
    made.erase(std::unique(made.begin(), made.end()), made.end());
    return made;
  }();
  return names;
}

}  // namespace freshet

#pragma once
// Checks a source tree against the rules of arrows.txt: which folder may include which, where each
// library may be used, what headers may include, how long files get, that no two files include each other in
// a circle, and that no two types that the linker sees share a name. Pure but for reading the tree. Every
// fault is one line: "file:line: what is wrong".
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::architecture {

struct Include {
  int line;
  bool ours;         // "in quotes"
  std::string path;  // as written
};

struct File {
  int lines = 0;
  std::vector<Include> includes;
  std::map<std::string, int> types;  // defined outside anonymous namespaces and other types, with their lines
};

using Tree = std::map<std::string, File>;  // by path from the root
using Faults = std::vector<std::string>;

struct Rules {
  std::map<std::string, std::set<std::string>> arrows;     // folder → folders, or "*"
  std::map<std::string, std::set<std::string>> libraries;  // beginning of an include → folders
  std::set<std::string> systems;                           // headers, or beginnings that end in `/`
  std::set<std::string> headers;
  std::set<std::string> test_headers;  // beside those
  int max_lines = 800;
};

// Reads the text of arrows.txt; lines it does not understand are faults.
Rules ParseRules(std::string_view text, Faults& faults);
// The .h, .cc and .def files below `root`, of the top folders that the rules name.
Tree ReadTree(const std::string& root, const Rules& rules);

void CheckArrows(const Rules& rules, const Tree& tree, Faults& faults);
void CheckRulesHaveNoCycle(const Rules& rules, Faults& faults);
void CheckFilesHaveNoCycle(const Tree& tree, Faults& faults);
void CheckHeaders(const Rules& rules, const Tree& tree, Faults& faults);
// A library's headers only where its line allows them, the longest line that fits; of a library without a
// line, nowhere.
void CheckLibraries(const Rules& rules, const Tree& tree, Faults& faults);
void CheckLengths(const Rules& rules, const Tree& tree, Faults& faults);
// Two types of one name are one to the linker: it takes the functions of either for both.
void CheckTypes(const Tree& tree, Faults& faults);
// All of the above.
Faults Check(const Rules& rules, const Tree& tree);

// Lines that are neither blank nor marks of the preprocessor: what the compiler has to read.
int CodeLines(std::string_view preprocessed);

}  // namespace freshet::architecture

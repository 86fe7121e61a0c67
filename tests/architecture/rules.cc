#include "tests/architecture/rules.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

namespace freshet::architecture {
namespace {

std::string At(const std::string& file, int line) {
  return file + ":" + std::to_string(line) + ": ";
}

bool IsHeader(const std::string& path) {
  return path.ends_with(".h");
}
bool IsTest(const std::string& path) {
  return path.starts_with("tests/");
}

bool IsWithin(const std::string& path, const std::string& folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

// The longest named folder that holds the file; empty when none does.
std::string FolderOf(const Rules& rules, const std::string& path) {
  std::string best;
  for (const auto& [folder, allowed] : rules.arrows) {
    if (IsWithin(path, folder) && folder.size() > best.size()) best = folder;
  }
  return best;
}

// The name of the type whose definition the line begins, at its very start; empty where it begins none.
std::string TypeDefinedIn(const std::string& line) {
  std::istringstream words(line);
  std::string kind, name;
  words >> kind >> name;
  const bool begins = line.starts_with("class ") || line.starts_with("struct ");
  if (!begins || line.find('{') == std::string::npos) return "";
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) { return std::isalnum(c) != 0; });
  return plain ? name : "";  // else a specialisation, or inside another type
}

File ReadSource(const std::filesystem::path& path) {
  std::ifstream in(path);
  File file;
  std::string line;
  bool anonymous = false;
  while (std::getline(in, line)) {
    ++file.lines;
    anonymous = (anonymous || line == "namespace {") && line != "}  // namespace";
    if (const std::string type = TypeDefinedIn(line); !type.empty() && !anonymous)
      file.types.emplace(type, file.lines);
    std::istringstream words(line);
    std::string hash;
    words >> hash;
    if (hash == "#" && words >> hash) hash.insert(0, "#");
    if (!hash.starts_with("#include")) continue;
    const size_t open = line.find_first_of("\"<");
    if (open == std::string::npos) continue;
    const size_t close = line.find_first_of("\">", open + 1);
    if (close == std::string::npos) continue;
    file.includes.push_back({file.lines, line[open] == '"', line.substr(open + 1, close - open - 1)});
  }
  return file;
}

// Every cycle that a depth-first walk closes, once, as "a -> b -> a".
void FindCycles(const std::map<std::string, std::set<std::string>>& graph, const std::string& what,
                Faults& faults) {
  enum class Mark { kNew, kOpen, kDone };
  std::map<std::string, Mark> marks;
  std::vector<std::string> path;
  const std::function<void(const std::string&)> visit = [&](const std::string& node) {
    marks[node] = Mark::kOpen;
    path.push_back(node);
    if (const auto edges = graph.find(node); edges != graph.end()) {
      for (const std::string& next : edges->second) {
        if (marks[next] == Mark::kNew) visit(next);
        if (marks[next] != Mark::kOpen || next == node) continue;
        std::string text;
        bool inside = false;
        for (const std::string& step : path) {
          inside = inside || step == next;
          if (inside) text += step + " -> ";
        }
        faults.push_back(what + " in a circle: " + text + next);
      }
    }
    path.pop_back();
    marks[node] = Mark::kDone;
  };
  for (const auto& [node, edges] : graph) {
    if (marks[node] == Mark::kNew) visit(node);
  }
}

// Where the words of a line of this kind go; null where it is no such line.
std::set<std::string>* ListOf(Rules& rules, const std::string& kind) {
  if (kind == "header") return &rules.headers;
  if (kind == "test-header") return &rules.test_headers;
  if (kind == "system") return &rules.systems;
  return nullptr;
}

// Of the names that `include` begins with, the longest; end where it begins with none.
std::map<std::string, std::set<std::string>>::const_iterator LibraryOf(const Rules& rules,
                                                                       const std::string& include) {
  auto best = rules.libraries.end();
  for (auto at = rules.libraries.begin(); at != rules.libraries.end(); ++at) {
    if (include.starts_with(at->first) &&
        (best == rules.libraries.end() || at->first.size() > best->first.size())) {
      best = at;
    }
  }
  return best;
}

// Whether it is the language's own (<vector>) or the operating system's.
bool NeedsNoLibrary(const Rules& rules, const std::string& include) {
  if (include.find_first_of("/.") == std::string::npos) return true;
  return std::any_of(rules.systems.begin(), rules.systems.end(), [&](const std::string& system) {
    return system.ends_with('/') ? include.starts_with(system) : include == system;
  });
}

// Whether the file is in one of the folders, or tests one.
bool MayUse(const std::set<std::string>& folders, const std::string& path) {
  const std::string tested = IsTest(path) ? path.substr(std::string("tests/").size()) : path;
  return std::any_of(folders.begin(), folders.end(), [&](const std::string& folder) {
    return IsWithin(path, folder) || IsWithin(tested, folder);
  });
}

}  // namespace

Rules ParseRules(std::string_view text, Faults& faults) {
  Rules rules;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::istringstream words(line);
    std::string kind, name, sign, word;
    if (!(words >> kind) || kind.starts_with("#")) continue;
    if (std::set<std::string>* list = ListOf(rules, kind)) {
      while (words >> word)
        list->insert(word);
      continue;
    }
    const bool folder = kind == "folder";
    words >> name >> sign;
    if ((!folder && kind != "library") || sign != (folder ? "->" : "in")) {
      faults.push_back(
          At("arrows.txt", number) +
          "neither `folder F -> …`, `library L in …`, `system …`, `header …` nor `test-header …`");
      continue;
    }
    std::set<std::string>& entry = folder ? rules.arrows[name] : rules.libraries[name];
    while (words >> word)
      entry.insert(word);
  }
  for (const auto& [from, allowed] : rules.arrows) {
    for (const std::string& to : allowed) {
      if (to != "*" && !rules.arrows.contains(to)) {
        faults.push_back("arrows.txt: folder " + from + " names " + to + ", which has no line of its own");
      }
    }
  }
  return rules;
}

Tree ReadTree(const std::string& root, const Rules& rules) {
  std::set<std::string> tops;
  for (const auto& [folder, allowed] : rules.arrows)
    tops.insert(folder.substr(0, folder.find('/')));
  Tree tree;
  for (const std::string& top : tops) {
    const std::filesystem::path start = std::filesystem::path(root) / top;
    if (!std::filesystem::exists(start)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(start)) {
      const std::string extension = entry.path().extension().string();
      if (!entry.is_regular_file() || (extension != ".h" && extension != ".cc" && extension != ".def"))
        continue;
      tree[entry.path().lexically_relative(root).generic_string()] = ReadSource(entry.path());
    }
  }
  return tree;
}

void CheckArrows(const Rules& rules, const Tree& tree, Faults& faults) {
  for (const auto& [path, file] : tree) {
    const std::string from = FolderOf(rules, path);
    if (from.empty()) {
      faults.push_back(path + ": arrows.txt has no line for its folder");
      continue;
    }
    const std::set<std::string>& allowed = rules.arrows.at(from);
    for (const Include& include : file.includes) {
      if (!include.ours) continue;
      if (!tree.contains(include.path)) {
        faults.push_back(
            At(path, include.line) + "\"" + include.path +
            "\" is no file of ours; paths begin at the project's root, other headers stand in <>");
        continue;
      }
      const std::string to = FolderOf(rules, include.path);
      if (to == from || allowed.contains(to) ||
          (allowed.contains("*") && (!IsTest(include.path) || IsTest(path)))) {
        continue;
      }
      faults.push_back(At(path, include.line) + from + " must not include " + include.path);
    }
  }
}

void CheckRulesHaveNoCycle(const Rules& rules, Faults& faults) {
  FindCycles(rules.arrows, "folders", faults);
}

void CheckFilesHaveNoCycle(const Tree& tree, Faults& faults) {
  std::map<std::string, std::set<std::string>> graph;
  for (const auto& [path, file] : tree) {
    for (const Include& include : file.includes) {
      if (include.ours) graph[path].insert(include.path);
      if (include.ours && include.path == path) faults.push_back(At(path, include.line) + "includes itself");
    }
  }
  FindCycles(graph, "files", faults);
}

void CheckHeaders(const Rules& rules, const Tree& tree, Faults& faults) {
  for (const auto& [path, file] : tree) {
    if (!IsHeader(path)) continue;
    for (const Include& include : file.includes) {
      if (include.ours || rules.headers.contains(include.path)) continue;
      if (IsTest(path) && rules.test_headers.contains(include.path)) continue;
      faults.push_back(At(path, include.line) + "<" + include.path +
                       "> is too heavy for a header; include it in the .cc file");
    }
  }
}

void CheckLibraries(const Rules& rules, const Tree& tree, Faults& faults) {
  for (const auto& [path, file] : tree) {
    for (const Include& include : file.includes) {
      if (include.ours || NeedsNoLibrary(rules, include.path)) continue;
      const std::string at = At(path, include.line) + "<" + include.path + ">";
      const auto library = LibraryOf(rules, include.path);
      if (library == rules.libraries.end()) {
        faults.push_back(at + " is of no library that arrows.txt names");
      } else if (!MayUse(library->second, path)) {
        faults.push_back(at + " must not be used here");
      }
    }
  }
}

void CheckLengths(const Rules& rules, const Tree& tree, Faults& faults) {
  for (const auto& [path, file] : tree) {
    if (file.lines <= rules.max_lines) continue;
    faults.push_back(path + ": " + std::to_string(file.lines) + " lines, at most " +
                     std::to_string(rules.max_lines) + " are allowed; split it");
  }
}

void CheckTypes(const Tree& tree, Faults& faults) {
  std::map<std::string, std::string> defined;  // by name: where
  for (const auto& [path, file] : tree) {
    if (IsTest(path)) continue;
    for (const auto& [type, line] : file.types) {
      const auto [first, added] = defined.emplace(type, At(path, line));
      if (!added)
        faults.push_back(At(path, line) + type + " is another type's name already: " + first->second);
    }
  }
}

Faults Check(const Rules& rules, const Tree& tree) {
  Faults faults;
  CheckArrows(rules, tree, faults);
  CheckRulesHaveNoCycle(rules, faults);
  CheckFilesHaveNoCycle(tree, faults);
  CheckHeaders(rules, tree, faults);
  CheckLibraries(rules, tree, faults);
  CheckLengths(rules, tree, faults);
  CheckTypes(tree, faults);
  return faults;
}

int CodeLines(std::string_view preprocessed) {
  int lines = 0;
  while (!preprocessed.empty()) {
    const size_t end = preprocessed.find('\n');
    const std::string_view line = preprocessed.substr(0, end);
    const size_t first = line.find_first_not_of(" \t\r");
    if (first != std::string_view::npos && line[first] != '#') ++lines;
    preprocessed.remove_prefix(end == std::string_view::npos ? preprocessed.size() : end + 1);
  }
  return lines;
}

}  // namespace freshet::architecture

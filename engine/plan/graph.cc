#include "engine/plan/graph.h"

#include <algorithm>

#include "engine/spec/values.h"

namespace freshet {

namespace {

std::vector<std::string> TypeNames(const Registry& registry) {
  std::vector<std::string> names;
  for (const Definition& definition : registry.operators)
    names.emplace_back(definition.type);
  return names;
}

const Definition* FindDefinition(const Node& body, const std::string& name, const Registry& registry,
                                 Diagnostics& diagnostics) {
  const Node* type = body.Find("type");
  if (type != nullptr && type->broken) return nullptr;
  const std::vector<std::string> names = TypeNames(registry);
  if (type == nullptr) {
    diagnostics.Error(body.position, "operator `" + name + "` has no `type`" + Suggestion("", names));
    return nullptr;
  }
  for (const Definition& definition : registry.operators) {
    if (type->kind == Node::Kind::kScalar && definition.type == type->text) return &definition;
  }
  diagnostics.Error(type->position,
                    "unknown operator type `" + type->text + "`" + Suggestion(type->text, names));
  return nullptr;
}

// Takes the entry `key` out of a map.
std::optional<Node> Extract(Node& map, std::string_view key) {
  for (auto entry = map.entries.begin(); entry != map.entries.end(); ++entry) {
    if (entry->first.text != key) continue;
    Node value = std::move(entry->second);
    map.entries.erase(entry);
    return value;
  }
  return std::nullopt;
}

bool Keyed(const std::vector<InputPort>& ports) {
  return std::any_of(ports.begin(), ports.end(),
                     [](const InputPort& p) { return p.spread == Spread::kKeyed; });
}

void ReadShards(const std::optional<Node>& node, DraftOperator& op, Diagnostics& diagnostics) {
  if (!node) return;
  if (!Keyed(op.ports)) {
    diagnostics.Error(node->position,
                      "`shards` has no meaning here: operator `" + op.name + "` has no key; remove it");
    return;
  }
  ShardCount shards;
  Positions unused;
  ReadContext context{diagnostics, unused};
  ReadValue(ValueOf<ShardCount>(), *node, &shards, context);
  op.shards = static_cast<uint32_t>(shards);
}

DraftOperator ReadOperator(const std::string& name, Node body, Job& job, const Registry& registry,
                           Diagnostics& diagnostics) {
  DraftOperator op;
  op.name = name;
  op.position = body.position;
  op.readable = false;
  if (body.broken) return op;
  if (body.kind != Node::Kind::kMap) {
    diagnostics.Error(body.position, "operator `" + name + "` must be a map with a `type`");
    return op;
  }
  op.definition = FindDefinition(body, name, registry, diagnostics);
  if (op.definition == nullptr) return op;
  Extract(body, "type");
  const std::optional<Node> shards = Extract(body, "shards");
  op.parameters = op.definition->shape->make();
  const size_t before = diagnostics.errors();
  ReadContext context{diagnostics, job.positions};
  Read(*op.definition->shape, body, op.parameters.get(), context);
  op.readable = diagnostics.errors() == before;
  op.ports = op.definition->inputs(op.parameters.get());
  ReadShards(shards, op, diagnostics);
  return op;
}

void ResolveInputs(DraftOperator& op, const Job& job, const std::map<std::string, int>& sources,
                   const std::map<std::string, int>& operators, Diagnostics& diagnostics) {
  for (const InputPort& port : op.ports) {
    const auto [name, side] = SplitStream(port.stream.name);
    const auto source = sources.find(name);
    const auto other = operators.find(name);
    int upstream = kUnknownStream;
    if (source != sources.end() && side.empty()) {
      upstream = -1 - source->second;
    } else if (other != operators.end()) {
      upstream = other->second;
    } else if (sources.contains(port.stream.name) || operators.contains(port.stream.name)) {
      // It has a dot and is no name, which was reported.
    } else if (!port.stream.name.empty() && !job.streams_lost) {
      diagnostics.Error(port.stream.position, "`" + std::string(port.name) + "` reads `" + port.stream.name +
                                                  "`, which is no source and no operator" +
                                                  Suggestion(name, StreamNames(job)));
    }
    op.upstream.push_back(upstream);
    op.side_wanted.push_back(side);
  }
}

// The way from operator `start` through what it reads back to itself: "a ← b ← a"; "" where there is none.
// Breadth first, so the shortest.
std::string CycleThrough(size_t start, const std::vector<DraftOperator>& operators) {
  std::vector<int> reader(operators.size(), -1);  // who led here
  std::vector<size_t> queue{start};
  for (size_t i = 0; i < queue.size(); ++i) {
    for (const int up : operators[queue[i]].upstream) {
      if (up < 0) continue;
      const auto next = static_cast<size_t>(up);
      if (next == start) {
        std::string way = operators[start].name;
        for (size_t at = queue[i]; at != start; at = static_cast<size_t>(reader[at]))
          way = operators[at].name + " ← " + way;
        return operators[start].name + " ← " + way;
      }
      if (reader[next] >= 0) continue;
      reader[next] = static_cast<int>(queue[i]);
      queue.push_back(next);
    }
  }
  return "";
}

// Reports every operator that reads its own output; what it reads of the circle is unknown from then on.
void CutCycles(std::vector<DraftOperator>& operators, Diagnostics& diagnostics) {
  std::vector<std::string> ways;
  for (size_t i = 0; i < operators.size(); ++i)
    ways.push_back(CycleThrough(i, operators));
  for (size_t i = 0; i < operators.size(); ++i) {
    if (ways[i].empty()) continue;  // sound, or only behind a cycle
    diagnostics.Error(operators[i].position, "operator `" + operators[i].name + "` reads its own output: " +
                                                 ways[i] + "; let one of them read something else");
    for (int& up : operators[i].upstream) {
      if (up >= 0 && !ways[static_cast<size_t>(up)].empty()) up = kUnknownStream;
    }
  }
}

// Kahn's algorithm, always taking the first in the file of those that are ready. REQUIRES: no cycles.
std::vector<size_t> Sorted(const std::vector<DraftOperator>& operators) {
  std::vector<size_t> order;
  std::vector<bool> placed(operators.size(), false);
  while (order.size() < operators.size()) {
    size_t next = 0;
    while (placed[next] || !std::all_of(operators[next].upstream.begin(), operators[next].upstream.end(),
                                        [&](int up) { return up < 0 || placed[static_cast<size_t>(up)]; })) {
      ++next;
    }
    placed[next] = true;
    order.push_back(next);
  }
  return order;
}

}  // namespace

std::pair<std::string, std::string> SplitStream(const std::string& reference) {
  const size_t dot = reference.find('.');
  if (dot == std::string::npos) return {reference, ""};
  return {reference.substr(0, dot), reference.substr(dot + 1)};
}

std::vector<std::string> StreamNames(const Job& job) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (IsPartName(name)) names.push_back(name);  // else reported: nobody is to write it once more
  };
  for (const auto& [name, source] : job.frame.sources)
    add(name);
  for (const auto& [name, body] : job.frame.operators)
    add(name);
  return names;
}

Draft BuildGraph(Job& job, const Registry& registry, Diagnostics& diagnostics) {
  std::map<std::string, int> sources;
  std::map<std::string, int> operators;
  for (const auto& [name, source] : job.frame.sources)
    sources.emplace(name, static_cast<int>(sources.size()));
  std::vector<DraftOperator> read;
  for (const auto& [name, body] : job.frame.operators) {
    operators.emplace(name, static_cast<int>(read.size()));
    read.push_back(ReadOperator(name, body, job, registry, diagnostics));
  }
  for (DraftOperator& op : read)
    ResolveInputs(op, job, sources, operators, diagnostics);
  CutCycles(read, diagnostics);
  const std::vector<size_t> order = Sorted(read);
  std::vector<int> place(read.size(), -1);
  for (size_t i = 0; i < order.size(); ++i)
    place[order[i]] = static_cast<int>(i);
  Draft draft;
  for (const size_t i : order) {
    for (int& up : read[i].upstream)
      up = up < 0 ? up : place[static_cast<size_t>(up)];
    draft.operators.push_back(std::move(read[i]));
  }
  return draft;
}

}  // namespace freshet

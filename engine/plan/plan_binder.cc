#include "engine/plan/plan_binder.h"

#include <algorithm>

namespace freshet {

namespace {

// Nothing where the schema hides it, too; then `hidden` is true.
std::optional<size_t> Look(const Schema& schema, const FieldRef& field, bool& hidden) {
  hidden = field.name.empty() || schema.Hides(field.name);
  return hidden ? std::nullopt : schema.Find(field.name);
}

std::string NoColumn(const std::string& name, std::span<const std::string> columns) {
  const auto member = std::find_if(columns.begin(), columns.end(),
                                   [&](const std::string& column) { return column.starts_with(name + '.'); });
  return "the stream has no column `" + name + "`" +
         (member == columns.end() ? Suggestion(name, columns)
                                  : "; it is an object, name a member such as `" + *member + "`");
}

}  // namespace

std::optional<size_t> FindColumn(const Schema& schema, const FieldRef& field, Diagnostics& diagnostics) {
  bool hidden = false;
  const std::optional<size_t> column = Look(schema, field, hidden);
  if (column || hidden) return column;
  std::vector<std::string> names;
  for (const Field& known : schema.fields())
    names.push_back(known.name);
  diagnostics.Error(field.position, NoColumn(field.name, names));
  return std::nullopt;
}

void MissingColumns::Add(const FieldRef& field, const Schema& schema) {
  std::vector<std::string>& known = known_[{field.position, field.name}];
  for (const Field& column : schema.fields()) {
    if (std::find(known.begin(), known.end(), column.name) == known.end()) known.push_back(column.name);
  }
}

void MissingColumns::Report(const std::vector<std::string>& names, bool all, Diagnostics& diagnostics) const {
  for (const auto& [reference, known] : known_)
    diagnostics.Error(reference.first, NoColumn(reference.second, known));
  for (const auto& [position, name] : required_) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    const std::string near = Suggestion(name, names, false);
    const std::string what = "no source and no operator has `" + name + "`, so this would protect nothing" +
                             (near.empty() ? "; correct the name, or take it out" : near);
    if (all) {
      diagnostics.Error(position, what);
    } else if (!near.empty()) {
      diagnostics.Warning(position, what);
    }
  }
}

std::optional<size_t> PlanBinder::Column(size_t port, const FieldRef& field) {
  const Schema& schema = *inputs_[port].schema;
  bool hidden = false;
  const std::optional<size_t> column = Look(schema, field, hidden);
  if (!column && !hidden) missing_.Add(field, schema);
  return column;
}

ExprPtr PlanBinder::Compile(const Expr& expression, const Schema& scope, std::optional<Type> expected) {
  if (expression.empty()) return nullptr;  // could not be read
  return freshet::Compile(expression, scope, expected, diagnostics_);
}

const void* PlanBinder::model(const ModelRef& model) {
  if (model.empty()) return nullptr;  // could not be read
  asked_.push_back(model.name);
  const auto found = models_.by_name.find(model.name);
  if (found != models_.by_name.end()) return found->second;
  if (models_.lost) return nullptr;
  std::vector<std::string> names;
  for (const auto& [name, body] : models_.by_name)
    names.push_back(name);
  diagnostics_.Error(model.position, "there is no model `" + model.name + "` under `models:`" +
                                         Suggestion(model.name, names));
  return nullptr;
}

}  // namespace freshet

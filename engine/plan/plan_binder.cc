#include "engine/plan/plan_binder.h"

namespace freshet {

std::optional<size_t> FindColumn(const Schema& schema, const FieldRef& field, Diagnostics& diagnostics) {
  if (field.name.empty() || schema.Hides(field.name)) return std::nullopt;
  if (const std::optional<size_t> column = schema.Find(field.name)) return column;
  std::vector<std::string> names;
  for (const Field& known : schema.fields())
    names.push_back(known.name);
  diagnostics.Error(field.position,
                    "the stream has no column `" + field.name + "`" + Suggestion(field.name, names));
  return std::nullopt;
}

std::optional<size_t> PlanBinder::Column(size_t port, const FieldRef& field) {
  return FindColumn(*inputs_[port].schema, field, diagnostics_);
}

ExprPtr PlanBinder::Compile(const Expr& expression, const Schema& scope, std::optional<Type> expected) {
  return freshet::Compile(expression, scope, expected, diagnostics_);
}

const void* PlanBinder::model(const ModelRef& model) {
  asked_.push_back(model.name);
  if (const auto found = models_.find(model.name); found != models_.end()) return found->second;
  if (models_.empty() && !diagnostics_.ok()) return nullptr;  // `models:` itself may be what was misspelt
  std::vector<std::string> names;
  for (const auto& [name, body] : models_)
    names.push_back(name);
  diagnostics_.Error(model.position, "there is no model `" + model.name + "` under `models:`" +
                                         Suggestion(model.name, names));
  return nullptr;
}

}  // namespace freshet

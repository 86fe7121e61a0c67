#include "engine/operator/definition.h"

namespace freshet {

Output PassOn(const Binder& binder, size_t port) {
  Output output;
  output.schema = binder.input(port);
  output.derivations.reserve(output.schema.size());
  for (size_t column = 0; column < output.schema.size(); ++column) {
    output.derivations.push_back(Derivation::Same(port, column));
  }
  return output;
}

std::optional<std::vector<size_t>> KeyColumns(Binder& binder, size_t port, std::span<const FieldRef> fields) {
  std::vector<size_t> columns;
  for (const FieldRef& field : fields) {
    const std::optional<size_t> column = binder.Column(port, field);
    if (!column) continue;
    const Type type = binder.input(port)[*column].type;
    if (IsList(type)) {
      binder.Error(field.position, "`" + field.name + "` is a " + std::string(NameOf(type)) +
                                       ", which cannot be a key; use a string, a number or a timestamp");
      continue;
    }
    columns.push_back(*column);
  }
  if (columns.size() != fields.size()) return std::nullopt;
  return columns;
}

}  // namespace freshet

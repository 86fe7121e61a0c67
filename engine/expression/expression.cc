#include "engine/expression/expression.h"

#include <map>
#include <utility>

#include "engine/expression/checker.h"
#include "engine/expression/compiled.h"
#include "engine/expression/syntax.h"

namespace freshet {

ExprPtr Compile(const Expr& expression, const Schema& scope, std::optional<Type> expected,
                Diagnostics& diagnostics) {
  const auto place = [&](size_t offset) {
    Position at = expression.position;
    if (at.line > 0 && expression.verbatim) at.column += static_cast<int>(offset);
    return at;
  };
  // Where the text is not as it stands in the file, its place there is not known.
  const auto words = [&](size_t offset, const std::string& message) {
    const bool exact = expression.position.line > 0 && expression.verbatim;
    return exact || offset == 0
               ? message
               : message + " (at character " + std::to_string(offset + 1) + " of the expression)";
  };
  Syntax root;
  if (const auto fault = ParseExpression(expression.text, root)) {
    diagnostics.Error(place(fault->offset), words(fault->offset, fault->message));
    return nullptr;
  }
  Checker checker(scope, {[&](size_t offset, const std::string& message) {
                            diagnostics.Error(place(offset), words(offset, message));
                          },
                          [&](size_t offset, const std::string& message) {
                            diagnostics.Warning(place(offset), words(offset, message));
                          }});
  auto instructions = checker.Run(root, expected);
  if (!instructions) return nullptr;
  return std::make_shared<const CompiledProgram>(std::move(*instructions));
}

std::unique_ptr<const ProgramGroup> Together(std::span<const ExprPtr> programs) {
  std::vector<Instruction> all;
  std::vector<uint32_t> roots;
  std::map<size_t, uint32_t> columns;  // where each is read
  std::vector<uint32_t> places;        // of one program's instructions among all
  for (const ExprPtr& program : programs) {
    places.clear();
    // Compile() makes every program there is.
    for (Instruction in : static_cast<const CompiledProgram&>(*program).instructions()) {
      for (size_t k = 0; k < in.arity; ++k)
        in.arguments[k] = places[in.arguments[k]];
      const auto next = static_cast<uint32_t>(all.size());
      places.push_back(in.is_column() ? columns.try_emplace(in.column, next).first->second : next);
      if (places.back() == next) all.push_back(std::move(in));
    }
    roots.push_back(places.back());
  }
  return std::make_unique<const CompiledGroup>(std::move(all), std::move(roots));
}

void SelectTrue(const Program& program, Pool& pool, const Batch& batch, ExpressionFaults& faults,
                std::vector<uint32_t>& rows) {
  const ColumnPtr column = program.Evaluate(pool, batch, faults);
  const auto values = column->values<uint8_t>();
  for (size_t row = 0; row < values.size(); ++row) {
    if (values[row] != 0 && column->valid(row)) rows.push_back(static_cast<uint32_t>(row));
  }
}

}  // namespace freshet

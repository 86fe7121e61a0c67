#include "engine/expression/expression.h"

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
  const auto words = [&](size_t offset, std::string message) {
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
  Checker checker(scope, {[&](size_t offset, std::string message) {
                            diagnostics.Error(place(offset), words(offset, std::move(message)));
                          },
                          [&](size_t offset, std::string message) {
                            diagnostics.Warning(place(offset), words(offset, std::move(message)));
                          }});
  auto instructions = checker.Run(root, expected);
  if (!instructions) return nullptr;
  return std::make_shared<const CompiledProgram>(std::move(*instructions));
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

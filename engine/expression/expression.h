#pragma once
// Expressions of the job file: CEL's syntax, our semantics (docs/expressions.md). Compiled once into a
// program that evaluates a batch column by column. A program is immutable and may be used from any thread.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/data/batch.h"
#include "engine/data/type.h"
#include "engine/spec/diagnostics.h"
#include "engine/spec/values.h"

namespace freshet {

// What went wrong in rows, counted: the value became null.
struct ExpressionFaults {
  uint64_t division_by_zero = 0;
  uint64_t overflow = 0;        // int64 arithmetic, conversions out of range, not finite results
  uint64_t bad_conversion = 0;  // int("x"), timestamp("x")
};

class Program {
 public:
  virtual ~Program() = default;
  virtual Type type() const = 0;
  // Columns of the input it reads, ascending, each once.
  virtual const std::vector<size_t>& reads() const = 0;
  // One value a row.
  virtual ColumnPtr Evaluate(Pool& pool, const Batch& batch, ExpressionFaults& faults) const = 0;
};
using ExprPtr = std::shared_ptr<const Program>;

// Several programs over the same input, evaluated together: what they read is looked up once, and memory is
// asked for once.
class ProgramGroup {
 public:
  virtual ~ProgramGroup() = default;
  virtual size_t size() const = 0;
  // One column a program, in their order; `results` has as many places.
  virtual void Evaluate(Pool& pool, const Batch& batch, ExpressionFaults& faults,
                        std::span<ColumnPtr> results) const = 0;
};
std::unique_ptr<const ProgramGroup> Together(std::span<const ExprPtr> programs);

// Appends to `rows` the rows for which a bool program is true (neither false nor null).
void SelectTrue(const Program& program, Pool& pool, const Batch& batch, ExpressionFaults& faults,
                std::vector<uint32_t>& rows);

// Compiles `expression` over `scope`. `expected`: the type it must have (int64 widens to float64 by itself).
// Faults go to `diagnostics` at their place inside the scalar; then the result is null.
ExprPtr Compile(const Expr& expression, const Schema& scope, std::optional<Type> expected,
                Diagnostics& diagnostics);

}  // namespace freshet

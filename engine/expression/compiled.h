#pragma once
// A compiled expression. Inside engine/expression only. Immutable, any thread.
#include <memory>
#include <vector>

#include "engine/expression/expression.h"
#include "engine/expression/instruction.h"

namespace freshet {

class CompiledProgram final : public Program {
 public:
  // `instructions`: each after its arguments, the last gives the result.
  explicit CompiledProgram(std::vector<Instruction> instructions);
  Type type() const override { return instructions_.back().type; }
  const std::vector<size_t>& reads() const override { return reads_; }
  ColumnPtr Evaluate(Pool& pool, const Batch& batch, ExpressionFaults& faults) const override;

 private:
  struct Constant {  // kChunk times the same value
    std::unique_ptr<char[]> values;
    uint64_t valid[kChunkWords];
  };
  struct Memory;  // of one evaluation
  void Run(Frame& frame, const Memory& memory, const Batch& batch, size_t first, void* result) const;
  void BindColumn(size_t i, Frame& frame, const Memory& memory, const Column& column, size_t first) const;
  void CountFaults(Frame& frame, ExpressionFaults& faults) const;
  void Append(const Frame& frame, const Vector& result, size_t first, ColumnBuilder& builder) const;

  std::vector<Instruction> instructions_;
  std::vector<Constant> constants_;  // one an instruction, empty for others
  std::vector<size_t> offsets_;      // of each instruction's values, in rows of a chunk: bytes / rows
  size_t width_ = 0;                 // of all of them
  std::vector<size_t> reads_;
};

// Writes `rows` times the value of `constant` to `values`, which has room for that many of its type.
void FillConstant(const Instruction& constant, size_t rows, void* values);

}  // namespace freshet

#pragma once
// Compiled expressions. Inside engine/expression only. Immutable, any thread.
#include <memory>
#include <span>
#include <vector>

#include "engine/expression/expression.h"
#include "engine/expression/instruction.h"

namespace freshet {

class CompiledGroup final : public ProgramGroup {
 public:
  // `instructions`: each after its arguments; `roots`: those that give the results, each another one unless
  // it is a column.
  CompiledGroup(std::vector<Instruction> instructions, std::vector<uint32_t> roots);
  size_t size() const override { return roots_.size(); }
  const std::vector<Instruction>& instructions() const { return instructions_; }
  const std::vector<size_t>& reads() const { return reads_; }
  Type type(size_t result) const { return instructions_[roots_[result]].type; }
  void Evaluate(Pool& pool, const Batch& batch, ExpressionFaults& faults,
                std::span<ColumnPtr> results) const override;

 private:
  struct Constant {  // kChunk times the same value
    std::unique_ptr<char[]> values;
    uint64_t valid[kChunkWords];
  };
  struct Memory;  // of one evaluation
  void Begin(const Memory& memory, size_t rows) const;
  void Run(Frame& frame, const Memory& memory, const Batch& batch, size_t first) const;
  void BindColumn(size_t i, Frame& frame, const Memory& memory, const Column& column, size_t first) const;
  void CountFaults(Frame& frame, ExpressionFaults& faults) const;
  void Append(Frame& frame, size_t root, size_t first, ColumnBuilder& builder) const;
  bool IsColumn(size_t i) const {
    return instructions_[i].kernel == nullptr && !instructions_[i].is_constant;
  }

  std::vector<Instruction> instructions_;
  std::vector<uint32_t> roots_;
  std::vector<uint32_t> result_of_;  // of each instruction: which result it gives, or kNoResult
  std::vector<Constant> constants_;  // one an instruction, empty for others
  std::vector<size_t> offsets_;      // of each instruction's values, in rows of a chunk: bytes / rows
  size_t width_ = 0;                 // of all of them
  std::vector<size_t> reads_;
};

class CompiledProgram final : public Program {
 public:
  // `instructions`: each after its arguments, the last gives the result.
  explicit CompiledProgram(std::vector<Instruction> instructions);
  Type type() const override { return group_.type(0); }
  const std::vector<size_t>& reads() const override { return group_.reads(); }
  ColumnPtr Evaluate(Pool& pool, const Batch& batch, ExpressionFaults& faults) const override;
  const std::vector<Instruction>& instructions() const { return group_.instructions(); }

 private:
  CompiledGroup group_;
};

// Writes `rows` times the value of `constant` to `values`, which has room for that many of its type.
void FillConstant(const Instruction& constant, size_t rows, void* values);

}  // namespace freshet

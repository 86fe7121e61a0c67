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
    uint32_t instruction;
    std::unique_ptr<char[]> values;
    uint64_t valid[kChunkWords];
  };
  struct Bound {  // to a column of the batch
    uint32_t instruction;
    size_t column;
    size_t offset;  // texts: of their views
  };
  struct Step {  // an instruction with a kernel
    Kernel kernel;
    uint32_t instruction;
    uint32_t result;  // which it gives, or kNoResult
    size_t width;     // of a value
    size_t offset;    // of its values, in rows of a chunk: bytes / rows
  };
  // Where a result comes from.
  enum class Source : uint8_t {
    kColumn,  // of the batch, as it is
    kTexts,   // values that are appended
    kValues,  // of fixed width, written where they stay
  };
  struct Memory;  // of one evaluation
  void AddInstruction(uint32_t i);
  void Begin(const Memory& memory, size_t rows) const;
  void Bind(Frame& frame, const Memory& memory, const Batch& batch, size_t first) const;
  void Run(Frame& frame, const Memory& memory, size_t first) const;
  void CountFaults(Frame& frame, ExpressionFaults& faults) const;

  std::vector<Instruction> instructions_;
  std::vector<uint32_t> roots_;
  std::vector<Source> sources_;  // one a root
  std::vector<Constant> constants_;
  std::vector<Bound> bound_;
  std::vector<Step> steps_;  // each after its arguments
  size_t width_ = 0;         // of all values that are written
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

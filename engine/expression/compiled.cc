#include "engine/expression/compiled.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

namespace freshet {
namespace {

constexpr std::array<uint64_t, kChunkWords> kAllValid = [] {
  std::array<uint64_t, kChunkWords> words{};
  words.fill(~uint64_t{0});
  return words;
}();

constexpr uint32_t kNoResult = UINT32_MAX;

uint64_t RowMask(size_t rows, size_t word) {
  const size_t left = rows - word * 64;
  return left >= 64 ? ~uint64_t{0} : (uint64_t{1} << left) - 1;
}

CompiledGroup OneResult(std::vector<Instruction> instructions) {
  const auto last = static_cast<uint32_t>(instructions.size() - 1);
  return {std::move(instructions), {last}};
}

void AppendTexts(const Vector& from, size_t rows, ColumnBuilder& builder) {
  const auto* texts = from.as<std::string_view>();
  for (size_t row = 0; row < rows; ++row) {
    if (((from.valid[row >> 6] >> (row & 63)) & 1) != 0) {
      builder.Append(texts[row]);
    } else {
      builder.AppendNull();
    }
  }
}

// The values are there, from row `first` on.
void SetNulls(const Vector& from, size_t rows, size_t first, ColumnBuilder& builder) {
  for (size_t w = 0; w * 64 < rows; ++w) {
    for (uint64_t nulls = ~from.valid[w] & RowMask(rows, w); nulls != 0; nulls &= nulls - 1) {
      builder.SetNull(first + w * 64 + static_cast<size_t>(std::countr_zero(nulls)));
    }
  }
}

void BindColumn(const Column& column, size_t first, size_t rows, std::string_view* views, Vector& vector) {
  vector = {nullptr, column.validity() == nullptr ? kAllValid.data() : column.validity() + first / 64,
            nullptr, &column, first};
  if (IsList(column.type())) return;
  if (IsText(column.type())) {
    for (size_t row = 0; row < rows; ++row)
      views[row] = column.text(first + row);
    vector.values = views;
  } else if (column.type() == Type::kBool) {
    vector.values = column.values<uint8_t>().data() + first;
  } else if (column.type() == Type::kFloat64) {
    vector.values = column.values<double>().data() + first;
  } else {
    vector.values = column.values<int64_t>().data() + first;
  }
}

}  // namespace

void FillConstant(const Instruction& constant, size_t rows, void* values) {
  const Literal& literal = constant.literal;
  if (constant.type == Type::kBool) {
    const bool* value = std::get_if<bool>(&literal);
    std::fill_n(static_cast<uint8_t*>(values), rows, static_cast<uint8_t>(value != nullptr && *value));
  } else if (constant.type == Type::kFloat64) {
    const double* value = std::get_if<double>(&literal);
    std::fill_n(static_cast<double*>(values), rows, value == nullptr ? 0.0 : *value);
  } else if (IsText(constant.type)) {
    const std::string* value = std::get_if<std::string>(&literal);
    std::uninitialized_fill_n(static_cast<std::string_view*>(values), rows,
                              value == nullptr ? std::string_view() : std::string_view(*value));
  } else {
    const int64_t* value = std::get_if<int64_t>(&literal);
    std::fill_n(static_cast<int64_t*>(values), rows, value == nullptr ? 0 : *value);
  }
}

CompiledGroup::CompiledGroup(std::vector<Instruction> instructions, std::vector<uint32_t> roots)
    : instructions_(std::move(instructions)), roots_(std::move(roots)) {
  for (uint32_t i = 0; i < instructions_.size(); ++i)
    AddInstruction(i);
  for (const uint32_t root : roots_) {
    const Instruction& in = instructions_[root];
    const Source made = IsText(in.type) ? Source::kTexts : Source::kValues;
    sources_.push_back(in.is_column() ? Source::kColumn : made);
  }
  std::sort(reads_.begin(), reads_.end());
  reads_.erase(std::unique(reads_.begin(), reads_.end()), reads_.end());
}

void CompiledGroup::AddInstruction(uint32_t i) {
  const Instruction& in = instructions_[i];
  const size_t width = WidthOf(in.type);
  if (in.is_constant) {
    Constant& constant = constants_.emplace_back();
    constant.instruction = i;
    constant.values = std::make_unique<char[]>(width * kChunk);
    FillConstant(in, kChunk, constant.values.get());
    const bool is_null = std::holds_alternative<std::monostate>(in.literal);
    std::fill_n(constant.valid, kChunkWords, is_null ? 0 : ~uint64_t{0});
  } else if (in.is_column()) {
    bound_.push_back({i, in.column, width_});
    reads_.push_back(in.column);
    width_ += IsText(in.type) ? width : 0;
  } else {
    const auto root = std::find(roots_.begin(), roots_.end(), i);
    const auto result = static_cast<uint32_t>(root - roots_.begin());
    steps_.push_back({in.kernel, i, root == roots_.end() ? kNoResult : result, width, width_});
    width_ += width;
  }
}

// One block of the pool: the results' builders and where their values go, the vectors, the validity masks,
// the values.
struct CompiledGroup::Memory {
  Memory(Pool& from, const CompiledGroup& of, size_t rows)
      : pool(from),
        results(of.roots_.size()),
        chunk(std::min(kChunk, (rows + 63) / 64 * 64)),
        mask_words(chunk / 64),
        bytes(results * (sizeof(ColumnBuilder) + sizeof(char*)) +
              of.instructions_.size() * (sizeof(Vector) + mask_words * sizeof(uint64_t)) +
              chunk * of.width_) {
    block = static_cast<char*>(pool.Allocate(bytes));
    builders = reinterpret_cast<ColumnBuilder*>(block);
    starts = reinterpret_cast<char**>(builders + results);
    vectors = reinterpret_cast<Vector*>(starts + results);
    masks = reinterpret_cast<uint64_t*>(vectors + of.instructions_.size());
    values = reinterpret_cast<char*>(masks + of.instructions_.size() * mask_words);
    for (size_t i = 0; i < results; ++i)
      new (builders + i) ColumnBuilder(pool, of.type(i), rows);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() {
    std::destroy_n(builders, results);
    pool.Free(block, bytes);
  }

  Pool& pool;
  size_t results;
  size_t chunk;
  size_t mask_words;
  size_t bytes;
  char* block;
  ColumnBuilder* builders;
  char** starts;  // of the values of each result; null where they are appended, or come from the batch
  Vector* vectors;
  uint64_t* masks;
  char* values;
};

void CompiledGroup::Bind(Frame& frame, const Memory& memory, const Batch& batch, size_t first) const {
  for (const Constant& constant : constants_)
    frame[constant.instruction] = {constant.values.get(), constant.valid, nullptr, nullptr, 0};
  for (const Bound& bound : bound_) {
    BindColumn(batch.column(bound.column), first, frame.rows,
               reinterpret_cast<std::string_view*>(memory.values + bound.offset * memory.chunk),
               frame[bound.instruction]);
  }
}

void CompiledGroup::Run(Frame& frame, const Memory& memory, size_t first) const {
  for (const Step& step : steps_) {
    char* start = step.result == kNoResult ? nullptr : memory.starts[step.result];
    char* out = start != nullptr ? start + first * step.width : memory.values + step.offset * memory.chunk;
    uint64_t* valid = memory.masks + step.instruction * memory.mask_words;
    frame[step.instruction] = {out, valid, nullptr, nullptr, 0};
    step.kernel(instructions_[step.instruction], step.instruction, frame, out, valid);
  }
}

// From the results back to the leaves: in which rows each instruction was needed, and so its faults count.
void CompiledGroup::CountFaults(Frame& frame, ExpressionFaults& faults) const {
  const size_t words = frame.words();
  const size_t count = instructions_.size();
  auto* demand = static_cast<uint64_t*>(frame.arena().Allocate(count * words * sizeof(uint64_t)));
  std::fill_n(demand, count * words, 0);
  for (const uint32_t root : roots_) {
    for (size_t w = 0; w < words; ++w)
      demand[root * words + w] = RowMask(frame.rows, w);
  }
  uint64_t totals[kFaultKinds] = {};
  for (size_t i = count; i-- > 0;) {
    const Instruction& in = instructions_[i];
    for (size_t w = 0; w < words; ++w) {
      const uint64_t needed = demand[i * words + w];
      for (size_t kind = 0; kind < kFaultKinds && frame[i].faults != nullptr; ++kind) {
        totals[kind] +=
            static_cast<uint64_t>(std::popcount(frame[i].faults[kind * kChunkWords + w] & needed));
      }
      const auto need = [&](size_t argument, uint64_t rows) {
        demand[in.arguments[argument] * words + w] |= rows;
      };
      if (in.arity > 0) need(0, needed);
      if (in.arity < 2) continue;
      const Vector& first = frame[in.arguments[0]];
      const auto is_true = [&] {
        return first.valid[w] &
               PackBits(first.as<uint8_t>() + w * 64, std::min<size_t>(64, frame.rows - w * 64));
      };
      switch (in.demand) {
        case Demand::kAll:
          for (size_t k = 1; k < in.arity; ++k)
            need(k, needed);
          break;
        case Demand::kAnd:
          need(1, needed & (~first.valid[w] | is_true()));
          break;
        case Demand::kOr:
          need(1, needed & ~is_true());
          break;
        case Demand::kIf:
          need(1, needed & is_true());
          need(2, needed & first.valid[w] & ~is_true());
          break;
        case Demand::kCoalesce:
          need(1, needed & ~first.valid[w]);
          break;
      }
    }
  }
  faults.division_by_zero += totals[static_cast<size_t>(Fault::kDivisionByZero)];
  faults.overflow += totals[static_cast<size_t>(Fault::kOverflow)];
  faults.bad_conversion += totals[static_cast<size_t>(Fault::kBadConversion)];
}

// Makes room for the values of the results of fixed width; constants are there at once.
void CompiledGroup::Begin(const Memory& memory, size_t rows) const {
  for (size_t result = 0; result < memory.results; ++result) {
    memory.starts[result] = nullptr;
    if (sources_[result] != Source::kValues) continue;
    const Instruction& root = instructions_[roots_[result]];
    ColumnBuilder& builder = memory.builders[result];
    void* values = root.type == Type::kBool ? static_cast<void*>(builder.Fill<uint8_t>(rows).data())
                                            : builder.Fill<int64_t>(rows).data();
    if (root.is_constant) FillConstant(root, rows, values);
    memory.starts[result] = static_cast<char*>(values);
  }
}

void CompiledGroup::Evaluate(Pool& pool, const Batch& batch, ExpressionFaults& faults,
                             std::span<ColumnPtr> results) const {
  const size_t rows = batch.rows();
  const Memory memory(pool, *this, rows);
  Begin(memory, rows);
  Frame frame(pool, memory.vectors);
  for (size_t first = 0; first < rows; first += memory.chunk) {
    frame.rows = std::min(memory.chunk, rows - first);
    Bind(frame, memory, batch, first);
    Run(frame, memory, first);
    if (frame.faulted()) CountFaults(frame, faults);
    for (size_t result = 0; result < memory.results; ++result) {
      const Vector& vector = frame[roots_[result]];
      if (sources_[result] == Source::kTexts) AppendTexts(vector, frame.rows, memory.builders[result]);
      if (sources_[result] == Source::kValues) SetNulls(vector, frame.rows, first, memory.builders[result]);
    }
    frame.Reset();
  }
  for (size_t result = 0; result < memory.results; ++result) {
    results[result] = sources_[result] == Source::kColumn ? batch.shared(instructions_[roots_[result]].column)
                                                          : memory.builders[result].Finish();
  }
}

CompiledProgram::CompiledProgram(std::vector<Instruction> instructions)
    : group_(OneResult(std::move(instructions))) {}

ColumnPtr CompiledProgram::Evaluate(Pool& pool, const Batch& batch, ExpressionFaults& faults) const {
  const Instruction& root = instructions().back();
  if (root.is_column()) return batch.shared(root.column);
  ColumnPtr result;
  group_.Evaluate(pool, batch, faults, {&result, 1});
  return result;
}

}  // namespace freshet

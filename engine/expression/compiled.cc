#include "engine/expression/compiled.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>

namespace freshet {
namespace {

constexpr std::array<uint64_t, kChunkWords> kAllValid = [] {
  std::array<uint64_t, kChunkWords> words{};
  words.fill(~uint64_t{0});
  return words;
}();

// Whether an instruction's values are written at run time.
bool IsComputed(const Instruction& in) {
  return in.kernel != nullptr || (!in.is_constant && IsText(in.type));
}

uint64_t RowMask(size_t rows, size_t word) {
  const size_t left = rows - word * 64;
  return left >= 64 ? ~uint64_t{0} : (uint64_t{1} << left) - 1;
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

CompiledProgram::CompiledProgram(std::vector<Instruction> instructions)
    : instructions_(std::move(instructions)),
      constants_(instructions_.size()),
      offsets_(instructions_.size()) {
  for (size_t i = 0; i < instructions_.size(); ++i) {
    const Instruction& in = instructions_[i];
    if (in.is_constant) {
      constants_[i].values = std::make_unique<char[]>(WidthOf(in.type) * kChunk);
      FillConstant(in, kChunk, constants_[i].values.get());
      const bool is_null = std::holds_alternative<std::monostate>(in.literal);
      std::fill_n(constants_[i].valid, kChunkWords, is_null ? 0 : ~uint64_t{0});
    } else if (in.kernel == nullptr) {
      reads_.push_back(in.column);
    }
    offsets_[i] = width_;
    if (IsComputed(in)) width_ += WidthOf(in.type);
  }
  std::sort(reads_.begin(), reads_.end());
  reads_.erase(std::unique(reads_.begin(), reads_.end()), reads_.end());
}

// One block of the pool: the vectors, the validity masks, the values.
struct CompiledProgram::Memory {
  Memory(Pool& from, size_t count, size_t chunk_rows, size_t width)
      : pool(from), chunk(chunk_rows), bytes(count * (sizeof(Vector) + kMaskBytes) + chunk * width) {
    block = static_cast<char*>(pool.Allocate(bytes));
    vectors = reinterpret_cast<Vector*>(block);
    masks = reinterpret_cast<uint64_t*>(block + count * sizeof(Vector));
    values = block + count * (sizeof(Vector) + kMaskBytes);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { pool.Free(block, bytes); }

  static constexpr size_t kMaskBytes = kChunkWords * sizeof(uint64_t);
  Pool& pool;
  size_t chunk;
  size_t bytes;
  char* block;
  Vector* vectors;
  uint64_t* masks;
  char* values;
};

void CompiledProgram::BindColumn(size_t i, Frame& frame, const Memory& memory, const Column& column,
                                 size_t first) const {
  Vector& vector = frame[i];
  vector.valid = column.validity() == nullptr ? kAllValid.data() : column.validity() + first / 64;
  vector.column = &column;
  vector.first = first;
  if (IsList(column.type())) return;
  if (IsText(column.type())) {
    auto* views = reinterpret_cast<std::string_view*>(memory.values + offsets_[i] * memory.chunk);
    for (size_t row = 0; row < frame.rows; ++row)
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

void CompiledProgram::Run(Frame& frame, const Memory& memory, const Batch& batch, size_t first,
                          void* result) const {
  const size_t last = instructions_.size() - 1;
  for (size_t i = 0; i <= last; ++i) {
    const Instruction& in = instructions_[i];
    Vector& vector = *new (&frame[i]) Vector;
    if (in.is_constant) {
      vector.values = constants_[i].values.get();
      vector.valid = constants_[i].valid;
    } else if (in.kernel == nullptr) {
      BindColumn(i, frame, memory, batch.column(in.column), first);
    } else {
      void* out = i == last && result != nullptr ? result : memory.values + offsets_[i] * memory.chunk;
      uint64_t* valid = memory.masks + i * kChunkWords;
      vector.values = out;
      vector.valid = valid;
      in.kernel(in, i, frame, out, valid);
    }
  }
}

// From the result back to the leaves: in which rows each instruction was needed, and so its faults count.
void CompiledProgram::CountFaults(Frame& frame, ExpressionFaults& faults) const {
  const size_t words = frame.words();
  const size_t count = instructions_.size();
  auto* demand = static_cast<uint64_t*>(frame.arena().Allocate(count * words * sizeof(uint64_t)));
  std::fill_n(demand, count * words, 0);
  for (size_t w = 0; w < words; ++w)
    demand[(count - 1) * words + w] = RowMask(frame.rows, w);
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

// Puts what a run of rows gave into the result: texts row by row; of others, whose values are there, the
// nulls.
void CompiledProgram::Append(const Frame& frame, const Vector& result, size_t first,
                             ColumnBuilder& builder) const {
  if (IsText(type())) {
    const auto* texts = result.as<std::string_view>();
    for (size_t row = 0; row < frame.rows; ++row) {
      if (((result.valid[row >> 6] >> (row & 63)) & 1) != 0) {
        builder.Append(texts[row]);
      } else {
        builder.AppendNull();
      }
    }
    return;
  }
  for (size_t w = 0; w < frame.words(); ++w) {
    for (uint64_t nulls = ~result.valid[w] & RowMask(frame.rows, w); nulls != 0; nulls &= nulls - 1) {
      builder.SetNull(first + w * 64 + static_cast<size_t>(std::countr_zero(nulls)));
    }
  }
}

ColumnPtr CompiledProgram::Evaluate(Pool& pool, const Batch& batch, ExpressionFaults& faults) const {
  const Instruction& root = instructions_.back();
  if (root.kernel == nullptr && !root.is_constant) return batch.shared(root.column);
  const size_t rows = batch.rows();
  ColumnBuilder builder(pool, type(), rows);
  if (rows == 0) return builder.Finish();
  char* values = nullptr;
  if (type() == Type::kBool) {
    values = reinterpret_cast<char*>(builder.Fill<uint8_t>(rows).data());
  } else if (type() == Type::kFloat64) {
    values = reinterpret_cast<char*>(builder.Fill<double>(rows).data());
  } else if (!IsText(type())) {
    values = reinterpret_cast<char*>(builder.Fill<int64_t>(rows).data());
  }
  const size_t chunk = std::min(kChunk, (rows + 63) / 64 * 64);
  const Memory memory(pool, instructions_.size(), chunk, width_);
  Frame frame(pool, memory.vectors);
  for (size_t first = 0; first < rows; first += chunk) {
    frame.rows = std::min(chunk, rows - first);
    char* result = values == nullptr ? nullptr : values + first * WidthOf(type());
    Run(frame, memory, batch, first, result);
    if (result != nullptr && root.is_constant) FillConstant(root, frame.rows, result);
    if (frame.faulted()) CountFaults(frame, faults);
    Append(frame, frame[instructions_.size() - 1], first, builder);
    frame.Reset();
  }
  return builder.Finish();
}

}  // namespace freshet

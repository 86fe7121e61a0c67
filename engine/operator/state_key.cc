#include "engine/operator/state_key.h"

#include "engine/base/bytes.h"

namespace freshet {

bool AppendStateField(const Column& column, size_t row, std::string& out) {
  if (!column.valid(row)) return false;
  switch (column.type()) {
    case Type::kBool:
      AppendOrdered(column.values<uint8_t>()[row] != 0, out);
      return true;
    case Type::kInt64:
    case Type::kTimestamp:
    case Type::kDuration:
      AppendOrdered(column.values<int64_t>()[row], out);
      return true;
    case Type::kFloat64:
      AppendOrdered(column.values<double>()[row], out);
      return true;
    case Type::kString:
    case Type::kBytes:
      AppendOrdered(column.text(row), out);
      return true;
    case Type::kListFloat64:
    case Type::kListString:
      break;
  }
  return false;
}

bool AppendStateKey(const Batch& batch, std::span<const size_t> columns, uint32_t row, std::string& out) {
  const size_t begin = out.size();
  for (const size_t column : columns) {
    const auto [from, at] = batch.cell(column, row);
    if (AppendStateField(*from, at, out)) continue;
    out.resize(begin);
    return false;
  }
  return true;
}

}  // namespace freshet

#include "engine/operator/state_key.h"

#include "engine/base/bytes.h"

namespace freshet {

bool AppendStateKey(const Batch& batch, std::span<const size_t> columns, size_t row, std::string& out) {
  const size_t begin = out.size();
  for (const size_t index : columns) {
    const Column& column = batch.column(index);
    if (!column.valid(row)) {
      out.resize(begin);
      return false;
    }
    switch (column.type()) {
      case Type::kBool:
        AppendOrdered(column.values<uint8_t>()[row] != 0, out);
        break;
      case Type::kInt64:
      case Type::kTimestamp:
      case Type::kDuration:
        AppendOrdered(column.values<int64_t>()[row], out);
        break;
      case Type::kFloat64:
        AppendOrdered(column.values<double>()[row], out);
        break;
      case Type::kString:
      case Type::kBytes:
        AppendOrdered(column.text(row), out);
        break;
      case Type::kListFloat64:
      case Type::kListString:
        out.resize(begin);
        return false;
    }
  }
  return true;
}

}  // namespace freshet

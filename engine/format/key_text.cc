#include <cmath>

#include "engine/base/number.h"
#include "engine/format/format.h"
#include "engine/format/json_text.h"

namespace freshet {

namespace {

// The zeros are one key.
void AppendKeyNumber(double value, std::string& out) {
  AppendDouble(value == 0 ? 0 : value, out);
}

void AppendKeyItem(const Column& column, size_t row, std::string& out) {
  const bool valid = column.valid(row);
  if (valid && column.type() == Type::kFloat64 && std::isfinite(column.values<double>()[row])) {
    AppendKeyNumber(column.values<double>()[row], out);
  } else if (!valid || !AppendJsonValue(column, row, out)) {
    out += "null";  // as is a number that is not finite: JSON has none
  }
}

}  // namespace

void AppendKeyText(const Column& column, size_t row, std::string& out) {
  if (!column.valid(row)) return;
  switch (column.type()) {
    case Type::kString:
    case Type::kBytes:
      out += column.text(row);
      return;
    case Type::kTimestamp:
      AppendTimestamp(column.values<int64_t>()[row], out);
      return;
    case Type::kDuration:
      out += FormatDuration(column.values<int64_t>()[row]);
      return;
    case Type::kFloat64:
      AppendKeyNumber(column.values<double>()[row], out);
      return;
    default:
      AppendJsonValue(column, row, out);
      return;
  }
}

void AppendKeyText(std::span<const Column* const> columns, size_t row, std::string& out) {
  out.push_back('[');
  for (size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) out.push_back(',');
    AppendKeyItem(*columns[i], row, out);
  }
  out.push_back(']');
}

}  // namespace freshet

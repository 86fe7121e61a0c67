#include "operators/learning/explanation.h"

#include <algorithm>
#include <cmath>

#include "engine/base/number.h"

namespace freshet {
namespace {

void AppendCategory(const CategoryColumn& category, const Batch& batch, size_t row, std::string& out) {
  const Column& column = batch.column(category.column);
  out += category.name;
  if (!column.valid(row)) {
    out += " missing";
    return;
  }
  out += '=';
  if (category.type == Type::kString) {
    out += column.text(row);
  } else if (category.type == Type::kBool) {
    out += column.values<uint8_t>()[row] != 0 ? "true" : "false";
  } else {
    AppendInt(column.values<int64_t>()[row], out);
  }
}

}  // namespace

void AppendEntryName(const ModelLayout& layout, const Batch& batch, size_t row, size_t entry,
                     std::string& out) {
  if (entry == 0) {
    out += "intercept";
    return;
  }
  --entry;
  if (entry < layout.numeric.size()) {
    const NumericFeature& feature = layout.numeric[entry];
    out += feature.name;
    if (feature.missing == Missing::kIndicator && !batch.column(feature.column).valid(row)) out += " missing";
    return;
  }
  entry -= layout.numeric.size();
  if (entry < layout.categorical.size()) {
    AppendCategory(layout.categories[layout.categorical[entry].category], batch, row, out);
    return;
  }
  bool first = true;
  for (const size_t category : layout.crosses[entry - layout.categorical.size()].categories) {
    if (!first) out += ',';
    first = false;
    AppendCategory(layout.categories[category], batch, row, out);
  }
}

void SelectLargest(std::span<const double> contributions, size_t most, std::vector<uint32_t>& entries) {
  entries.clear();
  for (uint32_t i = 0; i < contributions.size(); ++i) {
    if (contributions[i] != 0) entries.push_back(i);
  }
  const size_t kept = std::min(most, entries.size());
  std::partial_sort(entries.begin(), entries.begin() + static_cast<ptrdiff_t>(kept), entries.end(),
                    [&](uint32_t a, uint32_t b) {
                      const double left = std::abs(contributions[a]);
                      const double right = std::abs(contributions[b]);
                      return left != right ? left > right : a < b;
                    });
  entries.resize(kept);
}

}  // namespace freshet

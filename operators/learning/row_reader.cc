#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/base/hash.h"
#include "operators/learning/encoder.h"

namespace freshet {
namespace {

constexpr uint64_t kNullHash = 0x9e3779b97f4a7c15;  // what a null counts as within a cross

uint64_t HashInt(int64_t value, uint64_t seed) {
  char bytes[sizeof(value)];
  std::memcpy(bytes, &value, sizeof(value));
  return Hash64({bytes, sizeof(bytes)}, seed);
}

uint32_t HashedSlot(const ModelLayout& layout, uint64_t hash) {
  return layout.hashed_first + static_cast<uint32_t>(hash >> (64 - layout.bits));
}

uint32_t ExactSlot(const CategoricalFeature& feature, std::string_view value) {
  const auto found =
      std::lower_bound(feature.values.begin(), feature.values.end(), value,
                       [](const auto& entry, std::string_view key) { return entry.first < key; });
  return found != feature.values.end() && found->first == value ? found->second : feature.unknown;
}

// Under a null: 0.
double NumberAt(const Column& column, size_t row) {
  if (column.type() == Type::kFloat64) return column.values<double>()[row];  // as a rule
  if (column.type() == Type::kBool) return column.values<uint8_t>()[row] != 0 ? 1 : 0;
  const auto number = static_cast<double>(column.values<int64_t>()[row]);
  return column.type() == Type::kDuration ? number / 1e6 : number;
}

uint64_t HashAt(const Column& column, size_t row, uint64_t seed) {
  if (!column.valid(row)) return CombineHash(seed, kNullHash);
  if (column.type() == Type::kString) return Hash64(column.text(row), seed);
  if (column.type() == Type::kBool) return HashInt(column.values<uint8_t>()[row] != 0 ? 1 : 0, seed);
  return HashInt(column.values<int64_t>()[row], seed);
}

uint32_t SlotAt(const ModelLayout& layout, const CategoricalFeature& feature, const Column& column,
                size_t row, uint64_t hash) {
  if (!column.valid(row)) return feature.null_slot;
  if (!feature.exact) return HashedSlot(layout, hash);
  if (column.type() == Type::kBool) return feature.first + (column.values<uint8_t>()[row] != 0 ? 1 : 0);
  return ExactSlot(feature, column.text(row));
}

}  // namespace

void Refuse(const Batch& batch, size_t row, RowFault fault, const ModelLayout& layout,
            OperatorContext& context) {
  const std::string where =
      "feature `" + layout.numeric[fault.feature].name + "` of model `" + layout.model + "`";
  if (fault.kind == RowFault::Kind::kNull) {
    context.DeadLetter(batch, row, "missing_feature", where + " is null, which its `missing: error` refuses");
  } else {
    context.DeadLetter(batch, row, "not_finite", where + " is not a finite number within 1e100");
  }
}

size_t RowReader::Read(const Batch& batch, RawRows& rows) {
  rows.Resize(batch.rows());
  faults_.assign(batch.rows(), RowFault());
  faulty_ = 0;
  ReadNumbers(batch, rows);
  ReadCategories(batch, rows);
  ReadCrosses(rows);
  return faulty_;
}

void RowReader::Fault(size_t row, size_t feature, RowFault::Kind kind) {
  if (faults_[row].kind != RowFault::Kind::kNone) return;
  faults_[row] = {kind, static_cast<uint32_t>(feature)};
  ++faulty_;
}

void RowReader::ReadNumbers(const Batch& batch, RawRows& rows) {
  const size_t stride = rows.numbers_a_row();
  for (size_t feature = 0; feature < layout_.numeric.size(); ++feature) {
    const Column& column = batch.column(layout_.numeric[feature].column);
    double* out = rows.numbers(0) + feature;
    for (size_t row = 0; row < rows.rows(); ++row, out += stride) {
      const double number = NumberAt(column, row);
      *out = number;
      if (!column.valid(row)) {
        const Missing missing = layout_.numeric[feature].missing;
        if (missing != Missing::kZero) *out = kMissing;
        if (missing == Missing::kError) Fault(row, feature, RowFault::Kind::kNull);
      } else if (!(std::abs(number) <= kNumberLimit)) {  // also true for NaN
        Fault(row, feature, RowFault::Kind::kNotFinite);
      }
    }
  }
}

void RowReader::ReadCategories(const Batch& batch, RawRows& rows) {
  const size_t count = rows.rows();
  const auto& categories = layout_.categories;
  if (hashes_.size() < categories.size() * count) hashes_.resize(categories.size() * count);
  uint64_t* hash = hashes_.data();
  for (const CategoryColumn& category : categories) {
    const Column& column = batch.column(category.column);
    for (size_t row = 0; row < count; ++row)
      *hash++ = HashAt(column, row, category.seed);
  }
  const size_t stride = rows.slots_a_row();
  for (size_t i = 0; i < layout_.categorical.size(); ++i) {
    const CategoricalFeature& feature = layout_.categorical[i];
    const Column& column = batch.column(categories[feature.category].column);
    const uint64_t* of_row = hashes_.data() + feature.category * count;
    uint32_t* out = rows.slots(0) + i;
    for (size_t row = 0; row < count; ++row, out += stride)
      *out = SlotAt(layout_, feature, column, row, of_row[row]);
  }
}

void RowReader::ReadCrosses(RawRows& rows) {
  const size_t count = rows.rows();
  const size_t stride = rows.slots_a_row();
  uint32_t* first = rows.slots(0) + layout_.categorical.size();
  for (const CrossFeature& cross : layout_.crosses) {
    uint32_t* out = first++;
    for (size_t row = 0; row < count; ++row, out += stride) {
      uint64_t hash = cross.seed;
      for (const size_t category : cross.categories)
        hash = CombineHash(hash, hashes_[category * count + row]);
      *out = HashedSlot(layout_, hash);
    }
  }
}

}  // namespace freshet

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

}  // namespace

void Refuse(const Batch& batch, size_t row, RowFault fault, const ModelLayout& layout, TaskContext& context) {
  const std::string where =
      "feature `" + layout.numeric[fault.feature].name + "` of model `" + layout.model + "`";
  if (fault.kind == RowFault::Kind::kNull) {
    context.DeadLetter(batch, row, "missing_feature", where + " is null, which its `missing: error` refuses");
  } else {
    context.DeadLetter(batch, row, "not_finite", where + " is not a finite number within 1e100");
  }
}

RowReader::RowReader(const ModelLayout& layout)
    : layout_(layout), columns_(layout.categories.size()), hashes_(layout.categories.size()) {}

size_t RowReader::Read(const Batch& batch, RawRows& rows) {
  rows.Resize(batch.rows());
  faults_.assign(batch.rows(), RowFault());
  faulty_ = 0;
  for (size_t i = 0; i < layout_.numeric.size(); ++i)
    ReadNumbers(batch.column(layout_.numeric[i].column), i, rows);
  for (size_t i = 0; i < layout_.categories.size(); ++i) {
    columns_[i] = &batch.column(layout_.categories[i].column);
    Hash(*columns_[i], i);
  }
  for (size_t i = 0; i < layout_.categorical.size(); ++i)
    ReadCategories(i, rows);
  for (size_t i = 0; i < layout_.crosses.size(); ++i)
    ReadCross(i, rows);
  return faulty_;
}

void RowReader::Fault(size_t row, size_t feature, RowFault::Kind kind) {
  if (faults_[row].kind != RowFault::Kind::kNone) return;
  faults_[row] = {kind, static_cast<uint32_t>(feature)};
  ++faulty_;
}

void RowReader::ReadNumbers(const Column& column, size_t feature, RawRows& rows) {
  const NumericFeature& numeric = layout_.numeric[feature];
  const size_t stride = rows.numbers_a_row();
  double* out = rows.numbers(0) + feature;
  const auto read = [&](auto values, auto number_of) {
    for (size_t row = 0; row < values.size(); ++row)
      out[row * stride] = number_of(values[row]);
  };
  switch (column.type()) {
    case Type::kFloat64:
      read(column.values<double>(), [](double v) { return v; });
      for (size_t row = 0; row < column.rows(); ++row) {
        // Also true for NaN.
        if (!(std::abs(out[row * stride]) <= kNumberLimit)) Fault(row, feature, RowFault::Kind::kNotFinite);
      }
      break;
    case Type::kBool:
      read(column.values<uint8_t>(), [](uint8_t v) { return v != 0 ? 1.0 : 0.0; });
      break;
    case Type::kDuration:
      read(column.values<int64_t>(), [](int64_t v) { return static_cast<double>(v) / 1e6; });
      break;
    default:
      read(column.values<int64_t>(), [](int64_t v) { return static_cast<double>(v); });
      break;
  }
  if (column.all_valid() || numeric.missing == Missing::kZero) return;  // the value under a null is 0
  for (size_t row = 0; row < column.rows(); ++row) {
    if (column.valid(row)) continue;
    out[row * stride] = kMissing;
    if (numeric.missing == Missing::kError) Fault(row, feature, RowFault::Kind::kNull);
  }
}

void RowReader::Hash(const Column& column, size_t category) {
  std::vector<uint64_t>& hashes = hashes_[category];
  const uint64_t seed = layout_.categories[category].seed;
  hashes.resize(column.rows());
  for (size_t row = 0; row < column.rows(); ++row) {
    if (!column.valid(row)) {
      hashes[row] = CombineHash(seed, kNullHash);
    } else if (column.type() == Type::kString) {
      hashes[row] = Hash64(column.text(row), seed);
    } else if (column.type() == Type::kBool) {
      hashes[row] = HashInt(column.values<uint8_t>()[row] != 0 ? 1 : 0, seed);
    } else {
      hashes[row] = HashInt(column.values<int64_t>()[row], seed);
    }
  }
}

void RowReader::ReadCategories(size_t feature, RawRows& rows) {
  const CategoricalFeature& categorical = layout_.categorical[feature];
  const CategoryColumn& category = layout_.categories[categorical.category];
  const Column& column = *columns_[categorical.category];
  const std::vector<uint64_t>& hashes = hashes_[categorical.category];
  uint32_t* out = rows.slots(0) + feature;
  for (size_t row = 0; row < column.rows(); ++row) {
    uint32_t& slot = out[row * rows.slots_a_row()];
    if (!column.valid(row)) {
      slot = categorical.null_slot;
    } else if (!categorical.exact) {
      slot = HashedSlot(layout_, hashes[row]);
    } else if (category.type == Type::kBool) {
      slot = categorical.first + (column.values<uint8_t>()[row] != 0 ? 1 : 0);
    } else {
      slot = ExactSlot(categorical, column.text(row));
    }
  }
}

void RowReader::ReadCross(size_t cross, RawRows& rows) {
  const CrossFeature& feature = layout_.crosses[cross];
  for (size_t row = 0; row < rows.rows(); ++row) {
    uint64_t hash = feature.seed;
    for (const size_t category : feature.categories)
      hash = CombineHash(hash, hashes_[category][row]);
    rows.slots(row)[layout_.categorical.size() + cross] = HashedSlot(layout_, hash);
  }
}

}  // namespace freshet

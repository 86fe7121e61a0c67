#include <algorithm>
#include <bit>
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

// Where hashed features have their slots.
struct HashedSlots {
  explicit HashedSlots(const ModelLayout& layout) : first(layout.hashed_first), shift(64 - layout.bits) {}
  uint32_t Of(uint64_t hash) const { return first + static_cast<uint32_t>(hash >> shift); }
  uint32_t first;
  uint32_t shift;
};

uint32_t ExactSlot(const CategoricalFeature& feature, std::string_view value) {
  const auto found =
      std::lower_bound(feature.values.begin(), feature.values.end(), value,
                       [](const auto& entry, std::string_view key) { return entry.first < key; });
  return found != feature.values.end() && found->first == value ? found->second : feature.unknown;
}

// use(row, number) of each row; under a null: 0. The loops are by type, not the types by row.
template <class Use>
void VisitNumbers(const Column& column, const Use& use) {
  const size_t rows = column.rows();
  if (column.type() == Type::kFloat64) {
    const double* values = column.values<double>().data();
    for (size_t row = 0; row < rows; ++row)
      use(row, values[row]);
  } else if (column.type() == Type::kBool) {
    const uint8_t* values = column.values<uint8_t>().data();
    for (size_t row = 0; row < rows; ++row)
      use(row, values[row] != 0 ? 1.0 : 0.0);
  } else if (column.type() == Type::kDuration) {
    const int64_t* values = column.values<int64_t>().data();
    for (size_t row = 0; row < rows; ++row)
      use(row, static_cast<double>(values[row]) / 1e6);
  } else {
    const int64_t* values = column.values<int64_t>().data();
    for (size_t row = 0; row < rows; ++row)
      use(row, static_cast<double>(values[row]));
  }
}

template <class Use>
void VisitNulls(const Column& column, const Use& use) {
  const uint64_t* validity = column.validity();
  if (validity == nullptr) return;
  for (size_t first = 0; first < column.rows(); first += 64) {
    const size_t left = column.rows() - first;
    uint64_t nulls = ~validity[first / 64];
    if (left < 64) nulls &= (uint64_t{1} << left) - 1;
    for (; nulls != 0; nulls &= nulls - 1)
      use(first + static_cast<size_t>(std::countr_zero(nulls)));
  }
}

// hash(row) of each row that has a value.
template <class Hash>
void HashRows(const Column& column, uint64_t of_null, const Hash& hash, uint64_t* hashes) {
  const size_t rows = column.rows();
  if (column.all_valid()) {
    for (size_t row = 0; row < rows; ++row)
      hashes[row] = hash(row);
  } else {
    for (size_t row = 0; row < rows; ++row)
      hashes[row] = column.valid(row) ? hash(row) : of_null;
  }
}

void HashAll(const Column& column, uint64_t seed, uint64_t* hashes) {
  const uint64_t of_null = CombineHash(seed, kNullHash);
  if (column.type() == Type::kString) {
    HashRows(
        column, of_null, [&](size_t row) { return Hash64(column.text(row), seed); }, hashes);
  } else if (column.type() == Type::kBool) {
    const uint8_t* values = column.values<uint8_t>().data();
    HashRows(
        column, of_null, [=](size_t row) { return HashInt(values[row] != 0 ? 1 : 0, seed); }, hashes);
  } else {
    const int64_t* values = column.values<int64_t>().data();
    HashRows(
        column, of_null, [=](size_t row) { return HashInt(values[row], seed); }, hashes);
  }
}

// One slot a row, `stride` apart in `slots`.
void FindSlots(const ModelLayout& layout, const CategoricalFeature& feature, const Column& column,
               const uint64_t* hashes, uint32_t* slots, size_t stride) {
  const size_t rows = column.rows();
  if (!feature.exact) {
    const HashedSlots hashed(layout);
    for (size_t row = 0; row < rows; ++row)
      slots[row * stride] = hashed.Of(hashes[row]);
  } else if (column.type() == Type::kBool) {
    for (size_t row = 0; row < rows; ++row)
      slots[row * stride] = feature.first + (column.values<uint8_t>()[row] != 0 ? 1 : 0);
  } else {
    for (size_t row = 0; row < rows; ++row)
      slots[row * stride] = ExactSlot(feature, column.text(row));
  }
  VisitNulls(column, [&](size_t row) { slots[row * stride] = feature.null_slot; });
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
  double* const numbers = rows.numbers(0);
  for (size_t i = 0; i < stride; ++i) {
    const NumericFeature& feature = layout_.numeric[i];
    const Column& column = batch.column(feature.column);
    double* const out = numbers + i;
    VisitNumbers(column, [&](size_t row, double number) {
      out[row * stride] = number;
      if (!(std::abs(number) <= kNumberLimit)) Fault(row, i, RowFault::Kind::kNotFinite);  // NaN, too
    });
    VisitNulls(column, [&](size_t row) {
      if (feature.missing != Missing::kZero) out[row * stride] = kMissing;
      if (feature.missing == Missing::kError) Fault(row, i, RowFault::Kind::kNull);
    });
  }
}

void RowReader::ReadCategories(const Batch& batch, RawRows& rows) {
  const size_t count = rows.rows();
  const auto& categories = layout_.categories;
  if (hashes_.size() < categories.size() * count) hashes_.resize(categories.size() * count);
  for (size_t i = 0; i < categories.size(); ++i)
    HashAll(batch.column(categories[i].column), categories[i].seed, hashes_.data() + i * count);
  for (size_t i = 0; i < layout_.categorical.size(); ++i) {
    const CategoricalFeature& feature = layout_.categorical[i];
    FindSlots(layout_, feature, batch.column(categories[feature.category].column),
              hashes_.data() + feature.category * count, rows.slots(0) + i, rows.slots_a_row());
  }
}

void RowReader::ReadCrosses(RawRows& rows) {
  const size_t count = rows.rows();
  const size_t stride = rows.slots_a_row();
  uint32_t* first = rows.slots(0) + layout_.categorical.size();
  const HashedSlots hashed(layout_);
  for (const CrossFeature& cross : layout_.crosses) {
    uint32_t* out = first++;
    for (size_t row = 0; row < count; ++row, out += stride) {
      uint64_t hash = cross.seed;
      for (const size_t category : cross.categories)
        hash = CombineHash(hash, hashes_[category * count + row]);
      *out = hashed.Of(hash);
    }
  }
}

}  // namespace freshet

#include <algorithm>

#include "engine/expression/kernel.h"
#include "engine/expression/overloads.h"

namespace freshet {
namespace {

template <class T>
bool Equal(T a, T b) {
  return a == b;
}
template <class T>
bool Unequal(T a, T b) {
  return a != b;
}
template <class T>
bool Less(T a, T b) {
  return a < b;
}
template <class T>
bool LessOrEqual(T a, T b) {
  return a <= b;
}
template <class T>
bool Greater(T a, T b) {
  return a > b;
}
template <class T>
bool GreaterOrEqual(T a, T b) {
  return a >= b;
}
template <class T>
T Least(T a, T b) {
  return b < a ? b : a;
}
template <class T>
T Greatest(T a, T b) {
  return a < b ? b : a;
}
uint8_t Not(uint8_t a) {
  return a ^ 1;
}

template <class T>
void AddEquality(std::vector<Overload>& all, Type type) {
  all.push_back({"==", {type, type}, Type::kBool, Total<Equal<T>, uint8_t, T, T>});
  all.push_back({"!=", {type, type}, Type::kBool, Total<Unequal<T>, uint8_t, T, T>});
}
template <class T>
void AddOrder(std::vector<Overload>& all, Type type) {
  AddEquality<T>(all, type);
  all.push_back({"<", {type, type}, Type::kBool, Total<Less<T>, uint8_t, T, T>});
  all.push_back({"<=", {type, type}, Type::kBool, Total<LessOrEqual<T>, uint8_t, T, T>});
  all.push_back({">", {type, type}, Type::kBool, Total<Greater<T>, uint8_t, T, T>});
  all.push_back({">=", {type, type}, Type::kBool, Total<GreaterOrEqual<T>, uint8_t, T, T>});
}

size_t RowsOfWord(const Frame& frame, size_t word) {
  return std::min<size_t>(64, frame.rows - word * 64);
}

// Kleene's three-valued logic. What lies under a null does not matter: where one side decides alone, its
// value decides
// `&` and `|` too.
template <bool kAnd>
void Logic(const Instruction& in, size_t, Frame& frame, void* out, uint64_t* valid) {
  const Vector& left = frame[in.arguments[0]];
  const Vector& right = frame[in.arguments[1]];
  const auto* a = left.as<uint8_t>();
  const auto* b = right.as<uint8_t>();
  auto* values = static_cast<uint8_t*>(out);
  for (size_t row = 0; row < frame.rows; ++row) {
    values[row] = kAnd ? static_cast<uint8_t>(a[row] & b[row]) : static_cast<uint8_t>(a[row] | b[row]);
  }
  for (size_t w = 0; w < frame.words(); ++w) {
    uint64_t av = PackBits(a + w * 64, RowsOfWord(frame, w));
    uint64_t bv = PackBits(b + w * 64, RowsOfWord(frame, w));
    if (kAnd) {  // what decides alone: false for &&, true for ||
      av = ~av;
      bv = ~bv;
    }
    valid[w] = (left.valid[w] & right.valid[w]) | (left.valid[w] & av) | (right.valid[w] & bv);
  }
}

template <bool kNegated>
void IsNull(const Instruction& in, size_t, Frame& frame, void* out, uint64_t* valid) {
  const Vector& value = frame[in.arguments[0]];
  auto* values = static_cast<uint8_t*>(out);
  for (size_t row = 0; row < frame.rows; ++row) {
    values[row] = static_cast<uint8_t>(IsValid(value.valid, row) == kNegated);
  }
  std::fill_n(valid, frame.words(), ~uint64_t{0});
}

template <class T>
void Conditional(const Instruction& in, size_t, Frame& frame, void* out, uint64_t* valid) {
  const Vector& condition = frame[in.arguments[0]];
  const Vector& yes = frame[in.arguments[1]];
  const Vector& no = frame[in.arguments[2]];
  const auto* c = condition.as<uint8_t>();
  const auto* a = yes.as<T>();
  const auto* b = no.as<T>();
  auto* values = static_cast<T*>(out);
  for (size_t row = 0; row < frame.rows; ++row)
    values[row] = c[row] != 0 ? a[row] : b[row];
  for (size_t w = 0; w < frame.words(); ++w) {
    const uint64_t taken = PackBits(c + w * 64, RowsOfWord(frame, w));
    valid[w] = condition.valid[w] & ((taken & yes.valid[w]) | (~taken & no.valid[w]));
  }
}

template <class T>
void Coalesce(const Instruction& in, size_t, Frame& frame, void* out, uint64_t* valid) {
  const Vector& first = frame[in.arguments[0]];
  const Vector& second = frame[in.arguments[1]];
  const auto* a = first.as<T>();
  const auto* b = second.as<T>();
  auto* values = static_cast<T*>(out);
  for (size_t row = 0; row < frame.rows; ++row)
    values[row] = IsValid(first.valid, row) ? a[row] : b[row];
  for (size_t w = 0; w < frame.words(); ++w)
    valid[w] = first.valid[w] | second.valid[w];
}

bool Holds(const std::vector<int64_t>& items, int64_t value) {
  return std::binary_search(items.begin(), items.end(), value);
}
bool Holds(const LiteralSet& set, int64_t value) {
  return Holds(set.integers, value);
}
bool Holds(const LiteralSet& set, uint8_t value) {
  return Holds(set.integers, value);
}
bool Holds(const LiteralSet& set, double value) {
  return std::binary_search(set.numbers.begin(), set.numbers.end(), value);
}
bool Holds(const LiteralSet& set, std::string_view value) {
  return std::binary_search(set.texts.begin(), set.texts.end(), value, std::less<>());
}

template <class T>
void InSet(const Instruction& in, size_t, Frame& frame, void* out, uint64_t* valid) {
  MeetValidity(in, in.arity, frame, valid);
  const auto* a = frame[in.arguments[0]].as<T>();
  auto* values = static_cast<uint8_t*>(out);
  for (size_t row = 0; row < frame.rows; ++row) {
    values[row] = IsValid(valid, row) && Holds(*in.set, a[row]);
    if (in.set->has_null && values[row] == 0) valid[row >> 6] &= ~(uint64_t{1} << (row & 63));
  }
}

template <class T>
bool ItemIs(const Column& items, size_t item, T value) {
  if constexpr (std::is_same_v<T, std::string_view>) {
    return items.text(item) == value;
  } else {
    return items.values<T>()[item] == value;
  }
}

template <class T>
void InList(const Instruction& in, size_t, Frame& frame, void* out, uint64_t* valid) {
  MeetValidity(in, in.arity, frame, valid);
  const auto* a = frame[in.arguments[0]].as<T>();
  const Vector& lists = frame[in.arguments[1]];
  auto* values = static_cast<uint8_t*>(out);
  for (size_t row = 0; row < frame.rows; ++row) {
    values[row] = 0;
    if (!IsValid(valid, row)) continue;
    const auto [first, last] = lists.column->list(lists.first + row);
    for (size_t item = first; item < last && values[row] == 0; ++item) {
      values[row] = ItemIs<T>(lists.column->items(), item, a[row]);
    }
  }
}

}  // namespace

void AddComparisons(std::vector<Overload>& all) {
  all.push_back({"!", {Type::kBool}, Type::kBool, Total<Not, uint8_t, uint8_t>});
  AddEquality<uint8_t>(all, Type::kBool);
  AddOrder<int64_t>(all, Type::kInt64);
  AddOrder<double>(all, Type::kFloat64);
  AddOrder<std::string_view>(all, Type::kString);
  AddOrder<std::string_view>(all, Type::kBytes);
  AddOrder<int64_t>(all, Type::kTimestamp);
  AddOrder<int64_t>(all, Type::kDuration);
}

Kernel IsNullKernel(bool negated) {
  return negated ? IsNull<true> : IsNull<false>;
}
Kernel AndKernel() {
  return Logic<true>;
}
Kernel OrKernel() {
  return Logic<false>;
}

Kernel ConditionalKernel(Type type) {
  if (type == Type::kBool) return Conditional<uint8_t>;
  if (type == Type::kFloat64) return Conditional<double>;
  if (IsList(type)) return nullptr;
  return IsText(type) ? Conditional<std::string_view> : Conditional<int64_t>;
}
Kernel CoalesceKernel(Type type) {
  if (type == Type::kBool) return Coalesce<uint8_t>;
  if (type == Type::kFloat64) return Coalesce<double>;
  if (IsList(type)) return nullptr;
  return IsText(type) ? Coalesce<std::string_view> : Coalesce<int64_t>;
}
Kernel InSetKernel(Type type) {
  if (type == Type::kBool) return InSet<uint8_t>;
  if (type == Type::kFloat64) return InSet<double>;
  if (IsList(type)) return nullptr;
  return IsText(type) ? InSet<std::string_view> : InSet<int64_t>;
}
Kernel InListKernel(Type item) {
  return item == Type::kString ? InList<std::string_view> : InList<double>;
}

Kernel ExtremumKernel(Type type, bool greatest) {
  switch (type) {
    case Type::kFloat64:
      return greatest ? Total<Greatest<double>, double, double, double>
                      : Total<Least<double>, double, double, double>;
    case Type::kInt64:
    case Type::kTimestamp:
    case Type::kDuration:
      return greatest ? Total<Greatest<int64_t>, int64_t, int64_t, int64_t>
                      : Total<Least<int64_t>, int64_t, int64_t, int64_t>;
    case Type::kString:
    case Type::kBytes:
      return greatest
                 ? Total<Greatest<std::string_view>, std::string_view, std::string_view, std::string_view>
                 : Total<Least<std::string_view>, std::string_view, std::string_view, std::string_view>;
    default:
      return nullptr;
  }
}

}  // namespace freshet

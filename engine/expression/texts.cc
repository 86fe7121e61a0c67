#include <algorithm>
#include <array>
#include <cstring>

#include "engine/base/number.h"
#include "engine/base/time.h"
#include "engine/expression/kernel.h"
#include "engine/expression/overloads.h"

namespace freshet {
namespace {

std::string_view Keep(Frame& frame, std::string_view text) {
  if (text.empty()) return {};
  auto* copy = static_cast<char*>(frame.arena().Allocate(text.size()));
  std::memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

int64_t Characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuation(c); });
}
int64_t Bytes(std::string_view text) {
  return static_cast<int64_t>(text.size());
}
bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}
bool StartsWith(std::string_view text, std::string_view part) {
  return text.starts_with(part);
}
bool EndsWith(std::string_view text, std::string_view part) {
  return text.ends_with(part);
}
std::string_view Same(std::string_view text) {
  return text;
}

void Join(const Instruction& in, size_t i, Frame& frame, void* out, uint64_t* valid) {
  MeetValidity(in, in.arity, frame, valid);
  const auto* a = frame[in.arguments[0]].as<std::string_view>();
  const auto* b = frame[in.arguments[1]].as<std::string_view>();
  auto* values = static_cast<std::string_view*>(out);
  for (size_t row = 0; row < frame.rows; ++row) {
    values[row] = {};
    if (!IsValid(valid, row)) continue;
    const size_t size = a[row].size() + b[row].size();
    if (size > kMaxText) {
      frame.Fail(i, valid, row, Fault::kOverflow);
    } else if (size > 0) {
      auto* text = static_cast<char*>(frame.arena().Allocate(size));
      if (!a[row].empty()) std::memcpy(text, a[row].data(), a[row].size());
      if (!b[row].empty()) std::memcpy(text + a[row].size(), b[row].data(), b[row].size());
      values[row] = {text, size};
    }
  }
}

// ASCII letters only: what another letter's other case is depends on the language.
template <char kFirst, int kShift>
void ChangeCase(const Instruction& in, size_t, Frame& frame, void* out, uint64_t* valid) {
  MeetValidity(in, in.arity, frame, valid);
  const auto* a = frame[in.arguments[0]].as<std::string_view>();
  auto* values = static_cast<std::string_view*>(out);
  for (size_t row = 0; row < frame.rows; ++row) {
    values[row] = {};
    if (!IsValid(valid, row) || a[row].empty()) continue;
    auto* text = static_cast<char*>(frame.arena().Allocate(a[row].size()));
    std::transform(a[row].begin(), a[row].end(), text, [](char c) {
      return c >= kFirst && c <= kFirst + 25 ? static_cast<char>(c + kShift) : c;
    });
    values[row] = {text, a[row].size()};
  }
}

// Characters [first, last), both clipped to the text.
std::string_view Slice(std::string_view text, int64_t first, int64_t last) {
  size_t begin = text.size();
  size_t end = text.size();
  int64_t character = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsContinuation(text[i])) continue;
    if (character == std::max<int64_t>(first, 0)) begin = i;
    if (character == std::max<int64_t>(last, 0)) {
      end = i;
      break;
    }
    ++character;
  }
  return begin < end ? text.substr(begin, end - begin) : std::string_view();
}

void Substring(const Instruction& in, size_t, Frame& frame, void* out, uint64_t* valid) {
  MeetValidity(in, in.arity, frame, valid);
  const auto* a = frame[in.arguments[0]].as<std::string_view>();
  const auto* first = frame[in.arguments[1]].as<int64_t>();
  const auto* last = in.arity == 3 ? frame[in.arguments[2]].as<int64_t>() : nullptr;
  auto* values = static_cast<std::string_view*>(out);
  for (size_t row = 0; row < frame.rows; ++row) {
    values[row] = {};
    if (!IsValid(valid, row)) continue;
    values[row] =
        Slice(a[row], first[row], last == nullptr ? std::numeric_limits<int64_t>::max() : last[row]);
  }
}

// string(x): `append` writes one value.
template <class T, class Append>
void Format(const Instruction& in, Frame& frame, void* out, uint64_t* valid, Append append) {
  MeetValidity(in, in.arity, frame, valid);
  const auto* a = frame[in.arguments[0]].as<T>();
  auto* values = static_cast<std::string_view*>(out);
  std::string text;
  for (size_t row = 0; row < frame.rows; ++row) {
    values[row] = {};
    if (!IsValid(valid, row)) continue;
    text.clear();
    append(a[row], text);
    values[row] = Keep(frame, text);
  }
}
void FormatBool(const Instruction& in, size_t, Frame& frame, void* out, uint64_t* valid) {
  Format<uint8_t>(in, frame, out, valid,
                  [](uint8_t v, std::string& text) { text = v != 0 ? "true" : "false"; });
}
void FormatInt(const Instruction& in, size_t, Frame& frame, void* out, uint64_t* valid) {
  Format<int64_t>(in, frame, out, valid, [](int64_t v, std::string& text) { AppendInt(v, text); });
}
void FormatNumber(const Instruction& in, size_t i, Frame& frame, void* out, uint64_t* valid) {
  Format<double>(in, frame, out, valid, [](double v, std::string& text) {
    if (std::isfinite(v)) AppendDouble(v, text);
  });
  const auto* a = frame[in.arguments[0]].as<double>();
  for (size_t row = 0; row < frame.rows; ++row) {
    if (IsValid(valid, row) && !std::isfinite(a[row])) frame.Fail(i, valid, row, Fault::kOverflow);
  }
}
void FormatTime(const Instruction& in, size_t, Frame& frame, void* out, uint64_t* valid) {
  Format<int64_t>(in, frame, out, valid, [](int64_t v, std::string& text) { AppendTimestamp(v, text); });
}
void FormatSpan(const Instruction& in, size_t, Frame& frame, void* out, uint64_t* valid) {
  Format<int64_t>(in, frame, out, valid, [](int64_t v, std::string& text) { text = FormatDuration(v); });
}

void ListSize(const Instruction& in, size_t, Frame& frame, void* out, uint64_t* valid) {
  MeetValidity(in, in.arity, frame, valid);
  const Vector& lists = frame[in.arguments[0]];
  auto* values = static_cast<int64_t*>(out);
  for (size_t row = 0; row < frame.rows; ++row) {
    const auto [first, last] = lists.column->list(lists.first + row);
    values[row] = static_cast<int64_t>(last - first);
  }
}

}  // namespace

void AddTexts(std::vector<Overload>& all) {
  constexpr Type kS = Type::kString;
  constexpr Type kI = Type::kInt64;
  using View = std::string_view;
  all.push_back({"+", {kS, kS}, kS, Join});
  all.push_back({"size", {kS}, kI, Total<Characters, int64_t, View>});
  all.push_back({"size", {Type::kBytes}, kI, Total<Bytes, int64_t, View>});
  all.push_back({"size", {Type::kListFloat64}, kI, ListSize});
  all.push_back({"size", {Type::kListString}, kI, ListSize});
  all.push_back({"contains", {kS, kS}, Type::kBool, Total<Contains, uint8_t, View, View>});
  all.push_back({"startsWith", {kS, kS}, Type::kBool, Total<StartsWith, uint8_t, View, View>});
  all.push_back({"endsWith", {kS, kS}, Type::kBool, Total<EndsWith, uint8_t, View, View>});
  all.push_back({"lower", {kS}, kS, ChangeCase<'A', 'a' - 'A'>});
  all.push_back({"upper", {kS}, kS, ChangeCase<'a', 'A' - 'a'>});
  all.push_back({"substring", {kS, kI}, kS, Substring});
  all.push_back({"substring", {kS, kI, kI}, kS, Substring});
  all.push_back({"string", {kS}, kS, Total<Same, View, View>});
  all.push_back({"string", {Type::kBool}, kS, FormatBool});
  all.push_back({"string", {kI}, kS, FormatInt});
  all.push_back({"string", {Type::kFloat64}, kS, FormatNumber});
  all.push_back({"string", {Type::kTimestamp}, kS, FormatTime});
  all.push_back({"string", {Type::kDuration}, kS, FormatSpan});
}

}  // namespace freshet

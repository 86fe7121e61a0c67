#pragma once
// Bytes in strings: fixed-width and variable-length integers for formats, and an encoding of keys whose byte
// order is the order of the values (state tables are ordered by it). Pure functions, any thread.
//
// Order-preserving encoding, one field after another:
//   int64, timestamp, duration: 8 bytes big-endian, sign bit flipped
//   float64: 8 bytes big-endian; negative: all bits flipped, else the sign bit; -0 as +0; NaN last, all ones
//   bool: 1 byte, 0 or 1
//   string, bytes: 0x00 as 0x00 0xFF, ended by 0x00 0x01
//   null: a leading 0x00 where a present value has a leading 0x01 (written by AppendOrderedNull and
//   AppendOrderedPresent; only fields that may be null carry it)
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace freshet {

void AppendOrdered(int64_t value, std::string& out);
void AppendOrdered(double value, std::string& out);
void AppendOrdered(bool value, std::string& out);
void AppendOrdered(std::string_view value, std::string& out);
// A literal would otherwise be taken for a bool.
inline void AppendOrdered(const char* value, std::string& out) {
  AppendOrdered(std::string_view(value), out);
}
inline void AppendOrderedNull(std::string& out) {
  out.push_back('\0');
}
inline void AppendOrderedPresent(std::string& out) {
  out.push_back('\1');
}

// Each takes its field off the front of `in`; false (and `in` unspecified) on bytes that are no such field.
bool TakeOrdered(std::string_view& in, int64_t& value);
bool TakeOrdered(std::string_view& in, double& value);
bool TakeOrdered(std::string_view& in, bool& value);
bool TakeOrdered(std::string_view& in, std::string& value);

// The least string above every string that starts with `prefix`; empty where there is none (all 0xFF).
std::string PrefixEnd(std::string_view prefix);

// Little-endian scalars and LEB128 varints, for record bodies.
template <class T>
void AppendFixed(T value, std::string& out) {
  static_assert(std::is_trivially_copyable_v<T>);
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}
template <class T>
bool TakeFixed(std::string_view& in, T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (in.size() < sizeof(T)) return false;
  std::memcpy(&value, in.data(), sizeof(T));
  in.remove_prefix(sizeof(T));
  return true;
}
void AppendVarint(uint64_t value, std::string& out);
bool TakeVarint(std::string_view& in, uint64_t& value);
// A varint length, then the bytes.
void AppendSized(std::string_view bytes, std::string& out);
bool TakeSized(std::string_view& in, std::string_view& bytes);

std::string Base64(std::string_view bytes);
bool FromBase64(std::string_view text, std::string& bytes);  // standard alphabet, padding required

}  // namespace freshet

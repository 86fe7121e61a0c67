#include "engine/base/bytes.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace freshet {

namespace {

constexpr uint64_t kSignBit = uint64_t{1} << 63;

// Its own inverse.
uint64_t BigEndian(uint64_t value) {
  return std::endian::native == std::endian::little ? __builtin_bswap64(value) : value;
}

void AppendBigEndian(uint64_t value, std::string& out) {
  AppendFixed(BigEndian(value), out);
}

bool TakeBigEndian(std::string_view& in, uint64_t& value) {
  if (!TakeFixed(in, value)) return false;
  value = BigEndian(value);
  return true;
}

}  // namespace

void AppendOrdered(int64_t value, std::string& out) {
  AppendBigEndian(static_cast<uint64_t>(value) ^ kSignBit, out);
}

void AppendOrdered(double value, std::string& out) {
  if (std::isnan(value)) return AppendBigEndian(~uint64_t{0}, out);
  if (value == 0) value = 0;  // -0 as +0
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  AppendBigEndian((bits & kSignBit) != 0 ? ~bits : bits | kSignBit, out);
}

void AppendOrdered(bool value, std::string& out) {
  out.push_back(value ? '\1' : '\0');
}

void AppendOrdered(std::string_view value, std::string& out) {
  while (true) {
    const size_t zero = value.find('\0');
    out.append(value.substr(0, zero));
    if (zero == std::string_view::npos) break;
    out.append("\0\xff", 2);
    value.remove_prefix(zero + 1);
  }
  out.append("\0\1", 2);
}

bool TakeOrdered(std::string_view& in, int64_t& value) {
  uint64_t bits = 0;
  if (!TakeBigEndian(in, bits)) return false;
  value = static_cast<int64_t>(bits ^ kSignBit);
  return true;
}

bool TakeOrdered(std::string_view& in, double& value) {
  uint64_t bits = 0;
  if (!TakeBigEndian(in, bits)) return false;
  const uint64_t written = bits;
  bits = (bits & kSignBit) != 0 ? bits ^ kSignBit : ~bits;
  std::memcpy(&value, &bits, sizeof value);
  // What Append never writes: -0 and every NaN but one.
  return std::isnan(value) ? written == ~uint64_t{0} : bits != kSignBit;
}

bool TakeOrdered(std::string_view& in, bool& value) {
  if (in.empty() || static_cast<uint8_t>(in[0]) > 1) return false;
  value = in[0] == '\1';
  in.remove_prefix(1);
  return true;
}

bool TakeOrdered(std::string_view& in, std::string& value) {
  value.clear();
  while (true) {
    const size_t zero = in.find('\0');
    if (zero == std::string_view::npos || zero + 1 == in.size()) return false;
    value.append(in.substr(0, zero));
    const char mark = in[zero + 1];
    in.remove_prefix(zero + 2);
    if (mark == '\1') return true;
    if (mark != '\xff') return false;
    value.push_back('\0');
  }
}

std::string PrefixEnd(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff')
    end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<uint8_t>(end.back()) + 1);
  return end;
}

void AppendVarint(uint64_t value, std::string& out) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

bool TakeVarint(std::string_view& in, uint64_t& value) {
  value = 0;
  for (size_t i = 0; i < in.size() && i < 10; ++i) {
    const auto byte = static_cast<uint8_t>(in[i]);
    if (i == 9 && byte > 1) return false;
    value |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if ((byte & 0x80) == 0) {
      in.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

void AppendSized(std::string_view bytes, std::string& out) {
  AppendVarint(bytes.size(), out);
  out.append(bytes);
}

bool TakeSized(std::string_view& in, std::string_view& bytes) {
  std::string_view rest = in;
  uint64_t size = 0;
  if (!TakeVarint(rest, size) || size > rest.size()) return false;
  bytes = rest.substr(0, static_cast<size_t>(size));
  in = rest.substr(static_cast<size_t>(size));
  return true;
}

namespace {
constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<int8_t, 256> Digits() {
  std::array<int8_t, 256> digits{};
  for (int8_t& digit : digits)
    digit = -1;
  for (int8_t i = 0; i < 64; ++i)
    digits[static_cast<uint8_t>(kAlphabet[i])] = i;
  return digits;
}
constexpr std::array<int8_t, 256> kDigits = Digits();
}  // namespace

std::string Base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t n = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < n ? static_cast<uint8_t>(bytes[i + k]) : 0U);
    for (size_t k = 0; k < 4; ++k)
      out.push_back(k <= n ? kAlphabet[group >> (18 - 6 * k) & 63] : '=');
  }
  return out;
}

bool FromBase64(std::string_view text, std::string& bytes) {
  bytes.clear();
  if (text.size() % 4 != 0) return false;
  for (size_t i = 0; i < text.size(); i += 4) {
    const bool last = i + 4 == text.size();
    const size_t padding = !last ? 0 : (text[i + 3] != '=' ? 0 : (text[i + 2] != '=' ? 1 : 2));
    uint32_t group = 0;
    for (size_t k = 0; k < 4; ++k) {
      const int8_t digit = k >= 4 - padding ? int8_t{0} : kDigits[static_cast<uint8_t>(text[i + k])];
      if (digit < 0) return false;
      group = group << 6 | static_cast<uint32_t>(digit);
    }
    if ((padding == 1 && (group & 0xff) != 0) || (padding == 2 && (group & 0xffff) != 0)) return false;
    for (size_t k = 0; k < 3 - padding; ++k)
      bytes.push_back(static_cast<char>(group >> (16 - 8 * k) & 0xff));
  }
  return true;
}

}  // namespace freshet

#include "engine/base/math.h"

#include <bit>
#include <cmath>
#include <limits>

namespace freshet {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// ln 2 in two parts: the first has zeros at its end, so that small multiples of it are exact.
constexpr double kLn2High = 0x1.62e42fee00000p-1;
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double kLog2E = 0x1.71547652b82fep+0;
constexpr double kSqrtHalf = 0x1.6a09e667f3bcdp-1;

// The nearest whole number, ties to even, for |x| below 2^51: the sum has no room for a fraction.
double Nearest(double x) {
  constexpr double kShift = 0x1.8p52;
  return (x + kShift) - kShift;
}

// x * 2^k for results that may be subnormal or infinite: in two steps, each a normal power.
double Scale(double x, int64_t k) {
  const int64_t half = k / 2;
  const auto power = [](int64_t e) { return std::bit_cast<double>(static_cast<uint64_t>(e + 1023) << 52); };
  return x * power(half) * power(k - half);
}

// e^r - 1 for |r| <= ln2/2, by its series; the terms beyond the fourteenth are below 2^-60.
double ExpM1Reduced(double r) {
  double p = 1.0 / 87178291200.0;
  p = p * r + 1.0 / 6227020800.0;
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  return r + r * r * p;
}

// log(1 + f) for 1 + f in [sqrt(1/2), sqrt(2)]: 2 atanh(s), s = f / (2 + f), by its series in s^2. Written as
// f - (f^2/2 - s (f^2/2 + R)), so that the leading term is exact. `low` is what f lacks of the true value.
double LogReduced(double f, double low, double k) {
  const double s = f / (2.0 + f);
  const double z = s * s;
  double r = 2.0 / 25.0;
  r = r * z + 2.0 / 23.0;
  r = r * z + 2.0 / 21.0;
  r = r * z + 2.0 / 19.0;
  r = r * z + 2.0 / 17.0;
  r = r * z + 2.0 / 15.0;
  r = r * z + 2.0 / 13.0;
  r = r * z + 2.0 / 11.0;
  r = r * z + 2.0 / 9.0;
  r = r * z + 2.0 / 7.0;
  r = r * z + 2.0 / 5.0;
  r = r * z + 2.0 / 3.0;
  r = r * z;
  const double half = 0.5 * f * f;
  return k * kLn2High - ((half - (s * (half + r) + (k * kLn2Low + low))) - f);
}

}  // namespace

double Exp(double x) {
  if (std::isnan(x)) return x;
  if (x > 709.782712893384) return kInfinity;
  if (x < -745.2) return 0.0;
  const double n = Nearest(x * kLog2E);
  const double high = x - n * kLn2High;
  const double low = n * kLn2Low;
  const double r = high - low;
  const double lost = (high - r) - low;  // what rounding took from r
  const double m = ExpM1Reduced(r);
  return Scale(1.0 + (m + (lost + lost * m)), static_cast<int64_t>(n));
}

double Log(double x) {
  if (std::isnan(x) || x == kInfinity) return x;
  if (x < 0) return kNaN;
  if (x == 0) return -kInfinity;
  int64_t k = 0;
  if (x < 0x1p-1022) {
    x *= 0x1p54;
    k = -54;
  }
  const auto bits = std::bit_cast<uint64_t>(x);
  k += static_cast<int64_t>(bits >> 52) - 1022;
  double m = std::bit_cast<double>((bits & 0x000fffffffffffffU) | 0x3fe0000000000000U);  // [0.5, 1)
  if (m < kSqrtHalf) {
    m *= 2;
    --k;
  }
  return LogReduced(m - 1.0, 0.0, static_cast<double>(k));
}

double Log1p(double x) {
  if (std::isnan(x) || x == kInfinity) return x;
  if (x < -1) return kNaN;
  if (x == -1) return -kInfinity;
  if (std::abs(x) < 0x1p-54) return x;
  if (x > -0.25 && x < 0.375) return LogReduced(x, 0.0, 0.0);
  const double u = 1.0 + x;
  if (x >= 0x1p53) return Log(u);
  const double lost = x > 1 ? 1.0 - (u - x) : x - (u - 1.0);  // 1 + x = u + lost exactly
  const auto bits = std::bit_cast<uint64_t>(u);
  int64_t k = static_cast<int64_t>(bits >> 52) - 1022;
  double m = std::bit_cast<double>((bits & 0x000fffffffffffffU) | 0x3fe0000000000000U);
  if (m < kSqrtHalf) {
    m *= 2;
    --k;
  }
  return LogReduced(m - 1.0, lost / u, static_cast<double>(k));
}

namespace {

struct Sum {  // high + low, unevaluated
  double high;
  double low;
};

Sum TwoProduct(double a, double b) {
  const double p = a * b;
  return {p, std::fma(a, b, -p)};
}

// log(x) in twice the precision.
Sum LogExtended(double x) {
  int exponent = 0;
  double m = std::frexp(x, &exponent);
  if (m < kSqrtHalf) {
    m *= 2;
    --exponent;
  }
  // 2 atanh(s) with s = s.high + s.low; the leading term keeps its low part.
  const double f = m - 1.0;
  const double d = 2.0 + f;
  const double d_low = (2.0 - d) + f;
  const double s = f / d;
  const double s_low = (std::fma(-s, d, f) - s * d_low) / d;
  const double z = s * s;
  double r = 2.0 / 27.0;
  for (int odd = 25; odd >= 5; odd -= 2)
    r = r * z + 2.0 / odd;
  // 2/3 s^3 in two parts, the rest in one.
  const Sum square = TwoProduct(s, s);
  const Sum cube = TwoProduct(square.high, s);
  const double cube_low = cube.low + square.low * s;
  const double third = 2.0 / 3.0;
  const Sum term = TwoProduct(cube.high, third);
  const double term_low = term.low + cube_low * third + cube.high * (0x1.5555555555555p-55);
  const double rest = r * z * z * s;
  const double tail = 2.0 * s_low + 2.0 * s_low * z + term_low + rest;
  const double k = static_cast<double>(exponent);
  // Added from the largest down, each rounding error kept.
  const auto add = [](Sum a, double b) {
    const double sum = a.high + b;
    const double part = sum - a.high;
    return Sum{sum, a.low + ((a.high - (sum - part)) + (b - part))};
  };
  Sum total{k * kLn2High, 0};
  total = add(total, 2.0 * s);
  total = add(total, term.high);
  total = add(total, k * kLn2Low);
  total = add(total, tail);
  return total;
}

}  // namespace

double Pow(double x, double y) {
  if (y == 0 || x == 1) return 1;
  if (std::isnan(x) || std::isnan(y)) return kNaN;
  const bool whole = std::abs(y) >= 0x1p53 || y == std::nearbyint(y);
  const bool odd = whole && std::abs(y) < 0x1p53 && (static_cast<int64_t>(y) & 1) != 0;
  const bool negative = std::signbit(x) && odd;
  const double a = std::abs(x);
  if (std::isinf(y)) return a == 1 ? 1 : ((a > 1) == (y > 0) ? kInfinity : 0.0);
  if (a == 0 || a == kInfinity) {
    const double size = (a == 0) == (y > 0) ? 0.0 : kInfinity;
    return negative ? -size : size;
  }
  if (x < 0 && !whole) return kNaN;
  const Sum log = LogExtended(a);
  const Sum product = TwoProduct(y, log.high);
  const double low = product.low + y * log.low;
  if (product.high > 800) return negative ? -kInfinity : kInfinity;
  if (product.high < -800) return negative ? -0.0 : 0.0;
  const double n = Nearest(product.high * kLog2E);
  const double high = product.high - n * kLn2High;
  const double rest = low - n * kLn2Low;
  const double r = high + rest;
  const double lost = (high - r) + rest;
  const double m = ExpM1Reduced(r);
  const double size = Scale(1.0 + (m + (lost + lost * m)), static_cast<int64_t>(n));
  return negative ? -size : size;
}

double Sigmoid(double x) {
  const double e = Exp(x >= 0 ? -x : x);
  const double sum = 1.0 + e;
  const double lost =
      e - (sum - 1.0);  // what rounding took from the sum; given back to the quotient to first order
  if (x >= 0) {
    const double quotient = 1.0 / sum;
    return quotient - quotient * (lost * quotient);
  }
  const double quotient = e / sum;
  return quotient - quotient * (lost * (1.0 - quotient));
}

double LogLoss(double probability, bool happened) {
  // Written so that NaN stays NaN.
  const double p = probability < 1e-15 ? 1e-15 : probability > 1.0 - 1e-15 ? 1.0 - 1e-15 : probability;
  return happened ? -Log(p) : -Log1p(-p);
}

}  // namespace freshet

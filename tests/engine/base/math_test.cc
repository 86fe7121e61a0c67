#include "engine/base/math.h"

#include <bit>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "engine/base/random.h"

namespace freshet {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLeast = std::numeric_limits<double>::denorm_min();
constexpr double kMost = std::numeric_limits<double>::max();

double AnyDouble(Random& random) {
  return std::bit_cast<double>(random.Next());
}

double Between(Random& random, double low, double high) {
  return low + (high - low) * random.Uniform();
}

// How far `actual` is from `exact`, in units of the last place of a double of that size.
long double UlpError(double actual, long double exact) {
  const auto rounded = static_cast<double>(exact);
  if (std::isnan(actual) || std::isnan(rounded)) return std::isnan(actual) == std::isnan(rounded) ? 0 : 1e9L;
  if (std::isinf(rounded) || std::isinf(actual)) {
    // One step below infinity is as near as infinity itself.
    const long double capped =
        std::isinf(actual) ? static_cast<long double>(std::copysign(kMost, actual)) : actual;
    const long double wanted =
        std::isinf(rounded) ? static_cast<long double>(std::copysign(kMost, rounded)) : exact;
    return actual == rounded ? 0 : 1 + std::fabs(capped - wanted) / 0x1p971L;
  }
  int exponent = 0;
  std::frexp(rounded, &exponent);
  const long double unit = std::ldexp(1.0L, std::max(exponent - 53, -1074));
  return std::fabs(static_cast<long double>(actual) - exact) / unit;
}

template <class Argument, class Ours, class Exact>
long double WorstError(uint64_t seed, int count, Argument argument, Ours ours, Exact exact) {
  Random random(seed);
  long double worst = 0;
  double worst_at = 0;
  for (int i = 0; i < count; ++i) {
    const double x = argument(random);
    const long double error = UlpError(ours(x), exact(static_cast<long double>(x)));
    if (error > worst) {
      worst = error;
      worst_at = x;
    }
  }
  EXPECT_LT(worst, 1e8L) << "wrong kind of result at " << worst_at;
  return worst;
}

constexpr int kCount = 300'000;
constexpr long double kOneUlp = 1.0L;
const auto kExactExp = [](long double x) { return std::exp(x); };
const auto kExactLog = [](long double x) { return std::log(x); };
const auto kExactLog1p = [](long double x) { return std::log1p(x); };

TEST(Math, ExpIsWithinOneUlp) {
  const auto check = [](double low, double high) {
    return WorstError(
        1, kCount, [&](Random& r) { return Between(r, low, high); }, Exp, kExactExp);
  };
  EXPECT_LE(check(-1, 1), kOneUlp);
  EXPECT_LE(check(-30, 30), kOneUlp);
  EXPECT_LE(check(-708, 709.7), kOneUlp);
  EXPECT_LE(check(-746, -708), kOneUlp);    // subnormal results
  EXPECT_LE(check(709.7, 709.8), kOneUlp);  // around overflow
  EXPECT_LE(WorstError(2, kCount, AnyDouble, Exp, kExactExp), kOneUlp);
}

TEST(Math, LogIsWithinOneUlp) {
  const auto check = [](double low, double high) {
    return WorstError(
        3, kCount, [&](Random& r) { return Between(r, low, high); }, Log, kExactLog);
  };
  EXPECT_LE(check(0.5, 2), kOneUlp);
  EXPECT_LE(check(0.999, 1.001), kOneUlp);
  EXPECT_LE(check(0, 1e6), kOneUlp);
  EXPECT_LE(check(0, 0x1p-1022), kOneUlp);
  const auto positive = [](Random& r) { return std::fabs(AnyDouble(r)); };
  EXPECT_LE(WorstError(4, kCount, positive, Log, kExactLog), kOneUlp);
}

TEST(Math, Log1pIsWithinOneUlp) {
  const auto check = [](double low, double high) {
    return WorstError(
        5, kCount, [&](Random& r) { return Between(r, low, high); }, Log1p, kExactLog1p);
  };
  EXPECT_LE(check(-1, 1), kOneUlp);
  EXPECT_LE(check(-1e-10, 1e-10), kOneUlp);
  EXPECT_LE(check(-1e-300, 1e-300), kOneUlp);
  EXPECT_LE(check(-0.3, 0.45), kOneUlp);
  EXPECT_LE(check(1, 1e6), kOneUlp);
  EXPECT_LE(check(0x1p50, 0x1p55), kOneUlp);
  EXPECT_LE(WorstError(6, kCount, AnyDouble, Log1p, kExactLog1p), kOneUlp);
}

TEST(Math, SigmoidIsWithinTwoUlp) {
  const auto exact = [](long double x) {
    return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
  };
  const auto check = [&](double low, double high) {
    return WorstError(
        7, kCount, [&](Random& r) { return Between(r, low, high); }, Sigmoid, exact);
  };
  EXPECT_LE(check(-5, 5), 2);
  EXPECT_LE(check(-50, 50), 2);
  EXPECT_LE(check(-746, 746), 2);
  EXPECT_EQ(Sigmoid(0), 0.5);
  EXPECT_EQ(Sigmoid(kInfinity), 1);
  EXPECT_EQ(Sigmoid(-kInfinity), 0);
  EXPECT_EQ(Sigmoid(kMost), 1);
  EXPECT_EQ(Sigmoid(-kMost), 0);
  EXPECT_TRUE(std::isnan(Sigmoid(std::nan(""))));
}

// The exact power needs more bits than a long double has once |y log x| is large, so the bound there is of
// the reference too: 2^-64 relative, times up to 745, is a third of an ulp.
TEST(Math, PowIsWithinOneUlp) {
  Random random(8);
  const auto worst = [&](auto base, auto exponent) {
    long double most = 0;
    for (int i = 0; i < kCount; ++i) {
      const double x = base();
      const double y = exponent();
      most = std::max(
          most, UlpError(Pow(x, y), std::pow(static_cast<long double>(x), static_cast<long double>(y))));
    }
    return most;
  };
  const auto any = [&] { return AnyDouble(random); };
  EXPECT_LE(worst([&] { return Between(random, 0, 10); }, [&] { return Between(random, -5, 5); }), kOneUlp);
  EXPECT_LE(worst([&] { return Between(random, 0.9, 1.1); }, [&] { return Between(random, -5000, 5000); }),
            kOneUlp);
  EXPECT_LE(worst([&] { return std::fabs(any()); }, [&] { return Between(random, -2, 2); }), kOneUlp);
  EXPECT_LE(worst([&] { return Between(random, 0, 0x1p-1022); }, [&] { return Between(random, -1, 1); }),
            kOneUlp);
  EXPECT_LE(worst([&] { return Between(random, -9, 9); },
                  [&] { return static_cast<double>(random.Below(41)) - 20; }),
            kOneUlp);
  EXPECT_LE(worst(any, any), kOneUlp);
}

// C's Annex F lists what pow does at the edges; std::pow follows it.
TEST(Math, EdgesAreThoseOfTheStandardFunctions) {
  const double edges[] = {0.0,       -0.0,    1.0,    -1.0,      2.0,        -2.0,        0.5,
                          -0.5,      3.0,     -3.0,   kInfinity, -kInfinity, kMost,       -kMost,
                          kLeast,    -kLeast, 1e300,  -1e300,    0x1p53,     -0x1p53,     0x1p53 - 1,
                          0x1p-1022, 1e-300,  0x1p64, -0x1p64,   2.5,        std::nan("")};
  const auto same = [](double a, double b) {
    return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b)) ||
           UlpError(a, b) <= 1;
  };
  for (const double x : edges) {
    EXPECT_TRUE(same(Exp(x), std::exp(x))) << x << ": " << Exp(x);
    EXPECT_TRUE(same(Log(x), std::log(x))) << x << ": " << Log(x);
    EXPECT_TRUE(same(Log1p(x), std::log1p(x))) << x << ": " << Log1p(x);
    for (const double y : edges)
      EXPECT_TRUE(same(Pow(x, y), std::pow(x, y))) << x << " ^ " << y << ": " << Pow(x, y);
  }
  EXPECT_EQ(Exp(0), 1);
  EXPECT_EQ(Log(1), 0);
  EXPECT_TRUE(std::signbit(Log1p(-0.0)));
}

TEST(Math, WholePowersAreExactWhereTheResultIs) {
  for (int exponent = -1074; exponent <= 1023; ++exponent)
    EXPECT_EQ(Pow(2, exponent), std::ldexp(1.0, exponent));
  double power = 1;
  for (int exponent = 0; exponent <= 22; ++exponent, power *= 10)
    EXPECT_EQ(Pow(10, exponent), power);
}

// Results are part of what models and features are made of: these bits may never change.
TEST(Math, ResultsAreFixed) {
  Random random(9);
  uint64_t digest = 0;
  const auto add = [&](double value) {
    digest = digest * 0x9e3779b97f4a7c15 + std::bit_cast<uint64_t>(value);
  };
  for (int i = 0; i < 10'000; ++i) {
    const double x = Between(random, -40, 40);
    add(Exp(x));
    add(Log(std::fabs(x)));
    add(Log1p(std::fabs(x)));
    add(Sigmoid(x));
    add(Pow(std::fabs(x), Between(random, -3, 3)));
  }
  EXPECT_EQ(digest, 7385175878262345691ULL);
}

TEST(Math, LogLossClipsProbabilities) {
  EXPECT_EQ(LogLoss(0.5, true), -Log(0.5));
  EXPECT_EQ(LogLoss(0.25, false), -Log1p(-0.25));
  EXPECT_EQ(LogLoss(0, true), -Log(1e-15));
  EXPECT_EQ(LogLoss(1, false), -Log1p(-(1.0 - 1e-15)));
  EXPECT_EQ(LogLoss(-3, true), LogLoss(0, true));
  EXPECT_TRUE(std::isnan(LogLoss(std::nan(""), true)));
}

}  // namespace
}  // namespace freshet

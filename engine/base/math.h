#pragma once
// Elementary functions whose results are the same bits on every machine and in scalar and vector code: libm's
// are not. Accurate to 1 ulp or so; built with -ffp-contract=off. Pure, any thread.
#include <cstdint>

namespace freshet {

double Exp(double x);
double Log(double x);    // -inf at 0, NaN below
double Log1p(double x);  // exact near 0
double Pow(double x, double y);
// 1 / (1 + e^-x), without overflow at either end.
double Sigmoid(double x);
// -log of the probability given to what happened; p is clipped to [1e-15, 1 - 1e-15].
double LogLoss(double probability, bool happened);

}  // namespace freshet

#include <string>

#include "engine/base/number.h"
#include "operators/learning/optimizer.h"

namespace freshet {

#define OPTIMIZER(name) const Option& name##_optimizer();
#include "operators/learning/optimizers.def"
#undef OPTIMIZER

const Family& Optimizers() {
  static const Family family{"an optimizer",
                             {
#define OPTIMIZER(name) name##_optimizer(),
#include "operators/learning/optimizers.def"
#undef OPTIMIZER
                             }};
  return family;
}

void CheckPositive(const double& parameter, bool zero, Binder& binder) {
  const bool good = parameter > 0 || (zero && parameter == 0);
  if (good && parameter <= 1e9) return;
  binder.Error(&parameter, FormatDouble(parameter) + " is out of range; give a number " +
                               (zero ? "from 0" : "above 0") + " up to 1e9");
}

}  // namespace freshet

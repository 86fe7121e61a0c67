#include "operators/learning/loss.h"

namespace freshet {

#define LOSS(name) const Option& name##_loss();
#include "operators/learning/losses.def"
#undef LOSS

const Family& Losses() {
  static const Family family{"a loss",
                             {
#define LOSS(name) name##_loss(),
#include "operators/learning/losses.def"
#undef LOSS
                             }};
  return family;
}

}  // namespace freshet

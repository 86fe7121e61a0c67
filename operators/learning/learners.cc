#include "operators/learning/learner.h"

namespace freshet {

#define LEARNER(name) const Option& name##_learner();
#include "operators/learning/learners.def"
#undef LEARNER

const Family& Learners() {
  static const Family family{"a learner",
                             {
#define LEARNER(name) name##_learner(),
#include "operators/learning/learners.def"
#undef LEARNER
                             }};
  return family;
}

}  // namespace freshet

#include "operators/list.h"

#include <array>

namespace freshet {

#define OPERATOR(type) const Definition& type##_definition();
#include "operators/list.def"
#undef OPERATOR
const ShapeBase& ModelShape();
void CheckModel(const ModelRef& model, Binder& binder);

Registry Operators() {
  static const std::array all = {
#define OPERATOR(type) type##_definition(),
#include "operators/list.def"
#undef OPERATOR
  };
  return {all, &ModelShape(), &CheckModel};
}

}  // namespace freshet

#pragma once
// Every operator there is, and the shape of models: all that the engine is told of them. Immutable; any
// thread.
#include "engine/operator/definition.h"

namespace freshet {

// The definitions of operators/list.def, in its order. Valid for the process's life.
Registry Operators();

}  // namespace freshet

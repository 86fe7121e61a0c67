#pragma once
// How often this program has asked for memory, so that a bench can show what costs an allocation. Any thread.
#include <cstdint>

namespace freshet {

uint64_t Allocations();  // calls of operator new so far

}  // namespace freshet

#pragma once
// The 128-bit product of two 64-bit numbers, which ISO C++ has no type for.

namespace freshet {

__extension__ typedef unsigned __int128 Wide;

}  // namespace freshet

#pragma once
// Whether the address sanitizer watches. Memory is then not divided by allocators of ours, so that it sees
// every block as an allocation of its own, and those that nobody gave back.

#if defined(__SANITIZE_ADDRESS__)
#define FRESHET_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FRESHET_ADDRESS_SANITIZER 1
#endif
#endif

namespace freshet {

#if defined(FRESHET_ADDRESS_SANITIZER)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif

}  // namespace freshet

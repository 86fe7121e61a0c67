// Owns the precompiled <gtest/gtest.h> that all test binaries reuse; see CMakeLists.txt.

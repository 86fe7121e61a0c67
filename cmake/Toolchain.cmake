# Language, warnings, optimisation and sanitizers: the same for every target of the project.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug or Sanitize" FORCE)
endif()
set(FRESHET_SANITIZE "" CACHE STRING "what -fsanitize= gets; set by the presets asan and tsan")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g1 -fno-omit-frame-pointer")

add_compile_options(
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Werror
  -fno-math-errno     # nobody asks errno about a square root
  -ffp-contract=off)  # a fused multiply-add would give other bits on other machines
if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  add_compile_options(-Wno-sign-conversion)  # which -Wconversion of g++ leaves out
endif()
include_directories(${PROJECT_SOURCE_DIR})

if(FRESHET_SANITIZE)
  add_compile_options(-fsanitize=${FRESHET_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${FRESHET_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # What follows values through the code is misled by the instrumentation, as GCC's manual says of -fsanitize. Other
    # builds ask these.
    add_compile_options(-Wno-maybe-uninitialized -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow)
  endif()
endif()

# The directory of the build is left out of ccache's key, so a second build directory finds what the first compiled.
find_program(FRESHET_CCACHE ccache)
if(FRESHET_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros ${FRESHET_CCACHE})
endif()

find_package(Threads REQUIRED)

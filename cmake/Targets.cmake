# A folder of sources is a library, a folder of tests is one test binary. Sources are globbed, so a new file needs no
# line here; a folder without sources yet is still a target that others may name.

include(GoogleTest)

# Build the test binaries of these labels: what the sanitizers run.
add_custom_target(freshet_unit_tests)
add_custom_target(freshet_conformance_tests)

# freshet_library(<name> [DEPS <targets>...] [PRIVATE_DEPS <targets>...] [ONLY <regex>] [EXCEPT <regex>])
# DEPS are what the folder's headers include, PRIVATE_DEPS what only its sources include. main.cc is left to the
# executable, *_test.cc to freshet_tests.
function(freshet_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "ONLY;EXCEPT" "DEPS;PRIVATE_DEPS")
  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  list(FILTER sources EXCLUDE REGEX "(/main|_test)\\.cc$")
  if(arg_ONLY)
    list(FILTER sources INCLUDE REGEX "${arg_ONLY}")
  endif()
  if(arg_EXCEPT)
    list(FILTER sources EXCLUDE REGEX "${arg_EXCEPT}")
  endif()
  if(sources)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC ${arg_DEPS} PRIVATE ${arg_PRIVATE_DEPS})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${arg_DEPS} ${arg_PRIVATE_DEPS})
  endif()
endfunction()

# freshet_tests(<name> DEPS <targets>... [LABEL <label>] [TIMEOUT <seconds>] [ONLY <regex>] [SERIAL]
#               [ONE_PROCESS])
# The binary is test_<name>, its tests are <name>.<suite>.<test>. LABEL defaults to `unit`: these, and `conformance`,
# the sanitizers run too.
# TIMEOUT is for one test. SERIAL: no other test beside one of these.
# ONE_PROCESS: one ctest entry for the whole binary, where its tests share something costly such as a broker.
function(freshet_tests name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL;ONE_PROCESS" "TIMEOUT;ONLY;LABEL" "DEPS")
  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  if(arg_ONLY)
    list(FILTER sources INCLUDE REGEX "${arg_ONLY}")
  endif()
  if(NOT sources)
    return()
  endif()
  if(NOT arg_LABEL)
    set(arg_LABEL unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  set(properties TIMEOUT ${arg_TIMEOUT} LABELS ${arg_LABEL})
  if(arg_SERIAL)
    list(APPEND properties RUN_SERIAL ON)
  endif()
  add_executable(test_${name} ${sources})
  if(TARGET freshet_${arg_LABEL}_tests)
    add_dependencies(freshet_${arg_LABEL}_tests test_${name})
  endif()
  target_link_libraries(test_${name} PRIVATE ${arg_DEPS} GTest::gtest GTest::gtest_main Threads::Threads)
  freshet_gtest_header(test_${name})
  set_target_properties(test_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  if(arg_ONE_PROCESS)
    add_test(NAME ${name} COMMAND test_${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES ${properties})
    return()
  endif()
  gtest_discover_tests(test_${name}
    TEST_PREFIX ${name}.
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 60
    PROPERTIES ${properties})
endfunction()

# gtest.h costs 1.4 s a file: it is compiled once for all test binaries, in the target freshet_gtest_pch.
function(freshet_gtest_header target)
  target_precompile_headers(${target} REUSE_FROM freshet_gtest_pch)
endfunction()

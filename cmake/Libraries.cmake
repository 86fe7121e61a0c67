# Debian's libraries as targets. `./dev setup` installs them all.

find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(simdjson REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)

# freshet_system_library(<target> <header> <library>): for packages whose own CMake files are absent or ask for more
# development packages than we need.
function(freshet_system_library target header library)
  find_path(${target}_INCLUDE ${header})
  find_library(${target}_LIBRARY ${library})
  mark_as_advanced(${target}_INCLUDE ${target}_LIBRARY)
  if(NOT ${target}_INCLUDE OR NOT ${target}_LIBRARY)
    message(FATAL_ERROR "${header} or lib${library} is missing; run ./dev setup, which installs what the build needs")
  endif()
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${target} SYSTEM INTERFACE ${${target}_INCLUDE})
  target_link_libraries(${target} INTERFACE ${${target}_LIBRARY})
endfunction()

freshet_system_library(rdkafka librdkafka/rdkafka.h rdkafka)
freshet_system_library(rocksdb rocksdb/db.h rocksdb)
freshet_system_library(prometheus prometheus/registry.h prometheus-cpp-core)
freshet_system_library(boost_json boost/json.hpp boost_json)
freshet_system_library(boost_program_options boost/program_options.hpp boost_program_options)

# What nearly every file includes of the libraries is parsed twice per build, once for the floors and once for the
# tests, and not once per file. No header of ours is in it: a change of one rebuilds what includes it, no more.
# `add_floor` and `add_isochron_test` use it; each header of ours still compiles alone (house_rules.headers).

find_package(GTest REQUIRED)

# Not CMake's default, in which ccache does not see that this is a path.
set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -include-pch <PCH_FILE>)

set(ISOCHRON_PRECOMPILED
    <algorithm> <atomic> <chrono> <coroutine> <cstdint> <deque> <functional> <map> <memory> <optional> <set>
    <string> <utility> <variant> <vector> <absl/functional/any_invocable.h> <absl/status/status.h>
    <absl/status/statusor.h> <absl/strings/str_cat.h> <absl/strings/str_format.h> <absl/strings/str_join.h>
    <boost/intrusive/list.hpp>)

function(add_precompiled target)
  cmake_parse_arguments(PRECOMPILED "" "" "HEADERS;LINK" ${ARGN})
  add_library(${target} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/precompiled.cc)
  target_link_libraries(${target} PRIVATE isochron_compile isochron_warnings ${PRECOMPILED_LINK})
  target_precompile_headers(${target} PRIVATE ${PRECOMPILED_HEADERS})

  # The bytes of a precompiled header hold paths of the build, so that ccache would share nothing between clones. It
  # takes the hash of what was parsed instead, from a file of this name. An upgraded library is seen by its headers.
  list(TRANSFORM PRECOMPILED_HEADERS PREPEND "#include " OUTPUT_VARIABLE lines)
  list(JOIN lines "\n" text)
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/${target}.h "${text}\n")
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -std=c++20 -E ${CMAKE_CURRENT_BINARY_DIR}/${target}.h -P -x c++
                  OUTPUT_VARIABLE parsed COMMAND_ERROR_IS_FATAL ANY)
  string(SHA256 hash "${parsed}")
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${target}.dir/cmake_pch.hxx.pch.sum ${hash})
endfunction()

file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/precompiled.cc "")
add_precompiled(isochron_precompiled HEADERS ${ISOCHRON_PRECOMPILED})
add_precompiled(isochron_test_precompiled HEADERS ${ISOCHRON_PRECOMPILED} <gmock/gmock.h> <gtest/gtest.h>
                LINK GTest::gmock)

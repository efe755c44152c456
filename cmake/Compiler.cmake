# The one place for compiler settings: every target of the project links `isochron_compile`.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "Isochron builds with clang 19; use a preset: cmake --preset release")
endif()

option(ISOCHRON_FUZZ "Build the fuzzers (libFuzzer)" OFF)
set(ISOCHRON_SANITIZE "" CACHE STRING "Sanitizers: address,undefined or thread")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # Relative paths in the cache's keys: every clone, and the copies that scripts/planted builds, share what is compiled.
  # (Precompiled headers: cmake/Precompiled.cmake.)
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_PCH_EXTSUM=1
               CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE_PROGRAM})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

add_library(isochron_compile INTERFACE)
target_include_directories(isochron_compile INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
# Paths in CHECK messages, sanitizer reports and debug information start at the repository's root, wherever that is;
# a debugger that is started there finds the sources.
target_compile_options(
  isochron_compile INTERFACE -fPIC -pthread -fno-omit-frame-pointer -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=
                             -ffile-prefix-map=../../= -ffile-compilation-dir=.)
target_link_options(isochron_compile INTERFACE -fuse-ld=lld)
if(ISOCHRON_SANITIZE)
  target_compile_options(isochron_compile INTERFACE -fsanitize=${ISOCHRON_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(isochron_compile INTERFACE -fsanitize=${ISOCHRON_SANITIZE})
  target_compile_definitions(isochron_compile INTERFACE ISOCHRON_SANITIZED=1)
endif()
if(ISOCHRON_FUZZ)
  target_compile_options(isochron_compile INTERFACE -fsanitize=fuzzer-no-link)
endif()

# Warnings are errors in our own code; generated code is compiled without them.
add_library(isochron_warnings INTERFACE)
target_compile_options(
  isochron_warnings
  INTERFACE -Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wunused
            -Woverloaded-virtual -Wimplicit-fallthrough -Wthread-safety -Wextra-semi
            -Wnull-dereference)

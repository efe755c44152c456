# add_floor(<folder> [SOURCES ...] [PROTOS ...] [FLOORS ...] [PACKAGES ...])
#
# Makes one static library for a folder of the house (`runtime/real` becomes target `runtime_real`). It can link
# only the floors that it names in FLOORS, and those must stand in ISOCHRON_FLOORS before it: a circle, or a look
# upwards, stops the configuration. tests/house_rules checks the same of the #include lines.

set(ISOCHRON_FLOORS
    runtime runtime/real runtime/simulated truetime storage paxos shardmaster txn sql server workload/checker workload
    simulation cli)

function(add_floor folder)
  cmake_parse_arguments(FLOOR "" "" "SOURCES;PROTOS;FLOORS;PACKAGES" ${ARGN})
  if(FLOOR_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "add_floor(${folder}): unknown arguments ${FLOOR_UNPARSED_ARGUMENTS}")
  endif()
  list(FIND ISOCHRON_FLOORS ${folder} height)
  if(height EQUAL -1)
    message(FATAL_ERROR "add_floor(${folder}): not a floor of the house (see ISOCHRON_FLOORS)")
  endif()
  string(REPLACE "/" "_" target ${folder})
  add_library(${target} STATIC ${FLOOR_SOURCES})
  target_link_libraries(${target} PUBLIC isochron_compile PRIVATE isochron_warnings)
  target_link_libraries(${target} PUBLIC ${FLOOR_PACKAGES})
  target_precompile_headers(${target} REUSE_FROM isochron_precompiled)
  foreach(below ${FLOOR_FLOORS})
    list(FIND ISOCHRON_FLOORS ${below} below_height)
    if(below_height EQUAL -1 OR below_height GREATER_EQUAL height)
      message(FATAL_ERROR "add_floor(${folder}): ${below} is not a floor below it")
    endif()
    string(REPLACE "/" "_" below_target ${below})
    target_link_libraries(${target} PUBLIC ${below_target})
  endforeach()
  if(FLOOR_PROTOS)
    add_proto_library(${target}_proto ${FLOOR_PROTOS})
    target_link_libraries(${target} PUBLIC ${target}_proto)
  endif()
  verify_headers(${target})
endfunction()

# Each header of this folder and of its kernel/ compiles alone, with what these libraries bring: the target
# all_verify_interface_header_sets, which scripts/test builds and the test house_rules.headers demands.
function(verify_headers)
  file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.h ${CMAKE_CURRENT_SOURCE_DIR}/kernel/*.h)
  get_property(verified DIRECTORY PROPERTY ISOCHRON_HEADERS_VERIFIED)
  if(NOT headers OR verified)
    return()
  endif()
  set_property(DIRECTORY PROPERTY ISOCHRON_HEADERS_VERIFIED TRUE)
  file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  string(REPLACE "/" "_" target ${folder}_headers)
  add_library(${target} INTERFACE)
  target_link_libraries(${target} INTERFACE isochron_compile ${ARGN})
  target_sources(${target} INTERFACE FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR} FILES ${headers})
  set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
endfunction()

# Generated protobuf code, compiled once into a library of its own. Include it as "folder/name.pb.h".
function(add_proto_library target)
  set(generated ${CMAKE_BINARY_DIR}/generated)
  set(outputs)
  foreach(proto ${ARGN})
    file(RELATIVE_PATH relative ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/${proto})
    string(REGEX REPLACE "\\.proto$" "" stem ${relative})
    add_custom_command(
      OUTPUT ${generated}/${stem}.pb.cc ${generated}/${stem}.pb.h
      COMMAND ${CMAKE_COMMAND} -E make_directory ${generated}
      COMMAND protobuf::protoc --proto_path=${CMAKE_SOURCE_DIR} --cpp_out=${generated} ${relative}
      WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
      DEPENDS ${CMAKE_SOURCE_DIR}/${relative}
      COMMENT "Generating ${stem}.pb.h")
    list(APPEND outputs ${generated}/${stem}.pb.cc ${generated}/${stem}.pb.h)
  endforeach()
  add_library(${target} STATIC ${outputs})
  target_link_libraries(${target} PUBLIC isochron_compile protobuf::libprotobuf)
endfunction()

# What the sanitizers of a test read: uninstrumented libraries are excused in files where each line has its reason.
find_program(ISOCHRON_SYMBOLIZER llvm-symbolizer-19 REQUIRED)
set(ISOCHRON_TEST_ENVIRONMENT
    "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_init_order=1:external_symbolizer_path=${ISOCHRON_SYMBOLIZER}"
    "LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/lsan.supp:print_suppressions=0"
    "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/tsan.supp:second_deadlock_stack=1:external_symbolizer_path=${ISOCHRON_SYMBOLIZER}"
    "UBSAN_OPTIONS=print_stacktrace=1:external_symbolizer_path=${ISOCHRON_SYMBOLIZER}")

# add_isochron_test(<name> SOURCES ... LINK ... [LABELS ...] [TIMEOUT seconds] [SERIAL])
#
# One GoogleTest binary, each test a CTest entry. Each has its folder under tests/ as a label, besides LABELS. SERIAL is for tests that measure time or keep both cores busy:
# CTest runs nothing beside them.
function(add_isochron_test name)
  cmake_parse_arguments(TEST "SERIAL" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  if(TEST_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "add_isochron_test(${name}): unknown arguments ${TEST_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 600)
  endif()
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE isochron_compile isochron_warnings ${TEST_LINK} GTest::gmock
                                        GTest::gtest_main)
  target_precompile_headers(${name} REUSE_FROM isochron_test_precompiled)
  verify_headers(${TEST_LINK} GTest::gmock)
  file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR}/tests ${CMAKE_CURRENT_SOURCE_DIR})
  list(PREPEND TEST_LABELS ${folder})
  include(GoogleTest)
  # A test is named by its name: how its parameter is printed may depend on where it is.
  gtest_discover_tests(${name} TEST_PREFIX ${name}. NO_PRETTY_VALUES DISCOVERY_TIMEOUT 60)
  # gtest_discover_tests splits properties that are lists, so they are set where CTest reads its result.
  set(properties ${CMAKE_CURRENT_BINARY_DIR}/${name}_properties.cmake)
  file(WRITE ${properties}
       "set_tests_properties(\${${name}_TESTS} PROPERTIES\n"
       "  TIMEOUT ${TEST_TIMEOUT} LABELS [[${TEST_LABELS}]] RUN_SERIAL ${TEST_SERIAL}\n"
       "  ENVIRONMENT [[${ISOCHRON_TEST_ENVIRONMENT}]])\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${properties})
endfunction()

# add_isochron_fuzzer(<name> LINK ...): a libFuzzer target, in the preset `fuzz` only. <name> ends in _fuzz
# and is the name of its source, by which scripts/fuzz finds it; tests/fuzz/corpus/<name> may hold inputs to begin with.
function(add_isochron_fuzzer name)
  cmake_parse_arguments(FUZZER "" "" "LINK" ${ARGN})
  if(NOT ISOCHRON_FUZZ)
    return()
  endif()
  add_executable(${name} ${name}.cc)
  target_link_libraries(${name} PRIVATE isochron_compile isochron_warnings ${FUZZER_LINK})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzzers ${name})
endfunction()

# add_floor(<folder> [SOURCES ...] [PROTOS ...] [FLOORS ...] [PACKAGES ...])
#
# Makes one static library for a folder of the house (`runtime/real` becomes target `runtime_real`). It can link
# only the floors that it names in FLOORS, and those must stand in ISOCHRON_FLOORS before it: a circle, or a look
# upwards, stops the configuration. tests/house_rules checks the same of the #include lines.

set(ISOCHRON_FLOORS
    runtime runtime/real runtime/simulated truetime storage paxos shardmaster txn sql server workload
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

# add_isochron_test(<name> SOURCES ... LINK ... [LABELS ...]): one GoogleTest binary, each test a CTest entry.
function(add_isochron_test name)
  cmake_parse_arguments(TEST "" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 600)
  endif()
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE isochron_compile isochron_warnings ${TEST_LINK} GTest::gmock
                                        GTest::gtest_main)
  include(GoogleTest)
  gtest_discover_tests(
    ${name}
    TEST_PREFIX ${name}.
    DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT ${TEST_TIMEOUT} LABELS "${TEST_LABELS}")
endfunction()

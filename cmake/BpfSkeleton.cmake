# SPDX-License-Identifier: Apache-2.0
# weir_bpf_skeleton(TARGET SOURCE): compiles SOURCE (name.bpf.c) for BPF and gives TARGET the generated
# header name.skel.h, with the object inside, on its include path.
find_program(CLANG clang REQUIRED)
find_program(BPFTOOL bpftool PATHS /usr/sbin /sbin REQUIRED)

function(weir_bpf_skeleton target source)
  get_filename_component(name ${source} NAME_WE)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
  set(skeleton ${CMAKE_CURRENT_BINARY_DIR}/${name}.skel.h)
  add_custom_command(OUTPUT ${object}
    COMMAND ${CLANG} -O2 -g -target bpf -mcpu=v3 -Wall -Wextra -Werror -I${PROJECT_SOURCE_DIR}
      -D__${CMAKE_SYSTEM_PROCESSOR}__ -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE} -MD -MF ${object}.d
      -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${object}
    DEPENDS ${source} DEPFILE ${object}.d VERBATIM)
  add_custom_command(OUTPUT ${skeleton}
    COMMAND sh -c "'${BPFTOOL}' gen skeleton '${object}' name ${name}_bpf >'${skeleton}'"
    DEPENDS ${object} VERBATIM)
  target_sources(${target} PRIVATE ${skeleton})
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
endfunction()

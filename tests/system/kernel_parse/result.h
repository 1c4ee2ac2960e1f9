/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#pragma once

/* result - what a parse in BPF tells the test. */

#include "lib/flow_parse.h"

struct kernel_parse_result {
    struct flow_key key;
    uint32_t is_out_of_reach;
    uint16_t l3_offset, l4_offset, vlan_bytes, l4_bytes;
};

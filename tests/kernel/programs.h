/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* programs - the programs of the kernel flow cache, loaded for BPF_PROG_RUN, with a small table of their own.
 *
 * Frames come in by PROGRAMS_IN, which is port slot PROGRAMS_SLOT, and PROGRAMS_OUT_PORT is the one port
 * there is to send to.  Nothing is attached, so nothing is ever sent.
 *
 * Threads  One. */

#include <stdbool.h>
#include <stdint.h>

#include "datapath/kernel/layout.h"

enum {
    PROGRAMS_IN = 1, /* The interface index that BPF_PROG_RUN tells: loopback. */
    PROGRAMS_SLOT = 7,
    PROGRAMS_OUT_PORT = 2,
    PROGRAMS_N_ENTRIES = 1024,
};

struct bpf_map;
struct steal_bpf;
struct xdp_bpf;

struct programs {
    struct steal_bpf *tc;
    struct xdp_bpf *xdp;
    struct kc_state state;
};

/* 0, or negative errno with a sentence on standard error; -EPERM: BPF is not permitted here. */
int programs_load(struct programs *programs);
void programs_unload(struct programs *programs);

/* An element of an array; the program ends if that fails. */
void programs_put(const struct bpf_map *map, uint32_t index, const void *value);

/* Is the port of PROGRAMS_IN known? */
void programs_set_device(struct programs *programs, bool is_there);

/* The entry of 'key', fresh: 'action', valid, and in use by nobody else.  0: there is none. */
void programs_put_entry(struct programs *programs, const struct kc_key *key, uint32_t action);

/* As it is now; of IPv4 and others just the head. */
struct kc_entry6 programs_get_entry(const struct programs *programs, const struct kc_key *key);

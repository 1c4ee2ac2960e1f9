/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* loaded - the programs of steal.bpf.c and their maps, by descriptors.
 *
 * To load them takes tens of milliseconds, nearly all of it in the verifier, and while a daemon starts nobody
 * treats frames of flows that are not cached.  So they are pinned beside their maps, under names that hold a
 * hash of all that they are made of; who finds them there, on those very maps, takes them as they are.  Those
 * of another build are loaded, and what was pinned of them is removed.
 *
 * Threads  Main thread. */

#include <stddef.h>
#include <stdint.h>

struct pins;

enum loaded_map {
    LOADED_STATE,
    LOADED_ENTRIES,
    LOADED_ENTRIES6,
    LOADED_PORTS,
    LOADED_PROGRAMS,
    LOADED_DEVICES,
    LOADED_METERS,
    LOADED_PORT_SLOTS,
    LOADED_N_MAPS,
};

/* Descriptors; owned. */
struct loaded {
    int ingress, egress; /* Programs. */
    int maps[LOADED_N_MAPS];
};

/* Programs that send frames to the netdev 'tap_ifindex', with the maps that are pinned or will be; 'pins' may be NULL.
 * 0, or negative errno with 'loaded' empty. */
int loaded_open(struct loaded *loaded, struct pins *pins, uint32_t tap_ifindex);
void loaded_close(struct loaded *loaded); /* Also of what is empty (loaded_init()), and twice. */
void loaded_init(struct loaded *loaded);

/* For programs that are loaded elsewhere.  The name of a pin: who the program is, and a hash of what it is made of. */
struct loaded_name {
    char text[56];
};
void loaded_name(struct loaded_name *name, const char *who, const void *object, size_t n_bytes,
                 uint64_t setting);

/* The program that is pinned as 'name', if it reads all of 'maps'; else -1. */
int loaded_find(const struct pins *pins, const struct loaded_name *name, const int *maps,
                size_t n_maps);

/* Pins the program as 'name', in place of others whose names begin with 'who'; just removes these if 'fd' is -1. */
void loaded_pin(const struct pins *pins, int fd, const char *who, const struct loaded_name *name);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* pins - the memory of the BPF programs under names, so that it outlives the daemon.
 *
 * In PINS_ROOT/<instance>, which only root may enter.  The programs need no names: filters hold
 * them, and they hold the maps.  Besides the maps there is "kept", which says whether the rest can be
 * understood, and which device had which number: entries of the flow cache are full of such numbers.
 *
 * What is of another layout, or of another network namespace (its interface indexes mean nothing
 * here), is removed when it is found.
 *
 * Threads  Main thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath/kernel/layout.h"
#include "lib/error.h"

#define PINS_ROOT "/sys/fs/bpf/weir"

/* By port number: who has it. */
struct kept_port {
    uint32_t ifindex; /* 0: nobody. */
    uint16_t slot;
    uint16_t is_promiscuous; /* We made it so, and it was not. */
};

/* What comes before the ports stays as it is when layouts change: it says whose it is. */
struct kept {
    uint64_t layout; /* 0: not complete. */
    uint64_t netns;
    uint32_t tap_ifindex;
    uint32_t qdisc_ifindex; /* Device that is getting a clsact qdisc and a filter; 0: none is. */
    char home[224];         /* As struct tap_owner. */
    struct kept_port ports[KC_MAX_PORTS];
};

struct bpf_map;
struct pins;
struct tap_owner;

/* The exception tap of what pins_open() would find; 0: nothing. */
int pins_tap_ifindex(const char *instance);

/* The pins of 'owner', whose exception tap is 'tap_ifindex'; mounts the BPF filesystem if there is none.  As long as
 * they are open others see that they are.  NULL with 'error' set: nothing can be pinned. */
struct pins *pins_open(const struct tap_owner *owner, int tap_ifindex, struct error *error);

/* Was there anything to take over? */
bool pins_are_adopted(const struct pins *pins);

/* The path of the pin 'name'. */
void pins_name(const struct pins *pins, const char *name, char *path, size_t n_bytes);

/* Before loading: 'map' is the one that is pinned as 'name', or will be. */
int pins_use(struct pins *pins, struct bpf_map *map, const char *name);

/* After loading: what was pinned can be adopted from now on. */
void pins_complete(struct pins *pins);

struct kept *pins_kept(struct pins *pins);

int pins_forget(struct pins *pins, struct error *error); /* Removes them, and begins again. */
void pins_close(struct pins *pins);                      /* They stay.  NULL is fine. */

/* Without opening them */

/* True: there were any. */
bool pins_remove(const char *instance);

/* A copy of what was kept, for free(); NULL: nothing that can be understood, or it is of another namespace. */
struct kept *pins_read(const char *instance);

/* Calls 'each' for everybody who has pins.  'is_open': a process has them open. */
void pins_each(void (*each)(const struct tap_owner *owner, bool is_open, void *arg), void *arg);

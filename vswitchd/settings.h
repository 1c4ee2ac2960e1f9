/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* settings - are these words and numbers of the database something we can do?
 *
 * The database checks types and ranges; what names and values mean is checked here, because anybody who may
 * write to the database can write anything into it.
 *
 * Errors   -EINVAL with a sentence that names the value; the caller puts the row's name before it.
 * Threads  Plain functions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "vswitchd/topology.h"

struct port_vlans {
    enum port_vlan_mode mode;
    uint16_t tag;
    uint64_t trunks[4096 / 64]; /* All ones: no restriction. */
    bool sends_priority_tags;
};

/* Is 'name' fit for a network device, and for a file in the run directory? */
int device_name_check(const char *name, struct error *error);

/* A patch port is no device: its name may be longer and contain ':'. */
int patch_name_check(const char *name, struct error *error);

/* From a Port row: 'vlan_mode' may be NULL, 'tag' is -1 for none, no trunks means no restriction. */
int port_vlans_set(struct port_vlans *vlans, const char *vlan_mode, int tag, const int64_t *trunks,
                   size_t n_trunks, struct error *error);

/* Exactly 16 hexadecimal digits, or 1 to 16 with "0x" before; 0 (no valid id) otherwise. */
uint64_t datapath_id_parse(const char *text);

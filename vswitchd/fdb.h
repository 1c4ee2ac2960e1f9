/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* fdb - on which port was each station last heard?
 *
 * One table per bridge, keyed by VLAN and MAC address (IEEE 802.1Q, section 8.8: the filtering
 * database).  A miss is normal and means "flood".  A full table evicts the oldest entry of the port that
 * has most, so that one port cannot fill it.
 *
 * Each (VLAN, MAC) hashes to a slot; a change to what fdb_lookup() would return moves the generation of
 * that slot, through the 'changed' callback, so that only verdicts about this station fall.
 *
 * Threads  fdb_lookup(), fdb_slot(), fdb_needs_learning(), fdb_each() on any RCU reader; fdb_learn()
 *          and fdb_refresh() on any RCU reader (they lock); the rest on the main thread.
 * Memory   The table owns its entries.
 * Time     Never reads a clock: callers pass 'now_ns'. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "lib/mac.h"
#include "lib/openflow/openflow.h"

enum { FDB_DEFAULT_ENTRIES = 8192, FDB_DEFAULT_AGE_S = 300 };

struct fdb;

typedef void fdb_changed(void *aux, uint16_t slot);

/* Slots are 1 to 'n_slots' - 1.  'changed' is called with the table's lock held. */
struct fdb *fdb_create(size_t max_entries, unsigned int age_s, uint16_t n_slots,
                       fdb_changed *changed, void *aux);
void fdb_destroy(struct fdb *fdb); /* NULL is fine; no readers are left. */
void fdb_set_limits(struct fdb *fdb, size_t max_entries, unsigned int age_s);

/* The generation slot (>= 1) of a station. */
uint16_t fdb_slot(const struct fdb *fdb, uint16_t vid, struct mac mac);

/* Was 'mac' last heard elsewhere, or so long ago that its age should be noted?  Cheap: no lock. */
bool fdb_needs_learning(const struct fdb *fdb, uint16_t vid, struct mac mac, of_port port,
                        int64_t now_ns);

/* Notes that 'mac' sent from 'port' in 'vid'.  True if it is new or has moved. */
bool fdb_learn(struct fdb *fdb, uint16_t vid, struct mac mac, of_port port, int64_t now_ns);

/* Notes that a cached verdict, made when 'mac' was on 'port', still carries its frames: only the age of an
 * entry that is there and on 'port' changes.  Any thread. */
void fdb_refresh(struct fdb *fdb, uint16_t vid, struct mac mac, of_port port, int64_t used_ns);

/* The port of 'mac', or OFPP_NONE. */
of_port fdb_lookup(const struct fdb *fdb, uint16_t vid, struct mac mac);

void fdb_expire(struct fdb *fdb, int64_t now_ns); /* Call about once a second. */
void fdb_flush_port(struct fdb *fdb, of_port port);
void fdb_flush_all(struct fdb *fdb);

/* By hand (fdb/add, fdb/del): static entries do not age and do not move. */
int fdb_add_static(struct fdb *fdb, uint16_t vid, struct mac mac, of_port port);
int fdb_remove(struct fdb *fdb, uint16_t vid, struct mac mac); /* -ENOENT */

struct fdb_entry_info {
    uint16_t vid;
    struct mac mac;
    of_port port;
    int64_t heard_ns;
    bool is_static;
};

void fdb_each(const struct fdb *fdb, void (*each)(const struct fdb_entry_info *, void *arg),
              void *arg);

struct fdb_stats {
    size_t n_entries, n_static, max_entries;
    uint64_t n_learned, n_expired, n_evicted, n_moved;
};

void fdb_get_stats(const struct fdb *fdb, struct fdb_stats *stats);
void fdb_clear_stats(struct fdb *fdb); /* What was counted, not what is there. */

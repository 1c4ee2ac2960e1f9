/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* kcache - which flows does the kernel forward without asking?
 *
 * The user side of the kernel flow cache (kernel/layout.h): workers offer flows they have just treated, and
 * those that can be said in the kernel's terms are written where the BPF programs find them.  An entry is
 * exact, and derived from a megaflow, which it refers to: what its frames do is credited to that one, and it
 * goes when that one goes.
 *
 * When the tables have changed, a megaflow is walked again and another takes its place.  Its entries
 * are out of date by then and their frames come up; the first of each is enough to renew its entry, and
 * kcache_sweep() renews the others.
 *
 * A flow is taken up with the second frame that has its key, so that a scan leaves no trace.
 *
 * Bounds   KCACHE_DEFAULT_ENTRIES flows of IPv4 and other types, a quarter as many of IPv6; a flow
 *          that finds no room stays in userspace and tries again with each frame.  KC_N_PROGRAMS
 *          verdicts that are more than "to one port" or "drop"; KC_N_METERS meters.
 * Threads  kcache_offer() on workers; the rest on any RCU reader.  One lock; what is under it is short. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "datapath/kernel/layout.h"
#include "lib/buffer.h"
#include "lib/flow.h"

struct datapath;
struct dp_meters;
struct kcache;
struct kept;
struct megaflow;

enum { KCACHE_DEFAULT_ENTRIES = 131072 };

/* Memory that the programs share.  Plain memory does for tests. */
struct kcache_maps {
    struct kc_state *state;
    struct kc_entry *entries;
    struct kc_entry6 *entries6;
    struct kc_port *ports;
    struct kc_program *programs;
    struct kc_device *devices;
    struct kc_meter *meters;                   /* NULL: the kernel applies none. */
    uint32_t n_entries, n_entries6;            /* Powers of two. */
    struct kept *kept;                         /* Borrowed; NULL: nothing outlives us. */
    bool is_adopted;                           /* All this was written by an earlier daemon. */
    void (*release)(struct kcache_maps *maps); /* NULL: nothing to do. */
};

#define KCACHE_REFUSALS(X)                                                                  \
    X(KCACHE_FIELDS, fields, "the verdict looked at a field that the key does not hold")    \
    X(KCACHE_ACTIONS, actions, "the verdict has an action that the kernel program has not") \
    X(KCACHE_PORTS, ports, "the verdict sends to a port that lives in userspace")           \
    X(KCACHE_CUT, cut, "the verdict cuts the frame for a port, and changes it for another") \
    X(KCACHE_METER, meter,                                                                  \
      "a meter limits only a part, or what goes nowhere, or has no place in the kernel")    \
    X(KCACHE_TOO_LONG, too_long, "the verdict has too many steps")                          \
    X(KCACHE_NO_PROGRAM, no_program, "there are too many different verdicts")

enum kcache_refusal {
#define X(id, name, text) id,
    KCACHE_REFUSALS(X)
#undef X
        KCACHE_N_REFUSALS
};

const char *kcache_refusal_name(enum kcache_refusal refusal);
const char *kcache_refusal_text(enum kcache_refusal refusal);

/* What a megaflow knows of its entries; zero at first.  Under the cache's lock. */
struct kcache_flow {
    uint32_t first;             /* Of its entries; 0: none. */
    uint32_t action;            /* Compiled; KC_NOTHING: not yet. */
    struct megaflow *successor; /* Referenced; took its place in the table. */
    _Atomic uint32_t n_entries;
    _Atomic uint8_t
        refused; /* For these kinds of frames (1 << enum kc_kind); all bits: for good. */
};

/* 'maps' are zero; the cache takes them, and releases them in the end.  NULL: out of memory, and nothing is
 * taken. */
struct kcache *kcache_create(struct datapath *dp, const struct kcache_maps *maps);
void kcache_destroy(struct kcache *cache); /* No flow refers to it.  NULL is fine. */

/* Ports by number: where the kernel may send. */
struct kcache_port {
    int ifindex;
    uint32_t redirect_flags;
    uint32_t max_bytes;
    bool has_peer;
    uint64_t peer_mac;
    bool takes_xdp;
};
void kcache_set_port(struct kcache *cache, uint32_t port_no, const struct kcache_port *port);
void kcache_set_port_xdp(struct kcache *cache, uint32_t port_no, bool takes_xdp);
void kcache_clear_port(struct kcache *cache, uint32_t port_no);

/* The other end of the port's veth has changed; 'port' says what it is like now. */
void kcache_change_peer(struct kcache *cache, uint32_t port_no, const struct kcache_port *port);

/* Up to 'n' network devices that are ports, from '*next' on, which moves on and begins again. */
uint32_t kcache_list_ports(struct kcache *cache, uint32_t *next, uint32_t *numbers,
                           struct kcache_port *ports, uint32_t n);

/* 'slot' has just become newer; under the datapath's generation lock. */
void kcache_invalidate(struct kcache *cache, uint16_t slot, uint64_t generation);

/* A frame of 'flow' with 'key' came in by the port of 'slot' and up to userspace.  'is_repeated': not the first
 * with this very key. */
void kcache_offer(struct kcache *cache, struct megaflow *flow, const struct flow_key *key,
                  uint16_t slot, bool is_repeated, int64_t now_ns);

/* 'flow' stands in the table where 'old' did. */
void kcache_succeed(struct kcache *cache, struct megaflow *old, struct megaflow *flow);

/* 'flow' has left the table, and nobody will offer it any more: its entries go to its successor, or go. */
void kcache_forget(struct kcache *cache, struct megaflow *flow);

/* Adds to megaflows and ports what entries have done; those of 'flow', if they are not very many. */
void kcache_collect_flow(struct kcache *cache, struct megaflow *flow);
void kcache_collect(struct kcache *cache, int64_t now_ns);

/* Collects, renews what is out of date, gives up what was not used for 'max_idle_ns'.  The caller holds nothing
 * under RCU.  True: call kcache_wait_for_programs(), then kcache_reuse(), and what was given up makes room. */
bool kcache_sweep(struct kcache *cache, int64_t now_ns, int64_t max_idle_ns);
void kcache_wait_for_programs(void); /* That are running now; some milliseconds. */
void kcache_reuse(struct kcache *cache);

/* Is there something to sweep? */
bool kcache_has_work(struct kcache *cache);

/* Where a walk is; zero at first. */
struct kcache_cursor {
    uint32_t table, at;
};

/* Adoption: entries that an earlier daemon has left go on forwarding as they are.  Meanwhile nothing is
 * installed or invalidated in the kernel.  Then each is confirmed by a flow that was translated anew, or
 * given up.  See adopt.h. */

struct kcache_adopted {
    _Alignas(uint64_t) struct flow_key key; /* What the entry says of its frames, its port aside. */
    uint32_t id;
    uint16_t slot; /* Of the port by which they come in. */
};

bool kcache_is_adopting(const struct kcache *cache); /* Any thread. */

/* Lets 'meters' have places in the memory that programs share, other than those that adopted entries name. */
void kcache_share_meters(struct kcache *cache, struct dp_meters *meters);
struct kept *kcache_kept(const struct kcache *cache);
uint64_t kcache_adopted_generation(const struct kcache *cache); /* Nothing in it is younger. */

/* Up to 'n' of them from 'cursor' on; 0: that was all. */
uint32_t kcache_list_adopted(struct kcache *cache, struct kcache_cursor *cursor,
                             struct kcache_adopted *entries, uint32_t n);
bool kcache_confirm(struct kcache *cache, uint32_t id, struct megaflow *flow, int64_t now_ns);
void kcache_give_up(struct kcache *cache, uint32_t id);

/* No entry is left to be confirmed.  Under the datapath's generation lock; 'generations' are of all slots. */
void kcache_end_adoption(struct kcache *cache, const _Atomic uint64_t *generations,
                         uint64_t generation);

/* Looking inside */

struct kcache_stats {
    uint32_t n_entries, max_entries;   /* IPv4 and others. */
    uint32_t n_entries6, max_entries6; /* IPv6. */
    uint32_t n_programs, max_programs;
    uint64_t n_hits, n_bytes; /* Collected. */
    uint64_t n_installed, n_renewed, n_removed;
    uint64_t n_expired, n_evicted;       /* Of those removed. */
    uint64_t n_full;                     /* Found no room. */
    uint64_t n_moved;                    /* Made room. */
    uint64_t n_adopted, n_confirmed;     /* Found at the start, and kept. */
    uint64_t refused[KCACHE_N_REFUSALS]; /* Megaflows. */
};

void kcache_get_stats(struct kcache *cache, struct kcache_stats *stats);

/* Frames that came in by the device and were lost by the programs. */
struct kcache_losses {
    uint64_t n_lost;    /* On their way up. */
    uint64_t n_unsent;  /* Copies. */
    uint64_t n_metered; /* By a meter. */
};
void kcache_get_losses(struct kcache *cache, int ifindex, struct kcache_losses *losses);

struct kcache_entry_info {
    struct flow_key key;   /* What the entry's key says of a frame. */
    struct megaflow *flow; /* Good for as long as flows are (graveyard_hold()). */
    uint64_t n_packets, n_bytes;
    int64_t used_ns;
    bool is_stale;
    bool is_faithful; /* It says what 'flow' does, as long as that is live. */
};

/* Up to 'n' entries from 'cursor' on; 0: that was all. */
uint32_t kcache_list(struct kcache *cache, struct kcache_cursor *cursor,
                     struct kcache_entry_info *entries, uint32_t n);

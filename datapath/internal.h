/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* internal - what the files of the datapath know of each other; tests too, nobody else.
 *
 * A struct lane is what one thread needs to treat frames without asking the others: buffers, a
 * microflow cache, a queue of frames to send, counters.  Each worker has one.  The last lane belongs to
 * no worker: callers of datapath_execute() and datapath_inject() take turns with it under 'call_lock'.
 *
 * Threads  A lane has one user at a time.  Ports are read under RCU and changed on the main thread. */

#include <pthread.h>
#include <stdatomic.h>

#include "datapath/datapath.h"
#include "datapath/kcache.h"
#include "datapath/megaflow.h"
#include "datapath/meters.h"
#include "datapath/microflow.h"
#include "datapath/port/tap.h"
#include "datapath/tx.h"
#include "lib/mutex.h"

enum {
    BATCH_FRAMES = 64,
    MAX_WORKERS = DP_MAX_WORKERS,
    MAX_LANES = MAX_WORKERS + 1,
    N_PORT_SLOTS = 65536,
};

/* One lane's counters of one port: written by that lane alone; or the kernel cache's. */
struct dp_port_counters {
    _Atomic uint64_t rx_packets, rx_bytes, rx_errors;
    _Atomic uint64_t tx_packets, tx_bytes, tx_dropped, tx_errors;
    _Atomic uint64_t dropped[DROP_N_REASONS];
} __attribute__((aligned(64)));

struct lane_counters {
    _Atomic uint64_t n_microflow_hits, n_megaflow_hits, n_misses, n_lost, n_megaflow_probes;
} __attribute__((aligned(64)));

static inline void counter_add(_Atomic uint64_t *counter, uint64_t n)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);

    atomic_store_explicit(counter, value + n, memory_order_relaxed);
}

struct dp_port;
struct lane;

/* What differs between port types.  'close' runs when no worker uses the port any more. */
struct port_ops {
    const char *(*path)(const struct dp_port *port);
    void (*send)(struct lane *lane, struct dp_port *port, struct tx_frame *frame);
    int (*set_fastpath)(struct dp_port *port, enum dp_fastpath fastpath,
                        struct error *error); /* NULL: TC or nothing. */
    void (*stop)(struct dp_port *port); /* No frame enters from now on; NULL: nothing to do. */
    void (*close)(struct dp_port *port);
};

struct dp_port {
    struct datapath *dp;
    uint32_t port_no;
    enum dp_port_type type;
    const struct port_ops *ops;
    char name[IFNAMSIZ];
    int ifindex;   /* 0: it has none. */
    uint16_t slot; /* What frames that its exception path sends up are marked with; 0: none. */
    void *private; /* The port type's. */
    struct dp_port_counters *counters; /* Owned; one for each lane, and one for the kernel cache. */
    _Atomic bool is_kernel_cached;     /* Frames that come in meet the kernel cache first ... */
    _Atomic bool is_kernel_reachable;  /* ... and it can send here. */
    _Atomic int64_t miss_due_ns;       /* Miss budget: when the next miss would be due. */
};

/* Ports share bits: for guesses only. */
static inline uint64_t port_bit(const struct dp_port *port)
{
    return UINT64_C(1) << port->port_no % 64;
}

/* A flow that the kernel could treat from now on. */
struct kernel_offer {
    struct megaflow *flow; /* Referenced. */
    struct flow_key key;
    uint16_t slot; /* Of the port it came in by. */
    bool is_repeated;
};

enum { LANE_OFFERS = 64 };

struct lane {
    struct datapath *dp;
    unsigned int index;
    struct microflow_cache *microflows; /* Owned. */
    struct lane_counters counters;
    struct tx tx;
    int64_t now_ns;            /* Of the batch. */
    uint64_t came_by, went_to; /* Ports of frames since the worker last cleared it: port_bit(). */

    unsigned int n_turned_away; /* Flows that a crowded cache did not take. */
    struct verdict verdict;     /* The translation under way. */
    struct {
        struct megaflow *flow; /* NULL: none. */
        uint64_t n_packets, n_bytes;
        uint16_t tcp_flags;
    } run; /* Use of one megaflow that its counters do not show yet. */

    /* They wait until no frame does: those behind it must not be overtaken by the kernel. */
    struct kernel_offer offers[LANE_OFFERS];
    unsigned int n_offers;
    int64_t oldest_offer_ns;

    struct packet packets[BATCH_FRAMES];
    uint8_t *buffers; /* Owned; BATCH_FRAMES of LANE_BUFFER_STRIDE. */
};

/* A buffer holds the largest frame; the stride is odd in cache lines, so that the first bytes of a
 * batch's buffers do not compete for the same cache sets. */
enum {
    LANE_BUFFER_BYTES = PACKET_HEADROOM + PACKET_MAX_BYTES,
    LANE_BUFFER_STRIDE = 17 * 4096 + 320,
};
static_assert(LANE_BUFFER_STRIDE >= LANE_BUFFER_BYTES, "buffers do not overlap");

struct datapath {
    struct datapath_config config; /* Defaults filled in; as created. */
    _Atomic int64_t max_idle_ns;
    struct tap_owner owner; /* What we leave in the kernel is known by it. */
    const struct datapath_ops *ops;
    void *aux;
    unsigned int n_lanes; /* Workers, and one more. */
    struct lane *lanes[MAX_LANES];
    struct mutex call_lock; /* For the last lane. */

    struct megaflow_table *megaflows;
    struct dp_meters *meters; /* Owned. */
    struct graveyard graveyard;
    struct dp_port *_Atomic ports[DP_MAX_PORTS + 1]; /* RCU; by number. */
    struct dp_port *_Atomic *slots;                  /* RCU; N_PORT_SLOTS, by slot. */
    uint16_t last_slot;

    /* Generations: see megaflow_is_valid(). */
    struct mutex generation_lock; /* For writers. */
    _Atomic uint64_t generation;
    _Atomic uint64_t slot_generation[DP_N_SLOTS];

    dp_dummy_tx *dummy_tx;
    void *dummy_tx_arg;

    struct maintenance *maintenance; /* NULL: n_workers is 0. */
    struct worker *workers;          /* Likewise; owned, n_workers. */

    struct exception_tap *exception_tap; /* Owned; made with the first netdev port. */
    struct error exception_tap_refusal;  /* Why the kernel would not have it. */
    _Atomic bool has_xdp;                /* On any port. */
    bool has_taken_over;                 /* datapath_take_over() was called. */
    struct kcache *_Atomic kcache;       /* Owned; made with it, or NULL. */
    uint32_t next_peer;                  /* Maintenance: port whose peer to look at. */
};

static inline struct dp_port *datapath_port(const struct datapath *dp, uint32_t port_no)
{
    if (port_no > DP_MAX_PORTS)
        return NULL;
    return atomic_load_explicit(&dp->ports[port_no], memory_order_consume);
}

static inline void datapath_hold(const struct datapath *dp, int fd)
{
    if (dp->ops->hold)
        dp->ops->hold(dp->aux, fd);
}

static inline uint64_t datapath_generation(struct datapath *dp)
{
    return atomic_load_explicit(&dp->generation, memory_order_acquire);
}

/* NULL: the kernel caches nothing. */
static inline struct kcache *datapath_kcache(const struct datapath *dp)
{
    return atomic_load_explicit(&dp->kcache, memory_order_acquire);
}

/* From now on; on the main thread. */
void datapath_set_kcache(struct datapath *dp, struct kcache *kcache);

/* Lanes */

struct lane *lane_create(struct datapath *dp, unsigned int index);
void lane_destroy(struct lane *lane);

/* An empty packet in buffer 'i'. */
struct packet *lane_packet(struct lane *lane, unsigned int i);

static inline void lane_drop(struct lane *lane, struct dp_port *port, enum drop_reason reason)
{
    if (port)
        counter_add(&port->counters[lane->index].dropped[reason], 1);
}

/* For tests: as datapath_inject(), at a time of the caller's choosing. */
void datapath_inject_at(struct datapath *dp, uint32_t port_no, const void *frame, size_t n_bytes,
                        const struct virtio_net_hdr *vnet, int64_t now_ns);

/* One round of what the maintenance thread does every 500 ms: credit, expire, walk stale entries again,
 * free.  Without workers the caller's to do.  True if something is cached. */
bool datapath_maintain(struct datapath *dp, int64_t now_ns);

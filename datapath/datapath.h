/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* datapath - frames in, frames out, by cached verdicts.
 *
 * A datapath has numbered ports, workers that move frames between them, and two caches: a microflow
 * cache of exact keys in each worker and one megaflow cache of masked keys.  A frame that both miss is
 * handed to the owner's translate(), whose verdict is executed and cached.  The datapath knows no
 * tables, no bridges and no VLANs of ports: translate() does.
 *
 * Caches equal tables.  A verdict names what it depends on besides the key, as generation slots; an
 * entry whose slots have moved since is never used again but translated anew.  So once
 * datapath_invalidate() has returned and every worker has finished the batch it was in
 * (datapath_synchronize()), no later frame gets an old verdict.
 *
 * Threads  Everything here on the main thread, unless a line says otherwise.  Callbacks run on
 *          workers or on the maintenance thread, as RCU readers (liburcu, QSBR).
 * Memory   The datapath owns verdict contexts from translate() until it calls release(), once for each verdict that has
 *          it, and only after a grace period.
 * Time     Workers read CLOCK_MONOTONIC once a batch. */

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath/actions.h"
#include "datapath/drop.h"
#include "datapath/kcache.h"
#include "lib/buffer.h"
#include "lib/error.h"
#include "lib/flow.h"
#include "lib/netlink/link.h"
#include "lib/packet.h"

struct datapath;
struct dp_meters;

/* Generation slots: 0 stands for "anything that all verdicts depend on" (tables, ports, VLANs ...) and
 * belongs to every verdict; the others are chosen by hash, for example of a VLAN and a MAC address. */
enum { DP_N_SLOTS = 4096, DP_SLOT_ALL = 0, DP_SLOTS_PER_VERDICT = 6 };

struct verdict {
    struct dp_actions actions;
    struct flow_key mask;                 /* Every bit that translation looked at. */
    uint16_t slots[DP_SLOTS_PER_VERDICT]; /* Besides DP_SLOT_ALL. */
    uint8_t n_slots;
    bool cacheable; /* False: every frame is translated. */
    void *context;  /* The owner's; NULL is fine. */
    void *
        last; /* Given: the context of a verdict before this, which may be given again; NULL: none. */
};

/* The datapath calls up through these. 'aux' is the one given to datapath_create(). */
struct datapath_ops {
    /* Walks the tables for 'key' and fills 'verdict' (which comes uninitialised but for an empty
     * action list, a zero mask, no slots, cacheable, no context, and 'last').  'packet' is the frame, or NULL when a
     * cached entry is walked again: then nothing may be learned or sent. */
    void (*translate)(void *aux, const struct flow_key *key, const struct packet *packet,
                      int64_t now_ns, struct verdict *verdict);

    /* 'n_packets' more frames were treated by the verdict of 'context', the last at 'used_ns'.
     * 'tcp_flags' is the union of their TCP flags. */
    void (*credit)(void *aux, void *context, uint64_t n_packets, uint64_t n_bytes, int64_t used_ns,
                   uint16_t tcp_flags);

    /* The datapath holds 'context' no more, and nobody looks at it, but as often as it was given again by later
     * verdicts.  On any thread. */
    void (*release)(void *aux, void *context);

    /* A DP_DELIVER action met 'packet', whose headers are as changed so far; 'key' is the key
     * it came with.  Copy what is needed. */
    void (*deliver)(void *aux, void *context, uint32_t arg, const struct packet *packet,
                    const struct flow_key *key);

    /* It takes long to close 'fd' for good: who outlives the process may keep it open meanwhile.  NULL is fine. */
    void (*hold)(void *aux, int fd);
};

struct datapath_config {
    unsigned int n_workers;     /* 0: none; the caller drives it with datapath_inject(). */
    uint32_t max_megaflows;     /* 0: the default, 200,000. */
    uint32_t misses_per_second; /* Per port; 0: the default, 100,000; UINT32_MAX: no budget. */
    int64_t max_idle_ns;        /* Entries unused this long go; 0: the default, 10 s. */
    bool cache_off;             /* Translate every frame: for tests and diagnosis. */
    const char *instance; /* Names what must be unique on the machine: "weir" -> "weir-miss". */
    const char
        *home; /* Directory; what is left in the kernel is nobody's once it is gone.  NULL: none. */
};

/* Starts workers and maintenance.  NULL on failure, with 'error' set. */
struct datapath *datapath_create(const struct datapath_config *config,
                                 const struct datapath_ops *ops, void *aux, struct error *error);

/* Changes 'max_megaflows' and 'max_idle_ns'; what is too much by then goes within a round of
 * maintenance (500 ms). */
void datapath_set_limits(struct datapath *dp, uint32_t max_megaflows, int64_t max_idle_ns);

/* Stops and joins the threads, closes the ports, releases every context: no callback is called any more.  Meters
 * are left, for their owners to remove.  NULL is fine. */
void datapath_stop(struct datapath *dp);
void datapath_destroy(struct datapath *dp); /* Stops it, if nobody has.  NULL is fine. */

/* Ports */

enum dp_port_type {
    DP_PORT_NETDEV,   /* An existing kernel netdev: NIC, veth, VM tap. */
    DP_PORT_INTERNAL, /* A tap of ours, named like the port. */
    DP_PORT_DUMMY,    /* Memory only: frames come by datapath_inject(), leave by the tx hook. */
};

enum { DP_MAX_PORTS = 4094, DP_PORT_NONE = 0xffff };

struct dp_port_config {
    const char *name;
    enum dp_port_type type;
    const struct mac *mac; /* Internal: address to set on creation, or NULL. */
    int mtu;               /* Internal: 0 leaves it. */
};

struct dp_port_stats {
    uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
    uint64_t rx_dropped, tx_dropped, rx_errors, tx_errors;
    uint64_t dropped[DROP_N_REASONS]; /* Of frames that came in here. */
    uint64_t kernel_rx_packets;       /* Of rx_packets: treated by the kernel's flow cache. */
};

/* Opens a port and gives it the lowest free number >= 1 as '*port_no'.  -ENODEV, -EEXIST, -EPERM,
 * -ENOSPC ... with a sentence. */
int datapath_port_add(struct datapath *dp, const struct dp_port_config *config, uint32_t *port_no,
                      struct error *error);

/* Closes it: no frame enters or leaves once this returns.  An internal port's netdev goes. */
void datapath_port_remove(struct datapath *dp, uint32_t port_no);

/* Where frames that come in by a netdev port meet the kernel flow cache. */
enum dp_fastpath {
    DP_FASTPATH_TC,  /* At TC, with super-frames whole. */
    DP_FASTPATH_XDP, /* Before that, in the driver: the most frames a second. */
    DP_FASTPATH_OFF, /* Nowhere: all go to userspace. */
};

/* Changes it from DP_FASTPATH_TC, or back.  If the device cannot have it the port goes on as it was: negative
 * errno, and why. */
int datapath_port_set_fastpath(struct datapath *dp, uint32_t port_no, enum dp_fastpath fastpath,
                               struct error *error);

/* The port's device now looks like 'link': up or down, of another MTU; or something has happened to its
 * filters. */
void datapath_port_set_link(struct datapath *dp, uint32_t port_no, const struct link_info *link);

/* Puts back what somebody has taken off the port's device, and writes what others have there to 'strangers', in
 * words; nothing if there is nothing. */
void datapath_port_look(struct datapath *dp, uint32_t port_no, struct buffer *strangers);

/* The device 'name' (NULL: any) has changed or gone: if it is one that the datapath has besides its ports, it is put
 * right. */
void datapath_heal(struct datapath *dp, const char *name);

int datapath_port_get_stats(struct datapath *dp, uint32_t port_no, struct dp_port_stats *stats);

/* How frames of this port travel, for people: "TC", "XDP", "exception tap" (to userspace, all of them),
 * "AF_PACKET", "tap", "dummy". */
const char *datapath_port_path(struct datapath *dp, uint32_t port_no);

/* What another datapath, now gone, has left in the kernel goes on forwarding what it had cached until this is called
 * for the first time: when all ports are there that will be, and translation knows what to do.  From then on it
 * does what translation says, and never stops meanwhile (adopt.h). */
void datapath_take_over(struct datapath *dp);

/* Verdicts */

/* What depends on 'slot' is out of date from now on.  Any thread. */
void datapath_invalidate(struct datapath *dp, uint16_t slot);

/* Returns when every batch that was under way has ended.  Not on a worker. */
void datapath_synchronize(struct datapath *dp);

/* Credits everything cached so far to its owner's contexts (in the calling thread). */
void datapath_push_stats(struct datapath *dp);

/* Forgets all cached flows, after crediting them, and those that translations under way are about to
 * cache: their contexts have been released on return. */
void datapath_flush(struct datapath *dp);

/* Executes 'actions' on a copy of 'packet', as packet-out and controllers need.  'context' may be
 * NULL if there is no DP_DELIVER.  Any thread but a worker. */
void datapath_execute(struct datapath *dp, const struct packet *packet, const struct flow_key *key,
                      const struct dp_actions *actions, void *context);

/* What DP_METER actions name (meters.h). */
struct dp_meters *datapath_meters(struct datapath *dp);

/* Looking inside */

struct dp_flow_info {
    const struct flow_key *key; /* Under 'mask'. */
    const struct flow_key *mask;
    const struct dp_action *actions;
    uint32_t n_actions;
    uint64_t n_packets, n_bytes;
    int64_t used_ns; /* 0: never. */
    uint16_t tcp_flags;
    bool is_stale;             /* Will be translated anew on its next frame. */
    bool is_in_kernel;         /* It is one of the kernel's. */
    uint32_t n_kernel_entries; /* Else: of its flows, how many the kernel knows. */
};

/* Calls 'each' for every megaflow until it returns false.  The pointers die with the call. */
void datapath_flow_each(struct datapath *dp, bool (*each)(const struct dp_flow_info *, void *arg),
                        void *arg);

/* The same for every flow that the kernel forwards; each is exact. */
void datapath_kernel_flow_each(struct datapath *dp,
                               bool (*each)(const struct dp_flow_info *, void *arg), void *arg);

/* False: the kernel has no flow cache here. */
bool datapath_get_kernel_stats(struct datapath *dp, struct kcache_stats *stats);

/* Forgets, after crediting it, the first megaflow of which 'is_it' says so, and all that the kernel has of it.  False:
 * there was none. */
bool datapath_flow_remove(struct datapath *dp,
                          bool (*is_it)(const struct dp_flow_info *, void *arg), void *arg);

/* One worker, or, with the number behind the last one's, who executes packet-outs. */
enum { DP_MAX_WORKERS = 16 };

struct dp_worker_stats {
    uint64_t n_microflow_hits, n_megaflow_hits, n_misses, n_lost, n_megaflow_probes;
};

unsigned int datapath_n_workers(const struct datapath *dp);
void datapath_worker_get_stats(struct datapath *dp, unsigned int worker,
                               struct dp_worker_stats *stats);

/* Has the port a queue that this worker reads?  DP_PORT_NONE: is that so for what ports share? */
bool datapath_worker_serves(struct datapath *dp, unsigned int worker, uint32_t port_no);

struct datapath_stats {
    uint64_t n_microflow_hits, n_megaflow_hits, n_misses, n_lost; /* Lost: dropped by budget. */
    uint64_t n_megaflow_probes; /* Masks tried; / hits gives masks per hit. */
    uint64_t n_overruns;        /* Came in faster than workers took them, and were lost. */
    uint32_t n_megaflows, n_masks;
    uint32_t max_megaflows; /* The limits in force. */
    int64_t max_idle_ns;
};

void datapath_get_stats(struct datapath *dp, struct datapath_stats *stats);

/* One megaflow, match and actions, in the notation of ovs-dpctl(8) dump-flows, without a newline.
 * 'port_name' may be NULL or return NULL: ports are then numbers. */
void dp_flow_format(struct buffer *out, const struct dp_flow_info *flow,
                    const char *(*port_name)(uint32_t port_no, void *arg), void *arg);

/* 'mask' is what of 'key' is known of the frames; NULL: nothing. */
void dp_actions_format(struct buffer *out, const struct dp_action *actions, uint32_t n_actions,
                       const struct flow_key *key, const struct flow_key *mask,
                       const char *(*port_name)(uint32_t port_no, void *arg), void *arg);

/* Dummy ports: a frame goes through caches, translation and execution in the calling thread, which
 * must be the only one that does so (n_workers 0). */
void datapath_inject(struct datapath *dp, uint32_t port_no, const void *frame, size_t n_bytes,
                     const struct virtio_net_hdr *vnet /* or NULL */);

typedef void dp_dummy_tx(void *arg, uint32_t port_no, const struct packet *packet);
void datapath_set_dummy_tx(struct datapath *dp, dp_dummy_tx *tx, void *arg);

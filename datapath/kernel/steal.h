/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* steal - loads the BPF programs of steal.bpf.c, attaches them to netdevs, and maps their memory.
 *
 * Attached by TC: a filter of our own handle and priority on the ingress of a clsact qdisc, so that other
 * people's filters stay.  The qdisc goes with the last of ours if it was we who made it.
 *
 * Threads  Main thread. */

#include <stdint.h>

#include "datapath/kcache.h"
#include "lib/error.h"
#include "lib/netlink/link.h"

struct steal;
struct tap_owner;

/* Loads the program, which will send frames to the netdev 'tap_ifindex', with the memory that 'owner' has
 * pinned (kernel/pins.h).  NULL with 'error' set if BPF is not permitted or lacks something. */
struct steal *steal_create(const struct tap_owner *owner, int tap_ifindex, struct error *error);
void steal_destroy(struct steal *steal); /* And what is pinned.  NULL is fine; detach first. */

/* A flow cache in the memory of the programs, which may live longer than 'steal'.  Once.  NULL: out of memory. */
struct kcache *steal_create_kcache(struct steal *steal, struct datapath *dp);

/* From now on frames that come in by 'ifindex' are treated by the cache, or go to the tap, marked with 'slot'. */
int steal_attach(struct steal *steal, int ifindex, uint16_t slot, struct error *error);

/* The same for those that the host sends by 'ifindex', but for the tap: they go on as ever. */
int steal_attach_egress(struct steal *steal, int ifindex, uint16_t slot, struct error *error);

/* May frames that come in there be treated by the cache?  At first they may. */
int steal_set_cached(struct steal *steal, int ifindex, bool is_cached, struct error *error);

/* Puts back what somebody has taken off the device.  1: something; 0: all is there; else an error. */
int steal_restore(struct steal *steal, int ifindex, struct error *error);

void steal_detach(struct steal *steal, int ifindex);

/* A switch that has gone without cleaning up has left programs on its devices, which go on forwarding what they
 * had cached.  Those that share our memory (kernel/pins.h) are replaced as devices are attached.  Devices that have
 * others are attached only here, all at once and each without a gap, when whoever calls knows what to do with the
 * frames of all of them.  Those that nobody has attached by now are freed. */
void steal_take_over(struct steal *steal);

bool steal_is_adopted(const struct steal *steal);

/* XDP in front of steal_attach(), if the device can have it (kernel/xdp.h); and no more. */
int steal_attach_xdp(struct steal *steal, const struct link_info *link, struct error *error);
void steal_detach_xdp(struct steal *steal, int ifindex);
bool steal_has_xdp(const struct steal *steal); /* On any device. */

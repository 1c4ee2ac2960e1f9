/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* xdp - puts the program of xdp.bpf.c in front of the TC program of a device.
 *
 * Native XDP only.  A generic program would run where the TC program does, after a copy of every frame that is
 * not in one piece: slower than what is there.  What stands in the way of XDP is said in a sentence,
 * and the device stays with TC.
 *
 * A program of someone else's is left alone.  One of our own, which a switch that was killed left, is replaced
 * without a gap.
 *
 * Threads  Main thread. */

#include <stdbool.h>

#include "lib/error.h"
#include "lib/netlink/link.h"

/* Maps of the TC program, by descriptor. */
struct xdp_maps {
    int state, entries, entries6, ports, programs, devices, meters;
};

struct pins;
struct xdp_hook;

/* NULL with 'error' set if the device cannot, or must not, have it.  A program that an earlier daemon of the same
 * build has left there on the same maps stays; 'pins' (NULL: none) tell. */
struct xdp_hook *xdp_attach(const struct link_info *link, const struct xdp_maps *maps,
                            const struct pins *pins, struct error *error);
void xdp_detach(struct xdp_hook *hook); /* NULL is fine. */

/* Is it still there?  Somebody may have taken it off, or put another in its place. */
bool xdp_is_attached(const struct xdp_hook *hook);

/* May programs of other devices send frames to this one?  A veth takes them only if its other end does GRO or
 * has a program of its own, which may change at any time. */
bool xdp_can_send_to(int ifindex);

/* Takes a program of ours off a device whose switch is gone.  True if there was one. */
bool xdp_remove_leftover(int ifindex);

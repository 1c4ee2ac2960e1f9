/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* exception_tap - the one door by which frames of all netdev ports come up to the workers.
 *
 * A tap device that nobody reads.  The BPF program on a port (kernel/steal.h) redirects every frame to it, behind
 * a head that names the port; each worker has a packet ring (packet_ring.h) on what is sent there.  Segmentation
 * and checksum requests come along.  A tap because it takes super-frames of every kind; a ring because reading
 * the tap itself costs a system call for each frame.
 *
 * With several workers the kernel keeps the frames of a flow in one ring, so their order stays.
 *
 * Threads  Main thread. */

#include "datapath/internal.h"

struct exception_tap;

void exception_tap_name(const char *instance, char name[IFNAMSIZ]);

/* Creates "<instance>-miss" and loads the BPF programs, if that has not been tried yet.  False: there is none,
 * and why was logged. */
bool exception_tap_open(struct datapath *dp);
bool exception_tap_is_left(const struct datapath *dp); /* By an earlier daemon, or open. */
void exception_tap_destroy(struct exception_tap *tap); /* All ports detached.  NULL is fine. */

/* Somebody may have removed the device, moved it to another namespace, renamed it or taken it down: it is made again
 * as it was, also by its number, so that programs need not be told.  If that fails, call it again. */
void exception_tap_heal(struct exception_tap *tap);

int exception_tap_ifindex(const struct exception_tap *tap);

int exception_tap_attach(struct exception_tap *tap, int ifindex, uint16_t slot,
                         struct error *error);
/* For internal ports: what the host sends meets the flow cache; what that does not know is the port's to read. */
int exception_tap_attach_egress(struct exception_tap *tap, int ifindex, uint16_t slot,
                                struct error *error);
/* As steal_take_over(). */
void exception_tap_take_over(struct exception_tap *tap);

/* XDP in front of exception_tap_attach(), and no more (kernel/steal.h). */
int exception_tap_attach_xdp(struct exception_tap *tap, const struct link_info *link,
                             struct error *error);
void exception_tap_detach_xdp(struct exception_tap *tap, int ifindex);

int exception_tap_set_cached(struct exception_tap *tap, int ifindex, bool is_cached,
                             struct error *error);
int exception_tap_restore(struct exception_tap *tap, int ifindex, struct error *error);
void exception_tap_detach(struct exception_tap *tap, int ifindex);

/* Frames lost because the workers were too slow, ever. */
uint64_t exception_tap_n_overruns(struct exception_tap *tap);

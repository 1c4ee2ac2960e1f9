/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* exception_tap - the one door by which frames of all netdev ports come up to the workers.
 *
 * A tap with a queue for each worker.  The BPF program on a port (kernel/steal.h) redirects
 * every frame to it, behind a head that names the port; segmentation and checksum requests come with it.  The
 * kernel keeps the frames of one flow in one queue, so their order stays.
 *
 * Threads  Main thread. */

#include "datapath/internal.h"

struct exception_tap;

/* Creates "<instance>-miss" and loads the BPF program. */
struct exception_tap *exception_tap_create(struct datapath *dp, struct error *error);
void exception_tap_destroy(struct exception_tap *tap); /* All ports detached.  NULL is fine. */

int exception_tap_attach(struct exception_tap *tap, int ifindex, uint16_t slot,
                         struct error *error);
void exception_tap_detach(struct exception_tap *tap, int ifindex);

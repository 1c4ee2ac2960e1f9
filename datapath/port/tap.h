/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* tap - a tap device of our own, with virtio headers and every offload.
 *
 * The device lives as long as its descriptors.  One that a crashed process had made persistent is
 * removed first; any other device of the name is an error.
 *
 * Threads  Main thread; descriptors may then be used on any. */

#include <stdint.h>

#include "lib/error.h"
#include "lib/packet.h"

/* Opens 'n_queues' non-blocking descriptors of the tap 'name', one for each queue. */
int tap_open(const char *name, int *fds, unsigned int n_queues, struct error *error);

/* The descriptor of a tap that nobody reads: what is sent to it can be seen by packet sockets, and then goes. */
int tap_open_unread(const char *name, struct error *error);

void tap_close(int *fds, unsigned int n_queues);

/* Reads one frame into 'packet', which is empty.  1: there is one; 0: none; -EMSGSIZE: it was too long
 * and is lost; else the tap is gone. */
int tap_read(int fd, struct packet *packet);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* tap - a tap device of our own, with virtio headers and every offload.
 *
 * The device outlives its descriptors, with its addresses, routes and interface index, because cached flows of
 * the kernel go on using it while no daemon runs; what nobody reads is lost then, not queued.  By its alias
 * we know it again.  One of the name that is there already is taken up if it is of the same kind and nobody uses it,
 * removed if it is of another, and if somebody uses it that is an error.
 *
 * Threads  Main thread; descriptors may then be used on any. */

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "lib/error.h"
#include "lib/packet.h"

/* Whose a tap is, as its alias says: a datapath's (datapath_config), and the directory with which it ends. */
struct tap_owner {
    char instance[IFNAMSIZ];
    char home[224]; /* "": nobody knows. */
};

/* Opens 'n_queues' non-blocking descriptors of the tap 'name', one for each queue. */
int tap_open(const char *name, const struct tap_owner *owner, int *fds, unsigned int n_queues,
             struct error *error);

/* The descriptor of a tap that nobody reads: what is sent to it can be seen by packet sockets, and then goes.  If
 * it is a new one it gets the number 'ifindex'; 0: any.  -EBUSY: another device has that. */
int tap_open_unread(const char *name, const struct tap_owner *owner, int ifindex,
                    struct error *error);

/* Is there still a device behind the descriptor, and is this its name? */
bool tap_is_named(int fd, const char *name);

void tap_remove(int *fds, unsigned int n_queues); /* Closes them, and the device goes. */

void tap_remove_leftover(const char *name); /* If there is one that nobody uses. */

/* Removes taps of 'instance' that nobody uses, but for those that 'is_wanted' (NULL: none); and writes their
 * names to 'removed' (or NULL), one a line. */
void tap_remove_lost(const char *instance, bool (*is_wanted)(int ifindex, void *arg), void *arg,
                     struct buffer *removed);

/* Calls 'each' for every tap that a daemon of ours has made in this namespace.  'is_open': a process has it. */
void tap_each(void (*each)(const char *name, const struct tap_owner *owner, bool is_open,
                           void *arg),
              void *arg);

/* Reads one frame into 'packet', which is empty.  1: there is one; 0: none; -EMSGSIZE: it was too long
 * and is lost; else the tap is gone. */
int tap_read(int fd, struct packet *packet);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* ends - the hosts' ends of cables: frames that say when they were sent, and what became of them.
 *
 * Each frame carries a kind (whose verdict is tried) and the number of the last change of that kind that was
 * done when it was sent.
 *
 * Threads  A socket belongs to one thread. */

#include <stdbool.h>
#include <stdint.h>

/* Written over the source address: 02:00 and the number of the change whose verdict did it. */
#define ENDS_MARK 0x0200

struct sent {
    uint32_t kind;
    uint32_t change; /* The last that was done. */
    uint32_t number; /* 0: of a steady stream, which does not wait for changes to be over. */
    uint16_t flow;
};

struct arrived {
    struct sent sent;
    uint64_t source; /* The frame's Ethernet source address. */
    uint16_t vlan;   /* 0: no tag. */
};

/* A packet socket on eth0 in a network namespace. */
int ends_open(const char *space);

/* UDP from 'flow' to port 1000 + kind; false: not now. */
bool ends_send(int fd, const struct sent *sent, uint64_t source);

/* False: there is none. */
bool ends_hear(int fd, struct arrived *arrived);

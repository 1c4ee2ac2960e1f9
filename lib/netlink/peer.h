/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* peer - the other end of a veth, in whatever network namespace it is.
 *
 * Errors   Negative errno; no sentence, because nobody types what fails here.
 * Threads  Any. */

#include <stdbool.h>

#include "lib/mac.h"

struct link_peer {
    struct mac mac;
    unsigned int flags; /* IFF_* */
    int mtu;
    bool has_xdp;
};

/* The other end of the veth 'ifindex', if it is in another namespace; -ENOENT if it is not, or the device is no
 * veth, or it has a queueing discipline or filters of its own for frames on their way out. */
int link_get_peer(int ifindex, struct link_peer *peer);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* xdp_features - what a device can do with XDP, as the kernel tells since Linux 6.3.
 *
 * Threads  Any: each call is one exchange on a socket of its own. */

#include <stdbool.h>

#include "lib/error.h"

struct xdp_features {
    bool is_native;      /* The driver runs programs. */
    bool can_be_sent_to; /* ... and takes frames that other devices' programs redirect. */
    bool shows_tags;     /* ... and tells of VLAN tags that it has taken out of frames. */
};

/* 0; -EOPNOTSUPP if the kernel does not tell; or another negative errno. */
int xdp_features_get(int ifindex, struct xdp_features *features, struct error *error);

/* Does the device take VLAN tags out of the frames that it receives? */
bool xdp_features_takes_tags_out(const char *name);

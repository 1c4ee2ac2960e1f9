/* SPDX-License-Identifier: Apache-2.0 */

/* One bit for each number; four passes over the wishes, strongest claim first. */

#include "vswitchd/ofports.h"

#include <stdint.h>

struct taken {
    uint64_t bits[OFPP_MAX / 64];
};

static bool take(struct taken *taken, of_port port)
{
    if (port < 1 || port >= OFPP_MAX || taken->bits[port / 64] >> (port % 64) & 1)
        return false;
    taken->bits[port / 64] |= UINT64_C(1) << (port % 64);
    return true;
}

static void settle(struct taken *taken, struct ofport_wish *wish, of_port port)
{
    if (wish->result == OFPP_NONE && take(taken, port))
        wish->result = port;
}

void ofports_assign(struct ofport_wish *wishes, size_t n)
{
    struct taken taken = {{0}};
    of_port next = 1;

    for (size_t i = 0; i < n; i++)
        wishes[i].result = wishes[i].is_local ? OFPP_LOCAL : OFPP_NONE;

    for (size_t i = 0; i < n; i++)
        if (wishes[i].request == OFPP_NONE || wishes[i].request == wishes[i].held)
            settle(&taken, &wishes[i], wishes[i].held);
    for (size_t i = 0; i < n; i++)
        settle(&taken, &wishes[i], wishes[i].request);
    for (size_t i = 0; i < n; i++)
        settle(&taken, &wishes[i], wishes[i].held);

    for (size_t i = 0; i < n; i++) {
        while (wishes[i].result == OFPP_NONE && next < OFPP_MAX) {
            if (take(&taken, next))
                wishes[i].result = next;
            next++;
        }
    }
}

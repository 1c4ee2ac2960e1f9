/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/cleanup.h"

#include <net/if.h>

#include "datapath/kernel/leftovers.h"
#include "datapath/kernel/pins.h"
#include "datapath/port/exception_tap.h"
#include "datapath/port/tap.h"

int cleanup_instance(const char *instance, struct buffer *freed, struct error *error)
{
    char name[IFNAMSIZ];
    unsigned int tap_ifindex;

    exception_tap_name(instance, name);
    tap_ifindex = if_nametoindex(name);
    tap_remove_lost(instance, NULL, NULL, freed); /* With what hangs on them. */
    if (tap_ifindex)
        leftovers_remove_of((int)tap_ifindex, NULL, NULL, freed);
    pins_remove(instance);
    return leftovers_remove(freed, error);
}

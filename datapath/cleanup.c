/* SPDX-License-Identifier: Apache-2.0 */

/* Whose something is, the aliases of taps and what is pinned tell; both also tell whether a process has them open.
 * Programs on devices tell which tap they send to. */

#include "datapath/cleanup.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datapath/datapath.h"
#include "datapath/kernel/leftovers.h"
#include "datapath/kernel/pins.h"
#include "datapath/port/exception_tap.h"
#include "datapath/port/tap.h"
#include "lib/netlink/link.h"

enum { MAX_OWNERS = 256 };

struct known {
    struct tap_owner owner;
    bool is_open;
};

/* Who has left something here. */
struct owners {
    struct known known[MAX_OWNERS];
    size_t n;
};

static void note_owner(const struct tap_owner *owner, bool is_open, void *arg)
{
    struct owners *owners = arg;
    size_t i = 0;

    while (i < owners->n && strcmp(owners->known[i].owner.instance, owner->instance))
        i++;
    if (i == MAX_OWNERS) /* The others another time. */
        return;
    if (i == owners->n)
        owners->known[owners->n++].owner = *owner;
    if (!*owners->known[i].owner.home)
        owners->known[i].owner = *owner;
    owners->known[i].is_open |= is_open;
}

static void note_tap(const char *name, const struct tap_owner *owner, bool is_open, void *arg)
{
    (void)name;
    note_owner(owner, is_open, arg);
}

static struct owners *find_owners(void)
{
    struct owners *owners = calloc(1, sizeof *owners);

    if (!owners)
        abort();
    tap_each(note_tap, owners);
    pins_each(note_owner, owners);
    return owners;
}

static void say_freed(int ifindex, struct buffer *freed)
{
    char name[IFNAMSIZ];

    if (if_indextoname((unsigned int)ifindex, name))
        buffer_printf(freed, "%s\n", name);
}

/* What is kept of devices that no program tells of. */
static void restore_devices(const char *instance, struct buffer *freed)
{
    struct kept *kept = pins_read(instance);
    char name[IFNAMSIZ];

    if (kept && leftovers_remove_qdisc((int)kept->qdisc_ifindex))
        say_freed((int)kept->qdisc_ifindex, freed);
    for (uint32_t i = 0; kept && i < KC_MAX_PORTS; i++)
        if (kept->ports[i].is_promiscuous && if_indextoname(kept->ports[i].ifindex, name))
            link_set_promiscuous(name, false, NULL);
    free(kept);
}

bool cleanup_is_in_use(const char *instance)
{
    struct owners *owners = find_owners();
    bool is_open = false;

    for (size_t i = 0; i < owners->n; i++)
        is_open |= owners->known[i].is_open && !strcmp(owners->known[i].owner.instance, instance);
    free(owners);
    return is_open;
}

int cleanup_instance(const char *instance, struct buffer *freed, struct error *error)
{
    char name[IFNAMSIZ];
    unsigned int tap_ifindex;

    exception_tap_name(instance, name);
    tap_ifindex = if_nametoindex(name);
    tap_remove_lost(instance, NULL, NULL, freed); /* With what hangs on them. */
    if (tap_ifindex)
        leftovers_remove_of((int)tap_ifindex, NULL, NULL, freed);
    restore_devices(instance, freed);
    if (pins_remove(instance))
        buffer_printf(freed, PINS_ROOT "/%s\n", instance);
    return leftovers_remove(freed, error);
}

static bool is_lost(const struct known *known)
{
    const char *home = known->owner.home;

    return !known->is_open && *home == '/' && access(home, F_OK) &&
           (errno == ENOENT || errno == ENOTDIR);
}

void cleanup_lost(struct buffer *freed)
{
    struct owners *owners = find_owners();

    for (size_t i = 0; i < owners->n; i++)
        if (is_lost(&owners->known[i]))
            cleanup_instance(owners->known[i].owner.instance, freed, NULL);
    free(owners);
}

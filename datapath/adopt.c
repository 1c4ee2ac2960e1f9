/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/adopt.h"

#include "datapath/internal.h"
#include "datapath/kernel/leftovers.h"
#include "datapath/kernel/pins.h"
#include "datapath/port/exception_tap.h"
#include "datapath/port/tap.h"
#include "datapath/process.h"
#include "lib/clock.h"
#include "lib/log.h"

LOG_MODULE(adopt);

static_assert((int)KC_MAX_PORTS > (int)DP_MAX_PORTS, "every port has its place");

static struct kept *kept_of(const struct datapath *dp)
{
    return datapath_kcache(dp) ? kcache_kept(datapath_kcache(dp)) : NULL;
}

static bool is_adopting(const struct datapath *dp)
{
    return datapath_kcache(dp) && kcache_is_adopting(datapath_kcache(dp));
}

/* --- Numbers -------------------------------------------------------------------------------- */

uint32_t adopt_number(const struct datapath *dp, int ifindex, uint16_t *slot)
{
    const struct kept *kept = kept_of(dp);

    if (!kept || !is_adopting(dp) || ifindex <= 0)
        return 0;
    for (uint32_t i = 1; i <= DP_MAX_PORTS; i++)
        if (kept->ports[i].ifindex == (uint32_t)ifindex && !datapath_port(dp, i)) {
            *slot = (uint16_t)kept->ports[i].slot;
            return i;
        }
    return 0;
}

bool adopt_is_free_number(const struct datapath *dp, uint32_t port_no)
{
    const struct kept *kept = kept_of(dp);

    return !kept || !is_adopting(dp) || !kept->ports[port_no].ifindex;
}

bool adopt_is_free_slot(const struct datapath *dp, uint16_t slot)
{
    const struct kept *kept = kept_of(dp);

    if (!kept || !is_adopting(dp))
        return true;
    for (uint32_t i = 1; i <= DP_MAX_PORTS; i++)
        if (kept->ports[i].ifindex && kept->ports[i].slot == slot)
            return false;
    return true;
}

/* What the packet socket asks of the device ends with the process (port/packet_socket.h); a flag stays.  It is noted
 * first, so that whoever cleans up knows. */
static void keep_promiscuous(const struct dp_port *port, struct kept_port *kept)
{
    struct error error = ERROR_INIT;
    struct link_info info;

    if (link_get_by_index(port->ifindex, &info, NULL) || info.flags & IFF_PROMISC ||
        !strcmp(info.kind, "veth") || !strcmp(info.kind, "tun"))
        return;
    __atomic_store_n(&kept->is_promiscuous, 1, __ATOMIC_RELEASE);
    if (link_set_promiscuous(info.name, true, &error))
        log_warn("%s", error.message);
}

static void forget(struct kept_port *kept)
{
    char name[IFNAMSIZ];

    if (kept->is_promiscuous && if_indextoname(kept->ifindex, name))
        link_set_promiscuous(name, false, NULL);
    __atomic_store_n(&kept->ifindex, 0, __ATOMIC_RELEASE);
    kept->is_promiscuous = 0;
}

void adopt_note_port(struct datapath *dp, const struct dp_port *port)
{
    struct kept *kept = kept_of(dp);

    if (!kept || !port->ifindex)
        return;
    struct kept_port *at = &kept->ports[port->port_no];
    if (at->ifindex != (uint32_t)port->ifindex)
        forget(at);
    at->slot = port->slot;
    __atomic_store_n(&at->ifindex, (uint32_t)port->ifindex, __ATOMIC_RELEASE);
    if (port->type == DP_PORT_NETDEV)
        keep_promiscuous(port, at);
}

void adopt_forget_port(struct datapath *dp, const struct dp_port *port)
{
    struct kept *kept = kept_of(dp);

    /* While adopting, entries still mean it. */
    if (kept && !is_adopting(dp))
        forget(&kept->ports[port->port_no]);
}

/* Those that nobody has taken up. */
static void forget_lost_ports(struct datapath *dp)
{
    struct kept *kept = kept_of(dp);

    for (uint32_t i = 1; i <= DP_MAX_PORTS; i++) {
        if (datapath_port(dp, i))
            continue;
        kcache_clear_port(datapath_kcache(dp), i);
        if (kept)
            forget(&kept->ports[i]);
    }
}

/* --- Entries -------------------------------------------------------------------------------- */

/* What translation sees is a frame of the entry's flow, so that it may learn from it. */
static struct megaflow *translate(struct lane *lane, const struct kcache_adopted *entry)
{
    struct datapath *dp = lane->dp;
    struct dp_port *in = atomic_load_explicit(&dp->slots[entry->slot], memory_order_consume);
    struct flow_key key = entry->key;

    if (!in)
        return NULL;
    key.in_port = be32_from(in->port_no);
    return process_flow_of(lane, &key, lane_packet(lane, 0));
}

typedef void each_adopted(struct lane *lane, const struct kcache_adopted *entry, void *arg);

static void walk(struct datapath *dp, each_adopted *each, void *arg)
{
    struct kcache_adopted entries[BATCH_FRAMES];
    struct kcache_cursor cursor = {0};
    struct lane *lane = dp->lanes[dp->n_lanes - 1];
    uint32_t n;

    mutex_lock(&dp->call_lock);
    do {
        lane->now_ns = clock_now_ns();
        n = kcache_list_adopted(datapath_kcache(dp), &cursor, entries, BATCH_FRAMES);
        for (uint32_t i = 0; i < n; i++)
            each(lane, &entries[i], arg);
    } while (n);
    mutex_unlock(&dp->call_lock);
}

/* Stations are learned, so that the walk that counts does not flood what was not flooded. */
static void get_to_know(struct lane *lane, const struct kcache_adopted *entry, void *arg)
{
    (void)arg;
    translate(lane, entry);
}

struct outcome {
    uint32_t n_kept, n_removed;
};

static void decide(struct lane *lane, const struct kcache_adopted *entry, void *arg)
{
    struct kcache *cache = datapath_kcache(lane->dp);
    struct outcome *outcome = arg;
    struct megaflow *flow = translate(lane, entry);

    if (!flow)
        kcache_give_up(cache, entry->id);
    if (flow && kcache_confirm(cache, entry->id, flow, lane->now_ns))
        outcome->n_kept++;
    else
        outcome->n_removed++;
}

static void adopt_entries(struct datapath *dp)
{
    struct outcome outcome = {0};
    int64_t from_ns = clock_now_ns();

    walk(dp, get_to_know, NULL);
    walk(dp, decide, &outcome);
    forget_lost_ports(dp);
    mutex_lock(&dp->generation_lock);
    kcache_end_adoption(datapath_kcache(dp), dp->slot_generation, datapath_generation(dp));
    mutex_unlock(&dp->generation_lock);
    dp_meters_release_reserved(dp->meters);
    log_info("adopted %u cached flows of an earlier daemon and removed %u, in %lld ms",
             outcome.n_kept, outcome.n_removed,
             (long long)((clock_now_ns() - from_ns) / MILLISECOND_NS));
}

/* --- Devices -------------------------------------------------------------------------------- */

static bool is_ours(int ifindex, void *arg)
{
    struct datapath *dp = arg;

    if (dp->exception_tap && exception_tap_ifindex(dp->exception_tap) == ifindex)
        return true;
    for (uint32_t i = 1; i <= DP_MAX_PORTS; i++) {
        const struct dp_port *port = datapath_port(dp, i);

        if (port && port->ifindex == ifindex)
            return true;
    }
    return false;
}

void datapath_take_over(struct datapath *dp)
{
    struct error error = ERROR_INIT;

    if (dp->has_taken_over || !dp->config.n_workers)
        return;
    dp->has_taken_over = true;
    if (exception_tap_is_left(dp))
        exception_tap_open(dp);
    if (is_adopting(dp))
        adopt_entries(dp);
    if (dp->exception_tap)
        exception_tap_take_over(dp->exception_tap);
    tap_remove_lost(dp->owner.instance, is_ours, dp, NULL);
    if (leftovers_remove(NULL, &error) < 0)
        log_warn("%s", error.message);
}

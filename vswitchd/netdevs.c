/* SPDX-License-Identifier: Apache-2.0 */

/* Entries are keyed by name and checked by index: a name that comes back with another index is another
 * device. */

#include "vswitchd/netdevs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "lib/annotations.h"
#include "lib/log.h"
#include "lib/netlink/link_watch.h"

LOG_MODULE(netdevs);

struct entry {
    struct netdev netdev;
    struct xdp_programs xdp;
    bool is_stale; /* Not seen yet by the scan under way. */
    UT_hash_handle by_name;
};

struct netdevs {
    struct link_watch *watch;
    struct entry *entries; /* By name. */
    netdevs_changed *changed;
    void *aux;
    unsigned int n_arrivals;
    bool is_complete; /* False until the first scan is over: nobody is told before. */
};

static struct entry *find(const struct netdevs *netdevs, const char *name)
{
    struct entry *entry;

    HASH_FIND(by_name, netdevs->entries, name, strlen(name), entry);
    return entry;
}

static void tell(struct netdevs *netdevs, const char *name)
{
    char copy[IFNAMSIZ];

    if (!netdevs->is_complete)
        return;
    memcpy(copy, name, sizeof copy);
    netdevs->changed(netdevs->aux, copy);
}

static void forget(struct netdevs *netdevs, struct entry *entry)
{
    HASH_DELETE(by_name, netdevs->entries, entry);
    tell(netdevs, entry->netdev.link.name);
    free(entry);
}

static struct entry *find_by_index(const struct netdevs *netdevs, int ifindex)
{
    struct entry *entry, *next;

    HASH_ITER (by_name, netdevs->entries, entry, next)
        if (entry->netdev.link.ifindex == ifindex)
            return entry;
    return NULL;
}

static bool is_same_state(const struct link_info *a, const struct link_info *b)
{
    return a->ifindex == b->ifindex && a->flags == b->flags && a->has_carrier == b->has_carrier &&
           mac_is_equal(a->mac, b->mac) && a->mtu == b->mtu &&
           a->master_ifindex == b->master_ifindex && !strcmp(a->kind, b->kind);
}

/* True if it is news. */
static bool note(struct netdevs *netdevs, const struct link_info *link)
{
    struct entry *entry = find(netdevs, link->name);
    struct entry *renamed = find_by_index(netdevs, link->ifindex);

    if (renamed && renamed != entry)
        forget(netdevs, renamed);
    if (!entry) {
        entry = calloc(1, sizeof *entry);
        if (!entry)
            abort();
        entry->netdev.link = *link;
        entry->netdev.arrival = ++netdevs->n_arrivals;
        HASH_ADD_KEYPTR(by_name, netdevs->entries, entry->netdev.link.name,
                        strlen(entry->netdev.link.name), entry);
        return true;
    }
    entry->is_stale = false;
    if (is_same_state(&entry->netdev.link, link))
        return false;
    if (entry->netdev.link.ifindex != link->ifindex) {
        entry->netdev.n_carrier_changes = 0;
        entry->netdev.arrival = ++netdevs->n_arrivals;
    } else if (entry->netdev.link.has_carrier != link->has_carrier) {
        entry->netdev.n_carrier_changes++;
    }
    entry->netdev.link = *link; /* The key, the name, stays the same bytes. */
    return true;
}

static bool note_xdp(struct netdevs *netdevs, const struct link_event *event)
{
    struct entry *entry = find(netdevs, event->info.name);
    bool is_news = memcmp(&entry->xdp, &event->xdp, sizeof entry->xdp);

    entry->xdp = event->xdp;
    return is_news;
}

/* Names may come and go meanwhile, so they are copied first. */
static void tell_all(struct netdevs *netdevs)
{
    unsigned int n = HASH_CNT(by_name, netdevs->entries), i = 0;
    char(*names)[IFNAMSIZ] = calloc(n + 1, sizeof *names);
    struct entry *entry, *next;

    if (!names)
        abort();
    HASH_ITER (by_name, netdevs->entries, entry, next)
        memcpy(names[i++], entry->netdev.link.name, sizeof names[0]);
    for (i = 0; i < n; i++)
        tell(netdevs, names[i]);
    free(names);
}

static void rescan(struct netdevs *netdevs)
{
    struct error error = ERROR_INIT;
    struct entry *entry, *next;

    HASH_ITER (by_name, netdevs->entries, entry, next)
        entry->is_stale = true;
    if (link_watch_scan(netdevs->watch, &error)) {
        log_err_limited("cannot list network devices: %s", error.message);
        return;
    }
    HASH_ITER (by_name, netdevs->entries, entry, next)
        if (entry->is_stale)
            forget(netdevs, entry);
}

static void on_link_event(void *aux, const struct link_event *event)
{
    struct netdevs *netdevs = aux;
    struct entry *entry;
    bool is_news;

    switch (event->kind) {
    case LINK_WATCH_CHANGED:
        is_news = note(netdevs, &event->info);
        if (note_xdp(netdevs, event) || is_news)
            tell(netdevs, event->info.name);
        break;
    case LINK_WATCH_GONE:
        entry = find_by_index(netdevs, event->info.ifindex);
        if (entry)
            forget(netdevs, entry);
        break;
    case LINK_WATCH_FILTERS:
        entry = find_by_index(netdevs, event->info.ifindex);
        if (entry)
            tell(netdevs, entry->netdev.link.name);
        break;
    case LINK_WATCH_OVERFLOW:
        rescan(netdevs);
        tell_all(netdevs); /* What has happened to filters nobody knows. */
        break;
    }
}

struct netdevs *netdevs_create(struct ev_loop *loop, netdevs_changed *changed, void *aux,
                               struct error *error)
{
    struct netdevs *netdevs = calloc(1, sizeof *netdevs);

    if (!netdevs)
        abort();
    netdevs->changed = changed;
    netdevs->aux = aux;
    netdevs->watch = link_watch_create(loop, on_link_event, netdevs, error);
    if (!netdevs->watch || link_watch_scan(netdevs->watch, error)) {
        netdevs_destroy(netdevs);
        return NULL;
    }
    netdevs->is_complete = true;
    return netdevs;
}

void netdevs_destroy(struct netdevs *netdevs)
{
    struct entry *entry, *next;

    if (!netdevs)
        return;
    link_watch_destroy(netdevs->watch);
    netdevs->is_complete = false;
    HASH_ITER (by_name, netdevs->entries, entry, next)
        forget(netdevs, entry);
    free(netdevs);
}

const struct netdev *netdevs_find(const struct netdevs *netdevs, const char *name)
{
    const struct entry *entry = find(netdevs, name);

    return entry ? &entry->netdev : NULL;
}

void netdevs_refresh(struct netdevs *netdevs, const char *name)
{
    struct entry *entry;
    struct link_info link;
    int result = link_get(name, &link, NULL);

    if (!result) {
        note(netdevs, &link);
    } else if (result == -ENODEV && (entry = find(netdevs, name))) {
        HASH_DELETE(by_name, netdevs->entries, entry);
        free(entry);
    }
}

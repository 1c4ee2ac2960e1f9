/* SPDX-License-Identifier: Apache-2.0 */

/* Chains in an array of buckets that readers walk under RCU; writers hold the lock.  Beside it, each
 * port has the list of its learned stations, the longest unheard first, and the ports form a heap by
 * the length of that list: the victim of an eviction is the first station of the top port. */

#include "vswitchd/fdb.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <urcu/list.h>
#include <uthash.h>

#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/mutex.h"
#include "lib/rcu.h"

/* An age is not noted more often, so that a busy station costs a lock once a second. */
enum { AGE_GRAIN_S = 1 };

struct fdb_port {
    UT_hash_handle hh;
    of_port port;
    size_t n_stations;
    size_t heap_index;
    struct cds_list_head stations;
};

struct station {
    struct station *_Atomic next; /* In its bucket. */
    struct mac mac;
    uint16_t vid;
    _Atomic(of_port) port;
    bool is_static;
    _Atomic(int64_t) heard_ns;
    struct fdb_port *owner; /* Learned ones only. */
    struct cds_list_head of_owner;
    struct rcu_head rcu;
};

struct bucket_array {
    size_t n; /* A power of two. */
    struct rcu_head rcu;
    struct station *_Atomic first[];
};

struct fdb {
    fdb_changed *changed;
    void *aux;
    uint16_t n_slots;
    uint32_t basis; /* Different in each fdb, so that bridges do not share slots. */

    struct mutex lock;
    struct bucket_array *_Atomic buckets; /* Readers: RCU. */
    size_t max_entries GUARDED_BY(lock);
    int64_t age_ns GUARDED_BY(lock);
    struct fdb_port *ports GUARDED_BY(lock);
    struct fdb_port **heap GUARDED_BY(lock);
    size_t n_heap GUARDED_BY(lock);
    size_t heap_capacity GUARDED_BY(lock);

    /* Written under the lock. */
    _Atomic(size_t) n_entries, n_static, stated_max;
    _Atomic(uint64_t) n_learned, n_expired, n_evicted, n_moved;
};

static uint32_t station_hash(const struct fdb *fdb, uint16_t vid, struct mac mac)
{
    uint64_t word = (uint64_t)vid << 48 | mac_to_u64(mac);

    return hash_words(&word, 1, fdb->basis);
}

static bool station_is(const struct station *station, uint16_t vid, struct mac mac)
{
    return station->vid == vid && mac_is_equal(station->mac, mac);
}

static struct station *fdb_find(const struct fdb *fdb, uint16_t vid, struct mac mac)
{
    struct bucket_array *buckets = atomic_load_explicit(&fdb->buckets, memory_order_acquire);
    struct station *station = atomic_load_explicit(
        &buckets->first[station_hash(fdb, vid, mac) & (buckets->n - 1)], memory_order_acquire);

    while (station && !station_is(station, vid, mac))
        station = atomic_load_explicit(&station->next, memory_order_acquire);
    return station;
}

static void free_station(struct rcu_head *rcu)
{
    rcu_begin_callback();
    free(caa_container_of(rcu, struct station, rcu));
}

static void free_buckets(struct rcu_head *rcu)
{
    rcu_begin_callback();
    free(caa_container_of(rcu, struct bucket_array, rcu));
}

/* What is out of readers' sight. */
static void call_later(struct rcu_head *rcu, void (*free_it)(struct rcu_head *))
{
    rcu_order_before_writers();
    call_rcu(rcu, free_it);
}

/* The heap of ports */

static void heap_put(struct fdb *fdb, size_t index, struct fdb_port *port) REQUIRES(fdb->lock)
{
    fdb->heap[index] = port;
    port->heap_index = index;
}

static void heap_rise(struct fdb *fdb, struct fdb_port *port) REQUIRES(fdb->lock)
{
    size_t index = port->heap_index;

    while (index > 0) {
        size_t parent = (index - 1) / 2;

        if (fdb->heap[parent]->n_stations >= port->n_stations)
            break;
        heap_put(fdb, index, fdb->heap[parent]);
        index = parent;
    }
    heap_put(fdb, index, port);
}

static void heap_sink(struct fdb *fdb, struct fdb_port *port) REQUIRES(fdb->lock)
{
    size_t index = port->heap_index;

    for (;;) {
        size_t child = 2 * index + 1;

        if (child >= fdb->n_heap)
            break;
        if (child + 1 < fdb->n_heap &&
            fdb->heap[child + 1]->n_stations > fdb->heap[child]->n_stations)
            child++;
        if (fdb->heap[child]->n_stations <= port->n_stations)
            break;
        heap_put(fdb, index, fdb->heap[child]);
        index = child;
    }
    heap_put(fdb, index, port);
}

static struct fdb_port *fdb_port_get(struct fdb *fdb, of_port number) REQUIRES(fdb->lock)
{
    struct fdb_port *port;

    HASH_FIND(hh, fdb->ports, &number, sizeof number, port);
    if (port)
        return port;

    port = calloc(1, sizeof *port);
    if (!port)
        return NULL;
    if (fdb->n_heap == fdb->heap_capacity) {
        size_t capacity = fdb->heap_capacity ? 2 * fdb->heap_capacity : 8;
        struct fdb_port **heap = realloc(fdb->heap, capacity * sizeof *heap);

        if (!heap) {
            free(port);
            return NULL;
        }
        fdb->heap = heap;
        fdb->heap_capacity = capacity;
    }
    port->port = number;
    CDS_INIT_LIST_HEAD(&port->stations);
    HASH_ADD(hh, fdb->ports, port, sizeof port->port, port);
    heap_put(fdb, fdb->n_heap++, port);
    return port;
}

/* Forgets a port that has no stations left. */
static void fdb_port_drop(struct fdb *fdb, struct fdb_port *port) REQUIRES(fdb->lock)
{
    struct fdb_port *last = fdb->heap[--fdb->n_heap];

    if (last != port) {
        heap_put(fdb, port->heap_index, last);
        heap_rise(fdb, last);
        heap_sink(fdb, last);
    }
    HASH_DELETE(hh, fdb->ports, port);
    free(port);
}

static void fdb_own(struct fdb *fdb, struct fdb_port *port, struct station *station)
    REQUIRES(fdb->lock)
{
    station->owner = port;
    cds_list_add_tail(&station->of_owner, &port->stations);
    port->n_stations++;
    heap_rise(fdb, port);
}

static void fdb_disown(struct fdb *fdb, struct station *station) REQUIRES(fdb->lock)
{
    struct fdb_port *port = station->owner;

    if (!port)
        return;
    station->owner = NULL;
    cds_list_del(&station->of_owner);
    port->n_stations--;
    heap_sink(fdb, port);
    if (!port->n_stations)
        fdb_port_drop(fdb, port);
}

/* Stations */

static void fdb_tell(struct fdb *fdb, uint16_t vid, struct mac mac)
{
    if (fdb->changed)
        fdb->changed(fdb->aux, fdb_slot(fdb, vid, mac));
}

static struct station *_Atomic *fdb_bucket(struct fdb *fdb, uint16_t vid, struct mac mac)
    REQUIRES(fdb->lock)
{
    struct bucket_array *buckets = atomic_load_explicit(&fdb->buckets, memory_order_relaxed);

    return &buckets->first[station_hash(fdb, vid, mac) & (buckets->n - 1)];
}

/* Publishes a station that is complete but for its place. */
static void fdb_insert(struct fdb *fdb, struct station *station) REQUIRES(fdb->lock)
{
    struct station *_Atomic *bucket = fdb_bucket(fdb, station->vid, station->mac);

    atomic_store_explicit(&station->next, atomic_load_explicit(bucket, memory_order_relaxed),
                          memory_order_relaxed);
    atomic_store_explicit(bucket, station, memory_order_release); /* With fdb_find(). */
    fdb->n_entries++;
    fdb->n_static += station->is_static;
}

static void fdb_delete(struct fdb *fdb, struct station *station) REQUIRES(fdb->lock)
{
    struct station *_Atomic *at = fdb_bucket(fdb, station->vid, station->mac);
    struct station *here;

    while ((here = atomic_load_explicit(at, memory_order_relaxed)) != station)
        at = &here->next;
    atomic_store_explicit(at, atomic_load_explicit(&station->next, memory_order_relaxed),
                          memory_order_release);
    fdb_disown(fdb, station);
    fdb->n_entries--;
    fdb->n_static -= station->is_static;
    fdb_tell(fdb, station->vid, station->mac);
    call_later(&station->rcu, free_station);
}

/* Makes room for one entry; false if static entries fill the table. */
static bool fdb_make_room(struct fdb *fdb, size_t room_for) REQUIRES(fdb->lock)
{
    while (fdb->n_entries + room_for > fdb->max_entries) {
        if (!fdb->n_heap)
            return false;
        fdb_delete(fdb, cds_list_first_entry(&fdb->heap[0]->stations, struct station, of_owner));
        fdb->n_evicted++;
    }
    return true;
}

static struct station *station_create(uint16_t vid, struct mac mac, of_port port, int64_t now_ns)
{
    struct station *station = calloc(1, sizeof *station);

    if (!station)
        return NULL;
    station->vid = vid;
    station->mac = mac;
    atomic_init(&station->port, port);
    atomic_init(&station->heard_ns, now_ns);
    return station;
}

static struct bucket_array *bucket_array_create(size_t max_entries)
{
    size_t n = 64;

    while (n < max_entries && n < ((size_t)1 << 24))
        n *= 2;
    struct bucket_array *buckets = calloc(1, sizeof *buckets + n * sizeof buckets->first[0]);
    if (!buckets)
        abort();
    buckets->n = n;
    return buckets;
}

struct fdb *fdb_create(size_t max_entries, unsigned int age_s, uint16_t n_slots,
                       fdb_changed *changed, void *aux)
{
    static _Atomic(uint32_t) n_created;
    struct fdb *fdb = calloc(1, sizeof *fdb);

    if (!fdb)
        abort();
    mutex_init(&fdb->lock);
    fdb->changed = changed;
    fdb->aux = aux;
    fdb->n_slots = n_slots;
    fdb->basis = ++n_created;
    fdb->stated_max = max_entries;
    fdb->max_entries = max_entries;
    fdb->age_ns = age_s * SECOND_NS;
    atomic_init(&fdb->buckets, bucket_array_create(max_entries));
    return fdb;
}

void fdb_destroy(struct fdb *fdb)
{
    if (!fdb)
        return;
    fdb->changed = NULL;
    fdb_flush_all(fdb);

    struct bucket_array *buckets = atomic_load(&fdb->buckets);
    for (size_t i = 0; i < buckets->n; i++) {
        struct station *station, *next;

        for (station = atomic_load(&buckets->first[i]); station; station = next) {
            next = atomic_load(&station->next);
            free(station);
        }
    }
    free(buckets);
    free(fdb->heap);
    mutex_fini(&fdb->lock);
    free(fdb);
}

/* An array that readers begin to walk no more. */
static void free_chains_later(struct bucket_array *buckets)
{
    for (size_t i = 0; i < buckets->n; i++) {
        struct station *next,
            *station = atomic_load_explicit(&buckets->first[i], memory_order_relaxed);

        for (; station; station = next) {
            next = atomic_load_explicit(&station->next, memory_order_relaxed);
            call_later(&station->rcu, free_station);
        }
    }
    call_later(&buckets->rcu, free_buckets);
}

/* Chains that readers may be walking cannot be split, so a larger array gets copies. */
static void fdb_rebuild(struct fdb *fdb) REQUIRES(fdb->lock)
{
    struct bucket_array *old = atomic_load_explicit(&fdb->buckets, memory_order_relaxed);
    struct bucket_array *new = bucket_array_create(fdb->max_entries);

    for (size_t i = 0; i < old->n; i++) {
        struct station *from = atomic_load_explicit(&old->first[i], memory_order_relaxed);

        while (from) {
            struct station *next = atomic_load_explicit(&from->next, memory_order_relaxed);
            struct station *to = station_create(from->vid, from->mac, from->port, from->heard_ns);
            struct station *_Atomic *bucket;

            if (!to)
                abort();
            to->is_static = from->is_static;
            to->owner = from->owner;
            if (to->owner) {
                cds_list_add(&to->of_owner, &from->of_owner);
                cds_list_del(&from->of_owner);
            }
            bucket = &new->first[station_hash(fdb, to->vid, to->mac) & (new->n - 1)];
            atomic_store_explicit(&to->next, atomic_load_explicit(bucket, memory_order_relaxed),
                                  memory_order_relaxed);
            atomic_store_explicit(bucket, to, memory_order_relaxed);
            from = next;
        }
    }
    atomic_store_explicit(&fdb->buckets, new, memory_order_release); /* With fdb_find(). */
    free_chains_later(old);
}

void fdb_set_limits(struct fdb *fdb, size_t max_entries, unsigned int age_s)
{
    mutex_lock(&fdb->lock);
    fdb->age_ns = age_s * SECOND_NS;
    if (max_entries != fdb->max_entries) {
        fdb->stated_max = max_entries;
        fdb->max_entries = max_entries;
        fdb_make_room(fdb, 0);
        fdb_rebuild(fdb);
    }
    mutex_unlock(&fdb->lock);
}

uint16_t fdb_slot(const struct fdb *fdb, uint16_t vid, struct mac mac)
{
    return (uint16_t)(1 + station_hash(fdb, vid, mac) % (fdb->n_slots - 1u));
}

bool fdb_needs_learning(const struct fdb *fdb, uint16_t vid, struct mac mac, of_port port,
                        int64_t now_ns)
{
    const struct station *station = fdb_find(fdb, vid, mac);

    if (!station)
        return true;
    if (station->is_static)
        return false;
    return station->port != port || now_ns - station->heard_ns >= AGE_GRAIN_S * SECOND_NS;
}

/* The station was heard: it is the last of its port to expire. */
static void fdb_note_age(struct station *station, int64_t now_ns)
{
    if (now_ns <= atomic_load_explicit(&station->heard_ns, memory_order_relaxed))
        return;
    atomic_store_explicit(&station->heard_ns, now_ns, memory_order_relaxed);
    cds_list_del(&station->of_owner);
    cds_list_add_tail(&station->of_owner, &station->owner->stations);
}

static bool fdb_learn_locked(struct fdb *fdb, uint16_t vid, struct mac mac, of_port port,
                             int64_t now_ns) REQUIRES(fdb->lock)
{
    struct station *station = fdb_find(fdb, vid, mac);
    struct fdb_port *owner;

    if (station && station->is_static)
        return false;
    if (station && station->port == port) {
        fdb_note_age(station, now_ns);
        return false;
    }

    if (station) {
        owner = fdb_port_get(fdb, port);
        if (!owner)
            return false;
        fdb_disown(fdb, station);
        fdb_own(fdb, owner, station);
        station->heard_ns = now_ns;
        station->port = port;
        fdb->n_moved++;
        fdb_tell(fdb, vid, mac);
        return true;
    }

    if (!fdb_make_room(fdb, 1))
        return false;
    station = station_create(vid, mac, port, now_ns);
    owner = station ? fdb_port_get(fdb, port) : NULL;
    if (!owner) {
        free(station);
        return false;
    }
    fdb_own(fdb, owner, station);
    fdb_insert(fdb, station);
    fdb->n_learned++;
    fdb_tell(fdb, vid, mac);
    return true;
}

bool fdb_learn(struct fdb *fdb, uint16_t vid, struct mac mac, of_port port, int64_t now_ns)
{
    mutex_lock(&fdb->lock);
    bool is_news = fdb_learn_locked(fdb, vid, mac, port, now_ns);
    mutex_unlock(&fdb->lock);
    return is_news;
}

void fdb_refresh(struct fdb *fdb, uint16_t vid, struct mac mac, of_port port, int64_t used_ns)
{
    const struct station *known = fdb_find(fdb, vid, mac);

    if (!known || known->is_static || known->port != port ||
        used_ns - known->heard_ns < AGE_GRAIN_S * SECOND_NS)
        return;

    mutex_lock(&fdb->lock);
    struct station *station = fdb_find(fdb, vid, mac);
    if (station && !station->is_static && station->port == port)
        fdb_note_age(station, used_ns);
    mutex_unlock(&fdb->lock);
}

of_port fdb_lookup(const struct fdb *fdb, uint16_t vid, struct mac mac)
{
    const struct station *station = fdb_find(fdb, vid, mac);

    return station ? station->port : OFPP_NONE;
}

void fdb_expire(struct fdb *fdb, int64_t now_ns)
{
    struct fdb_port *port, *next_port;

    mutex_lock(&fdb->lock);
    HASH_ITER (hh, fdb->ports, port, next_port) {
        size_t n = port->n_stations; /* The port goes with its last station. */

        while (n-- > 0) {
            struct station *oldest = cds_list_first_entry(&port->stations, struct station,
                                                          of_owner);

            if (now_ns - oldest->heard_ns < fdb->age_ns)
                break;
            fdb_delete(fdb, oldest);
            fdb->n_expired++;
        }
    }
    mutex_unlock(&fdb->lock);
}

static void fdb_flush_port_locked(struct fdb *fdb, struct fdb_port *port) REQUIRES(fdb->lock)
{
    for (size_t n = port->n_stations; n > 0; n--)
        fdb_delete(fdb, cds_list_first_entry(&port->stations, struct station, of_owner));
}

void fdb_flush_port(struct fdb *fdb, of_port number)
{
    struct fdb_port *port;

    mutex_lock(&fdb->lock);
    HASH_FIND(hh, fdb->ports, &number, sizeof number, port);
    if (port)
        fdb_flush_port_locked(fdb, port);
    mutex_unlock(&fdb->lock);
}

void fdb_flush_all(struct fdb *fdb)
{
    mutex_lock(&fdb->lock);
    while (fdb->n_heap > 0)
        fdb_flush_port_locked(fdb, fdb->heap[0]);
    mutex_unlock(&fdb->lock);
}

static int fdb_add_static_locked(struct fdb *fdb, uint16_t vid, struct mac mac, of_port port)
    REQUIRES(fdb->lock)
{
    struct station *station = fdb_find(fdb, vid, mac);

    if (station && station->is_static) {
        if (station->port != port) {
            station->port = port;
            fdb_tell(fdb, vid, mac);
        }
        return 0;
    }
    if (station)
        fdb_delete(fdb, station);
    if (!fdb_make_room(fdb, 1))
        return -ENOSPC;
    station = station_create(vid, mac, port, 0);
    if (!station)
        return -ENOMEM;
    station->is_static = true;
    fdb_insert(fdb, station);
    fdb_tell(fdb, vid, mac);
    return 0;
}

int fdb_add_static(struct fdb *fdb, uint16_t vid, struct mac mac, of_port port)
{
    mutex_lock(&fdb->lock);
    int error = fdb_add_static_locked(fdb, vid, mac, port);
    mutex_unlock(&fdb->lock);
    return error;
}

int fdb_remove(struct fdb *fdb, uint16_t vid, struct mac mac)
{
    mutex_lock(&fdb->lock);
    struct station *station = fdb_find(fdb, vid, mac);
    if (station)
        fdb_delete(fdb, station);
    mutex_unlock(&fdb->lock);
    return station ? 0 : -ENOENT;
}

void fdb_each(const struct fdb *fdb, void (*each)(const struct fdb_entry_info *, void *arg),
              void *arg)
{
    struct bucket_array *buckets = atomic_load_explicit(&fdb->buckets, memory_order_acquire);

    for (size_t i = 0; i < buckets->n; i++) {
        const struct station *station = atomic_load_explicit(&buckets->first[i],
                                                             memory_order_acquire);

        while (station) {
            struct fdb_entry_info info = {
                .vid = station->vid,
                .mac = station->mac,
                .port = station->port,
                .heard_ns = station->heard_ns,
                .is_static = station->is_static,
            };

            each(&info, arg);
            station = atomic_load_explicit(&station->next, memory_order_acquire);
        }
    }
}

void fdb_get_stats(const struct fdb *fdb, struct fdb_stats *stats)
{
    *stats = (struct fdb_stats){
        .n_entries = fdb->n_entries,
        .n_static = fdb->n_static,
        .max_entries = fdb->stated_max,
        .n_learned = fdb->n_learned,
        .n_expired = fdb->n_expired,
        .n_evicted = fdb->n_evicted,
        .n_moved = fdb->n_moved,
    };
}

void fdb_clear_stats(struct fdb *fdb)
{
    fdb->n_learned = fdb->n_expired = fdb->n_evicted = fdb->n_moved = 0;
}

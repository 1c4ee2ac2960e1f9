/* SPDX-License-Identifier: Apache-2.0 */

/* What the kernel shares with us is kept small; what only we need to know of an entry is in a struct place
 * beside it. */

#include "datapath/kcache.h"

#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "datapath/internal.h"
#include "datapath/kcache_compile.h"
#include "datapath/kcache_internal.h"
#include "datapath/kcache_key.h"
#include "datapath/kcache_programs.h"
#include "datapath/kcache_table.h"
#include "datapath/process.h"
#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/rcu.h"

enum {
    SEEN_FLOWS = 262144, /* Flows of which one frame has come by, by hash. */
    CHUNK_ENTRIES = 256,
    MANY_ENTRIES = 1024,
    REBASE_AFTER = INT32_MAX, /* Half of the generations that an entry can tell. */
    REFUSED_FOR_GOOD = 0xff,
};
#define EVERYTHING_IS_IDLE (-1)
static_assert((int)KC_MAX_SLOTS >= (int)DP_SLOTS_PER_VERDICT &&
                  (int)KC_N_SLOTS == (int)DP_N_SLOTS && (int)DP_MAX_PORTS < (int)KC_DROP,
              "entries hold what verdicts have");

/* --- Life ----------------------------------------------------------------------------------- */

struct kcache *kcache_create(struct datapath *dp, const struct kcache_maps *maps) NO_LOCK_ANALYSIS
{
    struct kcache *cache = calloc(1, sizeof *cache);

    if (!cache)
        return NULL;
    cache->dp = dp;
    cache->maps = *maps;
    mutex_init(&cache->lock);
    if (!maps->is_adopted)
        kcache_table_seed(maps->state);
    maps->state->max_index = maps->n_entries - 1;
    maps->state->max_index6 = maps->n_entries6 - 1;
    cache->tables[0] = kcache_table_create(maps->state, maps->entries, sizeof maps->entries[0],
                                           maps->n_entries);
    cache->tables[1] = kcache_table_create(maps->state, maps->entries6, sizeof maps->entries6[0],
                                           maps->n_entries6);
    cache->programs = kcache_programs_create(maps->programs);
    cache->seen = calloc(SEEN_FLOWS, sizeof cache->seen[0]);
    if (!cache->tables[0] || !cache->tables[1] || !cache->programs || !cache->seen) {
        cache->maps.release = NULL;
        kcache_destroy(cache);
        return NULL;
    }
    if (maps->is_adopted && !kcache_adopt(cache)) {
        cache->maps.release = NULL;
        kcache_destroy(cache);
        return NULL;
    }
    return cache;
}

void kcache_destroy(struct kcache *cache) NO_LOCK_ANALYSIS
{
    if (!cache)
        return;
    if (cache->maps.release)
        cache->maps.release(&cache->maps);
    kcache_table_destroy(cache->tables[0]);
    kcache_table_destroy(cache->tables[1]);
    kcache_programs_destroy(cache->programs);
    mutex_fini(&cache->lock);
    free(cache->seen);
    free(cache);
}

static void clear_port_locked(struct kcache *cache, uint32_t port_no) REQUIRES(cache->lock)
{
    kcache_set_port_xdp(cache, port_no, false);
    __atomic_store_n(&cache->maps.ports[port_no].ifindex, 0, __ATOMIC_RELEASE);
}

/* A program that reads it meanwhile may find the port gone, but not half of two. */
static void write_port_locked(struct kcache *cache, uint32_t port_no,
                              const struct kcache_port *port) REQUIRES(cache->lock)
{
    struct kc_port *at = &cache->maps.ports[port_no];

    clear_port_locked(cache, port_no);
    __atomic_store_n(&at->has_peer, 0, __ATOMIC_RELEASE);
    at->redirect_flags = port->redirect_flags;
    at->max_bytes = port->max_bytes;
    at->peer_mac = port->peer_mac;
    __atomic_store_n(&at->has_peer, port->has_peer, __ATOMIC_RELEASE);
    __atomic_store_n(&at->ifindex, (uint32_t)port->ifindex, __ATOMIC_RELEASE);
    kcache_set_port_xdp(cache, port_no, port->takes_xdp);
}

void kcache_set_port_xdp(struct kcache *cache, uint32_t port_no, bool takes_xdp)
{
    __atomic_store_n(&cache->maps.ports[port_no].takes_xdp, takes_xdp, __ATOMIC_RELEASE);
}

void kcache_set_port(struct kcache *cache, uint32_t port_no, const struct kcache_port *port)
{
    mutex_lock(&cache->lock);
    write_port_locked(cache, port_no, port);
    mutex_unlock(&cache->lock);
}

void kcache_clear_port(struct kcache *cache, uint32_t port_no)
{
    mutex_lock(&cache->lock);
    clear_port_locked(cache, port_no);
    mutex_unlock(&cache->lock);
}

void kcache_change_peer(struct kcache *cache, uint32_t port_no, const struct kcache_port *port)
{
    mutex_lock(&cache->lock);
    if (cache->maps.ports[port_no].ifindex == (uint32_t)port->ifindex)
        write_port_locked(cache, port_no, port);
    mutex_unlock(&cache->lock);
}

uint32_t kcache_list_ports(struct kcache *cache, uint32_t *next, uint32_t *numbers,
                           struct kcache_port *ports, uint32_t n)
{
    uint32_t n_listed = 0;

    mutex_lock(&cache->lock);
    for (; *next < KC_MAX_PORTS && n_listed < n; ++*next) {
        const struct kc_port *at = &cache->maps.ports[*next];

        if (!at->ifindex || at->redirect_flags)
            continue;
        numbers[n_listed] = *next;
        ports[n_listed++] = (struct kcache_port){
            .ifindex = (int)at->ifindex,
            .max_bytes = at->max_bytes,
            .has_peer = at->has_peer,
            .takes_xdp = __atomic_load_n(&at->takes_xdp, __ATOMIC_RELAXED),
            .peer_mac = at->peer_mac,
        };
    }
    if (*next == KC_MAX_PORTS)
        *next = 0;
    mutex_unlock(&cache->lock);
    return n_listed;
}

void kcache_invalidate(struct kcache *cache, uint16_t slot, uint64_t generation)
{
    struct kc_state *state = cache->maps.state;

    if (kcache_is_adopting(cache))
        return;
    __atomic_store_n(&state->slot_generation[slot % KC_N_SLOTS], generation, __ATOMIC_RELEASE);
    __atomic_store_n(&state->generation, generation, __ATOMIC_RELEASE);
}

/* --- Entries of a flow ---------------------------------------------------------------------- */

void kcache_join_locked(struct kcache *cache, struct kcache_place *place, struct megaflow *flow)
    REQUIRES(cache->lock)
{
    struct kcache_flow *list = &flow->kernel;

    megaflow_get(flow);
    place->flow = flow;
    place->previous = 0;
    place->next = list->first;
    if (list->first)
        kcache_place_of(cache, list->first)->previous = place->id;
    list->first = place->id;
    atomic_fetch_add_explicit(&list->n_entries, 1, memory_order_relaxed);
}

static void leave_locked(struct kcache *cache, struct kcache_place *place) REQUIRES(cache->lock)
{
    struct megaflow *flow = place->flow;

    if (place->previous)
        kcache_place_of(cache, place->previous)->next = place->next;
    else
        flow->kernel.first = place->next;
    if (place->next)
        kcache_place_of(cache, place->next)->previous = place->previous;
    place->flow = NULL;
    atomic_fetch_sub_explicit(&flow->kernel.n_entries, 1, memory_order_relaxed);
    megaflow_put(flow);
}

static void remove_locked(struct kcache *cache, struct kcache_place *place, int64_t now_ns)
    REQUIRES(cache->lock)
{
    kcache_table_remove(cache->tables[place->id >> 31], place);
    kcache_credit_entry_locked(cache, place, now_ns);
    leave_locked(cache, place);
    cache->stats.n_removed++;
}

/* --- Verdicts ------------------------------------------------------------------------------- */

static bool is_reachable(uint32_t port_no, void *arg)
{
    const struct kcache *cache = arg;
    const struct dp_port *port = datapath_port(cache->dp, port_no);

    return port && port->is_kernel_reachable;
}

static void refuse_locked(struct kcache *cache, struct megaflow *flow, enum kcache_refusal refusal,
                          uint8_t kinds) REQUIRES(cache->lock)
{
    uint8_t refused = atomic_load_explicit(&flow->kernel.refused, memory_order_relaxed);

    if (!refused)
        cache->stats.refused[refusal]++;
    atomic_store_explicit(&flow->kernel.refused, refused | kinds, memory_order_relaxed);
}

static bool is_covered(const struct megaflow *flow, const struct kc_key *key)
{
    return flow_mask_is_within(megaflow_mask(flow), kc_key_bits(kc_key_kind(key)));
}

/* What to do with frames of 'key', which 'flow' decides; KC_NOTHING: the kernel cannot. */
static uint32_t action_locked(struct kcache *cache, struct megaflow *flow, const struct kc_key *key)
    REQUIRES(cache->lock)
{
    const struct kcache_means means = {
        .is_reachable = is_reachable, .arg = cache, .meters = cache->dp->meters};
    uint8_t kind = (uint8_t)(1 << kc_key_kind(key));
    struct kcache_verdict verdict;

    if (!is_covered(flow, key)) {
        refuse_locked(cache, flow, KCACHE_FIELDS, kind);
        return KC_NOTHING;
    }
    int refusal = kcache_compile(flow, &means, &verdict);
    if (refusal) {
        refuse_locked(cache, flow, (enum kcache_refusal)(refusal + KCACHE_N_REFUSALS),
                      REFUSED_FOR_GOOD);
        return KC_NOTHING;
    }
    if (!kcache_verdict_suits(&verdict, key)) {
        refuse_locked(cache, flow, KCACHE_ACTIONS, 0); /* Another frame's protocol may do. */
        return KC_NOTHING;
    }
    if (verdict.plain && !kcache_verdict_has_checks(&verdict, key))
        return verdict.plain;
    if (flow->kernel.action == KC_NOTHING)
        flow->kernel.action = kcache_programs_get(cache->programs, &verdict.program);
    if (flow->kernel.action == KC_NOTHING)
        cache->stats.refused[KCACHE_NO_PROGRAM]++;
    return flow->kernel.action;
}

/* When entries of 'flow' say that they were born.  What is older than 'base' is as good as born then, if none of its
 * slots was newer: whatever changes later is newer than that. */
uint64_t kcache_birth_locked(struct kcache *cache, const struct megaflow *flow)
{
    return flow->born > cache->maps.state->base ? flow->born : cache->maps.state->base;
}

/* True: 'words' are what an entry for it holds. */
bool kcache_encode_locked(struct kcache *cache, struct megaflow *flow, const struct kc_key *key,
                          struct kcache_words *words) REQUIRES(cache->lock)
{
    uint64_t base = cache->maps.state->base, birth = kcache_birth_locked(cache, flow);
    uint32_t action = action_locked(cache, flow, key);

    if (action == KC_NOTHING || cache->is_rebasing || birth - base > UINT32_MAX ||
        (birth != flow->born && !process_is_valid(cache->dp, flow)))
        return false;
    words->verdict = (birth - base) << 32 | (uint64_t)flow->slots[0] << KC_ACTION_BITS | action;
    words->slots = 0;
    for (unsigned int i = 1; i < DP_SLOTS_PER_VERDICT; i++)
        words->slots |= (uint64_t)flow->slots[i] << (i - 1) * KC_SLOT_BITS;
    return true;
}

/* --- Offers --------------------------------------------------------------------------------- */

/* True if a frame of the flow was here before. */
static bool is_seen_locked(struct kcache *cache, const struct kc_points *points)
    REQUIRES(cache->lock)
{
    uint32_t *seen = &cache->seen[(points->home ^ points->other << 7) % SEEN_FLOWS];
    uint32_t mark = points->home << 13 ^ points->other ^ UINT32_C(1) << 31;

    if (*seen == mark)
        return true;
    *seen = mark;
    return false;
}

/* Two choices for each flow are enough for a table that is nearly full, if those that came first make room.  For a
 * moment the one that moves is there twice. */
static bool move_locked(struct kcache *cache, struct kcache_table *table,
                        const struct kc_points *points, int64_t now_ns) REQUIRES(cache->lock)
{
    struct kc_points its_points;
    struct kcache_words words;
    struct kcache_place *to;
    struct kc_key key;
    struct kcache_place *from = kcache_table_find_movable(table, cache->maps.state, points, &to,
                                                          &its_points);

    if (!from || !megaflow_is_live(from->flow))
        return false;
    kcache_table_get_key(from, &key);
    if (!kcache_encode_locked(cache, from->flow, &key, &words))
        return false;
    kcache_table_add(table, to, &its_points, &key, &words);
    to->used_ns = from->used_ns;
    kcache_join_locked(cache, to, from->flow);
    remove_locked(cache, from, now_ns);
    cache->stats.n_removed--;
    cache->stats.n_moved++;
    return true;
}

/* For a later frame: it has to wait for a grace period. */
static void make_room_locked(struct kcache *cache, struct kcache_table *table,
                             const struct kc_points *points, int64_t now_ns) REQUIRES(cache->lock)
{
    cache->stats.n_full++;
    if (move_locked(cache, table, points, now_ns))
        return;
    struct kcache_place *victim = kcache_table_find_idle(table, points, now_ns);
    if (!victim)
        return;
    remove_locked(cache, victim, now_ns);
    cache->stats.n_evicted++;
}

static void install_locked(struct kcache *cache, struct kcache_table *table,
                           const struct kc_points *points, const struct kc_key *key,
                           struct megaflow *flow, int64_t now_ns) REQUIRES(cache->lock)
{
    struct kcache_place *place = kcache_table_find_room(table, points);
    struct kcache_words words;

    if (!place) {
        make_room_locked(cache, table, points, now_ns);
        return;
    }
    if (!kcache_encode_locked(cache, flow, key, &words))
        return;
    kcache_table_add(table, place, points, key, &words);
    place->used_ns = now_ns;
    kcache_join_locked(cache, place, flow);
    cache->stats.n_installed++;
}

/* The entry is there, and its flow may have changed. */
static void renew_locked(struct kcache *cache, struct kcache_place *place, struct megaflow *flow,
                         const struct kc_key *key, int64_t now_ns) REQUIRES(cache->lock)
{
    struct kcache_words words;

    if (!kcache_encode_locked(cache, flow, key, &words)) {
        remove_locked(cache, place, now_ns);
        return;
    }
    if (place->flow == flow && kcache_table_has(place, &words))
        return;
    kcache_credit_entry_locked(cache, place, now_ns);
    kcache_table_change(place, &words);
    if (place->flow != flow) {
        megaflow_get(place->flow); /* leave_locked() may drop the last reference. */
        struct megaflow *old = place->flow;

        leave_locked(cache, place);
        kcache_join_locked(cache, place, flow);
        megaflow_put(old);
    }
    cache->stats.n_renewed++;
}

void kcache_count_places_locked(struct kcache *cache) REQUIRES(cache->lock)
{
    atomic_store_explicit(&cache->n_places,
                          kcache_table_n_busy(cache->tables[0]) +
                              kcache_table_n_busy(cache->tables[1]),
                          memory_order_relaxed);
}

void kcache_offer(struct kcache *cache, struct megaflow *flow, const struct flow_key *flow_key,
                  uint16_t slot, bool is_repeated, int64_t now_ns)
{
    struct kc_key key;

    if (kcache_is_adopting(cache) || !kc_key_from_flow(flow_key, slot, &key) ||
        atomic_load_explicit(&flow->kernel.refused, memory_order_relaxed) & 1 << kc_key_kind(&key))
        return;

    mutex_lock(&cache->lock);
    struct kcache_table *table = cache->tables[key.n_words == KC_KEY6_WORDS];
    struct kc_points points = kc_points_of(cache->maps.state, key.words, key.n_words);
    struct kcache_place *place = kcache_table_find(table, &points, &key);
    if (!megaflow_is_live(flow))
        ; /* It has been given up meanwhile, and perhaps forgotten. */
    else if (place)
        renew_locked(cache, place, flow, &key, now_ns);
    else if (is_seen_locked(cache, &points) || is_repeated)
        install_locked(cache, table, &points, &key, flow, now_ns);
    kcache_count_places_locked(cache);
    mutex_unlock(&cache->lock);
}

/* --- Successors ----------------------------------------------------------------------------- */

void kcache_succeed(struct kcache *cache, struct megaflow *old, struct megaflow *flow)
{
    if (!atomic_load_explicit(&old->kernel.n_entries, memory_order_relaxed))
        return;
    mutex_lock(&cache->lock);
    if (!old->kernel.successor) {
        megaflow_get(flow);
        old->kernel.successor = flow;
    }
    mutex_unlock(&cache->lock);
}

/* The one that stands in the table now, or NULL. */
static struct megaflow *heir_locked(struct kcache *cache, struct megaflow *flow)
    REQUIRES(cache->lock)
{
    (void)cache;
    while (flow && !megaflow_is_live(flow))
        flow = flow->kernel.successor;
    return flow;
}

static void pass_on_locked(struct kcache *cache, struct kcache_place *place, int64_t now_ns)
    REQUIRES(cache->lock)
{
    struct megaflow *heir = heir_locked(cache, place->flow);
    struct kc_key key;

    kcache_table_get_key(place, &key);
    if (heir)
        renew_locked(cache, place, heir, &key, now_ns);
    else
        remove_locked(cache, place, now_ns);
}

void kcache_forget(struct kcache *cache, struct megaflow *flow)
{
    struct megaflow *successor;
    uint32_t action;
    int64_t now_ns = megaflow_last_used(flow);

    mutex_lock(&cache->lock);
    for (int n = 0; flow->kernel.first; n++) {
        if (n == CHUNK_ENTRIES) { /* Workers wait. */
            mutex_unlock(&cache->lock);
            mutex_lock(&cache->lock);
            n = 0;
        }
        pass_on_locked(cache, kcache_place_of(cache, flow->kernel.first), now_ns);
    }
    action = flow->kernel.action;
    flow->kernel.action = KC_NOTHING;
    kcache_programs_put(cache->programs, action);
    successor = flow->kernel.successor;
    flow->kernel.successor = NULL;
    mutex_unlock(&cache->lock);
    if (successor)
        megaflow_put(successor);
}

/* --- Rounds --------------------------------------------------------------------------------- */

static void sweep_place_locked(struct kcache *cache, struct kcache_place *place, int64_t now_ns,
                               int64_t max_idle_ns) REQUIRES(cache->lock)
{
    struct megaflow *flow = place->flow;

    kcache_credit_entry_locked(cache, place, now_ns);
    if (now_ns - place->used_ns > max_idle_ns || max_idle_ns == EVERYTHING_IS_IDLE) {
        remove_locked(cache, place, now_ns);
        cache->stats.n_expired++;
        return;
    }
    struct megaflow *heir = heir_locked(cache, flow);
    if (heir &&
        (heir != flow ||
         !kcache_table_is_born(place, cache->maps.state, kcache_birth_locked(cache, flow))) &&
        process_is_valid(cache->dp, heir))
        pass_on_locked(cache, place, now_ns);
}

static void walk(struct kcache *cache, unsigned int i, int64_t now_ns, int64_t max_idle_ns)
{
    uint32_t at = UINT32_MAX;
    struct kcache_place *place;

    do {
        mutex_lock(&cache->lock);
        for (int n = 0; n < CHUNK_ENTRIES; n++) {
            place = kcache_table_walk(cache->tables[i], &at);
            if (!place)
                break;
            if (max_idle_ns)
                sweep_place_locked(cache, place, now_ns, max_idle_ns);
            else
                kcache_credit_entry_locked(cache, place, now_ns);
        }
        mutex_unlock(&cache->lock);
        if (max_idle_ns)
            rcu_pass_quiescent_state();
    } while (place);
}

void kcache_collect_flow(struct kcache *cache, struct megaflow *flow)
{
    if (!atomic_load_explicit(&flow->kernel.n_entries, memory_order_relaxed))
        return;
    mutex_lock(&cache->lock);
    uint32_t id = flow->kernel.first;
    for (int n = 0; id && n < MANY_ENTRIES; n++) {
        struct kcache_place *place = kcache_place_of(cache, id);

        kcache_credit_entry_locked(cache, place, clock_now_ns());
        id = place->next;
    }
    mutex_unlock(&cache->lock);
}

void kcache_collect(struct kcache *cache, int64_t now_ns)
{
    for (unsigned int i = 0; i < 2; i++)
        walk(cache, i, now_ns, 0);
    mutex_lock(&cache->lock);
    kcache_credit_programs_locked(cache);
    mutex_unlock(&cache->lock);
}

/* Entries tell 32 bits of their birth.  Before these end, all entries go, and 'base' moves once no program can still
 * be looking at one of them; a program that has the old one takes new entries for older than they are. */
static bool begin_rebasing(struct kcache *cache)
{
    mutex_lock(&cache->lock);
    if (!kcache_is_adopting(cache) &&
        datapath_generation(cache->dp) - cache->maps.state->base > REBASE_AFTER)
        cache->is_rebasing = true;
    bool is_rebasing = cache->is_rebasing;
    mutex_unlock(&cache->lock);
    return is_rebasing;
}

static void end_rebasing_locked(struct kcache *cache) REQUIRES(cache->lock)
{
    if (!cache->is_rebasing)
        return;
    __atomic_store_n(&cache->maps.state->base, datapath_generation(cache->dp), __ATOMIC_RELEASE);
    cache->is_rebasing = false;
}

bool kcache_sweep(struct kcache *cache, int64_t now_ns, int64_t max_idle_ns)
{
    bool is_rebasing = begin_rebasing(cache);

    for (unsigned int i = 0; i < 2; i++)
        walk(cache, i, now_ns, is_rebasing ? EVERYTHING_IS_IDLE : max_idle_ns);
    mutex_lock(&cache->lock);
    kcache_credit_programs_locked(cache);
    bool has_retired = kcache_programs_retire(cache->programs) || is_rebasing;
    for (unsigned int i = 0; i < 2; i++)
        has_retired |= kcache_table_retire(cache->tables[i]);
    mutex_unlock(&cache->lock);
    return has_retired;
}

/* Programs run in read-side sections of RCU, and this system call waits for a grace period.  Where it is
 * not to be had (nohz_full), no program runs for as long as half a second. */
void kcache_wait_for_programs(void)
{
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0)) {
        const struct timespec long_enough = {.tv_nsec = 500 * 1000 * 1000};

        nanosleep(&long_enough, NULL);
    }
}

void kcache_reuse(struct kcache *cache)
{
    mutex_lock(&cache->lock);
    end_rebasing_locked(cache);
    kcache_credit_programs_locked(cache); /* Of those that go. */
    kcache_programs_reuse(cache->programs);
    for (unsigned int i = 0; i < 2; i++)
        kcache_table_reuse(cache->tables[i]);
    kcache_count_places_locked(cache);
    mutex_unlock(&cache->lock);
}

bool kcache_has_work(struct kcache *cache)
{
    return atomic_load_explicit(&cache->n_places, memory_order_relaxed) > 0;
}

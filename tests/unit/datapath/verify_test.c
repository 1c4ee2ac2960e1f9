/* SPDX-License-Identifier: Apache-2.0 */

/* Wrong entries are planted in caches, and found; right ones are not accused, whatever changes meanwhile. */

#include "tests/unit/datapath/cmocka_all.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "datapath/internal.h"
#include "datapath/process.h"
#include "datapath/verify.h"
#include "lib/clock.h"
#include "lib/rcu.h"
#include "tests/unit/datapath/frames.h"

enum { SLOT = 7, PORT_SLOT = 3, N_ENTRIES = 64 };

struct rig {
    struct datapath *dp;
    uint32_t in, out, other;
    struct kcache_maps maps; /* Owned. */

    /* What the tables say. */
    struct flow_key mask;
    _Atomic uint32_t output;
    bool is_uncacheable;
    bool changes_on_rewalk; /* The tables change while they are looked at. */
    _Atomic unsigned int n_rewalked;
    unsigned int n_contexts;

    /* What was found. */
    unsigned int n_found;
    const char *what;
    uint32_t cached, wanted; /* Ports. */
    bool is_in_kernel;
};

static void translate(void *aux, const struct flow_key *key, const struct packet *packet,
                      int64_t now_ns, struct verdict *verdict)
{
    struct rig *s = aux;

    (void)key;
    (void)now_ns;
    if (!packet && s->changes_on_rewalk) {
        s->output = s->other;
        datapath_invalidate(s->dp, SLOT);
    }
    verdict->mask = s->mask;
    verdict->cacheable = !s->is_uncacheable;
    verdict->slots[verdict->n_slots++] = SLOT;
    verdict->context = s;
    verdict->actions.list[verdict->actions.n++] = (struct dp_action){.type = DP_OUTPUT,
                                                                     .arg = s->output};
    s->n_contexts++;
    if (!packet)
        s->n_rewalked++;
}

static void release(void *aux, void *context)
{
    struct rig *s = aux;

    assert_ptr_equal(context, s);
    s->n_contexts--;
}

static const struct datapath_ops ops = {.translate = translate, .release = release};

static uint32_t add_port(struct datapath *dp, const char *name)
{
    uint32_t port_no;

    assert_int_equal(
        datapath_port_add(dp, &(struct dp_port_config){.name = name, .type = DP_PORT_DUMMY},
                          &port_no, NULL),
        0);
    return port_no;
}

/* The kernel's memory, without a kernel that reads it. */
static void add_kernel(struct rig *s)
{
    struct dp_port *in = datapath_port(s->dp, s->in);

    s->maps = (struct kcache_maps){
        .state = calloc(1, sizeof *s->maps.state),
        .entries = aligned_alloc(64, N_ENTRIES * sizeof *s->maps.entries),
        .entries6 = aligned_alloc(64, N_ENTRIES * sizeof *s->maps.entries6),
        .ports = calloc(KC_MAX_PORTS, sizeof *s->maps.ports),
        .programs = calloc(KC_N_PROGRAMS, sizeof *s->maps.programs),
        .devices = calloc(KC_MAX_DEVICES, sizeof *s->maps.devices),
        .n_entries = N_ENTRIES,
        .n_entries6 = N_ENTRIES,
    };
    memset(s->maps.entries, 0, N_ENTRIES * sizeof *s->maps.entries);
    memset(s->maps.entries6, 0, N_ENTRIES * sizeof *s->maps.entries6);
    datapath_set_kcache(s->dp, kcache_create(s->dp, &s->maps));
    in->slot = PORT_SLOT;
    in->is_kernel_cached = true;
    datapath_port(s->dp, s->out)->is_kernel_reachable = true;
    atomic_store(&s->dp->slots[PORT_SLOT], in);
}

static int set_up(void **state)
{
    struct rig *s = calloc(1, sizeof *s);

    s->dp = datapath_create(&(struct datapath_config){.misses_per_second = UINT32_MAX}, &ops, s,
                            NULL);
    assert_non_null(s->dp);
    s->in = add_port(s->dp, "in");
    s->out = add_port(s->dp, "out");
    s->other = add_port(s->dp, "other");
    s->output = s->out;
    memset(&s->mask.in_port, 0xff, sizeof s->mask.in_port);
    memset(&s->mask.tp_src, 0xff, sizeof s->mask.tp_src);
    add_kernel(s);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *s = *state;
    struct kcache_maps maps = s->maps;

    atomic_store(&s->dp->slots[PORT_SLOT], NULL);
    datapath_destroy(s->dp);
    assert_int_equal(s->n_contexts, 0);
    free(maps.state);
    free(maps.entries);
    free(maps.entries6);
    free(maps.ports);
    free(maps.programs);
    free(maps.devices);
    free(s);
    return 0;
}

static void send_from(struct rig *s, uint16_t tp_src)
{
    struct lane *lane = s->dp->lanes[s->dp->n_lanes - 1];
    struct frame frame;

    frame_make_ipv4(&frame, IP_PROTO_TCP, 26);
    be16_store(frame.bytes + 34, tp_src);
    datapath_inject(s->dp, s->in, frame.bytes, frame.size, NULL);
    process_end_of_queue(lane, true);
}

/* The kernel takes a flow up with its second frame. */
static void send_two_from(struct rig *s, uint16_t tp_src)
{
    send_from(s, tp_src);
    send_from(s, tp_src);
}

static void note(const struct dp_difference *difference, void *arg)
{
    struct rig *s = arg;

    assert_int_equal(difference->flow->n_actions, 1);
    assert_int_equal(difference->actions->n, 1);
    s->n_found++;
    s->what = difference->what;
    s->cached = difference->flow->actions[0].arg;
    s->wanted = difference->actions->list[0].arg;
    s->is_in_kernel = difference->flow->is_in_kernel;
}

static struct dp_verification verify(struct rig *s)
{
    s->n_found = 0;
    struct dp_verification v = datapath_verify(s->dp, UINT32_MAX, note, s);
    assert_int_equal(v.n_differences, s->n_found);
    return v;
}

static struct megaflow *any_flow(struct rig *s)
{
    uint32_t index = UINT32_MAX;
    struct megaflow *flow;

    assert_int_equal(megaflow_list(s->dp->megaflows, &index, &flow, 1), 1);
    return flow;
}

static struct kc_entry *any_entry(struct rig *s)
{
    for (unsigned int i = 0; i < N_ENTRIES; i++)
        if (s->maps.entries[i].verdict)
            return &s->maps.entries[i];
    fail();
    return NULL;
}

static void what_is_cached_rightly_is_not_accused(void **state)
{
    struct rig *s = *state;

    send_from(s, 1);
    send_two_from(s, 2);
    struct dp_verification v = verify(s);
    assert_int_equal(v.n_megaflows, 2);
    assert_int_equal(v.n_kernel_flows, 1);
    assert_int_equal(v.n_stale, 0);
    assert_int_equal(v.n_differences, 0);
}

static void a_megaflow_with_other_actions_is_found(void **state)
{
    struct rig *s = *state;

    send_from(s, 1);
    send_from(s, 2);
    any_flow(s)->actions[0].arg = s->other;
    assert_int_equal(verify(s).n_megaflows, 2);
    assert_int_equal(s->n_found, 1);
    assert_string_equal(s->what, "other actions");
    assert_int_equal(s->cached, s->other);
    assert_int_equal(s->wanted, s->out);
    assert_false(s->is_in_kernel);
}

static void a_verdict_that_may_not_be_cached_is_found(void **state)
{
    struct rig *s = *state;

    send_from(s, 1);
    s->is_uncacheable = true;
    verify(s);
    assert_int_equal(s->n_found, 1);
    assert_string_equal(s->what, "may not be cached");
}

static void a_kernel_entry_that_sends_elsewhere_is_found(void **state)
{
    struct rig *s = *state;
    struct kc_entry *entry;

    send_two_from(s, 1);
    entry = any_entry(s);
    assert_int_equal(kc_action(entry->verdict), s->out);
    entry->verdict ^= s->out ^ s->other;
    assert_int_equal(verify(s).n_kernel_flows, 1);
    assert_int_equal(s->n_found, 1);
    assert_string_equal(s->what, "the kernel's copy is another");
    assert_true(s->is_in_kernel);
}

static void a_kernel_entry_that_depends_on_less_is_found(void **state)
{
    struct rig *s = *state;

    send_two_from(s, 1);
    any_entry(s)->verdict ^= (uint64_t)SLOT << KC_ACTION_BITS;
    verify(s);
    assert_int_equal(s->n_found, 1);
    assert_true(s->is_in_kernel);
}

static void what_is_out_of_date_is_not_compared(void **state)
{
    struct rig *s = *state;

    send_two_from(s, 1);
    s->output = s->other;
    datapath_invalidate(s->dp, SLOT);
    struct dp_verification v = verify(s);
    assert_int_equal(v.n_megaflows + v.n_kernel_flows, 0);
    assert_int_equal(v.n_stale, 2);
    assert_int_equal(s->n_found, 0);
    assert_int_equal(s->n_rewalked, 0);
}

static void a_change_during_the_walk_is_no_difference(void **state)
{
    struct rig *s = *state;

    send_two_from(s, 1);
    s->changes_on_rewalk = true;
    assert_int_equal(verify(s).n_stale, 2);
    assert_int_equal(s->n_found, 0);
    assert_int_equal(s->n_rewalked, 1);
}

/* A thread publishes a change; it says so to the caches when the walk has seen it. */
struct change {
    struct rig *s;
    _Atomic bool is_published;
};

static void *change_tables(void *arg)
{
    struct change *change = arg;

    rcu_reader_register();
    change->s->output = change->s->other;
    change->is_published = true;
    while (!change->s->n_rewalked)
        sched_yield();
    datapath_invalidate(change->s->dp, SLOT);
    rcu_reader_unregister();
    return NULL;
}

static void a_change_that_is_being_published_is_no_difference(void **state)
{
    struct rig *s = *state;
    struct change change = {.s = s};
    pthread_t thread;

    send_from(s, 1);
    assert_int_equal(pthread_create(&thread, NULL, change_tables, &change), 0);
    while (!change.is_published)
        sched_yield();
    assert_int_equal(verify(s).n_stale, 1);
    assert_int_equal(s->n_found, 0);
    rcu_join_thread(thread);
}

static void a_sample_is_as_large_as_asked_for(void **state)
{
    struct rig *s = *state;

    /* A table of 64 entries takes two of 500 flows for one now and then, and takes one up. */
    datapath_port(s->dp, s->in)->is_kernel_cached = false;
    for (uint16_t i = 0; i < 500; i++)
        send_from(s, i);
    any_flow(s)->actions[0].arg = s->other;
    struct dp_verification v = datapath_verify(s->dp, 100, note, s);
    assert_int_equal(v.n_megaflows, 100);
    v = datapath_verify(s->dp, 500, note, s);
    assert_int_equal(v.n_megaflows, 500);
    assert_int_equal(v.n_differences, 1);
}

/* --- Generations, of which entries tell 32 bits --------------------------------------------- */

static void set_generation(struct rig *s, uint64_t generation)
{
    atomic_store(&s->dp->generation, generation);
    s->maps.state->generation = generation;
}

/* As programs see it. */
static bool is_up_to_date(struct rig *s, const struct kc_entry *entry)
{
    uint64_t born = s->maps.state->base + kc_born(entry->verdict);

    return s->maps.state->slot_generation[0] <= born &&
           s->maps.state->slot_generation[kc_first_slot(entry->verdict)] <= born;
}

static bool has_entry(struct rig *s)
{
    for (unsigned int i = 0; i < N_ENTRIES; i++)
        if (s->maps.entries[i].verdict)
            return true;
    return false;
}

/* As the maintenance thread does. */
static void sweep(struct rig *s)
{
    if (kcache_sweep(datapath_kcache(s->dp), clock_now_ns(), 10 * SECOND_NS))
        kcache_reuse(datapath_kcache(s->dp));
}

static void entries_are_right_before_and_after_generations_begin_anew(void **state)
{
    struct rig *s = *state;
    uint64_t base = s->maps.state->base;

    set_generation(s, INT32_MAX - 10);
    for (int i = 0; i < 20; i++) {
        s->output = s->output == s->out ? s->other : s->out;
        datapath_invalidate(s->dp, SLOT);
        assert_true(!has_entry(s) || !is_up_to_date(s, any_entry(s)));
        datapath_port(s->dp, s->output)->is_kernel_reachable = true;
        send_two_from(s, 1);
        send_from(s, 1);
        assert_true(is_up_to_date(s, any_entry(s)));
        assert_int_equal(kc_action(any_entry(s)->verdict), s->output);
        struct dp_verification v = verify(s);
        assert_int_equal(v.n_kernel_flows, 1);
        assert_int_equal(v.n_differences, 0);
        sweep(s);
    }
    assert_true(s->maps.state->base > base + INT32_MAX);
}

static void what_goes_to_a_port_that_lives_in_userspace_stays_there(void **state)
{
    struct rig *s = *state;
    struct kcache_stats stats;

    s->output = s->other;
    send_two_from(s, 1);
    assert_false(has_entry(s));
    assert_true(datapath_get_kernel_stats(s->dp, &stats));
    for (int i = 0; i < KCACHE_N_REFUSALS; i++)
        assert_int_equal(stats.refused[i], i == KCACHE_PORTS);
    assert_string_equal(kcache_refusal_name(KCACHE_PORTS), "ports");
}

/* Its megaflow is older than all that entries can tell. */
static void a_flow_that_never_changes_comes_back_when_generations_begin_anew(void **state)
{
    struct rig *s = *state;

    send_two_from(s, 1);
    set_generation(s, UINT64_C(1) << 31);
    sweep(s);
    assert_false(has_entry(s));
    send_from(s, 1);
    assert_true(is_up_to_date(s, any_entry(s)));
    sweep(s);
    assert_true(has_entry(s));
    assert_int_equal(s->n_rewalked, 0);
    datapath_invalidate(s->dp, SLOT);
    assert_false(is_up_to_date(s, any_entry(s)));
}

static void nothing_is_installed_beyond_the_last_generation_that_entries_can_tell(void **state)
{
    struct rig *s = *state;

    set_generation(s, UINT64_C(1) << 32);
    send_two_from(s, 1);
    assert_false(has_entry(s));
    sweep(s);
    send_from(s, 1);
    assert_true(is_up_to_date(s, any_entry(s)));
}

/* --- Room ----------------------------------------------------------------------------------- */

static void a_table_that_is_nearly_full_has_room_for_all(void **state)
{
    enum { N_FLOWS = N_ENTRIES * 7 / 8 };
    struct rig *s = *state;
    struct kcache_stats stats;

    for (int i = 0; i < 5; i++)
        s->maps.state->hash_keys[i] = UINT64_C(0x9e3779b97f4a7c15) * (unsigned int)(2 * i + 1);
    for (int round = 0; round < 20; round++) {
        for (uint16_t i = 0; i < N_FLOWS; i++)
            send_two_from(s, i);
        sweep(s);
    }
    kcache_get_stats(datapath_kcache(s->dp), &stats);
    assert_int_equal(stats.n_entries, N_FLOWS);
    assert_int_equal(stats.n_evicted, 0);
    assert_true(stats.n_moved > 0);
    assert_int_equal(verify(s).n_kernel_flows, N_FLOWS);
    assert_int_equal(s->n_found, 0);
}

#define A_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        A_TEST(what_is_cached_rightly_is_not_accused),
        A_TEST(a_megaflow_with_other_actions_is_found),
        A_TEST(a_verdict_that_may_not_be_cached_is_found),
        A_TEST(a_kernel_entry_that_sends_elsewhere_is_found),
        A_TEST(a_kernel_entry_that_depends_on_less_is_found),
        A_TEST(what_is_out_of_date_is_not_compared),
        A_TEST(a_change_during_the_walk_is_no_difference),
        A_TEST(a_change_that_is_being_published_is_no_difference),
        A_TEST(a_sample_is_as_large_as_asked_for),
        A_TEST(what_goes_to_a_port_that_lives_in_userspace_stays_there),
        A_TEST(entries_are_right_before_and_after_generations_begin_anew),
        A_TEST(a_flow_that_never_changes_comes_back_when_generations_begin_anew),
        A_TEST(a_table_that_is_nearly_full_has_room_for_all),
        A_TEST(nothing_is_installed_beyond_the_last_generation_that_entries_can_tell),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */

/* Readers that look up while a writer inserts, removes and publishes versions.  The writer keeps a rule
 * of low priority for every flow and, in each version, one rule of high priority for each of some
 * flows, now under one mask, now under another; so a reader knows from its version alone which
 * priority it must find. */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/annotations.h"
#include "lib/rcu.h"
#include "vswitchd/classifier.h"

enum { N_FLOWS = 256, N_MASKS = 80, N_READERS = 2, N_VERSIONS = 400, LOW = 1 };

struct test_rule {
    struct rcu_head rcu;
    struct cls_rule cls;
};

struct shared {
    struct classifier *cls;
    _Atomic(uint64_t) version;
    _Atomic(bool) is_done;
    _Atomic(uint64_t) n_lookups;
};

/* Which priority flow 'i' meets in 'version': it changes for one of eight flows in each version. */
static uint32_t priority_of(uint64_t version, uint32_t i)
{
    uint64_t changed_in = version - (version - i) % 8;

    return (uint32_t)(changed_in % 100) + 10;
}

static struct flow flow_of(uint32_t i)
{
    struct flow flow = {0};

    flow.key.nw_dst = be32_from(0x0a000000 + i);
    flow.key.in_port = be32_from(i % 16);
    flow.key.tp_dst = be16_from((uint16_t)(i * 7));
    flow.metadata = be64_from(UINT64_MAX);
    return flow;
}

static struct test_rule *create_rule(uint32_t i, uint32_t mask, uint32_t priority)
{
    struct match match = {.flow = flow_of(i)};

    memset(&match.mask.key.nw_dst, 0xff, sizeof match.mask.key.nw_dst);
    if (mask & 1)
        memset(&match.mask.key.in_port, 0xff, sizeof match.mask.key.in_port);
    if (mask & 2)
        memset(&match.mask.key.tp_dst, 0xff, sizeof match.mask.key.tp_dst);
    match.mask.metadata = be64_from(mask >> 2);
    match_normalize(&match);
    struct test_rule *rule = malloc(sizeof *rule + cls_rule_words_bytes(&match));
    cls_rule_init(&rule->cls, &match, priority);
    return rule;
}

static void free_rule(struct rcu_head *rcu)
{
    struct test_rule *rule = CONTAINER_OF(rcu, struct test_rule, rcu);

    rcu_begin_callback();
    cls_rule_fini(&rule->cls);
    free(rule);
}

static void remove_rule(struct shared *shared, struct test_rule *rule)
{
    classifier_remove(shared->cls, &rule->cls);
    call_rcu(&rule->rcu, free_rule);
}

static void look_up(struct shared *shared, uint64_t version, uint32_t i)
{
    struct flow flow = flow_of(i), consulted = {0};
    struct cls_rule *rule = classifier_lookup(shared->cls, version, &flow, &consulted);

    if (!rule || rule->priority != priority_of(version, i) ||
        be32_host(consulted.key.nw_dst) != UINT32_MAX)
        abort(); /* cmocka's assertions are for the main thread. */
}

static void *read_until_done(void *shared_)
{
    struct shared *shared = shared_;
    uint64_t n = 0;

    rcu_register_thread();
    while (!atomic_load(&shared->is_done)) {
        uint64_t version = atomic_load_explicit(&shared->version, memory_order_acquire);

        for (uint32_t i = 0; i < 64; i++)
            look_up(shared, version, (uint32_t)(n++ * 37 % N_FLOWS));
        rcu_pass_quiescent_state();
    }
    atomic_fetch_add(&shared->n_lookups, n);
    rcu_pass_quiescent_state();
    rcu_unregister_thread();
    return NULL;
}

static void put_rule(struct shared *shared, struct test_rule **place, uint32_t i, uint64_t version)
{
    struct test_rule *rule = create_rule(i, (uint32_t)(version * 31 + i) % N_MASKS,
                                         priority_of(version, i));

    if (*place)
        atomic_store(&(*place)->cls.removed_in, version);
    classifier_insert(shared->cls, &rule->cls, version);
    *place = rule;
}

static void publish(struct shared *shared, uint64_t version)
{
    atomic_store_explicit(&shared->version, version, memory_order_release);
}

/* Waits until no reader uses an older version than the current one. */
static void wait_for_readers(void)
{
    rcu_pass_quiescent_state();
    synchronize_rcu();
}

static void write_versions(struct shared *shared, struct test_rule **rules, struct test_rule **old)
{
    for (uint64_t version = 100; version < 100 + N_VERSIONS; version++) {
        uint32_t n_old = 0;

        for (uint32_t i = (uint32_t)version % 8; i < N_FLOWS; i += 8) {
            old[n_old++] = rules[i];
            put_rule(shared, &rules[i], i, version);
        }
        publish(shared, version);
        wait_for_readers();
        while (n_old)
            remove_rule(shared, old[--n_old]);
    }
}

static void readers_see_whole_versions_while_rules_change(void **state)
{
    struct shared shared = {.cls = classifier_create()};
    struct test_rule *rules[N_FLOWS] = {NULL}, *old[N_FLOWS], *low[N_MASKS];
    pthread_t readers[N_READERS];

    (void)state;
    rcu_register_thread();
    for (uint32_t i = 0; i < N_MASKS; i++) {
        low[i] = create_rule(i, i, LOW);
        classifier_insert(shared.cls, &low[i]->cls, 1);
    }
    for (uint32_t i = 0; i < N_FLOWS; i++)
        put_rule(&shared, &rules[i], i, 99 - (99 - i) % 8);
    publish(&shared, 99);

    for (int i = 0; i < N_READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_until_done, &shared), 0);
    write_versions(&shared, rules, old);
    atomic_store(&shared.is_done, true);
    rcu_thread_offline();
    for (int i = 0; i < N_READERS; i++)
        pthread_join(readers[i], NULL);
    rcu_thread_online();
    assert_true(atomic_load(&shared.n_lookups) > 0);

    for (uint32_t i = 0; i < N_FLOWS; i++)
        remove_rule(&shared, rules[i]);
    for (uint32_t i = 0; i < N_MASKS; i++)
        remove_rule(&shared, low[i]);
    assert_int_equal(classifier_n_rules(shared.cls), 0);
    rcu_pass_quiescent_state();
    rcu_barrier();
    classifier_destroy(shared.cls);
    rcu_unregister_thread();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_see_whole_versions_while_rules_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

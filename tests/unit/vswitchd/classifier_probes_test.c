/* SPDX-License-Identifier: Apache-2.0 */

/* How many tables of masks does a lookup look into, where somebody has chosen rules that should make these
 * many?  The search is compiled into this program once more, so that it counts. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static unsigned long n_probe, n_filter, n_vectors;
#define CLS_NOTE_LOAD(kind) (n_##kind++)
#include "vswitchd/classifier_lookup.c"

enum { MAX_RULES = 5000, N_LOOKUPS = 2000 };
enum {
    MAX_PROBES = 64, /* For rules of a mask of their own each, however many. */
};

struct fixture {
    struct classifier *cls;
    struct cls_rule *rules[MAX_RULES];
    struct match matches[MAX_RULES];
    uint32_t n_rules;
    uint64_t seed;
};

static uint32_t draw(struct fixture *f)
{
    f->seed = f->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(f->seed >> 32);
}

static uint32_t prefix(uint32_t n)
{
    return n ? UINT32_MAX << (32 - n) : 0;
}

struct tuple4 {
    uint32_t src, dst, ports; /* Both ports. */
};

static void add(struct fixture *f, struct tuple4 value, struct tuple4 mask, uint32_t priority)
{
    struct match *match = &f->matches[f->n_rules];

    match_init_any(match);
    match->mask.key.nw_src = be32_from(mask.src);
    match->mask.key.nw_dst = be32_from(mask.dst);
    match->mask.key.tp_src = be16_from((uint16_t)(mask.ports >> 16));
    match->mask.key.tp_dst = be16_from((uint16_t)mask.ports);
    match->flow.key.nw_src = be32_from(value.src & mask.src);
    match->flow.key.nw_dst = be32_from(value.dst & mask.dst);
    match->flow.key.tp_src = be16_from((uint16_t)((value.ports & mask.ports) >> 16));
    match->flow.key.tp_dst = be16_from((uint16_t)(value.ports & mask.ports));

    struct cls_rule *rule = malloc(sizeof *rule + cls_rule_words_bytes(match));
    assert_true(rule && f->n_rules < MAX_RULES);
    cls_rule_init(rule, match, priority);
    classifier_insert(f->cls, rule, 1);
    f->rules[f->n_rules++] = rule;
}

/* A flow that fits some rules in part: a rule's, with fields of another's or bits changed. */
static struct flow draw_flow(struct fixture *f)
{
    struct flow flow = f->matches[draw(f) % f->n_rules].flow;
    const struct flow_key *other = &f->matches[draw(f) % f->n_rules].flow.key;
    uint32_t how = draw(f);

    if (how & 1)
        flow.key.nw_dst = other->nw_dst;
    if (how & 2)
        flow.key.tp_src = other->tp_src;
    if (how & 4)
        flow.key.nw_src.raw ^= UINT32_C(1) << draw(f) % 32;
    if (how & 8)
        flow.key.tp_dst.raw ^= (uint16_t)(1u << draw(f) % 16);
    return flow;
}

static int64_t search_list(const struct fixture *f, const struct flow *flow)
{
    int64_t best = -1;

    for (uint32_t i = 0; i < f->n_rules; i++)
        if (f->rules[i]->priority > best && match_contains(&f->matches[i], flow))
            best = f->rules[i]->priority;
    return best;
}

/* The longest of many searches, which also are right. */
static unsigned long longest_search(struct fixture *f)
{
    unsigned long n_groups = (classifier_n_masks(f->cls) / CLS_GROUP_MAX_TUPLES + 1) * 2;
    unsigned long n_max = 0;

    for (int i = 0; i < N_LOOKUPS; i++) {
        struct flow flow = draw_flow(f), consulted = {0};

        n_probe = n_filter = n_vectors = 0;
        const struct cls_rule *rule = classifier_lookup(f->cls, 1, &flow, &consulted);
        n_max = n_probe > n_max ? n_probe : n_max;
        assert_true(n_filter <= n_groups * CLS_GROUP_MAX_FILTERS);
        assert_true(n_vectors <= n_groups);
        if (i % 64 == 0)
            assert_int_equal(rule ? (int64_t)rule->priority : -1, search_list(f, &flow));
    }
    return n_max;
}

static void masks_drawn_at_random(void **state)
{
    struct fixture *f = *state;

    while (f->n_rules < 3000)
        add(f, (struct tuple4){draw(f), draw(f), draw(f)},
            (struct tuple4){draw(f), draw(f), draw(f)}, draw(f) % 1000);
    assert_in_range(classifier_n_masks(f->cls), 2990, 3000);
    assert_in_range(longest_search(f), 1, MAX_PROBES);
}

/* All rules fit one flow but for a few bits. */
static void masks_drawn_at_random_around_one_flow(void **state)
{
    struct fixture *f = *state;

    while (f->n_rules < 3000)
        add(f, (struct tuple4){0x0a000001 ^ 1u << draw(f) % 32, 0x0a000002, 0x00500050},
            (struct tuple4){draw(f), draw(f), draw(f)}, draw(f) % 1000);
    assert_in_range(longest_search(f), 1, MAX_PROBES);
}

/* A list of what is allowed, bit by bit: lengths of prefixes of an address and two ports. */
static void product_of_prefixes(void **state)
{
    struct fixture *f = *state;

    for (uint32_t src = 1; src <= 32; src++)
        for (uint32_t from = 1; from <= 8; from++)
            for (uint32_t to = 1; to <= 8; to++) {
                uint32_t from_mask = prefix(from), to_mask = prefix(to) >> 16;
                add(f,
                    (struct tuple4){0x0a000001 ^ 1u << (32 - src), 0,
                                    (0x00500000 ^ 1u << (32 - from)) | (443 ^ 1u << (16 - to))},
                    (struct tuple4){prefix(src), 0, from_mask | to_mask}, 5);
            }
    assert_int_equal(classifier_n_masks(f->cls), 32 * 8 * 8);
    assert_in_range(longest_search(f), 1, MAX_PROBES);
}

/* More specific rules have higher priorities, and most fit. */
static void nested_prefixes(void **state)
{
    struct fixture *f = *state;

    for (uint32_t src = 0; src <= 32; src++)
        for (uint32_t dst = 0; dst <= 32; dst++)
            for (int i = 0; i < 4; i++)
                add(f, (struct tuple4){draw(f), draw(f), 0},
                    (struct tuple4){prefix(src), prefix(dst), 0}, src + dst);
    assert_int_equal(classifier_n_masks(f->cls), 33 * 33);
    assert_in_range(longest_search(f), 1, MAX_PROBES);
}

/* Masks that come and go leave nothing behind that lookups would have to pass. */
static void masks_that_have_gone(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 3000; i++) {
        add(f, (struct tuple4){draw(f), draw(f), draw(f)},
            (struct tuple4){draw(f), draw(f), draw(f)}, draw(f) % 1000);
        if (f->n_rules <= 1000)
            continue;
        uint32_t gone = draw(f) % f->n_rules;
        struct cls_rule *rule = f->rules[gone];
        classifier_remove(f->cls, rule);
        cls_rule_fini(rule);
        free(rule);
        f->rules[gone] = f->rules[--f->n_rules];
        f->matches[gone] = f->matches[f->n_rules];
    }
    assert_in_range(longest_search(f), 1, MAX_PROBES);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->cls = classifier_create();
    f->seed = 1;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    classifier_remove_all(f->cls, f->rules, f->n_rules);
    for (uint32_t i = 0; i < f->n_rules; i++) {
        cls_rule_fini(f->rules[i]);
        free(f->rules[i]);
    }
    urcu_qsbr_barrier();
    classifier_destroy(f->cls);
    free(f);
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(masks_drawn_at_random), TEST(masks_drawn_at_random_around_one_flow),
        TEST(product_of_prefixes),   TEST(nested_prefixes),
        TEST(masks_that_have_gone),
    };

    urcu_qsbr_register_thread();
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    urcu_qsbr_barrier();
    urcu_qsbr_unregister_thread();
    return result;
}

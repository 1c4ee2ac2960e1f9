/* SPDX-License-Identifier: Apache-2.0 */

/* The classifier beside a list of all rules that is searched from end to end.  Flows have few bits
 * that matter, spread over several words, so that rules overlap, hide each other and differ in one bit. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/hash.h"
#include "lib/rcu.h"
#include "vswitchd/classifier.h"

enum { MAX_RULES = 3000, N_USED_BITS = 24 };

struct fixture {
    struct classifier *cls;
    struct cls_rule *rules[MAX_RULES];
    struct match matches[MAX_RULES];
    size_t n_rules;
    uint64_t seed;
};

/* Three bits in each of eight words, low and high ones. */
static const uint8_t used_words[8] = {0,
                                      FLOW_KEY_WORD(eth_dst),
                                      FLOW_KEY_WORD(vlan),
                                      FLOW_KEY_WORD(nw_src),
                                      FLOW_KEY_WORD(ipv6_label),
                                      FLOW_KEY_WORD(tp_src),
                                      FLOW_WORD(metadata),
                                      FLOW_WORDS - 1};
static const uint8_t used_shifts[3] = {0, 17, 63};

static uint32_t draw(struct fixture *f, uint32_t n)
{
    f->seed = f->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((f->seed >> 33) % n);
}

static void spread(struct flow *flow, uint32_t bits)
{
    memset(flow, 0, sizeof *flow);
    for (int i = 0; i < N_USED_BITS; i++)
        flow_words(flow)[used_words[i / 3]] |= (uint64_t)(bits >> i & 1) << used_shifts[i % 3];
}

static struct match make_match(uint32_t flow_bits, uint32_t mask_bits)
{
    struct match match;

    spread(&match.flow, flow_bits);
    spread(&match.mask, mask_bits);
    match_normalize(&match);
    return match;
}

static struct cls_rule *add_match(struct fixture *f, const struct match *match, uint32_t priority,
                                  uint64_t version)
{
    struct cls_rule *rule = malloc(sizeof *rule + cls_rule_words_bytes(match));

    assert_true(rule && f->n_rules < MAX_RULES);
    cls_rule_init(rule, match, priority);
    classifier_insert(f->cls, rule, version);
    f->matches[f->n_rules] = *match;
    f->rules[f->n_rules++] = rule;
    return rule;
}

static struct cls_rule *add(struct fixture *f, uint32_t flow_bits, uint32_t mask_bits,
                            uint32_t priority)
{
    struct match match = make_match(flow_bits, mask_bits);

    return add_match(f, &match, priority, 1);
}

static void take_out(struct fixture *f, size_t i)
{
    struct cls_rule *rule = f->rules[i];

    classifier_remove(f->cls, rule);
    cls_rule_fini(rule);
    free(rule);
    f->rules[i] = f->rules[--f->n_rules];
    f->matches[i] = f->matches[f->n_rules];
}

/* The highest priority among the visible rules that match, or -1. */
static int64_t search_list(const struct fixture *f, uint64_t version, const struct flow *flow)
{
    int64_t best = -1;

    for (size_t i = 0; i < f->n_rules; i++) {
        if (f->rules[i]->priority > best && cls_rule_is_visible(f->rules[i], version) &&
            match_contains(&f->matches[i], flow))
            best = f->rules[i]->priority;
    }
    return best;
}

static bool rule_matches(const struct cls_rule *rule, const struct flow *flow)
{
    struct match match;

    cls_rule_expand(rule, &match);
    return match_contains(&match, flow);
}

/* Flips any of the bits that were not consulted: the answer must stay. */
static void check_consulted(struct fixture *f, uint64_t version, const struct flow *flow,
                            const struct flow *consulted, const struct cls_rule *answer)
{
    for (int round = 0; round < 4; round++) {
        struct flow other, flips;

        spread(&flips, round ? draw(f, 1u << N_USED_BITS) : UINT32_MAX);
        other = *flow;
        for (size_t i = 0; i < FLOW_WORDS; i++)
            flow_words(&other)[i] ^= flow_words(&flips)[i] & ~flow_words_const(consulted)[i];
        assert_ptr_equal(classifier_lookup(f->cls, version, &other, NULL), answer);
    }
}

static void check_flow(struct fixture *f, uint64_t version, const struct flow *flow)
{
    struct flow consulted = {0};
    struct cls_rule *rule = classifier_lookup(f->cls, version, flow, &consulted);
    int64_t want = search_list(f, version, flow);

    assert_int_equal(rule ? (int64_t)rule->priority : -1, want);
    if (rule) {
        assert_true(rule_matches(rule, flow));
        assert_true(cls_rule_is_visible(rule, version));
    }
    check_consulted(f, version, flow, &consulted, rule);
}

static void check_flows(struct fixture *f, uint64_t version, int n_flows)
{
    for (int i = 0; i < n_flows; i++) {
        struct flow flow;

        spread(&flow, draw(f, 1u << N_USED_BITS));
        if (f->n_rules && i % 4) { /* One that some rule matches. */
            const struct match *match = &f->matches[draw(f, (uint32_t)f->n_rules)];
            for (size_t w = 0; w < FLOW_WORDS; w++) {
                uint64_t mask = flow_words_const(&match->mask)[w];
                flow_words(&flow)[w] = (flow_words(&flow)[w] & ~mask) |
                                       flow_words_const(&match->flow)[w];
            }
        }
        check_flow(f, version, &flow);
    }
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    rcu_reader_register();
    f->cls = classifier_create();
    f->seed = 1;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    while (f->n_rules)
        take_out(f, f->n_rules - 1);
    classifier_destroy(f->cls);
    free(f);
    rcu_pass_quiescent_state();
    rcu_barrier();
    rcu_reader_unregister();
    return 0;
}

static struct flow flow_of(uint32_t bits)
{
    struct flow flow;

    spread(&flow, bits);
    return flow;
}

static void empty_classifier_finds_nothing_and_consults_nothing(void **state)
{
    struct fixture *f = *state;
    struct flow flow = flow_of(0x123456), consulted = {0}, zeros = {0};

    assert_null(classifier_lookup(f->cls, 1, &flow, &consulted));
    assert_memory_equal(&consulted, &zeros, sizeof zeros);
    assert_int_equal(classifier_n_rules(f->cls), 0);
    assert_int_equal(classifier_n_masks(f->cls), 0);
}

static void rule_for_all_flows_consults_nothing(void **state)
{
    struct fixture *f = *state;
    struct flow flow = flow_of(0x123456), consulted = {0}, zeros = {0};
    struct cls_rule *rule = add(f, 0, 0, 0);

    assert_ptr_equal(classifier_lookup(f->cls, 1, &flow, &consulted), rule);
    assert_memory_equal(&consulted, &zeros, sizeof zeros);
}

static void higher_priority_wins_whatever_the_order_of_masks(void **state)
{
    struct fixture *f = *state;
    struct flow flow = flow_of(0x7);

    struct cls_rule *low = add(f, 0x1, 0x1, 1);
    assert_ptr_equal(classifier_lookup(f->cls, 1, &flow, NULL), low);
    struct cls_rule *high = add(f, 0x2, 0x2, 3);
    assert_ptr_equal(classifier_lookup(f->cls, 1, &flow, NULL), high);
    add(f, 0x4, 0x4, 2);
    assert_ptr_equal(classifier_lookup(f->cls, 1, &flow, NULL), high);
}

static void masks_of_lower_priority_are_not_consulted(void **state)
{
    struct fixture *f = *state;
    struct flow flow = flow_of(0x1), consulted = {0};
    struct flow mask = flow_of(0x1);

    struct cls_rule *high = add(f, 0x1, 0x1, 10);
    add(f, 0x8, 0x8, 5);
    add(f, 0x40, 0x40, 5);
    assert_ptr_equal(classifier_lookup(f->cls, 1, &flow, &consulted), high);
    assert_memory_equal(&consulted, &mask, sizeof mask);
}

static void versions_see_their_rules(void **state)
{
    struct fixture *f = *state;
    struct match match = make_match(1, 1);
    struct flow flow = flow_of(1);

    struct cls_rule *old = add_match(f, &match, 5, 2);
    assert_null(classifier_lookup(f->cls, 1, &flow, NULL));
    assert_ptr_equal(classifier_lookup(f->cls, 2, &flow, NULL), old);

    atomic_store(&old->removed_in, 4);
    struct cls_rule *new = add_match(f, &match, 5, 4);
    assert_ptr_equal(classifier_lookup(f->cls, 3, &flow, NULL), old);
    assert_ptr_equal(classifier_lookup(f->cls, 4, &flow, NULL), new);
    assert_ptr_equal(classifier_find(f->cls, 3, &match, 5), old);
    assert_ptr_equal(classifier_find(f->cls, 4, &match, 5), new);
    assert_null(classifier_find(f->cls, 1, &match, 5));
}

static void find_wants_exactly_this_match_and_priority(void **state)
{
    struct fixture *f = *state;
    struct match match = make_match(0x5, 0x7), other_flow = make_match(0x4, 0x7);
    struct match other_mask = make_match(0x5, 0x5);

    struct cls_rule *rule = add_match(f, &match, 5, 1);
    assert_ptr_equal(classifier_find(f->cls, 1, &match, 5), rule);
    assert_null(classifier_find(f->cls, 1, &match, 6));
    assert_null(classifier_find(f->cls, 1, &other_flow, 5));
    assert_null(classifier_find(f->cls, 1, &other_mask, 5));
}

static void overlap_is_found_only_at_the_same_priority(void **state)
{
    struct fixture *f = *state;
    struct match match = make_match(0x5, 0x7), wider = make_match(0x1, 0x1);
    struct match beside = make_match(0x8, 0x8), apart = make_match(0x0, 0x1);

    struct cls_rule *rule = add_match(f, &match, 5, 1);
    assert_ptr_equal(classifier_find_overlap(f->cls, 1, &wider, 5), rule);
    assert_ptr_equal(classifier_find_overlap(f->cls, 1, &beside, 5), rule);
    assert_null(classifier_find_overlap(f->cls, 1, &wider, 4));
    assert_null(classifier_find_overlap(f->cls, 0, &wider, 5));
    assert_null(classifier_find_overlap(f->cls, 1, &apart, 5));
}

static void chain_of_one_flow_survives_removal_anywhere(void **state)
{
    struct fixture *f = *state;
    struct flow flow = flow_of(1);

    for (uint32_t i = 0; i < 20; i++)
        add(f, 1, 1, draw(f, 10));
    while (f->n_rules) {
        check_flow(f, 1, &flow);
        take_out(f, draw(f, (uint32_t)f->n_rules));
    }
    assert_null(classifier_lookup(f->cls, 1, &flow, NULL));
}

static bool count_and_remove_odd(struct cls_rule *rule, void *f_)
{
    struct fixture *f = f_;

    if (rule->priority % 2) {
        for (size_t i = 0; i < f->n_rules; i++) {
            if (f->rules[i] == rule) {
                take_out(f, i);
                break;
            }
        }
    }
    return true;
}

static void walk_may_remove_what_it_is_given(void **state)
{
    struct fixture *f = *state;

    for (uint32_t i = 0; i < 500; i++)
        add(f, draw(f, 1u << N_USED_BITS), 0xfff >> i % 8, i);
    classifier_each(f->cls, NULL, count_and_remove_odd, f);
    assert_int_equal(classifier_n_rules(f->cls), 250);
    check_flows(f, 1, 100);
}

/* A word set of few bits: masks of many sizes. */
static uint32_t draw_mask(struct fixture *f)
{
    uint32_t mask = draw(f, 1u << N_USED_BITS);

    for (uint32_t n = draw(f, 3); n; n--)
        mask &= draw(f, 1u << N_USED_BITS);
    return mask;
}

static bool count_rule(struct cls_rule *rule, void *sum_)
{
    uint64_t *sum = sum_;

    *sum += (uintptr_t)rule;
    return true;
}

/* Whose flows all lie in 'match'; the sum of their addresses says which. */
static uint64_t sum_covered(const struct fixture *f, const struct match *match)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < f->n_rules; i++)
        sum += match_covers(match, &f->matches[i]) ? (uintptr_t)f->rules[i] : 0;
    return sum;
}

static bool has_overlap(const struct fixture *f, const struct match *match, uint32_t priority)
{
    for (size_t i = 0; i < f->n_rules; i++)
        if (f->rules[i]->priority == priority && match_overlaps(match, &f->matches[i]))
            return true;
    return false;
}

/* Takes out the rules of some masks as a whole, and half of the others. */
static void many_that_leave_at_once_leave_the_others(void **state)
{
    struct fixture *f = *state;
    struct cls_rule *leaving[MAX_RULES];

    for (int round = 0; round < 5; round++) {
        uint32_t masks[6];
        size_t n_leaving = 0, n_staying = 0;

        for (uint32_t i = 0; i < 6; i++)
            masks[i] = draw_mask(f);
        while (f->n_rules < 800)
            add(f, draw(f, 1u << N_USED_BITS), masks[draw(f, 6)], draw(f, 20));
        for (size_t i = 0; i < f->n_rules; i++) {
            bool is_leaving = f->rules[i]->mask->word_set % 3 == 0 || draw(f, 2);

            if (is_leaving) {
                leaving[n_leaving++] = f->rules[i];
            } else {
                f->matches[n_staying] = f->matches[i];
                f->rules[n_staying++] = f->rules[i];
            }
        }
        f->n_rules = n_staying;
        classifier_remove_all(f->cls, leaving, n_leaving);
        assert_int_equal(classifier_n_rules(f->cls), n_staying);
        check_flows(f, 1, 200);
        for (size_t i = 0; i < n_leaving; i++) {
            assert_null(leaving[i]->tuple);
            cls_rule_fini(leaving[i]);
            free(leaving[i]);
        }
    }
}

static void walks_and_overlaps_agree_with_a_list(void **state)
{
    struct fixture *f = *state;
    uint32_t masks[12];

    for (uint32_t i = 0; i < 12; i++)
        masks[i] = draw_mask(f);
    for (uint32_t i = 0; i < 600; i++)
        add(f, draw(f, 1u << N_USED_BITS), masks[draw(f, 12)], draw(f, 50));
    for (uint32_t i = 0; i < 2000; i++) {
        /* A mask of the rules, some of its bits, all of them and more, or any. */
        uint32_t mask = masks[draw(f, 12)], bits = draw_mask(f), priority = draw(f, 50);
        const uint32_t wanted[] = {mask, mask & bits, mask | bits, bits, 0};
        const struct match *like = &f->matches[draw(f, 600)];
        struct match match;
        uint64_t sum = 0;

        spread(&match.mask, wanted[draw(f, 5)]);
        match.flow = like->flow;
        match_normalize(&match);
        classifier_each(f->cls, &match, count_rule, &sum);
        assert_true(sum == sum_covered(f, &match));
        struct cls_rule *found = classifier_find_overlap(f->cls, 1, &match, priority);
        assert_int_equal(found != NULL, has_overlap(f, &match, priority));
    }
}

struct table_kind {
    uint32_t n_masks, n_rules, n_priorities;
};

static void grow_and_shrink(struct fixture *f, const struct table_kind *kind)
{
    uint32_t masks[300];

    for (uint32_t i = 0; i < kind->n_masks; i++)
        masks[i] = draw_mask(f);
    for (int phase = 0; phase < 3; phase++) {
        while (f->n_rules < kind->n_rules) {
            if (draw(f, 8) == 0 && f->n_rules)
                take_out(f, draw(f, (uint32_t)f->n_rules));
            else
                add(f, draw(f, 1u << N_USED_BITS), masks[draw(f, kind->n_masks)],
                    draw(f, kind->n_priorities));
            if (draw(f, kind->n_rules / 4) == 0)
                check_flows(f, 1, 20);
        }
        check_flows(f, 1, 200);
        while (f->n_rules > kind->n_rules / 8)
            take_out(f, draw(f, (uint32_t)f->n_rules));
        check_flows(f, 1, 100);
    }
    rcu_pass_quiescent_state();
}

static void random_tables_answer_like_a_list(void **state)
{
    static const struct table_kind kinds[] = {
        {1, 50, 1},      {2, 50, 5},      {5, 100, 1},      {5, 500, 1000}, {10, 500, 3},
        {20, 1000, 1},   {50, 1000, 100}, {50, 2500, 1000}, {64, 500, 10},  {65, 500, 10},
        {150, 1000, 50}, {300, 2500, 1},  {300, 2500, 500},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        grow_and_shrink(f, &kinds[i]);
}

static void random_versions_answer_like_a_list(void **state)
{
    struct fixture *f = *state;

    for (uint64_t version = 1; version < 300; version++) {
        for (int i = 0; i < 5; i++) {
            struct match match = make_match(draw(f, 1u << N_USED_BITS), 0x924924u << draw(f, 12));
            add_match(f, &match, draw(f, 6), version + 1);
        }
        for (int i = 0; i < 3; i++) {
            struct cls_rule *rule = f->rules[draw(f, (uint32_t)f->n_rules)];
            if (atomic_load(&rule->removed_in) == CLASSIFIER_VERSION_NEVER)
                atomic_store(&rule->removed_in, version + 1);
        }
        check_flows(f, version, 5);
        check_flows(f, version + 1, 5);
        for (size_t i = f->n_rules; i-- > 0;)
            if (atomic_load(&f->rules[i]->removed_in) + 2 < version)
                take_out(f, i);
    }
}

static void hundreds_of_priorities_of_one_match_keep_their_order(void **state)
{
    struct fixture *f = *state;

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 700; i++) {
            add(f, 0x1, 0x7, draw(f, 500));
            add(f, 0x1, 0x7, draw(f, 500));
            take_out(f, draw(f, (uint32_t)f->n_rules));
            check_flows(f, 1, 1);

            const struct cls_rule *rule = f->rules[draw(f, (uint32_t)f->n_rules)];
            const struct cls_rule *found = classifier_find(f->cls, 1, &f->matches[0],
                                                           rule->priority);
            assert_true(found && found->priority == rule->priority);
        }
        while (f->n_rules) {
            take_out(f, draw(f, (uint32_t)f->n_rules));
            check_flows(f, 1, 1);
        }
    }
}

/* 20 masks share the bits of one word, which no rule has like this flow. */
static void what_filters_leave_out_costs_only_their_bits(void **state)
{
    struct fixture *f = *state;
    struct flow flow = flow_of(0), consulted = {0}, shared = flow_of(0x7);

    for (uint32_t round = 0; round < 10; round++)
        for (uint32_t i = 0; i < 20; i++)
            add(f, (i % 7 + 1) | draw(f, 1u << N_USED_BITS) << 3, 0x7 | 0x38 << i % 18, 1);
    assert_null(classifier_lookup(f->cls, 1, &flow, &consulted));
    assert_memory_equal(&consulted, &shared, sizeof shared);
}

/* What a cached answer relies on: the rules of its version stay, though the classifier is made anew beneath it and
 * lookups look at other bits by then.  (Priorities differ: of equal ones another rule may win.) */
static void what_was_consulted_suffices_as_long_as_the_rules_stay(void **state)
{
    enum { N_FLOWS = 300, N_LASTING = 400, N_MASKS = 100 };
    uint32_t masks[N_MASKS];
    struct fixture *f = *state;
    struct flow flows[N_FLOWS], consulted[N_FLOWS];
    const struct cls_rule *answers[N_FLOWS];
    unsigned int n_changed = 0;

    memset(consulted, 0, sizeof consulted);
    for (int i = 0; i < N_MASKS; i++)
        masks[i] = draw_mask(f);
    for (uint32_t i = 0; i < 6 * N_LASTING; i++) {
        add(f, draw(f, 1u << N_USED_BITS), masks[draw(f, N_MASKS)], i * 997 % 3000);
        if (i >= N_LASTING)
            atomic_store(&f->rules[i]->removed_in, 2);
    }
    for (int i = 0; i < N_FLOWS; i++) {
        spread(&flows[i], draw(f, 1u << N_USED_BITS));
        answers[i] = classifier_lookup(f->cls, 2, &flows[i], &consulted[i]);
    }
    while (f->n_rules > N_LASTING) {
        take_out(f, f->n_rules - 1);
        if (f->n_rules % 300 && f->n_rules > N_LASTING)
            continue;
        for (int i = 0; i < N_FLOWS; i++) {
            struct flow now = {0};

            assert_ptr_equal(classifier_lookup(f->cls, 2, &flows[i], &now), answers[i]);
            n_changed += memcmp(&now, &consulted[i], sizeof now) != 0;
            check_consulted(f, 2, &flows[i], &consulted[i], answers[i]);
        }
    }
    assert_true(n_changed > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(empty_classifier_finds_nothing_and_consults_nothing),
        TEST(rule_for_all_flows_consults_nothing),
        TEST(higher_priority_wins_whatever_the_order_of_masks),
        TEST(masks_of_lower_priority_are_not_consulted),
        TEST(versions_see_their_rules),
        TEST(find_wants_exactly_this_match_and_priority),
        TEST(overlap_is_found_only_at_the_same_priority),
        TEST(chain_of_one_flow_survives_removal_anywhere),
        TEST(walk_may_remove_what_it_is_given),
        TEST(many_that_leave_at_once_leave_the_others),
        TEST(walks_and_overlaps_agree_with_a_list),
        TEST(random_tables_answer_like_a_list),
        TEST(random_versions_answer_like_a_list),
        TEST(hundreds_of_priorities_of_one_match_keep_their_order),
        TEST(what_filters_leave_out_costs_only_their_bits),
        TEST(what_was_consulted_suffices_as_long_as_the_rules_stay),
    };

    hash_seed = UINT64_C(0x6c62272e07bb0142); /* Every run is the same. */
    return cmocka_run_group_tests(tests, NULL, NULL);
}

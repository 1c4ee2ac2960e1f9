/* SPDX-License-Identifier: Apache-2.0 */

/* Matches over few bits of few words, so that sets of flows can be counted one by one. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/match.h"

/* Bits 0-1 of the first, a middle and the last word: 64 flows in all. */
static const size_t used_words[3] = {0, FLOW_KEY_WORD(tp_src), FLOW_WORDS - 1};

static void set_bits(struct flow *flow, unsigned int bits)
{
    memset(flow, 0, sizeof *flow);
    for (int i = 0; i < 3; i++)
        flow_words(flow)[used_words[i]] = bits >> (2 * i) & 3;
}

static void make_match(struct match *match, unsigned int flow_bits, unsigned int mask_bits)
{
    set_bits(&match->flow, flow_bits);
    set_bits(&match->mask, mask_bits);
    match_normalize(match);
}

/* Bit n: flow n is in the match. */
static uint64_t flows_in(const struct match *match)
{
    uint64_t set = 0;

    for (unsigned int bits = 0; bits < 64; bits++) {
        struct flow flow;

        set_bits(&flow, bits);
        if (match_contains(match, &flow))
            set |= UINT64_C(1) << bits;
    }
    return set;
}

static void normalized_match_has_no_bit_outside_its_mask(void **state)
{
    struct match match;

    (void)state;
    memset(&match.flow, 0xff, sizeof match.flow);
    set_bits(&match.mask, 0x2d);
    match_normalize(&match);
    assert_memory_equal(&match.flow, &match.mask, sizeof match.flow);
}

static void covering_and_overlap_are_those_of_the_sets(void **state)
{
    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct match a, b;

        make_match(&a, (unsigned int)rand() & 63, (unsigned int)rand() & rand() & 63);
        make_match(&b, (unsigned int)rand() & 63, (unsigned int)(rand() | rand()) & 63);
        uint64_t a_set = flows_in(&a), b_set = flows_in(&b);
        assert_int_equal(match_covers(&a, &b), !(b_set & ~a_set));
        assert_int_equal(match_covers(&b, &a), !(a_set & ~b_set));
        assert_int_equal(match_overlaps(&a, &b), (a_set & b_set) != 0);
    }
}

static void minimatch_expands_to_what_it_was_made_from(void **state)
{
    (void)state;
    for (unsigned int mask_bits = 0; mask_bits < 64; mask_bits++) {
        struct match match, expanded;

        make_match(&match, 0x39, mask_bits);
        struct minimatch *mini = minimatch_create(&match);
        minimatch_expand(mini, &expanded);
        assert_true(match_is_equal(&match, &expanded));
        free(mini);
    }
}

static void minimatches_are_equal_only_if_matches_are(void **state)
{
    struct match match, other;

    (void)state;
    make_match(&match, 0x3f, 0x3f);
    struct minimatch *mini = minimatch_create(&match), *same = minimatch_create(&match);
    assert_true(minimatch_is_equal(mini, same));
    assert_int_equal(minimatch_bytes(mini), 8 + 6 * 8);

    make_match(&other, 0x3f, 0x0f);
    struct minimatch *fewer_words = minimatch_create(&other);
    make_match(&other, 0x1f, 0x3f);
    struct minimatch *other_flow = minimatch_create(&other);
    assert_false(minimatch_is_equal(mini, fewer_words));
    assert_false(minimatch_is_equal(mini, other_flow));
    free(mini);
    free(same);
    free(fewer_words);
    free(other_flow);
}

static void match_of_any_contains_all_and_needs_no_words(void **state)
{
    struct match any;

    (void)state;
    match_init_any(&any);
    assert_true(flows_in(&any) == UINT64_MAX);
    struct minimatch *mini = minimatch_create(&any);
    assert_int_equal(minimatch_bytes(mini), 8);
    free(mini);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normalized_match_has_no_bit_outside_its_mask),
        cmocka_unit_test(covering_and_overlap_are_those_of_the_sets),
        cmocka_unit_test(minimatch_expands_to_what_it_was_made_from),
        cmocka_unit_test(minimatches_are_equal_only_if_matches_are),
        cmocka_unit_test(match_of_any_contains_all_and_needs_no_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

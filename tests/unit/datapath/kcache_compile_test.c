/* SPDX-License-Identifier: Apache-2.0 */

/* Which verdicts with meters can be said in the kernel's terms, and what is said. */

#include "tests/unit/datapath/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "datapath/kcache_compile.h"

enum { PORT = 1, OTHER_PORT = 2, MAX_ACTIONS = 8 };

#define ALL UINT64_MAX

struct fixture {
    struct dp_meters *meters;
    struct kc_meter memory[KC_N_METERS];
    uint32_t first, second, nowhere; /* The last one has no place. */
    struct kcache_verdict verdict;
};

static int set_up(void **state)
{
    const struct dp_meter_config config = {.n_bands = 1, .bands = {{.rate = 1}}};
    struct fixture *f = calloc(1, sizeof *f);
    bool reserved[KC_N_METERS];

    assert_non_null(f);
    memset(reserved, true, sizeof reserved);
    reserved[7] = reserved[9] = false;
    f->meters = dp_meters_create();
    dp_meters_set_memory(f->meters, f->memory, reserved);
    f->first = dp_meters_add(f->meters, &config);
    f->second = dp_meters_add(f->meters, &config);
    f->nowhere = dp_meters_add(f->meters, &config);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    dp_meters_destroy(f->meters);
    free(f);
    return 0;
}

static bool is_reachable(uint32_t port_no, void *arg)
{
    (void)arg;
    return port_no == PORT || port_no == OTHER_PORT;
}

static int compile(struct fixture *f, const struct dp_action *actions, uint32_t n_actions)
{
    const struct kcache_means means = {.is_reachable = is_reachable, .meters = f->meters};
    struct flow_key key = {0}, mask = {0};
    int refusal = kcache_compile_actions(actions, n_actions, &key, &mask, &means, &f->verdict);

    return refusal ? refusal + KCACHE_N_REFUSALS : -1;
}

static struct dp_action meter(uint32_t number, uint64_t n_missed)
{
    return (struct dp_action){.type = DP_METER, .arg = number, .value = n_missed};
}

static struct dp_action output(uint32_t port_no)
{
    return (struct dp_action){.type = DP_OUTPUT, .arg = port_no};
}

static const struct dp_action push = {.type = DP_PUSH_VLAN, .arg = 0x8100u << 16 | 0x1001};
static const struct dp_action cut = {.type = DP_TRUNC, .arg = 64};
static const struct dp_action drop = {.type = DP_DROP};

static void expect_steps(const struct fixture *f, const uint8_t *ops, unsigned int n)
{
    assert_int_equal(f->verdict.program.n_steps, n);
    for (unsigned int i = 0; i < n; i++)
        assert_int_equal(f->verdict.program.steps[i].op, ops[i]);
    assert_int_equal(f->verdict.plain, KC_NOTHING);
}

static void what_is_behind_a_meter_is_limited(void **state)
{
    struct fixture *f = *state;
    const struct dp_action actions[] = {meter(f->first, ALL), push, output(PORT)};
    static const uint8_t ops[] = {KC_METER, KC_PUSH_VLAN, KC_OUTPUT};

    assert_int_equal(compile(f, actions, 3), -1);
    expect_steps(f, ops, 3);
    assert_int_equal(f->verdict.program.steps[0].arg, 7);
    assert_true(f->verdict.program.steps[0].is_counted);
    assert_true(f->verdict.program.sends_once);
}

static void one_output_behind_a_meter_is_no_plain_verdict(void **state)
{
    struct fixture *f = *state;
    const struct dp_action actions[] = {meter(f->second, 1), output(PORT)};
    static const uint8_t ops[] = {KC_METER, KC_OUTPUT};

    assert_int_equal(compile(f, actions, 2), -1);
    expect_steps(f, ops, 2);
    assert_int_equal(f->verdict.program.steps[0].arg, 9);
}

static void what_passes_is_counted_by_the_last_meter(void **state)
{
    struct fixture *f = *state;
    const struct dp_action actions[] = {output(OTHER_PORT), meter(f->first, ALL),
                                        meter(f->second, ALL), output(PORT)};
    static const uint8_t ops[] = {KC_OUTPUT, KC_METER, KC_METER, KC_OUTPUT};

    assert_int_equal(compile(f, actions, 4), -1);
    expect_steps(f, ops, 4);
    assert_false(f->verdict.program.steps[1].is_counted);
    assert_true(f->verdict.program.steps[2].is_counted);
    assert_false(f->verdict.program.sends_once);
}

/* It counts frames, though nothing is left for them to miss. */
static void a_meter_at_the_end_stays(void **state)
{
    struct fixture *f = *state;
    const struct dp_action actions[] = {output(PORT), push, meter(f->first, ALL)};
    static const uint8_t ops[] = {KC_OUTPUT, KC_PUSH_VLAN, KC_METER};

    assert_int_equal(compile(f, actions, 3), -1);
    expect_steps(f, ops, 3);
    assert_false(f->verdict.program.sends_once);
}

static void a_piece_is_sent_behind_a_meter(void **state)
{
    struct fixture *f = *state;
    const struct dp_action actions[] = {meter(f->first, ALL), cut, output(PORT),
                                        output(OTHER_PORT)};
    static const uint8_t ops[] = {KC_METER, KC_OUTPUT, KC_CUT, KC_OUTPUT};

    assert_int_equal(compile(f, actions, 4), -1);
    expect_steps(f, ops, 4);
    assert_int_equal(f->verdict.program.steps[1].ports[0], OTHER_PORT);
    assert_int_equal(f->verdict.program.steps[3].ports[0], PORT);
}

static void other_meters_stay_in_userspace(void **state)
{
    struct fixture *f = *state;
    const struct {
        uint32_t n;
        struct dp_action actions[MAX_ACTIONS];
    } cases[] = {
        {3, {meter(f->first, 1), output(PORT), output(OTHER_PORT)}}, /* Just the first. */
        {4, {meter(f->first, ALL), output(PORT), meter(f->second, ALL), output(OTHER_PORT)}},
        {4, {cut, output(PORT), meter(f->first, ALL), output(OTHER_PORT)}},
        {2, {meter(f->first, ALL), drop}},
        {2, {meter(f->nowhere, ALL), output(PORT)}},
        {2, {meter(DP_METER_NONE, ALL), output(PORT)}},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(compile(f, cases[i].actions, cases[i].n), KCACHE_METER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_behind_a_meter_is_limited),
        TEST(one_output_behind_a_meter_is_no_plain_verdict),
        TEST(what_passes_is_counted_by_the_last_meter),
        TEST(a_meter_at_the_end_stays),
        TEST(a_piece_is_sent_behind_a_meter),
        TEST(other_meters_stay_in_userspace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

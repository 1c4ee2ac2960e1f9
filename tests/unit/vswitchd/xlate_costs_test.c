/* SPDX-License-Identifier: Apache-2.0 */

/* What one frame may cost, whatever the tables say. */

#include "tests/unit/vswitchd/xlate_fixture.h"

/* 'n' times 'before', its number and 'after' (or NULL: just 'before'). */
static void long_flow(struct fixture *f, const char *head, unsigned int n, const char *before,
                      const char *after)
{
    struct buffer text = BUFFER_INIT;

    buffer_printf(&text, "%s,actions=", head);
    for (unsigned int i = 1; i <= n; i++) {
        buffer_puts(&text, i > 1 ? "," : "");
        buffer_puts(&text, before);
        if (after)
            buffer_printf(&text, "%u%s", i, after);
    }
    flow(f, 0, buffer_text(&text));
    buffer_fini(&text);
}

static void many_actions_drop(void **state)
{
    struct fixture *f = *state;

    long_flow(f, "table=0", 60, "resubmit(,1)", NULL);
    long_flow(f, "table=1", 1000, "load:", "->NXM_NX_REG0[]");
    flow(f, 0, "in_port=1,priority=40000,actions=resubmit(9,0),output:2");
    assert_string_equal(actions(f, 1, TCP), "2"); /* 60 thousand are possible, */
    long_flow(f, "table=0", 70, "resubmit(,1)", NULL);
    assert_int_equal(reason(f, 1, TCP), DROP_TOO_MANY_STEPS); /* 70 are not. */
    assert_true(f->verdict.cacheable);
}

static void costly_actions_count_for_more(void **state)
{
    static const struct {
        const char *before, *after;
    } costly[] = {
        {"learn(table=9,priority=", ",NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[])"},
        {"multipath(symmetric_l4,", ",hrw,64,0,NXM_NX_REG0[0..15])"},
        {"bundle_load(symmetric_l4,",
         ",hrw,ofport,NXM_NX_REG0[],members:2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2)"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(costly); i++) {
        long_flow(f, "table=0", 100, "resubmit(,1)", NULL);
        long_flow(f, "table=1", 150, costly[i].before, costly[i].after);
        assert_int_equal(reason(f, 1, TCP), DROP_TOO_MANY_STEPS);
    }
}

static void many_clauses_drop(void **state)
{
    struct fixture *f = *state;
    char head[80];

    flow(f, 0, "priority=100,conj_id=7,actions=output:3");
    flow(f, 0, "priority=100,ip,nw_dst=10.0.0.2,actions=conjunction(7,2/2)");
    for (int i = 1; i <= 32; i++) {
        snprintf(head, sizeof head, "priority=100,ip,nw_src=10.0.0.1/%d", i);
        long_flow(f, head, 2000, "conjunction(", ",1/2)");
    }
    assert_string_equal(actions(f, 1, TCP), "3"); /* 64 thousand are possible, */
    long_flow(f, "priority=100,tcp", 2000, "conjunction(", ",1/2)");
    assert_int_equal(reason(f, 1, TCP), DROP_TOO_MANY_STEPS); /* 66 are not. */
}

static void any_argument_of_multipath_will_do(void **state)
{
    static const unsigned int arguments[] = {0, 99, 100, 101, 200, 1U << 31, UINT32_MAX};
    struct fixture *f = *state;
    char text[120];

    for (size_t i = 0; i < ARRAY_SIZE(arguments); i++) {
        snprintf(text, sizeof text,
                 "actions=multipath(eth_src,0,iter_hash,100,%u,NXM_NX_REG0[0..15]),output:2",
                 arguments[i]);
        flow(f, 0, text);
        assert_string_equal(actions(f, 1, TCP), "2");
    }
}

/* A cache has room for many verdicts, each with what it leaves behind. */
static void verdict_that_leaves_much_behind_is_not_cached(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "actions=controller(userdata=01.02),output:2");
    take(f, 1, TCP, true);
    assert_true(f->verdict.cacheable);
    long_flow(f, "table=0", 100, "controller(userdata=01.02,id=", ")");
    take(f, 1, TCP, true);
    assert_false(f->verdict.cacheable);
    assert_int_equal(f->verdict.actions.n, 100);
}

static void verdict_finds_each_of_its_deliveries(void **state)
{
    struct fixture *f = *state;

    long_flow(f, "table=0", 1000, "controller(id=", ")");
    take(f, 1, TCP, true);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(xlate_delivery(f->verdict.context, i)->controller_id, i + 1);
    assert_null(xlate_delivery(f->verdict.context, 1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(many_actions_drop),
        TEST(costly_actions_count_for_more),
        TEST(many_clauses_drop),
        TEST(any_argument_of_multipath_will_do),
        TEST(verdict_that_leaves_much_behind_is_not_cached),
        TEST(verdict_finds_each_of_its_deliveries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

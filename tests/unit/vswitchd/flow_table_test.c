/* SPDX-License-Identifier: Apache-2.0 */

/* What flow_mods do to tables, when rules time out, and what readers of a version see. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/annotations.h"
#include "lib/clock.h"
#include "vswitchd/flow_mod.h"
#include "vswitchd/flow_table.h"

static const int64_t NOW_NS = 1000 * SECOND_NS;

/* The tables under test, and what they have told. */
struct switch_under_test {
    struct flow_tables *tables;
    unsigned int n_changed, n_pushed;
    unsigned int n_removed[FLOW_REMOVED_EVICTION + 1];
    uint64_t removed_packets;
    struct rule *credited_late; /* Credited one packet whenever statistics are pushed. */
};

static void note_change(void *aux)
{
    ((struct switch_under_test *)aux)->n_changed++;
}

static void note_removal(void *aux, const struct rule *rule, enum flow_removed_reason reason)
{
    struct switch_under_test *sut = aux;

    sut->n_removed[reason]++;
    sut->removed_packets += rule->n_packets;
}

static void push_late_credit(void *aux)
{
    struct switch_under_test *sut = aux;

    sut->n_pushed++;
    if (sut->credited_late)
        rule_credit(sut->credited_late, 1, 64, NOW_NS + 9 * SECOND_NS);
}

static const struct flow_tables_events events = {
    .changed = note_change,
    .removed = note_removal,
    .push_stats = push_late_credit,
};

static int set_up(void **state)
{
    struct switch_under_test *sut = calloc(1, sizeof *sut);

    sut->tables = flow_tables_create(&events, sut);
    *state = sut;
    return 0;
}

static int tear_down(void **state)
{
    struct switch_under_test *sut = *state;

    flow_tables_destroy(sut->tables);
    free(sut);
    return 0;
}

/* 10.0.0.0/8 and the like. */
static struct match to_net(uint32_t address, unsigned int prefix_length)
{
    uint32_t mask = prefix_length ? UINT32_MAX << (32 - prefix_length) : 0;
    struct match match;

    match_init_any(&match);
    match.mask.key.eth_type = be16_from(0xffff);
    match.flow.key.eth_type = be16_from(ETH_TYPE_IPV4);
    match.mask.key.nw_dst = be32_from(mask);
    match.flow.key.nw_dst = be32_from(address & mask);
    return match;
}

static struct match any(void)
{
    struct match match;

    match_init_any(&match);
    return match;
}

enum { NET_10 = 0x0a000000, HOST_10_1 = 0x0a000001, HOST_10_2 = 0x0a000002 };

/* A flow_mod with one output; fill in the rest. */
static struct of_flow_mod make_flow(enum of_flow_command command, struct match match,
                                    uint16_t priority, of_port port)
{
    struct of_flow_mod flow = {
        .match = match,
        .priority = priority,
        .command = (uint8_t)command,
        .out_port = OFPP_NONE,
        .out_group = OF_GROUP_ANY,
        .buffer_id = OF_BUFFER_NONE,
    };
    struct ofa_output *output = buffer_put_zeros(&flow.actions, sizeof *output);

    output->ofa = (struct ofa){.type = OFA_OUTPUT, .n_bytes = sizeof *output};
    output->port = port;
    return flow;
}

/* Applies and frees. */
static enum of_error apply_at(struct switch_under_test *sut, struct of_flow_mod flow,
                              int64_t now_ns)
{
    enum of_error error = flow_mod_apply(sut->tables, &flow, now_ns);

    buffer_fini(&flow.actions);
    return error;
}

static enum of_error apply(struct switch_under_test *sut, struct of_flow_mod flow)
{
    return apply_at(sut, flow, NOW_NS);
}

static void add(struct switch_under_test *sut, struct match match, uint16_t priority, of_port port)
{
    assert_int_equal(apply(sut, make_flow(OFFC_ADD, match, priority, port)), OF_OK);
    flow_tables_publish(sut->tables);
}

static struct rule *look_up(struct switch_under_test *sut, uint32_t address)
{
    struct flow flow = {.key.eth_type = be16_from(ETH_TYPE_IPV4), .key.nw_dst = be32_from(address)};

    return flow_tables_lookup(sut->tables, flow_tables_version(sut->tables), 0, &flow, NULL,
                              &(size_t){0});
}

/* Where a packet to 'address' goes; 0: no rule. */
static of_port port_to(struct switch_under_test *sut, uint32_t address)
{
    struct rule *rule = look_up(sut, address);
    uint64_t version = flow_tables_version(sut->tables);
    const void *action = rule ? rule_get_actions(rule, version).first : NULL;

    return action ? ((const struct ofa_output *)action)->port : 0;
}

static void higher_priority_wins(void **state)
{
    struct switch_under_test *sut = *state;

    add(sut, to_net(NET_10, 8), 10, 1);
    add(sut, to_net(HOST_10_1, 32), 20, 2);

    assert_int_equal(port_to(sut, HOST_10_1), 2);
    assert_int_equal(port_to(sut, HOST_10_2), 1);
    assert_int_equal(port_to(sut, 0x0b000001), 0);
}

static void change_is_seen_when_published_and_not_before(void **state)
{
    struct switch_under_test *sut = *state;

    assert_int_equal(apply(sut, make_flow(OFFC_ADD, to_net(NET_10, 8), 10, 1)), OF_OK);
    assert_int_equal(port_to(sut, HOST_10_1), 0);
    assert_true(flow_tables_publish(sut->tables));
    assert_int_equal(port_to(sut, HOST_10_1), 1);

    uint64_t before = flow_tables_version(sut->tables);
    assert_int_equal(apply(sut, make_flow(OFFC_MODIFY, any(), 0, 2)), OF_OK);
    assert_int_equal(port_to(sut, HOST_10_1), 1);
    assert_int_equal(apply(sut, make_flow(OFFC_DELETE, any(), 0, 2)), OF_OK);
    assert_int_equal(port_to(sut, HOST_10_1), 1);
    assert_true(flow_tables_publish(sut->tables));
    assert_int_equal(port_to(sut, HOST_10_1), 0);

    /* A reader that began before still finds it. */
    struct flow flow = {.key.eth_type = be16_from(ETH_TYPE_IPV4),
                        .key.nw_dst = be32_from(HOST_10_1)};
    assert_non_null(flow_tables_lookup(sut->tables, before, 0, &flow, NULL, &(size_t){0}));
}

static void many_changes_are_published_once(void **state)
{
    struct switch_under_test *sut = *state;

    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(apply(sut, make_flow(OFFC_ADD, to_net(NET_10 + i, 32), 10, 1)), OF_OK);
    assert_int_equal(sut->n_changed, 0);
    assert_true(flow_tables_publish(sut->tables));
    assert_false(flow_tables_publish(sut->tables));
    assert_int_equal(sut->n_changed, 1);
    assert_int_equal(flow_tables_n_flows(sut->tables), 1000);
}

static void add_replaces_flow_of_same_match_and_priority(void **state)
{
    struct switch_under_test *sut = *state;

    add(sut, to_net(NET_10, 8), 10, 1);
    rule_credit(look_up(sut, HOST_10_1), 5, 500, NOW_NS);
    add(sut, to_net(NET_10, 8), 10, 2);

    assert_int_equal(flow_tables_n_flows(sut->tables), 1);
    assert_int_equal(port_to(sut, HOST_10_1), 2);
    assert_int_equal(look_up(sut, HOST_10_1)->n_packets, 5);
    assert_int_equal(look_up(sut, HOST_10_1)->n_bytes, 500);
    assert_int_equal(sut->n_removed[FLOW_REMOVED_DELETE], 0);
}

static void add_with_reset_counts_starts_from_zero(void **state)
{
    struct switch_under_test *sut = *state;

    add(sut, to_net(NET_10, 8), 10, 1);
    rule_credit(look_up(sut, HOST_10_1), 5, 500, NOW_NS);
    struct of_flow_mod flow = make_flow(OFFC_ADD, to_net(NET_10, 8), 10, 2);
    flow.flags = OFFF_RESET_COUNTS;
    assert_int_equal(apply(sut, flow), OF_OK);
    flow_tables_publish(sut->tables);

    assert_int_equal(look_up(sut, HOST_10_1)->n_packets, 0);
}

static void check_overlap_refuses_only_other_flows_of_same_priority(void **state)
{
    static const struct {
        unsigned int prefix_length;
        uint16_t priority;
        enum of_error expected;
    } cases[] = {
        {16, 10, OFPFMFC_OVERLAP},
        {16, 11, OF_OK},
        {8, 10, OF_OK}, /* Replaces. */
        {0, 10, OFPFMFC_OVERLAP},
    };
    struct switch_under_test *sut = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(apply(sut, make_flow(OFFC_DELETE, any(), 0, 0)), OF_OK);
        add(sut, to_net(NET_10, 8), 10, 1);
        struct of_flow_mod flow = make_flow(OFFC_ADD, to_net(NET_10, cases[i].prefix_length),
                                            cases[i].priority, 2);
        flow.flags = OFFF_CHECK_OVERLAP;
        assert_int_equal(apply(sut, flow), cases[i].expected);
    }
}

static void modify_keeps_counters_timeouts_and_age(void **state)
{
    struct switch_under_test *sut = *state;
    struct of_flow_mod flow = make_flow(OFFC_ADD, to_net(NET_10, 8), 10, 1);

    flow.idle_timeout_s = 60;
    flow.new_cookie = be64_from(7);
    assert_int_equal(apply(sut, flow), OF_OK);
    flow_tables_publish(sut->tables);
    rule_credit(look_up(sut, HOST_10_1), 5, 500, NOW_NS);

    assert_int_equal(apply_at(sut, make_flow(OFFC_MODIFY, any(), 0, 2), NOW_NS + 5), OF_OK);
    flow_tables_publish(sut->tables);
    const struct rule *rule = look_up(sut, HOST_10_1);
    assert_int_equal(port_to(sut, HOST_10_1), 2);
    assert_int_equal(rule->n_packets, 5);
    assert_int_equal(rule->idle_timeout_s, 60);
    assert_int_equal(rule->created_ns, NOW_NS);
    assert_int_equal(rule->modified_ns, NOW_NS + 5);
    assert_int_equal(be64_host(rule_cookie(rule)), 7);
}

static void modify_sets_the_cookie_where_the_version_says_so(void **state)
{
    struct switch_under_test *sut = *state;
    struct of_flow_mod flow = make_flow(OFFC_MODIFY, any(), 0, 2);

    add(sut, to_net(NET_10, 8), 10, 1);
    flow.modify_cookie = true;
    flow.new_cookie = be64_from(9);
    assert_int_equal(apply(sut, flow), OF_OK);
    flow_tables_publish(sut->tables);
    assert_int_equal(be64_host(rule_cookie(look_up(sut, HOST_10_1))), 9);
}

static void modify_that_finds_nothing_adds_only_if_it_may(void **state)
{
    static const struct {
        bool modify_cookie;
        uint64_t new_cookie, cookie_mask;
        uint32_t n_flows;
    } cases[] = {
        {true, 1, 0, 1},           /* OpenFlow 1.0. */
        {false, 1, 0, 1},          /* OpenFlow 1.1. */
        {true, 1, UINT64_MAX, 0},  /* With a cookie to match. */
        {false, UINT64_MAX, 0, 0}, /* OpenFlow 1.2 and later. */
    };
    struct switch_under_test *sut = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(apply(sut, make_flow(OFFC_DELETE, any(), 0, 0)), OF_OK);
        struct of_flow_mod flow = make_flow(OFFC_MODIFY, to_net(NET_10, 8), 5, 1);
        flow.modify_cookie = cases[i].modify_cookie;
        flow.new_cookie = be64_from(cases[i].new_cookie);
        flow.cookie_mask = be64_from(cases[i].cookie_mask);
        assert_int_equal(apply(sut, flow), OF_OK);
        assert_int_equal(flow_tables_n_flows(sut->tables), cases[i].n_flows);
    }
}

static void modified_rule_keeps_its_actions_until_published(void **state)
{
    struct switch_under_test *sut = *state;
    struct of_flow_mod flow;

    add(sut, to_net(NET_10, 8), 10, 1);
    flow = make_flow(OFFC_MODIFY, to_net(NET_10, 8), 10, 2);
    assert_int_equal(apply(sut, flow), OF_OK);
    assert_int_equal(port_to(sut, HOST_10_1), 1);
    flow = make_flow(OFFC_MODIFY, to_net(NET_10, 8), 10, 3);
    assert_int_equal(apply(sut, flow), OF_OK);
    assert_int_equal(port_to(sut, HOST_10_1), 1);
    flow_tables_publish(sut->tables);
    assert_int_equal(port_to(sut, HOST_10_1), 3);
}

static void reverted_changes_leave_no_trace(void **state)
{
    struct switch_under_test *sut = *state;
    struct rule *rule;

    add(sut, to_net(NET_10, 8), 10, 1);
    add(sut, to_net(HOST_10_1, 32), 20, 2);
    rule = look_up(sut, HOST_10_1);
    rule_credit(rule, 5, 500, 0);
    int64_t modified_ns = rule->modified_ns;
    be64 cookie = rule_cookie(rule);

    struct of_flow_mod modify = make_flow(OFFC_MODIFY, any(), 0, 7);
    modify.modify_cookie = true;
    modify.new_cookie = be64_from(99);
    modify.flags = OFFF_RESET_COUNTS;
    struct of_flow_mod replace = make_flow(OFFC_ADD, to_net(NET_10, 8), 10, 8);
    replace.hard_timeout_s = 1;
    assert_int_equal(apply(sut, make_flow(OFFC_ADD, any(), 5, 6)), OF_OK);
    assert_int_equal(apply(sut, modify), OF_OK);
    assert_int_equal(apply(sut, replace), OF_OK);
    assert_int_equal(apply(sut, make_flow(OFFC_MODIFY, any(), 0, 9)), OF_OK);
    assert_int_equal(apply(sut, make_flow(OFFC_DELETE, any(), 0, 0)), OF_OK);
    assert_int_equal(apply(sut, make_flow(OFFC_ADD, to_net(HOST_10_1, 32), 20, 4)), OF_OK);
    flow_tables_revert(sut->tables);

    assert_false(flow_tables_publish(sut->tables));
    assert_int_equal(flow_tables_n_flows(sut->tables), 2);
    assert_ptr_equal(look_up(sut, HOST_10_1), rule);
    assert_int_equal(port_to(sut, HOST_10_1), 2);
    assert_int_equal(port_to(sut, NET_10 + 99), 1);
    assert_int_equal(rule->n_packets, 5);
    assert_int_equal(rule->modified_ns, modified_ns);
    assert_int_equal(rule_cookie(rule).raw, cookie.raw);

    /* And they can be changed as ever. */
    assert_int_equal(apply(sut, make_flow(OFFC_DELETE, any(), 0, 0)), OF_OK);
    flow_tables_publish(sut->tables);
    assert_int_equal(flow_tables_n_flows(sut->tables), 0);
    assert_int_equal(port_to(sut, HOST_10_1), 0);
}

/* Three flows: 10.0.0.0/8 (priority 10, cookie 1, to 1), 10.0.0.1 (20, 2, to 2), all (0, 3, to 3). */
static void add_three(struct switch_under_test *sut)
{
    const struct of_flow_mod flows[] = {
        make_flow(OFFC_ADD, to_net(NET_10, 8), 10, 1),
        make_flow(OFFC_ADD, to_net(HOST_10_1, 32), 20, 2),
        make_flow(OFFC_ADD, any(), 0, 3),
    };

    for (size_t i = 0; i < ARRAY_SIZE(flows); i++) {
        struct of_flow_mod flow = flows[i];
        flow.new_cookie = be64_from(i + 1);
        assert_int_equal(apply(sut, flow), OF_OK);
    }
    flow_tables_publish(sut->tables);
}

static void modify_and_delete_touch_what_they_name(void **state)
{
    const struct {
        enum of_flow_command command;
        struct match match;
        uint16_t priority;
        uint64_t cookie, cookie_mask;
        of_port out_port;
        of_port left[3]; /* Where packets to 10.0.0.1, 10.0.0.2 and 11.0.0.1 go then. */
    } cases[] = {
        {OFFC_DELETE, any(), 0, 0, 0, OFPP_NONE, {0, 0, 0}},
        {OFFC_DELETE, to_net(NET_10, 8), 0, 0, 0, OFPP_NONE, {3, 3, 3}},
        {OFFC_DELETE, to_net(HOST_10_1, 32), 0, 0, 0, OFPP_NONE, {1, 1, 3}},
        {OFFC_DELETE, to_net(NET_10, 9), 0, 0, 0, OFPP_NONE, {1, 1, 3}},
        {OFFC_DELETE, any(), 0, 2, UINT64_MAX, OFPP_NONE, {1, 1, 3}},
        {OFFC_DELETE, any(), 0, 1, 1, OFPP_NONE, {2, 0, 0}},
        {OFFC_DELETE, any(), 0, 0, 0, 1, {2, 3, 3}},
        {OFFC_DELETE, to_net(NET_10, 8), 0, 0, 0, 3, {2, 1, 3}},
        {OFFC_DELETE_STRICT, to_net(NET_10, 8), 10, 0, 0, OFPP_NONE, {2, 3, 3}},
        {OFFC_DELETE_STRICT, to_net(NET_10, 8), 11, 0, 0, OFPP_NONE, {2, 1, 3}},
        {OFFC_DELETE_STRICT, to_net(NET_10, 8), 10, 9, UINT64_MAX, OFPP_NONE, {2, 1, 3}},
        {OFFC_DELETE_STRICT, any(), 0, 0, 0, OFPP_NONE, {2, 1, 0}},
        {OFFC_MODIFY, to_net(NET_10, 8), 0, 0, 0, OFPP_NONE, {7, 7, 3}},
        {OFFC_MODIFY, to_net(NET_10, 8), 0, 0, 0, 1, {7, 7, 3}}, /* out_port is for deletes. */
        {OFFC_MODIFY, any(), 0, 3, UINT64_MAX, OFPP_NONE, {2, 1, 7}},
        {OFFC_MODIFY_STRICT, to_net(HOST_10_1, 32), 20, 0, 0, OFPP_NONE, {7, 1, 3}},
        {OFFC_MODIFY_STRICT, to_net(HOST_10_1, 32), 10, 0, 0, OFPP_NONE, {2, 1, 3}},
    };
    struct switch_under_test *sut = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(apply(sut, make_flow(OFFC_DELETE, any(), 0, 0)), OF_OK);
        add_three(sut);
        struct of_flow_mod flow = make_flow(cases[i].command, cases[i].match, cases[i].priority, 7);
        flow.table_id = i % 2 ? OF_TABLE_ALL : 0;
        flow.cookie = be64_from(cases[i].cookie);
        flow.cookie_mask = be64_from(cases[i].cookie_mask);
        flow.out_port = cases[i].out_port;
        assert_int_equal(apply(sut, flow), OF_OK);
        flow_tables_publish(sut->tables);
        const of_port got[3] = {port_to(sut, HOST_10_1), port_to(sut, HOST_10_2),
                                port_to(sut, 0x0b000001)};
        for (size_t j = 0; j < 3; j++) {
            if (got[j] != cases[i].left[j])
                fail_msg("case %zu, packet %zu: to %u instead of %u", i, j, got[j],
                         cases[i].left[j]);
        }
    }
}

static void later_flow_mods_of_a_batch_see_earlier_ones(void **state)
{
    struct switch_under_test *sut = *state;
    struct of_flow_mod flow;

    add(sut, to_net(NET_10, 8), 10, 1);
    assert_int_equal(apply(sut, make_flow(OFFC_MODIFY, any(), 0, 4)), OF_OK);
    assert_int_equal(apply(sut, make_flow(OFFC_ADD, to_net(HOST_10_1, 32), 20, 5)), OF_OK);
    assert_int_equal(apply(sut, make_flow(OFFC_ADD, to_net(HOST_10_1, 32), 20, 6)), OF_OK);
    flow = make_flow(OFFC_DELETE, any(), 0, 0);
    flow.out_port = 4;
    assert_int_equal(apply(sut, flow), OF_OK);
    flow_tables_publish(sut->tables);

    assert_int_equal(flow_tables_n_flows(sut->tables), 1);
    assert_int_equal(port_to(sut, HOST_10_1), 6);
    assert_int_equal(port_to(sut, HOST_10_2), 0);
}

static void full_table_refuses_new_flows_but_not_replacements(void **state)
{
    struct switch_under_test *sut = *state;
    struct of_flow_mod elsewhere = make_flow(OFFC_ADD, any(), 1, 1);

    flow_tables_set_limits(sut->tables, 0, &(struct flow_table_limits){.max_flows = 1});
    add(sut, to_net(NET_10, 8), 10, 1);
    assert_int_equal(apply(sut, make_flow(OFFC_ADD, to_net(NET_10, 9), 10, 1)), OFPFMFC_TABLE_FULL);
    add(sut, to_net(NET_10, 8), 10, 2);
    assert_int_equal(port_to(sut, HOST_10_1), 2);

    flow_tables_set_max_flows(sut->tables, 1);
    elsewhere.table_id = 1;
    assert_int_equal(apply(sut, elsewhere), OFPFMFC_TABLE_FULL);
}

static void expire_at(struct switch_under_test *sut, int64_t seconds)
{
    flow_tables_expire(sut->tables, NOW_NS + seconds * SECOND_NS);
}

static void hard_timeout_removes_whatever_the_use(void **state)
{
    struct switch_under_test *sut = *state;
    struct of_flow_mod flow = make_flow(OFFC_ADD, to_net(NET_10, 8), 10, 1);

    flow.hard_timeout_s = 10;
    flow.idle_timeout_s = 60;
    assert_int_equal(apply(sut, flow), OF_OK);
    flow_tables_publish(sut->tables);
    rule_credit(look_up(sut, HOST_10_1), 1, 64, NOW_NS + 9 * SECOND_NS);

    expire_at(sut, 9);
    assert_int_equal(port_to(sut, HOST_10_1), 1);
    expire_at(sut, 10);
    assert_int_equal(port_to(sut, HOST_10_1), 0);
    assert_int_equal(sut->n_removed[FLOW_REMOVED_HARD], 1);
}

static void idle_timeout_counts_from_the_last_packet_that_caches_know_of(void **state)
{
    struct switch_under_test *sut = *state;
    struct of_flow_mod flow = make_flow(OFFC_ADD, to_net(NET_10, 8), 10, 1);

    flow.idle_timeout_s = 10;
    assert_int_equal(apply(sut, flow), OF_OK);
    flow_tables_publish(sut->tables);
    sut->credited_late = look_up(sut, HOST_10_1);

    expire_at(sut, 10); /* Used at 9. */
    assert_int_equal(port_to(sut, HOST_10_1), 1);
    assert_int_equal(sut->n_pushed, 1);
    expire_at(sut, 18);
    assert_int_equal(sut->n_pushed, 1);
    expire_at(sut, 19);
    assert_int_equal(port_to(sut, HOST_10_1), 0);
    assert_int_equal(sut->n_removed[FLOW_REMOVED_IDLE], 1);
    assert_int_equal(sut->removed_packets, 2);
}

static void rules_expire_in_the_order_of_their_deadlines(void **state)
{
    enum { N_RULES = 500 };
    struct switch_under_test *sut = *state;

    /* Timeouts 1 to 500 s in a scrambled order; every seventh rule is deleted early. */
    for (uint32_t i = 0; i < N_RULES; i++) {
        struct of_flow_mod flow = make_flow(OFFC_ADD, to_net(NET_10 + i, 32), 10, 1);
        flow.hard_timeout_s = (uint16_t)(i * 77 % N_RULES + 1);
        assert_int_equal(apply(sut, flow), OF_OK);
    }
    uint32_t n_left = N_RULES;
    for (uint32_t i = 0; i < N_RULES; i += 7, n_left--)
        assert_int_equal(apply(sut, make_flow(OFFC_DELETE_STRICT, to_net(NET_10 + i, 32), 10, 1)),
                         OF_OK);
    flow_tables_publish(sut->tables);
    for (uint32_t seconds = 1; seconds <= N_RULES; seconds++) {
        expire_at(sut, seconds);
        for (uint32_t i = 0; i < N_RULES; i++) {
            bool is_there = i % 7 && i * 77 % N_RULES + 1 > seconds;
            if (i * 77 % N_RULES + 1 == seconds || i % 50 == 0)
                assert_int_equal(port_to(sut, NET_10 + i), is_there);
        }
    }
    assert_int_equal(flow_tables_n_flows(sut->tables), 0);
    assert_int_equal(sut->n_removed[FLOW_REMOVED_HARD], n_left);
}

static void set_of_rules_outlives_their_removal(void **state)
{
    struct switch_under_test *sut = *state;
    const struct rule_filter filter = {
        .table_id = OF_TABLE_ALL, .out_port = OFPP_NONE, .out_group = OF_GROUP_ANY};
    struct rule_set set;

    add_three(sut);
    rule_set_init(&set, sut->tables, &filter);
    assert_int_equal(set.n_rules, 3);
    assert_int_equal(apply(sut, make_flow(OFFC_DELETE, any(), 0, 0)), OF_OK);
    flow_tables_publish(sut->tables);
    flow_tables_publish(sut->tables);
    urcu_qsbr_barrier();

    assert_int_equal(set.rules[0]->cls.priority, 20);
    assert_int_equal(set.rules[1]->cls.priority, 10);
    assert_int_equal(set.rules[2]->cls.priority, 0);
    rule_set_fini(&set);
}

static void set_of_rules_is_sorted_by_table_priority_and_age(void **state)
{
    enum { N_RULES = 300, N_TAKEN = 7 };
    struct switch_under_test *sut = *state;
    const struct rule_filter filter = {
        .table_id = OF_TABLE_ALL, .out_port = OFPP_NONE, .out_group = OF_GROUP_ANY};
    struct rule_set set;

    for (uint32_t i = 0; i < N_RULES; i++) {
        struct of_flow_mod flow = make_flow(OFFC_ADD, to_net(NET_10 + i, 32),
                                            (uint16_t)(i * 7919 % 30), 1);
        flow.table_id = (uint8_t)(5 * (i % 3));
        assert_int_equal(apply_at(sut, flow, NOW_NS + i * 100), OF_OK);
    }
    rule_set_init(&set, sut->tables, &filter);
    assert_int_equal(set.n_rules, N_RULES);
    for (size_t i = 1; i < N_RULES; i++) {
        const struct rule *before = set.rules[i - 1], *rule = set.rules[i];
        assert_int_equal(rule->table_id, i / 100 * 5);
        if (before->table_id == rule->table_id)
            assert_true(before->cls.priority > rule->cls.priority ||
                        (before->cls.priority == rule->cls.priority &&
                         before->created_ns < rule->created_ns));
    }
    for (size_t i = 0; i < N_TAKEN; i++) {
        struct rule *rule = rule_set_take(&set);
        assert_ptr_equal(rule, set.rules[i]);
        rule_unref(rule);
    }
    rule_set_fini(&set);
}

static void table_statistics_count_flows_lookups_and_matches(void **state)
{
    struct switch_under_test *sut = *state;
    struct flow_table_stats stats;

    add_three(sut);
    flow_tables_credit(sut->tables, 0, true, 3);
    flow_tables_credit(sut->tables, 0, false, 2);
    flow_tables_get_stats(sut->tables, 0, &stats);
    assert_int_equal(stats.n_flows, 3);
    assert_int_equal(stats.max_flows, FLOW_TABLES_MAX_FLOWS);
    assert_int_equal(stats.n_lookups, 5);
    assert_int_equal(stats.n_matched, 3);

    flow_tables_get_stats(sut->tables, 254, &stats);
    assert_int_equal(stats.n_flows, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(higher_priority_wins),
        TEST(change_is_seen_when_published_and_not_before),
        TEST(many_changes_are_published_once),
        TEST(add_replaces_flow_of_same_match_and_priority),
        TEST(add_with_reset_counts_starts_from_zero),
        TEST(check_overlap_refuses_only_other_flows_of_same_priority),
        TEST(modify_keeps_counters_timeouts_and_age),
        TEST(modify_sets_the_cookie_where_the_version_says_so),
        TEST(modify_that_finds_nothing_adds_only_if_it_may),
        TEST(modified_rule_keeps_its_actions_until_published),
        TEST(reverted_changes_leave_no_trace),
        TEST(modify_and_delete_touch_what_they_name),
        TEST(later_flow_mods_of_a_batch_see_earlier_ones),
        TEST(full_table_refuses_new_flows_but_not_replacements),
        TEST(hard_timeout_removes_whatever_the_use),
        TEST(idle_timeout_counts_from_the_last_packet_that_caches_know_of),
        TEST(rules_expire_in_the_order_of_their_deadlines),
        TEST(set_of_rules_outlives_their_removal),
        TEST(set_of_rules_is_sorted_by_table_priority_and_age),
        TEST(table_statistics_count_flows_lookups_and_matches),
    };

    urcu_qsbr_register_thread();
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    urcu_qsbr_barrier();
    urcu_qsbr_unregister_thread();
    return result;
}

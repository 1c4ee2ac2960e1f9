/* SPDX-License-Identifier: Apache-2.0 */

/* Full tables: which flow goes, which is refused, and what is told of vacancies. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/openflow/flow_text.h"
#include "vswitchd/flow_mod.h"
#include "vswitchd/flow_table.h"

static const int64_t NOW_NS = 1000 * SECOND_NS;

enum { MAX_NEWS = 16 };

struct news {
    uint8_t table_id, reason, percent;
};

struct switch_under_test {
    struct flow_tables *tables;
    uint16_t evicted[MAX_NEWS]; /* Priorities. */
    size_t n_evicted;
    struct news news[MAX_NEWS];
    size_t n_news;
};

static void note_removal(void *aux, const struct rule *rule, enum flow_removed_reason reason)
{
    struct switch_under_test *sut = aux;

    if (reason == FLOW_REMOVED_EVICTION && sut->n_evicted < MAX_NEWS)
        sut->evicted[sut->n_evicted++] = (uint16_t)rule->cls.priority;
}

static void note_vacancy(void *aux, uint8_t table_id, enum of_table_reason reason, uint8_t percent)
{
    struct switch_under_test *sut = aux;

    assert_true(sut->n_news < MAX_NEWS);
    sut->news[sut->n_news++] = (struct news){table_id, (uint8_t)reason, percent};
}

static const struct flow_tables_events events = {.removed = note_removal, .vacancy = note_vacancy};

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

static enum of_error prepare(struct switch_under_test *sut, enum of_flow_command command,
                             const char *text)
{
    struct error parse_error = ERROR_INIT;
    struct of_flow_mod flow;

    if (of_flow_mod_parse(text, command, NULL, &flow, &parse_error))
        fail_msg("%s", parse_error.message);
    enum of_error error = flow_mod_apply(sut->tables, &flow, NOW_NS);
    of_flow_mod_fini(&flow);
    return error;
}

static enum of_error change(struct switch_under_test *sut, enum of_flow_command command,
                            const char *text)
{
    enum of_error error = prepare(sut, command, text);

    flow_tables_publish(sut->tables);
    return error;
}

static void add(struct switch_under_test *sut, const char *text)
{
    assert_int_equal(change(sut, OFFC_ADD, text), OF_OK);
}

static void limit(struct switch_under_test *sut, uint32_t max_flows, bool does_evict,
                  const char *group)
{
    struct error error = ERROR_INIT;
    struct of_subfield part;

    if (group)
        assert_int_equal(of_subfield_parse(group, &part, &error), 0);
    const struct flow_table_limits limits = {.max_flows = max_flows,
                                             .does_evict = does_evict,
                                             .groups = &part,
                                             .n_groups = group != NULL};
    flow_tables_set_limits(sut->tables, 0, &limits);
}

static void expect_evicted(struct switch_under_test *sut, const uint16_t *priorities, size_t n)
{
    assert_int_equal(sut->n_evicted, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(sut->evicted[i], priorities[i]);
    sut->n_evicted = 0;
}
#define EXPECT_EVICTED(sut, ...)                         \
    expect_evicted(sut, (const uint16_t[]){__VA_ARGS__}, \
                   ARRAY_SIZE(((const uint16_t[]){__VA_ARGS__})))

static void the_flow_whose_timeout_is_next_goes_first(void **state)
{
    struct switch_under_test *sut = *state;

    limit(sut, 3, true, NULL);
    add(sut, "priority=1,hard_timeout=300,actions=drop");
    add(sut, "priority=2,idle_timeout=100,actions=drop");
    add(sut, "priority=3,hard_timeout=200,idle_timeout=500,actions=drop");
    add(sut, "priority=4,hard_timeout=400,actions=drop");
    add(sut, "priority=5,actions=drop");
    EXPECT_EVICTED(sut, 2, 3);
    add(sut, "priority=5,actions=output:1"); /* The same flow: nobody has to go. */
    assert_int_equal(sut->n_evicted, 0);
    assert_int_equal(flow_tables_n_flows(sut->tables), 3);
}

static void flows_without_timeouts_stay(void **state)
{
    struct switch_under_test *sut = *state;

    limit(sut, 2, true, NULL);
    add(sut, "priority=1,actions=drop");
    add(sut, "priority=2,hard_timeout=9,actions=drop");
    add(sut, "priority=3,actions=drop");
    EXPECT_EVICTED(sut, 2);
    assert_int_equal(change(sut, OFFC_ADD, "priority=4,actions=drop"), OFPFMFC_TABLE_FULL);
    assert_int_equal(flow_tables_n_flows(sut->tables), 2);
}

static void less_important_flows_go_before_earlier_ones(void **state)
{
    struct switch_under_test *sut = *state;

    limit(sut, 2, true, NULL);
    add(sut, "priority=1,importance=9,hard_timeout=10,actions=drop");
    add(sut, "priority=2,importance=8,hard_timeout=600,actions=drop");
    add(sut, "priority=3,importance=10,hard_timeout=5,actions=drop");
    add(sut, "priority=4,importance=11,hard_timeout=5,actions=drop");
    EXPECT_EVICTED(sut, 2, 1);
}

static void a_flow_that_is_used_stays_longer(void **state)
{
    struct switch_under_test *sut = *state;
    struct flow flow = {.key.eth_type = be16_from(0x0806)};

    limit(sut, 2, true, NULL);
    add(sut, "arp,priority=1,idle_timeout=10,actions=drop");
    add(sut, "ip,priority=2,idle_timeout=12,actions=drop");
    rule_credit(flow_tables_lookup(sut->tables, flow_tables_version(sut->tables), 0, &flow, NULL,
                                   &(size_t){0}),
                1, 64, NOW_NS + 9 * SECOND_NS);
    add(sut, "ipv6,priority=3,idle_timeout=60,actions=drop");
    EXPECT_EVICTED(sut, 2);
}

static void the_largest_group_gives_the_flow(void **state)
{
    struct switch_under_test *sut = *state;

    limit(sut, 5, true, "NXM_OF_IN_PORT[]");
    add(sut, "in_port=1,priority=1,hard_timeout=10,actions=drop");
    add(sut, "in_port=2,priority=2,hard_timeout=300,actions=drop");
    add(sut, "in_port=2,priority=3,hard_timeout=200,actions=drop");
    add(sut, "in_port=2,priority=4,hard_timeout=250,actions=drop");
    add(sut, "in_port=3,priority=5,actions=drop");
    add(sut, "in_port=3,priority=6,hard_timeout=20,actions=drop");
    EXPECT_EVICTED(sut, 3);
    limit(sut, 5, true, NULL);
    add(sut, "in_port=3,priority=7,hard_timeout=500,actions=drop");
    EXPECT_EVICTED(sut, 1);
}

static void a_lower_limit_evicts_at_once_and_a_policy_that_refuses_does_not(void **state)
{
    struct switch_under_test *sut = *state;

    for (int i = 1; i <= 6; i++) {
        char text[64];
        snprintf(text, sizeof text, "priority=%d,hard_timeout=%d,actions=drop", i, 100 * i);
        add(sut, text);
    }
    limit(sut, 5, false, NULL);
    assert_int_equal(flow_tables_n_flows(sut->tables), 6);
    assert_int_equal(change(sut, OFFC_ADD, "priority=7,actions=drop"), OFPFMFC_TABLE_FULL);
    limit(sut, 4, true, NULL);
    EXPECT_EVICTED(sut, 1, 2);
    assert_int_equal(flow_tables_n_flows(sut->tables), 4);
}

static void table_mods_make_a_table_evict_too(void **state)
{
    const struct of_table_config config = {.does_evict = true};
    struct switch_under_test *sut = *state;

    limit(sut, 1, false, NULL);
    add(sut, "priority=1,hard_timeout=10,actions=drop");
    assert_int_equal(change(sut, OFFC_ADD, "priority=2,actions=drop"), OFPFMFC_TABLE_FULL);
    flow_tables_set_config(sut->tables, OF_TABLE_ALL, &config);
    add(sut, "priority=2,actions=drop");
    EXPECT_EVICTED(sut, 1);
}

static void what_was_evicted_in_vain_is_there_again(void **state)
{
    struct switch_under_test *sut = *state;

    limit(sut, 2, true, NULL);
    add(sut, "priority=1,hard_timeout=100,actions=drop");
    add(sut, "priority=2,hard_timeout=200,actions=drop");
    assert_int_equal(prepare(sut, OFFC_ADD, "priority=3,hard_timeout=5,actions=drop"), OF_OK);
    assert_int_equal(prepare(sut, OFFC_ADD, "priority=4,hard_timeout=50,actions=drop"), OF_OK);
    flow_tables_revert(sut->tables);
    assert_int_equal(sut->n_evicted, 0);
    assert_int_equal(flow_tables_n_flows(sut->tables), 2);
    add(sut, "priority=5,actions=drop");
    add(sut, "priority=6,actions=drop");
    EXPECT_EVICTED(sut, 1, 2);
}

/* The same by looking at every flow. */
struct model {
    unsigned int ports[200], timeouts[200];
    bool is_there[200];
};

static int largest_group(const struct model *model)
{
    unsigned int sizes[8] = {0}, largest = 0;

    for (size_t i = 0; i < ARRAY_SIZE(model->ports); i++)
        if (model->is_there[i] && model->timeouts[i])
            sizes[model->ports[i]]++;
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        largest = sizes[i] > largest ? sizes[i] : largest;
    return (int)largest;
}

static void random_changes_evict_the_first_of_a_largest_group(void **state)
{
    struct switch_under_test *sut = *state;
    struct model model = {.is_there = {false}};
    unsigned int n = 0;

    srand(7);
    limit(sut, 40, true, "in_port");
    for (int step = 0; step < 5000; step++) {
        unsigned int i = (unsigned int)rand() % ARRAY_SIZE(model.ports);
        char text[100];

        if (model.is_there[i] && rand() % 2) {
            snprintf(text, sizeof text, "priority=%u,in_port=%u", i, model.ports[i]);
            assert_int_equal(change(sut, OFFC_DELETE_STRICT, text), OF_OK);
            model.is_there[i] = false;
            n--;
            continue;
        }
        if (model.is_there[i])
            continue;
        model.ports[i] = 1 + (unsigned int)rand() % 7;
        model.timeouts[i] = rand() % 4 ? 10 + (unsigned int)rand() % 60000 : 0;
        int largest = largest_group(&model);
        snprintf(text, sizeof text, "priority=%u,in_port=%u,hard_timeout=%u,actions=drop", i,
                 model.ports[i], model.timeouts[i]);
        enum of_error error = change(sut, OFFC_ADD, text);
        assert_int_equal(error, n == 40 && !largest ? OFPFMFC_TABLE_FULL : OF_OK);
        if (error)
            continue;
        assert_int_equal(sut->n_evicted, n == 40);
        if (n == 40) { /* Nobody of its group goes earlier, and no group is larger. */
            unsigned int gone = sut->evicted[0];
            unsigned int size = 0;
            for (size_t k = 0; k < ARRAY_SIZE(model.ports); k++) {
                if (k == i || !model.is_there[k] || model.ports[k] != model.ports[gone] ||
                    !model.timeouts[k])
                    continue;
                size++;
                assert_true(model.timeouts[k] >= model.timeouts[gone]);
            }
            assert_int_equal(size, largest);
            model.is_there[gone] = false;
            n--;
            sut->n_evicted = 0;
        }
        model.is_there[i] = true;
        n++;
    }
    assert_int_equal(flow_tables_n_flows(sut->tables), n);
}

static void expect_news(struct switch_under_test *sut, enum of_table_reason reason, uint8_t percent)
{
    assert_int_equal(sut->n_news, 1);
    assert_int_equal(sut->news[0].table_id, 0);
    assert_int_equal(sut->news[0].reason, reason);
    assert_int_equal(sut->news[0].percent, percent);
    sut->n_news = 0;
}

static void vacancies_are_told_when_they_cross_a_bound(void **state)
{
    const struct of_table_config config = {
        .tells_vacancy = true, .vacancy_down_percent = 30, .vacancy_up_percent = 60};
    const struct of_table_config off = {.tells_vacancy = false};
    struct switch_under_test *sut = *state;
    char text[64];

    limit(sut, 10, false, NULL);
    flow_tables_set_config(sut->tables, 0, &config);
    for (int i = 1; i <= 7; i++) {
        snprintf(text, sizeof text, "priority=%d,actions=drop", i);
        add(sut, text);
    }
    assert_int_equal(sut->n_news, 0);
    add(sut, "priority=8,actions=drop");
    expect_news(sut, OFTR_VACANCY_DOWN, 20);
    add(sut, "priority=9,actions=drop");
    assert_int_equal(change(sut, OFFC_DELETE_STRICT, "priority=9"), OF_OK);
    assert_int_equal(change(sut, OFFC_DELETE_STRICT, "priority=8"), OF_OK);
    assert_int_equal(sut->n_news, 0); /* Not before the other bound. */
    assert_int_equal(change(sut, OFFC_DELETE, ""), OF_OK);
    expect_news(sut, OFTR_VACANCY_UP, 100);
    flow_tables_set_config(sut->tables, 0, &off);
    limit(sut, 1, false, NULL);
    add(sut, "priority=1,actions=drop");
    assert_int_equal(sut->n_news, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_flow_whose_timeout_is_next_goes_first),
        TEST(flows_without_timeouts_stay),
        TEST(less_important_flows_go_before_earlier_ones),
        TEST(a_flow_that_is_used_stays_longer),
        TEST(the_largest_group_gives_the_flow),
        TEST(a_lower_limit_evicts_at_once_and_a_policy_that_refuses_does_not),
        TEST(table_mods_make_a_table_evict_too),
        TEST(what_was_evicted_in_vain_is_there_again),
        TEST(random_changes_evict_the_first_of_a_largest_group),
        TEST(vacancies_are_told_when_they_cross_a_bound),
    };

    urcu_qsbr_register_thread();
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    urcu_qsbr_barrier();
    urcu_qsbr_unregister_thread();
    return result;
}

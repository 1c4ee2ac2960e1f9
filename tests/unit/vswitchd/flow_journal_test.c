/* SPDX-License-Identifier: Apache-2.0 */

/* What a bridge's flows are to a daemon that follows one that was killed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/buffer.h"
#include "lib/clock.h"
#include "lib/openflow/flow_text.h"
#include "lib/openflow/group_text.h"
#include "lib/rcu.h"
#include "lib/rundir.h"
#include "vswitchd/flow_journal.h"
#include "vswitchd/flow_mod.h"
#include "vswitchd/group_mod.h"
#include "vswitchd/group_table.h"
#include "vswitchd/meter_mod.h"

static const struct flow_journal_owner owner = {.has_normal_flow = true};
static char directory[] = "/tmp/flow_journal_test.XXXXXX";

struct life {
    struct flow_tables *tables;
    struct dp_meters *numbers;
    struct meter_table *meters;
    struct flow_journal *journal;
    bool is_restored;
};

static void on_changed(void *life)
{
    flow_journal_commit(((struct life *)life)->journal);
}

static void on_added(void *life, const struct rule *rule)
{
    flow_journal_add(((struct life *)life)->journal, rule);
}

static void on_modified(void *life, const struct rule *rule)
{
    flow_journal_modify(((struct life *)life)->journal, rule);
}

static void on_removed(void *life, const struct rule *rule, enum flow_removed_reason reason)
{
    (void)reason;
    flow_journal_delete(((struct life *)life)->journal, rule);
}

static void on_configured(void *life, uint8_t table_id)
{
    flow_journal_put_table(((struct life *)life)->journal, table_id);
}

static const struct flow_tables_events events = {
    .changed = on_changed,
    .added = on_added,
    .modified = on_modified,
    .configured = on_configured,
    .removed = on_removed,
};

static void on_meter_changed(void *life, const struct meter *meter, bool is_gone)
{
    flow_journal_put_meter(((struct life *)life)->journal, meter, is_gone);
}

static const struct meter_table_events meter_events = {.changed = on_meter_changed};

static void begin(struct life *life, const struct flow_journal_owner *of)
{
    life->journal = NULL;
    life->tables = flow_tables_create(&events, life);
    life->numbers = dp_meters_create();
    life->meters = meter_table_create(life->numbers, &meter_events, life);
    life->journal = flow_journal_open("br0", of, life->tables, life->meters, &life->is_restored);
}

static void end(struct life *life)
{
    flow_journal_close(life->journal);
    flow_tables_destroy(life->tables);
    life->journal = NULL;
    meter_table_destroy(life->meters);
    dp_meters_destroy(life->numbers);
}

static void prepare(struct life *life, enum of_flow_command command, const char *text)
{
    struct of_flow_mod flow;
    struct error error = ERROR_INIT;

    assert_int_equal(of_flow_mod_parse(text, command, NULL, &flow, &error), 0);
    assert_int_equal(flow_mod_apply(life->tables, &flow, clock_now_ns()), OF_OK);
    of_flow_mod_fini(&flow);
}

static void change(struct life *life, enum of_flow_command command, const char *text)
{
    prepare(life, command, text);
    flow_tables_publish(life->tables);
}

static void change_group(struct life *life, enum of_group_command command, const char *text)
{
    struct of_group_mod mod;
    struct error error = ERROR_INIT;

    assert_int_equal(of_group_mod_parse(text, command, NULL, &mod, &error), 0);
    assert_int_equal(group_mod_apply(life->tables, &mod, clock_now_ns()), OF_OK);
    of_group_mod_fini(&mod);
    flow_tables_publish(life->tables);
}

static void change_meter(struct life *life, enum of_meter_command command, const char *text)
{
    struct of_meter_mod mod;
    struct error error = ERROR_INIT;

    assert_int_equal(of_meter_mod_parse(text, command, &mod, &error), 0);
    assert_int_equal(meter_mod_apply(life->meters, life->tables, &mod, clock_now_ns()), OF_OK);
    of_meter_mod_fini(&mod);
}

static const struct group *group_of(const struct life *life, uint32_t group_id)
{
    return group_table_lookup(flow_tables_groups(life->tables), flow_tables_version(life->tables),
                              group_id);
}

/* Also by a third, which reads what the second has written anew. */
static void groups_and_meters_come_back_with_the_flows_that_name_them(void **state)
{
    struct life life;

    (void)state;
    begin(&life, &owner);
    change_group(&life, OFGC_ADD, "group_id=1,type=all,bucket=output:1");
    change_group(&life, OFGC_ADD, "group_id=2,type=indirect,bucket=output:2");
    change_group(&life, OFGC_ADD, "group_id=3,type=all,bucket=output:1");
    change_group(&life, OFGC_MODIFY, "group_id=1,type=all,bucket=output:1,bucket=output:2");
    change_group(&life, OFGC_DELETE, "group_id=3");
    change_meter(&life, OFMC_ADD, "meter=1,kbps,bands=type=drop,rate=5");
    change_meter(&life, OFMC_ADD, "meter=2,pktps,bands=type=drop,rate=5");
    change_meter(&life, OFMC_ADD, "meter=controller,pktps,bands=type=drop,rate=6");
    change_meter(&life, OFMC_MODIFY, "meter=1,pktps,burst,bands=type=drop,rate=7,burst_size=8");
    change(&life, OFFC_ADD, "table=3,actions=meter:1,group:2");
    change(&life, OFFC_ADD, "table=4,actions=meter:2,1");
    change_meter(&life, OFMC_DELETE, "meter=2");
    end(&life);

    for (int i = 0; i < 2; i++) {
        begin(&life, &owner);
        assert_true(life.is_restored);
        assert_int_equal(group_of(&life, 1)->desc.n_buckets, 2);
        assert_int_equal(group_of(&life, 2)->desc.type, OFGT_INDIRECT);
        assert_null(group_of(&life, 3));
        const struct meter *meter = meter_table_lookup(life.meters, 1);
        assert_int_equal(meter->desc.flags, OFMF_PKTPS | OFMF_BURST);
        assert_int_equal(meter->desc.bands[0].burst, 8);
        assert_non_null(meter_table_lookup(life.meters, OF_METER_CONTROLLER));
        assert_null(meter_table_lookup(life.meters, 2));
        assert_int_equal(flow_tables_n_flows(life.tables), 1);
        if (i) {
            flow_journal_remove(life.journal);
            life.journal = NULL;
        }
        end(&life);
    }
}

static off_t journal_bytes(void)
{
    char path[64];
    struct stat status;

    snprintf(path, sizeof path, "%s/br0.flows", directory);
    assert_int_equal(stat(path, &status), 0);
    return status.st_size;
}

static void flows_that_were_published_are_there_again(void **state)
{
    struct life life;

    (void)state;
    begin(&life, &owner);
    assert_false(life.is_restored);
    change(&life, OFFC_ADD, "table=1,priority=7,udp,tp_dst=53,actions=drop");
    change(&life, OFFC_ADD, "priority=3,ip,actions=resubmit(,1)");
    change(&life, OFFC_ADD, "priority=9,arp,actions=NORMAL");
    change(&life, OFFC_DELETE, "arp");
    end(&life);
    begin(&life, &owner);
    assert_true(life.is_restored);
    assert_int_equal(flow_tables_n_flows(life.tables), 2);
    end(&life);
}

static void what_table_mods_have_set_is_there_again(void **state)
{
    const struct of_table_config config = {
        .tells_vacancy = true, .vacancy_down_percent = 20, .vacancy_up_percent = 80};
    const struct of_table_config evicting = {.does_evict = true};
    struct life life = {.tables = NULL};

    (void)state;
    begin(&life, &owner);
    flow_tables_set_config(life.tables, OF_TABLE_ALL, &evicting);
    flow_tables_set_config(life.tables, 3, &config);
    flow_tables_set_miss(life.tables, 4, OF_MISS_CONTINUE);
    end(&life);
    for (int i = 0; i < 2; i++) { /* The second reads what the first has written anew. */
        life = (struct life){.tables = NULL};
        begin(&life, &owner);
        assert_true(life.is_restored);
        assert_true(flow_tables_config(life.tables, 2)->does_evict);
        assert_false(flow_tables_config(life.tables, 3)->does_evict);
        assert_int_equal(flow_tables_config(life.tables, 3)->vacancy_up_percent, 80);
        assert_int_equal(flow_tables_miss(life.tables, 4), OF_MISS_CONTINUE);
        assert_int_equal(flow_tables_miss(life.tables, 3), OF_MISS_DEFAULT);
        if (i) {
            flow_journal_remove(life.journal);
            life.journal = NULL;
        }
        end(&life);
    }
}

static void what_port_mods_have_set_is_there_again(void **state)
{
    static const struct uuid first = {{1}}, second = {{2}}, deleted = {{3}}, without_row = {{0}};
    struct life life = {.tables = NULL};

    (void)state;
    begin(&life, &owner);
    assert_int_equal(flow_journal_port(life.journal, &first), 0);
    flow_journal_put_port(life.journal, &first, OFPPC_NO_FWD);
    flow_journal_put_port(life.journal, &first, OFPPC_NO_FLOOD | OFPPC_NO_RECV);
    flow_journal_put_port(life.journal, &without_row, OFPPC_NO_PACKET_IN);
    flow_journal_put_port(life.journal, &deleted, OFPPC_NO_FLOOD);
    flow_journal_put_port(life.journal, &deleted, 0);
    off_t before = journal_bytes();
    flow_journal_put_port(life.journal, &second, 0); /* No news. */
    flow_journal_put_port(life.journal, &without_row, OFPPC_NO_PACKET_IN);
    assert_int_equal(journal_bytes(), before);
    change(&life, OFFC_ADD, "actions=drop");
    end(&life);
    for (int i = 0; i < 2; i++) { /* The second reads what the first has written anew. */
        life = (struct life){.tables = NULL};
        begin(&life, &owner);
        assert_true(life.is_restored);
        assert_int_equal(flow_tables_n_flows(life.tables), 1);
        assert_int_equal(flow_journal_port(life.journal, &first), OFPPC_NO_FLOOD | OFPPC_NO_RECV);
        assert_int_equal(flow_journal_port(life.journal, &without_row), OFPPC_NO_PACKET_IN);
        assert_int_equal(flow_journal_port(life.journal, &second), 0);
        assert_int_equal(flow_journal_port(life.journal, &deleted), 0);
        if (i) {
            flow_journal_remove(life.journal);
            life.journal = NULL;
        }
        end(&life);
    }
}

/* As history of flows does. */
static void history_of_ports_goes(void **state)
{
    enum { N_CHANGES = 10000 };
    static const struct uuid row = {{1}};
    struct life life = {.tables = NULL};

    (void)state;
    begin(&life, &owner);
    for (uint32_t i = 1; i <= N_CHANGES; i++)
        flow_journal_put_port(life.journal, &row, i);
    off_t before = journal_bytes();
    flow_journal_compact(life.journal);
    assert_true(journal_bytes() < before / 1000);
    end(&life);
    begin(&life, &owner);
    assert_int_equal(flow_journal_port(life.journal, &row), N_CHANGES);
    flow_journal_remove(life.journal);
    life.journal = NULL;
    end(&life);
}

static void add_different(struct life *life, const char *actions)
{
    char text[64];

    snprintf(text, sizeof text, "table=9,priority=1,actions=%s", actions);
    change(life, OFFC_ADD, text);
}

static uint16_t output_port(struct life *life)
{
    struct match any;

    match_init_any(&any);
    struct rule *rule = flow_tables_find(life->tables, 9, &any, 1);
    assert_non_null(rule);
    struct ofa_list list = rule_current_actions(rule);
    return list.n_bytes ? ((const struct ofa_output *)(const void *)list.first)->port : 0;
}

static void a_flow_in_place_of_an_equal_one_is_not_written_again(void **state)
{
    struct life life;

    (void)state;
    begin(&life, &owner);
    add_different(&life, "output:1");
    off_t before = journal_bytes();
    add_different(&life, "output:1");
    assert_int_equal(journal_bytes(), before);
    add_different(&life, "output:2");
    assert_true(journal_bytes() > before);
    end(&life);
    begin(&life, &owner);
    assert_int_equal(output_port(&life), 2);

    /* Equal to what is published, but not to the end. */
    prepare(&life, OFFC_ADD, "table=9,priority=1,actions=output:2");
    change(&life, OFFC_MODIFY, "table=9,actions=output:3");
    end(&life);
    begin(&life, &owner);
    assert_int_equal(output_port(&life), 3);

    /* Equal to what is not published. */
    prepare(&life, OFFC_ADD, "table=9,priority=1,actions=output:4");
    change(&life, OFFC_ADD, "table=9,priority=1,actions=output:4");
    end(&life);
    begin(&life, &owner);
    assert_int_equal(output_port(&life), 4);
    prepare(&life, OFFC_MODIFY, "table=9,actions=output:5");
    change(&life, OFFC_ADD, "table=9,priority=1,actions=output:5");
    end(&life);
    begin(&life, &owner);
    assert_int_equal(output_port(&life), 5);
    change(&life, OFFC_DELETE, "table=9");
    end(&life);
}

static void add_many(struct life *life, uint8_t table_id, uint32_t n)
{
    struct of_flow_mod flow;

    of_flow_mod_init(&flow);
    flow.table_id = table_id;
    flow.match.mask.key.eth_type = be16_from(UINT16_MAX);
    flow.match.flow.key.eth_type = be16_from(ETH_TYPE_IPV4);
    flow.match.mask.key.nw_dst = be32_from(UINT32_MAX);
    for (uint32_t i = 0; i < n; i++) {
        flow.match.flow.key.nw_dst = be32_from(i);
        assert_int_equal(flow_mod_apply(life->tables, &flow, clock_now_ns()), OF_OK);
    }
    of_flow_mod_fini(&flow);
    flow_tables_publish(life->tables);
}

/* The file is written anew, in pieces. */
static void flows_that_stay_when_most_leave_are_there_again(void **state)
{
    enum { N_STAYING = 6000, N_LEAVING = 8000 };
    struct life life;
    struct flow_table_stats stats;

    (void)state;
    begin(&life, &owner);
    uint32_t n_before = flow_tables_n_flows(life.tables);
    add_many(&life, 5, N_STAYING);
    add_many(&life, 6, N_LEAVING);
    change(&life, OFFC_DELETE, "table=6");
    change(&life, OFFC_DELETE, "table=5,ip,nw_dst=0.0.0.9");
    end(&life);
    begin(&life, &owner);
    flow_tables_get_stats(life.tables, 5, &stats);
    assert_int_equal(stats.n_flows, N_STAYING - 1);
    assert_int_equal(flow_tables_n_flows(life.tables), n_before + N_STAYING - 1);
    change(&life, OFFC_DELETE, "table=5");
    end(&life);
    begin(&life, &owner);
    assert_int_equal(flow_tables_n_flows(life.tables), n_before);
    end(&life);
}

static void half_a_publication_is_none(void **state)
{
    char path[64];
    struct life life;

    (void)state;
    begin(&life, &owner);
    uint32_t n = flow_tables_n_flows(life.tables);
    change(&life, OFFC_ADD, "table=4,priority=1,actions=drop");
    end(&life);
    snprintf(path, sizeof path, "%s/br0.flows", directory);
    FILE *file = fopen(path, "r+");
    fseek(file, 0, SEEK_END);
    assert_int_equal(ftruncate(fileno(file), ftell(file) - 1), 0);
    fclose(file);
    begin(&life, &owner);
    assert_int_equal(flow_tables_n_flows(life.tables), n);
    end(&life);
}

static void a_bridge_that_has_become_secure_does_not_get_them_back(void **state)
{
    static const struct flow_journal_owner secure = {.has_normal_flow = false};
    struct life life;

    (void)state;
    begin(&life, &secure);
    assert_false(life.is_restored);
    assert_int_equal(flow_tables_n_flows(life.tables), 0);
    flow_journal_remove(life.journal);
    life.journal = NULL;
    end(&life);
}

/* "HEAD", then 'n' times 'item' and its number, and 'tail'. */
static char *long_text(const char *head, const char *item, unsigned int n, const char *tail)
{
    struct buffer text = BUFFER_INIT;

    buffer_puts(&text, head);
    for (unsigned int i = 0; i < n; i++)
        buffer_printf(&text, "%s%u%s", item, i, tail);
    buffer_putc(&text, '\0');
    return (char *)text.data;
}

/* As OpenFlow 1.0 says it, whose outputs are half as long as those of others. */
static void add_long_flow(struct life *life, uint8_t table_id, size_t n_outputs)
{
    struct of_flow_mod flow;

    of_flow_mod_init(&flow);
    flow.command = OFFC_ADD;
    flow.table_id = table_id;
    for (size_t i = 0; i < n_outputs; i++)
        ((struct ofa_output *)(void *)ofa_put(&flow.actions, OFA_OUTPUT))->port = 1;
    assert_int_equal(flow_mod_apply(life->tables, &flow, clock_now_ns()), OF_OK);
    flow_tables_publish(life->tables);
    of_flow_mod_fini(&flow);
}

/* What fills a message of one version may be too long for another. */
static void what_is_long_comes_back(void **state)
{
    char *old_group = long_text("group_id=1,type=select",
                                ",bucket=weight:1,watch_port:1,watch_group:7,output:", 1500, "");
    char *new_group = long_text("group_id=2,type=select,selection_method=hash,fields(ip_src)",
                                ",bucket=bucket_id:", 3000, ",weight:2,watch_port:1,output:2");
    struct life life;

    (void)state;
    begin(&life, &owner);
    add_long_flow(&life, 1, 8000);
    add_long_flow(&life, 2, 9000); /* For any, as may be learned. */
    change_group(&life, OFGC_ADD, "group_id=7,type=all,bucket=output:1");
    change_group(&life, OFGC_ADD, old_group);
    change_group(&life, OFGC_ADD, new_group);
    end(&life);

    begin(&life, &owner);
    assert_int_equal(flow_tables_n_flows(life.tables), 1); /* The longest is lost. */
    assert_int_equal(group_of(&life, 1)->desc.n_buckets, 1500);
    assert_int_equal(group_of(&life, 2)->desc.n_buckets, 3000);
    assert_string_equal(group_of(&life, 2)->desc.selection_method, "hash");
    assert_int_equal(group_of(&life, 2)->desc.n_fields, 1);
    for (uint32_t i = 0; i < 3000; i++)
        assert_int_equal(group_of(&life, 2)->desc.buckets[i].bucket_id, i);
    flow_journal_remove(life.journal);
    life.journal = NULL;
    end(&life);
    free(old_group);
    free(new_group);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_and_meters_come_back_with_the_flows_that_name_them),
        cmocka_unit_test(flows_that_were_published_are_there_again),
        cmocka_unit_test(what_table_mods_have_set_is_there_again),
        cmocka_unit_test(what_port_mods_have_set_is_there_again),
        cmocka_unit_test(history_of_ports_goes),
        cmocka_unit_test(a_flow_in_place_of_an_equal_one_is_not_written_again),
        cmocka_unit_test(flows_that_stay_when_most_leave_are_there_again),
        cmocka_unit_test(half_a_publication_is_none),
        cmocka_unit_test(what_is_long_comes_back),
        cmocka_unit_test(a_bridge_that_has_become_secure_does_not_get_them_back),
    };
    int result;

    rundir_set(mkdtemp(directory));
    rcu_reader_register();
    result = cmocka_run_group_tests(tests, NULL, NULL);
    rcu_reader_unregister();
    rmdir(directory);
    return result;
}

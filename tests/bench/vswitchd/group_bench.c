/* SPDX-License-Identifier: Apache-2.0 */

/* What does it cost to delete a group, and to count who refers to each, beside 1,000,000 flows?
 *
 * Every flow (an IPv4 destination) goes to one of 1,000 groups; then all go to a port, and the groups are
 * unused.  Memory is what malloc() has handed out, by mallinfo2(). */

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <urcu-qsbr.h>

#include "lib/clock.h"
#include "vswitchd/flow_mod.h"
#include "vswitchd/flow_table.h"
#include "vswitchd/group_mod.h"
#include "vswitchd/group_table.h"

enum { N_FLOWS = 1000000, N_GROUPS = 1000, BATCH = 500, RUNS = 9 };

static void change_group(struct flow_tables *tables, enum of_group_command command, uint32_t id)
{
    struct of_group_mod mod = {.command = (uint8_t)command};

    of_group_init(&mod.group);
    mod.group.group_id = id;
    if (group_mod_apply(tables, &mod, clock_now_ns()) != OF_OK)
        abort();
    of_group_mod_fini(&mod);
    flow_tables_publish(tables);
    urcu_qsbr_quiescent_state();
}

static double put_flows(struct flow_tables *tables, bool to_groups)
{
    int64_t begin_ns = clock_now_ns();
    struct of_flow_mod flow;

    of_flow_mod_init(&flow);
    flow.match.mask.key.eth_type = be16_from(UINT16_MAX);
    flow.match.flow.key.eth_type = be16_from(ETH_TYPE_IPV4);
    flow.match.mask.key.nw_dst = be32_from(UINT32_MAX);
    for (uint32_t i = 0; i < N_FLOWS; i++) {
        flow.match.flow.key.nw_dst = be32_from(0x0a000000 + i);
        buffer_clear(&flow.actions);
        if (to_groups) {
            struct ofa *group = ofa_put(&flow.actions, OFA_GROUP);
            CONTAINER_OF(group, struct ofa_group, ofa)->group_id = i % N_GROUPS;
        } else {
            ofa_put_output(&flow.actions, 1, 0);
        }
        if (flow_mod_apply(tables, &flow, begin_ns) != OF_OK)
            abort();
        if (i % BATCH == BATCH - 1) {
            flow_tables_publish(tables);
            urcu_qsbr_quiescent_state();
        }
    }
    of_flow_mod_fini(&flow);
    return (double)(clock_now_ns() - begin_ns) / N_FLOWS;
}

static int compare_doubles(const void *a, const void *b)
{
    return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

static void report(const char *name, double *us)
{
    qsort(us, RUNS, sizeof us[0], compare_doubles);
    printf("%s flows=%d groups=%d us=%.1f min=%.1f max=%.1f runs=%d\n", name, N_FLOWS, N_GROUPS,
           us[RUNS / 2], us[0], us[RUNS - 1], RUNS);
}

static void count_users(const struct flow_tables *tables)
{
    volatile size_t n = 0;

    for (uint32_t i = 0; i < N_GROUPS; i++)
        n += flow_tables_count_users(tables, i);
}

static void measure(struct flow_tables *tables, const char *what)
{
    double deleted[RUNS], counted[RUNS];
    char name[64];

    for (uint32_t run = 0; run < RUNS; run++) {
        int64_t begin_ns = clock_now_ns();
        change_group(tables, OFGC_DELETE, run);
        deleted[run] = (double)(clock_now_ns() - begin_ns) / 1000;
        change_group(tables, OFGC_ADD, run);
        begin_ns = clock_now_ns();
        count_users(tables);
        counted[run] = (double)(clock_now_ns() - begin_ns) / 1000;
    }
    snprintf(name, sizeof name, "delete_%s_group", what);
    report(name, deleted);
    snprintf(name, sizeof name, "count_flows_of_%s_groups", what);
    report(name, counted);
}

int main(void)
{
    static const struct flow_tables_events events = {.changed = NULL};

    urcu_qsbr_register_thread();
    struct flow_tables *tables = flow_tables_create(&events, NULL);
    for (uint32_t i = 0; i < N_GROUPS; i++)
        change_group(tables, OFGC_ADD, i);
    size_t before = mallinfo2().uordblks;
    double add_ns = put_flows(tables, true);
    printf("flow_with_group flows=%d ns_per_op=%.0f bytes_per_flow=%.0f\n", N_FLOWS, add_ns,
           (double)(mallinfo2().uordblks - before) / N_FLOWS);
    measure(tables, "used");
    printf("flow_replaced flows=%d ns_per_op=%.0f\n", N_FLOWS, put_flows(tables, false));
    measure(tables, "unused");
    flow_tables_destroy(tables);
    urcu_qsbr_unregister_thread();
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */

/* How many flow_mods a second do the tables take, and what does a flow cost in memory?
 *
 * 100,000 flows (in_port, IPv4 destination, one output; 10 priorities) are added in batches, looked up,
 * replaced and deleted.  Memory is what malloc() has handed out, by mallinfo2(). */

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <urcu-qsbr.h>

#include "lib/clock.h"
#include "vswitchd/flow_mod.h"
#include "vswitchd/flow_table.h"

enum { N_FLOWS = 100000, BATCH = 500, RUNS = 5 };

static void make_flow(struct of_flow_mod *flow, enum of_flow_command command, uint32_t i)
{
    *flow = (struct of_flow_mod){
        .priority = (uint16_t)(100 + i % 10),
        .command = (uint8_t)command,
        .out_port = OFPP_NONE,
        .out_group = OF_GROUP_ANY,
        .buffer_id = OF_BUFFER_NONE,
        .actions = flow->actions,
    };
    flow->match.mask.key.in_port = be32_from(UINT32_MAX);
    flow->match.flow.key.in_port = be32_from(1 + i % 4);
    flow->match.mask.key.eth_type = be16_from(UINT16_MAX);
    flow->match.flow.key.eth_type = be16_from(ETH_TYPE_IPV4);
    flow->match.mask.key.nw_dst = be32_from(UINT32_MAX);
    flow->match.flow.key.nw_dst = be32_from(0x0a000000 + i);
    buffer_clear(&flow->actions);
    struct ofa_output *output = buffer_put_zeros(&flow->actions, sizeof *output);
    output->ofa = (struct ofa){.type = OFA_OUTPUT, .n_bytes = sizeof *output};
    output->port = (of_port)(1 + i % 8);
}

static double apply_all(struct flow_tables *tables, enum of_flow_command command)
{
    struct of_flow_mod flow = {.priority = 0};
    int64_t begin_ns = clock_now_ns();

    for (uint32_t i = 0; i < N_FLOWS; i++) {
        make_flow(&flow, command, i);
        if (flow_mod_apply(tables, &flow, begin_ns) != OF_OK)
            abort();
        if (i % BATCH == BATCH - 1) {
            flow_tables_publish(tables);
            urcu_qsbr_quiescent_state();
        }
    }
    buffer_fini(&flow.actions);
    return N_FLOWS * 1e9 / (double)(clock_now_ns() - begin_ns);
}

static void check_lookups(const struct flow_tables *tables)
{
    for (uint32_t i = 0; i < N_FLOWS; i += 97) {
        struct flow flow = {.key.in_port = be32_from(1 + i % 4),
                            .key.eth_type = be16_from(ETH_TYPE_IPV4),
                            .key.nw_dst = be32_from(0x0a000000 + i)};
        if (!flow_tables_lookup(tables, flow_tables_version(tables), 0, &flow, NULL, &(size_t){0}))
            abort();
    }
}

static int compare_doubles(const void *a, const void *b)
{
    return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

static void report(const char *name, double *per_second)
{
    qsort(per_second, RUNS, sizeof per_second[0], compare_doubles);
    printf("%s flows=%d per_second=%.0f min=%.0f max=%.0f runs=%d\n", name, N_FLOWS,
           per_second[RUNS / 2], per_second[0], per_second[RUNS - 1], RUNS);
}

int main(void)
{
    static const struct flow_tables_events events = {.changed = NULL};
    double added[RUNS], replaced[RUNS], deleted[RUNS];
    double bytes = 0;

    urcu_qsbr_register_thread();
    for (int run = 0; run < RUNS; run++) {
        struct flow_tables *tables = flow_tables_create(&events, NULL);
        size_t before = mallinfo2().uordblks;
        added[run] = apply_all(tables, OFFC_ADD);
        bytes = (double)(mallinfo2().uordblks - before) / N_FLOWS;
        check_lookups(tables);
        replaced[run] = apply_all(tables, OFFC_ADD);
        check_lookups(tables);
        deleted[run] = apply_all(tables, OFFC_DELETE_STRICT);
        if (flow_tables_n_flows(tables))
            abort();
        flow_tables_destroy(tables);
        urcu_qsbr_barrier();
    }
    report("flow_mod_add", added);
    report("flow_mod_replace", replaced);
    report("flow_mod_delete_strict", deleted);
    printf("flow_memory flows=%d bytes_per_flow=%.0f\n", N_FLOWS, bytes);
    urcu_qsbr_unregister_thread();
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */

/* The walk through a bridge's tables: goto_table is a loop, so that it takes no stack. */

#include "vswitchd/xlate_internal.h"

bool xlate_hides_ports(struct xlate *x)
{
    const struct flow_key *key = &x->now.flow.key;

    if (x->now.is_inner && flow_is_ip(key))
        x->looked.key.nw_frag = NW_FRAG_ANY | NW_FRAG_LATER;
    return x->bridge->frag_mode != OF_FRAG_NX_MATCH && flow_is_ip(key) && key->nw_frag;
}

static struct rule *xlate_lookup(struct xlate *x, uint8_t table_id, of_port in_port)
{
    struct flow_key *key = &x->now.flow.key;
    be32 saved_in_port = key->in_port;
    be16 tp_src = key->tp_src, tp_dst = key->tp_dst;

    key->in_port = be32_from(in_port);
    if (xlate_hides_ports(x))
        key->tp_src = key->tp_dst = be16_from(0);
    size_t n_clauses = 0;
    struct rule *rule = flow_tables_lookup(x->bridge->tables, x->version, table_id, &x->now.flow,
                                           &x->looked, &n_clauses);
    xlate_may_spend(x, n_clauses);
    if (x->trace)
        x->tracer->looked_up = x->now.flow;
    key->tp_src = tp_src;
    key->tp_dst = tp_dst;
    key->in_port = saved_in_port;
    return rule;
}

/* What table_mod has said about such packets, or what the controllers expect. */
static bool miss_goes_to_controller(struct xlate *x, enum of_table_miss miss)
{
    const struct port_view *in = bridge_view_port(x->bridge, xlate_in_port(x));
    bool wanted = miss == OF_MISS_DEFAULT ? x->bridge->miss_goes_to_controller
                                          : miss == OF_MISS_CONTROLLER;

    return wanted && !(in && in->config & OFPPC_NO_PACKET_IN);
}

/* The table to go on with, or LIST_ENDS. */
static int xlate_miss(struct xlate *x, uint8_t table_id, enum on_miss on_miss)
{
    enum of_table_miss miss = on_miss == MISS_TO_CONTROLLER
                                  ? flow_tables_miss(x->bridge->tables, table_id)
                                  : OF_MISS_DROP;
    bool has_packet_in = miss_goes_to_controller(x, miss);

    xlate_trace_miss(x, table_id, has_packet_in);
    x->reason = DROP_TABLE_MISS;
    x->table_id = table_id;
    x->rule = NULL;
    if (miss == OF_MISS_CONTINUE && table_id + 1 < OF_N_TABLES - 1)
        return table_id + 1;
    if (has_packet_in) {
        be64 cookie = x->cookie;

        x->cookie = be64_from(0);
        xlate_miss_to_controller(x);
        x->cookie = cookie;
    } else {
        xlate_trace(x, TRACE_ACTION, "drop");
    }
    return LIST_ENDS;
}

static void walk(struct xlate *x, uint8_t table_id, of_port in_port, enum on_miss on_miss)
{
    const struct rule *first = NULL;
    uint8_t first_table_id = table_id;
    bool is_in_bucket = x->is_in_bucket;

    x->is_in_bucket = false;
    for (;;) {
        struct rule *rule = xlate_lookup(x, table_id, in_port);
        int next;

        xlate_note(x, &(struct xlate_note){
                          .type = NOTE_TABLE,
                          .table = {x->bridge->tables, table_id, rule != NULL},
                      });
        if (!rule) {
            next = xlate_miss(x, table_id, on_miss);
            if (next == LIST_ENDS)
                break;
            table_id = (uint8_t)next;
            continue;
        }
        xlate_note(x, &(struct xlate_note){.type = NOTE_RULE, .rule = rule});
        xlate_trace_rule(x, table_id, rule);
        if (!first) {
            first = rule;
            first_table_id = table_id;
        }
        x->rule = rule;
        x->table_id = table_id;
        next = xlate_list(x, rule_get_actions(rule, x->version));
        if (next == LIST_ENDS || x->has_exited || !xlate_may_descend(x))
            break;
        table_id = (uint8_t)next;
        in_port = xlate_in_port(x);
        on_miss = MISS_TO_CONTROLLER;
    }
    x->rule = first;
    x->table_id = first_table_id;
    x->is_in_bucket = is_in_bucket;
}

void xlate_walk(struct xlate *x, uint8_t table_id, of_port in_port, enum on_miss on_miss)
{
    struct trace_node *trace = x->trace;

    walk(x, table_id, in_port, on_miss);
    x->trace = trace;
}

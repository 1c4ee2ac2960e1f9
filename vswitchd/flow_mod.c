/* SPDX-License-Identifier: Apache-2.0 */

/* One function per command.  Only an add, and a modify that turns into one, can fail, and they do so
 * before the first change. */

#include "vswitchd/flow_mod.h"

#include <stdbool.h>

static enum of_error add_flow(struct flow_tables *tables, const struct of_flow_mod *flow,
                              int64_t now_ns)
{
    uint8_t table_id = flow->table_id == OF_TABLE_ALL ? 0 : flow->table_id;
    struct rule *replaced = flow_tables_find(tables, table_id, &flow->match, flow->priority);

    /* As in Open vSwitch, a flow does not overlap the one that it replaces. */
    if (!replaced) {
        if (flow->flags & OFFF_CHECK_OVERLAP &&
            flow_tables_find_overlap(tables, table_id, &flow->match, flow->priority))
            return OFPFMFC_OVERLAP;
        enum of_error error = flow_tables_make_room(tables, table_id);
        if (error)
            return error;
    }
    flow_tables_add(tables, table_id, flow, replaced, now_ns);
    return OF_OK;
}

static struct rule_filter filter_of(const struct of_flow_mod *flow)
{
    bool is_delete = flow->command == OFFC_DELETE || flow->command == OFFC_DELETE_STRICT;

    return (struct rule_filter){
        .match = &flow->match,
        .table_id = flow->table_id,
        .is_strict = flow->command == OFFC_MODIFY_STRICT || flow->command == OFFC_DELETE_STRICT,
        .priority = flow->priority,
        .cookie = flow->cookie,
        .cookie_mask = flow->cookie_mask,
        .out_port = is_delete ? flow->out_port : OFPP_NONE,
        .out_group = is_delete ? flow->out_group : OF_GROUP_ANY,
    };
}

struct change {
    struct flow_tables *tables;
    const struct of_flow_mod *flow;
    int64_t now_ns;
    size_t n_rules;
};

static bool modify_rule(struct rule *rule, void *arg)
{
    struct change *change = arg;

    flow_tables_modify(change->tables, rule, change->flow, change->now_ns);
    change->n_rules++;
    return true;
}

static enum of_error modify_flows(struct flow_tables *tables, const struct of_flow_mod *flow,
                                  int64_t now_ns)
{
    struct rule_filter filter = filter_of(flow);
    struct change change = {.tables = tables, .flow = flow, .now_ns = now_ns};
    bool may_add = flow->new_cookie.raw != UINT64_MAX && !flow->cookie_mask.raw;

    flow_tables_each(tables, &filter, modify_rule, &change);
    return change.n_rules || !may_add ? OF_OK : add_flow(tables, flow, now_ns);
}

static bool delete_rule(struct rule *rule, void *arg)
{
    struct change *change = arg;

    flow_tables_remove(change->tables, rule, FLOW_REMOVED_DELETE);
    return true;
}

static enum of_error delete_flows(struct flow_tables *tables, const struct of_flow_mod *flow,
                                  int64_t now_ns)
{
    struct rule_filter filter = filter_of(flow);
    struct change change = {.tables = tables};

    flow_tables_note_delete(tables, now_ns);
    flow_tables_each(tables, &filter, delete_rule, &change);
    return OF_OK;
}

enum of_error flow_mod_apply(struct flow_tables *tables, const struct of_flow_mod *flow,
                             int64_t now_ns)
{
    switch ((enum of_flow_command)flow->command) {
    case OFFC_ADD:
        return add_flow(tables, flow, now_ns);
    case OFFC_MODIFY:
    case OFFC_MODIFY_STRICT:
        return modify_flows(tables, flow, now_ns);
    case OFFC_DELETE:
    case OFFC_DELETE_STRICT:
        return delete_flows(tables, flow, now_ns);
    }
    return OFPFMFC_BAD_COMMAND;
}

/* SPDX-License-Identifier: Apache-2.0 */

/* Checks are made in the order in which Open vSwitch makes them, as the first that fails is told. */

#include "vswitchd/meter_mod.h"

#include <stdlib.h>

#include "lib/annotations.h"

static const struct rule_filter all_flows = {
    .table_id = OF_TABLE_ALL, .out_port = OFPP_NONE, .out_group = OF_GROUP_ANY};

/* Checking */

static bool is_possible_id(uint32_t meter_id)
{
    return meter_id == OF_METER_SLOWPATH || meter_id == OF_METER_CONTROLLER ||
           (meter_id && meter_id <= OF_METER_MAX);
}

static enum of_error check_limits(const struct of_meter *meter)
{
    if (!(meter->flags & (OFMF_KBPS | OFMF_PKTPS)))
        return OFPMMFC_BAD_FLAGS;
    if (!meter->n_bands)
        return OFPMMFC_OUT_OF_BANDS;
    for (size_t i = 0; i < meter->n_bands; i++) {
        if (!meter->bands[i].rate)
            return OFPMMFC_BAD_RATE;
    }
    return OF_OK;
}

static enum of_error put_meter(struct meter_table *meters, struct of_meter_mod *mod, int64_t now_ns)
{
    struct meter *old = meter_table_lookup(meters, mod->meter.meter_id);
    enum of_error error;

    if (!is_possible_id(mod->meter.meter_id))
        return OFPMMFC_INVALID_METER;
    if (mod->meter.n_bands > DP_METER_BANDS)
        return OFPMMFC_OUT_OF_BANDS;
    if (mod->command == OFMC_ADD && old)
        return OFPMMFC_METER_EXISTS;
    if (mod->command == OFMC_MODIFY && !old)
        return OFPMMFC_UNKNOWN_METER;
    error = check_limits(&mod->meter);
    return error ? error : meter_table_put(meters, &mod->meter, old, now_ns);
}

/* Deleting */

static bool has_meter(struct ofa_list list, uint32_t meter_id)
{
    for_each_action (ofa, list) {
        const void *action = ofa;

        if (ofa->type == OFA_METER &&
            (meter_id == OF_METER_ALL || ((const struct ofa_meter *)action)->meter_id == meter_id))
            return true;
        if (ofa_is_nested(ofa) && has_meter(ofa_nested_list(action), meter_id))
            return true;
    }
    return false;
}

struct deletion {
    struct flow_tables *tables;
    uint32_t meter_id;
};

static bool delete_flow(struct rule *rule, void *arg)
{
    struct deletion *deletion = arg;

    if (has_meter(rule_current_actions(rule), deletion->meter_id))
        flow_tables_remove(deletion->tables, rule, FLOW_REMOVED_METER_DELETE);
    return true;
}

/* Flows go first: at no time does one name a meter that is not there. */
static void delete_meters(struct meter_table *meters, struct flow_tables *tables, uint32_t meter_id)
{
    struct deletion deletion = {.tables = tables, .meter_id = meter_id};
    struct meter *one = meter_table_lookup(meters, meter_id);
    struct meter **all = NULL;
    bool is_all = meter_id == OF_METER_ALL;
    size_t n = is_all ? meter_table_list(meters, &all) : one != NULL;

    if (n) {
        flow_tables_each(tables, &all_flows, delete_flow, &deletion);
        flow_tables_publish(tables);
    }
    for (size_t i = 0; i < n; i++)
        meter_table_remove(meters, is_all ? all[i] : one);
    free(all);
}

enum of_error meter_mod_apply(struct meter_table *meters, struct flow_tables *tables,
                              struct of_meter_mod *mod, int64_t now_ns)
{
    if (mod->command != OFMC_DELETE)
        return put_meter(meters, mod, now_ns);
    delete_meters(meters, tables, mod->meter.meter_id);
    return OF_OK;
}

/* Counting */

struct count {
    struct meter_table *meters;
    const struct rule *rule;
};

static void count_meters(const struct count *count, struct ofa_list list)
{
    for_each_action (ofa, list) {
        const void *action = ofa;

        if (ofa_is_nested(ofa))
            count_meters(count, ofa_nested_list(action));
        if (ofa->type != OFA_METER)
            continue;
        struct meter *meter = meter_table_lookup(count->meters,
                                                 ((const struct ofa_meter *)action)->meter_id);
        if (meter && meter->counted != count->rule) {
            meter->counted = count->rule;
            meter->n_flows++;
        }
    }
}

static bool count_flow(struct rule *rule, void *meters)
{
    const struct count count = {.meters = meters, .rule = rule};

    count_meters(&count, rule_current_actions(rule));
    return true;
}

void meter_mod_count_flows(struct meter_table *meters, struct flow_tables *tables)
{
    struct meter **all;
    size_t n = meter_table_list(meters, &all);

    for (size_t i = 0; i < n; i++) {
        all[i]->n_flows = 0;
        all[i]->counted = NULL;
    }
    if (n)
        flow_tables_each(tables, &all_flows, count_flow, meters);
    free(all);
}

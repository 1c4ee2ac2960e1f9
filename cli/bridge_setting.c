/* SPDX-License-Identifier: Apache-2.0 */

/* What is set on a bridge by name: fail mode, and the IDs by which others know it. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/nouns.h"
#include "cli/topology.h"
#include "lib/ovsdb/diff.h"

/* --- fail mode ----------------------------------------------------------------------------- */

static int prepare_fail_mode(struct context *context, struct invocation *invocation,
                             struct error *error)
{
    store_want(context->store, "Bridge", "fail_mode");
    return topology_prepare(context, invocation, error);
}

static int run_get_fail_mode(struct context *context, struct invocation *invocation,
                             struct error *error)
{
    struct bridge bridge;
    int result = topology_get_bridge(context->store, invocation->args[0], &bridge, error);

    if (result)
        return result;
    const char *mode = topology_get_string(context->store, bridge.row, "fail_mode");
    if (mode || options_is_json(&context->options))
        context_print_value_take(context, invocation, mode ? json_string(mode) : json_null());
    return 0;
}

static int check_fail_mode(const struct invocation *invocation, struct error *error)
{
    const char *mode = invocation->args[1];

    if (!strcmp(mode, "standalone") || !strcmp(mode, "secure"))
        return 0;
    return error_set(error, -EINVAL, "fail mode %s is neither standalone nor secure",
                     shown(mode).text);
}

static int run_set_fail_mode(struct context *context, struct invocation *invocation,
                             struct error *error)
{
    struct store_row *bridge;
    int result = topology_get_bridge_row(context->store, invocation->args[0], &bridge, error);

    if (!result)
        topology_set_string(context->store, bridge, "fail_mode", invocation->args[1]);
    return result;
}

static int run_del_fail_mode(struct context *context, struct invocation *invocation,
                             struct error *error)
{
    struct store_row *bridge;
    int result = topology_get_bridge_row(context->store, invocation->args[0], &bridge, error);

    if (!result)
        topology_set_string(context->store, bridge, "fail_mode", NULL);
    return result;
}

/* --- external IDs -------------------------------------------------------------------------- */

/* The keys of a fake bridge stand in the column of its port, behind this. */
#define FAKE_PREFIX "fake-bridge-"

static int prepare_external_ids(struct context *context, struct invocation *invocation,
                                struct error *error)
{
    store_want(context->store, "Bridge", "external_ids");
    store_want(context->store, "Port", "external_ids");
    return topology_prepare(context, invocation, error);
}

/* Where the keys of a bridge stand. */
struct ids {
    struct store_row *row;
    const struct column_schema *column;
    const char *prefix;
};

static int find_ids(struct context *context, const char *name, struct ids *ids, struct error *error)
{
    struct bridge bridge;
    int result = topology_get_bridge(context->store, name, &bridge, error);

    if (result)
        return result;
    ids->row = bridge.fake ? bridge.fake : bridge.row;
    ids->column = lookup_known_column(context->store, bridge.fake ? "Port" : "Bridge",
                                      "external_ids");
    ids->prefix = bridge.fake ? FAKE_PREFIX : "";
    return 0;
}

static struct datum *make_pair(const struct ids *ids, const char *key, const char *value)
{
    struct datum *pair = datum_create(ATOM_STRING, value ? ATOM_STRING : ATOM_VOID, 1);

    if (asprintf(&pair->keys[0].string, "%s%s", ids->prefix, key) < 0)
        abort();
    if (value)
        pair->values[0].string = strdup(value);
    return pair;
}

static int run_set_external_id(struct context *context, struct invocation *invocation,
                               struct error *error)
{
    const char *value = invocation->n_args > 2 ? invocation->args[2] : NULL;
    struct ids ids;
    int result = find_ids(context, invocation->args[0], &ids, error);

    if (result)
        return result;
    struct datum *pair = make_pair(&ids, invocation->args[1], value);
    const struct datum *old = store_get(ids.row, ids.column);
    store_set_take(ids.row, ids.column,
                   value ? datum_union(pair, old) : datum_difference(old, pair));
    datum_unref(pair);
    return 0;
}

static void print_ids(struct context *context, struct invocation *invocation, const struct ids *ids)
{
    const struct datum *datum = store_get(ids->row, ids->column);
    size_t length = strlen(ids->prefix);
    json_t *json = json_object();

    for (size_t i = 0; i < datum->n; i++) {
        const char *key = datum->keys[i].string;
        if (strncmp(key, ids->prefix, length))
            continue;
        json_object_set_new(json, key + length, json_string(datum->values[i].string));
        if (!options_is_json(&context->options))
            buffer_printf(&invocation->output, "%s=%s\n", key + length, datum->values[i].string);
    }
    if (options_is_json(&context->options))
        json_print_take(json_incref(json), &context->options.style, &invocation->output);
    json_decref(json);
}

static int run_get_external_id(struct context *context, struct invocation *invocation,
                               struct error *error)
{
    struct ids ids;
    int result = find_ids(context, invocation->args[0], &ids, error);

    if (result)
        return result;
    if (invocation->n_args < 2) {
        print_ids(context, invocation, &ids);
        return 0;
    }
    struct datum *key = make_pair(&ids, invocation->args[1], NULL);
    const char *value = datum_map_get(store_get(ids.row, ids.column), key->keys[0].string);
    if (value || options_is_json(&context->options))
        context_print_value_take(context, invocation, value ? json_string(value) : json_null());
    datum_unref(key);
    return 0;
}

static const struct command rows[] = {
    {.name = "set-fail-mode",
     .arguments = "BRIDGE standalone|secure",
     .summary = "Choose what a bridge does while no controller is connected",
     .group = GROUP_CONFIG,
     .min_args = 2,
     .max_args = 2,
     .check = check_fail_mode,
     .prepare = prepare_fail_mode,
     .run = run_set_fail_mode},
    {.name = "get-fail-mode",
     .arguments = "BRIDGE",
     .summary = "Print the fail mode of a bridge",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = 1,
     .prepare = prepare_fail_mode,
     .run = run_get_fail_mode},
    {.name = "del-fail-mode",
     .arguments = "BRIDGE",
     .summary = "Return to the default fail mode, standalone",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = 1,
     .prepare = prepare_fail_mode,
     .run = run_del_fail_mode},
    {.name = "br-set-external-id",
     .arguments = "BRIDGE KEY [VALUE]",
     .summary = "Set a key of a bridge's external_ids, or remove it",
     .group = GROUP_CONFIG,
     .min_args = 2,
     .max_args = 3,
     .prepare = prepare_external_ids,
     .run = run_set_external_id},
    {.name = "br-get-external-id",
     .arguments = "BRIDGE [KEY]",
     .summary = "Print a bridge's external_ids, or the value of one key",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = 2,
     .prepare = prepare_external_ids,
     .run = run_get_external_id},
};

const struct command_rows bridge_setting_commands = {rows, ARRAY_SIZE(rows)};

/* SPDX-License-Identifier: Apache-2.0 */

/* What is configured of a datapath: timeouts of connection tracking zones; and what it can do. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/nouns.h"
#include "cli/topology.h"
#include "lib/ovsdb/diff.h"

static int prepare_zone(struct context *context, struct invocation *invocation, struct error *error)
{
    (void)invocation, (void)error;
    store_want(context->store, "Open_vSwitch", "datapaths");
    store_want(context->store, "Datapath", "ct_zones");
    store_want(context->store, "Datapath", "capabilities");
    store_want(context->store, "CT_Zone", "timeout_policy");
    store_want(context->store, "CT_Timeout_Policy", "timeouts");
    return 0;
}

/* The row that a map with integers or strings as keys refers to, NULL if there is none. */
static struct store_row *find_referred(struct store *store, const struct column_schema *column,
                                       const struct datum *map, ptrdiff_t i)
{
    return i < 0 ? NULL
                 : store_find_uuid(store, lookup_known_table(store, column->type.value.ref_table),
                                   &map->values[i].uuid);
}

static int get_datapath(struct store *store, const char *name, struct store_row **row,
                        struct error *error)
{
    const struct column_schema *column = lookup_known_column(store, "Open_vSwitch", "datapaths");
    const struct datum *map = store_get(topology_root(store), column);

    *row = find_referred(store, column, map, datum_find_string(map, name));
    return *row ? 0
                : error_set(error, -ENOENT, "there is no datapath %s (weir list Datapath)",
                            shown(name).text);
}

/* "zone=NUMBER" */
static int parse_zone(const char *word, union atom *zone, struct error *error)
{
    char *end = NULL;

    if (!strncmp(word, "zone=", 5))
        zone->integer = strtoll(word + 5, &end, 10);
    if (!end || end == word + 5 || *end || zone->integer < 0 || zone->integer > UINT16_MAX)
        return error_set(error, -EINVAL, "%s: expected zone=NUMBER, from 0 to 65535",
                         shown(word).text);
    return 0;
}

/* DATAPATH zone=NUMBER: the datapath's row, and that of the zone or NULL. */
struct place {
    struct store_row *datapath, *zone;
    const struct column_schema *column; /* ct_zones */
    union atom key;
};

static int find_place(struct context *context, const struct invocation *invocation,
                      struct place *place, struct error *error)
{
    struct store *store = context->store;
    int result = get_datapath(store, invocation->args[0], &place->datapath, error);

    if (!result)
        result = parse_zone(invocation->args[1], &place->key, error);
    if (result)
        return result;
    place->column = lookup_known_column(store, "Datapath", "ct_zones");
    const struct datum *zones = store_get(place->datapath, place->column);
    place->zone = find_referred(store, place->column, zones, datum_find(zones, &place->key));
    return 0;
}

/* NAME=SECONDS... */
static int parse_timeouts(const struct column_schema *column, const struct invocation *invocation,
                          struct datum **timeouts, struct error *error)
{
    struct buffer words = BUFFER_INIT;

    for (size_t i = 2; i < invocation->n_args; i++)
        buffer_printf(&words, "%s%s", i > 2 ? " " : "", invocation->args[i]);
    int result = value_parse(&column->type, buffer_text(&words), NULL, timeouts, error);
    buffer_fini(&words);
    return result;
}

static int run_add(struct context *context, struct invocation *invocation, struct error *error)
{
    struct store *store = context->store;
    const struct column_schema *column = lookup_known_column(store, "CT_Timeout_Policy",
                                                             "timeouts");
    struct datum *timeouts;
    struct place place;
    int result = find_place(context, invocation, &place, error);

    if (!result && place.zone && !invocation_option(invocation, "--may-exist"))
        result = error_set(error, -EEXIST,
                           "%s of datapath %s has timeouts already (--may-exist replaces them)",
                           shown(invocation->args[1]).text, shown(invocation->args[0]).text);
    if (!result)
        result = parse_timeouts(column, invocation, &timeouts, error);
    if (result)
        return result;
    struct store_row *policy = store_insert(store, lookup_known_table(store, "CT_Timeout_Policy"));
    store_set_take(policy, column, timeouts);
    if (place.zone) {
        topology_clear(store, place.zone, "timeout_policy");
        topology_add_reference(store, place.zone, "timeout_policy", policy);
        return 0;
    }
    struct store_row *zone = store_insert(store, lookup_known_table(store, "CT_Zone"));
    topology_add_reference(store, zone, "timeout_policy", policy);

    struct datum *pair = datum_create(ATOM_INTEGER, ATOM_UUID, 1);
    pair->keys[0] = place.key;
    pair->values[0].uuid = *store_row_uuid(zone);
    store_set_take(place.datapath, place.column,
                   datum_union(pair, store_get(place.datapath, place.column)));
    datum_unref(pair);
    return 0;
}

static int run_del(struct context *context, struct invocation *invocation, struct error *error)
{
    struct place place;
    int result = find_place(context, invocation, &place, error);

    if (result)
        return result;
    if (!place.zone)
        return invocation_option(invocation, "--if-exists")
                   ? 0
                   : error_set(error, -ENOENT,
                               "%s of datapath %s has no timeouts (--if-exists accepts that)",
                               shown(invocation->args[1]).text, shown(invocation->args[0]).text);
    struct datum *key = datum_create(ATOM_INTEGER, ATOM_VOID, 1);
    key->keys[0] = place.key;
    store_set_take(place.datapath, place.column,
                   datum_difference(store_get(place.datapath, place.column), key));
    datum_unref(key);
    store_delete(place.zone);
    return 0;
}

static const struct datum *timeouts_of(struct store *store, const struct store_row *zone)
{
    size_t n;
    struct store_row **policies = topology_referred(store, zone, "timeout_policy", &n);
    const struct datum *timeouts =
        n ? store_get(policies[0], lookup_known_column(store, "CT_Timeout_Policy", "timeouts"))
          : NULL;

    free(policies);
    return timeouts;
}

static void print_zone(const struct datum *timeouts, int64_t number, struct buffer *out)
{
    buffer_printf(out, "Zone:%lld, Timeout Policies:", (long long)number);
    if (!timeouts)
        buffer_puts(out, " system default");
    for (size_t i = 0; timeouts && i < timeouts->n; i++)
        buffer_printf(out, " %s=%lld", timeouts->keys[i].string,
                      (long long)timeouts->values[i].integer);
    buffer_putc(out, '\n');
}

static int run_list(struct context *context, struct invocation *invocation, struct error *error)
{
    struct store *store = context->store;
    const struct column_schema *column = lookup_known_column(store, "Datapath", "ct_zones");
    const struct column_type *type =
        &lookup_known_column(store, "CT_Timeout_Policy", "timeouts")->type;
    struct store_row *datapath;
    int result = get_datapath(store, invocation->args[0], &datapath, error);

    if (result)
        return result;
    const struct datum *zones = store_get(datapath, column);
    json_t *json = json_object();
    for (size_t i = 0; i < zones->n; i++) {
        struct store_row *zone = find_referred(store, column, zones, (ptrdiff_t)i);
        const struct datum *timeouts = zone ? timeouts_of(store, zone) : NULL;
        char number[24];
        snprintf(number, sizeof number, "%lld", (long long)zones->keys[i].integer);
        json_object_set_new(json, number, timeouts ? value_to_json(type, timeouts) : json_null());
        if (!options_is_json(&context->options))
            print_zone(timeouts, zones->keys[i].integer, &invocation->output);
    }
    if (options_is_json(&context->options))
        json_print_take(json_incref(json), &context->options.style, &invocation->output);
    json_decref(json);
    return 0;
}

static int run_list_capabilities(struct context *context, struct invocation *invocation,
                                 struct error *error)
{
    struct store *store = context->store;
    const struct column_schema *column = lookup_known_column(store, "Datapath", "capabilities");
    struct store_row *datapath;
    int result = get_datapath(store, invocation->args[0], &datapath, error);

    if (result)
        return result;
    const struct datum *map = store_get(datapath, column);
    if (options_is_json(&context->options)) {
        json_print_take(value_to_json(&column->type, map), &context->options.style,
                        &invocation->output);
        return 0;
    }
    for (size_t i = 0; i < map->n; i++)
        buffer_printf(&invocation->output, "%s%s=%s", i ? " " : "", map->keys[i].string,
                      map->values[i].string);
    buffer_putc(&invocation->output, '\n');
    return 0;
}

static const struct command rows[] = {
    {.name = "add-zone-tp",
     .arguments = "DATAPATH zone=NUMBER NAME=SECONDS...",
     .options = "--may-exist",
     .summary = "Set the timeouts of a connection tracking zone",
     .group = GROUP_CONFIG,
     .min_args = 3,
     .max_args = -1,
     .prepare = prepare_zone,
     .run = run_add},
    {.name = "del-zone-tp",
     .arguments = "DATAPATH zone=NUMBER",
     .options = "--if-exists",
     .summary = "Return a zone to the default timeouts",
     .group = GROUP_CONFIG,
     .min_args = 2,
     .max_args = 2,
     .prepare = prepare_zone,
     .run = run_del},
    {.name = "list-zone-tp",
     .arguments = "DATAPATH",
     .summary = "Print the zones with timeouts of their own",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = 1,
     .prepare = prepare_zone,
     .run = run_list},
    {.name = "list-dp-cap",
     .arguments = "DATAPATH",
     .summary = "Print what a datapath can do",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = 1,
     .prepare = prepare_zone,
     .run = run_list_capabilities},
};

const struct command_rows zone_commands = {rows, ARRAY_SIZE(rows)};

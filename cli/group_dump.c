/* SPDX-License-Identifier: Apache-2.0 */

/* Groups as they are in the table. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/nouns.h"
#include "cli/ofconn.h"
#include "lib/openflow/group_text.h"
#include "lib/openflow/text.h"

static const char *const type_names[] = {"all", "select", "indirect", "ff"};

struct dump {
    struct ofconn *connection;
    struct buffer *out;
    const struct of_names *names; /* Of ports, to print; NULL: numbers. */
    uint32_t wanted;              /* OF_GROUP_ALL: every group. */
    json_t *json;                 /* NULL: text. */
};

static bool is_wanted(const struct dump *dump, uint32_t group_id)
{
    return dump->wanted == (uint32_t)OF_GROUP_ALL || dump->wanted == group_id;
}

static int complain(const struct of_items *items, struct error *error)
{
    return error_set(error, -EPROTO, "the switch sent a group that cannot be read (%s)",
                     of_error_name(items->error));
}

/* --- dump-groups --------------------------------------------------------------------------- */

static json_t *bucket_json(const struct dump *dump, const struct of_bucket *bucket)
{
    struct buffer actions = BUFFER_INIT, port = BUFFER_INIT;
    json_t *json = json_pack("{s:i}", "weight", (int)bucket->weight);

    of_actions_format(of_bucket_actions(bucket), dump->names, &actions);
    of_port_format(bucket->watch_port, dump->names, &port);
    if (bucket->bucket_id <= (uint32_t)OF_BUCKET_MAX)
        json_object_set_new(json, "bucket_id", json_integer(bucket->bucket_id));
    if (bucket->watch_port != OFPP_NONE)
        json_object_set_new(json, "watch_port", json_string(buffer_text(&port)));
    if (bucket->watch_group != (uint32_t)OF_GROUP_ANY)
        json_object_set_new(json, "watch_group", json_integer(bucket->watch_group));
    json_object_set_new(json, "actions", json_string(buffer_text(&actions)));
    buffer_fini(&actions);
    buffer_fini(&port);
    return json;
}

static json_t *group_json(const struct dump *dump, const struct of_group *group)
{
    json_t *buckets = json_array(), *fields = json_array();
    const char *type = group->type < N_OF_GROUP_TYPES ? type_names[group->type] : "?";

    for (size_t i = 0; i < group->n_buckets; i++)
        json_array_append_new(buckets, bucket_json(dump, &group->buckets[i]));
    for (size_t i = 0; i < group->n_fields; i++)
        json_array_append_new(
            fields, json_string(of_field((enum of_field_id)group->fields[i].field)->name));
    json_t *json = json_pack("{s:I, s:s, s:o}", "group_id", (json_int_t)group->group_id, "type",
                             type, "buckets", buckets);
    if (group->selection_method[0]) {
        json_object_set_new(
            json, "selection_method",
            json_stringn(group->selection_method,
                         strnlen(group->selection_method, sizeof group->selection_method)));
        json_object_set_new(json, "selection_method_param",
                            json_integer((json_int_t)group->selection_param));
        json_object_set(json, "fields", fields);
    }
    json_decref(fields);
    return json;
}

static int print_groups(const struct of_message *message, void *aux, struct error *error)
{
    struct dump *dump = aux;
    struct of_group group;
    struct of_items items;

    of_items_init(&items, message);
    for (; of_next_group(&items, &group); of_group_fini(&group)) {
        if (!is_wanted(dump, group.group_id))
            continue;
        if (dump->json) {
            json_array_append_new(dump->json, group_json(dump, &group));
            continue;
        }
        buffer_putc(dump->out, ' ');
        of_group_format(&group, dump->names, dump->out);
        buffer_putc(dump->out, '\n');
    }
    of_group_fini(&group);
    return items.error ? complain(&items, error) : 0;
}

/* --- dump-group-stats ---------------------------------------------------------------------- */

static json_t *count_json(uint64_t count)
{
    return count == UINT64_MAX ? json_null() : json_integer((json_int_t)count);
}

static json_t *stats_json(const struct of_group_stats *stats)
{
    json_t *buckets = json_array();

    for (size_t i = 0; i < stats->n_buckets; i++)
        json_array_append_new(buckets, json_pack("{s:o, s:o}", "n_packets",
                                                 count_json(stats->buckets[i].n_packets), "n_bytes",
                                                 count_json(stats->buckets[i].n_bytes)));
    json_t *json = json_pack("{s:I, s:I, s:o, s:o, s:o}", "group_id", (json_int_t)stats->group_id,
                             "ref_count", (json_int_t)stats->n_references, "n_packets",
                             count_json(stats->n_packets), "n_bytes", count_json(stats->n_bytes),
                             "buckets", buckets);
    if (stats->duration_s != UINT32_MAX)
        json_object_set_new(json, "duration",
                            json_real((double)stats->duration_s + stats->duration_ns / 1e9));
    return json;
}

static int print_stats(const struct of_message *message, void *aux, struct error *error)
{
    struct dump *dump = aux;
    struct buffer counts = BUFFER_INIT;
    struct of_group_stats stats;
    struct of_items items;

    of_items_init(&items, message);
    while (of_next_group_stats(&items, &counts, &stats)) {
        if (!is_wanted(dump, stats.group_id))
            continue;
        if (dump->json) {
            json_array_append_new(dump->json, stats_json(&stats));
            continue;
        }
        buffer_putc(dump->out, ' ');
        of_group_stats_format(&stats, dump->out);
        buffer_putc(dump->out, '\n');
    }
    buffer_fini(&counts);
    return items.error ? complain(&items, error) : 0;
}

/* --- dump-group-features ------------------------------------------------------------------- */

static void append_features(json_t *json, const struct of_group_features *features,
                            enum of_version version)
{
    for (size_t i = 0; i < N_OF_GROUP_TYPES; i++) {
        struct buffer actions = BUFFER_INIT;
        if (!(features->types & 1U << i))
            continue;
        of_action_types_format(features->actions[i], version, &actions);
        const char *text = buffer_text(&actions);
        json_array_append_new(json, json_pack("{s:s, s:I, s:s}", "type", type_names[i],
                                              "max_groups", (json_int_t)features->max_groups[i],
                                              "actions", text + strspn(text, " ")));
        buffer_fini(&actions);
    }
}

static int print_features(const struct of_message *message, void *aux, struct error *error)
{
    struct dump *dump = aux;
    struct of_group_features features;

    (void)error;
    of_decode_group_features(message, &features);
    if (dump->json)
        append_features(dump->json, &features, message->version);
    else
        of_group_features_format(&features, message->version, dump->out);
    return 0;
}

/* --- Commands ------------------------------------------------------------------------------ */

/* "1", "group_id=1", "all". */
static int parse_group_id(const char *text, uint32_t *group_id, struct error *error)
{
    static const char key[] = "group_id=";
    uint64_t number;

    if (!strncmp(text, key, strlen(key)))
        text += strlen(key);
    *group_id = (uint32_t)OF_GROUP_ALL;
    if (!strcasecmp(text, "all"))
        return 0;
    if (!text_parse_u64(text, &number) || number > (uint32_t)OF_GROUP_MAX)
        return error_set(error, -EINVAL, "%s is not the number of a group, nor \"all\"",
                         shown(text).text);
    *group_id = (uint32_t)number;
    return 0;
}

static void encode_request(const struct dump *dump, enum of_message_kind kind, uint32_t xid)
{
    enum of_version version = ofconn_version(dump->connection);
    struct buffer *out = ofconn_output(dump->connection);

    if (kind == OF_GROUP_FEATURES_REQUEST)
        of_finish_message(of_begin_message(kind, of_group_form(kind, version), version, xid, out),
                          out);
    else
        of_encode_group_request(dump->wanted, kind, version, xid, out);
}

static int print_reply(struct context *context, struct invocation *invocation,
                       enum of_message_kind request, enum of_message_kind reply,
                       ofconn_taker *print, struct error *error)
{
    struct dump dump = {.out = &invocation->output, .wanted = (uint32_t)OF_GROUP_ALL};

    if (invocation->n_args > 1 && parse_group_id(invocation->args[1], &dump.wanted, error))
        return error->code;
    dump.connection = ofconn_open(context, invocation->args[0], error);
    if (!dump.connection)
        return error->code;
    int result = ofconn_load_names(dump.connection, error);
    if (!result) {
        dump.json = options_is_json(&context->options) ? json_array() : NULL;
        dump.names = ofconn_print_names(dump.connection);
        uint32_t xid = ofconn_xid(dump.connection);
        encode_request(&dump, request, xid);
        result = ofconn_receive_all(dump.connection, xid, reply, print, &dump, error);
    }
    if (!result && dump.json)
        json_print_take(json_incref(dump.json), &context->options.style, &invocation->output);
    json_decref(dump.json);
    ofconn_close(dump.connection);
    return result;
}

static int run_dump_groups(struct context *context, struct invocation *invocation,
                           struct error *error)
{
    return print_reply(context, invocation, OF_GROUP_DESC_REQUEST, OF_GROUP_DESC_REPLY,
                       print_groups, error);
}

static int run_dump_group_stats(struct context *context, struct invocation *invocation,
                                struct error *error)
{
    return print_reply(context, invocation, OF_GROUP_STATS_REQUEST, OF_GROUP_STATS_REPLY,
                       print_stats, error);
}

static int run_dump_group_features(struct context *context, struct invocation *invocation,
                                   struct error *error)
{
    return print_reply(context, invocation, OF_GROUP_FEATURES_REQUEST, OF_GROUP_FEATURES_REPLY,
                       print_features, error);
}

static const struct command rows[] = {
    {.name = "dump-groups",
     .arguments = "BRIDGE [GROUP]",
     .summary = "Print a group, without GROUP all of them",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 2,
     .run = run_dump_groups},
    {.name = "dump-group-stats",
     .arguments = "BRIDGE [GROUP]",
     .summary = "Print the counters of a group and its buckets, without GROUP of all",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 2,
     .run = run_dump_group_stats},
    {.name = "dump-group-features",
     .arguments = "BRIDGE",
     .summary = "Print which groups a bridge can have, and how many",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 1,
     .run = run_dump_group_features},
};

const struct command_rows group_dump_commands = {rows, ARRAY_SIZE(rows)};

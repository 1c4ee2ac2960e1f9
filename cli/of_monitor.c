/* SPDX-License-Identifier: Apache-2.0 */

/* What a switch tells, as it happens: as a controller hears it, or as somebody who listens to both. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "cli/nouns.h"
#include "cli/of_dialect.h"
#include "cli/of_print.h"
#include "cli/ofconn.h"
#include "lib/clock.h"
#include "lib/openflow/flow_monitor.h"
#include "lib/openflow/match_text.h"
#include "lib/openflow/packet.h"
#include "lib/openflow/text.h"
#include "lib/openflow/vendor.h"
#include "lib/rundir.h"

struct monitor {
    struct context *context;
    struct ofconn *connection;
    const struct of_names *names; /* To print with; NULL: numbers. */
    bool does_resume;
    bool has_timestamps;
    bool wants_invalid_ttl;
    bool has_miss_bytes;
    uint16_t miss_bytes;
};

/* --- watch:... ----------------------------------------------------------------------------- */

static bool take_flag(const char *word, uint16_t *flags)
{
    static const struct {
        const char *word;
        uint16_t flag;
    } names[] = {
        {"!initial", OFMON_INITIAL}, {"!add", OFMON_ADD},         {"!delete", OFMON_REMOVED},
        {"!modify", OFMON_MODIFY},   {"!actions", OFMON_ACTIONS}, {"!own", OFMON_OWN},
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcmp(word, names[i].word))
            continue;
        *flags &= (uint16_t)~names[i].flag;
        return true;
    }
    return false;
}

static int take_word(struct match_text *fields, const struct text_item *item,
                     struct of_monitor_request *request, struct error *error)
{
    if (!item->key)
        return error_set(error, -EINVAL, "watch: brackets do not match");
    if (!item->value && take_flag(item->key, &request->flags))
        return 0;
    if (item->value && !strcmp(item->key, "table"))
        return of_table_parse(item->value, fields->names, UINT8_MAX, &request->table_id, error);
    if (item->value && !strcmp(item->key, "out_port"))
        return of_port_parse(item->value, fields->names, &request->out_port, error);
    if (item->value && !strcmp(item->key, "out_group")) {
        uint64_t group_id;
        if (!text_parse_u64(item->value, &group_id) || group_id > UINT32_MAX)
            return error_set(error, -EINVAL, "watch: out_group=%s is not a number of a group",
                             shown(item->value).text);
        request->out_group = (uint32_t)group_id;
        return 0;
    }
    int result = match_text_add(fields, item->key, item->value, error);
    if (result == -ENOENT && !error->code)
        error_set(error, result,
                  "watch: %s is no field, nor one of !initial, !add, !delete, !modify, !actions, "
                  "!own, table=N, out_port=PORT, out_group=N",
                  shown(item->key).text);
    return result;
}

static int parse_watch(const char *text, const struct of_names *names,
                       struct of_monitor_request *request, struct error *error)
{
    char *copy = strdup(text), *cursor = copy;
    struct match_text fields;
    struct text_item item;
    int result = 0;

    if (!copy)
        abort();
    *request = (struct of_monitor_request){
        .flags = OFMON_INITIAL | OFMON_ADD | OFMON_REMOVED | OFMON_MODIFY | OFMON_ACTIONS |
                 OFMON_OWN,
        .table_id = OF_TABLE_ALL,
        .out_port = OFPP_NONE,
        .out_group = (uint32_t)OF_GROUP_ANY,
    };
    match_text_init(&fields, &request->match, names);
    while (!result && text_next_item(&cursor, &item))
        result = take_word(&fields, &item, request, error);
    if (!result)
        result = match_text_finish(&fields, error);
    free(copy);
    return result;
}

/* --- Asking for it ------------------------------------------------------------------------- */

static int add_watch(struct monitor *monitor, const char *text, uint32_t monitor_id,
                     struct error *error)
{
    enum of_version version = ofconn_version(monitor->connection);
    struct of_monitor_request request;

    if (parse_watch(text, ofconn_names(monitor->connection), &request, error))
        return error->code;
    request.monitor_id = monitor_id;
    of_encode_monitor_request(&request, version, ofconn_xid(monitor->connection),
                              ofconn_output(monitor->connection));
    return 0;
}

static int take_argument(struct monitor *monitor, const char *word, struct error *error)
{
    uint64_t number;

    if (!strcmp(word, "resume")) {
        monitor->does_resume = true;
    } else if (!strcmp(word, "invalid_ttl") || !strcmp(word, "invalid-ttl")) {
        monitor->wants_invalid_ttl = true;
    } else if (text_parse_u64(word, &number) && number <= UINT16_MAX) {
        monitor->has_miss_bytes = true;
        monitor->miss_bytes = (uint16_t)number;
    } else if (strncmp(word, "watch:", 6)) {
        return error_set(error, -EINVAL,
                         "monitor: %s is not one of a number of bytes up to 65535, invalid_ttl, "
                         "watch:..., resume",
                         shown(word).text);
    }
    return 0;
}

static int set_config(struct monitor *monitor, struct error *error)
{
    struct ofconn *connection = monitor->connection;
    uint32_t xid = ofconn_xid(connection);
    struct of_switch_config config;
    struct of_message message;

    if (!monitor->has_miss_bytes && !monitor->wants_invalid_ttl)
        return 0;
    of_encode_empty(OF_GET_CONFIG_REQUEST, ofconn_version(connection), xid,
                    ofconn_output(connection));
    int result = ofconn_receive(connection, xid, OF_GET_CONFIG_REPLY, &message, error);
    if (result)
        return result;
    if (of_decode_switch_config(&message, &config))
        return error_set(error, -EPROTO, "the switch sent an answer that cannot be read");
    if (monitor->has_miss_bytes)
        config.miss_send_bytes = monitor->miss_bytes;
    config.wants_invalid_ttl |= monitor->wants_invalid_ttl;
    of_encode_switch_config(&config, OF_SET_CONFIG, ofconn_version(connection),
                            ofconn_xid(connection), ofconn_output(connection));
    return 0;
}

static void refuse_quietly(uint32_t xid, const struct of_error_info *info, void *is_refused)
{
    (void)xid, (void)info;
    *(bool *)is_refused = true;
}

/* Without -P the one that says most of those the switch has. */
static int set_format(struct monitor *monitor, struct error *error)
{
    struct ofconn *connection = monitor->connection;
    const char *word = monitor->context->options.packet_in_format;
    enum of_packet_in_format format = OF_PACKET_IN_NXT2;
    bool is_refused;

    if (word && of_packet_in_format_parse(word, &format, error))
        return error->code;
    ofconn_on_refusal(connection, refuse_quietly, &is_refused);
    for (;; format--) {
        is_refused = false;
        of_encode_set_packet_in_format(format, ofconn_version(connection), ofconn_xid(connection),
                                       ofconn_output(connection));
        if (ofconn_barrier(connection, error))
            return error->code;
        if (!is_refused || (!word && format == OF_PACKET_IN_STANDARD))
            return 0;
        if (word)
            return error_set(error, -EPROTONOSUPPORT,
                             "-P %s: the switch does not have this format of packet-ins",
                             shown(word).text);
    }
}

static int begin(struct monitor *monitor, const struct invocation *invocation, struct error *error)
{
    uint32_t monitor_id = 0;
    int result = 0;

    for (size_t i = 1; !result && i < invocation->n_args; i++)
        result = take_argument(monitor, invocation->args[i], error);
    if (!result)
        result = ofconn_load_names(monitor->connection, error);
    if (!result)
        monitor->names = ofconn_print_names(monitor->connection);
    if (!result)
        result = set_config(monitor, error);
    if (!result)
        result = set_format(monitor, error);
    for (size_t i = 1; !result && i < invocation->n_args; i++)
        if (!strncmp(invocation->args[i], "watch:", 6))
            result = add_watch(monitor, invocation->args[i] + 6, monitor_id++, error);
    return result;
}

/* --- Hearing it ---------------------------------------------------------------------------- */

static int print_now(const struct monitor *monitor, const void *data, size_t n_bytes,
                     struct error *error)
{
    struct of_print_place place = {.time = NULL};
    char seconds[24], now[32];
    struct timespec clock;
    struct tm tm;

    if (monitor->has_timestamps) {
        clock_gettime(CLOCK_REALTIME, &clock);
        strftime(seconds, sizeof seconds, "%Y-%m-%d %H:%M:%S", gmtime_r(&clock.tv_sec, &tm));
        snprintf(now, sizeof now, "%s.%03d", seconds, (int)(clock.tv_nsec / MILLISECOND_NS));
        place.time = now;
    }
    return of_print_now(monitor->context, &place, data, n_bytes, monitor->names, error);
}

/* A frame that waits goes on as it came. */
static int resume(struct monitor *monitor, const struct of_message *message, struct error *error)
{
    struct buffer *out = ofconn_output(monitor->connection);
    struct of_packet_in packet;
    size_t start = out->size;

    if (of_decode_packet_in(message, &packet) || !packet.continuation_bytes)
        return 0;
    of_encode_resume(&packet, message->version, 0, out);
    if (!options_is_json(&monitor->context->options))
        fputs("send: ", monitor->context->out);
    return print_now(monitor, out->data + start, out->size - start, error);
}

/* Signs of life are answered, and not worth a line. */
static int hear(struct monitor *monitor, const uint8_t *data, size_t n_bytes, struct error *error)
{
    struct of_message message;
    bool is_readable = !of_decode_message(data, n_bytes, &message);

    if (is_readable && message.kind == OF_ECHO_REQUEST) {
        of_encode_echo_reply(&message, ofconn_output(monitor->connection));
        return ofconn_send(monitor->connection, error);
    }
    int result = print_now(monitor, data, n_bytes, error);
    if (!result && is_readable && message.kind == OF_PACKET_IN && monitor->does_resume)
        result = resume(monitor, &message, error);
    return result ? result : ofconn_send(monitor->connection, error);
}

/* Until --timeout, a signal, or the end of the connection. */
static int follow(struct monitor *monitor, bool is_listening, struct error *error)
{
    const uint8_t *data;
    size_t n_bytes;
    int result = 0;

    while (!result) {
        result = ofconn_receive_bytes(monitor->connection, &data, &n_bytes, error);
        if (result == -ETIMEDOUT)
            return 0;
        if (!result)
            result = is_listening ? print_now(monitor, data, n_bytes, error)
                                  : hear(monitor, data, n_bytes, error);
    }
    return result;
}

/* From 1.3 on controllers choose the reasons why they are told of frames, and no setting does. */
static uint32_t versions_for(const struct invocation *invocation)
{
    for (size_t i = 1; i < invocation->n_args; i++)
        if (!strcmp(invocation->args[i], "invalid_ttl") ||
            !strcmp(invocation->args[i], "invalid-ttl"))
            return OF_VERSIONS_KNOWN & ~OF_VERSIONS_FROM(OF_1_3);
    return OF_VERSIONS_KNOWN;
}

static int check_monitor(const struct invocation *invocation, struct error *error)
{
    struct monitor monitor = {.context = NULL};
    int result = 0;

    for (size_t i = 1; !result && i < invocation->n_args; i++)
        result = take_argument(&monitor, invocation->args[i], error);
    return result;
}

static int run_monitor(struct context *context, struct invocation *invocation, struct error *error)
{
    struct monitor monitor = {
        .context = context,
        .has_timestamps = invocation_option(invocation, "--timestamp"),
    };

    monitor.connection = ofconn_open_in(context, invocation->args[0], versions_for(invocation),
                                        error);
    if (!monitor.connection)
        return error->code;
    int result = begin(&monitor, invocation, error);
    if (!result)
        result = follow(&monitor, false, error);
    ofconn_close(monitor.connection);
    return result;
}

/* --- Listening ----------------------------------------------------------------------------- */

/* A bridge sends those away who would listen while it has no controller. */
static void explain_silence(const char *bridge, struct error *error)
{
    int code = error->code;

    if (code == -ENOENT || code == -ECONNREFUSED) {
        *error = (struct error)ERROR_INIT;
        error_set(error, -ENOENT,
                  "there is no bridge %s here to listen to (weir list-br lists them)",
                  shown(bridge).text);
    } else if (code == -ECONNRESET || code == -EPIPE) {
        *error = (struct error)ERROR_INIT;
        error_set(error, code, "bridge %s has no controller connected to listen to",
                  shown(bridge).text);
    }
}

static struct ofconn *open_snoop(struct context *context, const char *bridge, struct error *error)
{
    const struct of_dialect dialect = {
        .versions = OF_VERSIONS_KNOWN, .uses_nxm = true, .has_table_id = true};
    struct buffer target = BUFFER_INIT;

    if (strpbrk(bridge, ":/"))
        return ofconn_open_as(context, bridge, &dialect, error);
    char *path = rundir_snoop_socket(bridge);
    if (!path) {
        error_set(error, -EINVAL, "%s cannot be the name of a bridge", shown(bridge).text);
        return NULL;
    }
    buffer_printf(&target, "unix:%s", path);
    struct ofconn *connection = ofconn_open_as(context, buffer_text(&target), &dialect, error);
    if (!connection)
        explain_silence(bridge, error);
    buffer_fini(&target);
    free(path);
    return connection;
}

static int run_snoop(struct context *context, struct invocation *invocation, struct error *error)
{
    struct monitor monitor = {
        .context = context,
        .connection = open_snoop(context, invocation->args[0], error),
        .has_timestamps = invocation_option(invocation, "--timestamp"),
    };

    if (!monitor.connection)
        return error->code;
    int result = follow(&monitor, true, error);
    ofconn_close(monitor.connection);
    return result;
}

static const struct command rows[] = {
    {.name = "monitor",
     .arguments = "BRIDGE [BYTES] [invalid_ttl] [watch:[FLOW]]... [resume]",
     .options = "--timestamp",
     .summary = "Print what a bridge tells its controllers, as it happens",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = -1,
     .check = check_monitor,
     .run = run_monitor},
    {.name = "snoop",
     .arguments = "BRIDGE",
     .options = "--timestamp",
     .summary = "Print what a bridge and its controller say to each other",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 1,
     .run = run_snoop},
};

const struct command_rows of_monitor_commands = {rows, ARRAY_SIZE(rows)};

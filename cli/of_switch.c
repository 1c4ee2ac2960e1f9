/* SPDX-License-Identifier: Apache-2.0 */

/* A switch as a whole: what it says it is, its treatment of fragments, and whether it answers. */

#include "cli/of_switch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/nouns.h"
#include "cli/of_port.h"
#include "cli/ofconn.h"
#include "lib/clock.h"
#include "lib/openflow/message_text.h"
#include "lib/openflow/text.h"

/* --- show BRIDGE --------------------------------------------------------------------------- */

static const enum of_frag_mode frag_modes[] = {OF_FRAG_NORMAL, OF_FRAG_DROP, OF_FRAG_REASSEMBLE,
                                               OF_FRAG_NX_MATCH};

static int request_config(struct ofconn *connection, struct of_switch_config *config,
                          struct error *error)
{
    uint32_t xid = ofconn_xid(connection);
    struct of_message message;

    of_encode_empty(OF_GET_CONFIG_REQUEST, ofconn_version(connection), xid,
                    ofconn_output(connection));
    int result = ofconn_receive(connection, xid, OF_GET_CONFIG_REPLY, &message, error);
    if (!result && of_decode_switch_config(&message, config))
        result = error_set(error, -EPROTO, "the switch sent an answer that cannot be read");
    return result;
}

static int request_features(struct ofconn *connection, struct of_features *features,
                            struct error *error)
{
    uint32_t xid = ofconn_xid(connection);
    struct of_message message;

    of_encode_empty(OF_FEATURES_REQUEST, ofconn_version(connection), xid,
                    ofconn_output(connection));
    int result = ofconn_receive(connection, xid, OF_FEATURES_REPLY, &message, error);
    if (!result && of_decode_features_reply(&message, features))
        result = error_set(error, -EPROTO, "the switch sent an answer that cannot be read");
    return result;
}

static json_t *features_json(const struct of_features *features,
                             const struct of_switch_config *config)
{
    struct buffer text = BUFFER_INIT;
    char datapath_id[17];

    snprintf(datapath_id, sizeof datapath_id, "%016" PRIx64, features->datapath_id);
    of_capabilities_format(features->capabilities, &text);
    json_t *json = json_pack("{s:s, s:i, s:s, s:s, s:i}", "dpid", datapath_id, "n_tables",
                             (int)features->n_tables, "capabilities", buffer_text(&text), "frags",
                             of_frag_mode_name(config->frag_mode), "miss_send_len",
                             (int)config->miss_send_bytes);
    buffer_fini(&text);
    return json;
}

static int show(struct ofconn *connection, struct context *context, struct invocation *invocation,
                struct error *error)
{
    struct of_features features;
    struct of_switch_config config;
    struct buffer ports = BUFFER_INIT;
    json_t *ports_json = options_is_json(&context->options) ? json_array() : NULL;
    int result = request_features(connection, &features, error);

    if (!result)
        result = of_ports_describe(connection, OFPP_NONE, &ports, ports_json, error);
    if (!result)
        result = request_config(connection, &config, error);
    if (!result && ports_json) {
        json_t *json = features_json(&features, &config);
        json_object_set(json, "ports", ports_json);
        json_print_take(json, &context->options.style, &invocation->output);
    } else if (!result) {
        of_features_format(&features, ofconn_version(connection), &invocation->output);
        buffer_puts(&invocation->output, buffer_text(&ports));
        buffer_printf(&invocation->output, "frags=%s miss_send_len=%u\n",
                      of_frag_mode_name(config.frag_mode), config.miss_send_bytes);
    }
    json_decref(ports_json);
    buffer_fini(&ports);
    return result;
}

static int run_show(struct context *context, struct invocation *invocation, struct error *error)
{
    struct ofconn *connection = ofconn_open(context, invocation->args[0], error);

    if (!connection)
        return error->code;
    int result = show(connection, context, invocation, error);
    ofconn_close(connection);
    return result;
}

const struct command of_show_command = {
    .name = "show",
    .arguments = "[BRIDGE]",
    .summary = "Print what a bridge says in OpenFlow: its identity, its tables, its ports",
    .group = GROUP_FLOW,
    .min_args = 1,
    .max_args = 1,
    .run = run_show,
};

/* --- Fragments ----------------------------------------------------------------------------- */

static int run_get_frags(struct context *context, struct invocation *invocation,
                         struct error *error)
{
    struct ofconn *connection = ofconn_open(context, invocation->args[0], error);
    struct of_switch_config config;

    if (!connection)
        return error->code;
    int result = request_config(connection, &config, error);
    if (!result)
        context_print_value_take(context, invocation,
                                 json_string(of_frag_mode_name(config.frag_mode)));
    ofconn_close(connection);
    return result;
}

/* A switch that cannot do it keeps what it has, without a word. */
static int set_frags(struct ofconn *connection, enum of_frag_mode mode, struct error *error)
{
    struct of_switch_config config;
    int result = request_config(connection, &config, error);

    if (result || config.frag_mode == mode)
        return result;
    config.frag_mode = mode;
    of_encode_switch_config(&config, OF_SET_CONFIG, ofconn_version(connection),
                            ofconn_xid(connection), ofconn_output(connection));
    result = ofconn_barrier(connection, error);
    if (!result)
        result = request_config(connection, &config, error);
    if (!result && config.frag_mode != mode)
        result = error_set(error, -ENOTSUP, "the switch does not do %s with fragments; it is %s",
                           of_frag_mode_name(mode), of_frag_mode_name(config.frag_mode));
    return result;
}

static size_t find_frag_mode(const struct invocation *invocation)
{
    size_t i = 0;

    while (i < ARRAY_SIZE(frag_modes) &&
           strcmp(invocation->args[1], of_frag_mode_name(frag_modes[i])))
        i++;
    return i;
}

static int check_set_frags(const struct invocation *invocation, struct error *error)
{
    if (find_frag_mode(invocation) < ARRAY_SIZE(frag_modes))
        return 0;
    return error_set(error, -EINVAL,
                     "set-frags: %s is not one of normal, drop, reassemble, nx-match",
                     shown(invocation->args[1]).text);
}

static int run_set_frags(struct context *context, struct invocation *invocation,
                         struct error *error)
{
    struct ofconn *connection = ofconn_open(context, invocation->args[0], error);
    if (!connection)
        return error->code;
    int result = set_frags(connection, frag_modes[find_frag_mode(invocation)], error);
    ofconn_close(connection);
    return result;
}

/* --- Does it answer? ----------------------------------------------------------------------- */

enum { MAX_PAYLOAD = UINT16_MAX - 8 };

/* One echo request and its reply, with so many bytes. */
static int echo(struct ofconn *connection, size_t n_bytes, struct error *error)
{
    uint32_t xid = ofconn_xid(connection);
    struct of_message message;
    uint8_t *payload = malloc(n_bytes + 1);

    if (!payload)
        abort();
    for (size_t i = 0; i < n_bytes; i++)
        payload[i] = (uint8_t)(i ^ xid);
    of_encode_echo_request(ofconn_version(connection), xid, payload, n_bytes,
                           ofconn_output(connection));
    int result = ofconn_receive(connection, xid, OF_ECHO_REPLY, &message, error);
    if (!result && (message.body_bytes != n_bytes || memcmp(message.body, payload, n_bytes) != 0))
        result = error_set(error, -EPROTO, "the answer is not an echo");
    free(payload);
    return result;
}

static int parse_number(const struct invocation *invocation, size_t i, uint64_t fallback,
                        uint64_t max, uint64_t *number, struct error *error)
{
    *number = fallback;
    if (i >= invocation->n_args)
        return 0;
    if (!text_parse_u64(invocation->args[i], number) || *number > max)
        return error_set(error, -EINVAL, "%s: %s is not a number up to %" PRIu64,
                         invocation->command->name, shown(invocation->args[i]).text, max);
    return 0;
}

static int check_echo(const struct invocation *invocation, struct error *error)
{
    uint64_t number;

    return parse_number(invocation, 1, 0, MAX_PAYLOAD, &number, error) ||
                   parse_number(invocation, 2, 0, UINT32_MAX, &number, error)
               ? error->code
               : 0;
}

static int run_probe(struct context *context, struct invocation *invocation, struct error *error)
{
    struct ofconn *connection = ofconn_open(context, invocation->args[0], error);

    if (!connection)
        return error->code;
    int result = echo(connection, 0, error);
    ofconn_close(connection);
    return result;
}

static int run_ping(struct context *context, struct invocation *invocation, struct error *error)
{
    enum { N_PINGS = 10 };
    uint64_t n_bytes;

    if (parse_number(invocation, 1, 64, MAX_PAYLOAD, &n_bytes, error))
        return error->code;
    struct ofconn *connection = ofconn_open(context, invocation->args[0], error);
    int result = connection ? 0 : error->code;
    for (int i = 0; !result && i < N_PINGS; i++) {
        int64_t start_ns = clock_now_ns();
        result = echo(connection, n_bytes, error);
        double ms = (double)(clock_now_ns() - start_ns) / 1e6;
        if (!result && !options_is_json(&context->options))
            buffer_printf(&invocation->output, "%" PRIu64 " bytes from %s: xid=%08x time=%.1f ms\n",
                          n_bytes, shown(invocation->args[0]).text, (unsigned)i + 1, ms);
        else if (!result)
            json_print_take(json_pack("{s:I, s:f}", "bytes", (json_int_t)n_bytes, "ms", ms),
                            &context->options.style, &invocation->output);
    }
    ofconn_close(connection);
    return result;
}

static void print_benchmark(struct context *context, struct invocation *invocation,
                            uint64_t n_bytes, uint64_t count, double seconds)
{
    uint64_t all_bytes = (n_bytes + sizeof(struct of_header)) * count;

    if (options_is_json(&context->options)) {
        json_print_take(json_pack("{s:I, s:I, s:f}", "messages", (json_int_t)count, "bytes",
                                  (json_int_t)all_bytes, "seconds", seconds),
                        &context->options.style, &invocation->output);
        return;
    }
    buffer_printf(&invocation->output,
                  "Sending %" PRIu64 " packets * %zu bytes (with header) = %" PRIu64
                  " bytes total\n",
                  count, (size_t)n_bytes + sizeof(struct of_header), all_bytes);
    buffer_printf(&invocation->output, "Finished in %.1f ms (%.0f packets/s) (%.0f bytes/s)\n",
                  seconds * 1e3, (double)count / seconds, (double)all_bytes / seconds);
}

static int run_benchmark(struct context *context, struct invocation *invocation,
                         struct error *error)
{
    uint64_t n_bytes, count;

    if (parse_number(invocation, 1, 0, MAX_PAYLOAD, &n_bytes, error) ||
        parse_number(invocation, 2, 0, UINT32_MAX, &count, error))
        return error->code;
    struct ofconn *connection = ofconn_open(context, invocation->args[0], error);
    int result = connection ? 0 : error->code;
    int64_t start_ns = clock_now_ns();
    for (uint64_t i = 0; !result && i < count; i++)
        result = echo(connection, n_bytes, error);
    if (!result)
        print_benchmark(context, invocation, n_bytes, count,
                        (double)(clock_now_ns() - start_ns + 1) / 1e9);
    ofconn_close(connection);
    return result;
}

static const struct command rows[] = {
    {.name = "get-frags",
     .arguments = "BRIDGE",
     .summary = "Print how the flow tables of a bridge see IP fragments",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 1,
     .run = run_get_frags},
    {.name = "set-frags",
     .arguments = "BRIDGE normal|drop|reassemble|nx-match",
     .summary = "Set how the flow tables of a bridge see IP fragments",
     .group = GROUP_FLOW,
     .min_args = 2,
     .max_args = 2,
     .check = check_set_frags,
     .run = run_set_frags},
    {.name = "probe",
     .arguments = "BRIDGE",
     .summary = "Ask whether a bridge, or a controller, answers in OpenFlow",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 1,
     .run = run_probe},
    {.name = "ping",
     .arguments = "BRIDGE [BYTES]",
     .summary = "Measure how long a bridge, or a controller, takes to answer in OpenFlow",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 2,
     .check = check_echo,
     .run = run_ping},
    {.name = "benchmark",
     .arguments = "BRIDGE BYTES COUNT",
     .summary = "Measure how many messages with so many bytes a bridge answers in a second",
     .group = GROUP_FLOW,
     .min_args = 3,
     .max_args = 3,
     .check = check_echo,
     .run = run_benchmark},
};

const struct command_rows of_switch_commands = {rows, ARRAY_SIZE(rows)};

/* SPDX-License-Identifier: Apache-2.0 */

/* Queues of ports as OpenFlow sees them; qos.c configures them. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/nouns.h"
#include "cli/ofconn.h"
#include "lib/openflow/message_text.h"
#include "lib/openflow/text.h"

struct dump {
    const struct of_names *names; /* NULL: numbers. */
    struct buffer *out;
    json_t *json; /* NULL: text. */
};

static json_t *port_json(const struct dump *dump, of_port port)
{
    struct buffer text = BUFFER_INIT;

    of_port_format(port, dump->names, &text);
    json_t *json = json_string(buffer_text(&text));
    buffer_fini(&text);
    return json;
}

static json_t *count_json(uint64_t count)
{
    return count == UINT64_MAX ? json_null() : json_integer((json_int_t)count);
}

static int take_stats(const struct of_message *message, void *aux, struct error *error)
{
    struct dump *dump = aux;
    struct of_queue_stats stats;
    struct of_items items;

    (void)error;
    of_items_init(&items, message);
    while (of_next_queue_stats(&items, &stats)) {
        if (dump->json)
            json_array_append_new(dump->json, json_pack("{s:o, s:I, s:o, s:o, s:o}", "port",
                                                        port_json(dump, stats.port), "queue",
                                                        (json_int_t)stats.queue_id, "tx_bytes",
                                                        count_json(stats.tx_bytes), "tx_packets",
                                                        count_json(stats.tx_packets), "tx_errors",
                                                        count_json(stats.tx_errors)));
        else
            of_queue_stats_format(&stats, dump->names, dump->out);
    }
    return 0;
}

static void print_rate(struct buffer *out, const char *name, uint16_t rate)
{
    if (rate <= 1000)
        buffer_printf(out, " %s:%u.%u%%", name, rate / 10, rate % 10);
}

static int take_configs(const struct of_message *message, void *aux, struct error *error)
{
    struct dump *dump = aux;
    struct of_queue_config config;
    struct of_items items;

    (void)error;
    of_items_init_queue_config(&items, message);
    while (of_next_queue_config(&items, &config)) {
        if (dump->json) {
            json_array_append_new(
                dump->json, json_pack("{s:o, s:I, s:i, s:i}", "port", port_json(dump, config.port),
                                      "queue", (json_int_t)config.queue_id, "min_rate",
                                      (int)config.min_rate, "max_rate", (int)config.max_rate));
            continue;
        }
        buffer_puts(dump->out, "  port ");
        of_port_format(config.port, dump->names, dump->out);
        buffer_printf(dump->out, " queue %u:", config.queue_id);
        print_rate(dump->out, "min_rate", config.min_rate);
        print_rate(dump->out, "max_rate", config.max_rate);
        buffer_putc(dump->out, '\n');
    }
    return 0;
}

static bool is_all(const char *word)
{
    return !strcasecmp(word, "all") || !strcasecmp(word, "any");
}

static int parse_queue(const struct invocation *invocation, uint32_t *queue, struct error *error)
{
    const char *word = invocation->n_args > 2 ? invocation->args[2] : "all";
    uint64_t number;

    *queue = (uint32_t)OF_QUEUE_ALL;
    if (is_all(word))
        return 0;
    if (!text_parse_u64(word, &number) || number > UINT32_MAX)
        return error_set(error, -EINVAL, "%s is not the number of a queue", shown(word).text);
    *queue = (uint32_t)number;
    return 0;
}

static int check_queue(const struct invocation *invocation, struct error *error)
{
    uint32_t queue;

    return parse_queue(invocation, &queue, error);
}

static int parse_request(const struct invocation *invocation, const struct of_names *names,
                         struct of_queue_request *request, struct error *error)
{
    const char *port = invocation->n_args > 1 ? invocation->args[1] : "all";

    *request = (struct of_queue_request){.port = OFPP_NONE};
    if (!is_all(port) && of_port_parse(port, names, &request->port, error))
        return error->code;
    return parse_queue(invocation, &request->queue_id, error);
}

static int ask(struct ofconn *connection, const struct of_queue_request *request,
               enum of_message_kind kind, struct dump *dump, struct error *error)
{
    bool is_stats = kind == OF_QUEUE_STATS_REQUEST;
    uint32_t xid = ofconn_xid(connection);

    of_encode_queue_request(request, kind, ofconn_version(connection), xid,
                            ofconn_output(connection));
    return ofconn_receive_all(connection, xid,
                              is_stats ? OF_QUEUE_STATS_REPLY : OF_QUEUE_CONFIG_REPLY,
                              is_stats ? take_stats : take_configs, dump, error);
}

/* OpenFlow 1.0 cannot ask for the queues of all ports. */
static int ask_each_port(struct ofconn *connection, struct dump *dump, struct error *error)
{
    struct of_queue_request request = {.queue_id = (uint32_t)OF_QUEUE_ALL};
    const struct of_names *names = ofconn_names(connection);
    int result = 0;

    for (of_port port = 1; !result && port < OFPP_MAX; port++) {
        request.port = port;
        if (names->port_name(names->aux, port))
            result = ask(connection, &request, OF_QUEUE_CONFIG_REQUEST, dump, error);
    }
    return result;
}

static int print_queues(struct context *context, struct invocation *invocation,
                        enum of_message_kind kind, struct error *error)
{
    struct dump dump = {.out = &invocation->output};
    struct of_queue_request request;
    struct ofconn *connection = ofconn_open(context, invocation->args[0], error);

    if (!connection)
        return error->code;
    int result = ofconn_load_names(connection, error);
    if (!result)
        result = parse_request(invocation, ofconn_names(connection), &request, error);
    if (!result) {
        dump.names = ofconn_print_names(connection);
        dump.json = options_is_json(&context->options) ? json_array() : NULL;
        bool asks_each = kind == OF_QUEUE_CONFIG_REQUEST && request.port == OFPP_NONE &&
                         ofconn_version(connection) == OF_1_0;
        result = asks_each ? ask_each_port(connection, &dump, error)
                           : ask(connection, &request, kind, &dump, error);
    }
    if (!result && dump.json)
        json_print_take(json_incref(dump.json), &context->options.style, &invocation->output);
    json_decref(dump.json);
    ofconn_close(connection);
    return result;
}

static int run_queue_stats(struct context *context, struct invocation *invocation,
                           struct error *error)
{
    return print_queues(context, invocation, OF_QUEUE_STATS_REQUEST, error);
}

static int run_queue_get_config(struct context *context, struct invocation *invocation,
                                struct error *error)
{
    return print_queues(context, invocation, OF_QUEUE_CONFIG_REQUEST, error);
}

static const struct command rows[] = {
    {.name = "queue-stats",
     .arguments = "BRIDGE [PORT [QUEUE]]",
     .summary = "Print the counters of queues",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 3,
     .check = check_queue,
     .run = run_queue_stats},
    {.name = "queue-get-config",
     .arguments = "BRIDGE [PORT [QUEUE]]",
     .summary = "Print the rates of queues",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 3,
     .check = check_queue,
     .run = run_queue_get_config},
};

const struct command_rows of_queue_commands = {rows, ARRAY_SIZE(rows)};

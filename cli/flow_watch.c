/* SPDX-License-Identifier: Apache-2.0 */

/* The flows that are busy right now: asked for again and again, and printed by rate.  On a terminal
 * the screen is drawn anew each time; elsewhere every time adds lines. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/flow_rates.h"
#include "cli/nouns.h"
#include "cli/ofconn.h"
#include "lib/clock.h"
#include "lib/openflow/flow_text.h"
#include "lib/openflow/text.h"

enum { HEAD_LINES = 2, PLAIN_WIDTH = 0 };

struct watch {
    struct context *context;
    struct invocation *invocation;
    struct ofconn *connection;
    const struct of_names *names;
    struct of_flow_stats_request wanted;
    struct flow_rates *rates;
    int64_t interval_ns;
    uint64_t n_rounds; /* 0: no end. */
    uint64_t max_lines;
    size_t n_flows;
    bool by_bytes, is_screen;
};

static int parse_seconds(const char *text, int64_t *ns, struct error *error)
{
    char *end;
    double seconds = strtod(text, &end);

    if (end == text || *end || !(seconds >= 0.01 && seconds <= 86400))
        return error_set(error, -EINVAL, "--interval=%s: not a number of seconds from 0.01 on",
                         shown(text).text);
    *ns = (int64_t)(seconds * (double)SECOND_NS);
    return 0;
}

static int parse_count(const struct invocation *invocation, const char *option, uint64_t *count,
                       struct error *error)
{
    const char *text = invocation_option(invocation, option);

    if (text && (!text_parse_u64(text, count) || !*count))
        return error_set(error, -EINVAL, "%s=%s: not a number from 1 on", option, shown(text).text);
    return 0;
}

static int parse_options(const struct invocation *invocation, struct watch *watch,
                         struct error *error)
{
    const char *interval = invocation_option(invocation, "--interval");

    watch->interval_ns = SECOND_NS;
    watch->n_rounds = invocation_option(invocation, "--once") ? 1 : 0;
    watch->by_bytes = invocation_option(invocation, "--bytes");
    if (interval && parse_seconds(interval, &watch->interval_ns, error))
        return error->code;
    if (parse_count(invocation, "--count", &watch->n_rounds, error))
        return error->code;
    return parse_count(invocation, "--lines", &watch->max_lines, error);
}

/* --- One round ----------------------------------------------------------------------------- */

/* What a flow is known by is what is printed of it. */
static int take_flows(const struct of_message *message, void *aux, struct error *error)
{
    struct watch *watch = aux;
    struct buffer actions = BUFFER_INIT, name = BUFFER_INIT;
    struct of_flow_stats stats;
    struct of_items items;

    of_items_init(&items, message);
    while (of_next_flow_stats(&items, &actions, &stats)) {
        watch->n_flows++;
        buffer_clear(&name);
        buffer_puts(&name, "table=");
        of_table_format(stats.table_id, watch->names, &name);
        buffer_puts(&name, ", ");
        of_match_format_priority(&stats.match, stats.priority, watch->names, &name);
        if (name.data[name.size - 1] != ' ')
            buffer_putc(&name, ' ');
        buffer_puts(&name, "actions=");
        of_actions_format(stats.actions, watch->names, &name);
        flow_rates_add(watch->rates, buffer_text(&name),
                       stats.n_packets == UINT64_MAX ? 0 : stats.n_packets,
                       stats.n_bytes == UINT64_MAX ? 0 : stats.n_bytes);
    }
    buffer_fini(&actions);
    buffer_fini(&name);
    return items.error
               ? error_set(error, -EPROTO, "the switch sent a flow that cannot be read (%s)",
                           of_error_name(items.error))
               : 0;
}

static int ask(struct watch *watch, struct error *error)
{
    uint32_t xid = ofconn_xid(watch->connection);

    watch->n_flows = 0;
    of_encode_flow_stats_request(&watch->wanted, OF_FLOW_STATS_REQUEST,
                                 ofconn_protocol(watch->connection), xid,
                                 ofconn_output(watch->connection));
    flow_rates_begin(watch->rates, clock_now_ns());
    return ofconn_receive_all(watch->connection, xid, OF_FLOW_STATS_REPLY, take_flows, watch,
                              error);
}

/* --- Printing ------------------------------------------------------------------------------ */

static void print_json(struct watch *watch, const struct flow_rate *rates, size_t n)
{
    struct flow_rate sum = flow_rates_sum(watch->rates);
    struct buffer text = BUFFER_INIT;
    json_t *flows = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(flows, json_pack("{s:s, s:f, s:f, s:I, s:I}", "flow", rates[i].name,
                                               "packets_per_second", rates[i].packets_per_s,
                                               "bytes_per_second", rates[i].bytes_per_s,
                                               "n_packets", (json_int_t)rates[i].n_packets,
                                               "n_bytes", (json_int_t)rates[i].n_bytes));
    json_print_take(json_pack("{s:f, s:I, s:f, s:f, s:o}", "seconds",
                              flow_rates_elapsed_s(watch->rates), "n_flows",
                              (json_int_t)watch->n_flows, "packets_per_second", sum.packets_per_s,
                              "bytes_per_second", sum.bytes_per_s, "flows", flows),
                    &watch->context->options.style, &text);
    fputs(buffer_text(&text), watch->context->out);
    buffer_fini(&text);
}

static void put_line(FILE *out, size_t width, const char *text)
{
    if (width && strlen(text) > width)
        fprintf(out, "%.*s\n", (int)width, text);
    else
        fprintf(out, "%s\n", text);
}

static void print_text(struct watch *watch, const struct flow_rate *rates, size_t n, size_t width)
{
    struct flow_rate sum = flow_rates_sum(watch->rates);
    FILE *out = watch->context->out;
    struct buffer line = BUFFER_INIT;

    buffer_printf(&line, "%zu flows, %zu of them busy: %.0f packets/s, %.0f bytes/s",
                  watch->n_flows, n, sum.packets_per_s, sum.bytes_per_s);
    put_line(out, width, buffer_text(&line));
    put_line(out, width, "   packets/s       bytes/s  flow");
    for (size_t i = 0; i < n && (!watch->max_lines || i < watch->max_lines); i++) {
        buffer_clear(&line);
        buffer_printf(&line, "%12.1f  %12.1f  %s", rates[i].packets_per_s, rates[i].bytes_per_s,
                      rates[i].name);
        put_line(out, width, buffer_text(&line));
    }
    buffer_fini(&line);
}

/* As many lines as fit, without the last one, on which the cursor stays. */
static void print_screen(struct watch *watch, const struct flow_rate *rates, size_t n)
{
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    uint64_t max_lines = watch->max_lines;

    ioctl(fileno(watch->context->out), TIOCGWINSZ, &size);
    size_t room = size.ws_row > HEAD_LINES + 1 ? size.ws_row - HEAD_LINES - 1U : 1;
    if (!max_lines || max_lines > room)
        watch->max_lines = room;
    fputs("\033[H\033[J", watch->context->out);
    print_text(watch, rates, n, size.ws_col);
    watch->max_lines = max_lines;
}

static int print_round(struct watch *watch, struct error *error)
{
    const struct flow_rate *rates;
    size_t n = flow_rates_end(watch->rates, watch->by_bytes, &rates);

    if (options_is_json(&watch->context->options))
        print_json(watch, rates, n);
    else if (watch->is_screen)
        print_screen(watch, rates, n);
    else
        print_text(watch, rates, n, PLAIN_WIDTH);
    return fflush(watch->context->out) ? error_set_errno(error, -errno, "cannot write the output")
                                       : 0;
}

/* --- The command --------------------------------------------------------------------------- */

/* False: --timeout is over before. */
static bool sleep_until(const struct watch *watch, int64_t then_ns)
{
    bool is_last = watch->context->deadline_ns <= then_ns;
    int64_t left_ns = (is_last ? watch->context->deadline_ns : then_ns) - clock_now_ns();

    if (left_ns > 0)
        nanosleep(&(struct timespec){.tv_sec = left_ns / SECOND_NS, .tv_nsec = left_ns % SECOND_NS},
                  NULL);
    return !is_last;
}

static int watch_flows(struct watch *watch, struct error *error)
{
    const struct flow_rate *rates;
    int64_t next_ns = clock_now_ns();
    int result = ask(watch, error);

    if (!result)
        flow_rates_end(watch->rates, watch->by_bytes, &rates);
    for (uint64_t round = 0; !result && (!watch->n_rounds || round < watch->n_rounds); round++) {
        next_ns += watch->interval_ns;
        if (!sleep_until(watch, next_ns))
            break;
        result = ask(watch, error);
        if (!result)
            result = print_round(watch, error);
    }
    return result;
}

static int check_flows(const struct invocation *invocation, struct error *error)
{
    struct watch watch = {.context = NULL};

    if (strcmp(invocation->args[0], "watch"))
        return error_set(error, -EINVAL, "flows: %s is not one of watch",
                         shown(invocation->args[0]).text);
    return parse_options(invocation, &watch, error);
}

static int run_flows(struct context *context, struct invocation *invocation, struct error *error)
{
    struct watch watch = {.context = context, .invocation = invocation};
    const char *filter = invocation->n_args > 2 ? invocation->args[2] : "";

    if (parse_options(invocation, &watch, error))
        return error->code;
    watch.connection = ofconn_open(context, invocation->args[1], error);
    if (!watch.connection)
        return error->code;
    int result = ofconn_load_names(watch.connection, error);
    if (!result)
        result = of_flow_stats_request_parse(filter, ofconn_names(watch.connection), &watch.wanted,
                                             error);
    if (!result) {
        watch.names = ofconn_print_names(watch.connection);
        watch.is_screen = isatty(fileno(context->out)) && !options_is_json(&context->options) &&
                          watch.n_rounds != 1;
        watch.rates = flow_rates_create();
        result = watch_flows(&watch, error);
    }
    flow_rates_destroy(watch.rates);
    ofconn_close(watch.connection);
    return result;
}

static const struct command rows[] = {
    {.name = "flows",
     .arguments = "watch BRIDGE [FLOW]",
     .options = "--interval= --count= --once --lines= --bytes",
     .summary = "Show the busiest flows by packets and bytes a second, again and again",
     .group = GROUP_FLOW,
     .min_args = 2,
     .max_args = 3,
     .check = check_flows,
     .run = run_flows},
};

const struct command_rows flow_watch_commands = {rows, ARRAY_SIZE(rows)};

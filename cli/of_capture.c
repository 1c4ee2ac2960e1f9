/* SPDX-License-Identifier: Apache-2.0 */

/* ofp-parse-pcap: the OpenFlow messages in captured TCP connections.  Each direction is a stream, whose segments are put in
 * order; a stream of which one is missing, or that is not OpenFlow, is told up to there. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#include "cli/capture.h"
#include "cli/nouns.h"
#include "cli/of_print.h"
#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/openflow/messages.h"
#include "lib/openflow/text.h"

enum { MAX_HELD_BYTES = 1 << 20 };

/* A segment that came before its time. */
struct held {
    struct held *next;
    uint32_t sequence;
    size_t n_bytes;
    uint8_t data[];
};

struct stream_of {
    struct conversation conversation;
    UT_hash_handle hh;
    bool is_over;
    uint32_t next; /* The sequence number that is wanted. */
    struct buffer bytes;
    struct held *held;
    size_t held_bytes;
};

struct reading {
    struct context *context;
    struct invocation *invocation;
    struct stream_of *streams;
    bool has_timestamps;
    size_t n_messages;
};

static bool parse_port(const char *word, uint16_t *port)
{
    uint64_t number;

    if (!text_parse_u64(word, &number) || !number || number > UINT16_MAX)
        return false;
    *port = (uint16_t)number;
    return true;
}

static bool is_openflow(const struct invocation *invocation, const struct conversation *talk)
{
    static const uint16_t standard[] = {6633, 6653};
    uint16_t port;

    for (size_t i = 1; i < invocation->n_args; i++) {
        if (parse_port(invocation->args[i], &port) &&
            (talk->from.port == port || talk->to.port == port))
            return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(standard) && invocation->n_args < 2; i++) {
        if (talk->from.port == standard[i] || talk->to.port == standard[i])
            return true;
    }
    return false;
}

static void put_endpoint(const struct endpoint *endpoint, struct buffer *out)
{
    char text[INET6_ADDRSTRLEN];

    inet_ntop(endpoint->is_ipv6 ? AF_INET6 : AF_INET, endpoint->address, text, sizeof text);
    buffer_printf(out, "%s.%u", text, endpoint->port);
}

static void tell(struct reading *reading, const struct stream_of *stream, int64_t time_ns,
                 size_t n_bytes)
{
    struct buffer from = BUFFER_INIT, to = BUFFER_INIT;
    time_t seconds = (time_t)(time_ns / SECOND_NS);
    char hour[16], when[24] = "";
    struct tm tm;

    if (reading->has_timestamps) {
        strftime(hour, sizeof hour, "%H:%M:%S", gmtime_r(&seconds, &tm));
        snprintf(when, sizeof when, "%s.%03d", hour, (int)(time_ns % SECOND_NS / MILLISECOND_NS));
    }
    put_endpoint(&stream->conversation.from, &from);
    put_endpoint(&stream->conversation.to, &to);
    const struct of_print_place place = {
        .time = *when ? when : NULL, .from = buffer_text(&from), .to = buffer_text(&to)};
    struct buffer *out = &reading->invocation->output;
    if (reading->n_messages++ && !options_is_json(&reading->context->options))
        buffer_putc(out, '\n');
    of_print_put(reading->context, &place, stream->bytes.data, n_bytes, NULL, out);
    buffer_fini(&from);
    buffer_fini(&to);
}

/* Messages that are whole. */
static void tell_messages(struct reading *reading, struct stream_of *stream, int64_t time_ns)
{
    int n;

    while ((n = of_frame_length(stream->bytes.data, stream->bytes.size)) > 0) {
        tell(reading, stream, time_ns, (size_t)n);
        buffer_pull(&stream->bytes, (size_t)n);
    }
    stream->is_over = n < 0;
}

/* What of it is new. */
static void take(struct stream_of *stream, uint32_t sequence, const uint8_t *data, size_t n_bytes)
{
    uint32_t n_known = stream->next - sequence;

    if (n_known >= n_bytes)
        return;
    buffer_put(&stream->bytes, data + n_known, n_bytes - n_known);
    stream->next = sequence + (uint32_t)n_bytes;
}

static bool is_later(uint32_t sequence, uint32_t next)
{
    return (int32_t)(sequence - next) > 0;
}

static void hold(struct stream_of *stream, const struct segment *segment)
{
    struct held *held = malloc(sizeof *held + segment->n_bytes);

    if (!held)
        abort();
    held->sequence = segment->sequence;
    held->n_bytes = segment->n_bytes;
    memcpy(held->data, segment->data, segment->n_bytes);
    held->next = stream->held;
    stream->held = held;
    stream->held_bytes += sizeof *held + segment->n_bytes;
    stream->is_over = stream->held_bytes > MAX_HELD_BYTES;
}

/* Those whose time has come. */
static void take_held(struct stream_of *stream)
{
    for (struct held **place = &stream->held; *place;) {
        struct held *held = *place;

        if (is_later(held->sequence, stream->next)) {
            place = &held->next;
            continue;
        }
        take(stream, held->sequence, held->data, held->n_bytes);
        *place = held->next;
        stream->held_bytes -= sizeof *held + held->n_bytes;
        free(held);
        place = &stream->held;
    }
}

static void drop_held(struct stream_of *stream)
{
    for (struct held *held = stream->held, *next; held; held = next) {
        next = held->next;
        free(held);
    }
    stream->held = NULL;
    stream->held_bytes = 0;
}

static struct stream_of *find(struct reading *reading, const struct segment *segment)
{
    struct stream_of *stream;

    HASH_FIND(hh, reading->streams, &segment->conversation, sizeof segment->conversation, stream);
    if (stream && !segment->is_syn)
        return stream;
    if (!stream) {
        stream = calloc(1, sizeof *stream);
        if (!stream)
            abort();
        stream->conversation = segment->conversation;
        HASH_ADD(hh, reading->streams, conversation, sizeof stream->conversation, stream);
    }
    /* It begins here, or again. */
    drop_held(stream);
    buffer_clear(&stream->bytes);
    stream->is_over = false;
    stream->next = segment->sequence + segment->is_syn;
    return stream;
}

static void read_segment(struct reading *reading, const struct segment *segment)
{
    struct stream_of *stream = find(reading, segment);

    if (segment->is_syn || stream->is_over || !segment->n_bytes)
        return;
    if (is_later(segment->sequence, stream->next)) {
        hold(stream, segment);
        return;
    }
    take(stream, segment->sequence, segment->data, segment->n_bytes);
    take_held(stream);
    tell_messages(reading, stream, segment->time_ns);
}

static void forget_streams(struct reading *reading)
{
    struct stream_of *stream, *next;

    HASH_ITER (hh, reading->streams, stream, next) {
        HASH_DEL(reading->streams, stream);
        drop_held(stream);
        buffer_fini(&stream->bytes);
        free(stream);
    }
}

static int check_ports(const struct invocation *invocation, struct error *error)
{
    uint16_t port;

    for (size_t i = 1; i < invocation->n_args; i++) {
        if (!parse_port(invocation->args[i], &port))
            return error_set(error, -EINVAL, "ofp-parse-pcap: %s is not a TCP port",
                             shown(invocation->args[i]).text);
    }
    return 0;
}

static int run(struct context *context, struct invocation *invocation, struct error *error)
{
    struct reading reading = {
        .context = context,
        .invocation = invocation,
        .has_timestamps = invocation_option(invocation, "--timestamp"),
    };
    const char *file = invocation->args[0];
    struct buffer bytes = BUFFER_INIT;
    struct capture capture;
    struct segment segment;
    int result = of_print_read(file, &bytes, error);

    if (!result && (result = capture_init(&capture, bytes.data, bytes.size, error)))
        error_prefix(error, "%s", shown(file).text);
    while (!result && capture_next(&capture, &segment)) {
        if (is_openflow(invocation, &segment.conversation))
            read_segment(&reading, &segment);
    }
    if (!result && capture.is_cut)
        result = error_set(error, -EPROTO, "%s: the last packet is not there whole",
                           shown(file).text);
    forget_streams(&reading);
    buffer_fini(&bytes);
    return result;
}

static const struct command rows[] = {
    {.name = "ofp-parse-pcap",
     .arguments = "FILE [PORT]...",
     .options = "--timestamp",
     .summary = "Print the OpenFlow messages that tcpdump has captured, of TCP ports 6633 and 6653",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = -1,
     .check = check_ports,
     .run = run},
};

const struct command_rows of_capture_commands = {rows, ARRAY_SIZE(rows)};

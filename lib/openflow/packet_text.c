/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/openflow/packet_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/compose.h"
#include "lib/openflow/flow_text.h"
#include "lib/openflow/match_text.h"
#include "lib/openflow/text.h"
#include "lib/packet.h"

enum { MIN_FRAME_BYTES = 14, MAX_FRAME_BYTES = 65000 };

struct packet_parser {
    struct match_text fields;
    struct buffer *frame;
    struct of_packet_out *packet;
    bool has_port;
    struct error *error;
};

static int parse_frame(struct packet_parser *parser, const char *text)
{
    for (const char *p = text; *p; p += 2) {
        if (text_hex_digit(p[0]) < 0 || text_hex_digit(p[1]) < 0)
            return error_set(parser->error, -EINVAL,
                             "packet=%.40s: expected an even number of hexadecimal digits", text);
        uint8_t byte = (uint8_t)(text_hex_digit(p[0]) << 4 | text_hex_digit(p[1]));
        buffer_put(parser->frame, &byte, 1);
    }
    if (parser->frame->size < MIN_FRAME_BYTES || parser->frame->size > MAX_FRAME_BYTES)
        return error_set(parser->error, -EINVAL, "packet: a frame has %d to %d bytes",
                         MIN_FRAME_BYTES, MAX_FRAME_BYTES);
    return 0;
}

static int parse_item(struct packet_parser *parser, const struct text_item *item)
{
    struct error *error = parser->error;

    if (!item->key)
        return error_set(error, -EINVAL, "brackets do not match");
    if (item->value && !strcmp(item->key, "in_port")) {
        parser->has_port = true;
        int result = of_port_parse(item->value, parser->fields.names, &parser->packet->in_port,
                                   error);
        return result ? error_prefix(error, "in_port") : 0;
    }
    if (item->value && !strcmp(item->key, "packet"))
        return parse_frame(parser, item->value);
    int result = match_text_add(&parser->fields, item->key, item->value, error);
    if (result == -ENOENT && !(error && error->code))
        error_set(error, -ENOENT, "%s: no such field", item->key);
    return result;
}

/* Behind the last "actions=" that stands alone; cuts it off.  "": there is none. */
static char *cut_actions(char *text)
{
    for (char *p = text; (p = strstr(p, "actions=")); p++) {
        if (p != text && !strchr(", \t", p[-1]))
            continue;
        *p = '\0';
        return p + strlen("actions=");
    }
    return text + strlen(text);
}

/* Of the match, what a frame comes with; the rest is what it has by itself. */
static void split(const struct match *match, struct match *metadata, struct match *frame)
{
    static const struct flow_key no_key;
    uint32_t pkt_mark = match->mask.key.pkt_mark.raw;

    *metadata = *frame = *match;
    metadata->mask.key = no_key;
    metadata->mask.key.pkt_mark.raw = pkt_mark;
    memset(&frame->mask.regs, 0, sizeof frame->mask.regs);
    memset(&frame->mask.metadata, 0, sizeof frame->mask.metadata);
    frame->mask.key.pkt_mark.raw = 0;
    match_normalize(metadata);
    match_normalize(frame);
}

static bool is_any(const struct match *match)
{
    struct match any;

    match_init_any(&any);
    return match_is_equal(match, &any);
}

static int compose(const struct match *wanted, struct buffer *frame, struct error *error)
{
    struct packet packet;
    struct flow flow;

    compose_frame(&wanted->flow.key, &wanted->mask.key, frame);
    struct buffer memory = BUFFER_INIT;
    buffer_put_zeros(&memory, PACKET_HEADROOM + frame->size);
    packet_init(&packet, memory.data, (uint32_t)memory.size);
    memcpy(packet.data, frame->data, frame->size);
    packet.size = (uint32_t)frame->size;
    memset(&flow, 0, sizeof flow);
    flow_extract(&packet, be32_from(0), &flow.key);
    buffer_fini(&memory);
    if (match_contains(wanted, &flow))
        return 0;
    struct buffer text = BUFFER_INIT;
    of_match_format(wanted, NULL, &text);
    error_set(error, -EINVAL, "%.200s: no frame has these fields, or weir cannot make it",
              buffer_text(&text));
    buffer_fini(&text);
    return -EINVAL;
}

/* What a frame has by itself cannot be told beside it. */
static int finish_frame(struct packet_parser *parser)
{
    struct match metadata, frame;

    split(&parser->packet->metadata, &metadata, &frame);
    if (!parser->has_port)
        return error_set(parser->error, -EINVAL, "a frame needs an in_port");
    if (parser->frame->size && !is_any(&frame))
        return error_set(parser->error, -EINVAL,
                         "only metadata, registers and pkt_mark can be given beside the frame");
    if (!parser->frame->size && is_any(&frame))
        return error_set(parser->error, -EINVAL,
                         "there is no frame: packet=HEXADECIMAL-DIGITS, or fields like "
                         "tcp,nw_dst=10.0.0.1");
    parser->packet->metadata = metadata;
    return parser->frame->size ? 0 : compose(&frame, parser->frame, parser->error);
}

int of_packet_out_parse(const char *text, const struct of_names *names, struct buffer *frame,
                        struct of_packet_out *packet, struct error *error)
{
    struct packet_parser parser = {.frame = frame, .packet = packet, .error = error};
    char *copy = strdup(text), *cursor = copy;
    struct text_item item;
    int result = 0;

    if (!copy)
        abort();
    memset(packet, 0, sizeof *packet);
    match_init_any(&packet->metadata);
    match_text_init(&parser.fields, &packet->metadata, names);
    char *actions = cut_actions(copy);
    while (!result && text_next_item(&cursor, &item))
        result = parse_item(&parser, &item);
    if (!result)
        result = match_text_finish(&parser.fields, error);
    if (!result)
        result = finish_frame(&parser);
    if (!result)
        result = of_actions_parse(actions, names, &packet->actions, error);
    if (!result && ofa_has_instruction(of_packet_out_actions(packet)))
        result = error_set(error, -EINVAL, "a frame has actions, not instructions");
    packet->frame = frame->data;
    packet->frame_bytes = frame->size;
    free(copy);
    return result;
}

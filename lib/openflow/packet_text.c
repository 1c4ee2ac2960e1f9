/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/openflow/packet_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/openflow/flow_text.h"
#include "lib/openflow/match_text.h"
#include "lib/openflow/text.h"

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

/* What a frame has by itself cannot be told beside it. */
static int check(const struct packet_parser *parser)
{
    struct match packet_fields = parser->packet->metadata;

    memset(&packet_fields.mask.regs, 0, sizeof packet_fields.mask.regs);
    memset(&packet_fields.mask.metadata, 0, sizeof packet_fields.mask.metadata);
    memset(&packet_fields.mask.key.pkt_mark, 0, sizeof packet_fields.mask.key.pkt_mark);
    for (size_t i = 0; i < sizeof packet_fields.mask; i++) {
        if (((const uint8_t *)&packet_fields.mask)[i])
            return error_set(parser->error, -EINVAL,
                             "only metadata, registers and pkt_mark can be given beside the frame");
    }
    if (!parser->has_port)
        return error_set(parser->error, -EINVAL, "a frame needs an in_port");
    return parser->frame->size
               ? 0
               : error_set(parser->error, -EINVAL, "there is no frame: packet=HEXADECIMAL-DIGITS");
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
        result = check(&parser);
    if (!result)
        result = of_actions_parse(actions, names, &packet->actions, error);
    packet->frame = frame->data;
    packet->frame_bytes = frame->size;
    free(copy);
    return result;
}

/* SPDX-License-Identifier: Apache-2.0 */

#include "cli/capture.h"

#include <errno.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/clock.h"

enum { MAGIC_US = 0xa1b2c3d4, MAGIC_NS = 0xa1b23c4d, MAGIC_NEXT_GENERATION = 0x0a0d0d0a };
enum { FILE_HEADER_BYTES = 24, RECORD_HEADER_BYTES = 16 };
enum { LINK_ETHERNET = 1, LINK_RAW = 101, LINK_COOKED = 113, LINK_COOKED_2 = 276 };
enum { TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd, TYPE_VLAN = 0x8100, TYPE_QINQ = 0x88a8 };
enum { PROTOCOL_TCP = 6, TCP_SYN = 2 };

static uint32_t number(const struct capture *capture, const uint8_t *at)
{
    uint32_t value = wire_u32(at);

    return capture->is_little_endian ? __builtin_bswap32(value) : value;
}

int capture_init(struct capture *capture, const void *data, size_t n_bytes, struct error *error)
{
    *capture = (struct capture){.wire = wire_init(data, n_bytes)};
    const uint8_t *header = wire_take(&capture->wire, FILE_HEADER_BYTES);
    uint32_t magic = header ? wire_u32(header) : 0;

    if (magic == MAGIC_NEXT_GENERATION)
        return error_set(error, -EPROTO,
                         "this is PCAPNG (editcap -F pcap makes a PCAP file of it)");
    capture->is_little_endian = magic == __builtin_bswap32(MAGIC_US) ||
                                magic == __builtin_bswap32(MAGIC_NS);
    if (header)
        magic = number(capture, header);
    if (magic != MAGIC_US && magic != MAGIC_NS)
        return error_set(error, -EPROTO, "this is not a PCAP file");
    capture->has_ns = magic == MAGIC_NS;
    capture->link_type = number(capture, header + 20) & 0xffff;
    if (capture->link_type != LINK_ETHERNET && capture->link_type != LINK_RAW &&
        capture->link_type != LINK_COOKED && capture->link_type != LINK_COOKED_2)
        return error_set(error, -EPROTO, "its frames are neither of Ethernet nor IP (type %u)",
                         capture->link_type);
    return 0;
}

/* Takes what is before the IP header; false: there is none. */
static bool take_link(uint32_t link_type, struct wire *frame)
{
    static const struct {
        uint32_t link_type;
        uint8_t n_bytes, type_at;
    } headers[] = {{LINK_ETHERNET, 14, 12}, {LINK_COOKED, 16, 14}, {LINK_COOKED_2, 20, 0}};
    unsigned int type;

    for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
        if (headers[i].link_type != link_type)
            continue;
        const uint8_t *header = wire_take(frame, headers[i].n_bytes);
        if (!header)
            return false;
        type = wire_u16(header + headers[i].type_at);
        for (const uint8_t *tag;
             (type == TYPE_VLAN || type == TYPE_QINQ) && (tag = wire_take(frame, 4));)
            type = wire_u16(tag + 2);
        return type == TYPE_IPV4 || type == TYPE_IPV6;
    }
    return true;
}

/* Leaves what is in the packet, without padding behind it. */
static bool take_ipv4(struct wire *frame, struct conversation *conversation)
{
    enum { LEAST_BYTES = 20, FRAGMENT_BITS = 0x3fff };
    const uint8_t *header = frame->next;

    if (frame->left < LEAST_BYTES || header[9] != PROTOCOL_TCP ||
        wire_u16(header + 6) & FRAGMENT_BITS)
        return false;
    size_t header_bytes = (header[0] & 0xfU) * 4, total_bytes = wire_u16(header + 2);
    if (header_bytes < LEAST_BYTES || total_bytes < header_bytes || total_bytes > frame->left)
        return false;
    memcpy(conversation->from.address, header + 12, 4);
    memcpy(conversation->to.address, header + 16, 4);
    *frame = wire_init(header + header_bytes, total_bytes - header_bytes);
    return true;
}

static bool take_ipv6(struct wire *frame, struct conversation *conversation)
{
    enum { HEADER_BYTES = 40 };
    const uint8_t *header = wire_take(frame, HEADER_BYTES);

    if (!header || header[6] != PROTOCOL_TCP || wire_u16(header + 4) > frame->left)
        return false;
    memcpy(conversation->from.address, header + 8, 16);
    memcpy(conversation->to.address, header + 24, 16);
    conversation->from.is_ipv6 = conversation->to.is_ipv6 = true;
    *frame = wire_init(frame->next, wire_u16(header + 4));
    return true;
}

static bool take_tcp(struct wire frame, struct segment *segment)
{
    enum { LEAST_BYTES = 20 };
    const uint8_t *header = frame.next;

    if (frame.left < LEAST_BYTES)
        return false;
    size_t header_bytes = (header[12] >> 4) * 4U;
    if (header_bytes < LEAST_BYTES || header_bytes > frame.left)
        return false;
    segment->conversation.from.port = wire_u16(header);
    segment->conversation.to.port = wire_u16(header + 2);
    segment->sequence = wire_u32(header + 4);
    segment->is_syn = header[13] & TCP_SYN;
    segment->data = header + header_bytes;
    segment->n_bytes = frame.left - header_bytes;
    return true;
}

static bool parse(uint32_t link_type, struct wire frame, struct segment *segment)
{
    if (!take_link(link_type, &frame) || !frame.left)
        return false;
    bool is_ipv6 = frame.next[0] >> 4 == 6;
    bool has_ip = is_ipv6 ? take_ipv6(&frame, &segment->conversation)
                          : take_ipv4(&frame, &segment->conversation);
    return has_ip && take_tcp(frame, segment);
}

bool capture_next(struct capture *capture, struct segment *segment)
{
    const uint8_t *header;

    while ((header = wire_take(&capture->wire, RECORD_HEADER_BYTES))) {
        size_t n_bytes = number(capture, header + 8);
        const uint8_t *frame = wire_take(&capture->wire, n_bytes);

        if (!frame) {
            capture->is_cut = true;
            return false;
        }
        memset(segment, 0, sizeof *segment);
        segment->time_ns = number(capture, header) * SECOND_NS +
                           (int64_t)number(capture, header + 4) * (capture->has_ns ? 1 : 1000);
        if (parse(capture->link_type, wire_init(frame, n_bytes), segment))
            return true;
    }
    capture->is_cut = capture->wire.left > 0;
    return false;
}

/* SPDX-License-Identifier: Apache-2.0 */

/* Properties within properties: two tuples and a zone; addresses and ports of each tuple. */

#include "lib/openflow/ct_flush.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/properties.h"

enum { HEAD_BYTES = 8, ZONE_BYTES = 8, PROTOCOL_ICMP = 1, PROTOCOL_ICMPV6 = 58 };
enum { PROPERTY_ORIGINAL, PROPERTY_REPLY, PROPERTY_ZONE };
enum { SOURCE, DESTINATION, SOURCE_PORT, DESTINATION_PORT, ICMP_ID, ICMP_TYPE, ICMP_CODE };

static bool is_icmp(const struct of_ct_flush *flush)
{
    return flush->ip_protocol == PROTOCOL_ICMP || flush->ip_protocol == PROTOCOL_ICMPV6;
}

static bool is_ipv4(const uint8_t address[16])
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

    return !memcmp(address, prefix, sizeof prefix);
}

/* Has any of its addresses? */
static bool has_family(const struct of_ct_flush *flush, bool of_ipv4)
{
    const uint8_t *const addresses[] = {flush->original.source, flush->original.destination,
                                        flush->reply.source, flush->reply.destination};

    for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
        if (!wire_is_zero(addresses[i], 16) && is_ipv4(addresses[i]) == of_ipv4)
            return true;
    }
    return false;
}

/* Where a part of a tuple is kept; 0 bytes: it is not known. */
static size_t part_of(struct of_ct_tuple *tuple, uint16_t type, uint8_t **part)
{
    const struct {
        uint8_t *at;
        size_t n_bytes;
    } parts[] = {
        [SOURCE] = {tuple->source, sizeof tuple->source},
        [DESTINATION] = {tuple->destination, sizeof tuple->destination},
        [SOURCE_PORT] = {tuple->ports[0], 2},
        [DESTINATION_PORT] = {tuple->ports[1], 2},
        [ICMP_ID] = {tuple->ports[0], 2},
        [ICMP_TYPE] = {tuple->ports[1] + 1, 1},
        [ICMP_CODE] = {tuple->ports[1], 1},
    };

    if (type >= ARRAY_SIZE(parts))
        return 0;
    *part = parts[type].at;
    return parts[type].n_bytes;
}

static enum of_error read_tuple(const struct of_property *outer, struct of_ct_tuple *tuple)
{
    const size_t padding_bytes = 4; /* Before the parts, which end at multiples of 8. */
    struct wire wire = wire_init(outer->body, outer->n_bytes);

    if (!wire_take(&wire, padding_bytes))
        return OFPBPC_BAD_LEN;
    while (wire.left) {
        struct of_property property;
        enum of_error error = of_take_property(&wire, &property);
        uint8_t *part;

        if (error)
            return error;
        size_t n_bytes = part_of(tuple, property.type, &part);
        if (property.n_bytes < n_bytes)
            return OFPBPC_BAD_LEN;
        memcpy(part, property.body, n_bytes);
    }
    return OF_OK;
}

enum of_error of_decode_ct_flush(const struct of_message *message, struct of_ct_flush *flush)
{
    struct wire wire = wire_init(message->body, message->body_bytes);
    const uint8_t *head = wire_take(&wire, HEAD_BYTES);

    *flush = (struct of_ct_flush){.ip_protocol = head[0]};
    if (!wire_is_zero(head + 1, HEAD_BYTES - 1))
        return NXBRC_MUST_BE_ZERO;
    while (wire.left) {
        struct of_property property;
        enum of_error error = of_take_property(&wire, &property);

        if (!error && property.type == PROPERTY_ORIGINAL)
            error = read_tuple(&property, &flush->original);
        else if (!error && property.type == PROPERTY_REPLY)
            error = read_tuple(&property, &flush->reply);
        else if (!error && property.type == PROPERTY_ZONE && property.n_bytes < 2)
            error = OFPBPC_BAD_LEN;
        if (error)
            return error;
        if (property.type != PROPERTY_ZONE)
            continue;
        flush->zone = wire_u16(property.body);
        flush->has_zone = true;
    }
    return has_family(flush, true) && has_family(flush, false) ? OFPBPC_BAD_VALUE : OF_OK;
}

static void put_tuple(uint16_t type, const struct of_ct_flush *flush,
                      const struct of_ct_tuple *given, struct buffer *out)
{
    static const uint8_t icmp[] = {SOURCE, DESTINATION, ICMP_ID, ICMP_TYPE, ICMP_CODE};
    static const uint8_t others[] = {SOURCE, DESTINATION, SOURCE_PORT, DESTINATION_PORT};
    const uint8_t *types = is_icmp(flush) ? icmp : others;
    size_t n_types = is_icmp(flush) ? ARRAY_SIZE(icmp) : ARRAY_SIZE(others);
    struct of_ct_tuple tuple = *given;
    size_t start = out->size;
    uint8_t *part;

    if (wire_is_zero((const uint8_t *)given, sizeof *given))
        return;
    of_begin_property(type, out);
    buffer_put_zeros(out, 4);
    for (size_t i = 0; i < n_types; i++) {
        size_t n_bytes = part_of(&tuple, types[i], &part);
        if (!wire_is_zero(part, n_bytes))
            memcpy(of_put_property(types[i], n_bytes, out), part, n_bytes);
    }
    of_end_property(start, out);
}

void of_encode_ct_flush(const struct of_ct_flush *flush, enum of_version version, uint32_t xid,
                        struct buffer *out)
{
    size_t start = of_begin_message(OF_CT_FLUSH, OF_FORM_NX, version, xid, out);

    *(uint8_t *)buffer_put_zeros(out, HEAD_BYTES) = flush->ip_protocol;
    put_tuple(PROPERTY_ORIGINAL, flush, &flush->original, out);
    put_tuple(PROPERTY_REPLY, flush, &flush->reply, out);
    if (flush->has_zone)
        be16_store(of_put_property(PROPERTY_ZONE, 4, out), flush->zone);
    of_finish_message(start, out);
}

static void put_address(const char *name, bool of_ipv4, const uint8_t address[16],
                        struct buffer *out)
{
    char text[INET6_ADDRSTRLEN];

    if (is_ipv4(address))
        inet_ntop(AF_INET, address + 12, text, sizeof text);
    else
        inet_ntop(AF_INET6, address, text, sizeof text);
    buffer_printf(out, "ct_%s_%s=%s,", of_ipv4 ? "nw" : "ipv6", name, text);
}

static void put_tuple_text(const struct of_ct_flush *flush, const struct of_ct_tuple *tuple,
                           struct buffer *out)
{
    bool of_ipv4 = has_family(flush, true);

    put_address("src", of_ipv4, tuple->source, out);
    put_address("dst", of_ipv4, tuple->destination, out);
    if (is_icmp(flush))
        buffer_printf(out, "icmp_id=%u,icmp_type=%u,icmp_code=%u", wire_u16(tuple->ports[0]),
                      tuple->ports[1][1], tuple->ports[1][0]);
    else
        buffer_printf(out, "ct_tp_src=%u,ct_tp_dst=%u", wire_u16(tuple->ports[0]),
                      wire_u16(tuple->ports[1]));
}

void of_ct_flush_format(const struct of_ct_flush *flush, struct buffer *out)
{
    buffer_printf(out, " zone=%u '", flush->zone);
    put_tuple_text(flush, &flush->original, out);
    buffer_printf(out, ",ct_nw_proto=%u' '", flush->ip_protocol);
    put_tuple_text(flush, &flush->reply, out);
    buffer_putc(out, '\'');
}

enum of_error of_decode_ct_flush_zone(const struct of_message *message, uint16_t *zone)
{
    *zone = wire_u16(message->body + ZONE_BYTES - 2);
    return wire_is_zero(message->body, ZONE_BYTES - 2) ? OF_OK : NXBRC_MUST_BE_ZERO;
}

void of_encode_ct_flush_zone(uint16_t zone, enum of_version version, uint32_t xid,
                             struct buffer *out)
{
    size_t start = of_begin_message(OF_CT_FLUSH_ZONE, OF_FORM_NX, version, xid, out);

    be16_store((uint8_t *)buffer_put_zeros(out, ZONE_BYTES) + ZONE_BYTES - 2, zone);
    of_finish_message(start, out);
}

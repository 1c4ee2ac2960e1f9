/* SPDX-License-Identifier: Apache-2.0 */

/* The wire forms are Nicira's.  The actions of exec() follow ct's own bytes, each in the form of the
 * version; a NAT range is a bit for each of its parts, then these parts. */

#include "lib/openflow/action_ct.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/action_wire.h"
#include "lib/openflow/flow_text.h"
#include "lib/openflow/match_codec.h"

enum { CT_BODY_BYTES = 14 };

/* Which parts of a range are there, in this order. */
enum {
    RANGE_IPV4_MIN = 1 << 0,
    RANGE_IPV4_MAX = 1 << 1,
    RANGE_IPV6_MIN = 1 << 2,
    RANGE_IPV6_MAX = 1 << 3,
    RANGE_PORT_MIN = 1 << 4,
    RANGE_PORT_MAX = 1 << 5,
};

static enum of_error decode_zone(const uint8_t *body, struct ofa_ct *ct)
{
    uint32_t header = wire_u32(body + 2);
    unsigned range = wire_u16(body + 6);
    struct of_subfield part;

    if (!header) {
        ct->zone = (uint16_t)range;
        return OF_OK;
    }
    enum of_error error = action_decode_part(header, range >> 6, (range & 0x3f) + 1, &part);
    if (error)
        return error;
    if (part.n_bits != 16)
        return OFPBAC_BAD_SET_LEN;
    ct->zone_source = ofa_part_of(&part);
    return OF_OK;
}

/* In exec() only the mark and the labels of the connection are set. */
static bool changes_connection(const struct ofa *ofa)
{
    const void *action = ofa;
    enum of_field_id id;

    if (ofa->type == OFA_SET_FIELD)
        id = (enum of_field_id)((const struct ofa_set_field *)action)->field;
    else if (ofa->type == OFA_MOVE)
        id = (enum of_field_id)((const struct ofa_move *)action)->destination;
    else
        return false;
    return of_field(id)->engine == ENGINE_CT;
}

bool ofa_ct_is_sound(const struct ofa_ct *ct)
{
    struct ofa_list list = ofa_ct_list(ct);

    if (ct->flags & OFCT_FORCE && !(ct->flags & OFCT_COMMIT))
        return false;
    for_each_action (ofa, list) {
        bool is_nat = ofa->type == OFA_NAT;
        bool is_plain_nat = is_nat && !((const struct ofa_nat *)(const void *)ofa)->flags;

        if (!is_nat && !changes_connection(ofa))
            return false;
        if (!is_plain_nat && !(ct->flags & OFCT_COMMIT))
            return false;
    }
    return true;
}

enum of_error ofa_decode_ct(const uint8_t *body, size_t n_bytes,
                            const struct action_context *context, struct buffer *list)
{
    const struct action_context inner = {context->version, context->nesting + 1};
    size_t start = list->size;
    struct ofa_ct *ct = (struct ofa_ct *)(void *)ofa_put(list, OFA_CT);

    if (inner.nesting > ACTION_MAX_NESTING)
        return OFPBAC_TOO_MANY;
    ct->flags = wire_u16(body) & (OFCT_COMMIT | OFCT_FORCE);
    ct->table_id = body[8];
    ct->alg = wire_u16(body + 12);
    enum of_error error = decode_zone(body, ct);
    if (!error)
        error = action_decode_list(body + CT_BODY_BYTES, n_bytes - CT_BODY_BYTES, &inner, list);
    if (!error && !ofa_end_nested(list, start))
        error = OFPBAC_TOO_MANY;
    if (!error && !ofa_ct_is_sound((const struct ofa_ct *)(const void *)(list->data + start)))
        error = OFPBAC_BAD_ARGUMENT;
    return error;
}

static const uint8_t *take_part(struct wire *wire, unsigned parts, unsigned part, size_t n_bytes,
                                bool *is_short)
{
    static const uint8_t zeros[16];

    if (!(parts & part))
        return zeros;
    const uint8_t *bytes = wire_take(wire, n_bytes);
    *is_short |= !bytes;
    return bytes ? bytes : zeros;
}

static bool is_zero_address(const struct ipv6_addr *address)
{
    return wire_is_zero(address->bytes, sizeof address->bytes);
}

bool ofa_nat_is_sound(const struct ofa_nat *nat)
{
    size_t n_bytes = nat->family == 4 ? 4 : 16;

    if (nat->flags & OFNAT_SRC && nat->flags & OFNAT_DST)
        return false;
    if (!nat->family && (nat->port_min || nat->port_max))
        return false;
    if (nat->port_max && (!nat->port_min || nat->port_max < nat->port_min))
        return false;
    return is_zero_address(&nat->max) || memcmp(nat->min.bytes, nat->max.bytes, n_bytes) <= 0;
}

enum of_error ofa_decode_nat(const uint8_t *body, size_t n_bytes, struct buffer *list)
{
    enum { ALL = OFNAT_SRC | OFNAT_DST | OFNAT_PERSISTENT | OFNAT_HASH | OFNAT_RANDOM };
    struct ofa_nat *nat = (struct ofa_nat *)(void *)ofa_put(list, OFA_NAT);
    struct wire wire = wire_init(body + 6, n_bytes - 6);
    unsigned flags = wire_u16(body + 2), parts = wire_u16(body + 4);
    bool has_ipv4 = parts & (RANGE_IPV4_MIN | RANGE_IPV4_MAX), is_short = false;
    bool has_ipv6 = parts & (RANGE_IPV6_MIN | RANGE_IPV6_MAX);
    bool is_headless = (parts & RANGE_IPV4_MAX && !(parts & RANGE_IPV4_MIN)) ||
                       (parts & RANGE_IPV6_MAX && !(parts & RANGE_IPV6_MIN)) ||
                       (parts & RANGE_PORT_MAX && !(parts & RANGE_PORT_MIN));

    if (flags & ~(unsigned)ALL || (has_ipv4 && has_ipv6) || is_headless)
        return OFPBAC_BAD_ARGUMENT;
    nat->flags = (uint16_t)flags;
    nat->family = has_ipv4 ? 4 : has_ipv6 ? 6 : 0;
    memcpy(nat->min.bytes, take_part(&wire, parts, RANGE_IPV4_MIN, 4, &is_short), 4);
    memcpy(nat->max.bytes, take_part(&wire, parts, RANGE_IPV4_MAX, 4, &is_short), 4);
    if (has_ipv6) {
        memcpy(nat->min.bytes, take_part(&wire, parts, RANGE_IPV6_MIN, 16, &is_short), 16);
        memcpy(nat->max.bytes, take_part(&wire, parts, RANGE_IPV6_MAX, 16, &is_short), 16);
    }
    nat->port_min = wire_u16(take_part(&wire, parts, RANGE_PORT_MIN, 2, &is_short));
    nat->port_max = wire_u16(take_part(&wire, parts, RANGE_PORT_MAX, 2, &is_short));
    if (is_short || !ofa_nat_is_sound(nat) ||
        (parts & RANGE_IPV4_MAX && is_zero_address(&nat->max)))
        return OFPBAC_BAD_ARGUMENT;
    if (!(nat->flags & (OFNAT_SRC | OFNAT_DST))) { /* Then the rest says nothing. */
        nat->flags = 0;
        nat->family = 0;
        nat->port_min = nat->port_max = 0;
        memset(&nat->min, 0, sizeof nat->min);
        memset(&nat->max, 0, sizeof nat->max);
    }
    return OF_OK;
}

static uint8_t *begin(uint16_t subtype, size_t n_bytes, struct buffer *out)
{
    uint8_t *action = buffer_put_zeros(out, n_bytes);

    be16_store(action, OFPAT_VENDOR);
    be16_store(action + 2, (uint16_t)n_bytes);
    be32_store(action + 4, NX_ACTION_VENDOR);
    be16_store(action + 8, subtype);
    return action + NX_ACTION_HEADER_BYTES;
}

void ofa_encode_ct(const struct ofa_ct *ct, enum of_version version, struct buffer *out)
{
    size_t start = out->size;
    uint8_t *body = begin(NXAST_CT, NX_ACTION_HEADER_BYTES + CT_BODY_BYTES, out);

    be16_store(body, ct->flags);
    if (ct->zone_source.n_bits) {
        be32_store(body + 2,
                   of_field_header(of_field((enum of_field_id)ct->zone_source.field), OF_1_0));
        be16_store(body + 6, (uint16_t)(ct->zone_source.first << 6 | (ct->zone_source.n_bits - 1)));
    } else {
        be16_store(body + 6, ct->zone);
    }
    body[8] = ct->table_id;
    be16_store(body + 12, ct->alg);
    ofa_encode_actions(ofa_ct_list(ct), version, out);
    be16_store(out->data + start + 2, (uint16_t)(out->size - start));
}

void ofa_encode_nat(const struct ofa_nat *nat, struct buffer *out)
{
    size_t start = out->size, n_address = nat->family == 4 ? 4 : 16;
    uint8_t *body = begin(NXAST_NAT, 16, out);
    unsigned parts = 0, shift = nat->family == 4 ? 0 : 2;

    be16_store(body + 2, nat->flags);
    if (nat->family) {
        parts |= (unsigned)RANGE_IPV4_MIN << shift;
        buffer_put(out, &nat->min, n_address);
        if (!is_zero_address(&nat->max)) {
            parts |= (unsigned)RANGE_IPV4_MAX << shift;
            buffer_put(out, &nat->max, n_address);
        }
        if (nat->port_min) {
            parts |= RANGE_PORT_MIN;
            be16_store(buffer_put_uninit(out, 2), nat->port_min);
        }
        if (nat->port_max) {
            parts |= RANGE_PORT_MAX;
            be16_store(buffer_put_uninit(out, 2), nat->port_max);
        }
    }
    size_t n_bytes = out->size - start;
    buffer_put_zeros(out, wire_round_up_8(n_bytes) - n_bytes);
    be16_store(out->data + start + 2, (uint16_t)(out->size - start));
    be16_store(out->data + start + NX_ACTION_HEADER_BYTES + 4, (uint16_t)parts);
}

/* Text. */

static void format_address(const struct ofa_nat *nat, const struct ipv6_addr *address,
                           struct buffer *out)
{
    bool has_brackets = nat->family == 6 && nat->port_min;
    char text[INET6_ADDRSTRLEN];

    inet_ntop(nat->family == 4 ? AF_INET : AF_INET6, address->bytes, text, sizeof text);
    buffer_printf(out, has_brackets ? "[%s]" : "%s", text);
}

static void format_range(const struct ofa_nat *nat, struct buffer *out)
{
    buffer_putc(out, '=');
    format_address(nat, &nat->min, out);
    if (!is_zero_address(&nat->max)) {
        buffer_putc(out, '-');
        format_address(nat, &nat->max, out);
    }
    if (nat->port_min)
        buffer_printf(out, ":%u", nat->port_min);
    if (nat->port_max)
        buffer_printf(out, "-%u", nat->port_max);
}

void ofa_format_nat(const struct ofa_nat *nat, struct buffer *out)
{
    buffer_puts(out, "nat");
    if (!(nat->flags & (OFNAT_SRC | OFNAT_DST)))
        return;
    buffer_puts(out, nat->flags & OFNAT_SRC ? "(src" : "(dst");
    if (nat->family) {
        format_range(nat, out);
        if (nat->flags & OFNAT_PERSISTENT)
            buffer_puts(out, ",persistent");
        if (nat->flags & OFNAT_HASH)
            buffer_puts(out, ",hash");
        if (nat->flags & OFNAT_RANDOM)
            buffer_puts(out, ",random");
    }
    buffer_putc(out, ')');
}

/* A NAT that comes first stands for itself; what follows stands in exec(). */
static void format_exec(struct ofa_list list, const struct of_names *names, struct buffer *out)
{
    if (list.n_bytes && list.first->type == OFA_NAT) {
        ofa_format_nat((const struct ofa_nat *)(const void *)list.first, out);
        buffer_putc(out, ',');
        list.n_bytes -= list.first->n_bytes;
        list.first = ofa_next(list.first);
    }
    if (list.n_bytes) {
        buffer_puts(out, "exec(");
        of_actions_format(list, names, out);
        buffer_puts(out, "),");
    }
}

void ofa_format_ct(const struct ofa_ct *ct, const struct of_names *names, struct buffer *out)
{
    buffer_puts(out, "ct(");
    size_t start = out->size;
    if (ct->flags & OFCT_COMMIT)
        buffer_puts(out, "commit,");
    if (ct->flags & OFCT_FORCE)
        buffer_puts(out, "force,");
    if (ct->table_id != OF_TABLE_ALL) {
        buffer_puts(out, "table=");
        of_table_format(ct->table_id, names, out);
        buffer_putc(out, ',');
    }
    if (ct->zone_source.n_bits) {
        struct of_subfield source = ofa_part_subfield(ct->zone_source);

        buffer_puts(out, "zone=");
        of_subfield_format(&source, out);
        buffer_putc(out, ',');
    } else if (ct->zone) {
        buffer_printf(out, "zone=%u,", ct->zone);
    }
    format_exec(ofa_ct_list(ct), names, out);
    if (ct->alg == OFCT_ALG_FTP)
        buffer_puts(out, "alg=ftp,");
    else if (ct->alg == OFCT_ALG_TFTP)
        buffer_puts(out, "alg=tftp,");
    else if (ct->alg)
        buffer_printf(out, "alg=%u,", ct->alg);
    out->size -= out->size > start;
    buffer_putc(out, ')');
}

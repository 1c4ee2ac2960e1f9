/* SPDX-License-Identifier: Apache-2.0 */

/* NXM and OXM: entries of a 32-bit header, a value and perhaps a mask (OpenFlow 1.3.5, section
 * 7.2.3).  Both header families are understood in every version; which one is written depends on
 * it. */

#include "lib/openflow/match_codec.h"

#include <string.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/fields.h"
#include "lib/openflow/wire.h"

enum { HAS_MASK = 1 << 8, LENGTH_MASK = 0xff };
enum { CLASS_EXPERIMENTER = 0xffff, ONF_TCP_FLAGS = 42 };
#define ONF_EXPERIMENTER UINT32_C(0x4f4e4600)
#define COOKIE_HEADER    (UINT32_C(0x0001) << 16 | 30 << 9 | 8)

enum { OFPMT_STANDARD = 0, OFPMT_OXM = 1 };

uint32_t of_port_to_wire32(of_port port)
{
    return port < OFPP_MAX ? port : UINT32_C(0xffff0000) | port;
}

bool of_port_from_wire32(uint32_t wire, of_port *port)
{
    if (wire >= OFPP_MAX && wire < (UINT32_C(0xffff0000) | OFPP_MAX))
        return false;
    *port = (of_port)wire;
    return true;
}

/* One entry, cut from the wire. */
struct entry {
    const struct of_field *field; /* NULL: unknown, or the cookie. */
    bool is_cookie;
    bool has_mask;
    const uint8_t *value; /* n_bytes of it, then n_bytes of mask if there is one. */
    size_t n_bytes;
};

static enum of_error take_experimenter(struct wire *payload, uint32_t header, struct entry *entry)
{
    const uint8_t *experimenter = wire_take(payload, 4);

    if (!experimenter)
        return OFPBMC_BAD_LEN;
    if (wire_u32(experimenter) == ONF_EXPERIMENTER && (header >> 9 & 0x7f) == ONF_TCP_FLAGS)
        entry->field = of_field(FIELD_TCP_FLAGS);
    return OF_OK;
}

static enum of_error take_entry(struct wire *wire, struct entry *entry)
{
    const uint8_t *start = wire_take(wire, 4);

    if (!start)
        return OFPBMC_BAD_LEN;
    uint32_t header = wire_u32(start);
    const uint8_t *bytes = wire_take(wire, header & LENGTH_MASK);
    if (!bytes)
        return OFPBMC_BAD_LEN;

    struct wire payload = wire_init(bytes, header & LENGTH_MASK);
    *entry = (struct entry){.has_mask = header & HAS_MASK};
    if (header >> 16 == CLASS_EXPERIMENTER) {
        enum of_error error = take_experimenter(&payload, header, entry);
        if (error)
            return error;
    }
    if (entry->has_mask && payload.left % 2)
        return OFPBMC_BAD_LEN;
    entry->n_bytes = payload.left / (entry->has_mask ? 2 : 1);
    entry->value = payload.next;
    if (header >> 16 == CLASS_EXPERIMENTER)
        return entry->field && entry->n_bytes != entry->field->n_bytes ? OFPBMC_BAD_LEN : OF_OK;

    uint32_t plain = (header & ~(uint32_t)(HAS_MASK | LENGTH_MASK)) | (uint32_t)entry->n_bytes;
    entry->is_cookie = plain == COOKIE_HEADER;
    entry->field = of_field_by_header(plain);
    return OF_OK;
}

static enum of_error read_mask(const struct entry *entry, const struct of_value *value,
                               struct of_value *mask)
{
    const struct of_field *field = entry->field;

    of_value_all_ones(field, mask);
    if (!entry->has_mask)
        return OF_OK;

    struct of_value sent = {.bytes = {0}};
    memcpy(sent.bytes, entry->value + entry->n_bytes, entry->n_bytes);
    for (size_t i = 0; i < entry->n_bytes; i++) {
        if (value->bytes[i] & ~sent.bytes[i])
            return OFPBMC_BAD_WILDCARDS;
        mask->bytes[i] &= sent.bytes[i];
    }
    if (field->mask_rule == MASK_NONE && !of_value_is_all_ones(field, mask))
        return OFPBMC_BAD_MASK;
    return OF_OK;
}

static bool is_zero(const struct of_value *value)
{
    uint64_t words[2];

    static_assert(sizeof words == sizeof *value, "looked at as a whole");
    memcpy(words, value, sizeof words);
    return !(words[0] | words[1]);
}

static bool is_matched(const struct of_field *field, const struct match *match)
{
    struct of_value mask;

    of_field_get(field, &match->mask, &mask);
    return !is_zero(&mask);
}

static enum of_error decode_field(const struct entry *entry, struct match *match)
{
    const struct of_field *field = entry->field;
    struct of_value value = {.bytes = {0}}, mask;

    memcpy(value.bytes, entry->value, entry->n_bytes);
    enum of_error error = read_mask(entry, &value, &mask);
    if (error)
        return error;
    if (!of_value_is_valid(field, &value))
        return OFPBMC_BAD_VALUE;
    if (!of_field_match_allows(field, match))
        return OFPBMC_BAD_PREREQ;
    if (is_matched(field, match))
        return OFPBMC_DUP_FIELD;
    of_field_set_masked(field, &value, &mask, &match->flow);
    of_field_add_mask(field, &mask, &match->mask);
    return OF_OK;
}

static enum of_error decode_cookie(const struct entry *entry, be64 *cookie, be64 *cookie_mask)
{
    if (!cookie)
        return OFPBMC_BAD_FIELD;
    if (cookie_mask->raw)
        return OFPBMC_DUP_FIELD;
    *cookie = be64_load(entry->value);
    *cookie_mask = entry->has_mask ? be64_load(entry->value + 8) : (be64){UINT64_MAX};
    cookie->raw &= cookie_mask->raw;
    return OF_OK;
}

static enum of_error decode_entries(struct wire wire, bool skip_unknown, struct match *match,
                                    be64 *cookie, be64 *cookie_mask)
{
    struct entry entry;

    match_init_any(match);
    while (wire.left) {
        enum of_error error = take_entry(&wire, &entry);
        if (!error && entry.is_cookie)
            error = decode_cookie(&entry, cookie, cookie_mask);
        else if (!error && entry.field)
            error = decode_field(&entry, match);
        else if (!error && !skip_unknown)
            error = OFPBMC_BAD_FIELD;
        if (error)
            return error;
    }
    return OF_OK;
}

enum of_error of_match_decode_nxm(const void *wire, size_t n_bytes, struct match *match,
                                  be64 *cookie, be64 *cookie_mask)
{
    if (cookie)
        cookie->raw = cookie_mask->raw = 0;
    return decode_entries(wire_init(wire, n_bytes), false, match, cookie, cookie_mask);
}

enum of_error of_match_decode_nxm_loose(const void *wire, size_t n_bytes, struct match *match)
{
    return decode_entries(wire_init(wire, n_bytes), true, match, NULL, NULL);
}

static enum of_error decode_match(const void *wire, size_t n_bytes, bool skip_unknown,
                                  struct match *match, size_t *n_used)
{
    const uint8_t *bytes = wire;

    if (n_bytes < 4)
        return OFPBMC_BAD_LEN;
    size_t length = wire_u16(bytes + 2);
    *n_used = wire_round_up_8(length);
    if (wire_u16(bytes) == OFPMT_STANDARD)
        return length == OF11_MATCH_BYTES && length <= n_bytes ? of_match_decode_of11(wire, match)
                                                               : OFPBMC_BAD_LEN;
    if (wire_u16(bytes) != OFPMT_OXM)
        return OFPBMC_BAD_TYPE;
    if (length < 4 || *n_used > n_bytes)
        return OFPBMC_BAD_LEN;
    return decode_entries(wire_init(bytes + 4, length - 4), skip_unknown, match, NULL, NULL);
}

enum of_error of_match_decode(const void *wire, size_t n_bytes, struct match *match, size_t *n_used)
{
    return decode_match(wire, n_bytes, false, match, n_used);
}

enum of_error of_match_decode_loose(const void *wire, size_t n_bytes, struct match *match,
                                    size_t *n_used)
{
    return decode_match(wire, n_bytes, true, match, n_used);
}

static void put_header(uint32_t header, bool has_mask, struct buffer *out)
{
    if (has_mask)
        header = (header & ~(uint32_t)LENGTH_MASK) | HAS_MASK | (header & LENGTH_MASK) * 2;
    be32 wire = be32_from(header);
    buffer_put(out, &wire, sizeof wire);
}

/* ONF's extension 109 brought TCP flags to 1.3 and 1.4. */
static void put_onf_header(const struct of_field *field, bool has_mask, struct buffer *out)
{
    uint32_t n_bytes = 4U + field->n_bytes * (has_mask ? 2U : 1U);
    be32 wire[2] = {
        be32_from((uint32_t)CLASS_EXPERIMENTER << 16 | ONF_TCP_FLAGS << 9 |
                  (has_mask ? HAS_MASK : 0) | n_bytes),
        be32_from(ONF_EXPERIMENTER),
    };
    buffer_put(out, wire, sizeof wire);
}

uint32_t of_field_header(const struct of_field *field, enum of_version version)
{
    bool has_oxm = field->oxm_header && version >= field->oxm_since;

    return has_oxm || !field->nxm_header ? field->oxm_header : field->nxm_header;
}

void of_field_encode(const struct of_field *field, enum of_version version,
                     const struct of_value *value, const struct of_value *mask, struct buffer *out)
{
    bool has_mask = mask && !of_value_is_all_ones(field, mask);

    if (field->id == FIELD_TCP_FLAGS && version >= OF_1_3 && version < field->oxm_since)
        put_onf_header(field, has_mask, out);
    else
        put_header(of_field_header(field, version), has_mask, out);
    buffer_put(out, value->bytes, field->n_bytes);
    if (has_mask)
        buffer_put(out, mask->bytes, field->n_bytes);
}

/* The order in which OVS writes fields; prerequisites come before what needs them.  VLANs and
 * in_port, which differ between NXM and OXM, stand for themselves. */
static const uint16_t encode_order[] = {
    FIELD_CONJ_ID,     FIELD_IN_PORT,   FIELD_ETH_SRC,     FIELD_ETH_DST,     FIELD_ETH_TYPE,
    FIELD_VLAN_TCI,    FIELD_MPLS_TC,   FIELD_MPLS_BOS,    FIELD_MPLS_TTL,    FIELD_MPLS_LABEL,
    FIELD_IPV4_SRC,    FIELD_IPV4_DST,  FIELD_IPV6_SRC,    FIELD_IPV6_DST,    FIELD_IP_FRAG,
    FIELD_NW_TOS,      FIELD_IP_ECN,    FIELD_IP_TTL,      FIELD_IPV6_LABEL,  FIELD_IP_PROTO,
    FIELD_TCP_SRC,     FIELD_TCP_DST,   FIELD_TCP_FLAGS,   FIELD_UDP_SRC,     FIELD_UDP_DST,
    FIELD_SCTP_SRC,    FIELD_SCTP_DST,  FIELD_ICMPV4_TYPE, FIELD_ICMPV4_CODE, FIELD_ICMPV6_TYPE,
    FIELD_ICMPV6_CODE, FIELD_ND_TARGET, FIELD_ND_SLL,      FIELD_ND_TLL,      FIELD_ARP_OP,
    FIELD_ARP_SPA,     FIELD_ARP_TPA,   FIELD_ARP_SHA,     FIELD_ARP_THA,     FIELD_REG0,
    FIELD_REG0 + 1,    FIELD_REG0 + 2,  FIELD_REG0 + 3,    FIELD_REG0 + 4,    FIELD_REG0 + 5,
    FIELD_REG0 + 6,    FIELD_REG0 + 7,  FIELD_REG0 + 8,    FIELD_REG0 + 9,    FIELD_REG0 + 10,
    FIELD_REG0 + 11,   FIELD_REG0 + 12, FIELD_REG0 + 13,   FIELD_REG0 + 14,   FIELD_REG0 + 15,
    FIELD_PKT_MARK,    FIELD_METADATA,
};

static void put_field(const struct match *match, enum of_field_id id, enum of_version version,
                      struct buffer *out)
{
    const struct of_field *field = of_field(id);
    struct of_value value, mask;

    of_field_get(field, &match->mask, &mask);
    if (is_zero(&mask) || !of_field_match_allows(field, match))
        return;
    of_field_get(field, &match->flow, &value);
    if (field->mask_rule == MASK_NONE)
        of_value_all_ones(field, &mask);
    of_field_encode(field, version, &value, &mask, out);
}

static void put_vlan_oxm(const struct match *match, enum of_version version, struct buffer *out)
{
    put_field(match, FIELD_VLAN_VID, version, out);
    put_field(match, FIELD_VLAN_PCP, version, out);
}

/* Which places of encode_order have storage in a word of struct flow, filled before main(). */
static uint64_t places_by_word[FLOW_WORDS];
static_assert(ARRAY_SIZE(encode_order) <= 64, "places fit a word");

__attribute__((constructor)) static void fill_places(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(encode_order); i++) {
        const struct of_field *field = of_field((enum of_field_id)encode_order[i]);
        size_t last = (field->offset + field->n_storage - 1U) / 8;

        for (size_t word = field->offset / 8; word <= last; word++)
            places_by_word[word] |= UINT64_C(1) << i;
    }
}

static uint64_t find_places(const struct flow *mask)
{
    const uint64_t *words = flow_words_const(mask);
    uint64_t places = 0;

    for (size_t i = 0; i < FLOW_WORDS; i++)
        places |= words[i] ? places_by_word[i] : 0;
    return places;
}

static void put_fields(const struct match *match, enum of_version version, struct buffer *out)
{
    for (uint64_t left = find_places(&match->mask); left; left &= left - 1) {
        enum of_field_id id = (enum of_field_id)encode_order[__builtin_ctzll(left)];

        if (id == FIELD_IN_PORT && version >= OF_1_2)
            id = FIELD_IN_PORT_OXM;
        else if (id == FIELD_NW_TOS && version >= OF_1_2)
            id = FIELD_IP_DSCP;
        if (id == FIELD_VLAN_TCI && version >= OF_1_2)
            put_vlan_oxm(match, version, out);
        else
            put_field(match, id, version, out);
    }
}

void of_match_encode_fields(const struct match *match, enum of_version version, struct buffer *out)
{
    put_fields(match, version, out);
}

size_t of_match_encode_nxm(const struct match *match, be64 cookie, be64 cookie_mask,
                           struct buffer *out)
{
    size_t start = out->size;

    put_fields(match, OF_1_0, out);
    if (cookie_mask.raw) {
        bool has_mask = cookie_mask.raw != UINT64_MAX;

        put_header(COOKIE_HEADER, has_mask, out);
        cookie.raw &= cookie_mask.raw;
        buffer_put(out, &cookie, sizeof cookie);
        if (has_mask)
            buffer_put(out, &cookie_mask, sizeof cookie_mask);
    }
    return out->size - start;
}

void of_match_encode(const struct match *match, enum of_version version, struct buffer *out)
{
    size_t start = out->size;

    if (version == OF_1_1) {
        of_match_encode_of11(match, out);
        return;
    }
    buffer_put_zeros(out, 4);
    put_fields(match, version, out);
    size_t length = out->size - start;
    buffer_put_zeros(out, wire_round_up_8(length) - length);
    be16_store(out->data + start, OFPMT_OXM);
    be16_store(out->data + start + 2, (uint16_t)length);
}

bool of_match_fits(const struct match *match, enum of_version version)
{
    struct buffer wire = BUFFER_INIT;
    struct match sent = *match, again;
    size_t n_used;

    /* "No tag" of 1.0 looks at the priority bits, too, which are 0 without a tag. */
    if (version >= OF_1_2 && match->mask.key.vlan[0].tci.raw == UINT16_MAX &&
        !match->flow.key.vlan[0].tci.raw)
        sent.mask.key.vlan[0].tci = be16_from(VLAN_CFI | VLAN_VID_MASK);
    of_match_encode(&sent, version, &wire);
    bool fits = of_match_decode(wire.data, wire.size, &again, &n_used) == OF_OK &&
                match_is_equal(&sent, &again);
    buffer_fini(&wire);
    return fits;
}

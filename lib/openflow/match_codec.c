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
#define COOKIE_HEADER (UINT32_C(0x0001) << 16 | 30 << 9 | 8)

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

/* Has the value bits that the mask behind it does not have?  Of an odd length the last byte is nobody's. */
static bool exceeds_mask(const uint8_t *value, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++) {
        if (value[i] & ~value[n_bytes + i])
            return true;
    }
    return false;
}

/* A field of another length than ours is none that we know. */
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
    bool is_experimenter = header >> 16 == OXM_CLASS_EXPERIMENTER;
    const uint8_t *experimenter = is_experimenter ? wire_take(&payload, 4) : NULL;
    if (is_experimenter && !experimenter)
        return OFPBMC_BAD_LEN;
    *entry = (struct entry){.has_mask = header & HAS_MASK, .value = payload.next};
    entry->n_bytes = payload.left / (entry->has_mask ? 2 : 1);
    uint32_t plain = (header & ~(uint32_t)(HAS_MASK | LENGTH_MASK)) | (uint32_t)entry->n_bytes;
    if (experimenter) {
        entry->field = of_field_by_experimenter(wire_u32(experimenter), header >> 9 & 0x7f);
    } else {
        entry->is_cookie = plain == COOKIE_HEADER;
        entry->field = of_field_option_by_header(plain);
        if (!entry->field)
            entry->field = of_field_by_header(plain);
    }
    if (entry->has_mask && exceeds_mask(entry->value, entry->n_bytes))
        return OFPBMC_BAD_WILDCARDS;
    bool is_option = entry->field && of_field_is_option(entry->field);
    if (entry->field && !is_option &&
        payload.left != entry->field->n_bytes * (entry->has_mask ? 2U : 1U))
        entry->field = NULL;
    return OF_OK;
}

/* An option's value may be shorter or longer than ours, if only zeros are too many. */
static bool copy_value(const uint8_t *from, size_t n_bytes, struct of_value *to)
{
    size_t n_kept = n_bytes < sizeof to->bytes ? n_bytes : sizeof to->bytes;

    memset(to, 0, sizeof *to);
    memcpy(to->bytes + sizeof to->bytes - n_kept, from + n_bytes - n_kept, n_kept);
    return wire_is_zero(from, n_bytes - n_kept);
}

static enum of_error read_mask(const struct entry *entry, const struct of_value *value,
                               struct of_value *mask)
{
    const struct of_field *field = entry->field;

    of_value_all_ones(field, mask);
    if (!entry->has_mask)
        return OF_OK;

    struct of_value sent = {.bytes = {0}};
    if (of_field_is_option(field))
        copy_value(entry->value + entry->n_bytes, entry->n_bytes, &sent);
    else
        memcpy(sent.bytes, entry->value + entry->n_bytes, entry->n_bytes);
    for (size_t i = 0; i < field->n_bytes; i++) {
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

/* A frame without an Ethernet header has nothing of what follows it in the key, either. */
static bool is_beside_packet_type(const struct of_field *field, const struct match *match)
{
    return match->flow.packet_type.raw && field->offset >= offsetof(struct flow, key.eth_dst) &&
           field->offset < sizeof(struct flow_key);
}

static enum of_error decode_field(const struct entry *entry, struct match *match)
{
    const struct of_field *field = entry->field;
    struct of_value value = {.bytes = {0}}, mask;

    if (!of_field_has_place(field))
        return NXFMFC_INVALID_TLV_FIELD;
    if (!of_field_is_option(field))
        memcpy(value.bytes, entry->value, entry->n_bytes);
    else if (!copy_value(entry->value, entry->n_bytes, &value) || !of_value_is_valid(field, &value))
        return OFPBMC_BAD_LEN;
    enum of_error error = read_mask(entry, &value, &mask);
    if (error)
        return error;
    if (!of_value_is_valid(field, &value))
        return OFPBMC_BAD_VALUE;
    if (!of_field_match_allows(field, match) || is_beside_packet_type(field, match))
        return OFPBMC_BAD_PREREQ;
    if (of_field_is_matched(field, match))
        return OFPBMC_DUP_FIELD;
    if (field->id == FIELD_PACKET_TYPE && !of_value_u64(field, &value))
        return OF_OK; /* Ethernet: each frame. */
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

static void put_u32(uint32_t number, struct buffer *out)
{
    be32_store(buffer_put_uninit(out, sizeof number), number);
}

/* Length and mask bit for a header that names 'n_bytes' of value, of which the first 'n_before' have no mask. */
static void put_header(uint32_t header, size_t n_before, bool has_mask, struct buffer *out)
{
    size_t n_bytes = n_before + (header & LENGTH_MASK) * (has_mask ? 2U : 1U);

    put_u32((header & ~(uint32_t)LENGTH_MASK) | (has_mask ? HAS_MASK : 0) | (uint32_t)n_bytes, out);
}

static bool has_oxm(const struct of_field *field, enum of_version version)
{
    return field->oxm_header && version >= field->oxm_since;
}

uint32_t of_field_header(const struct of_field *field, enum of_version version)
{
    bool has_nxm = field->nxm_header && !field->experimenter;

    return has_oxm(field, version) || !has_nxm ? field->oxm_header : field->nxm_header;
}

/* The ONF's extensions brought fields of 1.5 to earlier versions. */
static bool is_onf(const struct of_field *field, enum of_version version)
{
    return field->is_onf_before && version < field->oxm_since &&
           (version >= OF_1_3 || !field->nxm_header);
}

void of_field_put_header(const struct of_field *field, enum of_version version, bool has_mask,
                         struct buffer *out)
{
    uint32_t experimenter = field->experimenter, header = of_field_header(field, version);

    if (is_onf(field, version))
        experimenter = OXM_EXPERIMENTER_ONF;
    if (experimenter && !has_oxm(field, version)) {
        uint32_t number = (is_onf(field, version) ? field->oxm_header : field->nxm_header) & 0xffff;

        put_header((uint32_t)OXM_CLASS_EXPERIMENTER << 16 | number, sizeof experimenter, has_mask,
                   out);
        put_u32(experimenter, out);
    } else if (header) {
        put_header(header, 0, has_mask, out);
    }
}

/* With the length of the field's place. */
static void put_option(const struct of_field *field, const struct of_value *value,
                       const struct of_value *mask, struct buffer *out)
{
    struct of_value ones;
    size_t n_bytes = 0;

    of_value_all_ones(field, &ones);
    for (size_t i = 0; i < sizeof ones.bytes; i++)
        n_bytes += ones.bytes[i] != 0;
    bool has_mask = mask && (is_zero(mask) || memcmp(mask, &ones, sizeof ones) != 0);
    if (has_mask && is_zero(mask))
        n_bytes = 0; /* That it is there. */
    put_header((field->nxm_header & ~(uint32_t)LENGTH_MASK) | (uint32_t)n_bytes, 0, has_mask, out);
    buffer_put(out, value->bytes + sizeof value->bytes - n_bytes, n_bytes);
    if (has_mask)
        buffer_put(out, mask->bytes + sizeof mask->bytes - n_bytes, n_bytes);
}

void of_field_encode(const struct of_field *field, enum of_version version,
                     const struct of_value *value, const struct of_value *mask, struct buffer *out)
{
    bool has_mask = mask && !of_value_is_all_ones(field, mask);

    if (of_field_is_option(field)) {
        put_option(field, value, mask, out);
        return;
    }
    of_field_put_header(field, version, has_mask, out);
    buffer_put(out, value->bytes, field->n_bytes);
    if (has_mask)
        buffer_put(out, mask->bytes, field->n_bytes);
}

/* The order in which OVS writes fields; prerequisites come before what needs them.  VLANs and
 * in_port, which differ between NXM and OXM, stand for themselves. */
// clang-format off
static const uint16_t encode_order[] = {
    FIELD_DP_HASH, FIELD_RECIRC_ID, FIELD_CONJ_ID, FIELD_PACKET_TYPE, FIELD_IN_PORT,
    FIELD_ACTSET_OUTPUT, FIELD_ETH_SRC, FIELD_ETH_DST, FIELD_ETH_TYPE, FIELD_VLAN_TCI,
    FIELD_MPLS_TC, FIELD_MPLS_BOS, FIELD_MPLS_TTL, FIELD_MPLS_LABEL, FIELD_IPV4_SRC,
    FIELD_IPV4_DST, FIELD_IPV6_SRC, FIELD_IPV6_DST, FIELD_IP_FRAG, FIELD_NW_TOS, FIELD_IP_ECN,
    FIELD_IP_TTL, FIELD_IPV6_LABEL, FIELD_IP_PROTO, FIELD_TCP_SRC, FIELD_TCP_DST, FIELD_TCP_FLAGS,
    FIELD_UDP_SRC, FIELD_UDP_DST, FIELD_SCTP_SRC, FIELD_SCTP_DST, FIELD_ICMPV4_TYPE,
    FIELD_ICMPV4_CODE, FIELD_ICMPV6_TYPE, FIELD_ICMPV6_CODE, FIELD_ND_TARGET, FIELD_ND_SLL,
    FIELD_ND_TLL, FIELD_ND_RESERVED, FIELD_ND_OPTIONS_TYPE, FIELD_ARP_OP, FIELD_ARP_SPA,
    FIELD_ARP_TPA, FIELD_ARP_SHA, FIELD_ARP_THA, FIELD_NSH_FLAGS, FIELD_NSH_TTL, FIELD_NSH_MDTYPE,
    FIELD_NSH_NP, FIELD_NSH_SPI, FIELD_NSH_SI, FIELD_NSH_C1, FIELD_NSH_C2, FIELD_NSH_C3,
    FIELD_NSH_C4, FIELD_TUN_ID, FIELD_TUN_SRC, FIELD_TUN_DST, FIELD_TUN_IPV6_SRC,
    FIELD_TUN_IPV6_DST, FIELD_TUN_GBP_ID, FIELD_TUN_GBP_FLAGS, FIELD_TUN_ERSPAN_VER,
    FIELD_TUN_ERSPAN_IDX, FIELD_TUN_ERSPAN_DIR, FIELD_TUN_ERSPAN_HWID, FIELD_TUN_GTPU_FLAGS,
    FIELD_TUN_GTPU_MSGTYPE, FIELD_TUN_FLAGS, FIELD_REG0, FIELD_REG0 + 1, FIELD_REG0 + 2,
    FIELD_REG0 + 3, FIELD_REG0 + 4, FIELD_REG0 + 5, FIELD_REG0 + 6, FIELD_REG0 + 7, FIELD_REG0 + 8,
    FIELD_REG0 + 9, FIELD_REG0 + 10, FIELD_REG0 + 11, FIELD_REG0 + 12, FIELD_REG0 + 13,
    FIELD_REG0 + 14, FIELD_REG0 + 15, FIELD_PKT_MARK, FIELD_CT_STATE, FIELD_CT_ZONE, FIELD_CT_MARK,
    FIELD_CT_LABEL, FIELD_CT_NW_SRC, FIELD_CT_NW_DST, FIELD_CT_IPV6_SRC, FIELD_CT_IPV6_DST,
    FIELD_CT_NW_PROTO, FIELD_CT_TP_SRC, FIELD_CT_TP_DST, FIELD_METADATA,
};
// clang-format on

/* Adds the bits that are put to 'told', unless that is NULL. */
static void put_field(const struct match *match, enum of_field_id id, enum of_version version,
                      struct flow *told, struct buffer *out)
{
    const struct of_field *field = of_field(id);
    struct of_value value, mask;

    if (!of_field_is_matched(field, match) || !of_field_match_allows(field, match))
        return;
    of_field_get(field, &match->mask, &mask);
    of_field_get(field, &match->flow, &value);
    if (field->mask_rule == MASK_NONE)
        of_value_all_ones(field, &mask);
    of_field_encode(field, version, &value, &mask, out);
    if (told)
        of_field_add_mask(field, &mask, told);
}

static void put_vlan_oxm(const struct match *match, enum of_version version, struct flow *told,
                         struct buffer *out)
{
    put_field(match, FIELD_VLAN_VID, version, told, out);
    put_field(match, FIELD_VLAN_PCP, version, told, out);
}

/* Which places of encode_order have storage in a word of struct flow, filled before main(). */
enum { PLACE_WORDS = (ARRAY_SIZE(encode_order) + 63) / 64 };

struct places {
    uint64_t words[PLACE_WORDS];
};

static struct places places_by_word[FLOW_WORDS];

__attribute__((constructor)) static void fill_places(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(encode_order); i++) {
        const struct of_field *field = of_field((enum of_field_id)encode_order[i]);
        size_t last = (field->offset + field->n_storage - 1U) / 8;

        for (size_t word = field->offset / 8; word <= last; word++)
            places_by_word[word].words[i / 64] |= UINT64_C(1) << i % 64;
    }
}

static struct places find_places(const struct flow *mask)
{
    const uint64_t *words = flow_words_const(mask);
    struct places places = {.words = {0}};
    uint64_t word_set = 0;

    for (size_t i = 0; i < FLOW_WORDS; i++)
        word_set |= (uint64_t)(words[i] != 0) << i;
    for (; word_set; word_set &= word_set - 1) {
        for (size_t j = 0; j < PLACE_WORDS; j++)
            places.words[j] |= places_by_word[__builtin_ctzll(word_set)].words[j];
    }
    return places;
}

static void put_place(const struct match *match, size_t place, enum of_version version,
                      struct flow *told, struct buffer *out)
{
    enum of_field_id id = (enum of_field_id)encode_order[place];

    if (id == FIELD_IN_PORT && version >= OF_1_2)
        id = FIELD_IN_PORT_OXM;
    else if (id == FIELD_NW_TOS && version >= OF_1_2)
        id = FIELD_IP_DSCP;
    if (id == FIELD_VLAN_TCI && version >= OF_1_2)
        put_vlan_oxm(match, version, told, out);
    else
        put_field(match, id, version, told, out);
}

static void put_fields(const struct match *match, enum of_version version, struct flow *told,
                       struct buffer *out)
{
    struct places places = find_places(&match->mask);

    for (size_t i = 0; i < PLACE_WORDS; i++) {
        for (uint64_t left = places.words[i]; left; left &= left - 1)
            put_place(match, 64 * i + (size_t)__builtin_ctzll(left), version, told, out);
    }
    for (uint64_t left = be64_host(match->mask.tun_options_present); left; left &= left - 1)
        put_field(match, (enum of_field_id)(FIELD_TUN_METADATA0 + __builtin_ctzll(left)), version,
                  told, out);
}

void of_match_encode_fields(const struct match *match, enum of_version version, struct buffer *out)
{
    put_fields(match, version, NULL, out);
}

size_t of_match_encode_nxm(const struct match *match, be64 cookie, be64 cookie_mask,
                           struct buffer *out)
{
    size_t start = out->size;

    put_fields(match, OF_1_0, NULL, out);
    if (cookie_mask.raw) {
        bool has_mask = cookie_mask.raw != UINT64_MAX;

        put_header(COOKIE_HEADER, 0, has_mask, out);
        cookie.raw &= cookie_mask.raw;
        buffer_put(out, &cookie, sizeof cookie);
        if (has_mask)
            buffer_put(out, &cookie_mask, sizeof cookie_mask);
    }
    return out->size - start;
}

static void encode_oxm(const struct match *match, enum of_version version, struct flow *told,
                       struct buffer *out)
{
    size_t start = out->size;

    buffer_put_zeros(out, 4);
    put_fields(match, version, told, out);
    size_t length = out->size - start;
    buffer_put_zeros(out, wire_round_up_8(length) - length);
    be16_store(out->data + start, OFPMT_OXM);
    be16_store(out->data + start + 2, (uint16_t)length);
}

void of_match_encode(const struct match *match, enum of_version version, struct buffer *out)
{
    if (version == OF_1_1)
        of_match_encode_of11(match, out);
    else
        encode_oxm(match, version, NULL, out);
}

/* Was all of the match told?  A port is, if it has a number in OpenFlow. */
static bool is_told(const struct match *match, const struct flow *told)
{
    const uint64_t *mask = flow_words_const(&match->mask), *words = flow_words_const(told);
    uint64_t difference = 0;

    for (size_t i = 0; i < FLOW_WORDS; i++)
        difference |= mask[i] ^ words[i];
    return !difference && be32_host(match->flow.key.in_port) <= UINT16_MAX;
}

bool of_match_fits(const struct match *match, enum of_version version)
{
    struct buffer wire = BUFFER_INIT;
    struct match sent = *match, again;
    struct flow told = {.key.in_port = {0}};
    size_t n_used;

    /* "No tag" of 1.0 looks at the priority bits, too, which are 0 without a tag. */
    if (version >= OF_1_2 && match->mask.key.vlan[0].tci.raw == UINT16_MAX &&
        !match->flow.key.vlan[0].tci.raw)
        sent.mask.key.vlan[0].tci = be16_from(VLAN_CFI | VLAN_VID_MASK);
    if (version == OF_1_1)
        of_match_encode(&sent, version, &wire);
    else
        encode_oxm(&sent, version, &told, &wire);
    /* Fields keep what they tell, in the order in which they allow each other. */
    bool fits = is_told(&sent, &told) ||
                (of_match_decode(wire.data, wire.size, &again, &n_used) == OF_OK &&
                 match_is_equal(&sent, &again));
    buffer_fini(&wire);
    return fits;
}

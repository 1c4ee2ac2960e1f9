/* SPDX-License-Identifier: Apache-2.0 */

/* The fields of a match as NXM or OXM, in two steps: which there are and how they are named, then their values. */

#include <string.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/fields.h"
#include "lib/openflow/match_codec.h"
#include "lib/openflow/match_entry.h"
#include "lib/openflow/wire.h"

static bool is_zero(const struct of_value *value)
{
    uint64_t words[2];

    static_assert(sizeof words == sizeof *value, "looked at as a whole");
    memcpy(words, value, sizeof words);
    return !(words[0] | words[1]);
}

static void put_u32(uint32_t number, struct buffer *out)
{
    be32_store(buffer_put_uninit(out, sizeof number), number);
}

/* Length and mask bit for a header that names 'n_bytes' of value, of which the first 'n_before' have no mask. */
static uint32_t finish_header(uint32_t header, size_t n_before, bool has_mask)
{
    size_t n_bytes = n_before + (header & LENGTH_MASK) * (has_mask ? 2U : 1U);

    return (header & ~(uint32_t)LENGTH_MASK) | (has_mask ? HAS_MASK : 0) | (uint32_t)n_bytes;
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

/* How many bytes of 'head' name the field: 4, 8 for fields of experimenters, none if it has no name. */
enum { MAX_HEAD_BYTES = 8 };

static size_t make_head(const struct of_field *field, enum of_version version, bool has_mask,
                        uint8_t head[MAX_HEAD_BYTES])
{
    uint32_t experimenter = field->experimenter, header = of_field_header(field, version);

    if (is_onf(field, version))
        experimenter = OXM_EXPERIMENTER_ONF;
    if (experimenter && !has_oxm(field, version)) {
        uint32_t number = (is_onf(field, version) ? field->oxm_header : field->nxm_header) & 0xffff;

        header = (uint32_t)OXM_CLASS_EXPERIMENTER << 16 | number;
        be32_store(head, finish_header(header, sizeof experimenter, has_mask));
        be32_store(head + 4, experimenter);
        return 8;
    }
    if (!header)
        return 0;
    be32_store(head, finish_header(header, 0, has_mask));
    return 4;
}

void of_field_put_header(const struct of_field *field, enum of_version version, bool has_mask,
                         struct buffer *out)
{
    uint8_t head[MAX_HEAD_BYTES];
    size_t n_bytes = make_head(field, version, has_mask, head);

    buffer_put(out, head, n_bytes);
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
    put_u32(finish_header((field->nxm_header & ~(uint32_t)LENGTH_MASK) | (uint32_t)n_bytes, 0,
                          has_mask),
            out);
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

    static_assert(FLOW_WORDS % 2 == 0, "most words are zero, so they are looked at in pairs");
    for (size_t i = 0; i < FLOW_WORDS; i += 2) {
        if (words[i] | words[i + 1])
            word_set |= (uint64_t)(words[i] != 0) << i | (uint64_t)(words[i + 1] != 0) << (i + 1);
    }
    for (; word_set; word_set &= word_set - 1) {
        for (size_t j = 0; j < PLACE_WORDS; j++)
            places.words[j] |= places_by_word[__builtin_ctzll(word_set)].words[j];
    }
    return places;
}

/* What a match says of a field, unless that is nothing. */
static void add_item(const struct match *match, enum of_field_id id, struct of_match_shape *shape)
{
    const struct of_field *field = of_field(id);
    struct of_match_item *item = &shape->items[shape->n_items];

    if (!of_field_is_matched(field, match))
        return;
    of_field_is_meaningful(field, &match->flow, &shape->decisive);
    if (field->prereq >= PREREQ_CT)
        shape->decisive.ct_state = be32_from(UINT32_MAX);
    if (!of_field_match_allows(field, match))
        return;
    of_field_get(field, &match->mask, &item->mask);
    if (field->mask_rule == MASK_NONE)
        of_value_all_ones(field, &item->mask);
    item->field = field;
    item->has_mask = !of_value_is_all_ones(field, &item->mask);
    item->head_bytes = (uint8_t)make_head(field, shape->version, item->has_mask, item->head);
    shape->n_items++;
}

static void add_place(const struct match *match, size_t place, struct of_match_shape *shape)
{
    enum of_field_id id = (enum of_field_id)encode_order[place];

    if (id == FIELD_IN_PORT && shape->version >= OF_1_2)
        id = FIELD_IN_PORT_OXM;
    else if (id == FIELD_NW_TOS && shape->version >= OF_1_2)
        id = FIELD_IP_DSCP;
    if (id == FIELD_VLAN_TCI && shape->version >= OF_1_2) {
        add_item(match, FIELD_VLAN_VID, shape);
        id = FIELD_VLAN_PCP;
    }
    add_item(match, id, shape);
}

static void make_shape(const struct match *match, enum of_version version,
                       struct of_match_shape *shape)
{
    struct places places = find_places(&match->mask);

    static_assert(ARRAY_SIZE(encode_order) < OF_MATCH_MAX_ITEMS, "VLANs make two of one");
    shape->version = version;
    shape->n_items = 0;
    memset(&shape->decisive, 0, sizeof shape->decisive);
    for (size_t i = 0; i < PLACE_WORDS; i++) {
        for (uint64_t left = places.words[i]; left; left &= left - 1)
            add_place(match, 64 * i + (size_t)__builtin_ctzll(left), shape);
    }
}

/* Has 'match' the shape?  It has if the masks are equal, and what decides which fields there are. */
static bool has_shape(const struct match *match, enum of_version version,
                      const struct of_match_shape *shape)
{
    const uint64_t *flow = flow_words_const(&match->flow);
    const uint64_t *first = flow_words_const(&shape->first.flow);
    const uint64_t *decisive = flow_words_const(&shape->decisive);
    uint64_t difference = 0;

    if (shape->version != version ||
        memcmp(&match->mask, &shape->first.mask, sizeof match->mask) != 0)
        return false;
    for (size_t i = 0; i < FLOW_WORDS; i++)
        difference |= (flow[i] ^ first[i]) & decisive[i];
    return !difference;
}

static void put_item(const struct match *match, const struct of_match_item *item,
                     struct buffer *out)
{
    size_t n_bytes = item->field->n_bytes;
    struct of_value value;

    of_field_get(item->field, &match->flow, &value);
    buffer_put(out, item->head, item->head_bytes);
    buffer_put(out, value.bytes, n_bytes);
    if (item->has_mask)
        buffer_put(out, item->mask.bytes, n_bytes);
}

static void put_options(const struct match *match, enum of_version version, struct buffer *out)
{
    for (uint64_t left = be64_host(match->mask.tun_options_present); left; left &= left - 1) {
        const struct of_field *field =
            of_field((enum of_field_id)(FIELD_TUN_METADATA0 + __builtin_ctzll(left)));
        struct of_value value, mask;

        of_field_get(field, &match->mask, &mask);
        of_field_get(field, &match->flow, &value);
        of_field_encode(field, version, &value, &mask, out);
    }
}

static void put_fields(const struct match *match, const struct of_match_shape *shape,
                       struct buffer *out)
{
    for (size_t i = 0; i < shape->n_items; i++)
        put_item(match, &shape->items[i], out);
    put_options(match, shape->version, out);
}

void of_match_encode_fields(const struct match *match, enum of_version version, struct buffer *out)
{
    struct of_match_shape shape;

    make_shape(match, version, &shape);
    put_fields(match, &shape, out);
}

void of_match_encode_fields_alike(const struct match *match, enum of_version version,
                                  struct of_match_shape *shape, struct buffer *out)
{
    if (!shape) {
        of_match_encode_fields(match, version, out);
        return;
    }
    if (!has_shape(match, version, shape)) {
        make_shape(match, version, shape);
        shape->first = *match;
    }
    put_fields(match, shape, out);
}

size_t of_match_encode_nxm(const struct match *match, be64 cookie, be64 cookie_mask,
                           struct buffer *out)
{
    size_t start = out->size;

    of_match_encode_fields(match, OF_1_0, out);
    if (cookie_mask.raw) {
        bool has_mask = cookie_mask.raw != UINT64_MAX;

        put_u32(finish_header(COOKIE_HEADER, 0, has_mask), out);
        cookie.raw &= cookie_mask.raw;
        buffer_put(out, &cookie, sizeof cookie);
        if (has_mask)
            buffer_put(out, &cookie_mask, sizeof cookie_mask);
    }
    return out->size - start;
}

void of_match_encode_alike(const struct match *match, enum of_version version,
                           struct of_match_shape *shape, struct buffer *out)
{
    size_t start = out->size;

    buffer_put_zeros(out, 4);
    of_match_encode_fields_alike(match, version, shape, out);
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
        of_match_encode_alike(match, version, NULL, out);
}

/* Which bits do the fields have that are sent? */
static void tell_bits(const struct match *match, enum of_version version, struct flow *told)
{
    struct of_match_shape shape;

    make_shape(match, version, &shape);
    for (size_t i = 0; i < shape.n_items; i++)
        of_field_add_mask(shape.items[i].field, &shape.items[i].mask, told);
    for (uint64_t left = be64_host(match->mask.tun_options_present); left; left &= left - 1) {
        const struct of_field *field =
            of_field((enum of_field_id)(FIELD_TUN_METADATA0 + __builtin_ctzll(left)));
        struct of_value mask;

        of_field_get(field, &match->mask, &mask);
        of_field_add_mask(field, &mask, told);
    }
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
    if (version != OF_1_1)
        tell_bits(&sent, version, &told);
    of_match_encode(&sent, version, &wire);
    /* Fields keep what they tell, in the order in which they allow each other. */
    bool fits = is_told(&sent, &told) ||
                (of_match_decode(wire.data, wire.size, &again, &n_used) == OF_OK &&
                 match_is_equal(&sent, &again));
    buffer_fini(&wire);
    return fits;
}

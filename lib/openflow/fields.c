/* SPDX-License-Identifier: Apache-2.0 */

/* Fields of whole bytes are copied; the others are at most 8 bytes wide and handled as a number. */

#include "lib/openflow/fields.h"

#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/openflow/match_codec.h"
#include "lib/openflow/tunnel_options.h"

/* 32 bits on the wire, of which 16 are kept. */
static bool is_wide_port(const struct of_field *field)
{
    return field->id == FIELD_IN_PORT_OXM || field->id == FIELD_ACTSET_OUTPUT;
}

static bool is_copied(const struct of_field *field)
{
    return field->n_storage == field->n_bytes && field->n_bits == 8 * field->n_bytes &&
           !field->never_set && !field->n_used && !is_wide_port(field);
}

static uint64_t low_bits(unsigned n_bits)
{
    return n_bits >= 64 ? UINT64_MAX : (UINT64_C(1) << n_bits) - 1;
}

static unsigned n_used_bits(const struct of_field *field)
{
    return field->n_used ? field->n_used : field->n_bits;
}

/* The bits of a number as read from storage that belong to the field. */
static uint64_t number_bits(const struct of_field *field)
{
    return low_bits(n_used_bits(field)) & low_bits(8U * field->n_storage) &
           ~(uint64_t)field->never_set;
}

static uint64_t load_number(const uint8_t *from, size_t n_bytes)
{
    uint64_t number = 0;

    for (size_t i = 0; i < n_bytes; i++)
        number = number << 8 | from[i];
    return number;
}

static void store_number(uint8_t *to, size_t n_bytes, uint64_t number)
{
    for (size_t i = n_bytes; i-- > 0; number >>= 8)
        to[i] = (uint8_t)number;
}

static const uint8_t *storage_const(const struct of_field *field, const struct flow *flow)
{
    return (const uint8_t *)flow + field->offset;
}

static uint8_t *storage(const struct of_field *field, struct flow *flow)
{
    return (uint8_t *)flow + field->offset;
}

/* tun_metadataN: bytes at a place that is known only now, with a bit that says they are there. */

static unsigned option_index(const struct of_field *field)
{
    return (unsigned)field->id - FIELD_TUN_METADATA0;
}

static be64 option_bit(const struct of_field *field)
{
    return be64_from(UINT64_C(1) << option_index(field));
}

static void option_get(const struct of_field *field, const struct flow *flow,
                       struct of_value *value)
{
    struct tunnel_option_place place = tunnel_option_place(option_index(field));

    memcpy(value->bytes + TUNNEL_OPTION_MAX_BYTES - place.n_bytes, flow->tun_options + place.offset,
           place.n_bytes);
}

static void option_set(const struct of_field *field, const struct of_value *value,
                       const struct of_value *mask, struct flow *flow)
{
    struct tunnel_option_place place = tunnel_option_place(option_index(field));
    unsigned skipped = (unsigned)TUNNEL_OPTION_MAX_BYTES - place.n_bytes;
    uint8_t *to = flow->tun_options + place.offset;

    flow->tun_options_present.raw |= option_bit(field).raw;
    for (unsigned i = 0; i < place.n_bytes; i++) {
        uint8_t bits = mask->bytes[skipped + i];
        to[i] = (uint8_t)((to[i] & ~bits) | (value->bytes[skipped + i] & bits));
    }
}

const struct of_field *of_field_option_by_header(uint32_t header)
{
    enum { NUMBER0 = 40 };
    uint32_t number = header >> 9 & 0x7f;

    if (header >> 16 != 0x0001 || number < NUMBER0 || number >= NUMBER0 + TUNNEL_N_OPTIONS)
        return NULL;
    return of_field((enum of_field_id)(FIELD_TUN_METADATA0 + number - NUMBER0));
}

bool of_field_has_place(const struct of_field *field)
{
    return !of_field_is_option(field) || tunnel_option_has_place(option_index(field));
}

/* Where the bits of each field stand in struct flow, filled before main().  No field touches more than three words. */
enum { MAX_FIELD_WORDS = 3 };

struct field_bits {
    uint64_t words[MAX_FIELD_WORDS]; /* From the word on in which it begins. */
};

static struct field_bits field_bits[N_FIELDS];

__attribute__((constructor)) static void fill_bits(void)
{
    for (size_t i = 0; i < N_FIELDS; i++) {
        const struct of_field *field = &of_fields[i];
        struct flow flow = {.metadata = {0}};
        size_t first = field->offset / 8;

        if (of_field_is_option(field))
            continue;
        if (field->n_bits == 8U * field->n_storage && !field->never_set)
            memset(storage(field, &flow), 0xff, field->n_storage);
        else
            of_field_add_mask(field, NULL, &flow);
        for (size_t j = 0; j < MAX_FIELD_WORDS && first + j < FLOW_WORDS; j++)
            field_bits[i].words[j] = flow_words(&flow)[first + j];
    }
}

bool of_field_is_matched(const struct of_field *field, const struct match *match)
{
    if (of_field_is_option(field))
        return match->mask.tun_options_present.raw & option_bit(field).raw;

    const uint64_t *mask = flow_words_const(&match->mask), *bits = field_bits[field->id].words;
    size_t first = field->offset / 8;
    uint64_t any = mask[first] & bits[0];

    for (size_t j = 1; j < MAX_FIELD_WORDS && bits[j]; j++)
        any |= mask[first + j] & bits[j];
    return any;
}

void of_field_delete_option(const struct of_field *field, struct flow *flow)
{
    struct tunnel_option_place place = tunnel_option_place(option_index(field));

    flow->tun_options_present.raw &= ~option_bit(field).raw;
    memset(flow->tun_options + place.offset, 0, place.n_bytes);
}

/* All names, sorted before main(). */
static struct name {
    const char *text;
    const struct of_field *field;
} names[4 * N_FIELDS];
static size_t n_names;

static int compare_names(const void *a, const void *b)
{
    return strcasecmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

__attribute__((constructor)) static void fill_names(void)
{
    for (size_t i = 0; i < N_FIELDS; i++) {
        const struct of_field *field = &of_fields[i];
        const char *all[] = {field->name, field->alias, field->nxm_name, field->oxm_name};

        for (size_t j = 0; j < ARRAY_SIZE(all); j++) {
            if (all[j])
                names[n_names++] = (struct name){all[j], field};
        }
    }
    qsort(names, n_names, sizeof names[0], compare_names);
}

const struct of_field *of_field_by_name(const char *name, size_t length)
{
    size_t low = 0, high = n_names;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strncasecmp(name, names[middle].text, length);

        if (!order && !names[middle].text[length])
            return names[middle].field;
        if (order > 0)
            low = middle + 1;
        else
            high = middle; /* A longer name with this beginning sorts behind it. */
    }
    return NULL;
}

/* Field numbers of a class are below 128, so each class has a direct table, filled before
 * main(). */
enum { N_CLASSES = 5 };
static const uint16_t classes[N_CLASSES] = {0x0000, 0x0001, 0x1000, 0x8000, 0x8001};
static uint8_t by_header[N_CLASSES][128]; /* Field plus 1; 0: none. */

static void note_header(uint32_t header, size_t id)
{
    for (size_t i = 0; header && i < N_CLASSES; i++) {
        if (header >> 16 == classes[i])
            by_header[i][header >> 9 & 127] = (uint8_t)(id + 1);
    }
}

__attribute__((constructor)) static void fill_headers(void)
{
    static_assert(N_FIELDS < 255, "by_header holds field + 1");

    for (size_t i = 0; i < N_FIELDS; i++) {
        if (!of_fields[i].experimenter)
            note_header(of_fields[i].nxm_header, i);
        note_header(of_fields[i].oxm_header, i);
    }
}

const struct of_field *of_field_by_header(uint32_t header)
{
    for (size_t i = 0; header && i < N_CLASSES; i++) { /* 0 is what rows without a header have. */
        if (header >> 16 != classes[i])
            continue;
        uint8_t slot = by_header[i][header >> 9 & 127];
        if (!slot)
            return NULL;
        const struct of_field *field = &of_fields[slot - 1];
        return header == field->nxm_header || header == field->oxm_header ? field : NULL;
    }
    return NULL;
}

const struct of_field *of_field_by_experimenter(uint32_t experimenter, unsigned number)
{
    for (size_t i = 0; i < N_FIELDS; i++) {
        const struct of_field *field = &of_fields[i];

        if (field->experimenter == experimenter && (field->nxm_header >> 9 & 0x7f) == number)
            return field;
        if (experimenter == OXM_EXPERIMENTER_ONF && field->is_onf_before &&
            (field->oxm_header >> 9 & 0x7f) == number)
            return field;
    }
    return NULL;
}

void of_field_get(const struct of_field *field, const struct flow *flow, struct of_value *value)
{
    memset(value, 0, sizeof *value);
    if (of_field_is_option(field)) {
        option_get(field, flow, value);
        return;
    }
    if (is_copied(field)) {
        memcpy(value->bytes, storage_const(field, flow), field->n_bytes);
        return;
    }
    uint64_t number = load_number(storage_const(field, flow), field->n_storage) >> field->shift;
    number &= number_bits(field);
    if (is_wide_port(field))
        number = of_port_to_wire32((of_port)number);
    store_number(value->bytes, field->n_bytes, number);
}

void of_field_set(const struct of_field *field, const struct of_value *value, struct flow *flow)
{
    struct of_value mask;

    of_value_all_ones(field, &mask);
    of_field_set_masked(field, value, &mask, flow);
}

void of_field_set_masked(const struct of_field *field, const struct of_value *value,
                         const struct of_value *mask, struct flow *flow)
{
    uint8_t *to = storage(field, flow);

    if (of_field_is_option(field)) {
        option_set(field, value, mask, flow);
        return;
    }
    if (is_copied(field)) {
        for (size_t i = 0; i < field->n_bytes; i++)
            to[i] = (uint8_t)((to[i] & ~mask->bytes[i]) | (value->bytes[i] & mask->bytes[i]));
        return;
    }
    uint64_t number = load_number(value->bytes, field->n_bytes);
    uint64_t bits = load_number(mask->bytes, field->n_bytes) & number_bits(field);
    if (is_wide_port(field)) {
        of_port port = OFPP_NONE;
        of_port_from_wire32((uint32_t)number, &port);
        number = port;
    }
    uint64_t old = load_number(to, field->n_storage);
    store_number(to, field->n_storage,
                 (old & ~(bits << field->shift)) | (number & bits) << field->shift);
}

void of_field_add_mask(const struct of_field *field, const struct of_value *mask,
                       struct flow *flow_mask)
{
    uint8_t *to = storage(field, flow_mask);
    struct of_value all;

    /* A port is looked at as a whole, whichever width it was named in. */
    if (field->id == FIELD_IN_PORT || field->id == FIELD_IN_PORT_OXM) {
        flow_mask->key.in_port = be32_from(UINT32_MAX);
        return;
    }
    if (!mask) {
        of_value_all_ones(field, &all);
        mask = &all;
    }
    if (of_field_is_option(field)) {
        option_set(field, mask, mask, flow_mask);
        return;
    }
    if (is_copied(field)) {
        for (size_t i = 0; i < field->n_bytes; i++)
            to[i] |= mask->bytes[i];
        return;
    }
    uint64_t bits = load_number(mask->bytes, field->n_bytes) & number_bits(field);
    store_number(to, field->n_storage, load_number(to, field->n_storage) | bits << field->shift);
}

static bool has_eth_type(const struct flow *flow, struct flow *consulted, uint16_t one,
                         uint16_t other)
{
    uint16_t eth_type = be16_host(flow->key.eth_type);

    if (consulted)
        consulted->key.eth_type = be16_from(UINT16_MAX);
    return eth_type == one || eth_type == other;
}

static bool has_transport(const struct flow *flow, struct flow *consulted, uint8_t nw_proto)
{
    if (consulted) {
        consulted->key.nw_proto = UINT8_MAX;
        consulted->key.nw_frag |= NW_FRAG_LATER;
    }
    return flow->key.nw_proto == nw_proto && !(flow->key.nw_frag & NW_FRAG_LATER);
}

static bool has_ip_transport(const struct flow *flow, struct flow *consulted, uint8_t nw_proto)
{
    return has_eth_type(flow, consulted, ETH_TYPE_IPV4, ETH_TYPE_IPV6) &&
           has_transport(flow, consulted, nw_proto);
}

static bool has_icmpv6(const struct flow *flow, struct flow *consulted)
{
    return has_eth_type(flow, consulted, ETH_TYPE_IPV6, ETH_TYPE_IPV6) &&
           has_transport(flow, consulted, IP_PROTO_ICMPV6);
}

/* RFC 4861, sections 4.3 and 4.4: the code is 0. */
static bool has_nd(const struct flow *flow, struct flow *consulted, uint16_t one, uint16_t other)
{
    if (!has_icmpv6(flow, consulted))
        return false;
    if (consulted) {
        of_field_add_mask(of_field(FIELD_ICMPV6_TYPE), NULL, consulted);
        of_field_add_mask(of_field(FIELD_ICMPV6_CODE), NULL, consulted);
    }
    uint16_t type = be16_host(flow->key.tp_src);
    return (type == one || type == other) && be16_host(flow->key.tp_dst) == 0;
}

static bool has_vlan(const struct flow *flow, struct flow *consulted)
{
    if (consulted)
        consulted->key.vlan[0].tci.raw |= be16_from(VLAN_CFI).raw;
    return be16_host(flow->key.vlan[0].tci) & VLAN_CFI;
}

/* Only frames of connections that are known have these bits. */
static bool has_connection(const struct flow *flow, struct flow *consulted)
{
    const uint32_t known = CT_STATE_NEW | CT_STATE_EST | CT_STATE_RPL;

    if (consulted)
        consulted->ct_state.raw |= be32_from(known).raw;
    return be32_host(flow->ct_state) & known;
}

/* Of a match, more bits imply it; and "tracked, and not invalid". */
static bool matches_connection(const struct match *match)
{
    uint32_t state = be32_host(match->flow.ct_state), mask = be32_host(match->mask.ct_state);
    const uint32_t imply = CT_STATE_NEW | CT_STATE_EST | CT_STATE_REL | CT_STATE_RPL |
                           CT_STATE_SNAT | CT_STATE_DNAT;

    return state & imply || (state & CT_STATE_TRK && mask & ~state & CT_STATE_INV);
}

static bool prereq_is_met(enum of_prereq prereq, const struct flow *flow, struct flow *consulted)
{
    switch (prereq) {
    case PREREQ_NONE:
        return true;
    case PREREQ_VLAN:
        return has_vlan(flow, consulted);
    case PREREQ_IPV4:
        return has_eth_type(flow, consulted, ETH_TYPE_IPV4, ETH_TYPE_IPV4);
    case PREREQ_IPV6:
        return has_eth_type(flow, consulted, ETH_TYPE_IPV6, ETH_TYPE_IPV6);
    case PREREQ_IP:
        return has_eth_type(flow, consulted, ETH_TYPE_IPV4, ETH_TYPE_IPV6);
    case PREREQ_ARP:
        return has_eth_type(flow, consulted, ETH_TYPE_ARP, ETH_TYPE_RARP);
    case PREREQ_MPLS:
        return has_eth_type(flow, consulted, ETH_TYPE_MPLS, ETH_TYPE_MPLS_MULTICAST);
    case PREREQ_TCP:
        return has_ip_transport(flow, consulted, IP_PROTO_TCP);
    case PREREQ_UDP:
        return has_ip_transport(flow, consulted, IP_PROTO_UDP);
    case PREREQ_SCTP:
        return has_ip_transport(flow, consulted, IP_PROTO_SCTP);
    case PREREQ_ICMPV4:
        return has_eth_type(flow, consulted, ETH_TYPE_IPV4, ETH_TYPE_IPV4) &&
               has_transport(flow, consulted, IP_PROTO_ICMP);
    case PREREQ_ICMPV6:
        return has_icmpv6(flow, consulted);
    case PREREQ_ND:
        return has_nd(flow, consulted, ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT);
    case PREREQ_ND_SOLICIT:
        return has_nd(flow, consulted, ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_SOLICIT);
    case PREREQ_ND_ADVERT:
        return has_nd(flow, consulted, ND_NEIGHBOR_ADVERT, ND_NEIGHBOR_ADVERT);
    case PREREQ_NSH:
        return has_eth_type(flow, consulted, ETH_TYPE_NSH, ETH_TYPE_NSH);
    case PREREQ_CT:
        return has_connection(flow, consulted);
    case PREREQ_CT_IPV4:
        return has_connection(flow, consulted) &&
               has_eth_type(flow, consulted, ETH_TYPE_IPV4, ETH_TYPE_IPV4);
    case PREREQ_CT_IPV6:
        return has_connection(flow, consulted) &&
               has_eth_type(flow, consulted, ETH_TYPE_IPV6, ETH_TYPE_IPV6);
    }
    return false;
}

bool of_field_is_meaningful(const struct of_field *field, const struct flow *flow,
                            struct flow *consulted)
{
    return prereq_is_met(field->prereq, flow, consulted);
}

/* The match must fix every bit that decides, except what OpenFlow lets it leave open: "not a later
 * fragment" for TCP ports and the like, code 0 for neighbour discovery. */
static bool prereq_allows(enum of_prereq prereq, const struct match *match)
{
    struct flow consulted;

    if (!prereq_is_met(prereq, &match->flow, NULL))
        return false;
    if (prereq >= PREREQ_IPV4 && prereq <= PREREQ_MPLS) /* Only the type decides. */
        return match->mask.key.eth_type.raw == UINT16_MAX;
    memset(&consulted, 0, sizeof consulted.key);
    prereq_is_met(prereq, &match->flow, &consulted);
    consulted.key.nw_frag = 0;
    consulted.key.tp_dst = be16_from(0);

    const uint64_t *needed = flow_words(&consulted), *mask = flow_words_const(&match->mask);
    uint64_t missing = 0;

    for (size_t i = 0; i < FLOW_KEY_WORDS; i++)
        missing |= needed[i] & ~mask[i];
    return !missing;
}

bool of_field_match_allows(const struct of_field *field, const struct match *match)
{
    switch (field->prereq) {
    case PREREQ_NONE:
        return true;
    case PREREQ_CT:
        return matches_connection(match);
    case PREREQ_CT_IPV4:
        return matches_connection(match) && prereq_allows(PREREQ_IPV4, match);
    case PREREQ_CT_IPV6:
        return matches_connection(match) && prereq_allows(PREREQ_IPV6, match);
    default:
        return prereq_allows(field->prereq, match);
    }
}

/* Fields that keys do not hold are kept where those of IP are. */
static bool has_unparsed_field(const struct match *match)
{
    for (size_t i = 0; i < N_FIELDS; i++) {
        const struct of_field *field = &of_fields[i];
        struct of_value mask;

        if (field->engine != ENGINE_NOT_PARSED || !of_field_match_allows(field, match))
            continue;
        of_field_get(field, &match->mask, &mask);
        if (memcmp(&mask, &(struct of_value){.bytes = {0}}, sizeof mask) != 0)
            return true;
    }
    return false;
}

enum of_error of_match_check_engines(const struct match *match)
{
    if (be16_host(match->flow.key.eth_type) == ETH_TYPE_NSH && has_unparsed_field(match))
        return OFPBMC_BAD_FIELD;
    return match->mask.dp_hash.raw || match->flow.key.recirc_id.raw ? OFPBRC_EPERM : OF_OK;
}

bool of_value_is_valid(const struct of_field *field, const struct of_value *value)
{
    of_port port;

    if (of_field_is_option(field)) {
        for (unsigned i = tunnel_option_place(option_index(field)).n_bytes; i < sizeof value->bytes;
             i++) {
            if (value->bytes[sizeof value->bytes - 1 - i])
                return false;
        }
        return true;
    }
    if (is_copied(field))
        return true;
    uint64_t number = of_value_u64(field, value);
    if (is_wide_port(field))
        return of_port_from_wire32((uint32_t)number, &port);
    return !(number & ~number_bits(field));
}

void of_value_all_ones(const struct of_field *field, struct of_value *value)
{
    memset(value, 0, sizeof *value);
    if (of_field_is_option(field)) {
        unsigned n_bytes = tunnel_option_place(option_index(field)).n_bytes;
        memset(value->bytes + sizeof value->bytes - n_bytes, 0xff, n_bytes);
        return;
    }
    if (n_used_bits(field) == 8U * field->n_bytes)
        memset(value->bytes, 0xff, field->n_bytes);
    else
        store_number(value->bytes, field->n_bytes, low_bits(n_used_bits(field)));
}

bool of_value_is_all_ones(const struct of_field *field, const struct of_value *value)
{
    struct of_value ones;

    of_value_all_ones(field, &ones);
    return !memcmp(value->bytes, ones.bytes, field->n_bytes);
}

uint64_t of_value_u64(const struct of_field *field, const struct of_value *value)
{
    return load_number(value->bytes, field->n_bytes);
}

void of_value_from_u64(const struct of_field *field, uint64_t number, struct of_value *value)
{
    memset(value, 0, sizeof *value);
    store_number(value->bytes, field->n_bytes, number);
}

/* Copies 'n_bits' bits between big-endian strings; bit 0 is the last byte's lowest. */
static void copy_bits(const uint8_t *from, size_t from_bytes, unsigned from_first, uint8_t *to,
                      size_t to_bytes, unsigned to_first, unsigned n_bits)
{
    if (!((from_first | to_first | n_bits) % 8)) {
        memmove(to + to_bytes - (to_first + n_bits) / 8,
                from + from_bytes - (from_first + n_bits) / 8, n_bits / 8);
        return;
    }
    for (unsigned i = 0; i < n_bits; i++) {
        unsigned source = from_first + i, target = to_first + i;
        uint8_t *byte = &to[to_bytes - 1 - target / 8];
        uint8_t bit = (uint8_t)(1U << target % 8);

        if (from[from_bytes - 1 - source / 8] >> source % 8 & 1)
            *byte |= bit;
        else
            *byte &= (uint8_t)~bit;
    }
}

static void subfield_mask(const struct of_subfield *part, struct of_value *mask)
{
    struct of_value ones;

    memset(&ones, 0xff, sizeof ones);
    memset(mask, 0, sizeof *mask);
    copy_bits(ones.bytes, sizeof ones.bytes, 0, mask->bytes, part->field->n_bytes, part->first,
              part->n_bits);
}

void of_subfield_get(const struct of_subfield *part, const struct flow *flow,
                     struct of_value *value)
{
    struct of_value whole;

    of_field_get(part->field, flow, &whole);
    memset(value, 0, sizeof *value);
    copy_bits(whole.bytes, part->field->n_bytes, part->first, value->bytes, sizeof value->bytes, 0,
              part->n_bits);
}

void of_subfield_place(const struct of_subfield *part, const struct of_value *value,
                       struct of_value *whole, struct of_value *mask)
{
    memset(whole, 0, sizeof *whole);
    copy_bits(value->bytes, sizeof value->bytes, 0, whole->bytes, part->field->n_bytes, part->first,
              part->n_bits);
    subfield_mask(part, mask);
}

void of_subfield_set(const struct of_subfield *part, const struct of_value *value,
                     struct flow *flow)
{
    struct of_value whole, mask;

    of_subfield_place(part, value, &whole, &mask);
    of_field_set_masked(part->field, &whole, &mask, flow);
}

void of_subfield_add_mask(const struct of_subfield *part, struct flow *flow_mask)
{
    struct of_value mask;

    subfield_mask(part, &mask);
    of_field_add_mask(part->field, &mask, flow_mask);
}

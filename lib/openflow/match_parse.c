/* SPDX-License-Identifier: Apache-2.0 */

/* Fields of a match as people write them.  One key may stand for several fields that share storage,
 * such as nw_src for the addresses of IPv4 and ARP: which it was shows when all has been read. */

#include "lib/openflow/flow_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/openflow/fields.h"
#include "lib/openflow/match_text.h"
#include "lib/openflow/text.h"

static const struct {
    const char *word;
    uint16_t eth_type;
    uint8_t nw_proto; /* 0: any. */
} words[] = {
    {"ip", ETH_TYPE_IPV4, 0},
    {"tcp", ETH_TYPE_IPV4, IP_PROTO_TCP},
    {"udp", ETH_TYPE_IPV4, IP_PROTO_UDP},
    {"icmp", ETH_TYPE_IPV4, IP_PROTO_ICMP},
    {"sctp", ETH_TYPE_IPV4, IP_PROTO_SCTP},
    {"ipv6", ETH_TYPE_IPV6, 0},
    {"ip6", ETH_TYPE_IPV6, 0},
    {"tcp6", ETH_TYPE_IPV6, IP_PROTO_TCP},
    {"udp6", ETH_TYPE_IPV6, IP_PROTO_UDP},
    {"icmp6", ETH_TYPE_IPV6, IP_PROTO_ICMPV6},
    {"sctp6", ETH_TYPE_IPV6, IP_PROTO_SCTP},
    {"arp", ETH_TYPE_ARP, 0},
    {"rarp", ETH_TYPE_RARP, 0},
    {"mpls", ETH_TYPE_MPLS, 0},
    {"mplsm", ETH_TYPE_MPLS_MULTICAST, 0},
};

/* Keys that stand for more than one field; the first says how the value is written. */
static const struct shared_key {
    const char *keys[3];
    uint16_t fields[4];
} shared_keys[] = {
    {{"nw_src", "ip_src"}, {FIELD_IPV4_SRC, FIELD_ARP_SPA, N_FIELDS}},
    {{"nw_dst", "ip_dst"}, {FIELD_IPV4_DST, FIELD_ARP_TPA, N_FIELDS}},
    {{"nw_proto", "ip_proto"}, {FIELD_IP_PROTO, FIELD_ARP_OP, N_FIELDS}},
    {{"tp_src"}, {FIELD_TCP_SRC, FIELD_UDP_SRC, FIELD_SCTP_SRC, N_FIELDS}},
    {{"tp_dst"}, {FIELD_TCP_DST, FIELD_UDP_DST, FIELD_SCTP_DST, N_FIELDS}},
    {{"icmp_type"}, {FIELD_ICMPV4_TYPE, FIELD_ICMPV6_TYPE, N_FIELDS}},
    {{"icmp_code"}, {FIELD_ICMPV4_CODE, FIELD_ICMPV6_CODE, N_FIELDS}},
};

static uint16_t single_fields[N_FIELDS][2]; /* A list of one for each field. */

__attribute__((constructor)) static void fill_single_fields(void)
{
    for (size_t i = 0; i < N_FIELDS; i++) {
        single_fields[i][0] = (uint16_t)i;
        single_fields[i][1] = N_FIELDS;
    }
}

void match_text_init(struct match_text *text, struct match *match, const struct of_names *names)
{
    match_init_any(match);
    text->match = match;
    text->names = names;
    text->n_keys = 0;
}

static int note_key(struct match_text *text, const char *key, const uint16_t *fields,
                    struct error *error)
{
    if (text->n_keys == MATCH_TEXT_MAX_KEYS)
        return error_set(error, -E2BIG, "%s: a match has at most %d fields", key,
                         MATCH_TEXT_MAX_KEYS);
    text->keys[text->n_keys].key = key;
    text->keys[text->n_keys++].fields = fields;
    return 0;
}

/* Adds a field, unless what stands there already says otherwise. */
static int set_field(struct match *match, const char *key, const char *shown,
                     const struct of_field *field, const struct of_value *value,
                     const struct of_value *mask, struct error *error)
{
    struct of_value old, old_mask;

    of_field_get(field, &match->flow, &old);
    of_field_get(field, &match->mask, &old_mask);
    for (size_t i = 0; i < sizeof old.bytes; i++) {
        if ((old.bytes[i] ^ value->bytes[i]) & old_mask.bytes[i] & mask->bytes[i])
            return error_set(error, -EINVAL, "%s%s%s contradicts what the match says before", key,
                             shown ? "=" : "", shown ? shown : "");
    }
    of_field_set_masked(field, value, mask, &match->flow);
    of_field_add_mask(field, mask, &match->mask);
    return 0;
}

static int set_number(struct match *match, const char *key, const char *shown, enum of_field_id id,
                      uint64_t number, uint64_t bits, struct error *error)
{
    struct of_value value, mask;

    of_value_from_u64(of_field(id), number, &value);
    of_value_from_u64(of_field(id), bits, &mask);
    return set_field(match, key, shown, of_field(id), &value, &mask, error);
}

/* 0, an error, or 1: 'key' is no such word. */
static int add_word(struct match_text *text, const char *key, struct error *error)
{
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strcasecmp(words[i].word, key))
            continue;
        int result = set_number(text->match, key, NULL, FIELD_ETH_TYPE, words[i].eth_type,
                                UINT16_MAX, error);
        if (!result && words[i].nw_proto)
            result = set_number(text->match, key, NULL, FIELD_IP_PROTO, words[i].nw_proto,
                                UINT8_MAX, error);
        return result;
    }
    return 1;
}

/* dl_vlan and dl_vlan_pcp imply that there is a tag; dl_vlan=0xffff, that there is none. */
static int add_vlan(struct match_text *text, const char *key, const char *value, bool is_vid,
                    struct error *error)
{
    uint64_t number, max = is_vid ? VLAN_VID_MASK : 7;

    if (!text_parse_u64(value, &number) || (number > max && !(is_vid && number == UINT16_MAX)))
        return error_set(error, -EINVAL, "%s=%s: expected 0 to %u%s", key, value, (unsigned)max,
                         is_vid ? ", or 0xffff for \"no tag\"" : "");
    if (number == UINT16_MAX)
        return set_number(text->match, key, value, FIELD_VLAN_TCI, 0, UINT16_MAX, error);
    number = is_vid ? number : number << VLAN_PCP_SHIFT;
    return set_number(text->match, key, value, FIELD_VLAN_TCI, VLAN_CFI | number,
                      VLAN_CFI | (is_vid ? VLAN_VID_MASK : VLAN_PCP_MASK), error);
}

static int add_in_port(struct match_text *text, const char *key, const char *value,
                       struct error *error)
{
    of_port port;
    int result = of_port_parse(value, text->names, &port, error);

    if (result)
        return error_prefix(error, "%s", key);
    return set_number(text->match, key, value, FIELD_IN_PORT, port, UINT16_MAX, error);
}

static const uint16_t *fields_of_key(const char *key)
{
    for (size_t i = 0; i < ARRAY_SIZE(shared_keys); i++) {
        for (size_t j = 0; j < 3 && shared_keys[i].keys[j]; j++) {
            if (!strcasecmp(shared_keys[i].keys[j], key))
                return shared_keys[i].fields;
        }
    }
    const struct of_field *field = of_field_by_name(key, strlen(key));
    return field ? single_fields[field->id] : NULL;
}

static int lacks_room(const char *key, struct error *error)
{
    return error_set(error, -E2BIG, "%s: no room for one more option of tunnels", key);
}

static int add_field(struct match_text *text, const char *key, const char *text_value,
                     const uint16_t *fields, struct error *error)
{
    const struct of_field *field = of_field((enum of_field_id)fields[0]);
    struct of_value value, mask;

    if (!of_field_has_place(field))
        return lacks_room(key, error);
    int result = of_value_parse_masked(field, text_value, &value, &mask, error);

    if (!result && !of_value_is_valid(field, &value))
        result = error_set(error, -ERANGE, "%s=%s: not a value of %s", key, text_value, key);
    if (!result && field->mask_rule == MASK_NONE && !of_value_is_all_ones(field, &mask))
        result = error_set(error, -EINVAL, "%s=%s: %s cannot have a mask", key, text_value, key);
    if (!result && field->id == FIELD_PACKET_TYPE && !of_value_u64(field, &value))
        return 0; /* Ethernet: each frame. */
    if (!result)
        result = set_field(text->match, key, text_value, field, &value, &mask, error);
    return result ? result : note_key(text, key, fields, error);
}

/* "tun_metadata0": it has to be there. */
static int add_option(struct match_text *text, const char *key, struct error *error)
{
    const struct of_field *field = of_field_by_name(key, strlen(key));
    const struct of_value none = {.bytes = {0}};

    if (!of_field_has_place(field))
        return lacks_room(key, error);
    of_field_set_masked(field, &none, &none, &text->match->flow);
    of_field_add_mask(field, &none, &text->match->mask);
    return 0;
}

int match_text_add(struct match_text *text, const char *key, const char *value, struct error *error)
{
    if (!value) {
        if (!strcasecmp(key, "eth"))
            return 0; /* An Ethernet frame, as all are. */
        if (!strncasecmp(key, "tun_metadata", strlen("tun_metadata")) && fields_of_key(key))
            return add_option(text, key, error);
        int result = add_word(text, key, error);
        if (result <= 0)
            return result;
        return fields_of_key(key) || !strcmp(key, "dl_vlan")
                   ? error_set(error, -EINVAL, "%s: expected %s=VALUE", key, key)
                   : -ENOENT;
    }
    if (!strcasecmp(key, "dl_vlan"))
        return add_vlan(text, key, value, true, error);
    if (!strcasecmp(key, "dl_vlan_pcp") || !strcasecmp(key, "vlan_pcp"))
        return add_vlan(text, key, value, false, error);
    if (!strcasecmp(key, "in_port"))
        return add_in_port(text, key, value, error);

    const uint16_t *fields = fields_of_key(key);
    return fields ? add_field(text, key, value, fields, error) : -ENOENT;
}

static const char *prereq_word(enum of_prereq prereq)
{
    static const char *const prereq_words[] = {
        [PREREQ_NONE] = "nothing",
        [PREREQ_VLAN] = "a VLAN (dl_vlan=...)",
        [PREREQ_IPV4] = "ip",
        [PREREQ_IPV6] = "ipv6",
        [PREREQ_IP] = "ip or ipv6",
        [PREREQ_ARP] = "arp or rarp",
        [PREREQ_MPLS] = "mpls",
        [PREREQ_TCP] = "tcp or tcp6",
        [PREREQ_UDP] = "udp or udp6",
        [PREREQ_SCTP] = "sctp or sctp6",
        [PREREQ_ICMPV4] = "icmp",
        [PREREQ_ICMPV6] = "icmp6",
        [PREREQ_ND] = "icmp6,icmp_type=135 (or 136)",
        [PREREQ_ND_SOLICIT] = "icmp6,icmp_type=135",
        [PREREQ_ND_ADVERT] = "icmp6,icmp_type=136",
        [PREREQ_NSH] = "dl_type=0x894f",
        [PREREQ_CT] = "a connection (ct_state=+est, say)",
        [PREREQ_CT_IPV4] = "ip and a connection (ct_state=+est, say)",
        [PREREQ_CT_IPV6] = "ipv6 and a connection (ct_state=+est, say)",
    };

    return prereq_words[prereq];
}

static bool is_allowed(const struct match *match, const uint16_t *fields)
{
    for (; *fields != N_FIELDS; fields++) {
        if (of_field_match_allows(of_field((enum of_field_id) * fields), match))
            return true;
    }
    return false;
}

static int lacks_prerequisite(const char *key, const uint16_t *fields, struct error *error)
{
    char needed[160] = "";

    for (size_t i = 0; fields[i] != N_FIELDS; i++) {
        const char *word = prereq_word(of_field((enum of_field_id)fields[i])->prereq);
        size_t length = strlen(needed);
        snprintf(needed + length, sizeof needed - length, "%s%s", i ? " or " : "", word);
    }
    return error_set(error, -EINVAL, "%s: matches nothing without %s", key, needed);
}

int match_text_finish(const struct match_text *text, struct error *error)
{
    for (size_t i = 0; i < text->n_keys; i++) {
        const struct of_field *field = of_field((enum of_field_id)text->keys[i].fields[0]);
        struct of_value mask;

        of_field_get(field, &text->match->mask, &mask);
        bool is_wild = true;
        for (size_t j = 0; j < sizeof mask.bytes; j++)
            is_wild = is_wild && !mask.bytes[j];
        if (!is_wild && !is_allowed(text->match, text->keys[i].fields))
            return lacks_prerequisite(text->keys[i].key, text->keys[i].fields, error);
    }
    return 0;
}

static int parse_items(char *cursor, struct match_text *parsed, struct error *error)
{
    struct text_item item;

    while (text_next_item(&cursor, &item)) {
        if (!item.key)
            return error_set(error, -EINVAL, "%.60s: brackets do not match", cursor);
        int result = match_text_add(parsed, item.key, item.value, error);
        if (result == -ENOENT && !(error && error->code))
            return error_set(error, -ENOENT, "%s: no such field", item.key);
        if (result)
            return result;
    }
    return match_text_finish(parsed, error);
}

int of_match_parse(const char *text, const struct of_names *names, struct match *match,
                   struct error *error)
{
    char *copy = strdup(text);
    struct match_text parsed;

    if (!copy)
        abort();
    match_text_init(&parsed, match, names);
    int result = parse_items(copy, &parsed, error);
    free(copy);
    return result;
}

/* SPDX-License-Identifier: Apache-2.0 */

/* Datapath flows as text: groups "name(...)" of "key=value[/mask]", nested in "encap(...)".  A table says
 * where in the flow key each value goes. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "vswitchd/trace.h"

enum value_type {
    VALUE_U8,
    VALUE_BE16,
    VALUE_BE32,
    VALUE_U8_IN_BE16, /* ICMP's type and code. */
    VALUE_MAC,
    VALUE_IPV4,
    VALUE_IPV6,
    VALUE_FRAG,
    VALUE_IGNORED,
};

struct place {
    const char *group;
    const char *name; /* NULL: the group has one value without a name. */
    enum value_type type;
    size_t offset;
};

#define AT(member) offsetof(struct flow_key, member)
static const struct place places[] = {
    {"recirc_id", NULL, VALUE_IGNORED, 0},
    {"in_port", NULL, VALUE_BE32, AT(in_port)},
    {"skb_mark", NULL, VALUE_BE32, AT(pkt_mark)},
    {"skb_priority", NULL, VALUE_IGNORED, 0},
    {"dp_hash", NULL, VALUE_IGNORED, 0},
    {"packet_type", "ns", VALUE_IGNORED, 0},
    {"packet_type", "id", VALUE_IGNORED, 0},
    {"eth", "src", VALUE_MAC, AT(eth_src)},
    {"eth", "dst", VALUE_MAC, AT(eth_dst)},
    {"ipv4", "src", VALUE_IPV4, AT(nw_src)},
    {"ipv4", "dst", VALUE_IPV4, AT(nw_dst)},
    {"ipv4", "proto", VALUE_U8, AT(nw_proto)},
    {"ipv4", "tos", VALUE_U8, AT(nw_tos)},
    {"ipv4", "ttl", VALUE_U8, AT(nw_ttl)},
    {"ipv4", "frag", VALUE_FRAG, AT(nw_frag)},
    {"ipv6", "src", VALUE_IPV6, AT(ipv6_src)},
    {"ipv6", "dst", VALUE_IPV6, AT(ipv6_dst)},
    {"ipv6", "label", VALUE_BE32, AT(ipv6_label)},
    {"ipv6", "proto", VALUE_U8, AT(nw_proto)},
    {"ipv6", "tclass", VALUE_U8, AT(nw_tos)},
    {"ipv6", "hlimit", VALUE_U8, AT(nw_ttl)},
    {"ipv6", "frag", VALUE_FRAG, AT(nw_frag)},
    {"arp", "sip", VALUE_IPV4, AT(nw_src)},
    {"arp", "tip", VALUE_IPV4, AT(nw_dst)},
    {"arp", "op", VALUE_U8, AT(nw_proto)},
    {"arp", "sha", VALUE_MAC, AT(arp_sha)},
    {"arp", "tha", VALUE_MAC, AT(arp_tha)},
    {"tcp", "src", VALUE_BE16, AT(tp_src)},
    {"tcp", "dst", VALUE_BE16, AT(tp_dst)},
    {"udp", "src", VALUE_BE16, AT(tp_src)},
    {"udp", "dst", VALUE_BE16, AT(tp_dst)},
    {"sctp", "src", VALUE_BE16, AT(tp_src)},
    {"sctp", "dst", VALUE_BE16, AT(tp_dst)},
    {"tcp_flags", NULL, VALUE_BE16, AT(tcp_flags)},
    {"icmp", "type", VALUE_U8_IN_BE16, AT(tp_src)},
    {"icmp", "code", VALUE_U8_IN_BE16, AT(tp_dst)},
    {"icmpv6", "type", VALUE_U8_IN_BE16, AT(tp_src)},
    {"icmpv6", "code", VALUE_U8_IN_BE16, AT(tp_dst)},
    {"nd", "target", VALUE_IPV6, AT(nd_target)},
    {"nd", "sll", VALUE_MAC, AT(arp_sha)},
    {"nd", "tll", VALUE_MAC, AT(arp_tha)},
    {"nd_ext", "nd_reserved", VALUE_BE32, AT(nd_reserved)},
    {"nd_ext", "nd_options_type", VALUE_U8, AT(nd_options_type)},
    {"mpls", "lse0", VALUE_BE32, AT(mpls_lse[0])},
    {"mpls", "lse1", VALUE_BE32, AT(mpls_lse[1])},
    {"mpls", "lse2", VALUE_BE32, AT(mpls_lse[2])},
};
#undef AT

enum { MAX_WORD = 64, MAX_NESTING = FLOW_N_VLANS };

struct parser {
    const char *at;
    const struct topology *topology;
    struct flow_key *key;
    struct error *error;
    int n_tags, n_labels;
    int nesting;
};

static int refuse(struct parser *p, const char *what, const char *word)
{
    return error_set(p->error, -EINVAL, "datapath flow: %s \"%s\"", what, word);
}

/* Reads up to one of 'ends' or the end of the text. */
static int get_word(struct parser *p, const char *ends, char word[static MAX_WORD])
{
    size_t n = strcspn(p->at, ends);

    if (n >= MAX_WORD) {
        memcpy(word, p->at, MAX_WORD - 1);
        word[MAX_WORD - 1] = '\0';
        return refuse(p, "too long a word", word);
    }
    memcpy(word, p->at, n);
    word[n] = '\0';
    p->at += n;
    return 0;
}

static bool parse_number(const char *text, unsigned long max, unsigned long *number)
{
    char *end;

    errno = 0;
    *number = strtoul(text, &end, 0);
    return *text && *text != '-' && !*end && !errno && *number <= max;
}

static bool parse_mac(const char *text, struct mac *mac)
{
    int n = 0;

    return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac->bytes[0], &mac->bytes[1],
                  &mac->bytes[2], &mac->bytes[3], &mac->bytes[4], &mac->bytes[5], &n) == 6 &&
           !text[n];
}

static bool parse_frag(const char *text, uint8_t *frag)
{
    static const struct {
        const char *name;
        uint8_t frag;
    } names[] = {{"no", 0}, {"first", NW_FRAG_ANY}, {"later", NW_FRAG_ANY | NW_FRAG_LATER}};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(text, names[i].name)) {
            *frag = names[i].frag;
            return true;
        }
    }
    return false;
}

static bool store_value(const struct place *place, const char *text, struct flow_key *key)
{
    uint8_t *to = (uint8_t *)key + place->offset;
    unsigned long number;

    switch (place->type) {
    case VALUE_IGNORED:
        return true;
    case VALUE_MAC:
        return parse_mac(text, (struct mac *)(void *)to);
    case VALUE_IPV4:
        return inet_pton(AF_INET, text, to) == 1;
    case VALUE_IPV6:
        return inet_pton(AF_INET6, text, to) == 1;
    case VALUE_FRAG:
        return parse_frag(text, to);
    case VALUE_U8:
        if (!parse_number(text, UINT8_MAX, &number))
            return false;
        *to = (uint8_t)number;
        return true;
    case VALUE_U8_IN_BE16:
    case VALUE_BE16:
        if (!parse_number(text, place->type == VALUE_BE16 ? UINT16_MAX : UINT8_MAX, &number))
            return false;
        be16_store(to, (uint16_t)number);
        return true;
    case VALUE_BE32:
        if (!parse_number(text, UINT32_MAX, &number))
            return false;
        be32_store(to, (uint32_t)number);
        return true;
    }
    return false;
}

static int put_vlan(struct parser *p, const char *name, const char *text)
{
    struct flow_vlan *tag = &p->key->vlan[p->n_tags - 1];
    uint16_t tci = be16_host(tag->tci);
    unsigned long number;

    if (!strcmp(name, "vid") && parse_number(text, VLAN_VID_MASK, &number))
        tci = (uint16_t)(tci | number);
    else if (!strcmp(name, "pcp") && parse_number(text, 7, &number))
        tci = (uint16_t)(tci | number << VLAN_PCP_SHIFT);
    else if (strcmp(name, "cfi"))
        return refuse(p, "bad value in vlan()", text);
    tag->tci = be16_from(tci);
    return 0;
}

/* True: 'name' is that of a datapath port. */
static bool find_port(struct parser *p, const char *name)
{
    for (uint32_t i = 0; p->topology && i < ARRAY_SIZE(p->topology->by_dp_port); i++) {
        const struct port_view *port = p->topology->by_dp_port[i];

        if (port && !strcmp(port->name, name)) {
            p->key->in_port = be32_from(i);
            return true;
        }
    }
    return false;
}

/* Parts of labels, outermost label first: each begins with its number. */
static int put_mpls(struct parser *p, const char *name, const char *text)
{
    static const struct {
        const char *name;
        unsigned shift;
        unsigned long max;
    } parts[] = {{"label", 12, 0xfffff}, {"tc", 9, 7}, {"bos", 8, 1}, {"ttl", 0, UINT8_MAX}};
    unsigned long number;

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        if (strcmp(name, parts[i].name))
            continue;
        p->n_labels += !i || !p->n_labels;
        if (p->n_labels > FLOW_N_MPLS || !parse_number(text, parts[i].max, &number))
            return refuse(p, "bad value in mpls()", text);
        be32 *lse = &p->key->mpls_lse[p->n_labels - 1];
        *lse = be32_from(be32_host(*lse) | (uint32_t)(number << parts[i].shift));
        return 0;
    }
    return refuse(p, "unknown field", name);
}

static int put_value(struct parser *p, const char *group, const char *name, const char *text)
{
    unsigned long number;

    if (!strcmp(group, "vlan"))
        return put_vlan(p, name, text);
    if (!strcmp(group, "mpls") && strncmp(name, "lse", 3))
        return put_mpls(p, name, text);
    if (!strcmp(group, "eth_type")) {
        if (!parse_number(text, UINT16_MAX, &number))
            return refuse(p, "bad Ethernet type", text);
        p->key->eth_type = be16_from((uint16_t)number);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        if (strcmp(group, places[i].group) || strcmp(name, places[i].name ? places[i].name : ""))
            continue;
        if (!strcmp(group, "in_port") && find_port(p, text))
            return 0;
        return store_value(&places[i], text, p->key) ? 0 : refuse(p, "bad value", text);
    }
    return refuse(p, "unknown field", *name ? name : group);
}

/* The values of a group, up to its closing parenthesis. */
static int parse_group(struct parser *p, const char *group)
{
    if (*p->at == ')') { /* "eth()" */
        p->at++;
        return 0;
    }
    for (;;) {
        char word[MAX_WORD], *value, *mask;
        int error = get_word(p, ",)", word);

        if (error)
            return error;
        value = strchr(word, '=');
        mask = strchr(word, '/');
        if (mask)
            *mask = '\0';
        if (value)
            *value++ = '\0';
        error = put_value(p, group, value ? word : "", value ? value : word);
        if (error)
            return error;
        if (*p->at == ')') {
            p->at++;
            return 0;
        }
        if (*p->at++ != ',')
            return refuse(p, "missing ')' in", group);
    }
}

static int begin_tag(struct parser *p)
{
    if (p->n_tags == FLOW_N_VLANS)
        return refuse(p, "too many", "vlan()");
    p->key->vlan[p->n_tags].tpid = p->key->eth_type;
    p->key->vlan[p->n_tags].tci = be16_from(VLAN_CFI);
    p->key->eth_type = be16_from(0);
    p->n_tags++;
    return 0;
}

static int parse_groups(struct parser *p)
{
    while (*p->at) {
        char group[MAX_WORD];
        int error;

        if (*p->at == ',' || *p->at == ' ') {
            p->at++;
            continue;
        }
        if (*p->at == ')' && p->nesting > 0) {
            p->at++;
            p->nesting--;
            continue;
        }
        error = get_word(p, "(", group);
        if (error)
            return error;
        if (*p->at++ != '(')
            return refuse(p, "missing '(' after", group);
        if (!strcmp(group, "encap")) {
            if (++p->nesting > MAX_NESTING)
                return refuse(p, "too many", "encap()");
            continue;
        }
        error = !strcmp(group, "vlan") ? begin_tag(p) : 0;
        if (!error)
            error = parse_group(p, group);
        if (error)
            return error;
    }
    return p->nesting ? refuse(p, "missing ')' of", "encap(") : 0;
}

int trace_parse_dp_flow(const char *text, const struct topology *topology, struct flow_key *key,
                        struct error *error)
{
    struct parser p = {.at = text, .topology = topology, .key = key, .error = error};

    memset(key, 0, sizeof *key);
    return parse_groups(&p);
}

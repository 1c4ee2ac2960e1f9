/* SPDX-License-Identifier: Apache-2.0 */

/* ct(...) and nat(...) as people write them. */

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/action_ct.h"

/* Cuts off the address in front of '-', ':' or the end; IPv6 may stand in brackets, and must with ports.
 * Returns what follows it, with its first character, or NULL. */
static char *cut_address(char *text, char **address, char *follows)
{
    bool has_brackets = *text == '[';
    char *end;

    *address = text + has_brackets;
    if (has_brackets) {
        end = strchr(text, ']');
        if (!end)
            return NULL;
        *end++ = '\0';
    } else if (strchr(text, '.')) {
        end = text + strcspn(text, "-:");
    } else {
        end = text + strcspn(text, "-");
    }
    *follows = *end;
    if (*end)
        *end++ = '\0';
    return end;
}

static bool parse_address(const char *text, struct ofa_nat *nat, struct ipv6_addr *address)
{
    uint8_t family = strchr(text, ':') ? 6 : 4;

    if (nat->family && nat->family != family)
        return false;
    nat->family = family;
    return inet_pton(family == 4 ? AF_INET : AF_INET6, text, address->bytes) == 1;
}

static bool parse_ports(char *text, struct ofa_nat *nat)
{
    char *dash = strchr(text, '-');
    uint64_t first, last = 0;

    if (dash)
        *dash++ = '\0';
    if (!text_parse_u64(text, &first) || first > UINT16_MAX ||
        (dash && (!text_parse_u64(dash, &last) || last > UINT16_MAX)))
        return false;
    nat->port_min = (uint16_t)first;
    nat->port_max = (uint16_t)last;
    return true;
}

/* "1.2.3.4-1.2.3.10:100-200", "[fe80::1]:80", which is changed. */
static bool parse_range(char *text, struct ofa_nat *nat)
{
    char *address, follows;
    char *rest = cut_address(text, &address, &follows);

    if (!rest || !parse_address(address, nat, &nat->min))
        return false;
    if (follows == '-') {
        rest = cut_address(rest, &address, &follows);
        if (!rest || follows == '-' || !parse_address(address, nat, &nat->max))
            return false;
    }
    if (follows == ':' && !parse_ports(rest, nat))
        return false;
    if (follows && follows != ':')
        return false;
    if (nat->family == 4 && !memcmp(nat->min.bytes, "\0\0\0\0", 4))
        nat->family = 0; /* 0.0.0.0 means what no address means. */
    return ofa_nat_is_sound(nat);
}

static int parse_nat_argument(struct action_parser *parser, const struct text_item *item,
                              struct ofa_nat *nat)
{
    static const struct {
        const char *name;
        uint16_t flag;
    } flags[] = {{"persistent", OFNAT_PERSISTENT}, {"hash", OFNAT_HASH}, {"random", OFNAT_RANDOM}};
    bool is_source = item->key && !strcmp(item->key, "src");

    if (is_source || (item->key && !strcmp(item->key, "dst"))) {
        if (nat->flags & (OFNAT_SRC | OFNAT_DST))
            return error_set(parser->error, -EINVAL, "nat(): either src or dst, once");
        nat->flags |= is_source ? OFNAT_SRC : OFNAT_DST;
        if (item->value && *item->value && !parse_range(item->value, nat))
            return error_set(parser->error, -EINVAL,
                             "nat(%s=...): expected an address, or two with '-', and perhaps "
                             "ports like :80-90",
                             item->key);
        return 0;
    }
    for (size_t i = 0; item->key && i < ARRAY_SIZE(flags); i++) {
        if (!strcmp(item->key, flags[i].name)) {
            nat->flags |= flags[i].flag;
            return 0;
        }
    }
    return error_set(parser->error, -EINVAL,
                     "nat(%s): expected src, dst, persistent, hash or random",
                     item->key ? item->key : "");
}

static int put_nat(struct action_parser *parser, const struct text_item *item)
{
    char *cursor = item->value;
    struct ofa_nat *nat = (struct ofa_nat *)(void *)ofa_put(parser->list, OFA_NAT);
    struct text_item inner;
    int result = 0;

    while (!result && cursor && text_next_item(&cursor, &inner))
        result = parse_nat_argument(parser, &inner, nat);
    if (!result && nat->flags && !(nat->flags & (OFNAT_SRC | OFNAT_DST)))
        result = error_set(parser->error, -EINVAL, "nat(): this needs src or dst");
    return result;
}

/* A NAT that does not come first is printed in exec(). */
int ofa_parse_nat(struct action_parser *parser, const struct text_item *item, int argument UNUSED)
{
    if (parser->is_in_ct)
        return put_nat(parser, item);
    return error_set(parser->error, -EINVAL, "nat: only as an argument of ct()");
}

static int parse_zone(struct action_parser *parser, const char *text, struct ofa_ct *ct)
{
    struct of_subfield part;
    uint64_t zone;

    if (text_parse_u64(text, &zone) && zone <= UINT16_MAX) {
        ct->zone = (uint16_t)zone;
        return 0;
    }
    if (of_subfield_parse(text, &part, parser->error))
        return error_prefix(parser->error, "ct(zone=%s)", text);
    if (part.n_bits != 16)
        return error_set(parser->error, -EINVAL, "ct(zone=%s): these are %u bits, not 16", text,
                         part.n_bits);
    ct->zone_source = ofa_part_of(&part);
    return 0;
}

static int parse_alg(struct action_parser *parser, const char *text, struct ofa_ct *ct)
{
    if (!strcmp(text, "ftp"))
        ct->alg = OFCT_ALG_FTP;
    else if (!strcmp(text, "tftp"))
        ct->alg = OFCT_ALG_TFTP;
    else
        return error_set(parser->error, -EINVAL, "ct(alg=%s): expected ftp or tftp", text);
    return 0;
}

static int parse_exec(struct action_parser *parser, char *text)
{
    bool was_nested = parser->is_nested, was_in_ct = parser->is_in_ct;

    parser->is_nested = parser->is_in_ct = true;
    int result = action_parse_list(parser, text);
    parser->is_nested = was_nested;
    parser->is_in_ct = was_in_ct;
    return result;
}

/* 'ct' is a copy, since actions are appended meanwhile. */
static int parse_argument(struct action_parser *parser, const struct text_item *item,
                          struct ofa_ct *ct)
{
    const char *key = item->key ? item->key : "";

    if (!strcmp(key, "commit")) {
        ct->flags |= OFCT_COMMIT;
        return 0;
    }
    if (!strcmp(key, "force")) {
        ct->flags |= OFCT_FORCE;
        return 0;
    }
    if (!strcmp(key, "nat"))
        return put_nat(parser, item);
    if (item->value && !strcmp(key, "exec"))
        return parse_exec(parser, item->value);
    if (item->value && !strcmp(key, "zone"))
        return parse_zone(parser, item->value, ct);
    if (item->value && !strcmp(key, "alg"))
        return parse_alg(parser, item->value, ct);
    if (item->value && !strcmp(key, "table")) {
        return of_table_parse(item->value, parser->names, OF_TABLE_ALL - 1, &ct->table_id,
                              parser->error)
                   ? error_prefix(parser->error, "ct")
                   : 0;
    }
    return error_set(parser->error, -EINVAL,
                     "ct(%s): expected commit, force, table=, zone=, nat, exec() or alg=", key);
}

static int check_ct(struct action_parser *parser, const struct ofa_ct *ct)
{
    if (ofa_ct_is_sound(ct))
        return 0;
    if (!(ct->flags & OFCT_COMMIT))
        return error_set(parser->error, -EINVAL,
                         "ct(): force, exec() and nat() with arguments need commit");
    return error_set(parser->error, -EINVAL, "ct(exec()): only ct_mark and ct_label can be set");
}

int ofa_parse_ct(struct action_parser *parser, const struct text_item *item, int argument UNUSED)
{
    size_t start = parser->list->size;
    char *cursor = item->value;
    struct text_item inner;
    struct ofa_ct ct;
    int result = 0;

    if (item->mark != '(')
        return error_set(parser->error, -EINVAL, "ct: expected ct(ARGUMENTS)");
    memcpy(&ct, ofa_put(parser->list, OFA_CT), sizeof ct);
    ct.table_id = OF_TABLE_ALL;
    while (!result && text_next_item(&cursor, &inner))
        result = parse_argument(parser, &inner, &ct);
    if (result)
        return result;
    memcpy(parser->list->data + start, &ct, sizeof ct);
    if (!ofa_end_nested(parser->list, start))
        return error_set(parser->error, -E2BIG, "ct(): too many actions");
    return check_ct(parser, (const struct ofa_ct *)(const void *)(parser->list->data + start));
}

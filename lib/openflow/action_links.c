/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/openflow/action_links.h"

#include <errno.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/action_decode.h"
#include "lib/openflow/text.h"

enum { MEMBERS_ARE_PORTS = 0x00000002 /* NXM_OF_IN_PORT. */ };

static const char *const fields_names[OFA_N_HASH_FIELDS] = {
    [OFA_HASH_ETH_SRC] = "eth_src",
    [OFA_HASH_SYMMETRIC_L4] = "symmetric_l4",
    [OFA_HASH_SYMMETRIC_L3L4] = "symmetric_l3l4",
    [OFA_HASH_SYMMETRIC_L3L4_UDP] = "symmetric_l3l4+udp",
    [OFA_HASH_NW_SRC] = "nw_src",
    [OFA_HASH_NW_DST] = "nw_dst",
    [OFA_HASH_SYMMETRIC_L3] = "symmetric_l3",
};

static const char *const multipath_names[OFA_N_MP_ALGORITHMS] = {
    [OFA_MP_MODULO_N] = "modulo_n",
    [OFA_MP_HASH_THRESHOLD] = "hash_threshold",
    [OFA_MP_HRW] = "hrw",
    [OFA_MP_ITER_HASH] = "iter_hash",
};

static const char *const bundle_names[OFA_N_BUNDLE_ALGORITHMS] = {
    [OFA_BUNDLE_ACTIVE_BACKUP] = "active_backup",
    [OFA_BUNDLE_HRW] = "hrw",
};

/* The wire */

static enum of_error decode_destination(const uint8_t *body, struct ofa_part *destination)
{
    unsigned first_and_n_bits = wire_u16(body);
    struct of_subfield part;
    enum of_error error = action_decode_part(wire_u32(body + 2), first_and_n_bits >> 6,
                                             (first_and_n_bits & 0x3f) + 1, &part);

    if (error)
        return error;
    if (!part.field->is_writable)
        return OFPBAC_BAD_SET_ARGUMENT;
    *destination = ofa_part_of(&part);
    return OF_OK;
}

static void encode_destination(struct ofa_part destination, uint8_t *body)
{
    const struct of_field *field = of_field((enum of_field_id)destination.field);

    be16_store(body, (uint16_t)(destination.first << 6 | (destination.n_bits - 1)));
    be32_store(body + 2, field->nxm_header ? field->nxm_header : field->oxm_header);
}

static bool has_room_for(struct ofa_part destination, unsigned max_link)
{
    return destination.n_bits >= 16 || max_link < 1U << destination.n_bits;
}

enum of_error ofa_decode_multipath(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    unsigned fields = wire_u16(body), algorithm = wire_u16(body + 6);
    struct ofa_part destination;

    if (fields >= OFA_N_HASH_FIELDS || algorithm >= OFA_N_MP_ALGORITHMS)
        return OFPBAC_BAD_ARGUMENT;
    enum of_error error = decode_destination(body + 16, &destination);
    if (!error && !has_room_for(destination, wire_u16(body + 8)))
        error = OFPBAC_BAD_ARGUMENT;
    if (error)
        return error;
    struct ofa_multipath *multipath = (struct ofa_multipath *)(void *)ofa_put(list, OFA_MULTIPATH);
    multipath->fields = (uint8_t)fields;
    multipath->basis = wire_u16(body + 2);
    multipath->algorithm = (uint8_t)algorithm;
    multipath->max_link = wire_u16(body + 8);
    multipath->arg = wire_u32(body + 10);
    multipath->destination = destination;
    return OF_OK;
}

void ofa_encode_multipath(const struct ofa_multipath *multipath, uint8_t *body)
{
    be16_store(body, multipath->fields);
    be16_store(body + 2, multipath->basis);
    be16_store(body + 6, multipath->algorithm);
    be16_store(body + 8, multipath->max_link);
    be32_store(body + 10, multipath->arg);
    encode_destination(multipath->destination, body + 16);
}

static struct ofa_bundle *put_bundle(struct buffer *list, size_t n_members)
{
    struct ofa_bundle *bundle = (struct ofa_bundle *)(void *)ofa_put_longer(
        list, OFA_BUNDLE, n_members * sizeof bundle->members[0]);

    bundle->n_members = (uint16_t)n_members;
    return bundle;
}

static enum of_error decode_any_bundle(const uint8_t *body, size_t n_bytes, bool is_load,
                                       struct buffer *list)
{
    unsigned algorithm = wire_u16(body), fields = wire_u16(body + 2);
    size_t n_members = wire_u16(body + 10);
    struct ofa_part destination = {0};
    enum of_error error = OF_OK;

    if (algorithm >= OFA_N_BUNDLE_ALGORITHMS || fields >= OFA_N_HASH_FIELDS ||
        wire_u32(body + 6) != MEMBERS_ARE_PORTS || n_members > OFA_BUNDLE_MAX_MEMBERS ||
        !wire_is_zero(body + 18, 4))
        return OFPBAC_BAD_ARGUMENT;
    if (22 + 2 * n_members > n_bytes)
        return OFPBAC_BAD_LEN;
    if (is_load)
        error = decode_destination(body + 12, &destination);
    else if (!wire_is_zero(body + 12, 6))
        error = OFPBAC_BAD_ARGUMENT;
    if (!error && is_load && destination.n_bits < 16)
        error = OFPBAC_BAD_ARGUMENT;
    if (error)
        return error;

    struct ofa_bundle *bundle = put_bundle(list, n_members);
    bundle->algorithm = (uint8_t)algorithm;
    bundle->fields = (uint8_t)fields;
    bundle->basis = wire_u16(body + 4);
    bundle->destination = destination;
    for (size_t i = 0; i < n_members; i++)
        bundle->members[i] = wire_u16(body + 22 + 2 * i);
    return OF_OK;
}

enum of_error ofa_decode_bundle(const uint8_t *body, size_t n_bytes, struct buffer *list)
{
    return decode_any_bundle(body, n_bytes, false, list);
}

enum of_error ofa_decode_bundle_load(const uint8_t *body, size_t n_bytes, struct buffer *list)
{
    return decode_any_bundle(body, n_bytes, true, list);
}

void ofa_encode_bundle(const struct ofa_bundle *bundle, uint8_t *body)
{
    be16_store(body, bundle->algorithm);
    be16_store(body + 2, bundle->fields);
    be16_store(body + 4, bundle->basis);
    be32_store(body + 6, MEMBERS_ARE_PORTS);
    be16_store(body + 10, bundle->n_members);
    if (bundle->destination.n_bits)
        encode_destination(bundle->destination, body + 12);
    for (size_t i = 0; i < bundle->n_members; i++)
        be16_store(body + 22 + 2 * i, bundle->members[i]);
}

/* Text */

static int choose(const char *what, const char *text, const char *const *names, size_t n_names,
                  uint8_t *choice, struct error *error)
{
    for (size_t i = 0; i < n_names; i++) {
        if (!strcmp(text, names[i])) {
            *choice = (uint8_t)i;
            return 0;
        }
    }
    return error_set(error, -EINVAL, "%s: no such %s", text, what);
}

static int parse_number(const char *what, const char *text, uint64_t max, uint64_t *number,
                        struct error *error)
{
    if (text_parse_u64(text, number) && *number <= max)
        return 0;
    return error_set(error, -EINVAL, "%s: expected as %s a number from 0 to %llu", text, what,
                     (unsigned long long)max);
}

/* Cuts 'text' at commas and white space; the last word is the rest.  False: too few. */
static bool cut_words(char *text, char *words[], size_t n_words)
{
    for (size_t i = 0; i < n_words; i++) {
        text += strspn(text, ", ");
        if (!*text)
            return false;
        words[i] = text;
        if (i + 1 == n_words)
            return true;
        text += strcspn(text, ", ");
        if (*text)
            *text++ = '\0';
    }
    return true;
}

static int parse_destination(char *text, struct ofa_part *destination, struct error *error)
{
    struct of_subfield part;
    int result = of_subfield_parse(text, &part, error);

    if (!result && !part.field->is_writable)
        result = error_set(error, -EPERM, "%s cannot be changed", text);
    if (!result)
        *destination = ofa_part_of(&part);
    return result;
}

int ofa_parse_multipath(char *text, struct buffer *list, struct error *error)
{
    char *words[6];
    struct ofa_multipath parsed = {.fields = 0};
    uint64_t basis, n_links, arg;

    if (!text || !cut_words(text, words, ARRAY_SIZE(words)))
        return error_set(error, -EINVAL,
                         "multipath: expected multipath(FIELDS,BASIS,ALGORITHM,LINKS,ARG,DST)");
    words[5][strcspn(words[5], ", ")] = '\0';
    int result = choose("fields", words[0], fields_names, OFA_N_HASH_FIELDS, &parsed.fields, error);
    if (!result)
        result = parse_number("basis", words[1], UINT16_MAX, &basis, error);
    if (!result)
        result = choose("algorithm", words[2], multipath_names, OFA_N_MP_ALGORITHMS,
                        &parsed.algorithm, error);
    if (!result)
        result = parse_number("number of links", words[3], UINT16_MAX + 1U, &n_links, error);
    if (!result && !n_links)
        result = error_set(error, -EINVAL, "expected at least one link");
    if (!result)
        result = parse_number("argument", words[4], UINT32_MAX, &arg, error);
    if (!result)
        result = parse_destination(words[5], &parsed.destination, error);
    if (!result && !has_room_for(parsed.destination, (unsigned)n_links - 1))
        result = error_set(error, -ERANGE, "%s: %u bits cannot tell %llu links apart", words[5],
                           parsed.destination.n_bits, (unsigned long long)n_links);
    if (result)
        return error_prefix(error, "multipath");

    struct ofa_multipath *multipath = (struct ofa_multipath *)(void *)ofa_put(list, OFA_MULTIPATH);
    parsed.ofa = multipath->ofa;
    parsed.basis = (uint16_t)basis;
    parsed.max_link = (uint16_t)(n_links - 1);
    parsed.arg = (uint32_t)arg;
    *multipath = parsed;
    return 0;
}

/* "members:1,2,3", or "slaves:". */
static int parse_members(char *text, const struct of_names *names, of_port *members, size_t *n,
                         struct error *error)
{
    char *colon = strchr(text, ':'), *rest;

    if (!colon || (strncmp(text, "members", 7) && strncmp(text, "slaves", 6)))
        return error_set(error, -EINVAL, "%s: expected members:PORT,PORT...", text);
    *n = 0;
    for (char *word = strtok_r(colon + 1, ", ", &rest); word; word = strtok_r(NULL, ", ", &rest)) {
        if (*n == OFA_BUNDLE_MAX_MEMBERS)
            return error_set(error, -E2BIG, "more than %d members", OFA_BUNDLE_MAX_MEMBERS);
        int result = of_port_parse(word, names, &members[*n], error);
        if (result)
            return result;
        ++*n;
    }
    return 0;
}

static int parse_any_bundle(char *text, bool is_load, const struct of_names *names,
                            struct buffer *list, struct error *error)
{
    size_t n_words = is_load ? 6 : 5, n_members;
    of_port members[OFA_BUNDLE_MAX_MEMBERS];
    struct ofa_part destination = {0};
    uint8_t fields = 0, algorithm = 0;
    uint64_t basis;
    char *words[6];

    if (!text || !cut_words(text, words, n_words))
        return error_set(error, -EINVAL, "expected FIELDS,BASIS,ALGORITHM,ofport,%smembers:PORT...",
                         is_load ? "DST," : "");
    int result = choose("fields", words[0], fields_names, OFA_N_HASH_FIELDS, &fields, error);
    if (!result)
        result = parse_number("basis", words[1], UINT16_MAX, &basis, error);
    if (!result)
        result = choose("algorithm", words[2], bundle_names, OFA_N_BUNDLE_ALGORITHMS, &algorithm,
                        error);
    if (!result && strcmp(words[3], "ofport"))
        result = error_set(error, -EINVAL, "%s: members can only be of type ofport", words[3]);
    if (!result && is_load)
        result = parse_destination(words[4], &destination, error);
    if (!result && is_load && destination.n_bits < 16)
        result = error_set(error, -ERANGE, "%s: a port has 16 bits", words[4]);
    if (!result)
        result = parse_members(words[n_words - 1], names, members, &n_members, error);
    if (result)
        return result;

    struct ofa_bundle *bundle = put_bundle(list, n_members);
    bundle->fields = fields;
    bundle->algorithm = algorithm;
    bundle->basis = (uint16_t)basis;
    bundle->destination = destination;
    memcpy(bundle->members, members, n_members * sizeof members[0]);
    return 0;
}

int ofa_parse_bundle(char *text, const struct of_names *names, struct buffer *list,
                     struct error *error)
{
    int result = parse_any_bundle(text, false, names, list, error);

    return result ? error_prefix(error, "bundle") : 0;
}

int ofa_parse_bundle_load(char *text, const struct of_names *names, struct buffer *list,
                          struct error *error)
{
    int result = parse_any_bundle(text, true, names, list, error);

    return result ? error_prefix(error, "bundle_load") : 0;
}

static void format_destination(struct ofa_part destination, struct buffer *out)
{
    struct of_subfield part = ofa_part_subfield(destination);

    of_subfield_format(&part, out);
}

void ofa_format_multipath(const struct ofa_multipath *multipath, struct buffer *out)
{
    buffer_printf(out, "multipath(%s,%u,%s,%u,%u,", fields_names[multipath->fields],
                  multipath->basis, multipath_names[multipath->algorithm], multipath->max_link + 1U,
                  multipath->arg);
    format_destination(multipath->destination, out);
    buffer_putc(out, ')');
}

void ofa_format_bundle(const struct ofa_bundle *bundle, const struct of_names *names,
                       struct buffer *out)
{
    bool is_load = bundle->destination.n_bits;

    buffer_printf(out, "%s(%s,%u,%s,ofport,", is_load ? "bundle_load" : "bundle",
                  fields_names[bundle->fields], bundle->basis, bundle_names[bundle->algorithm]);
    if (is_load) {
        format_destination(bundle->destination, out);
        buffer_putc(out, ',');
    }
    buffer_puts(out, "members:");
    for (size_t i = 0; i < bundle->n_members; i++) {
        if (i)
            buffer_putc(out, ',');
        of_port_format(bundle->members[i], names, out);
    }
    buffer_putc(out, ')');
}

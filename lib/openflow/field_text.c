/* SPDX-License-Identifier: Apache-2.0 */

/* Values as people write them.  Numbers are decimal or 0x...; IPv6 and IPv4 go through
 * inet_pton(). */

#include "lib/openflow/fields.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/mac.h"
#include "lib/openflow/match_codec.h"
#include "lib/openflow/names.h"
#include "lib/openflow/text.h"

/* Fields of flags: names from bit 0 on. */
static const struct flag_names {
    enum of_format format;
    unsigned n;
    const char *expected;
    const char *names[12];
} all_flag_names[] = {
    {FORMAT_TCP_FLAGS,
     12,
     "flags like +syn-ack, syn|ack or a number",
     {"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns", "[200]", "[400]", "[800]"}},
    {FORMAT_CT_STATE,
     8,
     "flags like +trk-new, est|trk or a number",
     {"new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat"}},
    {FORMAT_TUN_FLAGS, 1, "+oam or -oam", {"oam"}},
};

/* NULL: not a field of flags. */
static const struct flag_names *flag_names_of(const struct of_field *field)
{
    for (size_t i = 0; i < ARRAY_SIZE(all_flag_names); i++) {
        if (all_flag_names[i].format == field->format)
            return &all_flag_names[i];
    }
    return NULL;
}

static const struct {
    const char *name;
    uint8_t value, mask;
} frags[] = {
    {"no", 0, NW_FRAG_ANY | NW_FRAG_LATER},
    {"yes", NW_FRAG_ANY, NW_FRAG_ANY},
    {"first", NW_FRAG_ANY, NW_FRAG_ANY | NW_FRAG_LATER},
    {"later", NW_FRAG_ANY | NW_FRAG_LATER, NW_FRAG_ANY | NW_FRAG_LATER},
    {"not_later", 0, NW_FRAG_LATER},
};

/* Printing. */

/* "0x" and the digits of up to 16 bytes without leading zeros; a plain 0 for zero. */
static void format_hex(const struct of_field *field, const struct of_value *value,
                       struct buffer *out)
{
    size_t i = 0;

    while (i + 1 < field->n_bytes && !value->bytes[i])
        i++;
    if (i + 1 == field->n_bytes && !value->bytes[i]) {
        buffer_putc(out, '0');
        return;
    }
    buffer_printf(out, "0x%x", value->bytes[i]);
    for (i++; i < field->n_bytes; i++)
        buffer_printf(out, "%02x", value->bytes[i]);
}

static void format_ip(int family, const struct of_value *value, struct buffer *out)
{
    char text[INET6_ADDRSTRLEN];

    inet_ntop(family, value->bytes, text, sizeof text);
    buffer_puts(out, text);
}

static void format_mac(const struct of_value *value, struct buffer *out)
{
    struct mac mac;

    memcpy(&mac, value->bytes, sizeof mac);
    buffer_printf(out, MAC_FORMAT, MAC_ARGS(mac));
}

static void format_flags(const struct flag_names *flags, unsigned value, struct buffer *out)
{
    if (!value)
        buffer_putc(out, '0');
    for (unsigned i = 0, n = 0; i < flags->n; i++) {
        if (value & 1U << i)
            buffer_printf(out, "%s%s", n++ ? "|" : "", flags->names[i]);
    }
}

static void format_flags_masked(const struct flag_names *flags, unsigned value, unsigned mask,
                                struct buffer *out)
{
    for (unsigned i = 0; i < flags->n; i++) {
        if (mask & 1U << i)
            buffer_printf(out, "%c%s", value & 1U << i ? '+' : '-', flags->names[i]);
    }
}

/* Is it written with a sign for each flag? */
static bool has_signs(const struct of_field *field, const struct of_value *mask)
{
    return flag_names_of(field) && !of_value_is_all_ones(field, mask);
}

/* "(1,0x800)": namespace and type. */
static void format_packet_type(const struct of_value *value, struct buffer *out)
{
    unsigned space = be16_host(be16_load(value->bytes)),
             type = be16_host(be16_load(value->bytes + 2));

    buffer_printf(out, space == 1 ? "(%u,0x%x)" : "(%u,%u)", space, type);
}

static void format_frag(unsigned value, unsigned mask, struct buffer *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(frags); i++) {
        if (frags[i].value == value && frags[i].mask == mask) {
            buffer_puts(out, frags[i].name);
            return;
        }
    }
    buffer_puts(out, "<error>");
}

void of_value_format(const struct of_field *field, const struct of_value *value, struct buffer *out)
{
    of_port port = OFPP_NONE;

    switch (field->format) {
    case FORMAT_DECIMAL:
        buffer_printf(out, "%llu", (unsigned long long)of_value_u64(field, value));
        break;
    case FORMAT_HEX:
        format_hex(field, value, out);
        break;
    case FORMAT_MAC:
        format_mac(value, out);
        break;
    case FORMAT_IPV4:
        format_ip(AF_INET, value, out);
        break;
    case FORMAT_IPV6:
        format_ip(AF_INET6, value, out);
        break;
    case FORMAT_PORT:
        if (field->n_bytes == 4)
            of_port_from_wire32((uint32_t)of_value_u64(field, value), &port);
        else
            port = (of_port)of_value_u64(field, value);
        of_port_format(port, NULL, out);
        break;
    case FORMAT_FRAG:
        format_frag((unsigned)of_value_u64(field, value), 3, out);
        break;
    case FORMAT_TCP_FLAGS:
    case FORMAT_CT_STATE:
    case FORMAT_TUN_FLAGS:
        format_flags(flag_names_of(field), (unsigned)of_value_u64(field, value), out);
        break;
    case FORMAT_PACKET_TYPE:
        format_packet_type(value, out);
        break;
    }
}

/* The length of the prefix, or -1 if 'mask' is none. */
static int prefix_length(const uint8_t *mask, size_t n_bytes)
{
    size_t n_bits = 0;

    while (n_bits < 8 * n_bytes && mask[n_bits / 8] >> (7 - n_bits % 8) & 1)
        n_bits++;
    for (size_t i = n_bits; i < 8 * n_bytes; i++) {
        if (mask[i / 8] >> (7 - i % 8) & 1)
            return -1;
    }
    return (int)n_bits;
}

static void format_mask(const struct of_field *field, const struct of_value *mask,
                        struct buffer *out)
{
    int length;

    switch (field->format) {
    case FORMAT_IPV4:
    case FORMAT_IPV6:
        length = prefix_length(mask->bytes, field->n_bytes);
        if (length >= 0)
            buffer_printf(out, "/%d", length);
        else {
            buffer_putc(out, '/');
            of_value_format(field, mask, out);
        }
        break;
    case FORMAT_MAC:
        buffer_putc(out, '/');
        format_mac(mask, out);
        break;
    default:
        buffer_putc(out, '/');
        format_hex(field, mask, out);
        break;
    }
}

void of_value_format_masked(const struct of_field *field, const struct of_value *value,
                            const struct of_value *mask, struct buffer *out)
{
    if (!mask) {
        of_value_format(field, value, out);
    } else if (has_signs(field, mask)) {
        format_flags_masked(flag_names_of(field), (unsigned)of_value_u64(field, value),
                            (unsigned)of_value_u64(field, mask), out);
    } else if (of_value_is_all_ones(field, mask)) {
        of_value_format(field, value, out);
    } else if (field->format == FORMAT_FRAG) {
        format_frag((unsigned)of_value_u64(field, value), (unsigned)of_value_u64(field, mask), out);
    } else {
        of_value_format(field, value, out);
        format_mask(field, mask, out);
    }
}

/* Parsing. */

static int wrong_value(const struct of_field *field, const char *text, const char *expected,
                       struct error *error)
{
    return error_set(error, -EINVAL, "%s=%s: expected %s", field->name, text, expected);
}

/* Up to 128 bits. */
static int parse_number(const struct of_field *field, const char *text, struct of_value *value,
                        struct error *error)
{
    bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = text + (is_hex ? 2 : 0);
    unsigned base = is_hex ? 16 : 10;
    unsigned __int128 number = 0;

    if (!*digits)
        return wrong_value(field, text, "a number", error);
    for (const char *p = digits; *p; p++) {
        int digit = text_hex_digit(*p);
        if (digit < 0 || (unsigned)digit >= base)
            return wrong_value(field, text, "a number", error);
        if (number > (~(unsigned __int128)0 - (unsigned)digit) / base)
            return wrong_value(field, text, "a smaller number", error);
        number = number * base + (unsigned)digit;
    }
    unsigned n_bits = field->n_used ? field->n_used : field->n_bits;
    if (n_bits < 128 && number >> n_bits)
        return error_set(error, -ERANGE, "%s=%s: %s has only %u bits", field->name, text,
                         field->name, n_bits);
    memset(value, 0, sizeof *value);
    for (size_t i = field->n_bytes; i-- > 0; number >>= 8)
        value->bytes[i] = (uint8_t)number;
    return 0;
}

static int parse_mac(const struct of_field *field, const char *text, struct of_value *value,
                     struct error *error)
{
    const char *p = text;

    for (int i = 0; i < 6; i++) {
        int high = text_hex_digit(*p);
        if (high < 0)
            return wrong_value(field, text, "an Ethernet address like 00:11:22:aa:bb:cc", error);
        int low = text_hex_digit(*++p);
        value->bytes[i] = (uint8_t)(low < 0 ? high : high << 4 | low);
        p += low >= 0;
        if (*p++ != (i < 5 ? ':' : '\0'))
            return wrong_value(field, text, "an Ethernet address like 00:11:22:aa:bb:cc", error);
    }
    return 0;
}

static int parse_port(const struct of_field *field, const char *text, struct of_value *value,
                      struct error *error)
{
    of_port port;
    int result = of_port_parse(text, NULL, &port, error);

    if (result)
        return error_prefix(error, "%s=%s", field->name, text);
    of_value_from_u64(field, field->n_bytes == 4 ? of_port_to_wire32(port) : port, value);
    return 0;
}

/* The number of the flag at 'text', or flags->n: there is none. */
static unsigned find_flag(const struct flag_names *flags, const char *text, size_t length)
{
    unsigned i = 0;

    while (i < flags->n &&
           (strlen(flags->names[i]) != length || strncmp(flags->names[i], text, length)))
        i++;
    return i;
}

/* "syn|ack". */
static int parse_flags(const struct of_field *field, const char *text, struct of_value *value,
                       struct error *error)
{
    const struct flag_names *flags = flag_names_of(field);
    unsigned bits = 0;

    for (const char *p = text; *p;) {
        size_t length = strcspn(p, "|");
        unsigned i = find_flag(flags, p, length);

        if (i == flags->n)
            return wrong_value(field, text, flags->expected, error);
        bits |= 1U << i;
        p += length + (p[length] == '|');
    }
    of_value_from_u64(field, bits, value);
    return 0;
}

/* "+syn-ack". */
static int parse_flags_masked(const struct of_field *field, const char *text,
                              struct of_value *value, struct of_value *mask, struct error *error)
{
    const struct flag_names *flags = flag_names_of(field);
    unsigned bits = 0, cared = 0;

    for (const char *p = text; *p;) {
        char sign = *p++;
        size_t length = strcspn(p, "+-");
        unsigned i = find_flag(flags, p, length);

        if (i == flags->n)
            return wrong_value(field, text, flags->expected, error);
        if (cared & 1U << i)
            return error_set(error, -EINVAL, "%s=%s: %s is there twice", field->name, text,
                             flags->names[i]);
        cared |= 1U << i;
        bits |= (sign == '+' ? 1U : 0U) << i;
        p += length;
    }
    of_value_from_u64(field, bits, value);
    of_value_from_u64(field, cared, mask);
    return 0;
}

static int parse_packet_type(const struct of_field *field, const char *text, struct of_value *value,
                             struct error *error)
{
    char copy[32], *comma, *end;
    uint64_t space, type;

    snprintf(copy, sizeof copy, "%s", text);
    comma = strchr(copy, ',');
    end = strchr(copy, ')');
    if (copy[0] == '(' && comma && end && !end[1]) {
        *comma = *end = '\0';
        if (text_parse_u64(copy + 1, &space) && text_parse_u64(comma + 1, &type) &&
            space <= UINT16_MAX && type <= UINT16_MAX) {
            of_value_from_u64(field, space << 16 | type, value);
            return 0;
        }
    }
    return wrong_value(field, text, "(NAMESPACE,TYPE)", error);
}

static bool is_number(const char *text)
{
    return *text >= '0' && *text <= '9';
}

int of_value_parse(const struct of_field *field, const char *text, struct of_value *value,
                   struct error *error)
{
    memset(value, 0, sizeof *value);
    switch (field->format) {
    case FORMAT_DECIMAL:
    case FORMAT_HEX:
        return parse_number(field, text, value, error);
    case FORMAT_MAC:
        return parse_mac(field, text, value, error);
    case FORMAT_IPV4:
        if (inet_pton(AF_INET, text, value->bytes) != 1)
            return wrong_value(field, text, "an IPv4 address", error);
        return 0;
    case FORMAT_IPV6:
        if (inet_pton(AF_INET6, text, value->bytes) != 1)
            return wrong_value(field, text, "an IPv6 address", error);
        return 0;
    case FORMAT_PORT:
        return parse_port(field, text, value, error);
    case FORMAT_FRAG:
        if (is_number(text))
            return parse_number(field, text, value, error);
        for (size_t i = 0; i < ARRAY_SIZE(frags); i++) {
            if (!strcasecmp(text, frags[i].name)) {
                of_value_from_u64(field, frags[i].value, value);
                return 0;
            }
        }
        return wrong_value(field, text, "no, yes, first, later or not_later", error);
    case FORMAT_TCP_FLAGS:
    case FORMAT_CT_STATE:
    case FORMAT_TUN_FLAGS:
        if (is_number(text))
            return parse_number(field, text, value, error);
        return parse_flags(field, text, value, error);
    case FORMAT_PACKET_TYPE:
        return parse_packet_type(field, text, value, error);
    }
    return -EINVAL;
}

/* What stands behind the '/': a prefix length for addresses, otherwise a value. */
static int parse_mask(const struct of_field *field, const char *text, struct of_value *mask,
                      struct error *error)
{
    bool is_ip = field->format == FORMAT_IPV4 || field->format == FORMAT_IPV6;

    if (!is_ip || strpbrk(text, ".:"))
        return of_value_parse(field, text, mask, error);

    uint64_t length;
    if (!text_parse_u64(text, &length) || length > field->n_bits)
        return error_set(error, -EINVAL, "%s: /%s is not a prefix length from 0 to %u", field->name,
                         text, field->n_bits);
    memset(mask, 0, sizeof *mask);
    for (size_t i = 0; i < length; i++)
        mask->bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
    return 0;
}

static void apply_mask(const struct of_value *mask, struct of_value *value)
{
    for (size_t i = 0; i < sizeof value->bytes; i++)
        value->bytes[i] &= mask->bytes[i];
}

int of_value_parse_masked(const struct of_field *field, const char *text, struct of_value *value,
                          struct of_value *mask, struct error *error)
{
    const char *slash = strchr(text, '/');
    char head[64];
    int result;

    of_value_all_ones(field, mask);
    if (flag_names_of(field) && (text[0] == '+' || text[0] == '-' || !text[0]))
        return parse_flags_masked(field, text, value, mask, error);
    if (field->format == FORMAT_FRAG && !is_number(text)) {
        result = of_value_parse(field, text, value, error);
        for (size_t i = 0; i < ARRAY_SIZE(frags); i++) {
            if (!strcasecmp(text, frags[i].name))
                of_value_from_u64(field, frags[i].mask, mask);
        }
        return result;
    }
    if (!slash)
        return of_value_parse(field, text, value, error);

    size_t length = (size_t)(slash - text);
    if (length >= sizeof head)
        return wrong_value(field, text, "a shorter value", error);
    memcpy(head, text, length);
    head[length] = '\0';
    result = of_value_parse(field, head, value, error);
    if (!result)
        result = parse_mask(field, slash + 1, mask, error);
    if (!result)
        apply_mask(mask, value);
    return result;
}

/* Parts of fields. */

int of_subfield_parse(const char *text, struct of_subfield *part, struct error *error)
{
    size_t length = strcspn(text, "[");
    unsigned first = 0, last = 0;
    int used = 0;

    part->field = of_field_by_name(text, length);
    if (!part->field)
        return error_set(error, -EINVAL, "%s: no such field", text);
    if (!of_field_has_short_header(part->field) || !of_field_has_place(part->field))
        return error_set(error, -EINVAL, "%s: cannot be used in parts", text);
    part->first = 0;
    part->n_bits = part->field->n_bits;
    if (!text[length] || !strcmp(text + length, "[]"))
        return 0;

    const char *range = text + length;
    if (sscanf(range, "[%u..%u]%n", &first, &last, &used) != 2 || range[used]) {
        if (sscanf(range, "[%u]%n", &first, &used) != 1 || !used || range[used])
            return error_set(error, -EINVAL, "%s: expected bits like [0..7], [3] or []", text);
        last = first;
    }
    if (first > last || last >= part->field->n_bits)
        return error_set(error, -EINVAL, "%s: %.*s has bits 0 to %u", text, (int)length, text,
                         part->field->n_bits - 1);
    part->first = (uint16_t)first;
    part->n_bits = (uint16_t)(last - first + 1);
    return 0;
}

void of_subfield_format(const struct of_subfield *part, struct buffer *out)
{
    const struct of_field *field = part->field;

    buffer_puts(out, field->nxm_name ? field->nxm_name : field->oxm_name);
    if (part->first == 0 && part->n_bits == field->n_bits)
        buffer_puts(out, "[]");
    else if (part->n_bits == 1)
        buffer_printf(out, "[%u]", part->first);
    else
        buffer_printf(out, "[%u..%u]", part->first, part->first + part->n_bits - 1U);
}

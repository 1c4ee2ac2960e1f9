/* SPDX-License-Identifier: Apache-2.0 */

/* learn() as people write it: settings, then specifications in one of the forms
 * "FIELD=VALUE", "FIELD=FIELD", "FIELD", "load:VALUE->FIELD", "load:FIELD->FIELD", "output:FIELD". */

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/flow_mod.h"
#include "lib/openflow/learn.h"
#include "lib/openflow/text.h"
#include "lib/openflow/wire.h"

#define SETTING(name, member, max)                                                             \
    {                                                                                          \
        (name), offsetof(struct ofa_learn, member), sizeof((struct ofa_learn *)0)->member, max \
    }

static const struct setting {
    const char *name;
    size_t offset, n_bytes; /* Where its number goes; 8 bytes are the cookie's, big-endian. */
    uint64_t max;
} settings[] = {
    SETTING("priority", priority, UINT16_MAX),
    SETTING("idle_timeout", idle_timeout_s, UINT16_MAX),
    SETTING("hard_timeout", hard_timeout_s, UINT16_MAX),
    SETTING("fin_idle_timeout", fin_idle_s, UINT16_MAX),
    SETTING("fin_hard_timeout", fin_hard_s, UINT16_MAX),
    SETTING("limit", limit, UINT32_MAX),
    SETTING("cookie", cookie, UINT64_MAX),
};

static const struct setting *find_setting(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        if (!strcmp(settings[i].name, name))
            return &settings[i];
    }
    return NULL;
}

static int parse_setting(const struct setting *setting, const char *text, struct ofa_learn *learn,
                         struct error *error)
{
    uint8_t *to = (uint8_t *)learn + setting->offset;
    uint64_t number;

    if (!text || !text_parse_u64(text, &number) || number > setting->max)
        return error_set(error, -EINVAL, "%s=%s: expected a number from 0 to %llu", setting->name,
                         text ? text : "", (unsigned long long)setting->max);
    switch (setting->n_bytes) {
    case 1:
        *to = (uint8_t)number;
        break;
    case 2:
        memcpy(to, &(uint16_t){(uint16_t)number}, 2);
        break;
    case 4:
        memcpy(to, &(uint32_t){(uint32_t)number}, 4);
        break;
    default:
        be64_store(to, number);
        break;
    }
    return 0;
}

static int parse_part(const char *text, struct ofa_part *part, struct error *error)
{
    struct of_subfield subfield;
    int result = of_subfield_parse(text, &subfield, error);

    if (!result)
        *part = ofa_part_of(&subfield);
    return result;
}

static int parse_result(const char *text, struct ofa_learn *learn, struct error *error)
{
    int result = text ? parse_part(text, &learn->result, error) : -EINVAL;

    if (!text || (!result && learn->result.n_bits != 1))
        return error_set(error, -EINVAL, "result_dst=%s: expected one bit of a field",
                         text ? text : "");
    learn->flags |= OFA_LEARN_WRITE_RESULT;
    return result;
}

/* A number of up to 128 bits, right-aligned; false if 'text' is none or has more than 'n_bits'. */
static bool parse_wide(const char *text, unsigned n_bits, struct of_value *value)
{
    unsigned __int128 number = 0;
    uint64_t narrow;

    if (text_parse_u64(text, &narrow)) {
        number = narrow;
    } else {
        if (strncasecmp(text, "0x", 2) || !text[2] || strlen(text) > 34)
            return false;
        for (const char *p = text + 2; *p; p++) {
            int digit = text_hex_digit(*p);
            if (digit < 0)
                return false;
            number = number << 4 | (unsigned)digit;
        }
    }
    if (n_bits < 128 && number >> n_bits)
        return false;
    for (size_t i = sizeof *value; i-- > 0; number >>= 8)
        value->bytes[i] = (uint8_t)number;
    return true;
}

/* A value for all of a field, in the field's own notation. */
static bool parse_whole(struct ofa_part part, const char *text, struct of_value *value)
{
    const struct of_field *field = of_field((enum of_field_id)part.field);
    struct of_value parsed = {.bytes = {0}};

    if (part.n_bits != field->n_bits || of_value_parse(field, text, &parsed, NULL) ||
        !of_value_is_valid(field, &parsed))
        return false;
    memset(value, 0, sizeof *value);
    memcpy(value->bytes + sizeof *value - field->n_bytes, parsed.bytes, field->n_bytes);
    return true;
}

/* What stands before "->" or behind "=": a value for 'spec->destination', or a field as wide. */
static int parse_source(const char *text, struct ofa_learn_spec *spec, struct error *error)
{
    if (parse_whole(spec->destination, text, &spec->value) ||
        parse_wide(text, spec->destination.n_bits, &spec->value))
        return 0;
    int result = parse_part(text, &spec->source, error);
    if (!result && spec->source.n_bits != spec->destination.n_bits)
        result = error_set(error, -EINVAL, "%s: %u bits do not fit %u", text, spec->source.n_bits,
                           spec->destination.n_bits);
    return result;
}

static int parse_spec(struct text_item *item, struct ofa_learn_spec *spec, struct error *error)
{
    memset(spec, 0, sizeof *spec);
    if (!strcmp(item->key, "load")) {
        char *arrow = item->value ? strstr(item->value, "->") : NULL;

        if (!arrow)
            return error_set(error, -EINVAL, "load: expected load:VALUE->FIELD or FIELD->FIELD");
        *arrow = '\0';
        spec->kind = OFA_LEARN_LOAD;
        int result = parse_part(arrow + 2, &spec->destination, error);
        return result ? result : parse_source(item->value, spec, error);
    }
    if (!strcmp(item->key, "output")) {
        spec->kind = OFA_LEARN_OUTPUT;
        return item->value ? parse_part(item->value, &spec->source, error)
                           : error_set(error, -EINVAL, "output: expected output:FIELD");
    }
    spec->kind = OFA_LEARN_MATCH;
    int result = parse_part(item->key, &spec->destination, error);
    if (result)
        return result;
    if (!item->value) {
        spec->source = spec->destination;
        return 0;
    }
    return parse_source(item->value, spec, error);
}

static int parse_item(struct text_item *item, const struct of_names *names, struct buffer *list,
                      size_t start, struct error *error)
{
    struct ofa_learn *learn = (struct ofa_learn *)(void *)(list->data + start);
    struct ofa_learn_spec spec;

    if (!item->key)
        return error_set(error, -EINVAL, "brackets do not match");
    const struct setting *setting = find_setting(item->key);
    if (setting)
        return parse_setting(setting, item->value, learn, error);
    if (!strcmp(item->key, "table")) {
        const char *text = item->value ? item->value : "";
        int wrong = of_table_parse(text, names, OF_TABLE_ALL - 1, &learn->table_id, error);
        return wrong ? error_prefix(error, "table=%s", text) : 0;
    }
    if (!strcmp(item->key, "result_dst"))
        return parse_result(item->value, learn, error);
    if (!strcmp(item->key, "send_flow_rem")) {
        learn->flags |= OFA_LEARN_SEND_FLOW_REM;
        return 0;
    }
    if (!strcmp(item->key, "delete_learned")) {
        learn->flags |= OFA_LEARN_DELETE_LEARNED;
        return 0;
    }
    int result = parse_spec(item, &spec, error);
    if (!result && learn->n_specs == UINT16_MAX / sizeof spec)
        result = error_set(error, -E2BIG, "too many specifications");
    if (result)
        return result;
    learn->n_specs++;
    buffer_put(list, &spec, sizeof spec);
    return 0;
}

int ofa_parse_learn(char *text, const struct of_names *names, struct buffer *list,
                    struct error *error)
{
    size_t start = list->size;
    struct ofa_learn *learn = (struct ofa_learn *)(void *)ofa_put(list, OFA_LEARN);
    char nothing[] = "", *cursor = text ? text : nothing;
    struct text_item item;

    learn->table_id = 1;
    learn->priority = OF_DEFAULT_PRIORITY;
    while (text_next_item(&cursor, &item)) {
        int result = parse_item(&item, names, list, start, error);
        if (result)
            return error_prefix(error, "learn");
    }
    size_t n_bytes = list->size - start;
    buffer_put_zeros(list, wire_round_up_8(n_bytes) - n_bytes);
    if (list->size - start > UINT16_MAX)
        return error_set(error, -E2BIG, "learn: too many specifications");
    ((struct ofa *)(void *)(list->data + start))->n_bytes = (uint16_t)(list->size - start);
    return 0;
}

/* Printing */

static void format_part(struct ofa_part part, struct buffer *out)
{
    struct of_subfield subfield = ofa_part_subfield(part);

    of_subfield_format(&subfield, out);
}

static void format_number(const struct of_value *value, struct buffer *out)
{
    size_t i = 0;

    while (i < sizeof *value - 1 && !value->bytes[i])
        i++;
    if (i == sizeof *value - 1 && !value->bytes[i]) {
        buffer_putc(out, '0');
        return;
    }
    buffer_printf(out, "0x%x", value->bytes[i]);
    while (++i < sizeof *value)
        buffer_printf(out, "%02x", value->bytes[i]);
}

static void format_match(const struct ofa_learn_spec *spec, struct buffer *out)
{
    const struct of_field *field = of_field((enum of_field_id)spec->destination.field);
    struct of_value value = {.bytes = {0}};

    if (spec->source.n_bits) {
        format_part(spec->destination, out);
        if (memcmp(&spec->source, &spec->destination, sizeof spec->source)) {
            buffer_putc(out, '=');
            format_part(spec->source, out);
        }
    } else if (spec->destination.n_bits == field->n_bits) {
        memcpy(value.bytes, spec->value.bytes + sizeof value - field->n_bytes, field->n_bytes);
        buffer_printf(out, "%s=", field->name);
        of_value_format(field, &value, out);
    } else {
        format_part(spec->destination, out);
        buffer_putc(out, '=');
        format_number(&spec->value, out);
    }
}

static void format_spec(const struct ofa_learn_spec *spec, struct buffer *out)
{
    switch ((enum ofa_learn_kind)spec->kind) {
    case OFA_LEARN_MATCH:
        format_match(spec, out);
        break;
    case OFA_LEARN_LOAD:
        buffer_puts(out, "load:");
        if (spec->source.n_bits)
            format_part(spec->source, out);
        else
            format_number(&spec->value, out);
        buffer_puts(out, "->");
        format_part(spec->destination, out);
        break;
    case OFA_LEARN_OUTPUT:
        buffer_puts(out, "output:");
        format_part(spec->source, out);
        break;
    }
}

void ofa_format_learn(const struct ofa_learn *learn, const struct of_names *names,
                      struct buffer *out)
{
    buffer_puts(out, "learn(table=");
    of_table_format(learn->table_id, names, out);
    if (learn->idle_timeout_s)
        buffer_printf(out, ",idle_timeout=%u", learn->idle_timeout_s);
    if (learn->hard_timeout_s)
        buffer_printf(out, ",hard_timeout=%u", learn->hard_timeout_s);
    if (learn->fin_idle_s)
        buffer_printf(out, ",fin_idle_timeout=%u", learn->fin_idle_s);
    if (learn->fin_hard_s)
        buffer_printf(out, ",fin_hard_timeout=%u", learn->fin_hard_s);
    if (learn->priority != OF_DEFAULT_PRIORITY)
        buffer_printf(out, ",priority=%u", learn->priority);
    if (learn->flags & OFA_LEARN_SEND_FLOW_REM)
        buffer_puts(out, ",send_flow_rem");
    if (learn->flags & OFA_LEARN_DELETE_LEARNED)
        buffer_puts(out, ",delete_learned");
    if (learn->cookie.raw)
        buffer_printf(out, ",cookie=0x%llx", (unsigned long long)be64_host(learn->cookie));
    if (learn->limit)
        buffer_printf(out, ",limit=%u", learn->limit);
    if (learn->flags & OFA_LEARN_WRITE_RESULT) {
        buffer_puts(out, ",result_dst=");
        format_part(learn->result, out);
    }
    for (size_t i = 0; i < learn->n_specs; i++) {
        buffer_putc(out, ',');
        format_spec(&learn->specs[i], out);
    }
    buffer_putc(out, ')');
}

/* SPDX-License-Identifier: Apache-2.0 */

/* The same as people write them. */

#include <errno.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/action_encap.h"

enum { MAX_TLV_VALUE_BYTES = 124, MAX_PROPERTIES_BYTES = 32768 };

/* "0x12345678" */
static int parse_tlv_value(const char *text, uint8_t *bytes, size_t *n_bytes)
{
    *n_bytes = 0;
    if (text[0] != '0' || (text[1] != 'x' && text[1] != 'X'))
        return -EINVAL;
    for (text += 2; *text; text += 2) {
        int high = text_hex_digit(text[0]), low = high < 0 ? -1 : text_hex_digit(text[1]);

        if (low < 0 || *n_bytes == MAX_TLV_VALUE_BYTES)
            return -EINVAL;
        bytes[(*n_bytes)++] = (uint8_t)(high << 4 | low);
    }
    return *n_bytes ? 0 : -EINVAL;
}

/* "0x1000,10,0x12345678" */
static int put_tlv(char *text, struct buffer *properties)
{
    uint8_t value[MAX_TLV_VALUE_BYTES];
    uint64_t option_class, type;
    size_t n_value;
    char *rest;
    const char *words[3] = {
        strtok_r(text, ", ", &rest),
        strtok_r(NULL, ", ", &rest),
        strtok_r(NULL, ", ", &rest),
    };

    if (!words[2] || strtok_r(NULL, ", ", &rest) || !text_parse_u64(words[0], &option_class) ||
        option_class > UINT16_MAX || !text_parse_u64(words[1], &type) || type > UINT8_MAX ||
        parse_tlv_value(words[2], value, &n_value))
        return -EINVAL;
    size_t length = (8 + n_value + 7) / 8 * 8;
    uint8_t *property = buffer_put_zeros(properties, length);
    const uint8_t header[] = {0, 4, 2, (uint8_t)length};
    memcpy(property, header, sizeof header);
    be16_store(property + 4, (uint16_t)option_class);
    property[6] = (uint8_t)type;
    property[7] = (uint8_t)n_value;
    memcpy(property + 8, value, n_value);
    return 0;
}

static int put_nsh_property(struct action_parser *parser, const struct text_item *item,
                            struct buffer *properties)
{
    uint64_t type;

    if (item->key && item->value && !strcmp(item->key, "md_type") &&
        text_parse_u64(item->value, &type) && (type == 1 || type == 2)) {
        const uint8_t property[8] = {0, 4, 1, 5, (uint8_t)type};
        buffer_put(properties, property, sizeof property);
        return 0;
    }
    if (item->key && item->value && item->mark == '(' && !strcmp(item->key, "tlv") &&
        !put_tlv(item->value, properties))
        return 0;
    return error_set(parser->error, -EINVAL,
                     "encap(nsh()): expected md_type=1, md_type=2 or tlv(CLASS,TYPE,0xVALUE)");
}

int ofa_parse_encap(struct action_parser *parser, const struct text_item *item, int argument UNUSED)
{
    struct buffer properties = BUFFER_INIT;
    char *cursor = item->mark == '(' ? item->value : NULL;
    struct text_item header, inner;
    uint32_t packet_type;
    int result = 0;

    if (!cursor || !text_next_item(&cursor, &header) || !header.key ||
        !ofa_encap_header_by_name(header.key, &packet_type))
        return error_set(parser->error, -EINVAL,
                         "encap: expected encap(ethernet), (nsh), (nsh(...)), (mpls) or (mpls_mc)");
    cursor = header.mark == '(' ? header.value : NULL;
    while (!result && cursor && text_next_item(&cursor, &inner))
        result = put_nsh_property(parser, &inner, &properties);
    if (!result && properties.size > MAX_PROPERTIES_BYTES)
        result = error_set(parser->error, -E2BIG, "encap(): too many properties");
    if (!result)
        ofa_put_encap(packet_type, &properties, parser->list);
    buffer_fini(&properties);
    return result;
}

/* "packet_type(ns=1,type=0x800)" or nothing. */
int ofa_parse_decap(struct action_parser *parser, const struct text_item *item, int argument UNUSED)
{
    uint64_t space = 0, type = OFA_DECAP_NEXT;
    char *cursor = item->value;
    struct text_item outer, inner;
    bool is_wrong = false;

    while (cursor && !is_wrong && text_next_item(&cursor, &outer)) {
        char *inside = outer.key && outer.mark == '(' && !strcmp(outer.key, "packet_type")
                           ? outer.value
                           : NULL;

        is_wrong = !inside;
        while (!is_wrong && text_next_item(&inside, &inner)) {
            uint64_t *number = inner.key && !strcmp(inner.key, "ns")     ? &space
                               : inner.key && !strcmp(inner.key, "type") ? &type
                                                                         : NULL;
            is_wrong = !number || !inner.value || !text_parse_u64(inner.value, number) ||
                       *number > UINT16_MAX;
        }
    }
    if (is_wrong)
        return error_set(parser->error, -EINVAL,
                         "decap: expected decap() or decap(packet_type(ns=N,type=N))");
    ((struct ofa_decap *)(void *)ofa_put(parser->list, OFA_DECAP))->packet_type =
        (uint32_t)(space << 16 | type);
    return 0;
}

int ofa_parse_delete_field(struct action_parser *parser, const struct text_item *item,
                           int argument UNUSED)
{
    const struct of_field *field = item->value ? of_field_by_name(item->value, strlen(item->value))
                                               : NULL;

    if (!field || !of_field_is_option(field) || !of_field_has_place(field))
        return error_set(parser->error, -EINVAL, "delete_field:%s: expected tun_metadataN",
                         item->value ? item->value : "");
    ((struct ofa_delete_field *)(void *)ofa_put(parser->list, OFA_DELETE_FIELD))->field =
        (uint16_t)field->id;
    return 0;
}

static int parse_sample_argument(struct action_parser *parser, const struct text_item *item,
                                 struct ofa_sample *sample)
{
    const char *key = item->key ? item->key : "";
    uint64_t number;
    int result;

    if (!strcmp(key, "ingress") || !strcmp(key, "egress")) {
        sample->direction = key[0] == 'i' ? OFA_SAMPLE_INGRESS : OFA_SAMPLE_EGRESS;
        sample->ofa.form = OFA_SAMPLE3;
        return 0;
    }
    if (!strcmp(key, "sampling_port") && item->value) {
        if (sample->ofa.form < OFA_SAMPLE2)
            sample->ofa.form = OFA_SAMPLE2;
        return action_parse_port(parser, key, item->value, &sample->port);
    }
    if (!strcmp(key, "probability")) {
        result = action_parse_bounded(parser, key, item->value, UINT16_MAX, &number);
        sample->probability = (uint16_t)(result ? 0 : number);
        return result;
    }
    uint32_t *to = !strcmp(key, "collector_set_id") ? &sample->collector_set_id
                   : !strcmp(key, "obs_domain_id")  ? &sample->domain_id
                   : !strcmp(key, "obs_point_id")   ? &sample->point_id
                                                    : NULL;
    if (!to)
        return error_set(parser->error, -EINVAL, "sample(%s): no such argument", key);
    result = action_parse_bounded(parser, key, item->value, UINT32_MAX, &number);
    *to = (uint32_t)(result ? 0 : number);
    return result;
}

int ofa_parse_sample(struct action_parser *parser, const struct text_item *item,
                     int argument UNUSED)
{
    struct ofa_sample *sample = (struct ofa_sample *)(void *)ofa_put(parser->list, OFA_SAMPLE);
    char *cursor = item->value;
    struct text_item inner;
    int result = 0;

    sample->ofa.form = OFA_SAMPLE1;
    sample->port = OFPP_NONE;
    while (!result && cursor && text_next_item(&cursor, &inner))
        result = parse_sample_argument(parser, &inner, sample);
    if (!result && !sample->probability)
        result = error_set(parser->error, -EINVAL, "sample(): expected probability=1 to 65535");
    return result;
}

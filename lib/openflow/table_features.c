/* SPDX-License-Identifier: Apache-2.0 */

/* Table features (OpenFlow 1.3.5, section 7.3.5.5).  Every table can do the same, so the
 * properties, which 1.3 requires, follow from the table of fields and two lists of types. */

#include "lib/openflow/tables.h"

#include <string.h>

#include "lib/annotations.h"
#include "lib/openflow/action_wire.h"
#include "lib/openflow/fields.h"
#include "lib/openflow/match_codec.h"
#include "lib/openflow/properties.h"
#include "lib/openflow/stats_internal.h"

enum { FEATURES_BYTES = 64, N_TABLES_TOLD = 254 };

enum { /* ofp_table_feature_prop_type */
       PROPERTY_INSTRUCTIONS = 0,
       PROPERTY_NEXT_TABLES = 2,
       PROPERTY_WRITE_ACTIONS = 4,
       PROPERTY_APPLY_ACTIONS = 6,
       PROPERTY_MATCH = 8,
       PROPERTY_WILDCARDS = 10,
       PROPERTY_WRITE_SET_FIELD = 12,
       PROPERTY_APPLY_SET_FIELD = 14,
};

enum { OF10_TYPES = 0x0fff }; /* OFPAT_OUTPUT to OFPAT_ENQUEUE. */

/* Which standard actions exist in which later versions; the other half of this is action_decode.c. */
static const struct {
    uint8_t first_version, last_version, type;
} action_types[] = {
    {OF_1_1, OF_1_5, OFPAT_OUTPUT},           {OF_1_1, OF_1_1, OFPAT11_SET_VLAN_VID},
    {OF_1_1, OF_1_1, OFPAT11_SET_VLAN_PCP},   {OF_1_1, OF_1_1, OFPAT11_SET_DL_SRC},
    {OF_1_1, OF_1_1, OFPAT11_SET_DL_DST},     {OF_1_1, OF_1_1, OFPAT11_SET_NW_SRC},
    {OF_1_1, OF_1_1, OFPAT11_SET_NW_DST},     {OF_1_1, OF_1_1, OFPAT11_SET_NW_TOS},
    {OF_1_1, OF_1_1, OFPAT11_SET_NW_ECN},     {OF_1_1, OF_1_1, OFPAT11_SET_TP_SRC},
    {OF_1_1, OF_1_1, OFPAT11_SET_TP_DST},     {OF_1_1, OF_1_5, OFPAT11_PUSH_VLAN},
    {OF_1_1, OF_1_5, OFPAT11_POP_VLAN},       {OF_1_1, OF_1_5, OFPAT11_SET_NW_TTL},
    {OF_1_1, OF_1_5, OFPAT11_DEC_NW_TTL},     {OF_1_2, OF_1_5, OFPAT12_SET_FIELD},
    {OF_1_1, OF_1_1, OFPAT11_SET_MPLS_LABEL}, {OF_1_1, OF_1_1, OFPAT11_SET_MPLS_TC},
    {OF_1_1, OF_1_5, OFPAT11_SET_MPLS_TTL},   {OF_1_1, OF_1_5, OFPAT11_DEC_MPLS_TTL},
    {OF_1_1, OF_1_5, OFPAT11_PUSH_MPLS},      {OF_1_1, OF_1_5, OFPAT11_POP_MPLS},
    {OF_1_1, OF_1_5, OFPAT11_SET_QUEUE},      {OF_1_1, OF_1_5, OFPAT11_GROUP},
};

uint32_t of_action_types(enum of_version version)
{
    uint32_t types = version == OF_1_0 ? OF10_TYPES : 0;

    for (size_t i = 0; i < ARRAY_SIZE(action_types); i++) {
        if (version >= action_types[i].first_version && version <= action_types[i].last_version)
            types |= UINT32_C(1) << action_types[i].type;
    }
    return types;
}

uint32_t of_instruction_types(enum of_version version)
{
    /* In 1.5 it is an action. */
    uint32_t meter = version == OF_1_3 || version == OF_1_4 ? 1U << OFPIT_METER : 0;

    return 1U << OFPIT_GOTO_TABLE | 1U << OFPIT_WRITE_METADATA | 1U << OFPIT_WRITE_ACTIONS |
           1U << OFPIT_APPLY_ACTIONS | 1U << OFPIT_CLEAR_ACTIONS | meter;
}

uint64_t of_oxm_fields(bool only_writable, enum of_version version)
{
    enum { OXM_BASIC_CLASS = 0x8000 };
    uint64_t fields = 0;

    for (size_t i = 0; i < N_FIELDS; i++) {
        const struct of_field *field = of_field((enum of_field_id)i);

        if (field->oxm_header >> 16 == OXM_BASIC_CLASS && field->oxm_since <= version &&
            (!only_writable || field->is_writable))
            fields |= UINT64_C(1) << (field->oxm_header >> 9 & 0x3f);
    }
    return fields;
}

static void put_types(uint16_t property, uint32_t types, struct buffer *out)
{
    size_t start = of_begin_property(property, out);

    for (uint16_t type = 0; type < 32; type++) {
        if (types >> type & 1) {
            uint8_t *item = buffer_put_uninit(out, 4);
            be16_store(item, type);
            be16_store(item + 2, 4);
        }
    }
    of_end_property(start, out);
}

static void put_next_tables(uint8_t table_id, struct buffer *out)
{
    size_t start = of_begin_property(PROPERTY_NEXT_TABLES, out);

    for (unsigned int next = table_id + 1U; next < N_TABLES_TOLD; next++)
        *(uint8_t *)buffer_put_uninit(out, 1) = (uint8_t)next;
    of_end_property(start, out);
}

static void put_fields(uint16_t property, enum of_version version, struct buffer *out)
{
    bool only_writable = property == PROPERTY_WRITE_SET_FIELD ||
                         property == PROPERTY_APPLY_SET_FIELD;
    size_t start = of_begin_property(property, out);

    for (size_t i = 0; i < N_FIELDS; i++) {
        const struct of_field *field = of_field((enum of_field_id)i);

        if (!only_writable || field->is_writable)
            of_field_put_header(field, version,
                                property == PROPERTY_MATCH && field->mask_rule == MASK_ANY, out);
    }
    of_end_property(start, out);
}

void of_reply_add_table_features(struct of_reply *reply, const struct of_table_features *features)
{
    static const uint16_t field_properties[] = {PROPERTY_MATCH, PROPERTY_WILDCARDS,
                                                PROPERTY_WRITE_SET_FIELD, PROPERTY_APPLY_SET_FIELD};
    uint32_t instructions = of_instruction_types(reply->version);
    struct buffer *out = reply->out;
    size_t start = out->size;
    uint8_t *item = buffer_put_zeros(out, FEATURES_BYTES);

    item[2] = features->table_id;
    memcpy(item + 8, features->name, strnlen(features->name, 31));
    be64_store(item + 40, UINT64_MAX); /* Metadata can be matched and written in every bit. */
    be64_store(item + 48, UINT64_MAX);
    be32_store(item + 60, features->max_flows);
    if (features->table_id + 1U >= N_TABLES_TOLD)
        instructions &= ~(UINT32_C(1) << OFPIT_GOTO_TABLE);
    put_types(PROPERTY_INSTRUCTIONS, instructions, out);
    put_next_tables(features->table_id, out); /* Perhaps an empty list. */
    put_types(PROPERTY_WRITE_ACTIONS, of_action_types(reply->version), out);
    put_types(PROPERTY_APPLY_ACTIONS, of_action_types(reply->version), out);
    for (size_t i = 0; i < ARRAY_SIZE(field_properties); i++)
        put_fields(field_properties[i], reply->version, out);
    be16_store(out->data + start, (uint16_t)(out->size - start));
    of_reply_end_item(reply, start);
}

bool of_next_table_features(struct of_items *items, struct of_table_features *features)
{
    const uint8_t *item = of_items_take(items, 64);

    memset(features, 0, sizeof *features);
    if (!item)
        return false;
    size_t length = wire_u16(item);
    if (length < 64 || !of_items_take(items, length - 64)) {
        items->error = OFPBRC_BAD_LEN;
        return false;
    }
    features->table_id = item[2];
    features->command = item[3];
    memcpy(features->name, item + 8, 32);
    features->max_flows = wire_u32(item + 60);
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */

/* Table features (OpenFlow 1.3.5, section 7.3.5.5).  Every table can do the same, so the
 * properties, which 1.3 requires, follow from the table of fields and two lists of types. */

#include <string.h>

#include "lib/annotations.h"
#include "lib/openflow/fields.h"
#include "lib/openflow/stats.h"
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

/* goto_table, write_metadata, write_actions, apply_actions, clear_actions. */
static const uint16_t instruction_types[] = {1, 2, 3, 4, 5};

/* output, push_vlan, pop_vlan, dec_nw_ttl, set_field. */
static const uint16_t action_types[] = {0, 17, 18, 24, 25};

static size_t begin_property(uint16_t type, struct buffer *out)
{
    size_t start = out->size;

    be16_store(buffer_put_zeros(out, 4), type);
    return start;
}

/* The length leaves out the padding. */
static void end_property(size_t start, struct buffer *out)
{
    size_t length = out->size - start;

    be16_store(out->data + start + 2, (uint16_t)length);
    buffer_put_zeros(out, wire_round_up_8(length) - length);
}

static void put_types(uint16_t property, const uint16_t *types, size_t n_types, struct buffer *out)
{
    size_t start = begin_property(property, out);

    for (size_t i = 0; i < n_types; i++) {
        uint8_t *item = buffer_put_uninit(out, 4);
        be16_store(item, types[i]);
        be16_store(item + 2, 4);
    }
    end_property(start, out);
}

static void put_next_tables(uint8_t table_id, struct buffer *out)
{
    size_t start = begin_property(PROPERTY_NEXT_TABLES, out);

    for (unsigned int next = table_id + 1U; next < N_TABLES_TOLD; next++)
        *(uint8_t *)buffer_put_uninit(out, 1) = (uint8_t)next;
    end_property(start, out);
}

/* A header with a mask names twice the length. */
static uint32_t masked_header(uint32_t header)
{
    enum { HAS_MASK = 1 << 8 };

    return (header & ~UINT32_C(0xff)) | HAS_MASK | (header & 0xff) << 1;
}

static void put_fields(uint16_t property, enum of_version version, struct buffer *out)
{
    bool only_writable = property == PROPERTY_WRITE_SET_FIELD ||
                         property == PROPERTY_APPLY_SET_FIELD;
    size_t start = begin_property(property, out);

    for (size_t i = 0; i < N_FIELDS; i++) {
        const struct of_field *field = of_field((enum of_field_id)i);
        bool has_oxm = field->oxm_header && version >= field->oxm_since;
        uint32_t header = has_oxm ? field->oxm_header : field->nxm_header;

        if (!header || (only_writable && !field->is_writable))
            continue;
        if (property == PROPERTY_MATCH && field->mask_rule == MASK_ANY)
            header = masked_header(header);
        be32_store(buffer_put_uninit(out, 4), header);
    }
    end_property(start, out);
}

void of_reply_add_table_features(struct of_reply *reply, const struct of_table_features *features)
{
    static const uint16_t field_properties[] = {PROPERTY_MATCH, PROPERTY_WILDCARDS,
                                                PROPERTY_WRITE_SET_FIELD, PROPERTY_APPLY_SET_FIELD};
    struct buffer *out = reply->out;
    size_t start = out->size;
    uint8_t *item = buffer_put_zeros(out, FEATURES_BYTES);

    item[2] = features->table_id;
    memcpy(item + 8, features->name, strnlen(features->name, 31));
    be64_store(item + 40, UINT64_MAX); /* Metadata can be matched and written in every bit. */
    be64_store(item + 48, UINT64_MAX);
    be32_store(item + 60, features->max_flows);
    put_types(PROPERTY_INSTRUCTIONS, instruction_types, ARRAY_SIZE(instruction_types), out);
    put_next_tables(features->table_id, out);
    put_types(PROPERTY_WRITE_ACTIONS, action_types, ARRAY_SIZE(action_types), out);
    put_types(PROPERTY_APPLY_ACTIONS, action_types, ARRAY_SIZE(action_types), out);
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
    memcpy(features->name, item + 8, 32);
    features->max_flows = wire_u32(item + 60);
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/openflow/tlv_table.h"

#include "lib/buffer.h"
#include "lib/openflow/wire.h"

enum { MOD_BYTES = 8, TABLE_BYTES = 16, MAP_BYTES = 8 };

static enum of_error decode_maps(struct wire wire, struct of_tlv_map *maps, size_t *n_maps)
{
    const uint8_t *map;

    for (*n_maps = 0; (map = wire_take(&wire, MAP_BYTES)); ++*n_maps) {
        if (*n_maps == OF_TLV_FIELDS)
            return NXTTMFC_TABLE_FULL;
        maps[*n_maps] = (struct of_tlv_map){
            .option_class = wire_u16(map),
            .option_type = map[2],
            .option_bytes = map[3],
            .index = wire_u16(map + 4),
        };
        if (!map[3] || map[3] % 4 || map[3] > OF_TLV_MAX_BYTES)
            return NXTTMFC_BAD_OPT_LEN;
        if (wire_u16(map + 4) >= OF_TLV_FIELDS)
            return NXTTMFC_BAD_FIELD_IDX;
    }
    return OF_OK;
}

static void encode_maps(const struct of_tlv_map *maps, size_t n_maps, struct buffer *out)
{
    for (size_t i = 0; i < n_maps; i++) {
        uint8_t *map = buffer_put_zeros(out, MAP_BYTES);
        be16_store(map, maps[i].option_class);
        map[2] = maps[i].option_type;
        map[3] = maps[i].option_bytes;
        be16_store(map + 4, maps[i].index);
    }
}

enum of_error of_decode_tlv_mod(const struct of_message *message, struct of_tlv_mod *mod)
{
    mod->command = wire_u16(message->body);
    mod->n_maps = 0;
    if (mod->command > OFTLVC_CLEAR)
        return NXTTMFC_BAD_COMMAND;
    return decode_maps(wire_init(message->body + MOD_BYTES, message->body_bytes - MOD_BYTES),
                       mod->maps, &mod->n_maps);
}

void of_encode_tlv_mod(const struct of_tlv_mod *mod, enum of_version version, uint32_t xid,
                       struct buffer *out)
{
    size_t start = of_begin_message(OF_TLV_TABLE_MOD, OF_FORM_NX, version, xid, out);

    be16_store(buffer_put_zeros(out, MOD_BYTES), mod->command);
    encode_maps(mod->maps, mod->n_maps, out);
    of_finish_message(start, out);
}

enum of_error of_decode_tlv_table(const struct of_message *message, struct of_tlv_table *table)
{
    table->max_option_bytes = wire_u32(message->body);
    table->max_fields = wire_u16(message->body + 4);
    return decode_maps(wire_init(message->body + TABLE_BYTES, message->body_bytes - TABLE_BYTES),
                       table->maps, &table->n_maps);
}

void of_encode_tlv_table(const struct of_tlv_table *table, enum of_version version, uint32_t xid,
                         struct buffer *out)
{
    size_t start = of_begin_message(OF_TLV_TABLE_REPLY, OF_FORM_NX, version, xid, out);
    uint8_t *head = buffer_put_zeros(out, TABLE_BYTES);

    be32_store(head, table->max_option_bytes);
    be16_store(head + 4, table->max_fields);
    encode_maps(table->maps, table->n_maps, out);
    of_finish_message(start, out);
}

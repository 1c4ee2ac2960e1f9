/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* tlv_table - which Geneve option is which field tun_metadataN: NXT_TLV_TABLE_MOD, NXT_TLV_TABLE_REQUEST
 * and its reply.
 *
 * Threads  Plain functions. */

#include <stddef.h>
#include <stdint.h>

#include "lib/openflow/errors.h"
#include "lib/openflow/messages.h"

struct buffer;

enum { OF_TLV_FIELDS = 64, OF_TLV_SPACE_BYTES = 256, OF_TLV_MAX_BYTES = 124 };

struct of_tlv_map {
    uint16_t option_class;
    uint8_t option_type;
    uint8_t option_bytes; /* A multiple of 4, from 4 to OF_TLV_MAX_BYTES. */
    uint16_t index;       /* N of tun_metadataN. */
};

enum of_tlv_command { OFTLVC_ADD = 0, OFTLVC_DELETE = 1, OFTLVC_CLEAR = 2 };

struct of_tlv_mod {
    uint16_t command;                      /* enum of_tlv_command. */
    struct of_tlv_map maps[OF_TLV_FIELDS]; /* A message with more is refused. */
    size_t n_maps;
};

/* Checks each entry by itself: NXTTMFC_BAD_COMMAND, _BAD_OPT_LEN, _BAD_FIELD_IDX, _TABLE_FULL. */
enum of_error of_decode_tlv_mod(const struct of_message *message, struct of_tlv_mod *mod);
void of_encode_tlv_mod(const struct of_tlv_mod *mod, enum of_version version, uint32_t xid,
                       struct buffer *out);

struct of_tlv_table {
    uint32_t max_option_bytes;
    uint16_t max_fields;
    struct of_tlv_map maps[OF_TLV_FIELDS];
    size_t n_maps;
};

enum of_error of_decode_tlv_table(const struct of_message *message, struct of_tlv_table *table);
void of_encode_tlv_table(const struct of_tlv_table *table, enum of_version version, uint32_t xid,
                         struct buffer *out);

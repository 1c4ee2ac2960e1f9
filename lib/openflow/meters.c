/* SPDX-License-Identifier: Apache-2.0 */

/* OpenFlow 1.3.5 sections 7.3.4.4 and 7.3.5.11 to 7.3.5.13. */

#include "lib/openflow/meters.h"

#include <stdlib.h>
#include <string.h>

#include "lib/openflow/stats_internal.h"

enum { BAND_BYTES = 16, CONFIG_BYTES = 8, STATS_BYTES = 40, FEATURES_BYTES = 16 };
enum { KNOWN_FLAGS = OFMF_KBPS | OFMF_PKTPS | OFMF_BURST | OFMF_STATS };

void of_meter_init(struct of_meter *meter)
{
    *meter = (struct of_meter){.meter_id = OF_METER_ALL};
}

void of_meter_fini(struct of_meter *meter)
{
    free(meter->bands);
    of_meter_init(meter);
}

struct of_band *of_meter_add_band(struct of_meter *meter)
{
    meter->bands = reallocarray(meter->bands, meter->n_bands + 1, sizeof *meter->bands);
    if (!meter->bands)
        abort();
    struct of_band *band = &meter->bands[meter->n_bands++];
    *band = (struct of_band){.type = OFMBT_DROP};
    return band;
}

/* Bands to the end of 'wire'. */
static enum of_error decode_bands(struct wire wire, struct of_meter *meter)
{
    while (wire.left) {
        size_t length = wire.left >= 4 ? wire_u16(wire.next + 2) : 0;
        const uint8_t *bytes = length >= 4 ? wire_take(&wire, length) : NULL;

        if (!bytes)
            return OFPBRC_BAD_LEN;
        unsigned type = wire_u16(bytes);
        if (type != OFMBT_DROP && type != OFMBT_DSCP_REMARK)
            return OFPMMFC_BAD_BAND;
        if (length != BAND_BYTES)
            return OFPBRC_BAD_LEN;
        struct of_band *band = of_meter_add_band(meter);
        band->type = (uint16_t)type;
        band->rate = wire_u32(bytes + 4);
        band->burst = wire_u32(bytes + 8);
        band->prec_level = type == OFMBT_DSCP_REMARK ? bytes[12] : 0;
    }
    return OF_OK;
}

static void encode_bands(const struct of_meter *meter, struct buffer *out)
{
    for (size_t i = 0; i < meter->n_bands; i++) {
        const struct of_band *band = &meter->bands[i];
        uint8_t *to = buffer_put_zeros(out, BAND_BYTES);

        be16_store(to, band->type);
        be16_store(to + 2, BAND_BYTES);
        be32_store(to + 4, band->rate);
        be32_store(to + 8, band->burst);
        to[12] = band->prec_level;
    }
}

enum of_error of_decode_meter_mod(const struct of_message *message, struct of_meter_mod *mod)
{
    const uint8_t *body = message->body;

    *mod = (struct of_meter_mod){.command = wire_u16(body)};
    of_meter_init(&mod->meter);
    mod->meter.meter_id = wire_u32(body + 4);
    if (mod->command > OFMC_DELETE)
        return OFPMMFC_BAD_COMMAND;
    if (mod->command == OFMC_DELETE)
        return OF_OK; /* The rest does not matter. */
    mod->meter.flags = wire_u16(body + 2);
    bool has_both = mod->meter.flags & OFMF_KBPS && mod->meter.flags & OFMF_PKTPS;
    if (mod->meter.flags & ~KNOWN_FLAGS || has_both)
        return OFPMMFC_BAD_FLAGS;
    return decode_bands(wire_init(body + CONFIG_BYTES, message->body_bytes - CONFIG_BYTES),
                        &mod->meter);
}

void of_meter_mod_fini(struct of_meter_mod *mod)
{
    of_meter_fini(&mod->meter);
}

void of_encode_meter_mod(const struct of_meter_mod *mod, enum of_version version, uint32_t xid,
                         struct buffer *out)
{
    size_t start = of_begin_message(OF_METER_MOD, OF_FORM_STANDARD, version, xid, out);
    uint8_t *body = buffer_put_zeros(out, CONFIG_BYTES);

    be16_store(body, mod->command);
    be32_store(body + 4, mod->meter.meter_id);
    if (mod->command != OFMC_DELETE) {
        be16_store(body + 2, mod->meter.flags);
        encode_bands(&mod->meter, out);
    }
    of_finish_message(start, out);
}

uint32_t of_decode_meter_request(const struct of_message *message)
{
    return wire_u32(message->body);
}

void of_encode_meter_request(uint32_t meter_id, enum of_message_kind kind, enum of_version version,
                             uint32_t xid, struct buffer *out)
{
    size_t start = of_begin_message(kind, OF_FORM_STANDARD, version, xid, out);

    be32_store(buffer_put_zeros(out, 8), meter_id);
    of_finish_message(start, out);
}

void of_reply_add_meter(struct of_reply *reply, const struct of_meter *meter)
{
    size_t start = reply->out->size;
    uint8_t *item = buffer_put_zeros(reply->out, CONFIG_BYTES);

    be16_store(item + 2, meter->flags);
    be32_store(item + 4, meter->meter_id);
    encode_bands(meter, reply->out);
    be16_store(reply->out->data + start, (uint16_t)(reply->out->size - start));
    of_reply_end_item(reply, start);
}

bool of_next_meter(struct of_items *items, struct of_meter *meter)
{
    const uint8_t *item = of_items_take(items, CONFIG_BYTES);
    size_t length = item ? wire_u16(item) : 0;

    of_meter_init(meter);
    if (!item)
        return false;
    if (length < CONFIG_BYTES || !wire_take(&items->wire, length - CONFIG_BYTES)) {
        items->error = OFPBRC_BAD_LEN;
        return false;
    }
    meter->flags = wire_u16(item + 2);
    meter->meter_id = wire_u32(item + 4);
    items->error = decode_bands(wire_init(item + CONFIG_BYTES, length - CONFIG_BYTES), meter);
    return !items->error;
}

void of_reply_add_meter_stats(struct of_reply *reply, const struct of_meter_stats *stats)
{
    size_t start = reply->out->size;
    uint8_t *item = buffer_put_zeros(reply->out, STATS_BYTES);

    be32_store(item, stats->meter_id);
    be16_store(item + 4, (uint16_t)(STATS_BYTES + 16 * stats->n_bands));
    be32_store(item + 12, stats->n_flows);
    be64_store(item + 16, stats->n_packets);
    be64_store(item + 24, stats->n_bytes);
    be32_store(item + 32, stats->duration_s);
    be32_store(item + 36, stats->duration_ns);
    for (size_t i = 0; i < stats->n_bands; i++) {
        uint8_t *counts = buffer_put_uninit(reply->out, 16);
        be64_store(counts, stats->bands[i].n_packets);
        be64_store(counts + 8, stats->bands[i].n_bytes);
    }
    of_reply_end_item(reply, start);
}

bool of_next_meter_stats(struct of_items *items, struct buffer *counts,
                         struct of_meter_stats *stats)
{
    const uint8_t *item = of_items_take(items, STATS_BYTES);
    size_t length = item ? wire_u16(item + 4) : 0;

    *stats = (struct of_meter_stats){.meter_id = 0};
    buffer_clear(counts);
    if (!item)
        return false;
    if (length < STATS_BYTES || (length - STATS_BYTES) % 16 ||
        !wire_take(&items->wire, length - STATS_BYTES)) {
        items->error = OFPBRC_BAD_LEN;
        return false;
    }
    stats->meter_id = wire_u32(item);
    stats->n_flows = wire_u32(item + 12);
    stats->n_packets = wire_u64(item + 16);
    stats->n_bytes = wire_u64(item + 24);
    stats->duration_s = wire_u32(item + 32);
    stats->duration_ns = wire_u32(item + 36);
    for (size_t at = STATS_BYTES; at < length; at += 16) {
        const struct of_band_counts band = {
            .n_packets = wire_u64(item + at),
            .n_bytes = wire_u64(item + at + 8),
        };
        buffer_put(counts, &band, sizeof band);
    }
    stats->bands = (const struct of_band_counts *)(const void *)counts->data;
    stats->n_bands = counts->size / sizeof *stats->bands;
    return true;
}

void of_encode_meter_features(const struct of_meter_features *features,
                              const struct of_message *request, struct buffer *out)
{
    struct of_reply reply;

    of_reply_begin(&reply, request, out);
    uint8_t *body = buffer_put_zeros(out, FEATURES_BYTES);
    be32_store(body, features->max_meters);
    be32_store(body + 4, features->band_types);
    be32_store(body + 8, features->capabilities);
    body[12] = features->max_bands;
    body[13] = features->max_color;
    of_reply_end(&reply);
}

void of_decode_meter_features(const struct of_message *message, struct of_meter_features *features)
{
    const uint8_t *body = message->body;

    *features = (struct of_meter_features){
        .max_meters = wire_u32(body),
        .band_types = wire_u32(body + 4),
        .capabilities = wire_u32(body + 8),
        .max_bands = body[12],
        .max_color = body[13],
    };
}

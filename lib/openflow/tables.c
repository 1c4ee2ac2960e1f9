/* SPDX-License-Identifier: Apache-2.0 */

/* OpenFlow 1.0 section 5.3.5, 1.1 and 1.2 appendix A.3.3 and A.3.5, 1.4 sections 7.3.4.1 and 7.3.5. */

#include "lib/openflow/tables.h"

#include <string.h>

#include "lib/openflow/action_wire.h"
#include "lib/openflow/fields.h"
#include "lib/openflow/properties.h"
#include "lib/openflow/stats_internal.h"

enum { TABLE_MISS_MASK = 3, CONFIG_EVICTION = 1 << 2, CONFIG_VACANCY = 1 << 3 };
enum { PROPERTY_EVICTION = 2, PROPERTY_VACANCY = 3 };
enum {
    DESC_BYTES = 8,
    STATS10_BYTES = 64,
    STATS11_BYTES = 88,
    STATS12_BYTES = 128,
    STATS13_BYTES = 24
};
enum { OFPFW10_ALL = (1 << 22) - 1 };

/* ofp_flow_match_fields of 1.1: all but "type". */
enum { OFPFMF11_ALL = 0xfbff };

/* Configuration */

static enum of_error decode_miss(uint32_t config, enum of_table_miss *miss)
{
    static const uint8_t misses[] = {OF_MISS_CONTROLLER, OF_MISS_CONTINUE, OF_MISS_DROP};

    if (config >= TABLE_MISS_MASK)
        return OFPTMFC_BAD_CONFIG;
    *miss = (enum of_table_miss)misses[config];
    return OF_OK;
}

/* 1.1 and 1.2 have no word for the default; what it does there is this. */
static uint32_t wire_miss(enum of_table_miss miss)
{
    return miss == OF_MISS_DEFAULT ? 0 : (uint32_t)miss - OF_MISS_CONTROLLER;
}

static enum of_error decode_property(const struct of_property *property,
                                     struct of_table_config *config)
{
    switch (property->type) {
    case PROPERTY_EVICTION:
        if (property->n_bytes != 4)
            return OFPBPC_BAD_LEN;
        config->eviction_flags = wire_u32(property->body);
        return OF_OK;
    case PROPERTY_VACANCY:
        if (property->n_bytes != 4)
            return OFPBPC_BAD_LEN;
        config->vacancy_down_percent = property->body[0];
        config->vacancy_up_percent = property->body[1];
        config->vacancy_percent = property->body[2];
        if (config->vacancy_down_percent > config->vacancy_up_percent ||
            config->vacancy_up_percent > 100)
            return OFPBPC_BAD_VALUE;
        return OF_OK;
    default:
        return of_unknown_property(property);
    }
}

static enum of_error decode_config(uint32_t bits, struct wire wire, struct of_table_config *config)
{
    struct of_property property;

    if (bits & ~(uint32_t)(TABLE_MISS_MASK | CONFIG_EVICTION | CONFIG_VACANCY))
        return OFPTMFC_BAD_CONFIG;
    config->does_evict = bits & CONFIG_EVICTION;
    config->tells_vacancy = bits & CONFIG_VACANCY;
    while (wire.left) {
        enum of_error error = of_take_property(&wire, &property);
        if (!error)
            error = decode_property(&property, config);
        if (error)
            return error;
    }
    return OF_OK;
}

static uint32_t wire_config(const struct of_table_config *config)
{
    return (config->does_evict ? CONFIG_EVICTION : 0U) |
           (config->tells_vacancy ? CONFIG_VACANCY : 0U);
}

static void put_config_properties(const struct of_table_config *config, bool has_vacancy,
                                  struct buffer *out)
{
    if (config->eviction_flags)
        be32_store(of_put_property(PROPERTY_EVICTION, 4, out), config->eviction_flags);
    if (!has_vacancy)
        return;
    uint8_t *vacancy = of_put_property(PROPERTY_VACANCY, 4, out);
    vacancy[0] = config->vacancy_down_percent;
    vacancy[1] = config->vacancy_up_percent;
    vacancy[2] = config->vacancy_percent;
}

enum of_error of_decode_table_mod(const struct of_message *message, struct of_table_mod *mod)
{
    const uint8_t *body = message->body;
    uint32_t config = wire_u32(body + 4);

    *mod = (struct of_table_mod){.table_id = body[0]};
    if (message->version >= OF_1_4)
        return decode_config(config, wire_init(body + 8, message->body_bytes - 8), &mod->config);
    if (message->version <= OF_1_2)
        return decode_miss(config, &mod->miss);
    return config & ~(uint32_t)TABLE_MISS_MASK ? OFPTMFC_BAD_CONFIG : OF_OK;
}

void of_encode_table_mod(const struct of_table_mod *mod, enum of_version version, uint32_t xid,
                         struct buffer *out)
{
    size_t start = of_begin_message(OF_TABLE_MOD, OF_FORM_STANDARD, version, xid, out);
    uint8_t *body = buffer_put_zeros(out, 8);

    body[0] = mod->table_id;
    if (version <= OF_1_2)
        be32_store(body + 4, wire_miss(mod->miss));
    if (version >= OF_1_4) {
        be32_store(body + 4, wire_config(&mod->config));
        put_config_properties(&mod->config, mod->config.tells_vacancy, out);
    }
    of_finish_message(start, out);
}

static void put_desc(const struct of_table_desc *desc, struct buffer *out)
{
    size_t start = out->size;
    uint8_t *item = buffer_put_zeros(out, DESC_BYTES);

    item[2] = desc->table_id;
    be32_store(item + 4, wire_config(&desc->config));
    put_config_properties(&desc->config, desc->config.tells_vacancy, out);
    be16_store(out->data + start, (uint16_t)(out->size - start));
}

void of_reply_add_table_desc(struct of_reply *reply, const struct of_table_desc *desc)
{
    size_t start = reply->out->size;

    put_desc(desc, reply->out);
    of_reply_end_item(reply, start);
}

static enum of_error take_desc(struct wire *wire, struct of_table_desc *desc)
{
    const uint8_t *item = wire_take(wire, DESC_BYTES);

    *desc = (struct of_table_desc){.table_id = 0};
    size_t length = item ? wire_u16(item) : 0;
    if (length < DESC_BYTES || !wire_take(wire, length - DESC_BYTES))
        return OFPBRC_BAD_LEN;
    desc->table_id = item[2];
    return decode_config(wire_u32(item + 4), wire_init(item + DESC_BYTES, length - DESC_BYTES),
                         &desc->config);
}

bool of_next_table_desc(struct of_items *items, struct of_table_desc *desc)
{
    *desc = (struct of_table_desc){.table_id = 0};
    if (items->error || !items->wire.left)
        return false;
    items->error = take_desc(&items->wire, desc);
    return !items->error;
}

enum of_error of_decode_table_status(const struct of_message *message,
                                     struct of_table_status *status)
{
    enum { REASON_BYTES = 8 };
    struct wire wire = wire_init(message->body + REASON_BYTES, message->body_bytes - REASON_BYTES);

    status->reason = message->body[0];
    if (status->reason != OFTR_VACANCY_DOWN && status->reason != OFTR_VACANCY_UP)
        return NXBRC_BAD_REASON;
    enum of_error error = take_desc(&wire, &status->desc);
    return !error && wire.left ? OFPBRC_BAD_LEN : error;
}

void of_encode_table_status(const struct of_table_status *status, enum of_version version,
                            struct buffer *out)
{
    size_t start = of_begin_message(OF_TABLE_STATUS, OF_FORM_STANDARD, version, 0, out);
    uint8_t *body = buffer_put_zeros(out, 8);

    body[0] = status->reason;
    put_desc(&status->desc, out);
    of_finish_message(start, out);
}

/* Statistics */

static void put_name(const struct of_table_stats *stats, uint8_t *to)
{
    memcpy(to, stats->name, strnlen(stats->name, 31));
}

/* Limit, flows, lookups, matches: how the items of 1.0 to 1.2 end. */
static void put_counts(const struct of_table_stats *stats, uint8_t *to)
{
    be32_store(to, stats->max_flows);
    be32_store(to + 4, stats->n_flows);
    be64_store(to + 8, stats->n_lookups);
    be64_store(to + 16, stats->n_matched);
}

static void add_table10(const struct of_table_stats *stats, struct buffer *out)
{
    uint8_t *item = buffer_put_zeros(out, STATS10_BYTES);

    item[0] = stats->table_id;
    put_name(stats, item + 4);
    be32_store(item + 36, OFPFW10_ALL);
    put_counts(stats, item + 40);
}

/* As its features tell: from the last table nothing leads on. */
static uint32_t instructions_of(const struct of_table_stats *stats, enum of_version version)
{
    uint32_t types = of_instruction_types(version);

    return stats->is_last ? types & ~(UINT32_C(1) << OFPIT_GOTO_TABLE) : types;
}

static void add_table11(const struct of_table_stats *stats, struct buffer *out)
{
    uint8_t *item = buffer_put_zeros(out, STATS11_BYTES);

    item[0] = stats->table_id;
    put_name(stats, item + 8);
    be32_store(item + 40, OFPFMF11_ALL);
    be32_store(item + 44, OFPFMF11_ALL);
    be32_store(item + 48, instructions_of(stats, OF_1_1));
    be32_store(item + 52, of_action_types(OF_1_1));
    be32_store(item + 56, of_action_types(OF_1_1));
    be32_store(item + 60, wire_miss(stats->miss));
    put_counts(stats, item + 64);
}

static void add_table12(const struct of_table_stats *stats, struct buffer *out)
{
    uint8_t *item = buffer_put_zeros(out, STATS12_BYTES);

    item[0] = stats->table_id;
    put_name(stats, item + 8);
    be64_store(item + 40, of_oxm_fields(false, OF_1_2));
    be64_store(item + 48, of_oxm_fields(false, OF_1_2));
    be32_store(item + 56, of_action_types(OF_1_2));
    be32_store(item + 60, of_action_types(OF_1_2));
    be64_store(item + 64, of_oxm_fields(true, OF_1_2));
    be64_store(item + 72, of_oxm_fields(true, OF_1_2));
    be64_store(item + 80, UINT64_MAX); /* Metadata can be matched and written in every bit. */
    be64_store(item + 88, UINT64_MAX);
    be32_store(item + 96, instructions_of(stats, OF_1_2));
    be32_store(item + 100, wire_miss(stats->miss));
    put_counts(stats, item + 104);
}

static void add_table13(const struct of_table_stats *stats, struct buffer *out)
{
    uint8_t *item = buffer_put_zeros(out, STATS13_BYTES);

    item[0] = stats->table_id;
    be32_store(item + 4, stats->n_flows);
    be64_store(item + 8, stats->n_lookups);
    be64_store(item + 16, stats->n_matched);
}

void of_reply_add_table(struct of_reply *reply, const struct of_table_stats *stats)
{
    size_t start = reply->out->size;

    if (reply->version == OF_1_0)
        add_table10(stats, reply->out);
    else if (reply->version == OF_1_1)
        add_table11(stats, reply->out);
    else if (reply->version == OF_1_2)
        add_table12(stats, reply->out);
    else
        add_table13(stats, reply->out);
    of_reply_end_item(reply, start);
}

/* Where the items of 1.0 to 1.2 have what we read. */
static const struct {
    uint8_t n_bytes, name, config, counts;
} stats_layouts[] = {
    [OF_1_0] = {STATS10_BYTES, 4, 0, 40},
    [OF_1_1] = {STATS11_BYTES, 8, 60, 64},
    [OF_1_2] = {STATS12_BYTES, 8, 100, 104},
};

bool of_next_table_stats(struct of_items *items, struct of_table_stats *stats)
{
    bool is_old = items->version <= OF_1_2;
    const uint8_t *item = of_items_take(items, is_old ? stats_layouts[items->version].n_bytes
                                                      : STATS13_BYTES);

    memset(stats, 0, sizeof *stats);
    if (!item)
        return false;
    stats->table_id = item[0];
    if (!is_old) {
        stats->n_flows = wire_u32(item + 4);
        stats->n_lookups = wire_u64(item + 8);
        stats->n_matched = wire_u64(item + 16);
        return true;
    }
    const uint8_t *counts = item + stats_layouts[items->version].counts;
    memcpy(stats->name, item + stats_layouts[items->version].name, 32);
    if (items->version != OF_1_0)
        decode_miss(wire_u32(item + stats_layouts[items->version].config), &stats->miss);
    stats->max_flows = wire_u32(counts);
    stats->n_flows = wire_u32(counts + 4);
    stats->n_lookups = wire_u64(counts + 8);
    stats->n_matched = wire_u64(counts + 16);
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */

/* Tables: of flows, groups, meters and tunnel options. */

#include <inttypes.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/openflow/ct_flush.h"
#include "lib/openflow/group_text.h"
#include "lib/openflow/message_text_internal.h"
#include "lib/openflow/wire.h"

enum of_error message_print_end(const struct of_items *items)
{
    return items->error;
}

static enum of_error print_nothing(struct message_printer *printer UNUSED)
{
    return OF_OK;
}

/* --- Flow tables --------------------------------------------------------------------------- */

static void put_table(const struct of_table_stats *stats, const struct of_names *names,
                      struct buffer *out)
{
    buffer_puts(out, "  table ");
    of_table_format(stats->table_id, names, out);
    if (stats->name[0])
        buffer_printf(out, " (\"%s\")", stats->name);
    buffer_putc(out, ':');
}

static bool is_ditto(const struct of_table_stats *a, const struct of_table_stats *b)
{
    return a->n_flows == b->n_flows && a->n_lookups == b->n_lookups &&
           a->n_matched == b->n_matched && a->max_flows == b->max_flows && a->miss == b->miss;
}

static enum of_error print_tables(struct message_printer *printer)
{
    struct buffer *out = printer->out;
    struct of_table_stats stats, last;
    struct of_items items;
    bool is_first = true;

    of_items_init(&items, printer->message);
    buffer_putc(out, '\n');
    for (; of_next_table_stats(&items, &stats); last = stats, is_first = false) {
        if (!is_first)
            buffer_putc(out, '\n');
        put_table(&stats, printer->names, out);
        if (!is_first && is_ditto(&stats, &last)) {
            buffer_puts(out, " ditto\n");
            continue;
        }
        buffer_printf(out, "\n    active=%u, lookup=%" PRIu64 ", matched=%" PRIu64 "\n",
                      stats.n_flows, stats.n_lookups, stats.n_matched);
        if (stats.max_flows)
            buffer_printf(out, "    max_entries=%u\n", stats.max_flows);
    }
    return message_print_end(&items);
}

static void put_table_config(const struct of_table_config *config, struct buffer *out)
{
    static const char *const flags[] = {"OTHER", "IMPORTANCE", "LIFETIME"};
    const char *separator = "";

    buffer_printf(out, "   eviction=%s eviction_flags=", config->does_evict ? "on" : "off");
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        if (!(config->eviction_flags & 1U << i))
            continue;
        buffer_printf(out, "%s%s", separator, flags[i]);
        separator = "|";
    }
    if (!config->eviction_flags)
        buffer_puts(out, "(default)");
    buffer_printf(out, "\n   vacancy=%s", config->tells_vacancy ? "on" : "off");
    if (config->tells_vacancy)
        buffer_printf(out, " vacancy_down=%u%% vacancy_up=%u%% vacancy=%u%%",
                      config->vacancy_down_percent, config->vacancy_up_percent,
                      config->vacancy_percent);
    buffer_putc(out, '\n');
}

static void put_table_desc(const struct of_table_desc *desc, const struct of_names *names,
                           struct buffer *out)
{
    buffer_puts(out, "\n  table ");
    of_table_format(desc->table_id, names, out);
    buffer_puts(out, ":\n");
    put_table_config(&desc->config, out);
}

static enum of_error print_table_desc(struct message_printer *printer)
{
    struct of_table_desc desc;
    struct of_items items;

    of_items_init(&items, printer->message);
    while (of_next_table_desc(&items, &desc))
        put_table_desc(&desc, printer->names, printer->out);
    return message_print_end(&items);
}

static enum of_error print_table_status(struct message_printer *printer)
{
    struct of_table_status status;
    enum of_error error = of_decode_table_status(printer->message, &status);

    if (error)
        return error;
    buffer_printf(printer->out, " reason=%s\ntable_desc:-",
                  status.reason == OFTR_VACANCY_DOWN ? "VACANCY_DOWN" : "VACANCY_UP");
    put_table_desc(&status.desc, printer->names, printer->out);
    return OF_OK;
}

static enum of_error print_table_mod(struct message_printer *printer)
{
    static const char *const misses[] = {"default", "controller", "continue", "drop"};
    enum of_version version = printer->message->version;
    struct buffer *out = printer->out;
    struct of_table_mod mod;
    enum of_error error = of_decode_table_mod(printer->message, &mod);

    if (error)
        return error;
    if (mod.table_id == OF_TABLE_ALL) {
        buffer_puts(out, " table_id: ALL_TABLES");
    } else {
        buffer_puts(out, " table_id=");
        of_table_format(mod.table_id, printer->names, out);
    }
    if (mod.miss != OF_MISS_DEFAULT)
        buffer_printf(out, ", flow_miss_config=%s", misses[mod.miss]);
    if (version < OF_1_4)
        return OF_OK;
    buffer_printf(out, ", eviction=%s, vacancy=%s", mod.config.does_evict ? "on" : "off",
                  mod.config.tells_vacancy ? "on" : "off");
    if (mod.config.tells_vacancy)
        buffer_printf(out, " vacancy:%u,%u", mod.config.vacancy_down_percent,
                      mod.config.vacancy_up_percent);
    return OF_OK;
}

static enum of_error print_table_features(struct message_printer *printer)
{
    struct of_table_features features;
    struct of_items items;

    of_items_init(&items, printer->message);
    while (of_next_table_features(&items, &features)) {
        buffer_printf(printer->out, "\n  table %u (\"%s\"):\n    max_entries=%u\n",
                      features.table_id, features.name, features.max_flows);
    }
    return message_print_end(&items);
}

/* --- Groups -------------------------------------------------------------------------------- */

static void put_group_id(uint32_t group_id, struct buffer *out)
{
    if (group_id == (uint32_t)OF_GROUP_ALL)
        buffer_puts(out, "ALL");
    else
        buffer_printf(out, "%u", group_id);
}

static enum of_error print_group_request(struct message_printer *printer)
{
    uint32_t group_id;
    enum of_error error = of_decode_group_request(printer->message, &group_id);

    if (!error) {
        buffer_puts(printer->out, " group_id=");
        put_group_id(group_id, printer->out);
    }
    return error;
}

static enum of_error print_groups(struct message_printer *printer)
{
    struct of_group group;
    struct of_items items;

    of_items_init(&items, printer->message);
    buffer_putc(printer->out, '\n');
    while (of_next_group(&items, &group)) {
        buffer_putc(printer->out, ' ');
        of_group_format(&group, printer->names, printer->out);
        buffer_putc(printer->out, '\n');
        of_group_fini(&group);
    }
    of_group_fini(&group);
    return message_print_end(&items);
}

static enum of_error print_group_stats(struct message_printer *printer)
{
    struct buffer counts = BUFFER_INIT;
    struct of_group_stats stats;
    struct of_items items;

    of_items_init(&items, printer->message);
    buffer_putc(printer->out, '\n');
    while (of_next_group_stats(&items, &counts, &stats)) {
        buffer_putc(printer->out, ' ');
        of_group_stats_format(&stats, printer->out);
        buffer_putc(printer->out, '\n');
    }
    buffer_fini(&counts);
    return message_print_end(&items);
}

static enum of_error print_group_features(struct message_printer *printer)
{
    struct of_group_features features;

    of_decode_group_features(printer->message, &features);
    buffer_putc(printer->out, '\n');
    of_group_features_format(&features, printer->message->version, printer->out);
    return OF_OK;
}

static void put_bucket_id(uint32_t bucket_id, struct buffer *out)
{
    switch (bucket_id) {
    case OF_BUCKET_FIRST:
        buffer_puts(out, "first");
        break;
    case OF_BUCKET_LAST:
        buffer_puts(out, "last");
        break;
    case OF_BUCKET_ALL:
        buffer_puts(out, "all");
        break;
    default:
        buffer_printf(out, "%u", bucket_id);
    }
}

static void put_group_mod(const struct of_group_mod *mod, const struct of_names *names,
                          struct buffer *out)
{
    static const struct {
        uint16_t command;
        bool is_of_buckets;
        const char *name;
    } commands[] = {
        {OFGC_ADD, false, "ADD"},
        {OFGC_MODIFY, false, "MOD"},
        {OFGC_DELETE, false, "DEL"},
        {OFGC_ADD_OR_MOD, false, "ADD_OR_MOD"},
        {OFGC_INSERT_BUCKET, true, "INSERT_BUCKET"},
        {OFGC_REMOVE_BUCKET, true, "REMOVE_BUCKET"},
    };
    bool is_of_buckets = false;

    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (commands[i].command != mod->command)
            continue;
        buffer_printf(out, "\n %s ", commands[i].name);
        is_of_buckets = commands[i].is_of_buckets;
    }
    if (is_of_buckets) {
        buffer_puts(out, "command_bucket_id:");
        put_bucket_id(mod->command_bucket_id, out);
        buffer_putc(out, ',');
        of_group_format_untyped(&mod->group, names, out);
    } else {
        of_group_format(&mod->group, names, out);
    }
}

enum of_error message_print_group_mod(struct message_printer *printer)
{
    struct of_group_mod mod;
    enum of_error error = of_decode_group_mod(printer->message, OF_N_TABLES, &mod);

    if (!error)
        put_group_mod(&mod, printer->names, printer->out);
    of_group_mod_fini(&mod);
    return error;
}

/* --- Meters -------------------------------------------------------------------------------- */

enum of_error message_print_meter_mod(struct message_printer *printer)
{
    static const char *const commands[] = {"ADD", "MOD", "DEL"};
    struct of_meter_mod mod;
    enum of_error error = of_decode_meter_mod(printer->message, &mod);

    if (!error) {
        buffer_printf(printer->out, " %s ", commands[mod.command]);
        of_meter_format(&mod.meter, printer->out);
    }
    of_meter_mod_fini(&mod);
    return error;
}

static enum of_error print_meter_request(struct message_printer *printer)
{
    buffer_puts(printer->out, " meter=");
    of_meter_id_format(of_decode_meter_request(printer->message), printer->out);
    return OF_OK;
}

static enum of_error print_meters(struct message_printer *printer)
{
    struct of_meter meter;
    struct of_items items;

    of_items_init(&items, printer->message);
    while (of_next_meter(&items, &meter)) {
        buffer_putc(printer->out, '\n');
        of_meter_format(&meter, printer->out);
        of_meter_fini(&meter);
    }
    of_meter_fini(&meter);
    return message_print_end(&items);
}

static enum of_error print_meter_stats(struct message_printer *printer)
{
    struct buffer counts = BUFFER_INIT;
    struct of_meter_stats stats;
    struct of_items items;

    of_items_init(&items, printer->message);
    while (of_next_meter_stats(&items, &counts, &stats)) {
        buffer_putc(printer->out, '\n');
        of_meter_stats_format(&stats, printer->out);
    }
    buffer_fini(&counts);
    return message_print_end(&items);
}

static enum of_error print_meter_features(struct message_printer *printer)
{
    struct of_meter_features features;

    of_decode_meter_features(printer->message, &features);
    buffer_putc(printer->out, '\n');
    of_meter_features_format(&features, printer->out);
    return OF_OK;
}

/* --- Tunnel options ------------------------------------------------------------------------ */

void of_tlv_maps_format(const struct of_tlv_map *maps, size_t n_maps, struct buffer *out)
{
    buffer_puts(out, " mapping table:\n  class  type  length  match field\n"
                     " ------  ----  ------  --------------\n");
    for (size_t i = 0; i < n_maps; i++)
        buffer_printf(out, "%#7x %#5x %7u  tun_metadata%u\n", maps[i].option_class,
                      maps[i].option_type, maps[i].option_bytes, maps[i].index);
}

void of_tlv_table_format(const struct of_tlv_table *table, struct buffer *out)
{
    unsigned n_allocated = 0;

    for (size_t i = 0; i < table->n_maps; i++)
        n_allocated += table->maps[i].option_bytes;
    buffer_printf(out, " max option space=%u max fields=%u\n allocated option space=%u\n\n",
                  table->max_option_bytes, table->max_fields, n_allocated);
    of_tlv_maps_format(table->maps, table->n_maps, out);
}

static enum of_error print_tlv_mod(struct message_printer *printer)
{
    struct of_tlv_mod mod;
    enum of_error error = of_decode_tlv_mod(printer->message, &mod);

    if (error)
        return error;
    if (mod.command == OFTLVC_CLEAR) {
        buffer_puts(printer->out, "\n CLEAR");
        return OF_OK;
    }
    buffer_puts(printer->out, mod.command == OFTLVC_ADD ? "\n ADD" : "\n DEL");
    of_tlv_maps_format(mod.maps, mod.n_maps, printer->out);
    return OF_OK;
}

static enum of_error print_tlv_table(struct message_printer *printer)
{
    struct of_tlv_table table;
    enum of_error error = of_decode_tlv_table(printer->message, &table);

    if (error)
        return error;
    buffer_putc(printer->out, '\n');
    of_tlv_table_format(&table, printer->out);
    return OF_OK;
}

static enum of_error print_ct_flush(struct message_printer *printer)
{
    struct of_ct_flush flush;
    enum of_error error = of_decode_ct_flush(printer->message, &flush);

    if (!error)
        of_ct_flush_format(&flush, printer->out);
    return error;
}

static enum of_error print_ct_flush_zone(struct message_printer *printer)
{
    uint16_t zone;
    enum of_error error = of_decode_ct_flush_zone(printer->message, &zone);

    if (!error)
        buffer_printf(printer->out, " zone_id=%u", zone);
    return error;
}

const struct message_print message_prints_tables[] = {
    {OF_TABLE_MOD, print_table_mod},
    {OF_TABLE_STATUS, print_table_status},
    {OF_TABLE_STATS_REQUEST, print_nothing},
    {OF_TABLE_STATS_REPLY, print_tables},
    {OF_TABLE_DESC_REQUEST, print_nothing},
    {OF_TABLE_DESC_REPLY, print_table_desc},
    {OF_TABLE_FEATURES_REQUEST, print_table_features},
    {OF_TABLE_FEATURES_REPLY, print_table_features},
    {OF_GROUP_MOD, message_print_group_mod},
    {OF_GROUP_STATS_REQUEST, print_group_request},
    {OF_GROUP_STATS_REPLY, print_group_stats},
    {OF_GROUP_DESC_REQUEST, print_group_request},
    {OF_GROUP_DESC_REPLY, print_groups},
    {OF_GROUP_FEATURES_REQUEST, print_nothing},
    {OF_GROUP_FEATURES_REPLY, print_group_features},
    {OF_METER_MOD, message_print_meter_mod},
    {OF_METER_STATS_REQUEST, print_meter_request},
    {OF_METER_STATS_REPLY, print_meter_stats},
    {OF_METER_CONFIG_REQUEST, print_meter_request},
    {OF_METER_CONFIG_REPLY, print_meters},
    {OF_METER_FEATURES_REQUEST, print_nothing},
    {OF_METER_FEATURES_REPLY, print_meter_features},
    {OF_TLV_TABLE_MOD, print_tlv_mod},
    {OF_TLV_TABLE_REQUEST, print_nothing},
    {OF_TLV_TABLE_REPLY, print_tlv_table},
    {OF_CT_FLUSH_ZONE, print_ct_flush_zone},
    {OF_CT_FLUSH, print_ct_flush},
    {OF_IPFIX_BRIDGE_REQUEST, print_nothing},
    {OF_IPFIX_FLOW_REQUEST, print_nothing},
};
const size_t message_n_prints_tables = ARRAY_SIZE(message_prints_tables);

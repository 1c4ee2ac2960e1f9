/* SPDX-License-Identifier: Apache-2.0 */

/* Bands follow "band=" or "bands=", each beginning with "type=". */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/openflow/group_text.h"
#include "lib/openflow/text.h"

static const struct {
    const char *name;
    uint16_t flag;
} flags[] = {
    {"kbps", OFMF_KBPS}, {"pktps", OFMF_PKTPS}, {"burst", OFMF_BURST}, {"stats", OFMF_STATS}};

static const struct {
    const char *name;
    uint32_t number;
} reserved_meters[] = {
    {"all", OF_METER_ALL}, {"controller", OF_METER_CONTROLLER}, {"slowpath", OF_METER_SLOWPATH}};

int of_meter_id_parse(const char *text, uint32_t *meter_id, struct error *error)
{
    uint64_t number;

    for (size_t i = 0; i < ARRAY_SIZE(reserved_meters); i++) {
        if (!strcmp(text, reserved_meters[i].name)) {
            *meter_id = reserved_meters[i].number;
            return 0;
        }
    }
    if (!text_parse_u64(text, &number) || !number || number > OF_METER_MAX)
        return error_set(error, -EINVAL,
                         "meter=%s: expected a number from 1 to %u, controller, slowpath or all",
                         text, OF_METER_MAX);
    *meter_id = (uint32_t)number;
    return 0;
}

static int parse_band_type(const char *value, struct of_meter *meter, struct error *error)
{
    struct of_band *band = of_meter_add_band(meter);

    if (!strcmp(value, "dscp_remark"))
        band->type = OFMBT_DSCP_REMARK;
    else if (strcmp(value, "drop"))
        return error_set(error, -EINVAL, "type=%s: expected drop or dscp_remark", value);
    return 0;
}

static int parse_band_word(const struct text_item *item, struct of_meter *meter,
                           struct error *error)
{
    struct of_band *band = meter->n_bands ? &meter->bands[meter->n_bands - 1] : NULL;
    uint64_t number;

    if (!item->value)
        return error_set(error, -EINVAL, "%s: expected %s=VALUE", item->key, item->key);
    if (!strcmp(item->key, "type"))
        return parse_band_type(item->value, meter, error);
    if (!band)
        return error_set(error, -EINVAL, "%s: a band begins with type=", item->key);
    if (!text_parse_u64(item->value, &number) || number > UINT32_MAX)
        return error_set(error, -EINVAL, "%s=%s: expected a number of 32 bits", item->key,
                         item->value);
    if (!strcmp(item->key, "rate"))
        band->rate = (uint32_t)number;
    else if (!strcmp(item->key, "burst_size"))
        band->burst = (uint32_t)number;
    else if (!strcmp(item->key, "prec_level") && number <= UINT8_MAX)
        band->prec_level = (uint8_t)number;
    else
        return error_set(error, -EINVAL, "%s=%s: not known in a band", item->key, item->value);
    return 0;
}

static int parse_meter_word(const struct text_item *item, struct of_meter *meter,
                            struct error *error)
{
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        if (!strcmp(item->key, flags[i].name)) {
            meter->flags |= flags[i].flag;
            return 0;
        }
    }
    if (strcmp(item->key, "meter") || !item->value)
        return error_set(error, -EINVAL, "%s: not known in a meter", item->key);
    return of_meter_id_parse(item->value, &meter->meter_id, error);
}

/* Where bands begin, with their text in '*bands'; cuts that off. */
static void cut_bands(char *text, char **bands)
{
    *bands = strstr(text, "band");
    if (!*bands)
        return;
    char *value = *bands + (strncmp(*bands, "bands", 5) ? 4 : 5);
    if (*value != '=' && *value != ':') {
        *bands = NULL;
        return;
    }
    **bands = '\0';
    *bands = value + 1;
}

static int check(const struct of_meter_mod *mod, bool has_bands, struct error *error)
{
    if (mod->command == OFMC_DELETE)
        return 0;
    if (mod->meter.meter_id == OF_METER_ALL)
        return error_set(error, -EINVAL, "a meter needs meter=NUMBER");
    if (!has_bands)
        return error_set(error, -EINVAL, "a meter needs bands");
    if (mod->meter.flags & OFMF_KBPS && mod->meter.flags & OFMF_PKTPS)
        return error_set(error, -EINVAL, "a meter counts in kbps or in pktps, not both");
    for (size_t i = 0; i < mod->meter.n_bands; i++) {
        if (!mod->meter.bands[i].rate)
            return error_set(error, -EINVAL, "a band needs a rate");
    }
    return 0;
}

int of_meter_mod_parse(const char *text, enum of_meter_command command, struct of_meter_mod *mod,
                       struct error *error)
{
    char *copy = strdup(text), *bands, *cursor;
    struct text_item item;
    int result = 0;

    if (!copy)
        abort();
    *mod = (struct of_meter_mod){.command = (uint16_t)command};
    of_meter_init(&mod->meter);
    cut_bands(copy, &bands);
    cursor = copy;
    while (!result && text_next_item(&cursor, &item))
        result = item.key ? parse_meter_word(&item, &mod->meter, error)
                          : error_set(error, -EINVAL, "%.60s: brackets do not match", cursor);
    if (command != OFMC_DELETE && !(mod->meter.flags & (OFMF_KBPS | OFMF_PKTPS)))
        mod->meter.flags |= OFMF_KBPS;
    while (!result && bands && text_next_item(&bands, &item))
        result = item.key ? parse_band_word(&item, &mod->meter, error)
                          : error_set(error, -EINVAL, "%.60s: brackets do not match", bands);
    if (!result)
        result = check(mod, mod->meter.n_bands > 0, error);
    free(copy);
    return result;
}

/* Printing */

void of_meter_id_format(uint32_t meter_id, struct buffer *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(reserved_meters); i++) {
        if (meter_id == reserved_meters[i].number) {
            buffer_puts(out, reserved_meters[i].name);
            return;
        }
    }
    buffer_printf(out, "%u", meter_id);
}

void of_meter_format(const struct of_meter *meter, struct buffer *out)
{
    buffer_puts(out, "meter=");
    of_meter_id_format(meter->meter_id, out);
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        if (meter->flags & flags[i].flag)
            buffer_printf(out, " %s", flags[i].name);
    }
    buffer_puts(out, " bands=\n");
    for (size_t i = 0; i < meter->n_bands; i++) {
        const struct of_band *band = &meter->bands[i];

        buffer_printf(out, "type=%s rate=%u",
                      band->type == OFMBT_DSCP_REMARK ? "dscp_remark" : "drop", band->rate);
        if (meter->flags & OFMF_BURST)
            buffer_printf(out, " burst_size=%u", band->burst);
        if (band->type == OFMBT_DSCP_REMARK)
            buffer_printf(out, " prec_level=%u", band->prec_level);
        buffer_putc(out, '\n');
    }
}

void of_meter_stats_format(const struct of_meter_stats *stats, struct buffer *out)
{
    buffer_puts(out, "meter:");
    of_meter_id_format(stats->meter_id, out);
    buffer_printf(
        out, " flow_count:%u packet_in_count:%llu byte_in_count:%llu duration:", stats->n_flows,
        (unsigned long long)stats->n_packets, (unsigned long long)stats->n_bytes);
    text_format_duration(stats->duration_s, stats->duration_ns, out);
    buffer_puts(out, " bands:\n");
    for (size_t i = 0; i < stats->n_bands; i++)
        buffer_printf(out, "%zu: packet_count:%llu byte_count:%llu\n", i,
                      (unsigned long long)stats->bands[i].n_packets,
                      (unsigned long long)stats->bands[i].n_bytes);
}

void of_meter_features_format(const struct of_meter_features *features, struct buffer *out)
{
    buffer_printf(out, "max_meter:%u max_bands:%u max_color:%u\nband_types:", features->max_meters,
                  features->max_bands, features->max_color);
    if (features->band_types & 1U << OFMBT_DROP)
        buffer_puts(out, " drop");
    if (features->band_types & 1U << OFMBT_DSCP_REMARK)
        buffer_puts(out, " dscp_remark");
    buffer_puts(out, "\ncapabilities:");
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        if (features->capabilities & flags[i].flag)
            buffer_printf(out, " %s", flags[i].name);
    }
    buffer_putc(out, '\n');
}

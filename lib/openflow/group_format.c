/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/openflow/group_text.h"
#include "lib/openflow/text.h"

#include "lib/annotations.h"
#include "lib/openflow/flow_text.h"

static void format_fields(const struct of_group *group, struct buffer *out)
{
    buffer_puts(out, group->n_fields == 1 ? "fields=" : "fields(");
    for (size_t i = 0; i < group->n_fields; i++) {
        const struct of_field *field = of_field((enum of_field_id)group->fields[i].field);

        buffer_printf(out, "%s%s", i ? "," : "", field->name);
        if (!of_value_is_all_ones(field, &group->fields[i].mask)) {
            buffer_putc(out, '=');
            of_value_format(field, &group->fields[i].mask, out);
        }
    }
    if (group->n_fields != 1)
        buffer_putc(out, ')');
    buffer_putc(out, ',');
}

static void format_bucket(const struct of_bucket *bucket, uint8_t group_type,
                          const struct of_names *names, struct buffer *out)
{
    buffer_puts(out, "bucket=");
    if (bucket->bucket_id <= (uint32_t)OF_BUCKET_MAX)
        buffer_printf(out, "bucket_id:%u,", bucket->bucket_id);
    if (bucket->weight != (group_type == OFGT_SELECT))
        buffer_printf(out, "weight:%u,", bucket->weight);
    if (bucket->watch_port != OFPP_NONE) {
        buffer_puts(out, "watch_port:");
        of_port_format(bucket->watch_port, names, out);
        buffer_putc(out, ',');
    }
    if (bucket->watch_group != (uint32_t)OF_GROUP_ANY)
        buffer_printf(out, "watch_group:%u,", bucket->watch_group);
    buffer_puts(out, "actions=");
    of_actions_format(of_bucket_actions(bucket), names, out);
    buffer_putc(out, ',');
}

static void format_rest(const struct of_group *group, const struct of_names *names,
                        struct buffer *out)
{
    if (group->selection_method[0])
        buffer_printf(out, "selection_method=%.16s,", group->selection_method);
    if (group->selection_param)
        buffer_printf(out, "selection_method_param=%llu,",
                      (unsigned long long)group->selection_param);
    if (group->n_fields)
        format_fields(group, out);
    for (size_t i = 0; i < group->n_buckets; i++)
        format_bucket(&group->buckets[i], group->type, names, out);
    out->size--; /* The last comma. */
}

void of_group_format(const struct of_group *group, const struct of_names *names, struct buffer *out)
{
    static const char *const types[] = {"all", "select", "indirect", "ff"};

    buffer_printf(out, "group_id=%u,type=%s,", group->group_id,
                  group->type < N_OF_GROUP_TYPES ? types[group->type] : "?");
    format_rest(group, names, out);
}

void of_group_format_untyped(const struct of_group *group, const struct of_names *names,
                             struct buffer *out)
{
    buffer_printf(out, "group_id=%u,", group->group_id);
    format_rest(group, names, out);
}

static void format_counts(uint64_t n_packets, uint64_t n_bytes, struct buffer *out)
{
    buffer_printf(out, "packet_count=%llu,byte_count=%llu", (unsigned long long)n_packets,
                  (unsigned long long)n_bytes);
}

void of_group_stats_format(const struct of_group_stats *stats, struct buffer *out)
{
    buffer_printf(out, "group_id=%u,", stats->group_id);
    if (stats->duration_s != UINT32_MAX) {
        buffer_puts(out, "duration=");
        text_format_duration(stats->duration_s, stats->duration_ns, out);
        buffer_putc(out, ',');
    }
    buffer_printf(out, "ref_count=%u,", stats->n_references);
    format_counts(stats->n_packets, stats->n_bytes, out);
    for (size_t i = 0; i < stats->n_buckets; i++) {
        buffer_printf(out, ",bucket%zu:", i);
        format_counts(stats->buckets[i].n_packets, stats->buckets[i].n_bytes, out);
    }
}

/* Which bit an action has in 1.0, in 1.1, and since; -1: none.  In the order of ovs-ofctl(8). */
static const struct {
    const char *name;
    int8_t of10, of11, of12;
} action_bits[] = {
    {"output", 0, 0, 0},
    {"group", -1, 22, 22},
    {"enqueue", 11, -1, -1},
    {"set_field", -1, -1, 25},
    {"set_vlan_vid", 1, 1, -1},
    {"set_vlan_pcp", 2, 2, -1},
    {"strip_vlan", 3, 18, 18},
    {"push_vlan", -1, 17, 17},
    {"mod_dl_src", 4, 3, -1},
    {"mod_dl_dst", 5, 4, -1},
    {"mod_nw_src", 6, 5, -1},
    {"mod_nw_dst", 7, 6, -1},
    {"mod_nw_tos", 8, 7, -1},
    {"mod_nw_ecn", -1, 8, -1},
    {"mod_nw_ttl", -1, 23, 23},
    {"mod_tp_src", 9, 9, -1},
    {"mod_tp_dst", 10, 10, -1},
    {"dec_ttl", -1, 24, 24},
    {"set_mpls_label", -1, 13, -1},
    {"set_mpls_tc", -1, 14, -1},
    {"set_mpls_ttl", -1, 15, 15},
    {"dec_mpls_ttl", -1, 16, 16},
    {"push_mpls", -1, 19, 19},
    {"pop_mpls", -1, 20, 20},
    {"set_queue", -1, 21, 21},
};

void of_action_types_format(uint32_t types, enum of_version version, struct buffer *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(action_bits); i++) {
        int bit = version == OF_1_0   ? action_bits[i].of10
                  : version == OF_1_1 ? action_bits[i].of11
                                      : action_bits[i].of12;
        if (bit >= 0 && types & UINT32_C(1) << bit)
            buffer_printf(out, " %s", action_bits[i].name);
    }
}

void of_group_features_format(const struct of_group_features *features, enum of_version version,
                              struct buffer *out)
{
    static const char *const names[] = {"all", "select", "indirect", "fast failover"};

    buffer_printf(out, " Group table:\n    Types:  0x%x\n    Capabilities:  0x%x\n",
                  features->types, features->capabilities);
    for (size_t i = 0; i < N_OF_GROUP_TYPES; i++) {
        if (!(features->types & 1U << i))
            continue;
        buffer_printf(out, "    %s group:\n       max_groups=%#x\n       actions:", names[i],
                      features->max_groups[i]);
        of_action_types_format(features->actions[i], version, out);
        buffer_putc(out, '\n');
    }
}

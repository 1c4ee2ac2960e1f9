/* SPDX-License-Identifier: Apache-2.0 */

/* Group_mods, and what is told of groups. */

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/openflow/action_codec.h"
#include "lib/openflow/groups.h"
#include "lib/openflow/tables.h"
#include "vswitchd/group_mod.h"
#include "vswitchd/group_table.h"
#include "vswitchd/of_server_state.h"

static enum of_error check_buckets(const struct of_group *group)
{
    enum of_error error = OF_OK;

    for (size_t i = 0; !error && i < group->n_buckets; i++)
        error = ofa_check_engines(of_bucket_actions(&group->buckets[i]));
    return error;
}

enum of_error of_server_group_mod(struct of_connection *connection,
                                  const struct of_message *message)
{
    struct of_group_mod mod;
    enum of_error error = of_decode_group_mod(message, OF_N_TABLES, &mod);

    if (!error)
        error = check_buckets(&mod.group);
    if (!error)
        error = group_mod_apply(connection->server->tables, &mod, clock_now_ns());
    of_group_mod_fini(&mod);
    return error;
}

bool of_server_has_group(const struct of_server *server, uint32_t group_id)
{
    const struct flow_tables *tables = server->tables;

    return group_table_lookup(flow_tables_groups(tables), flow_tables_next_version(tables),
                              group_id);
}

static void add_stats(struct of_reply *reply, const struct flow_tables *tables,
                      const struct group *group, int64_t now_ns)
{
    size_t n_buckets = group->desc.n_buckets;
    struct of_bucket_counts *counts = calloc(n_buckets + 1, sizeof *counts);
    int64_t age_ns = now_ns - group->created_ns;

    if (!counts)
        abort();
    for (size_t i = 0; i < n_buckets; i++) {
        counts[i].n_packets = group->buckets[i].n_packets;
        counts[i].n_bytes = group->buckets[i].n_bytes;
    }
    const struct of_group_stats stats = {
        .group_id = group->desc.group_id,
        .n_references = (uint32_t)flow_tables_count_users(tables, group->desc.group_id),
        .n_packets = group->n_packets,
        .n_bytes = group->n_bytes,
        .duration_s = (uint32_t)(age_ns / SECOND_NS),
        .duration_ns = (uint32_t)(age_ns % SECOND_NS / MILLISECOND_NS * MILLISECOND_NS),
        .buckets = counts,
        .n_buckets = n_buckets,
    };
    of_reply_add_group_stats(reply, &stats);
    free(counts);
}

/* A group that is not there gives an empty reply. */
static enum of_error tell_groups(struct of_connection *connection, const struct of_message *message,
                                 bool has_stats)
{
    struct flow_tables *tables = connection->server->tables;
    uint64_t version = flow_tables_next_version(tables);
    struct group **groups;
    struct of_reply reply;
    uint32_t group_id;
    enum of_error error = of_decode_group_request(message, &group_id);

    if (error)
        return error;
    size_t n = group_table_list(flow_tables_groups(tables), version, &groups);
    of_reply_begin(&reply, message, &connection->output);
    for (size_t i = 0; i < n; i++) {
        if (group_id != (uint32_t)OF_GROUP_ALL && group_id != groups[i]->desc.group_id)
            continue;
        if (has_stats)
            add_stats(&reply, tables, groups[i], clock_now_ns());
        else
            of_reply_add_group(&reply, &groups[i]->desc);
    }
    of_reply_end(&reply);
    free(groups);
    return OF_OK;
}

enum of_error of_stats_group_desc(struct of_connection *connection,
                                  const struct of_message *message)
{
    return tell_groups(connection, message, false);
}

enum of_error of_stats_groups(struct of_connection *connection, const struct of_message *message)
{
    struct of_server *server = connection->server;

    of_server_publish(server);
    server->ops->push_stats(server->aux);
    return tell_groups(connection, message, true);
}

enum of_error of_stats_group_features(struct of_connection *connection,
                                      const struct of_message *message)
{
    struct of_group_features features = {
        .types = (1 << N_OF_GROUP_TYPES) - 1,
        .capabilities = OFGFC_CHAINING | OFGFC_SELECT_LIVENESS | OFGFC_SELECT_WEIGHT,
    };

    for (size_t i = 0; i < N_OF_GROUP_TYPES; i++) {
        features.max_groups[i] = GROUP_TABLE_MAX_GROUPS;
        features.actions[i] = of_action_types(message->version);
    }
    of_encode_group_features(&features, message, &connection->output);
    return OF_OK;
}

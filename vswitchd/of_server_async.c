/* SPDX-License-Identifier: Apache-2.0 */

/* Messages nobody asked for.  A peer that does not read loses packet_ins, which are only samples of
 * what goes on; it must not lose other news without knowing, so when too much of that is waiting its
 * connection is closed, and it will ask for the whole state. */

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/openflow/flow_mod.h"
#include "lib/openflow/packet.h"
#include "lib/openflow/ports.h"
#include "vswitchd/flow_table.h"
#include "vswitchd/of_server_state.h"
#include "vswitchd/of_server_targets.h"

enum {
    MAX_NEWS_BYTES = 16 << 20,
    MAX_FRAME_BYTES = UINT16_MAX - 1024, /* The message around it has a 16-bit length, too. */
};

/* Does the connection want messages at all, and this reason by 'masks'? */
static bool wants(const struct of_connection *connection, const uint32_t masks[2],
                  unsigned int reason)
{
    if (connection->sort == OF_CONNECTION_MANAGEMENT && !connection->miss_send_bytes)
        return false;
    if (connection->target && connection->target->has_no_async)
        return false;
    return masks[connection->role == OF_ROLE_SECONDARY] >> reason & 1;
}

void of_connection_bound_news(struct of_connection *connection)
{
    if (of_connection_pending(connection) > MAX_NEWS_BYTES)
        of_connection_close(connection, "peer does not read");
}

void of_server_port_status(struct of_server *server, enum of_port_reason reason,
                           const struct of_port_info *port)
{
    struct of_connection *connection;

    for_each_connection_up (connection, server) {
        if (!wants(connection, connection->async.port_status, reason))
            continue;
        of_encode_port_status(port, reason, connection->protocol.version, &connection->output);
        of_connection_bound_news(connection);
    }
}

/* To one whose role was changed by somebody else. */
void of_server_role_status(struct of_connection *connection, enum of_role_reason reason)
{
    const struct of_server *server = connection->server;
    const struct of_role_status status = {
        .role = connection->role,
        .reason = (uint8_t)reason,
        .generation_id = server->has_generation ? server->generation_id : UINT64_MAX,
    };

    if (connection->protocol.version < OF_1_3 ||
        !wants(connection, connection->async.role_status, reason))
        return;
    of_encode_role_status(&status, connection->protocol.version, &connection->output);
    of_connection_bound_news(connection);
}

static void describe_removed(const struct rule *rule, enum flow_removed_reason reason,
                             int64_t now_ns, struct of_flow_removed *removed)
{
    static const uint8_t reasons[] = {
        [FLOW_REMOVED_IDLE] = OFRR_IDLE_TIMEOUT,
        [FLOW_REMOVED_HARD] = OFRR_HARD_TIMEOUT,
        [FLOW_REMOVED_DELETE] = OFRR_DELETE,
        [FLOW_REMOVED_GROUP_DELETE] = OFRR_GROUP_DELETE,
        [FLOW_REMOVED_METER_DELETE] = OFRR_METER_DELETE,
        [FLOW_REMOVED_EVICTION] = OFRR_EVICTION,
    };
    int64_t age_ns = now_ns - rule->created_ns;

    *removed = (struct of_flow_removed){
        .cookie = rule_cookie(rule),
        .priority = (uint16_t)rule->cls.priority,
        .reason = reasons[reason],
        .table_id = rule->table_id,
        .duration_s = (uint32_t)(age_ns / SECOND_NS),
        .duration_ns = (uint32_t)(age_ns % SECOND_NS),
        .idle_timeout_s = rule->idle_timeout_s,
        .hard_timeout_s = rule->hard_timeout_s,
        .n_packets = rule->n_packets,
        .n_bytes = rule->n_bytes,
    };
    cls_rule_expand(&rule->cls, &removed->match);
}

bool of_server_wants_removed(const struct of_server *server, const struct rule *rule)
{
    return rule->flags & OFFF_SEND_FLOW_REM || server->n_monitors;
}

void of_server_flow_removed(struct of_server *server, const struct rule *rule,
                            enum flow_removed_reason reason, int64_t now_ns)
{
    struct of_connection *connection;
    struct of_flow_removed removed;

    if (!of_server_wants_removed(server, rule))
        return;
    describe_removed(rule, reason, now_ns, &removed);
    of_monitor_tell(server, OF_UPDATE_REMOVED, rule, removed.reason);
    if (!(rule->flags & OFFF_SEND_FLOW_REM))
        return;
    for_each_connection_up (connection, server) {
        if (!wants(connection, connection->async.flow_removed, removed.reason))
            continue;
        of_encode_flow_removed(&removed, &connection->protocol, &connection->output);
        of_connection_bound_news(connection);
    }
}

void of_server_flow_added(struct of_server *server, const struct rule *rule)
{
    of_monitor_tell(server, OF_UPDATE_ADDED, rule, 0);
}

void of_server_flow_modified(struct of_server *server, const struct rule *rule)
{
    of_monitor_tell(server, OF_UPDATE_MODIFIED, rule, 0);
}

void of_server_table_status(struct of_server *server, uint8_t table_id, enum of_table_reason reason,
                            uint8_t vacancy_percent)
{
    struct of_connection *connection;
    struct of_table_status status = {
        .reason = (uint8_t)reason,
        .desc = of_stats_table_desc(server, table_id),
    };

    status.desc.config.vacancy_percent = vacancy_percent;
    for_each_connection_up (connection, server) {
        if (connection->protocol.version < OF_1_4 ||
            !wants(connection, connection->async.table_status, reason))
            continue;
        of_encode_table_status(&status, connection->protocol.version, &connection->output);
        of_connection_bound_news(connection);
    }
}

static uint8_t packet_in_reason(const struct packet_in *entry, enum of_version version)
{
    return entry->is_from_miss_flow && version >= OF_1_3 ? OFPR_NO_MATCH : entry->reason;
}

static void send_packet_in(struct of_server *server, const struct packet_in *entry)
{
    struct buffer continuation = BUFFER_INIT, message = BUFFER_INIT;
    struct of_connection *connection;
    struct of_packet_in packet = {
        .frame = entry->frame,
        .frame_bytes = entry->n_bytes < MAX_FRAME_BYTES ? entry->n_bytes : MAX_FRAME_BYTES,
        .total_bytes = (uint16_t)(entry->total_bytes < UINT16_MAX ? entry->total_bytes
                                                                  : UINT16_MAX),
        .table_id = entry->table_id,
        .cookie = entry->cookie,
        .userdata = entry->userdata,
        .userdata_bytes = entry->n_userdata,
    };

    of_metadata_to_match(&entry->flow, &packet.match);
    packet.match.flow.key.in_port = be32_from(entry->in_port);
    for_each_connection_up (connection, server) {
        packet.reason = packet_in_reason(entry, connection->protocol.version);
        if ((entry->is_without_flow && connection->protocol.version >= OF_1_3) ||
            connection->controller_id != entry->controller_id ||
            !wants(connection, connection->async.packet_in, packet.reason))
            continue;
        if (!of_connection_takes_packet_in(connection)) {
            server->stats.n_packet_ins_dropped++;
            continue;
        }
        buffer_clear(&continuation);
        if (entry->continuation &&
            of_continuation_encode(entry->continuation, &server->seal, entry->dp_port,
                                   connection->protocol.version, &continuation)) {
            packet.continuation = continuation.data;
            packet.continuation_bytes = continuation.size;
        }
        buffer_clear(&message);
        of_encode_packet_in(&packet, connection->protocol.version, connection->packet_in_format,
                            &message);
        of_connection_send_packet_in(connection, packet.reason == OFPR_NO_MATCH, entry->in_port,
                                     &message);
        server->stats.n_packet_ins++;
    }
    buffer_fini(&continuation);
    buffer_fini(&message);
}

void of_server_packet_ins(struct of_server *server, struct packet_in_queue *queue)
{
    for (struct packet_in *packet = packet_in_take_all(queue), *next; packet; packet = next) {
        next = packet_in_next(packet);
        send_packet_in(server, packet);
        packet_in_free(packet);
    }
}

bool of_server_wants_misses(const struct of_server *server)
{
    const struct of_connection *connection;

    for_each_connection_up (connection, server) {
        if (connection->protocol.version < OF_1_3 && !connection->controller_id &&
            wants(connection, connection->async.packet_in, OFPR_NO_MATCH))
            return true;
    }
    return false;
}

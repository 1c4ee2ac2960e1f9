/* SPDX-License-Identifier: Apache-2.0 */

/* One function per kind of message, found by a table.  Errors are those Open vSwitch sends. */

#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/openflow/action_codec.h"
#include "lib/openflow/ct_flush.h"
#include "lib/openflow/groups.h"
#include "lib/openflow/packet.h"
#include "lib/openflow/ports.h"
#include "lib/openflow/tables.h"
#include "lib/openflow/vendor.h"
#include "vswitchd/flow_mod.h"
#include "vswitchd/meter_table.h"
#include "vswitchd/of_server_state.h"

#include <stdlib.h>

enum {
    INVALID_TTL_BIT = 1 << OFPR_INVALID_TTL,
    N_TABLES_TOLD = 254, /* Table 254 is the switch's own. */
    ETHERNET_HEADER_BYTES = 14,
};

typedef enum of_error handler(struct of_connection *connection, const struct of_message *message);

static enum of_error handle_features(struct of_connection *connection,
                                     const struct of_message *message)
{
    struct of_server *server = connection->server;
    struct of_switch_info info = {.datapath_id = 0};
    struct of_port_info *ports = NULL;

    server->ops->describe(server->aux, &info);
    const struct of_features features = {
        .datapath_id = info.datapath_id,
        .n_tables = N_TABLES_TOLD,
        .capabilities = OFPC_FLOW_STATS | OFPC_TABLE_STATS | OFPC_PORT_STATS | OFPC_QUEUE_STATS |
                        OFPC_GROUP_STATS | OFPC_ARP_MATCH_IP | OFPC_BUNDLES,
        .actions = of_action_types(OF_1_0),
    };
    size_t n_ports = server->ops->list_ports(server->aux, &ports);
    of_encode_features_reply(&features, ports, n_ports, message->version, message->xid,
                             &connection->output);
    free(ports);
    return OF_OK;
}

static enum of_error handle_get_config(struct of_connection *connection,
                                       const struct of_message *message)
{
    const struct of_switch_config config = {
        .frag_mode = connection->server->frag_mode,
        .miss_send_bytes = connection->miss_send_bytes,
        .wants_invalid_ttl = connection->async.packet_in[0] & INVALID_TTL_BIT,
    };

    of_encode_switch_config(&config, OF_GET_CONFIG_REPLY, message->version, message->xid,
                            &connection->output);
    return OF_OK;
}

static enum of_error handle_set_config(struct of_connection *connection,
                                       const struct of_message *message)
{
    struct of_server *server = connection->server;
    struct of_switch_config config;
    enum of_error error = of_decode_switch_config(message, &config);

    if (error)
        return error;
    /* As in Open vSwitch, asking for reassembly changes nothing. */
    if (connection->role != OF_ROLE_SECONDARY && config.frag_mode != server->frag_mode &&
        config.frag_mode != OF_FRAG_REASSEMBLE) {
        server->frag_mode = config.frag_mode;
        server->ops->set_frag_mode(server->aux, config.frag_mode);
    }
    connection->miss_send_bytes = config.miss_send_bytes;
    if (message->version < OF_1_3) {
        connection->async.packet_in[0] &= ~(uint32_t)INVALID_TTL_BIT;
        connection->async.packet_in[0] |= config.wants_invalid_ttl ? INVALID_TTL_BIT : 0;
    }
    of_server_note_status(server, connection->target != NULL);
    return OF_OK;
}

static enum of_error handle_barrier(struct of_connection *connection,
                                    const struct of_message *message)
{
    struct of_server *server = connection->server;

    of_server_publish(server);
    server->ops->synchronize(server->aux);
    of_encode_empty(OF_BARRIER_REPLY, message->version, message->xid, &connection->output);
    return OF_OK;
}

static bool has_group(void *server, uint32_t group_id)
{
    return of_server_has_group(server, group_id);
}

static bool has_meter(void *server, uint32_t meter_id)
{
    return meter_table_lookup(((const struct of_server *)server)->meters, meter_id);
}

static enum of_error check_references(struct of_server *server, struct ofa_list actions)
{
    const struct ofa_referents referents = {
        .has_group = has_group,
        .has_meter = has_meter,
        .aux = server,
    };

    enum of_error error = ofa_check_engines(actions);

    return error ? error : ofa_check_references(actions, &referents);
}

static enum of_error decode_flow_mod(struct of_connection *connection,
                                     const struct of_message *message)
{
    struct of_flow_mod *flow = &connection->server->flow_mod;
    enum of_error error = of_decode_flow_mod(message, &connection->protocol, OF_N_TABLES, flow);

    if (!error && flow->table_id == N_TABLES_TOLD)
        return OFPBRC_EPERM;
    /* No frames are buffered, so no number can name one; deletes ignore it. */
    if (!error && flow->buffer_id != OF_BUFFER_NONE && flow->command <= OFFC_MODIFY_STRICT)
        error = OFPBRC_BUFFER_UNKNOWN;
    return error;
}

enum of_error of_server_flow_mod(struct of_connection *connection, const struct of_message *message)
{
    struct of_server *server = connection->server;
    enum of_error error = decode_flow_mod(connection, message);

    if (!error && server->flow_mod.command <= OFFC_MODIFY_STRICT)
        error = of_match_check_engines(&server->flow_mod.match);
    if (!error)
        error = of_server_check_options(server, &server->flow_mod.match,
                                        of_flow_mod_actions(&server->flow_mod));
    if (!error)
        error = check_references(server, of_flow_mod_actions(&server->flow_mod));
    return error ? error : flow_mod_apply(server->tables, &server->flow_mod, clock_now_ns());
}

/* One that comes alone is news by itself, even if the next one takes it back. */
static enum of_error handle_flow_mod(struct of_connection *connection,
                                     const struct of_message *message)
{
    enum of_error error = of_server_flow_mod(connection, message);

    flow_tables_note_vacancies(connection->server->tables);
    return error;
}

/* 'packet' is initialized in any case. */
static enum of_error decode_packet_out(const struct of_message *message,
                                       struct of_packet_out *packet)
{
    enum of_error error = of_decode_packet_out(message, OF_N_TABLES, packet);

    if (!error && packet->frame_bytes < ETHERNET_HEADER_BYTES)
        error = OFPBRC_BAD_PACKET;
    return error;
}

enum of_error of_server_prepare_packet_out(struct of_connection *connection,
                                           const struct of_message *message,
                                           struct outgoing **outgoing)
{
    struct of_server *server = connection->server;
    struct of_packet_out packet;
    enum of_error error = decode_packet_out(message, &packet);

    if (!error)
        error = check_references(server, of_packet_out_actions(&packet));
    *outgoing = error ? NULL : server->ops->prepare_packet_out(server->aux, &packet);
    of_packet_out_fini(&packet);
    return error;
}

static enum of_error handle_packet_out(struct of_connection *connection,
                                       const struct of_message *message)
{
    struct of_server *server = connection->server;
    struct outgoing *outgoing;
    enum of_error error;

    of_server_publish(server);
    error = of_server_prepare_packet_out(connection, message, &outgoing);
    if (outgoing)
        server->ops->send_packet_out(server->aux, outgoing);
    return error;
}

static enum of_error handle_resume(struct of_connection *connection,
                                   const struct of_message *message)
{
    struct of_server *server = connection->server;
    struct of_continuation *continuation;
    struct of_packet_in packet;
    enum of_error error = of_decode_resume(message, &packet);

    if (!error && packet.frame_bytes < ETHERNET_HEADER_BYTES)
        error = OFPBRC_BAD_PACKET;
    if (!error)
        error = of_continuation_decode(packet.continuation, packet.continuation_bytes,
                                       &server->seal, message->version, &continuation);
    if (error)
        return error;
    of_server_publish(server);
    server->ops->resume(server->aux, &packet, continuation);
    of_continuation_unref(continuation);
    return OF_OK;
}

/* Nothing is tracked: whatever is to be forgotten is. */
static enum of_error handle_ct_flush(struct of_connection *connection UNUSED,
                                     const struct of_message *message)
{
    struct of_ct_flush flush;

    return of_decode_ct_flush(message, &flush);
}

static enum of_error handle_ct_flush_zone(struct of_connection *connection UNUSED,
                                          const struct of_message *message)
{
    uint16_t zone;

    return of_decode_ct_flush_zone(message, &zone);
}

enum of_error of_server_port_mod(struct of_connection *connection, const struct of_message *message)
{
    struct of_server *server = connection->server;
    struct of_port_mod mod;
    enum of_error error = of_decode_port_mod(message, &mod);

    if (!error)
        error = server->ops->check_port_mod(server->aux, &mod);
    if (!error)
        server->ops->port_mod(server->aux, &mod);
    return error;
}

enum of_error of_server_check_bundled(struct of_connection *connection,
                                      const struct of_message *message)
{
    struct of_packet_out packet;
    struct of_group_mod group;
    struct of_port_mod mod;
    enum of_error error;

    switch (message->kind) {
    case OF_FLOW_MOD:
        return decode_flow_mod(connection, message);
    case OF_GROUP_MOD:
        error = of_decode_group_mod(message, OF_N_TABLES, &group);
        of_group_mod_fini(&group);
        return error;
    case OF_PORT_MOD:
        return of_decode_port_mod(message, &mod);
    case OF_PACKET_OUT:
        error = decode_packet_out(message, &packet);
        of_packet_out_fini(&packet);
        return error;
    default:
        return OFPBFC_MSG_UNSUP;
    }
}

static enum of_error handle_table_mod(struct of_connection *connection,
                                      const struct of_message *message)
{
    struct flow_tables *tables = connection->server->tables;
    struct of_table_mod mod;
    enum of_error error = of_decode_table_mod(message, &mod);

    if (error)
        return error;
    if (mod.table_id >= N_TABLES_TOLD && mod.table_id != OF_TABLE_ALL)
        return OFPTMFC_BAD_TABLE;
    if (message->version <= OF_1_2)
        flow_tables_set_miss(tables, mod.table_id, mod.miss);
    if (message->version >= OF_1_4)
        flow_tables_set_config(tables, mod.table_id, &mod.config);
    return OF_OK;
}

/* Is 'id' older than the newest seen?  Numbers wrap (OpenFlow 1.3.5, section 6.3.6). */
static bool is_stale(struct of_server *server, uint64_t id)
{
    if (server->has_generation && (int64_t)(id - server->generation_id) < 0)
        return true;
    server->has_generation = true;
    server->generation_id = id;
    return false;
}

static void set_role(struct of_connection *connection, enum of_role role)
{
    struct of_server *server = connection->server;
    struct of_connection *other;

    if (role == OF_ROLE_PRIMARY) {
        for_each_connection_up (other, server) {
            if (other == connection || other->role != OF_ROLE_PRIMARY)
                continue;
            other->role = OF_ROLE_SECONDARY;
            of_server_role_status(other, OFPCRR_PRIMARY_REQUEST);
        }
    }
    connection->role = role;
}

static enum of_error handle_role(struct of_connection *connection, const struct of_message *message)
{
    struct of_server *server = connection->server;
    struct of_role_request request;
    enum of_error error = of_decode_role(message, &request);

    if (error)
        return error;
    if (request.role == OF_ROLE_PRIMARY || request.role == OF_ROLE_SECONDARY) {
        if (request.has_generation_id && is_stale(server, request.generation_id))
            return OFPRRFC_STALE;
    }
    if (request.role != OF_ROLE_NOCHANGE)
        set_role(connection, request.role);
    const struct of_role_request reply = {
        .role = connection->role,
        .has_generation_id = request.has_generation_id,
        .generation_id = server->has_generation ? server->generation_id : UINT64_MAX,
    };
    of_encode_role(&reply, OF_ROLE_REPLY, message->version, message->xid, &connection->output);
    of_server_note_status(server, connection->target != NULL);
    return OF_OK;
}

static enum of_error handle_get_async(struct of_connection *connection,
                                      const struct of_message *message)
{
    of_encode_async_config(&connection->async, OF_GET_ASYNC_REPLY, message->version, message->xid,
                           &connection->output);
    return OF_OK;
}

static enum of_error handle_set_async(struct of_connection *connection,
                                      const struct of_message *message)
{
    struct of_async_config config = connection->async;
    enum of_error error = of_decode_async_config(message, &config);

    if (!error)
        connection->async = config;
    return error;
}

static enum of_error handle_flow_format(struct of_connection *connection,
                                        const struct of_message *message)
{
    return of_decode_set_flow_format(message, &connection->protocol.uses_nxm);
}

static enum of_error handle_flow_mod_table_id(struct of_connection *connection,
                                              const struct of_message *message)
{
    return of_decode_flow_mod_table_id(message, &connection->protocol.has_table_id);
}

static enum of_error handle_packet_in_format(struct of_connection *connection,
                                             const struct of_message *message)
{
    return of_decode_set_packet_in_format(message, &connection->packet_in_format);
}

static enum of_error handle_controller_id(struct of_connection *connection,
                                          const struct of_message *message)
{
    return of_decode_set_controller_id(message, &connection->controller_id);
}

/* What only a primary or equal controller may do. */
static bool is_reserved_to_primary(enum of_message_kind kind)
{
    return kind == OF_FLOW_MOD || kind == OF_PACKET_OUT || kind == OF_PORT_MOD ||
           kind == OF_TABLE_MOD || kind == OF_GROUP_MOD || kind == OF_METER_MOD ||
           kind == OF_BUNDLE_CONTROL || kind == OF_BUNDLE_ADD_MESSAGE || kind == OF_TLV_TABLE_MOD;
}

static bool is_statistics(enum of_message_kind kind)
{
    return kind == OF_DESC_REQUEST || kind == OF_FLOW_STATS_REQUEST ||
           kind == OF_AGGREGATE_REQUEST || kind == OF_TABLE_STATS_REQUEST ||
           kind == OF_TABLE_FEATURES_REQUEST || kind == OF_PORT_STATS_REQUEST ||
           kind == OF_QUEUE_STATS_REQUEST || kind == OF_PORT_DESC_REQUEST ||
           kind == OF_QUEUE_CONFIG_REQUEST || kind == OF_TABLE_DESC_REQUEST ||
           kind == OF_GROUP_STATS_REQUEST || kind == OF_GROUP_DESC_REQUEST ||
           kind == OF_GROUP_FEATURES_REQUEST || kind == OF_METER_STATS_REQUEST ||
           kind == OF_METER_CONFIG_REQUEST || kind == OF_METER_FEATURES_REQUEST ||
           kind == OF_IPFIX_BRIDGE_REQUEST || kind == OF_IPFIX_FLOW_REQUEST;
}

/* With monitors, what a message changes is published with it, so that all know whose it is. */
static enum of_error call_as_changer(handler *handle, struct of_connection *connection,
                                     const struct of_message *message)
{
    struct of_server *server = connection->server;

    server->changer = connection;
    server->change_xid = message->xid;
    connection->monitors.is_told = false;
    enum of_error error = handle(connection, message);
    if (server->n_monitors)
        of_server_publish(server);
    server->changer = NULL;
    return error;
}

enum of_error of_server_handle(struct of_connection *connection, const struct of_message *message)
{
    static handler *const handlers[N_OF_MESSAGE_KINDS] = {
        [OF_FEATURES_REQUEST] = handle_features,
        [OF_GET_CONFIG_REQUEST] = handle_get_config,
        [OF_SET_CONFIG] = handle_set_config,
        [OF_BARRIER_REQUEST] = handle_barrier,
        [OF_FLOW_MOD] = handle_flow_mod,
        [OF_GROUP_MOD] = of_server_group_mod,
        [OF_METER_MOD] = of_server_meter_mod,
        [OF_PACKET_OUT] = handle_packet_out,
        [OF_RESUME] = handle_resume,
        [OF_PORT_MOD] = of_server_port_mod,
        [OF_TABLE_MOD] = handle_table_mod,
        [OF_MONITOR_REQUEST] = of_monitor_handle_request,
        [OF_MONITOR_CANCEL] = of_monitor_handle_cancel,
        [OF_BUNDLE_CONTROL] = of_bundle_handle_control,
        [OF_BUNDLE_ADD_MESSAGE] = of_bundle_handle_add,
        [OF_ROLE_REQUEST] = handle_role,
        [OF_GET_ASYNC_REQUEST] = handle_get_async,
        [OF_SET_ASYNC] = handle_set_async,
        [OF_SET_FLOW_FORMAT] = handle_flow_format,
        [OF_FLOW_MOD_TABLE_ID] = handle_flow_mod_table_id,
        [OF_SET_PACKET_IN_FORMAT] = handle_packet_in_format,
        [OF_SET_CONTROLLER_ID] = handle_controller_id,
        [OF_CT_FLUSH_ZONE] = handle_ct_flush_zone,
        [OF_CT_FLUSH] = handle_ct_flush,
        [OF_TLV_TABLE_MOD] = of_tlv_handle_mod,
        [OF_TLV_TABLE_REQUEST] = of_tlv_handle_request,
    };

    if (connection->role == OF_ROLE_SECONDARY && is_reserved_to_primary(message->kind))
        return OFPBRC_IS_SECONDARY;
    if (is_statistics(message->kind))
        return of_stats_handle(connection, message);
    if (!handlers[message->kind])
        return OFPBRC_BAD_TYPE;
    return call_as_changer(handlers[message->kind], connection, message);
}

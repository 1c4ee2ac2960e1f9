/* SPDX-License-Identifier: Apache-2.0 */

/* Statistics requests.  Only flow statistics can be long. */

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/openflow/match_codec.h"
#include "lib/openflow/queues.h"
#include "lib/openflow/stats.h"
#include "lib/openflow/tables.h"
#include "vswitchd/flow_table.h"
#include "vswitchd/of_dump.h"
#include "vswitchd/of_server_state.h"

enum { N_TABLES_TOLD = 254 };

/* Flow statistics under way. */
struct flow_dump {
    struct of_dump dump;
    struct rule_set rules; /* Those that are still to be told. */
    struct of_match_shape shape;
};

/* Flows */

/* Milliseconds are as fine as people and Open vSwitch tell durations. */
static uint32_t whole_milliseconds_ns(int64_t age_ns)
{
    return (uint32_t)(age_ns % SECOND_NS / MILLISECOND_NS * MILLISECOND_NS);
}

/* All but the match. */
static void describe_rule(const struct rule *rule, uint64_t version, int64_t now_ns,
                          struct of_flow_stats *stats)
{
    int64_t age_ns = now_ns - rule->created_ns;
    int64_t used_ns = atomic_load_explicit(&rule->used_ns, memory_order_relaxed);

    stats->cookie = rule_cookie(rule);
    stats->priority = (uint16_t)rule->cls.priority;
    stats->table_id = rule->table_id;
    stats->flags = rule->flags;
    stats->idle_timeout_s = rule->idle_timeout_s;
    stats->hard_timeout_s = rule->hard_timeout_s;
    stats->importance = rule->importance;
    stats->duration_s = (uint32_t)(age_ns / SECOND_NS);
    stats->duration_ns = whole_milliseconds_ns(age_ns);
    stats->idle_age_s = used_ns < now_ns ? (int32_t)((now_ns - used_ns) / SECOND_NS) : 0;
    stats->hard_age_s = (int32_t)((now_ns - rule->modified_ns) / SECOND_NS);
    stats->n_packets = rule->n_packets;
    stats->n_bytes = rule->n_bytes;
    stats->actions = rule_get_actions(rule, version);
}

static enum of_error decode_filter(const struct of_message *message,
                                   struct of_flow_stats_request *request,
                                   struct rule_filter *filter)
{
    enum of_error error = of_decode_flow_stats_request(message, request);

    *filter = (struct rule_filter){
        .match = &request->match,
        .table_id = request->table_id,
        .cookie = request->cookie,
        .cookie_mask = request->cookie_mask,
        .out_port = request->out_port,
        .out_group = request->out_group,
    };
    return error;
}

static void destroy_dump(struct of_dump *dump)
{
    struct flow_dump *flows = CONTAINER_OF(dump, struct flow_dump, dump);

    rule_set_fini(&flows->rules);
    free(flows);
}

/* Loads what the rules that follow will be asked for: in a large table nothing of it is cached. */
static void prefetch_rules(const struct rule_set *set)
{
    enum { RULES_AHEAD = 12, ACTIONS_AHEAD = 6, LINE_BYTES = 64 };

    if (set->n_taken + RULES_AHEAD >= set->n_rules)
        return;
    struct rule *const *next = set->rules + set->n_taken;
    for (size_t i = 0; i < sizeof **next + LINE_BYTES / 2; i += LINE_BYTES)
        __builtin_prefetch((const char *)next[RULES_AHEAD] + i);
    __builtin_prefetch(atomic_load_explicit(&next[ACTIONS_AHEAD]->actions, memory_order_relaxed));
}

/* A rule is given up as soon as it was told, while it is in the processor's cache. */
static bool fill_dump(struct of_dump *dump, struct of_connection *connection)
{
    struct flow_dump *flows = CONTAINER_OF(dump, struct flow_dump, dump);
    uint64_t version = flow_tables_version(connection->server->tables);
    int64_t now_ns = clock_now_ns();
    struct of_flow_stats stats = {.table_id = 0};
    struct rule *rule;

    dump->reply.shape = &flows->shape;
    while (!of_dump_is_full(dump) && (rule = rule_set_take(&flows->rules))) {
        prefetch_rules(&flows->rules);
        describe_rule(rule, version, now_ns, &stats);
        cls_rule_fill(&rule->cls, &stats.match);
        of_reply_add_flow(&dump->reply, &stats);
        cls_rule_clear(&rule->cls, &stats.match);
        rule_unref(rule);
    }
    return flows->rules.n_taken < flows->rules.n_rules;
}

static enum of_error begin_dump(struct of_connection *connection, const struct of_message *message)
{
    struct of_server *server = connection->server;
    struct of_flow_stats_request request;
    struct rule_filter filter;
    enum of_error error = decode_filter(message, &request, &filter);

    if (error)
        return error;
    struct flow_dump *flows = calloc(1, sizeof *flows);
    if (!flows)
        abort();
    flows->dump = (struct of_dump){.fill = fill_dump, .destroy = destroy_dump};
    of_server_publish(server);
    server->ops->push_stats(server->aux);
    rule_set_init(&flows->rules, server->tables, &filter);
    of_dump_begin_take(connection, &flows->dump, message);
    return OF_OK;
}

static bool add_to_aggregate(struct rule *rule, void *arg)
{
    struct of_aggregate *aggregate = arg;

    aggregate->n_flows++;
    aggregate->n_packets += rule->n_packets;
    aggregate->n_bytes += rule->n_bytes;
    return true;
}

static enum of_error handle_aggregate(struct of_connection *connection,
                                      const struct of_message *message)
{
    struct of_server *server = connection->server;
    struct of_aggregate aggregate = {.n_flows = 0};
    struct of_flow_stats_request request;
    struct rule_filter filter;
    enum of_error error = decode_filter(message, &request, &filter);

    if (error)
        return error;
    server->ops->push_stats(server->aux);
    flow_tables_each(server->tables, &filter, add_to_aggregate, &aggregate);
    of_encode_aggregate(&aggregate, message, &connection->output);
    return OF_OK;
}

/* The rest */

static enum of_error handle_desc(struct of_connection *connection, const struct of_message *message)
{
    struct of_server *server = connection->server;
    struct of_switch_info info = {.datapath_id = 0};

    server->ops->describe(server->aux, &info);
    const struct of_desc *given = &info.desc;
    const struct of_desc desc = {
        .manufacturer = given->manufacturer ? given->manufacturer : "Weir",
        .hardware = given->hardware ? given->hardware : "Weir virtual switch",
        .software = given->software ? given->software : WEIR_VERSION,
        .serial = given->serial ? given->serial : "None",
        .datapath = given->datapath ? given->datapath : server->name,
    };
    of_encode_desc(&desc, message, &connection->output);
    return OF_OK;
}

static const char *table_name(const struct of_server *server, unsigned int table_id)
{
    return *server->own_names[table_id] ? server->own_names[table_id]
                                        : server->table_names[table_id];
}

static enum of_error handle_tables(struct of_connection *connection,
                                   const struct of_message *message)
{
    struct of_server *server = connection->server;
    struct of_reply reply;

    server->ops->push_stats(server->aux);
    of_reply_begin(&reply, message, &connection->output);
    for (unsigned int i = 0; i < N_TABLES_TOLD; i++) {
        struct flow_table_stats table;
        flow_tables_get_stats(server->tables, (uint8_t)i, &table);
        struct of_table_stats stats = {
            .table_id = (uint8_t)i,
            .miss = flow_tables_miss(server->tables, (uint8_t)i),
            .is_last = i == N_TABLES_TOLD - 1,
            .max_flows = table.max_flows,
            .n_flows = table.n_flows,
            .n_lookups = table.n_lookups,
            .n_matched = table.n_matched,
        };
        memcpy(stats.name, table_name(server, i), sizeof server->table_names[i]);
        of_reply_add_table(&reply, &stats);
    }
    of_reply_end(&reply);
    return OF_OK;
}

/* Of all features only the name can be changed.  A request in several messages is done message by message, because
 * they do not depend on each other. */
static enum of_error set_table_names(struct of_server *server, const struct of_message *message)
{
    struct of_table_features features;
    struct of_items items;

    of_items_init(&items, message);
    while (of_next_table_features(&items, &features)) {
        if (features.table_id >= N_TABLES_TOLD)
            return OFPTFFC_BAD_TABLE;
        if (message->version >= OF_1_5 && features.command > OFTFC_MODIFY)
            return OFPTFFC_EPERM;
        memcpy(server->table_names[features.table_id], features.name,
               sizeof server->table_names[0] - 1);
    }
    return items.error;
}

static enum of_error handle_table_features(struct of_connection *connection,
                                           const struct of_message *message)
{
    struct of_server *server = connection->server;
    struct of_reply reply;

    if (message->body_bytes) {
        enum of_error error = set_table_names(server, message);
        if (error)
            return error;
    }
    if (of_message_has_more(message))
        return OF_OK;
    of_reply_begin(&reply, message, &connection->output);
    for (unsigned int i = 0; i < N_TABLES_TOLD; i++) {
        struct flow_table_stats table;
        flow_tables_get_stats(server->tables, (uint8_t)i, &table);
        struct of_table_features features = {.table_id = (uint8_t)i, .max_flows = table.max_flows};
        memcpy(features.name, table_name(server, i), sizeof server->table_names[i]);
        of_reply_add_table_features(&reply, &features);
    }
    of_reply_end(&reply);
    return OF_OK;
}

/* The flags are all there are: which flows leave first is not configurable. */
struct of_table_desc of_stats_table_desc(const struct of_server *server, uint8_t table_id)
{
    struct flow_table_stats table;
    struct of_table_desc desc = {
        .table_id = table_id,
        .config = *flow_tables_config(server->tables, table_id),
    };

    flow_tables_get_stats(server->tables, table_id, &table);
    desc.config.vacancy_percent = table.vacancy_percent;
    desc.config.eviction_flags = OFTMEF_OTHER | OFTMEF_IMPORTANCE | OFTMEF_LIFETIME;
    return desc;
}

static enum of_error handle_table_desc(struct of_connection *connection,
                                       const struct of_message *message)
{
    struct of_reply reply;

    of_reply_begin(&reply, message, &connection->output);
    for (unsigned int i = 0; i < N_TABLES_TOLD; i++) {
        struct of_table_desc desc = of_stats_table_desc(connection->server, (uint8_t)i);
        of_reply_add_table_desc(&reply, &desc);
    }
    of_reply_end(&reply);
    return OF_OK;
}

static void add_port_stats(struct of_server *server, of_port port, struct of_reply *reply)
{
    struct of_port_stats stats;

    memset(&stats, 0xff, sizeof stats);
    stats.port = port;
    stats.duration_s = stats.duration_ns = 0;
    if (server->ops->get_port_stats(server->aux, port, &stats))
        of_reply_add_port_stats(reply, &stats);
}

/* A port that is not there gives an empty reply. */
static enum of_error handle_port_stats(struct of_connection *connection,
                                       const struct of_message *message)
{
    struct of_server *server = connection->server;
    struct of_port_info *ports = NULL;
    struct of_reply reply;
    of_port port;
    enum of_error error = of_decode_port_stats_request(message, &port);

    if (error)
        return error;
    server->ops->push_stats(server->aux);
    of_reply_begin(&reply, message, &connection->output);
    if (port == OFPP_NONE) {
        size_t n_ports = server->ops->list_ports(server->aux, &ports);
        for (size_t i = 0; i < n_ports; i++)
            add_port_stats(server, ports[i].port, &reply);
        free(ports);
    } else {
        add_port_stats(server, port, &reply);
    }
    of_reply_end(&reply);
    return OF_OK;
}

static enum of_error handle_port_desc(struct of_connection *connection,
                                      const struct of_message *message)
{
    struct of_server *server = connection->server;
    struct of_port_info *ports = NULL;
    struct of_reply reply;
    of_port port;
    enum of_error error = of_decode_port_desc_request(message, &port);

    if (error)
        return error;
    size_t n_ports = server->ops->list_ports(server->aux, &ports);
    of_reply_begin(&reply, message, &connection->output);
    for (size_t i = 0; i < n_ports; i++) {
        if (port == OFPP_NONE || port == ports[i].port)
            of_reply_add_port(&reply, &ports[i]);
    }
    of_reply_end(&reply);
    free(ports);
    return OF_OK;
}

static bool port_exists(struct of_server *server, of_port port)
{
    struct of_port_stats stats = {.port = port};

    return server->ops->get_port_stats(server->aux, port, &stats);
}

/* There are no queues, so nothing is told about them. */
static enum of_error check_queue_request(const struct of_connection *connection,
                                         const struct of_message *message,
                                         struct of_queue_request *request)
{
    enum of_error error = of_decode_queue_request(message, request);

    if (error)
        return error;
    if (request->port != OFPP_NONE && !port_exists(connection->server, request->port))
        return OFPQOFC_BAD_PORT;
    if (request->queue_id == (uint32_t)OF_QUEUE_ALL)
        return OF_OK;
    bool is_described = message->kind == OF_QUEUE_CONFIG_REQUEST && message->version >= OF_1_4;
    return is_described ? NXQOFC_QUEUE_ERROR : OFPQOFC_BAD_QUEUE;
}

static enum of_error handle_queue_stats(struct of_connection *connection,
                                        const struct of_message *message)
{
    struct of_queue_request request;
    struct of_reply reply;
    enum of_error error = check_queue_request(connection, message, &request);

    if (error)
        return error;
    of_reply_begin(&reply, message, &connection->output);
    of_reply_end(&reply);
    return OF_OK;
}

static enum of_error handle_queue_config(struct of_connection *connection,
                                         const struct of_message *message)
{
    struct of_queue_request request;
    struct of_reply reply;
    enum of_error error = check_queue_request(connection, message, &request);

    if (error)
        return error;
    if (message->version == OF_1_0 && request.port == OFPP_NONE)
        return OFPQOFC_BAD_PORT;
    of_reply_begin_queue_config(&reply, message, request.port, &connection->output);
    of_reply_end(&reply);
    return OF_OK;
}

enum of_error of_stats_handle(struct of_connection *connection, const struct of_message *message)
{
    /* No other request has a body that could need a second message (in 1.0 none may have). */
    if (of_message_has_more(message) && message->version > OF_1_0 &&
        message->kind != OF_TABLE_FEATURES_REQUEST)
        return OFPBRC_MULTIPART_BUFFER_OVERFLOW;
    switch (message->kind) {
    case OF_DESC_REQUEST:
        return handle_desc(connection, message);
    case OF_FLOW_STATS_REQUEST:
        return begin_dump(connection, message);
    case OF_AGGREGATE_REQUEST:
        return handle_aggregate(connection, message);
    case OF_TABLE_STATS_REQUEST:
        return handle_tables(connection, message);
    case OF_TABLE_FEATURES_REQUEST:
        return handle_table_features(connection, message);
    case OF_PORT_STATS_REQUEST:
        return handle_port_stats(connection, message);
    case OF_PORT_DESC_REQUEST:
        return handle_port_desc(connection, message);
    case OF_GROUP_STATS_REQUEST:
        return of_stats_groups(connection, message);
    case OF_GROUP_DESC_REQUEST:
        return of_stats_group_desc(connection, message);
    case OF_GROUP_FEATURES_REQUEST:
        return of_stats_group_features(connection, message);
    case OF_METER_STATS_REQUEST:
        return of_stats_meters(connection, message);
    case OF_METER_CONFIG_REQUEST:
        return of_stats_meter_config(connection, message);
    case OF_METER_FEATURES_REQUEST:
        return of_stats_meter_features(connection, message);
    case OF_TABLE_DESC_REQUEST:
        return handle_table_desc(connection, message);
    case OF_QUEUE_STATS_REQUEST:
        return handle_queue_stats(connection, message);
    case OF_QUEUE_CONFIG_REQUEST:
        return handle_queue_config(connection, message);
    case OF_IPFIX_BRIDGE_REQUEST:
    case OF_IPFIX_FLOW_REQUEST:
        return NXST_NOT_CONFIGURED;
    default:
        return OFPBRC_BAD_STAT;
    }
}

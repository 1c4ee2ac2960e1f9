/* SPDX-License-Identifier: Apache-2.0 */

#include "vswitchd/of_monitor.h"

#include <stdlib.h>

#include "lib/openflow/action_codec.h"
#include "lib/openflow/stats.h"
#include "vswitchd/of_connection.h"
#include "vswitchd/of_server_state.h"

struct of_monitor {
    struct cds_list_head node;
    struct of_monitor_request request;
};

void of_monitors_init(struct of_connection *connection)
{
    CDS_INIT_LIST_HEAD(&connection->monitors.list);
}

static void destroy(struct of_connection *connection, struct of_monitor *monitor)
{
    cds_list_del(&monitor->node);
    connection->monitors.n--;
    connection->server->n_monitors--;
    free(monitor);
}

void of_monitors_fini(struct of_connection *connection)
{
    struct of_monitor *monitor, *next;

    cds_list_for_each_entry_safe (monitor, next, &connection->monitors.list, node)
        destroy(connection, monitor);
}

static struct of_monitor *find(const struct of_connection *connection, uint32_t monitor_id)
{
    struct of_monitor *monitor;

    cds_list_for_each_entry (monitor, &connection->monitors.list, node) {
        if (monitor->request.monitor_id == monitor_id)
            return monitor;
    }
    return NULL;
}

/* 'match' is the rule's. */
static bool is_about(const struct of_monitor_request *request, const struct rule *rule,
                     const struct match *match, struct ofa_list actions)
{
    return (request->table_id == OF_TABLE_ALL || request->table_id == rule->table_id) &&
           ofa_outputs_to(actions, request->out_port) &&
           ofa_outputs_to_group(actions, request->out_group) &&
           match_covers(&request->match, match);
}

static void describe(const struct rule *rule, enum of_update_event event, uint8_t reason,
                     struct of_flow_update *update)
{
    *update = (struct of_flow_update){
        .event = event,
        .reason = reason,
        .table_id = rule->table_id,
        .priority = (uint16_t)rule->cls.priority,
        .idle_timeout_s = rule->idle_timeout_s,
        .hard_timeout_s = rule->hard_timeout_s,
        .cookie = rule_cookie(rule),
        .actions = rule_get_actions(rule, UINT64_MAX),
    };
    cls_rule_expand(&rule->cls, &update->match);
}

/* Changes */

/* What all monitors of a connection together want to know of it. */
static unsigned wanted_flags(const struct of_connection *connection, const struct rule *rule,
                             const struct of_flow_update *update)
{
    static const uint8_t wanted[] = {
        [OF_UPDATE_INITIAL] = OFMON_INITIAL,
        [OF_UPDATE_ADDED] = OFMON_ADD,
        [OF_UPDATE_REMOVED] = OFMON_REMOVED,
        [OF_UPDATE_MODIFIED] = OFMON_MODIFY,
    };
    const struct of_monitor *monitor;
    unsigned flags = 0;

    cds_list_for_each_entry (monitor, &connection->monitors.list, node) {
        const struct of_monitor_request *request = &monitor->request;
        if (request->flags & wanted[update->event] &&
            is_about(request, rule, &update->match, update->actions))
            flags |= request->flags;
    }
    return flags;
}

static void tell(struct of_connection *connection, const struct of_flow_update *update)
{
    struct of_reply reply;

    of_begin_updates(&reply, connection->protocol.version, &connection->output);
    of_reply_add_update(&reply, update);
    of_reply_end(&reply);
    of_connection_bound_news(connection);
}

static void tell_in_brief(struct of_connection *connection, uint32_t xid)
{
    const struct of_flow_update update = {.event = OF_UPDATE_ABBREVIATED, .xid = xid};

    if (!connection->monitors.is_told)
        tell(connection, &update);
    connection->monitors.is_told = true;
}

void of_monitor_tell(struct of_server *server, enum of_update_event event, const struct rule *rule,
                     uint8_t reason)
{
    struct of_connection *connection;
    struct of_flow_update update;

    if (!server->n_monitors)
        return;
    describe(rule, event, reason, &update);
    for_each_connection_up (connection, server) {
        unsigned flags = connection->monitors.n ? wanted_flags(connection, rule, &update) : 0;

        if (!flags)
            continue;
        if (connection == server->changer && !(flags & OFMON_OWN)) {
            tell_in_brief(connection, server->change_xid);
            continue;
        }
        struct of_flow_update mine = update;
        if (!(flags & OFMON_ACTIONS))
            mine.actions = (struct ofa_list){.n_bytes = 0};
        tell(connection, &mine);
    }
}

/* Requests */

/* Reads all requests of a message; '*n' of them, to be free()d. */
static enum of_error decode_all(const struct of_message *message,
                                struct of_monitor_request **requests, size_t *n)
{
    struct of_monitor_request request;
    struct of_items items;

    *requests = NULL;
    *n = 0;
    of_items_init(&items, message);
    while (of_next_monitor_request(&items, &request)) {
        if (*n >= OF_MONITORS_MAX)
            return OFPBRC_EPERM;
        *requests = reallocarray(*requests, *n + 1, sizeof **requests);
        if (!*requests)
            abort();
        (*requests)[(*n)++] = request;
    }
    return items.error;
}

static enum of_error check(const struct of_connection *connection,
                           const struct of_monitor_request *requests, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool is_there = find(connection, requests[i].monitor_id);

        for (size_t j = 0; j < i && requests[i].command == OFFMC_ADD; j++)
            is_there |= requests[j].monitor_id == requests[i].monitor_id;
        if (requests[i].command == OFFMC_ADD && is_there)
            return OFPMOFC_MONITOR_EXISTS;
        if (requests[i].command != OFFMC_ADD && !is_there)
            return OFPMOFC_UNKNOWN_MONITOR;
    }
    return connection->monitors.n + n > OF_MONITORS_MAX ? OFPBRC_EPERM : OF_OK;
}

static void apply(struct of_connection *connection, const struct of_monitor_request *request)
{
    struct of_monitor *monitor = find(connection, request->monitor_id);

    if (request->command == OFFMC_DELETE) {
        if (monitor)
            destroy(connection, monitor);
        return;
    }
    if (!monitor) {
        monitor = calloc(1, sizeof *monitor);
        if (!monitor)
            abort();
        cds_list_add_tail(&monitor->node, &connection->monitors.list);
        connection->monitors.n++;
        connection->server->n_monitors++;
    }
    monitor->request = *request;
}

struct initial {
    const struct of_monitor_request *requests;
    size_t current;
    struct of_reply *reply;
};

static bool wants_initial(const struct of_monitor_request *request)
{
    return request->flags & OFMON_INITIAL && request->command != OFFMC_DELETE;
}

/* A flow that several of the requests mean is told once. */
static bool add_initial(struct rule *rule, void *arg)
{
    const struct initial *initial = arg;
    unsigned flags = initial->requests[initial->current].flags;
    struct of_flow_update update;

    describe(rule, OF_UPDATE_INITIAL, 0, &update);
    for (size_t i = 0; i < initial->current; i++) {
        if (wants_initial(&initial->requests[i]) &&
            is_about(&initial->requests[i], rule, &update.match, update.actions))
            return true;
    }
    if (!(flags & OFMON_ACTIONS))
        update.actions = (struct ofa_list){.n_bytes = 0};
    of_reply_add_update(initial->reply, &update);
    return true;
}

enum of_error of_monitor_handle_request(struct of_connection *connection,
                                        const struct of_message *message)
{
    struct of_server *server = connection->server;
    struct of_monitor_request *requests;
    struct of_reply reply;
    size_t n;
    enum of_error error = decode_all(message, &requests, &n);

    if (!error)
        error = check(connection, requests, n);
    if (error)
        goto done;
    of_server_publish(server); /* What is pending belongs to what was there before. */
    of_reply_begin(&reply, message, &connection->output);
    for (size_t i = 0; i < n; i++) {
        const struct rule_filter filter = {
            .match = &requests[i].match,
            .table_id = requests[i].table_id,
            .out_port = requests[i].out_port,
            .out_group = requests[i].out_group,
        };
        struct initial initial = {.requests = requests, .current = i, .reply = &reply};

        apply(connection, &requests[i]);
        if (wants_initial(&requests[i]))
            flow_tables_each(server->tables, &filter, add_initial, &initial);
    }
    of_reply_end(&reply);
done:
    free(requests);
    return error;
}

enum of_error of_monitor_handle_cancel(struct of_connection *connection,
                                       const struct of_message *message)
{
    struct of_monitor *monitor = find(connection, of_decode_monitor_cancel(message));

    if (!monitor)
        return OFPMOFC_UNKNOWN_MONITOR;
    destroy(connection, monitor);
    return OF_OK;
}

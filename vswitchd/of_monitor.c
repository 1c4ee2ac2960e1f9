/* SPDX-License-Identifier: Apache-2.0 */

#include "vswitchd/of_monitor.h"

#include <stdlib.h>

#include "lib/annotations.h"
#include "lib/openflow/action_codec.h"
#include "lib/openflow/stats.h"
#include "vswitchd/of_connection.h"
#include "vswitchd/of_dump.h"
#include "vswitchd/of_server_state.h"

struct of_monitor {
    struct cds_list_head node;
    struct of_monitor_request request;
};

/* A rule that is new, or other, since a peer was paused. */
struct missed {
    struct rule *rule; /* A reference. */
    bool is_new;
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

static void forget_missed(struct of_monitors *monitors)
{
    while (monitors->next_missed < monitors->n_missed)
        rule_unref(monitors->missed[monitors->next_missed++].rule);
    free(monitors->missed);
    monitors->missed = NULL;
    monitors->n_missed = monitors->next_missed = monitors->missed_capacity = 0;
}

void of_monitors_fini(struct of_connection *connection)
{
    struct of_monitor *monitor, *next;

    forget_missed(&connection->monitors);
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

/* What all monitors of a connection that want to know of one of 'changes' want, together. */
static unsigned wanted_flags(const struct of_connection *connection, const struct rule *rule,
                             const struct of_flow_update *update, unsigned changes)
{
    const struct of_monitor *monitor;
    unsigned flags = 0;

    cds_list_for_each_entry (monitor, &connection->monitors.list, node) {
        const struct of_monitor_request *request = &monitor->request;
        if (request->flags & changes && is_about(request, rule, &update->match, update->actions))
            flags |= request->flags;
    }
    return flags;
}

static void add_update(struct of_reply *reply, const struct of_flow_update *update, unsigned flags)
{
    struct of_flow_update mine = *update;

    if (!(flags & OFMON_ACTIONS))
        mine.actions = (struct ofa_list){.n_bytes = 0};
    of_reply_add_update(reply, &mine);
}

/* More waits than a peer that reads leaves. */
static bool is_behind(const struct of_connection *connection)
{
    return connection->monitors.n_bytes > OF_MONITORS_PAUSE_BYTES &&
           of_connection_pending(connection) > OF_MONITORS_PAUSE_BYTES;
}

/* While a version is being told: some of it has been. */
static void pause_if_behind(struct of_connection *connection)
{
    struct of_monitors *monitors = &connection->monitors;

    if (monitors->is_paused || !is_behind(connection))
        return;
    of_connection_push(connection);
    if (connection->state == CONNECTION_CLOSED || !is_behind(connection))
        return;
    monitors->is_paused = true;
    monitors->since = flow_tables_version(connection->server->tables);
    monitors->until = flow_tables_next_version(connection->server->tables);
    of_encode_monitor_paused(connection->protocol.version, &connection->output);
}

static void tell(struct of_connection *connection, const struct of_flow_update *update,
                 unsigned flags)
{
    size_t start = connection->output.size;
    struct of_reply reply;

    if (!of_connection_pending(connection))
        connection->monitors.n_bytes = 0;
    of_begin_updates(&reply, connection->protocol.version, &connection->output);
    add_update(&reply, update, flags);
    of_reply_end(&reply);
    connection->monitors.n_bytes += connection->output.size - start;
    pause_if_behind(connection);
    of_connection_bound_news(connection);
}

static void tell_in_brief(struct of_connection *connection, uint32_t xid)
{
    const struct of_flow_update update = {.event = OF_UPDATE_ABBREVIATED, .xid = xid};

    if (!connection->monitors.is_told)
        tell(connection, &update, 0);
    connection->monitors.is_told = true;
}

/* The end of a flow that the peer may know. */
static void tell_paused(struct of_connection *connection, const struct rule *rule,
                        const struct of_flow_update *update)
{
    unsigned flags;

    if (rule->cls.added_in <= connection->monitors.until &&
        (flags = wanted_flags(connection, rule, update, OFMON_REMOVED)))
        tell(connection, update, flags);
}

/* A rule that comes in place of another is told when the peer goes on: if it is there then. */
static void tell_paused_of_replaced(struct of_connection *connection,
                                    const struct of_flow_update *update)
{
    const struct rule *replaced = flow_tables_find_published(
        connection->server->tables, update->table_id, &update->match, update->priority);
    struct of_flow_update removed;

    if (!replaced)
        return;
    describe(replaced, OF_UPDATE_REMOVED, OFRR_DELETE, &removed);
    tell_paused(connection, replaced, &removed);
}

void of_monitor_tell(struct of_server *server, enum of_update_event event, const struct rule *rule,
                     uint8_t reason)
{
    static const uint8_t changes[] = {
        [OF_UPDATE_ADDED] = OFMON_ADD,
        [OF_UPDATE_REMOVED] = OFMON_REMOVED,
        [OF_UPDATE_MODIFIED] = OFMON_MODIFY,
    };
    struct of_connection *connection;
    struct of_flow_update update;

    if (!server->n_monitors)
        return;
    describe(rule, event, reason, &update);
    for_each_connection_up (connection, server) {
        unsigned flags;

        if (!connection->monitors.n)
            continue;
        if (connection->monitors.is_paused) {
            if (event == OF_UPDATE_REMOVED)
                tell_paused(connection, rule, &update);
            else if (event == OF_UPDATE_ADDED)
                tell_paused_of_replaced(connection, &update);
            continue;
        }
        flags = wanted_flags(connection, rule, &update, changes[event]);
        if (!flags)
            continue;
        if (connection == server->changer && !(flags & OFMON_OWN))
            tell_in_brief(connection, server->change_xid);
        else
            tell(connection, &update, flags);
    }
}

/* Going on */

/* OFMON_MODIFY, too, of those that are new: they may have been modified since. */
static unsigned missed_changes(bool is_new)
{
    return is_new ? OFMON_ADD | OFMON_MODIFY : OFMON_MODIFY;
}

static bool note_missed(struct rule *rule, void *connection_)
{
    struct of_connection *connection = connection_;
    struct of_monitors *monitors = &connection->monitors;
    bool is_new = rule->cls.added_in > monitors->since;
    struct of_flow_update update;

    if (!is_new &&
        atomic_load_explicit(&rule->actions, memory_order_relaxed)->since <= monitors->since)
        return true;
    describe(rule, OF_UPDATE_ADDED, 0, &update);
    if (!wanted_flags(connection, rule, &update, missed_changes(is_new)))
        return true;
    if (monitors->n_missed == monitors->missed_capacity) {
        monitors->missed_capacity = monitors->missed_capacity ? 2 * monitors->missed_capacity : 64;
        monitors->missed = reallocarray(monitors->missed, monitors->missed_capacity,
                                        sizeof monitors->missed[0]);
        if (!monitors->missed)
            abort();
    }
    rule_ref(rule);
    monitors->missed[monitors->n_missed++] = (struct missed){rule, is_new};
    return true;
}

/* All that is new to the peer. */
static void collect_missed(struct of_connection *connection)
{
    static const struct rule_filter all = {
        .table_id = OF_TABLE_ALL,
        .out_port = OFPP_NONE,
        .out_group = (uint32_t)OF_GROUP_ANY,
    };
    struct of_monitors *monitors = &connection->monitors;
    struct flow_tables *tables = connection->server->tables;

    forget_missed(monitors);
    if (monitors->since < flow_tables_version(tables))
        flow_tables_each(tables, &all, note_missed, connection);
    monitors->since = monitors->until = flow_tables_version(tables);
}

/* One that has gone again has been told to have. */
static void tell_missed(struct of_connection *connection, struct of_reply *reply,
                        const struct missed *missed)
{
    const struct rule *rule = missed->rule;
    struct of_flow_update update;
    unsigned flags;

    if (!cls_rule_is_visible(&rule->cls, flow_tables_version(connection->server->tables)))
        return;
    describe(rule, missed->is_new ? OF_UPDATE_ADDED : OF_UPDATE_MODIFIED, 0, &update);
    flags = wanted_flags(connection, rule, &update, missed_changes(missed->is_new));
    if (flags)
        add_update(reply, &update, flags);
}

void of_monitors_continue(struct of_connection *connection)
{
    struct of_monitors *monitors = &connection->monitors;
    struct of_reply reply;

    if (!monitors->is_paused || connection->dump || of_connection_pending(connection))
        return;
    of_server_publish(connection->server);
    if (connection->state == CONNECTION_CLOSED) /* By what that has told it. */
        return;
    if (monitors->next_missed == monitors->n_missed)
        collect_missed(connection);
    if (monitors->n_missed) {
        of_begin_updates(&reply, connection->protocol.version, &connection->output);
        while (monitors->next_missed < monitors->n_missed &&
               of_connection_pending(connection) <= OF_MONITORS_PAUSE_BYTES) {
            struct missed *missed = &monitors->missed[monitors->next_missed++];
            tell_missed(connection, &reply, missed);
            rule_unref(missed->rule);
        }
        of_reply_end(&reply);
    }
    if (monitors->next_missed < monitors->n_missed ||
        monitors->since < flow_tables_version(connection->server->tables))
        return;
    forget_missed(monitors);
    monitors->is_paused = false;
    of_encode_monitor_resumed(connection->protocol.version, &connection->output);
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

/* The first answer: flows that were there, request by request. */
struct initial {
    struct of_dump dump;
    struct of_monitor_request *requests; /* Owned. */
    size_t n, current;
    struct rule_set rules; /* Of the current one. */
    uint64_t version;      /* What came later has been told as it came. */
};

static void destroy_initial(struct of_dump *dump)
{
    struct initial *initial = CONTAINER_OF(dump, struct initial, dump);

    rule_set_fini(&initial->rules);
    free(initial->requests);
    free(initial);
}

static bool wants_initial(const struct of_monitor_request *request)
{
    return request->flags & OFMON_INITIAL && request->command != OFFMC_DELETE;
}

static void find_rules(struct initial *initial, struct flow_tables *tables)
{
    const struct of_monitor_request *request = &initial->requests[initial->current];
    const struct rule_filter filter = {
        .match = &request->match,
        .table_id = request->table_id,
        .out_port = request->out_port,
        .out_group = request->out_group,
    };

    rule_set_fini(&initial->rules);
    if (wants_initial(request))
        rule_set_init(&initial->rules, tables, &filter);
}

/* A flow that several of the requests mean is told once; one that has gone again has been told to have. */
static void add_initial(struct initial *initial, const struct flow_tables *tables,
                        const struct rule *rule)
{
    struct of_flow_update update;

    if (rule->cls.added_in > initial->version ||
        !cls_rule_is_visible(&rule->cls, flow_tables_version(tables)))
        return;
    describe(rule, OF_UPDATE_INITIAL, 0, &update);
    for (size_t i = 0; i < initial->current; i++) {
        if (wants_initial(&initial->requests[i]) &&
            is_about(&initial->requests[i], rule, &update.match, update.actions))
            return;
    }
    add_update(&initial->dump.reply, &update, initial->requests[initial->current].flags);
}

static bool fill_initial(struct of_dump *dump, struct of_connection *connection)
{
    struct initial *initial = CONTAINER_OF(dump, struct initial, dump);
    struct flow_tables *tables = connection->server->tables;

    while (!of_dump_is_full(dump)) {
        struct rule *rule = rule_set_take(&initial->rules);

        if (rule) {
            add_initial(initial, tables, rule);
            rule_unref(rule);
        } else if (++initial->current < initial->n) {
            find_rules(initial, tables);
        } else {
            return false;
        }
    }
    return true;
}

enum of_error of_monitor_handle_request(struct of_connection *connection,
                                        const struct of_message *message)
{
    struct of_server *server = connection->server;
    struct of_monitor_request *requests;
    size_t n;
    enum of_error error = decode_all(message, &requests, &n);

    if (!error)
        error = check(connection, requests, n);
    if (error) {
        free(requests);
        return error;
    }
    of_server_publish(server); /* What is pending belongs to what was there before. */
    connection->monitors.until = flow_tables_version(server->tables);
    for (size_t i = 0; i < n; i++)
        apply(connection, &requests[i]);
    struct initial *initial = calloc(1, sizeof *initial);
    if (!initial)
        abort();
    *initial = (struct initial){
        .dump = {.fill = fill_initial, .destroy = destroy_initial},
        .requests = requests,
        .n = n,
        .version = connection->monitors.until,
    };
    if (n)
        find_rules(initial, server->tables);
    of_dump_begin_take(connection, &initial->dump, message);
    return OF_OK;
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

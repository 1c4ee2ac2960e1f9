/* SPDX-License-Identifier: Apache-2.0 */

/* A hash table by what makes flows the same, sorted when it is first walked. */

#include "cli/flow_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "cli/of_fit.h"
#include "cli/of_lines.h"
#include "lib/match.h"
#include "lib/openflow/flow_text.h"
#include "lib/openflow/stats.h"

struct entry_key {
    uint16_t priority;
    uint8_t table_id;
    struct minimatch match; /* Of variable size. */
};

struct flow_entry {
    struct of_flow_mod *sides[N_FLOW_SIDES]; /* Owned; NULL: not there. */
    struct entry_key *key;                   /* Owned. */
    size_t number;                           /* In the order in which they came. */
    UT_hash_handle hh;
};

struct flow_set {
    struct flow_entry *entries;
    size_t n;
    bool is_sorted;
};

struct flow_set *flow_set_create(void)
{
    struct flow_set *set = calloc(1, sizeof *set);

    if (!set)
        abort();
    return set;
}

static void free_flow(struct of_flow_mod *flow)
{
    if (flow)
        of_flow_mod_fini(flow);
    free(flow);
}

void flow_set_destroy(struct flow_set *set)
{
    struct flow_entry *entry, *next;

    if (!set)
        return;
    HASH_ITER (hh, set->entries, entry, next) {
        HASH_DEL(set->entries, entry);
        for (int side = 0; side < N_FLOW_SIDES; side++)
            free_flow(entry->sides[side]);
        free(entry->key);
        free(entry);
    }
    free(set);
}

static struct entry_key *make_key(const struct of_flow_mod *flow, size_t *n_bytes)
{
    struct minimatch *match = minimatch_create(&flow->match);
    struct entry_key *key;

    *n_bytes = offsetof(struct entry_key, match) + minimatch_bytes(match);
    key = calloc(1, *n_bytes < sizeof *key ? sizeof *key : *n_bytes);
    if (!key)
        abort();
    key->priority = flow->priority;
    key->table_id = flow->table_id;
    memcpy(&key->match, match, minimatch_bytes(match));
    free(match);
    return key;
}

static void add_take(struct flow_set *set, int side, struct of_flow_mod *flow)
{
    struct flow_entry *entry;
    size_t n_bytes;
    struct entry_key *key = make_key(flow, &n_bytes);

    HASH_FIND(hh, set->entries, key, n_bytes, entry);
    if (entry) {
        free(key);
    } else {
        entry = calloc(1, sizeof *entry);
        if (!entry)
            abort();
        entry->key = key;
        entry->number = set->n++;
        HASH_ADD_KEYPTR(hh, set->entries, entry->key, n_bytes, entry);
    }
    free_flow(entry->sides[side]);
    entry->sides[side] = flow;
    set->is_sorted = false;
}

/* --- Files --------------------------------------------------------------------------------- */

/* An action may be said in another way in some version: what has gone there and back is as the
 * switch would tell it. */
static int send_and_return(struct of_flow_mod *flow, struct ofconn *connection, struct error *error)
{
    const struct of_protocol *protocol = ofconn_protocol(connection);
    struct buffer bytes = BUFFER_INIT;
    struct of_message message;
    struct of_flow_mod back;

    if (of_fit_flow(connection, flow, error))
        return error->code;
    of_flow_mod_init(&back);
    of_encode_flow_mod(flow, protocol, 1, &bytes);
    enum of_error wrong = of_decode_message(bytes.data, bytes.size, &message);
    if (!wrong)
        wrong = of_decode_flow_mod(&message, protocol, OF_N_TABLES, &back);
    if (!wrong) {
        struct buffer actions = flow->actions;
        flow->actions = back.actions;
        back.actions = actions;
    }
    of_flow_mod_fini(&back);
    buffer_fini(&bytes);
    return wrong ? error_set(error, -EPROTO, "the switch would refuse the flow (%s)",
                             of_error_name(wrong))
                 : 0;
}

struct reading {
    struct flow_set *set;
    struct ofconn *connection; /* Or NULL. */
    int side;
};

static int take_line(char *line, void *aux, struct error *error)
{
    struct reading *reading = aux;
    struct ofconn *connection = reading->connection;
    struct of_flow_mod *flow = calloc(1, sizeof *flow);

    if (!flow)
        abort();
    int result = of_flow_mod_parse(line, OFFC_ADD, connection ? ofconn_names(connection) : NULL,
                                   flow, error);
    if (!result && flow->table_id == OF_TABLE_ALL)
        flow->table_id = 0;
    if (!result && connection)
        result = send_and_return(flow, connection, error);
    if (result)
        free_flow(flow);
    else
        add_take(reading->set, reading->side, flow);
    return result;
}

int flow_set_read_file(struct flow_set *set, int side, const char *file, struct ofconn *connection,
                       struct error *error)
{
    struct reading reading = {.set = set, .connection = connection, .side = side};
    struct of_lines lines = OF_LINES_INIT;
    size_t number;
    int result = of_lines_read(&lines, file, error);

    while (!result && (result = of_lines_take(&lines, take_line, &number, &reading, error)))
        result = connection ? ofconn_raise(connection, error) : result;
    of_lines_fini(&lines);
    return result;
}

/* --- Switches ------------------------------------------------------------------------------ */

static struct of_flow_mod *make_flow(const struct of_flow_stats *stats)
{
    struct of_flow_mod *flow = calloc(1, sizeof *flow);

    if (!flow)
        abort();
    of_flow_mod_init(flow);
    flow->match = stats->match;
    flow->priority = stats->priority;
    flow->table_id = stats->table_id;
    flow->new_cookie = stats->cookie;
    flow->idle_timeout_s = stats->idle_timeout_s;
    flow->hard_timeout_s = stats->hard_timeout_s;
    flow->importance = stats->importance;
    flow->flags = stats->flags;
    buffer_put(&flow->actions, stats->actions.first, stats->actions.n_bytes);
    return flow;
}

static int take_message(const struct of_message *message, void *aux, struct error *error)
{
    struct reading *reading = aux;
    struct buffer actions = BUFFER_INIT;
    struct of_flow_stats stats;
    struct of_items items;

    of_items_init(&items, message);
    while (of_next_flow_stats(&items, &actions, &stats))
        add_take(reading->set, reading->side, make_flow(&stats));
    buffer_fini(&actions);
    return items.error
               ? error_set(error, -EPROTO, "the switch sent a flow that cannot be read (%s)",
                           of_error_name(items.error))
               : 0;
}

int flow_set_read_switch(struct flow_set *set, int side, struct ofconn *connection,
                         struct error *error)
{
    struct reading reading = {.set = set, .connection = connection, .side = side};
    uint32_t xid = ofconn_xid(connection);
    struct of_flow_stats_request all;

    of_flow_stats_request_init(&all);
    of_encode_flow_stats_request(&all, OF_FLOW_STATS_REQUEST, ofconn_protocol(connection), xid,
                                 ofconn_output(connection));
    return ofconn_receive_all(connection, xid, OF_FLOW_STATS_REPLY, take_message, &reading, error);
}

/* --- Entries ------------------------------------------------------------------------------- */

const struct of_flow_mod *flow_entry_get(const struct flow_entry *entry, int side)
{
    return entry->sides[side];
}

bool flow_entry_is_equal(const struct flow_entry *entry)
{
    const struct of_flow_mod *a = entry->sides[FLOW_SIDE_A], *b = entry->sides[FLOW_SIDE_B];

    return a && b && a->new_cookie.raw == b->new_cookie.raw &&
           a->idle_timeout_s == b->idle_timeout_s && a->hard_timeout_s == b->hard_timeout_s &&
           a->importance == b->importance && a->actions.size == b->actions.size &&
           (!a->actions.size || !memcmp(a->actions.data, b->actions.data, a->actions.size));
}

static int compare(const struct flow_entry *a, const struct flow_entry *b)
{
    if (a->key->table_id != b->key->table_id)
        return a->key->table_id < b->key->table_id ? -1 : 1;
    if (a->key->priority != b->key->priority)
        return a->key->priority > b->key->priority ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

const struct flow_entry *flow_set_next(struct flow_set *set, const struct flow_entry *after)
{
    if (!set->is_sorted)
        HASH_SORT(set->entries, compare);
    set->is_sorted = true;
    return after ? after->hh.next : set->entries;
}

/* SPDX-License-Identifier: Apache-2.0 */

/* Each operation reads its members, does its work in the open transaction and fills in its result
 * object.  The first failure ends the transaction; later operations have null results. */

#include "ovsdb-lite/operation.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/buffer.h"
#include "lib/ovsdb/json.h"
#include "ovsdb-lite/condition.h"
#include "ovsdb-lite/mutation.h"
#include "ovsdb-lite/operation_syntax.h"
#include "ovsdb-lite/projection.h"

/* "uuid-name" -> UUID, whichever is met first: the name's insert or a use of it. */
struct named_uuid {
    char *name;
    struct uuid uuid;
    bool is_inserted;
    UT_hash_handle by_name;
};

struct run {
    struct execution *execution;
    struct txn *txn;
    struct named_uuid *names;
    struct buffer comment;
    const json_t *json; /* The operation. */
    struct table *table;
    json_t *result;
    struct db_error error;
    bool must_wait;
    int64_t start_ns, max_ns; /* Of processor time. */
    size_t n_result_values;
};

static int64_t processor_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static int64_t max_cost_ns(const json_t *params)
{
    int64_t more_ns = (int64_t)json_array_size(params) * EXECUTION_MORE_NS;

    return more_ns < EXECUTION_LIMIT_NS - EXECUTION_MAX_NS ? EXECUTION_MAX_NS + more_ns
                                                           : EXECUTION_LIMIT_NS;
}

static bool check_cost(struct run *run)
{
    if (run->n_result_values > EXECUTION_MAX_RESULT_VALUES)
        return db_error_set(&run->error, DB_EXHAUSTED, "the result would be too large");
    if (processor_ns() - run->start_ns > run->max_ns)
        return db_error_set(&run->error, DB_EXHAUSTED, "the transaction takes too long: divide it");
    return true;
}

static struct named_uuid *named_uuid_get(struct run *run, const char *name)
{
    struct named_uuid *named;

    HASH_FIND(by_name, run->names, name, strlen(name), named);
    if (named)
        return named;
    named = calloc(1, sizeof *named);
    if (!named || !(named->name = strdup(name)))
        abort();
    uuid_generate(&named->uuid);
    HASH_ADD_KEYPTR(by_name, run->names, named->name, strlen(named->name), named);
    return named;
}

static bool resolve(const char *name, struct uuid *uuid, void *aux)
{
    if (!is_id(name))
        return false;
    *uuid = named_uuid_get(aux, name)->uuid;
    return true;
}

static bool fail_syntax(struct run *run, const char *details)
{
    return db_error_set(&run->error, DB_SYNTAX_ERROR, "%s", details);
}

static bool read_table(struct run *run)
{
    const char *name = json_string_value(json_object_get(run->json, "table"));

    if (!name)
        return fail_syntax(run, "\"table\" must be a string");
    run->table = database_table(run->execution->db, name);
    if (!run->table)
        return db_error_set(&run->error, DB_SYNTAX_ERROR, "No table named %s.", name);
    run->execution->waited_tables |= UINT64_C(1) << run->table->schema->index % 64;
    return true;
}

static bool read_condition(struct run *run, struct condition *condition)
{
    if (!read_table(run) ||
        !condition_parse(run->table->schema, json_object_get(run->json, "where"), resolve, run,
                         condition, &run->error))
        return false;
    if (!run->table->n_rows ||
        condition->n_clauses <= EXECUTION_MAX_COMPARISONS / run->table->n_rows)
        return true;
    condition_fini(condition);
    return db_error_set(&run->error, DB_EXHAUSTED, "the condition has too many clauses");
}

/* One column of a row's JSON. */
struct assignment {
    const struct column_schema *column;
    struct datum *datum;
};

struct assignments {
    struct assignment *list;
    size_t n;
};

static void assignments_fini(struct assignments *assignments)
{
    for (size_t i = 0; i < assignments->n; i++)
        datum_unref(assignments->list[i].datum);
    free(assignments->list);
}

static bool read_assignment(struct run *run, const char *name, const json_t *value,
                            struct assignment *assignment)
{
    const struct table_schema *table = run->table->schema;
    struct error cause = ERROR_INIT;

    assignment->column = find_column(table, name);
    if (!assignment->column)
        return db_error_set(&run->error, DB_UNKNOWN_COLUMN, "No column %s in table %s.", name,
                            table->name);
    if (datum_from_json(&assignment->column->type, value, resolve, run, &assignment->datum, &cause))
        return db_error_from(&run->error, &cause, name);
    return true;
}

static bool read_any_row(struct run *run, const json_t *json, struct assignments *assignments)
{
    *assignments = (struct assignments){.list = NULL};
    if (!json_is_object(json))
        return fail_syntax(run, "\"row\" must be an object");
    assignments->list = calloc(json_object_size(json) + 1, sizeof *assignments->list);
    if (!assignments->list)
        abort();
    for (void *i = json_object_iter((json_t *)json); i;
         i = json_object_iter_next((json_t *)json, i)) {
        if (!read_assignment(run, json_object_iter_key(i), json_object_iter_value(i),
                             &assignments->list[assignments->n])) {
            assignments_fini(assignments);
            return false;
        }
        assignments->n++;
    }
    return true;
}

/* A row to be set: without _uuid and _version. */
static bool read_row(struct run *run, const json_t *json, struct assignments *assignments)
{
    if (!read_any_row(run, json, assignments))
        return false;
    for (size_t i = 0; i < assignments->n; i++) {
        const struct column_schema *column = assignments->list[i].column;
        if (!column_is_pseudo(column))
            continue;
        assignments_fini(assignments);
        return db_error_set(&run->error, DB_CONSTRAINT, "Cannot set read-only column %s.",
                            column->name);
    }
    return true;
}

/* --- insert, select, update, mutate, delete ------------------------------------------------- */

static bool choose_uuid(struct run *run, struct uuid *uuid)
{
    const char *explicit_uuid = json_string_value(json_object_get(run->json, "uuid"));
    const char *name = json_string_value(json_object_get(run->json, "uuid-name"));

    uuid_generate(uuid);
    if (explicit_uuid) {
        if (!uuid_parse(explicit_uuid, uuid))
            return fail_syntax(run, "\"uuid\" must be a UUID");
        if (table_row_even_deleted(run->table, uuid))
            return db_error_set(&run->error, DB_DUPLICATE_UUID,
                                "This UUID would duplicate a UUID already present within the "
                                "table or deleted within the same transaction.");
    }
    if (!name)
        return true;
    struct named_uuid *named = named_uuid_get(run, name);
    if (named->is_inserted)
        return db_error_set(&run->error, DB_DUPLICATE_NAME,
                            "This \"uuid-name\" appeared on an earlier \"insert\" operation.");
    named->is_inserted = true;
    if (explicit_uuid)
        named->uuid = *uuid;
    *uuid = named->uuid;
    return true;
}

static bool run_insert(struct run *run)
{
    struct assignments assignments;
    struct uuid uuid;

    if (!read_table(run) || !choose_uuid(run, &uuid))
        return false;
    if (!read_row(run, json_object_get(run->json, "row"), &assignments))
        return false;
    struct row *row = txn_insert(run->txn, run->table, &uuid);
    for (size_t i = 0; i < assignments.n; i++)
        txn_set_take(run->txn, row, assignments.list[i].column,
                     datum_ref(assignments.list[i].datum));
    assignments_fini(&assignments);
    json_object_set_new(run->result, "uuid", ovsdb_json_uuid(&uuid));
    return true;
}

static bool select_row(struct row *row, void *aux)
{
    row_set_add(aux, &row->uuid, row->data);
    return true;
}

/* "where" and "columns". */
static bool read_selection(struct run *run, struct condition *condition,
                           struct projection *projection)
{
    if (!read_condition(run, condition))
        return false;
    if (projection_parse(run->table->schema, json_object_get(run->json, "columns"), projection,
                         &run->error))
        return true;
    condition_fini(condition);
    return false;
}

static bool run_select(struct run *run)
{
    struct condition condition;
    struct projection projection;
    struct row_set rows;

    if (!read_selection(run, &condition, &projection))
        return false;
    row_set_init(&rows, &projection);
    condition_for_each(&condition, run->table, select_row, &rows);
    json_t *json = row_set_to_json(&rows);
    run->n_result_values += ovsdb_json_n_values(json);
    json_object_set_new(run->result, "rows", json);
    row_set_fini(&rows);
    projection_fini(&projection);
    condition_fini(&condition);
    return true;
}

static json_t *count_json(size_t n)
{
    return json_integer((json_int_t)n);
}

static void update_row(struct run *run, struct row *row, const struct assignments *assignments)
{
    for (size_t i = 0; i < assignments->n; i++)
        txn_set_take(run->txn, row, assignments->list[i].column,
                     datum_ref(assignments->list[i].datum));
}

/* The rows that fit, in an array of the caller's: a change could move a row in the index that is
 * being walked. */
struct row_list {
    struct row **rows;
    size_t n, n_allocated;
};

static bool list_row(struct row *row, void *aux)
{
    struct row_list *list = aux;

    if (list->n == list->n_allocated) {
        list->n_allocated = list->n_allocated ? 2 * list->n_allocated : 8;
        list->rows = realloc(list->rows, list->n_allocated * sizeof *list->rows);
        if (!list->rows)
            abort();
    }
    list->rows[list->n++] = row;
    return true;
}

static bool check_mutable(struct run *run, const struct assignments *assignments)
{
    for (size_t i = 0; i < assignments->n; i++)
        if (!assignments->list[i].column->is_mutable)
            return db_error_set(&run->error, DB_CONSTRAINT,
                                "Cannot update immutable column %s in table %s.",
                                assignments->list[i].column->name, run->table->schema->name);
    return true;
}

static bool run_update(struct run *run)
{
    struct condition condition;
    struct assignments assignments;
    struct row_list list = {.rows = NULL};

    if (!read_table(run) || !read_row(run, json_object_get(run->json, "row"), &assignments))
        return false;
    if (!check_mutable(run, &assignments) || !read_condition(run, &condition)) {
        assignments_fini(&assignments);
        return false;
    }
    condition_for_each(&condition, run->table, list_row, &list);
    for (size_t i = 0; i < list.n; i++)
        update_row(run, list.rows[i], &assignments);
    json_object_set_new(run->result, "count", count_json(list.n));
    free(list.rows);
    assignments_fini(&assignments);
    condition_fini(&condition);
    return true;
}

struct mutations {
    struct mutation *list;
    size_t n;
};

static void mutations_fini(struct mutations *mutations)
{
    for (size_t i = 0; i < mutations->n; i++)
        mutation_fini(&mutations->list[i]);
    free(mutations->list);
}

static bool read_mutations(struct run *run, struct mutations *mutations)
{
    const json_t *json = json_object_get(run->json, "mutations");

    *mutations = (struct mutations){.list = NULL};
    if (!json_is_array(json))
        return fail_syntax(run, "\"mutations\" must be an array");
    mutations->list = calloc(json_array_size(json) + 1, sizeof *mutations->list);
    if (!mutations->list)
        abort();
    for (size_t i = 0; i < json_array_size(json); i++) {
        if (!mutation_parse(run->table->schema, json_array_get(json, i), resolve, run,
                            &mutations->list[i], &run->error)) {
            mutations_fini(mutations);
            return false;
        }
        mutations->n++;
    }
    return true;
}

static bool mutate_row(struct run *run, struct row *row, const struct mutations *mutations)
{
    for (size_t i = 0; i < mutations->n; i++) {
        const struct mutation *mutation = &mutations->list[i];
        struct datum *before = row->data->columns[mutation->column->index];
        struct datum *after = check_cost(run) ? mutation_apply(mutation, before, &run->error)
                                              : NULL;

        if (!after)
            return false;
        txn_set_take(run->txn, row, mutation->column, after);
    }
    return true;
}

static bool run_mutate(struct run *run)
{
    struct condition condition;
    struct mutations mutations;
    struct row_list list = {.rows = NULL};
    bool is_ok = true;

    if (!read_table(run) || !read_mutations(run, &mutations))
        return false;
    if (!read_condition(run, &condition)) {
        mutations_fini(&mutations);
        return false;
    }
    condition_for_each(&condition, run->table, list_row, &list);
    for (size_t i = 0; is_ok && i < list.n; i++)
        is_ok = mutate_row(run, list.rows[i], &mutations);
    json_object_set_new(run->result, "count", count_json(list.n));
    free(list.rows);
    mutations_fini(&mutations);
    condition_fini(&condition);
    return is_ok;
}

static bool run_delete(struct run *run)
{
    struct condition condition;
    struct row_list list = {.rows = NULL};

    if (!read_condition(run, &condition))
        return false;
    condition_for_each(&condition, run->table, list_row, &list);
    for (size_t i = 0; i < list.n; i++)
        txn_delete(run->txn, list.rows[i]);
    json_object_set_new(run->result, "count", count_json(list.n));
    free(list.rows);
    condition_fini(&condition);
    return true;
}

/* --- wait ------------------------------------------------------------------------------------ */

static void assign(const struct assignment *assignment, struct uuid *uuid, struct row_data *data)
{
    if (assignment->column == &column_uuid) {
        *uuid = assignment->datum->keys[0].uuid;
    } else if (assignment->column == &column_version) {
        data->version = assignment->datum->keys[0].uuid;
    } else {
        struct datum **datum = &data->columns[assignment->column->index];
        datum_unref(*datum);
        *datum = datum_ref(assignment->datum);
    }
}

static bool read_wanted_rows(struct run *run, struct row_set *wanted)
{
    const json_t *rows = json_object_get(run->json, "rows");

    for (size_t i = 0; i < json_array_size(rows); i++) {
        struct assignments assignments;
        struct uuid uuid = {.bytes = {0}};

        if (!read_any_row(run, json_array_get(rows, i), &assignments))
            return false;
        struct row_data *data = row_data_create(run->table->schema);
        for (size_t c = 0; c < assignments.n; c++)
            assign(&assignments.list[c], &uuid, data);
        row_set_add(wanted, &uuid, data);
        row_data_unref(run->table->schema, data);
        assignments_fini(&assignments);
    }
    return true;
}

static bool decide_wait(struct run *run, bool is_satisfied)
{
    const json_t *timeout = json_object_get(run->json, "timeout");
    int64_t deadline_ms = timeout ? json_integer_value(timeout) : INT64_MAX;

    if (is_satisfied)
        return true;
    if (run->execution->waited_ms >= deadline_ms)
        return db_error_set(&run->error, DB_TIMED_OUT, "\"wait\" timed out after %lld ms",
                            (long long)run->execution->waited_ms);
    run->execution->deadline_ms = deadline_ms;
    run->must_wait = true;
    return false;
}

static bool compare_rows(struct run *run, const struct condition *condition,
                         const struct projection *projection, bool wants_equal, bool *is_satisfied)
{
    struct row_set found, wanted;

    row_set_init(&found, projection);
    row_set_init(&wanted, projection);
    bool is_ok = read_wanted_rows(run, &wanted);
    if (is_ok) {
        condition_for_each(condition, run->table, select_row, &found);
        *is_satisfied = row_set_equal(&found, &wanted) == wants_equal;
    }
    row_set_fini(&wanted);
    row_set_fini(&found);
    return is_ok;
}

static bool run_wait(struct run *run)
{
    const char *until = json_string_value(json_object_get(run->json, "until"));
    const json_t *timeout = json_object_get(run->json, "timeout");
    struct condition condition;
    struct projection projection;
    bool is_satisfied = false;

    if (timeout && (!json_is_integer(timeout) || json_integer_value(timeout) < 0))
        return fail_syntax(run, "\"timeout\" must be a non-negative integer");
    if (!until || (strcmp(until, "==") && strcmp(until, "!=")))
        return fail_syntax(run, "\"until\" must be \"==\" or \"!=\"");
    if (!read_selection(run, &condition, &projection))
        return false;
    bool is_ok = compare_rows(run, &condition, &projection, !strcmp(until, "=="), &is_satisfied);
    projection_fini(&projection);
    condition_fini(&condition);
    return is_ok && decide_wait(run, is_satisfied);
}

/* --- commit, abort, comment, assert ---------------------------------------------------------- */

static bool run_commit(struct run *run)
{
    /* Every commit here is durable, whatever was asked for. */
    if (!json_is_boolean(json_object_get(run->json, "durable")))
        return fail_syntax(run, "\"durable\" must be a boolean");
    return true;
}

static bool run_abort(struct run *run)
{
    return db_error_set(&run->error, DB_ABORTED, "aborted by request");
}

static bool run_comment(struct run *run)
{
    const char *text = json_string_value(json_object_get(run->json, "comment"));

    if (!text)
        return fail_syntax(run, "\"comment\" must be a string");
    if (run->comment.size)
        buffer_putc(&run->comment, '\n');
    buffer_puts(&run->comment, text);
    return true;
}

static bool run_assert(struct run *run)
{
    const char *lock = json_string_value(json_object_get(run->json, "lock"));
    struct execution *execution = run->execution;

    if (!lock)
        return fail_syntax(run, "\"lock\" must be a string");
    if (execution->owns_lock && execution->owns_lock(lock, execution->aux))
        return true;
    return db_error_set(&run->error, DB_NOT_OWNER, "Asserted lock %s not held.", lock);
}

/* --- All of them ----------------------------------------------------------------------------- */

static bool check_may_change(struct run *run, const char *op)
{
    const struct database *db = run->execution->db;

    if (run->execution->is_by_reader)
        return db_error_set(&run->error, DB_PERMISSION,
                            "%s is not for members of the read-only group", op);
    return !db->is_read_only ||
           db_error_set(&run->error, db->read_only_tag, "%s", db->read_only_reason);
}

static bool run_operation(struct run *run)
{
    static const struct {
        const char *name;
        bool (*run)(struct run *);
        bool changes;
    } operations[] = {
        {"insert", run_insert, true},    {"select", run_select, false},
        {"update", run_update, true},    {"mutate", run_mutate, true},
        {"delete", run_delete, true},    {"wait", run_wait, false},
        {"commit", run_commit, false},   {"abort", run_abort, false},
        {"comment", run_comment, false}, {"assert", run_assert, false},
    };
    const char *op = json_string_value(json_object_get(run->json, "op"));

    if (!operation_check_syntax(run->json, &run->error))
        return false;
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        if (!strcmp(operations[i].name, op))
            return (!operations[i].changes || check_may_change(run, op)) && operations[i].run(run);
    return db_error_set(&run->error, DB_SYNTAX_ERROR, "No operation \"%s\".", op);
}

static void put_results(struct run *run)
{
    struct execution *execution = run->execution;
    size_t n = json_array_size(execution->params) - 1;

    for (size_t i = 0; i < n; i++) {
        run->json = json_array_get(execution->params, i + 1);
        run->result = json_object();
        bool is_ok = check_cost(run) && run_operation(run);
        if (run->must_wait) {
            json_decref(run->result);
            return;
        }
        if (is_ok) {
            json_array_append_new(execution->results, run->result);
            continue;
        }
        json_decref(run->result);
        json_array_append_new(execution->results, db_error_to_json(&run->error));
        while (++i < n)
            json_array_append_new(execution->results, json_null());
    }
}

static void run_fini(struct run *run)
{
    struct named_uuid *named, *next;

    HASH_ITER (by_name, run->names, named, next) {
        HASH_DELETE(by_name, run->names, named);
        free(named->name);
        free(named);
    }
    buffer_fini(&run->comment);
}

void execution_fail(struct execution *execution, const struct db_error *error)
{
    json_array_append_new(execution->results, db_error_to_json(error));
}

void execution_run(struct execution *execution)
{
    struct run run = {.execution = execution,
                      .txn = txn_create(execution->db),
                      .start_ns = processor_ns(),
                      .max_ns = max_cost_ns(execution->params)};

    execution->results = json_array();
    put_results(&run);
    execution->must_wait = run.must_wait;
    if (!run.must_wait && !run.error.tag && !txn_prepare(run.txn, &run.error))
        execution_fail(execution, &run.error);
    if (run.must_wait || run.error.tag) {
        txn_abort(run.txn);
    } else {
        execution->txn = run.txn;
        execution->comment = run.comment.size ? buffer_take_text(&run.comment) : NULL;
    }
    run_fini(&run);
    execution->cost_ns = processor_ns() - run.start_ns;
}

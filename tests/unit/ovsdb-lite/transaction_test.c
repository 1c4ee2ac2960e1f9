/* SPDX-License-Identifier: Apache-2.0 */

/* Transactions on a small database: the ten operations, references, limits, and that a failed
 * transaction leaves nothing behind. */

#include "ovsdb-lite/operation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char schema_text[] =
    "{\"name\":\"D\",\"version\":\"1.0.0\",\"tables\":{"
    "\"Root\":{\"isRoot\":true,\"maxRows\":2,\"columns\":{"
    "  \"kids\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"Kid\"},"
    "           \"min\":0,\"max\":\"unlimited\"}},"
    "  \"n\":{\"type\":\"integer\"},"
    "  "
    "\"cfg\":{\"type\":{\"key\":\"string\",\"value\":\"string\",\"min\":0,\"max\":\"unlimited\"}},"
    "  \"nums\":{\"type\":{\"key\":{\"type\":\"integer\",\"minInteger\":0,\"maxInteger\":9},"
    "           \"min\":0,\"max\":3}}}},"
    "\"Kid\":{\"indexes\":[[\"name\"]],\"columns\":{"
    "  \"name\":{\"type\":\"string\",\"mutable\":false},"
    "  \"next\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"Kid\"},\"min\":0}},"
    "  \"tag\":{\"type\":{\"key\":{\"type\":\"integer\",\"minInteger\":0,\"maxInteger\":4095},"
    "          \"min\":0}},"
    "  \"ratio\":{\"type\":\"real\"}}},"
    "\"Watch\":{\"isRoot\":true,\"columns\":{"
    "  \"one\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"Kid\",\"refType\":\"weak\"},"
    "         \"min\":1}},"
    "  \"any\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"Kid\",\"refType\":\"weak\"},"
    "         \"min\":0,\"max\":\"unlimited\"}}}}}}";

static int setup(void **state)
{
    json_t *json = json_loads(schema_text, 0, NULL);
    struct error error = ERROR_INIT;
    struct db_schema *schema = db_schema_parse(json, &error);

    json_decref(json);
    if (!schema)
        fail_msg("%s", error.message);
    *state = database_create_take(schema);
    return 0;
}

static int teardown(void **state)
{
    database_destroy(*state);
    return 0;
}

static bool owns_lock(const char *lock, void *aux)
{
    (void)aux;
    return !strcmp(lock, "mine");
}

/* Runs operations, written with ' for ", and returns the results; commits if it can. */
static json_t *transact_at(struct database *db, const char *operations, int64_t waited_ms)
{
    char *text;
    struct execution execution = {.db = db, .waited_ms = waited_ms, .owns_lock = owns_lock};
    json_error_t json_error;

    assert_true(asprintf(&text, "['D',%s]", operations) > 0);
    for (char *p = text; *p; p++)
        if (*p == '\'')
            *p = '"';
    json_t *params = json_loads(text, 0, &json_error);
    if (!params)
        fail_msg("%s in %s", json_error.text, text);
    free(text);
    execution.params = params;
    execution_run(&execution);
    if (execution.txn)
        commit_destroy(txn_finish(execution.txn));
    free(execution.comment);
    json_decref(params);
    if (execution.must_wait) {
        json_decref(execution.results);
        return NULL;
    }
    return execution.results;
}

static json_t *transact(struct database *db, const char *operations)
{
    return transact_at(db, operations, 0);
}

static const char *failure_of(const json_t *results)
{
    size_t i;
    json_t *result;

    json_array_foreach ((json_t *)results, i, result) {
        const char *tag = json_string_value(json_object_get(result, "error"));
        if (tag)
            return tag;
    }
    return NULL;
}

static void succeed(struct database *db, const char *operations)
{
    json_t *results = transact(db, operations);
    char *text = json_dumps(results, 0);

    if (failure_of(results))
        fail_msg("%s: %s", operations, text);
    free(text);
    json_decref(results);
}

static void refuse(struct database *db, const char *operations, const char *tag)
{
    json_t *results = transact(db, operations);
    const char *found = failure_of(results);

    if (!found || strcmp(found, tag)) {
        char *text = json_dumps(results, 0);
        fail_msg("%s: expected \"%s\", got %s", operations, tag, text);
    }
    json_decref(results);
}

static size_t n_rows(struct database *db, const char *table)
{
    struct row *row;
    size_t n = 0;

    FOR_EACH_ROW(row, database_table(db, table))
    n++;
    assert_int_equal(n, database_table(db, table)->n_rows);
    return n;
}

/* Value of a column of the only row of 'table', as compact JSON in a static buffer. */
static const char *value(struct database *db, const char *table, const char *column)
{
    static char buffer[512];
    struct table *t = database_table(db, table);
    struct row *row = t->rows;

    assert_non_null(row);
    json_t *json = datum_to_json(row->data->columns[table_schema_column(t->schema, column)->index]);
    char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
    snprintf(buffer, sizeof buffer, "%s", text);
    free(text);
    json_decref(json);
    return buffer;
}

#define KID(ID, NAME) "{'op':'insert','table':'Kid','uuid-name':'" ID "','row':{'name':'" NAME "'}}"
#define ROOT_OF(KIDS) "{'op':'insert','table':'Root','row':{'kids':['set',[" KIDS "]]}}"
#define NAMED(ID)     "['named-uuid','" ID "']"

static void insert_gives_uuid_and_defaults(void **state)
{
    json_t *results = transact(*state, "{'op':'insert','table':'Root','row':{'n':5}}");
    const char *text =
        json_string_value(json_array_get(json_object_get(json_array_get(results, 0), "uuid"), 1));
    struct uuid uuid;

    assert_true(text && uuid_parse(text, &uuid));
    json_decref(results);
    assert_string_equal(value(*state, "Root", "n"), "5");
    assert_string_equal(value(*state, "Root", "cfg"), "[\"map\",[]]");
}

static void row_nobody_refers_to_is_collected(void **state)
{
    succeed(*state, KID("k", "lonely"));
    assert_int_equal(n_rows(*state, "Kid"), 0);
    succeed(*state, KID("k", "kept") "," ROOT_OF(NAMED("k")));
    assert_int_equal(n_rows(*state, "Kid"), 1);
    succeed(*state, "{'op':'update','table':'Root','where':[],'row':{'kids':['set',[]]}}");
    assert_int_equal(n_rows(*state, "Kid"), 0);
}

static void collection_follows_chains(void **state)
{
    succeed(*state, KID("c", "c") ",{'op':'insert','table':'Kid','uuid-name':'b','row':{'name':'b',"
                                  "'next':['named-uuid','c']}},{'op':'insert','table':'Kid',"
                                  "'uuid-name':'a','row':{'name':'a','next':['named-uuid','b']}}"
                                  "," ROOT_OF(NAMED("a")));
    assert_int_equal(n_rows(*state, "Kid"), 3);
    succeed(*state, "{'op':'delete','table':'Root','where':[]}");
    assert_int_equal(n_rows(*state, "Kid"), 0);
}

static void row_does_not_keep_itself(void **state)
{
    succeed(*state, "{'op':'insert','table':'Kid','uuid-name':'k','row':{'name':'k','next':"
                    "['named-uuid','k']}}");
    assert_int_equal(n_rows(*state, "Kid"), 0);
}

static void reference_to_nothing_is_refused(void **state)
{
    refuse(*state, ROOT_OF("['uuid','00000000-0000-4000-8000-000000000001']"),
           "referential integrity violation");
    refuse(*state, ROOT_OF(NAMED("nobody")), "referential integrity violation");
    assert_int_equal(n_rows(*state, "Root"), 0);
}

static void row_in_use_cannot_be_deleted(void **state)
{
    succeed(*state, KID("k", "k") "," ROOT_OF(NAMED("k")));
    refuse(*state, "{'op':'delete','table':'Kid','where':[]}", "referential integrity violation");
    assert_int_equal(n_rows(*state, "Kid"), 1);
    succeed(*state, "{'op':'delete','table':'Kid','where':[]},"
                    "{'op':'update','table':'Root','where':[],'row':{'kids':['set',[]]}}");
    assert_int_equal(n_rows(*state, "Kid"), 0);
}

static void mandatory_weak_reference_may_not_become_empty(void **state)
{
    succeed(*state, KID("a", "a") "," KID("b", "b") "," ROOT_OF(
                        NAMED("a") "," NAMED("b")) ",{'op':'insert','table':'Watch','row':{'one':"
                                                   "['named-uuid','a'],'any':['set',["
                                                   "['named-uuid','a'],['named-uuid','b']]]}}");
    refuse(*state, "{'op':'delete','table':'Root','where':[]}", "constraint violation");
    assert_int_equal(n_rows(*state, "Root"), 1);
    assert_int_equal(n_rows(*state, "Kid"), 2);
}

static void optional_weak_reference_is_dropped(void **state)
{
    succeed(*state,
            KID("a", "a") "," KID("b", "b") "," ROOT_OF(NAMED("a") "," NAMED(
                "b")) ",{'op':'insert','table':'Watch','row':{'one':['named-uuid','a'],'any':"
                      "['set',[['named-uuid','a'],['named-uuid','b']]]}}");
    succeed(*state, "{'op':'select','table':'Watch','where':[]}");
    json_t *found = transact(*state, "{'op':'select','table':'Kid','where':[['name','==','b']],"
                                     "'columns':['_uuid']}");
    char *uuid = json_dumps(
        json_object_get(json_array_get(json_object_get(json_array_get(found, 0), "rows"), 0),
                        "_uuid"),
        JSON_COMPACT);
    char *ops;
    assert_true(asprintf(&ops,
                         "{'op':'mutate','table':'Root','where':[],'mutations':[['kids','delete',"
                         "['set',[%s]]]]}",
                         uuid) > 0);
    succeed(*state, ops);
    assert_int_equal(n_rows(*state, "Kid"), 1);
    assert_null(strstr(value(*state, "Watch", "any"), "set")); /* One element is left. */
    free(ops);
    free(uuid);
    json_decref(found);
}

static void index_refuses_duplicates_and_survives_refusals(void **state)
{
    succeed(*state, KID("k", "same") "," ROOT_OF(NAMED("k")));
    for (int i = 0; i < 3; i++)
        refuse(*state, KID("l", "same") "," ROOT_OF(NAMED("l")), "constraint violation");
    succeed(*state, KID("l", "other") "," ROOT_OF(NAMED("l")));
    assert_int_equal(n_rows(*state, "Kid"), 2);
}

static void unique_name_may_move_in_one_transaction(void **state)
{
    succeed(*state, KID("k", "same") "," ROOT_OF(NAMED("k")));
    succeed(*state, "{'op':'delete','table':'Kid','where':[['name','==','same']]}," KID(
                        "l", "same") ",{'op':'update','table':'Root','where':[],'row':{'kids':"
                                     "['named-uuid','l']}}");
    assert_int_equal(n_rows(*state, "Kid"), 1);
}

static void table_has_its_limit(void **state)
{
    succeed(*state, ROOT_OF("") "," ROOT_OF(""));
    refuse(*state, ROOT_OF(""), "constraint violation");
    assert_int_equal(n_rows(*state, "Root"), 2);
}

static void immutable_column_stays(void **state)
{
    succeed(*state, KID("k", "k") "," ROOT_OF(NAMED("k")));
    refuse(*state, "{'op':'update','table':'Kid','where':[],'row':{'name':'x'}}",
           "constraint violation");
    refuse(*state, "{'op':'mutate','table':'Kid','where':[],'mutations':[['name','insert','x']]}",
           "constraint violation");
}

static void mutations_compute(void **state)
{
    succeed(*state, "{'op':'insert','table':'Root','row':{'n':7,'nums':['set',[1,2]],"
                    "'cfg':['map',[['a','1'],['b','2']]]}}");
    succeed(*state, "{'op':'mutate','table':'Root','where':[],'mutations':[['n','+=',5],"
                    "['n','*=',3],['n','-=',1],['n','/=',4],['n','%=',5]]}");
    assert_string_equal(value(*state, "Root", "n"), "3");
    succeed(*state, "{'op':'mutate','table':'Root','where':[],'mutations':[['nums','*=',2],"
                    "['nums','insert',['set',[2,9]]],['nums','delete',4]]}");
    assert_string_equal(value(*state, "Root", "nums"), "[\"set\",[2,9]]");
    succeed(*state, "{'op':'mutate','table':'Root','where':[],'mutations':[['cfg','insert',"
                    "['map',[['a','x'],['c','3']]]],['cfg','delete',['set',['b']]]]}");
    assert_string_equal(value(*state, "Root", "cfg"), "[\"map\",[[\"a\",\"1\"],[\"c\",\"3\"]]]");
    succeed(*state, "{'op':'mutate','table':'Root','where':[],'mutations':[['cfg','delete',"
                    "['map',[['a','not this'],['c','3']]]]]}");
    assert_string_equal(value(*state, "Root", "cfg"), "[\"map\",[[\"a\",\"1\"]]]");
}

static void impossible_mutations_are_refused_whole(void **state)
{
    succeed(*state, "{'op':'insert','table':'Root','row':{'n':7,'nums':['set',[1,2]]}}");
    refuse(*state, "{'op':'mutate','table':'Root','where':[],'mutations':[['n','/=',0]]}",
           "domain error");
    refuse(*state,
           "{'op':'mutate','table':'Root','where':[],'mutations':[['n','*=',9223372036854775807]]}",
           "range error");
    refuse(*state, "{'op':'mutate','table':'Root','where':[],'mutations':[['nums','+=',9]]}",
           "constraint violation");
    refuse(*state, "{'op':'mutate','table':'Root','where':[],'mutations':[['nums','*=',0]]}",
           "constraint violation");
    refuse(*state,
           "{'op':'mutate','table':'Root','where':[],'mutations':[['nums','insert',"
           "['set',[3,4]]]]}",
           "constraint violation");
    refuse(*state, "{'op':'mutate','table':'Root','where':[],'mutations':[['cfg','+=',1]]}",
           "syntax error");
    assert_string_equal(value(*state, "Root", "n"), "7");
    assert_string_equal(value(*state, "Root", "nums"), "[\"set\",[1,2]]");
}

static void conditions_select(void **state)
{
    static const struct {
        const char *where;
        json_int_t n;
    } cases[] = {
        {"[]", 2},
        {"[['n','==',1]]", 1},
        {"[['n','!=',1]]", 1},
        {"[['n','<',2],['n','>',0]]", 1},
        {"[['n','>=',1]]", 2},
        {"[['nums','includes',['set',[2]]]]", 2},
        {"[['nums','includes',['set',[1,2]]]]", 1},
        {"[['nums','excludes',['set',[1]]]]", 1},
        {"[['nums','==',['set',[2,1]]]]", 1},
        {"[['cfg','includes',['map',[['a','1']]]]]", 1},
        {"[['cfg','excludes',['map',[['a','1']]]]]", 1},
        {"[['cfg','includes',['map',[['a','2']]]]]", 0},
        {"[true]", 2},
        {"[false]", 0},
        {"[['_uuid','==',['uuid','00000000-0000-4000-8000-000000000001']]]", 0},
        {"[['_uuid','!=',['uuid','00000000-0000-4000-8000-000000000001']]]", 2},
    };

    succeed(*state, "{'op':'insert','table':'Root','row':{'n':1,'nums':['set',[1,2]],"
                    "'cfg':['map',[['a','1']]]}},"
                    "{'op':'insert','table':'Root','row':{'n':2,'nums':['set',[2,3]]}}");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *ops;
        assert_true(asprintf(&ops, "{'op':'select','table':'Root','where':%s}", cases[i].where) >
                    0);
        json_t *results = transact(*state, ops);
        json_t *rows = json_object_get(json_array_get(results, 0), "rows");
        if ((json_int_t)json_array_size(rows) != cases[i].n)
            fail_msg("%s: %zu rows", cases[i].where, json_array_size(rows));
        json_decref(results);
        free(ops);
    }
    refuse(*state, "{'op':'select','table':'Root','where':[['cfg','<',['map',[]]]]}",
           "syntax error");
    refuse(*state, "{'op':'select','table':'Root','where':[['no','==',1]]}", "unknown column");
    refuse(*state, "{'op':'select','table':'Root','where':[['n','~',1]]}", "unknown function");
    refuse(*state, "{'op':'select','table':'Root','where':[['n','==','1']]}", "syntax error");
}

static void select_shows_distinct_rows(void **state)
{
    succeed(*state, ROOT_OF("") "," ROOT_OF(""));
    json_t *results = transact(*state, "{'op':'select','table':'Root','where':[],'columns':['n']}");

    assert_int_equal(json_array_size(json_object_get(json_array_get(results, 0), "rows")), 1);
    json_decref(results);
}

static void wait_decides_now_later_or_never(void **state)
{
    static const char ops[] = "{'op':'wait','table':'Root','where':[],'columns':['n'],'until':'==',"
                              "'rows':[{'n':1}],'timeout':100}";

    assert_null(transact(*state, ops));
    json_t *results = transact_at(*state, ops, 100);
    assert_string_equal(failure_of(results), "timed out");
    json_decref(results);
    succeed(*state, "{'op':'insert','table':'Root','row':{'n':1}}");
    succeed(*state, ops);
    succeed(*state, "{'op':'wait','table':'Root','where':[],'columns':['n'],'until':'!=',"
                    "'rows':[{'n':2}],'timeout':0}");
}

static void abort_comment_assert_commit(void **state)
{
    json_t *results = transact(*state, ROOT_OF("") ",{'op':'abort'}," ROOT_OF(""));

    assert_int_equal(json_array_size(results), 3);
    assert_true(json_is_null(json_array_get(results, 2)));
    assert_string_equal(failure_of(results), "aborted");
    json_decref(results);
    assert_int_equal(n_rows(*state, "Root"), 0);
    succeed(*state, "{'op':'comment','comment':'x'},{'op':'commit','durable':true}");
    succeed(*state, "{'op':'assert','lock':'mine'}");
    refuse(*state, "{'op':'assert','lock':'yours'}", "not owner");
}

static void malformed_operations_are_refused(void **state)
{
    static const struct {
        const char *ops, *tag;
    } cases[] = {
        {"1", "syntax error"},
        {"{}", "syntax error"},
        {"{'op':'fly'}", "syntax error"},
        {"{'op':'insert'}", "syntax error"},
        {"{'op':'insert','table':'No'}", "syntax error"},
        {"{'op':'insert','table':'Root','row':[]}", "syntax error"},
        {"{'op':'insert','table':'Root','row':{'x':1}}", "unknown column"},
        {"{'op':'insert','table':'Root'}", "syntax error"},
        {"{'op':'delete','table':'Root','where':[],'were':[]}", "syntax error"},
        {"{'op':'assert','lock':'not an id'}", "syntax error"},
        {"{'op':'insert','table':'Root','row':{'_uuid':['uuid','00000000-0000-0000-0000-"
         "000000000001']}}",
         "constraint violation"},
        {"{'op':'insert','table':'Root','row':{'n':'1'}}", "syntax error"},
        {"{'op':'insert','table':'Root','row':{'nums':10}}", "constraint violation"},
        {"{'op':'insert','table':'Root','row':{'nums':['set',[1,1]]}}", "syntax error"},
        {"{'op':'insert','table':'Root','uuid-name':'a b'}", "syntax error"},
        {KID("k", "k") "," KID("k", "l"), "duplicate uuid-name"},
        {"{'op':'update','table':'Root','where':{},'row':{}}", "syntax error"},
        {"{'op':'update','table':'Root','where':[[]],'row':{}}", "syntax error"},
        {"{'op':'mutate','table':'Root','where':[],'mutations':1}", "syntax error"},
        {"{'op':'mutate','table':'Root','where':[],'mutations':[['n','?',1]]}", "unknown mutator"},
        {"{'op':'select','table':'Root','where':[],'columns':['n','n']}", "syntax error"},
        {"{'op':'select','table':'Root','where':[],'columns':'n'}", "syntax error"},
        {"{'op':'wait','table':'Root','where':[],'until':'~','rows':[]}", "syntax error"},
        {"{'op':'wait','table':'Root','where':[],'until':'==','rows':1}", "syntax error"},
        {"{'op':'wait','table':'Root','where':[],'until':'==','rows':[1]}", "syntax error"},
        {"{'op':'wait','table':'Root','where':[],'until':'==','rows':[],'timeout':-1}",
         "syntax error"},
        {"{'op':'comment'}", "syntax error"},
        {"{'op':'commit'}", "syntax error"},
        {"{'op':'assert'}", "syntax error"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refuse(*state, cases[i].ops, cases[i].tag);
}

static void unchanged_row_keeps_its_version(void **state)
{
    succeed(*state, "{'op':'insert','table':'Root','row':{'n':1}}");
    struct row *row = database_table(*state, "Root")->rows;
    struct uuid version = row->data->version;

    succeed(*state, "{'op':'update','table':'Root','where':[],'row':{'n':1}}");
    assert_true(uuid_equal(&version, &row->data->version));
    succeed(*state, "{'op':'update','table':'Root','where':[],'row':{'n':2}}");
    assert_false(uuid_equal(&version, &row->data->version));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
        TEST(insert_gives_uuid_and_defaults),
        TEST(row_nobody_refers_to_is_collected),
        TEST(collection_follows_chains),
        TEST(row_does_not_keep_itself),
        TEST(reference_to_nothing_is_refused),
        TEST(row_in_use_cannot_be_deleted),
        TEST(mandatory_weak_reference_may_not_become_empty),
        TEST(optional_weak_reference_is_dropped),
        TEST(index_refuses_duplicates_and_survives_refusals),
        TEST(unique_name_may_move_in_one_transaction),
        TEST(table_has_its_limit),
        TEST(immutable_column_stays),
        TEST(mutations_compute),
        TEST(impossible_mutations_are_refused_whole),
        TEST(conditions_select),
        TEST(select_shows_distinct_rows),
        TEST(wait_decides_now_later_or_never),
        TEST(abort_comment_assert_commit),
        TEST(malformed_operations_are_refused),
        TEST(unchanged_row_keeps_its_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */

/* Any bytes as a database file of Open vSwitch's, and as its records behind heads whose checksums are
 * right (one a line, the first the schema): loaded as far as they make sense, checked, and written
 * again.  What was sound must be so afterwards. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ovsdb-lite/ovs_log.h"
#include "ovsdb-lite/ovs_record.h"
#include "ovsdb-lite/saved.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static int load(const char *body, size_t n_bytes, uint64_t number, void *aux, struct error *error)
{
    return saved_apply(aux, body, n_bytes, number, error);
}

static struct database *read_file(const char *image, size_t n_bytes)
{
    struct saved saved = {.format = SAVED_OVS, .limit = UINT64_MAX};
    struct error error = ERROR_INIT;

    ovs_log_judge(image, n_bytes, load, &saved, &saved.n_good, &saved.n_records, &error);
    if (saved.n_good > n_bytes)
        abort();
    struct database *db = NULL;
    if (saved.db && !saved_check(&saved, &error))
        db = saved_take_database(&saved);
    saved_fini(&saved);
    return db;
}

static size_t count_rows(const struct database *db)
{
    size_t n = 0;

    for (size_t i = 0; i < db->schema->n_tables; i++)
        n += db->tables[i].n_rows;
    return n;
}

static void go_around(const char *image, size_t n_bytes)
{
    struct database *db = read_file(image, n_bytes), *again;
    struct buffer file = BUFFER_INIT;

    if (!db)
        return;
    ovs_log_put_take(&file, json_incref(db->schema_json));
    ovs_log_put_take(&file, ovs_record_of_database(db, "again"));
    again = read_file((const char *)file.data, file.size);
    if (!again || count_rows(again) != count_rows(db))
        abort();
    database_destroy(again);
    database_destroy(db);
    buffer_fini(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    const char *at = (const char *)bytes, *end = at + n_bytes;
    struct buffer file = BUFFER_INIT;

    go_around(at, n_bytes);
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t n = (size_t)((newline ? newline : end) - at);
        ovs_log_put(&file, at, n);
        at += n + 1;
    }
    if (file.size)
        go_around((const char *)file.data, file.size);
    buffer_fini(&file);
    return 0;
}

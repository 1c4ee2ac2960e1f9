/* SPDX-License-Identifier: Apache-2.0 */

/* Any bytes as a database file: judged without reading outside them, and with whole records loaded
 * into a database as far as they make sense. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ovsdb-lite/journal.h"
#include "ovsdb-lite/journal_format.h"
#include "ovsdb-lite/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static const char schema_text[] =
    "{\"name\":\"D\",\"tables\":{\"T\":{\"indexes\":[[\"s\"]],\"columns\":{\"s\":{\"type\":"
    "\"string\"},\"m\":{\"type\":{\"key\":\"integer\",\"value\":\"string\",\"min\":0,\"max\":"
    "\"unlimited\"}},\"r\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"T\"},\"min\":0}}"
    "}}}}";

static int load(const char *body, size_t n_bytes, uint64_t number, void *aux, struct error *error)
{
    json_t *json = json_loadb(body, n_bytes, 0, NULL);
    size_t n_skipped = 0;

    (void)number;
    int result = json ? record_apply(aux, json, &n_skipped, error) : 0;
    json_decref(json);
    return result;
}

static struct database *database(void)
{
    json_t *json = json_loads(schema_text, 0, NULL);
    struct database *db = database_create_take(db_schema_parse(json, NULL));

    json_decref(json);
    return db;
}

static void judge(const char *image, size_t n_bytes)
{
    struct database *db = database();
    struct db_error db_error = DB_ERROR_INIT;
    struct error error = ERROR_INIT;
    size_t n_good;
    uint64_t n_records;

    journal_judge(image, n_bytes, load, db, &n_good, &n_records, &error);
    if (n_good > n_bytes)
        abort();
    database_account_all(db, &db_error);
    database_destroy(db);
}

/* What repair looks for; the image may be changed. */
static void search(char *image, size_t n_bytes)
{
    struct journal_record record;
    uint32_t file_id = 1;
    size_t offset = 0;

    if (journal_mend_head(image, n_bytes) && !journal_parse_head(image, n_bytes, &file_id))
        abort();
    while (journal_find_record(image, n_bytes, offset, file_id, &record)) {
        if (record.offset < offset || record.offset + record.n_bytes > n_bytes ||
            record.body_bytes >= record.n_bytes)
            abort();
        offset = record.offset + record.n_bytes;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    char *image = malloc(JOURNAL_HEAD_BYTES + JOURNAL_RECORD_HEAD_BYTES + n_bytes + 2);

    if (!image)
        return 0;
    /* As they are; and as the body of a record whose checksums are right. */
    memcpy(image, bytes, n_bytes);
    judge(image, n_bytes);
    search(image, n_bytes);
    journal_format_head(image, 1);
    journal_format_record_head(image + JOURNAL_HEAD_BYTES, 1, 0, (const char *)bytes, n_bytes);
    memcpy(image + JOURNAL_HEAD_BYTES + JOURNAL_RECORD_HEAD_BYTES, bytes, n_bytes);
    image[JOURNAL_HEAD_BYTES + JOURNAL_RECORD_HEAD_BYTES + n_bytes] = '\n';
    judge(image, JOURNAL_HEAD_BYTES + JOURNAL_RECORD_HEAD_BYTES + n_bytes + 1);
    search(image, JOURNAL_HEAD_BYTES + JOURNAL_RECORD_HEAD_BYTES + n_bytes + 1);
    free(image);
    return 0;
}

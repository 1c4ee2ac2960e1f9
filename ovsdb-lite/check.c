/* SPDX-License-Identifier: Apache-2.0 */

#include "ovsdb-lite/check.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "ovsdb-lite/aside.h"
#include "ovsdb-lite/journal_format.h"
#include "ovsdb-lite/rewrite.h"
#include "ovsdb-lite/saved.h"

enum { MAX_TOLD = 50 }; /* Lost transactions, one a line. */

static void put_time(struct buffer *report, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    char text[32];

    if (ms <= 0 || !gmtime_r(&seconds, &utc) ||
        !strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &utc))
        buffer_puts(report, "at an unknown time");
    else
        buffer_printf(report, "%s.%03d UTC", text, (int)(ms % 1000));
}

/* Comments come from clients: what a terminal would act on is shown as a dot. */
static void put_comment(struct buffer *report, const char *comment)
{
    enum { MAX_SHOWN = 100 };

    if (!comment || !*comment)
        return;
    buffer_puts(report, " \"");
    for (int i = 0; comment[i] && i < MAX_SHOWN; i++)
        buffer_putc(report, comment[i] < ' ' || comment[i] > '~' ? '.' : comment[i]);
    buffer_puts(report, "\"");
}

static size_t count_rows(const struct database *db)
{
    size_t n = 0;

    for (size_t i = 0; i < db->schema->n_tables; i++)
        n += db->tables[i].n_rows;
    return n;
}

static const char *kind_of(const struct saved *saved)
{
    uint32_t file_id;

    if (saved->format == SAVED_OVS)
        return "Open vSwitch database";
    return journal_parse_head(saved->image, saved->n_bytes, &file_id) ? "Weir database, format 1"
                                                                      : "unknown format";
}

static void describe(const struct saved *saved, struct buffer *report)
{
    const struct db_schema *schema = saved->db ? saved->db->schema : NULL;

    buffer_printf(report, "%s: %s, %zu bytes\n", saved->path, kind_of(saved), saved->n_bytes);
    if (!schema)
        return;
    buffer_printf(report, "schema: %s %s, checksum %s\n", schema->name,
                  *schema->version ? schema->version : "without version",
                  schema->checksum ? schema->checksum : "none");
    buffer_printf(report, "records: %llu, of which transactions: %llu\n",
                  (unsigned long long)saved->n_records, (unsigned long long)saved->n_transactions);
    buffer_printf(report, "rows: %zu\n", count_rows(saved->db));
    if (saved->n_transactions) {
        buffer_puts(report, "last transaction: ");
        put_time(report, saved->last_ms);
        put_comment(report, saved->last_comment);
        buffer_putc(report, '\n');
    }
}

/* --- Checking ------------------------------------------------------------------------------ */

static enum check_status judge(struct saved *saved, struct buffer *report)
{
    struct error error = ERROR_INIT;

    saved_read(saved);
    describe(saved, report);
    if (saved->verdict == JOURNAL_DAMAGED) {
        buffer_printf(report, "damaged: %s: %s\n", saved->path, saved->why.message);
        return CHECK_DAMAGED;
    }
    if (saved_check(saved, &error)) {
        buffer_printf(report, "damaged: %s: records are whole, but not the rows: %s\n", saved->path,
                      error.message);
        return CHECK_DAMAGED;
    }
    if (saved->verdict == JOURNAL_WHOLE)
        buffer_puts(report, "sound\n");
    else if (saved->format == SAVED_WEIR && journal_is_locked(saved->path))
        buffer_puts(report, "sound; a server is writing to it\n");
    else
        buffer_printf(
            report,
            "sound; the last write, record %llu at offset %zu, was not finished: the next "
            "start cuts its %zu bytes and keeps them aside\n",
            (unsigned long long)saved->n_records, saved->n_good, saved->n_bytes - saved->n_good);
    return CHECK_SOUND;
}

static enum check_status fail(const struct error *error, struct buffer *report)
{
    buffer_printf(report, "%s\n", error->message);
    return CHECK_FAILED;
}

/* Changes the image, of which nothing is wanted any more. */
static bool may_be_repaired(struct saved *saved)
{
    uint32_t file_id;

    return saved->format == SAVED_OVS ||
           journal_parse_head(saved->image, saved->n_bytes, &file_id) ||
           journal_mend_head(saved->image, saved->n_bytes);
}

enum check_status check_file(const char *path, struct buffer *report)
{
    struct error error = ERROR_INIT;
    struct saved saved;

    if (saved_open(&saved, path, &error))
        return fail(&error, report);
    enum check_status status = judge(&saved, report);
    if (status == CHECK_DAMAGED && may_be_repaired(&saved))
        buffer_printf(report, "ovsdb-lite check --repair %s keeps what is certain\n", path);
    saved_fini(&saved);
    return status;
}

/* --- Repairing ----------------------------------------------------------------------------- */

struct losses {
    uint64_t next; /* The number that should come next. */
    uint64_t n_told;
    struct buffer *report;
};

static void tell_missing(struct losses *losses, uint64_t end)
{
    if (losses->next + 1 == end)
        buffer_printf(losses->report, "lost: record %llu, damaged or missing\n",
                      (unsigned long long)losses->next);
    else if (losses->next < end)
        buffer_printf(losses->report, "lost: records %llu to %llu, damaged or missing\n",
                      (unsigned long long)losses->next, (unsigned long long)end - 1);
}

static void tell_whole(struct losses *losses, const struct journal_record *record)
{
    json_t *json = json_loadb(record->body, record->body_bytes, 0, NULL);

    if (losses->n_told++ < MAX_TOLD) {
        buffer_printf(losses->report, "lost: record %llu at offset %zu, ",
                      (unsigned long long)record->number, record->offset);
        put_time(losses->report, json_integer_value(json_object_get(json, "time")));
        put_comment(losses->report, json_string_value(json_object_get(json, "comment")));
        buffer_puts(losses->report, ", whole but of no use without those before it\n");
    }
    json_decref(json);
}

/* In the order of the file; those that were used, or told, are passed over. */
static void tell_losses_of_ours(const struct saved *saved, struct buffer *report)
{
    struct losses losses = {.next = saved->n_records, .report = report};
    struct journal_record record;
    uint32_t file_id;
    size_t end = JOURNAL_HEAD_BYTES;

    if (!journal_parse_head(saved->image, saved->n_bytes, &file_id))
        return;
    while (journal_find_record(saved->image, saved->n_bytes, end, file_id, &record)) {
        if (record.number >= losses.next) {
            tell_missing(&losses, record.number);
            tell_whole(&losses, &record);
            losses.next = record.number + 1;
        }
        end = record.offset + record.n_bytes;
    }
    if (losses.n_told > MAX_TOLD)
        buffer_printf(report, "lost: %llu more, not shown\n",
                      (unsigned long long)(losses.n_told - MAX_TOLD));
    if (end < saved->n_bytes)
        buffer_printf(report, "lost: the %zu bytes from offset %zu on, where no record is whole\n",
                      saved->n_bytes - end, end);
    else if (losses.next == saved->n_records)
        buffer_puts(report, "lost: nothing\n");
}

static int write_repaired(const struct saved *saved, struct journal *journal, char **kept,
                          struct error *error)
{
    int result = rewrite_append_all(saved->db, journal, error);

    if (!result)
        result = aside_keep(saved->path, "damaged", kept, error);
    return result ? result : journal_publish(journal, NULL, error);
}

static enum check_status repair(struct saved *saved, struct journal *journal, struct buffer *report)
{
    struct error error = ERROR_INIT;
    char *kept = NULL;

    saved_salvage(saved);
    if (!saved->db) {
        buffer_printf(report, "%s: cannot be repaired: record 0, the schema, is lost\n",
                      saved->path);
        return CHECK_DAMAGED;
    }
    if (saved_check(saved, &error)) {
        buffer_printf(report, "%s: cannot be repaired: %s\n", saved->path, error.message);
        return CHECK_DAMAGED;
    }
    if (write_repaired(saved, journal, &kept, &error)) {
        free(kept);
        return fail(&error, report);
    }
    buffer_printf(
        report, "repaired: %s has the %zu rows as of record %llu; the damaged file is %s\n",
        saved->path, count_rows(saved->db), (unsigned long long)saved->n_records - 1, kept);
    if (saved->format == SAVED_WEIR)
        tell_losses_of_ours(saved, report);
    else
        buffer_printf(report,
                      "lost: everything from offset %zu on; the new file has Weir's format\n",
                      saved->n_good);
    free(kept);
    return CHECK_SOUND;
}

enum check_status check_repair(const char *path, struct buffer *report)
{
    struct error error = ERROR_INIT;
    struct saved saved;

    if (saved_open(&saved, path, &error))
        return fail(&error, report);
    saved_fini(&saved);
    /* From here on no server can change it. */
    struct journal *journal = journal_create_over(path, &error);
    if (!journal || saved_open(&saved, path, &error)) {
        journal_close(journal);
        return fail(&error, report);
    }
    enum check_status status = judge(&saved, report);
    if (status == CHECK_DAMAGED)
        status = repair(&saved, journal, report);
    journal_close(journal);
    saved_fini(&saved);
    return status;
}

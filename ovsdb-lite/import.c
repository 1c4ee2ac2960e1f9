/* SPDX-License-Identifier: Apache-2.0 */

/* Their server's lock is a record lock on .NAME.~lock~, which an open-file-description lock sees. */

#include "ovsdb-lite/import.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "ovsdb-lite/aside.h"
#include "ovsdb-lite/convert.h"
#include "ovsdb-lite/rewrite.h"
#include "ovsdb-lite/saved.h"
#include "ovsdb-lite/schema_version.h"

LOG_MODULE(import);

static int open_their_lock(const char *path)
{
    char *a = strdup(path), *b = strdup(path), *name;

    if (asprintf(&name, "%s/.%s.~lock~", dirname(a), basename(b)) < 0)
        abort();
    int fd = open(name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    free(name);
    free(a);
    free(b);
    return fd;
}

/* Keeps their server out while the file is taken over.  '*fd' is -1 if there is no lock file: then
 * none of theirs is running. */
static int lock_theirs(const char *path, int *fd, struct error *error)
{
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    *fd = open_their_lock(path);
    if (*fd < 0 || !fcntl(*fd, F_OFD_SETLK, &range))
        return 0;
    close(*fd);
    return error_set(error, -EAGAIN, "%s: a server of Open vSwitch's has this database open", path);
}

static int read_sound(struct saved *saved, struct error *error)
{
    saved_read(saved);
    if (saved->verdict == JOURNAL_DAMAGED)
        return error_set(error, -EBADMSG, "%s: %s; see ovsdb-lite check", saved->path,
                         saved->why.message);
    if (saved_check(saved, error))
        return error_prefix(error, "%s", saved->path);
    return 0;
}

static size_t count_rows(const struct database *db)
{
    size_t n = 0;

    for (size_t i = 0; i < db->schema->n_tables; i++)
        n += db->tables[i].n_rows;
    return n;
}

/* Brings rows of an older schema to the wanted one. */
static int bring_up(struct saved *saved, const json_t *wanted, struct error *error)
{
    struct db_error why = DB_ERROR_INIT;

    if (!wanted || !schema_is_outdated(saved->db->schema, wanted))
        return 0;
    struct database *db = convert_database(saved->db, wanted, &why);
    if (!db)
        return error_set(error, -EBADMSG, "%s: %s", saved->path, why.details);
    log_info("%s: converted from schema %s to %s (%zu of %zu rows left out)", saved->path,
             saved->db->schema->version, db->schema->version,
             count_rows(saved->db) - count_rows(db), count_rows(saved->db));
    database_destroy(saved->db);
    saved->db = db;
    return 0;
}

static void report(const struct saved *saved, const char *kept)
{
    log_info("%s: taken over from Open vSwitch, %llu transactions; the old file is %s", saved->path,
             (unsigned long long)saved->n_transactions, kept);
    if (saved->verdict == JOURNAL_TORN)
        log_warn("%s: %s: %zu bytes of the old file left out", saved->path, saved->why.message,
                 saved->n_bytes - saved->n_good);
}

static int replace(struct saved *saved, const json_t *wanted, struct journal *journal,
                   struct error *error)
{
    char *kept = NULL;
    int result = read_sound(saved, error);

    if (!result)
        result = bring_up(saved, wanted, error);
    if (!result)
        result = rewrite_append_all(saved->db, journal, error);
    if (!result)
        result = aside_keep(saved->path, "ovs", &kept, error);
    if (!result)
        result = journal_publish(journal, NULL, error);
    if (!result)
        report(saved, kept);
    free(kept);
    return result;
}

int import_file(const char *path, const json_t *wanted, struct database **db,
                struct journal **journal, struct error *error)
{
    struct saved saved;
    int their_lock, result;

    if ((result = lock_theirs(path, &their_lock, error)) < 0)
        return result;
    *journal = journal_create_over(path, error);
    if (!*journal) {
        result = error->code;
    } else if (!(result = saved_open(&saved, path, error))) {
        result = replace(&saved, wanted, *journal, error);
        *db = result ? NULL : saved_take_database(&saved);
        saved_fini(&saved);
    }
    if (result) {
        journal_close(*journal);
        *journal = NULL;
    }
    if (their_lock >= 0)
        close(their_lock);
    return result;
}

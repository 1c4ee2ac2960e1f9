/* SPDX-License-Identifier: Apache-2.0 */

/* Every call of the system that a store makes fails once, and from then on, in every way a disk knows;
 * and at the end of each run the power is cut.
 *
 * The program's own functions take the place of the C library's.  They fail the call that is due, and
 * keep what a disk would: the bytes of a file as of its last sync, its names as of the last sync of the
 * directory.  So each run ends in two ways: with all that was written, as after a crash of the server,
 * and with only what was synced.  In both the store must open and hold every row that was acknowledged
 * and none that was answered with an error.  WEIR_MUTATIONS asks for every errno of every call. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/log.h"
#include "ovsdb-lite/ovs_log.h"
#include "ovsdb-lite/store.h"

enum call { OPEN, WRITE, SYNC, CUT, RENAME, LINK, UNLINK, CLOSE, N_CALLS, ANY = N_CALLS };
enum { SHORT = -1 }; /* In place of an errno: a part is written. */

/* What a fault is told as. */
static const char *const call_names[] = {"open", "write",  "sync",  "ftruncate", "rename",
                                         "link", "unlink", "close", "any call"};

/* --- The calls ------------------------------------------------------------------------------ */

static struct {
    bool is_armed, is_for_good;
    enum call call;
    int failure;
    int nth, n_seen;
    bool has_struck;
} fault;

static void note_created(int fd);
static void note_synced(int fd);

/* The failure that is due, or 0. */
static int strike(enum call call)
{
    if (!fault.is_armed || (call != fault.call && fault.call != ANY))
        return 0;
    fault.n_seen++;
    if (fault.is_for_good ? fault.n_seen < fault.nth : fault.n_seen != fault.nth)
        return 0;
    fault.has_struck = true;
    return fault.failure;
}

static bool fails(enum call call)
{
    int failure = strike(call);

    if (failure <= 0)
        return false;
    errno = failure;
    return true;
}

int open(const char *path, int flags, ...)
{
    va_list args;

    va_start(args, flags);
    int mode = flags & O_CREAT ? va_arg(args, int) : 0;
    va_end(args);
    if (fails(OPEN))
        return -1;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd >= 0 && flags & O_EXCL)
        note_created(fd);
    return fd;
}

ssize_t writev(int fd, const struct iovec *parts, int n_parts)
{
    int failure = strike(WRITE);

    if (!failure)
        return syscall(SYS_writev, fd, parts, n_parts);
    /* Part of it may have arrived, or all, also if it failed. */
    size_t half = (parts->iov_len + 1) / 2;
    size_t n_arriving = fault.call == ANY  ? (fault.n_seen == fault.nth ? half : 0)
                        : failure == EINTR ? 0
                        : failure == EIO   ? SIZE_MAX
                                           : half;
    ssize_t n = n_arriving == SIZE_MAX ? syscall(SYS_writev, fd, parts, n_parts)
                                       : syscall(SYS_write, fd, parts->iov_base, n_arriving);
    errno = failure;
    return failure == SHORT ? n : -1;
}

ssize_t write(int fd, const void *bytes, size_t n_bytes)
{
    struct iovec part = {(void *)bytes, n_bytes};

    return writev(fd, &part, 1);
}

static int sync_file(int fd)
{
    if (fails(SYNC))
        return -1;
    note_synced(fd);
    return 0;
}

int fdatasync(int fd)
{
    return sync_file(fd);
}

int fsync(int fd)
{
    return sync_file(fd);
}

int ftruncate(int fd, off_t size)
{
    return fails(CUT) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int rename(const char *from, const char *to)
{
    return fails(RENAME) ? -1 : (int)syscall(SYS_rename, from, to);
}

int link(const char *from, const char *to)
{
    return fails(LINK) ? -1 : (int)syscall(SYS_link, from, to);
}

int unlink(const char *path)
{
    return fails(UNLINK) ? -1 : (int)syscall(SYS_unlink, path);
}

int close(int fd)
{
    bool has_failed = fails(CLOSE);
    int failure = errno, result = (int)syscall(SYS_close, fd);

    errno = has_failed ? failure : errno;
    return has_failed ? -1 : result;
}

/* --- The disk ------------------------------------------------------------------------------- */

enum { MAX_FILES = 64, MAX_BYTES = 64 * 1024 };

struct durable_file {
    ino_t inode;
    size_t n_bytes;
    char bytes[MAX_BYTES];
};

struct durable_name {
    ino_t inode;
    char name[64];
};

static struct {
    char directory[64], path[96];
    struct durable_file files[MAX_FILES];
    size_t n_files;
    struct durable_name names[MAX_FILES];
    size_t n_names;
} disk;

static struct durable_file *durable_file(ino_t inode)
{
    for (size_t i = 0; i < disk.n_files; i++)
        if (disk.files[i].inode == inode)
            return &disk.files[i];
    assert_true(disk.n_files < MAX_FILES);
    struct durable_file *file = &disk.files[disk.n_files++];
    file->inode = inode;
    file->n_bytes = 0;
    return file;
}

static void note_created(int fd)
{
    struct stat status;

    assert_int_equal(fstat(fd, &status), 0);
    durable_file(status.st_ino)->n_bytes = 0; /* Not the bytes of one that had the number before. */
}

static void note_names(void)
{
    DIR *directory = opendir(disk.directory);
    const struct dirent *entry;

    assert_non_null(directory);
    for (disk.n_names = 0; (entry = readdir(directory)) != NULL;) {
        if (entry->d_type != DT_REG)
            continue;
        assert_true(disk.n_names < MAX_FILES);
        struct durable_name *name = &disk.names[disk.n_names++];
        name->inode = entry->d_ino;
        snprintf(name->name, sizeof name->name, "%.60s", entry->d_name);
    }
    closedir(directory);
}

static void note_synced(int fd)
{
    struct stat status;

    assert_int_equal(fstat(fd, &status), 0);
    if (S_ISDIR(status.st_mode)) {
        note_names();
        return;
    }
    struct durable_file *file = durable_file(status.st_ino);
    assert_true(status.st_size <= MAX_BYTES);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd); /* It may be open for writing alone. */
    int copy = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
    assert_int_equal(read(copy, file->bytes, (size_t)status.st_size), status.st_size);
    syscall(SYS_close, copy);
    file->n_bytes = (size_t)status.st_size;
}

static void write_file(const char *path, const void *bytes, size_t n_bytes)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0640);

    assert_true(fd >= 0);
    assert_int_equal(syscall(SYS_write, fd, bytes, n_bytes), n_bytes);
    syscall(SYS_close, fd);
}

static void remove_files(void)
{
    DIR *directory = opendir(disk.directory);
    const struct dirent *entry;

    while ((entry = readdir(directory)) != NULL)
        syscall(SYS_unlinkat, dirfd(directory), entry->d_name, 0);
    closedir(directory);
}

static void cut_power(void)
{
    char path[160];

    remove_files();
    for (size_t i = 0; i < disk.n_names; i++) {
        const struct durable_file *file = durable_file(disk.names[i].inode);
        snprintf(path, sizeof path, "%s/%s", disk.directory, disk.names[i].name);
        write_file(path, file->bytes, file->n_bytes);
    }
}

/* All that is there now has been there for long. */
static void settle_disk(void)
{
    DIR *directory = opendir(disk.directory);
    const struct dirent *entry;
    char path[400];

    disk.n_files = 0;
    note_names();
    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_type != DT_REG)
            continue;
        snprintf(path, sizeof path, "%s/%s", disk.directory, entry->d_name);
        int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
        note_synced(fd);
        syscall(SYS_close, fd);
    }
    closedir(directory);
}

/* --- What a server does --------------------------------------------------------------------- */

enum { MAX_ROWS = 16 };
enum fate { NOT_TRIED, ACKNOWLEDGED, REFUSED, UNKNOWN };

static enum fate fates[MAX_ROWS];

static json_t *schema(const char *version)
{
    return json_pack("{s:s, s:s, s:{s:{s:b, s:{s:{s:s}, s:{s:s}}}}}", "name", "D", "version",
                     version, "tables", "T", "isRoot", 1, "columns", "n", "type", "integer", "pad",
                     "type", "string");
}

static struct store *open_store(const char *version, struct error *error)
{
    json_t *json = schema(version);
    struct store *store = store_open(disk.path, json, error);

    json_decref(json);
    return store;
}

/* As the server: an answer for all that was written, after one sync. */
static void insert(struct store *store, int n)
{
    struct database *db = store_database(store);
    struct db_error db_error = DB_ERROR_INIT;
    struct error error = ERROR_INIT;
    struct table *table = database_table(db, "T");
    const struct column_schema *column = table_schema_column(table->schema, "n");
    struct datum *datum = datum_create(ATOM_INTEGER, ATOM_VOID, 1);
    struct txn *txn = txn_create(db);
    struct uuid uuid;

    datum->keys[0].integer = n;
    uuid_generate(&uuid);
    txn_set_take(txn, txn_insert(txn, table, &uuid), column, datum);
    assert_true(txn_prepare(txn, &db_error));
    if (store_write(store, txn, NULL, &error)) {
        txn_abort(txn);
        fates[n] = REFUSED;
        return;
    }
    commit_destroy(txn_finish(txn));
    fates[n] = UNKNOWN;
}

/* False: the server disconnects everybody and answers nothing. */
static bool sync_store(struct store *store)
{
    struct error error = ERROR_INIT;
    bool is_good = !store_needs_sync(store) || !store_sync(store, &error);

    for (int i = 0; i < MAX_ROWS; i++)
        if (fates[i] == UNKNOWN && is_good)
            fates[i] = ACKNOWLEDGED;
    return is_good;
}

static void commit(struct store *store, int n, bool *is_read_only)
{
    if (*is_read_only) /* Until a restart. */
        return;
    insert(store, n);
    if (!sync_store(store))
        *is_read_only = true;
}

/* Rows 0 to 2 may be there before. */
static void serve(void)
{
    struct error error = ERROR_INIT;
    struct store *store = open_store("1.1.0", &error);
    bool is_read_only = false;

    if (!store)
        return;
    commit(store, 3, &is_read_only);
    commit(store, 4, &is_read_only);
    if (!is_read_only) {
        insert(store, 5); /* Compaction comes between a write and its sync. */
        store_compact(store, &error);
        is_read_only = !sync_store(store);
    }
    for (int n = 6; n < 9; n++)
        commit(store, n, &is_read_only);
    if (is_read_only && store_needs_sync(store))
        assert_false(sync_store(store)); /* No sync is tried again. */
    store_close(store);
}

/* --- How the file is before ----------------------------------------------------------------- */

static void no_file(void)
{
}

static void file_of(const char *version)
{
    struct error error = ERROR_INIT;
    struct store *store = open_store(version, &error);
    bool is_read_only = false;

    assert_non_null(store);
    for (int n = 0; n < 3; n++)
        commit(store, n, &is_read_only);
    store_close(store);
}

static void file_with_torn_end(void)
{
    static const char torn[] = "R 0000000000000005 00000";

    file_of("1.1.0");
    int fd = (int)syscall(SYS_openat, AT_FDCWD, disk.path, O_WRONLY | O_APPEND);
    assert_int_equal(syscall(SYS_write, fd, torn, strlen(torn)), strlen(torn));
    syscall(SYS_close, fd);
}

static void file_of_older_schema(void)
{
    file_of("1.0.0");
}

static void file_of_open_vswitch(void)
{
    struct buffer file = BUFFER_INIT;

    ovs_log_put_take(&file, schema("1.0.0"));
    for (int n = 0; n < 3; n++) {
        struct uuid uuid;
        char text[UUID_TEXT_BYTES];
        uuid_generate(&uuid);
        uuid_format(&uuid, text);
        ovs_log_put_take(&file, json_pack("{s:{s:{s:i}}, s:b}", "T", text, "n", n, "_is_diff", 1));
        fates[n] = ACKNOWLEDGED;
    }
    write_file(disk.path, file.data, file.size);
    buffer_fini(&file);
}

/* --- The runs ------------------------------------------------------------------------------- */

struct run {
    const char *name;
    void (*prepare)(void);
};

static void check_rows(const struct run *run, const char *end)
{
    struct error error = ERROR_INIT;
    struct store *store = open_store("1.1.0", &error);
    int n_of[MAX_ROWS] = {0};
    char temporary[112];
    struct row *row;

    char what[160];
    snprintf(what, sizeof what, "%s, %s %d%s: %s, %s", run->name, call_names[fault.call], fault.nth,
             fault.is_for_good ? " and all after" : "",
             fault.failure == SHORT ? "short" : strerror(fault.failure), end);
    if (!store)
        fail_msg("%s: %s", what, error.message);
    struct table *table = database_table(store_database(store), "T");
    size_t column = table_schema_column(table->schema, "n")->index;
    FOR_EACH_ROW(row, table)
    n_of[row->data->columns[column]->keys[0].integer]++;
    for (int n = 0; n < MAX_ROWS; n++) {
        bool is_wrong = n_of[n] > 1 || (fates[n] == ACKNOWLEDGED && !n_of[n]) ||
                        ((fates[n] == NOT_TRIED || fates[n] == REFUSED) && n_of[n]) ||
                        /* What could not be synced looks good, and may not be on the disk. */
                        (fates[n] == UNKNOWN && fault.call == SYNC && n_of[n]);
        if (is_wrong)
            fail_msg("%s: row %d is there %d times, fate %d", what, n, n_of[n], fates[n]);
    }
    store_close(store);
    snprintf(temporary, sizeof temporary, "%s.new", disk.path);
    assert_int_not_equal(access(temporary, F_OK), 0);
}

/* True if the fault was reached. */
static bool run_once(const struct run *run)
{
    memset(fates, 0, sizeof fates);
    remove_files();
    run->prepare();
    settle_disk();
    fault.n_seen = 0;
    fault.has_struck = false;
    fault.is_armed = true;
    serve();
    fault.is_armed = false;

    struct durable_name names[MAX_FILES];
    size_t n_names = disk.n_names;
    memcpy(names, disk.names, sizeof names);
    struct durable_file *files = malloc(sizeof disk.files);
    size_t n_files = disk.n_files;
    memcpy(files, disk.files, sizeof disk.files);
    check_rows(run, "after a crash");
    memcpy(disk.names, names, sizeof names);
    disk.n_names = n_names;
    memcpy(disk.files, files, sizeof disk.files);
    disk.n_files = n_files;
    free(files);
    cut_power();
    check_rows(run, "after a power cut");
    return fault.has_struck;
}

static int n_runs;

static void run_all(const struct run *run, enum call call, int failure, bool is_for_good)
{
    fault.call = call;
    fault.failure = failure;
    fault.is_for_good = is_for_good;
    for (fault.nth = 1; run_once(run); fault.nth++)
        n_runs++;
    assert_true(fault.nth > 1 || call == CUT || call == LINK || call == UNLINK);
}

/* From any call on nothing reaches the disk any more, which is what a crash at that call leaves. */
static void run_crashes(const struct run *run)
{
    run_all(run, ANY, EIO, true);
}

static void every_call_fails_and_nothing_is_lost(const struct run *run)
{
    static const int failures[] = {EIO, ENOSPC, EINTR, EDQUOT, EFBIG, EROFS, SHORT};

    bool is_quick = !getenv("WEIR_MUTATIONS");

    n_runs = 0;
    for (enum call call = 0; call < N_CALLS; call++)
        for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
            bool is_data = call == WRITE || call == SYNC; /* Whose errors differ. */
            if (failures[i] == SHORT ? call != WRITE : i > 2 && !is_data && is_quick)
                continue;
            run_all(run, call, failures[i], false);
            if (failures[i] != EINTR) /* Interrupted for ever is tried again for ever. */
                run_all(run, call, failures[i], true);
        }
    run_crashes(run);
    print_message("%s: %d runs\n", run->name, n_runs);
}

#define RUN(NAME, PREPARE)                                                         \
    static void NAME(void **state)                                                 \
    {                                                                              \
        (void)state;                                                               \
        every_call_fails_and_nothing_is_lost(&(const struct run){#NAME, PREPARE}); \
    }
RUN(faults_from_the_creation_on, no_file)
RUN(faults_after_a_torn_end, file_with_torn_end)
RUN(faults_of_a_conversion, file_of_older_schema)
RUN(faults_of_a_take_over, file_of_open_vswitch)

static int setup(void **state)
{
    (void)state;
    /* In memory if it can be: thousands of files come and go. */
    snprintf(disk.directory, sizeof disk.directory, "%s/disk_faults.XXXXXX",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    assert_non_null(mkdtemp(disk.directory));
    snprintf(disk.path, sizeof disk.path, "%s/db", disk.directory);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fault.is_armed = false;
    remove_files();
    return rmdir(disk.directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
        TEST(faults_from_the_creation_on),
        TEST(faults_after_a_torn_end),
        TEST(faults_of_a_conversion),
        TEST(faults_of_a_take_over),
    };
    log_set_levels("console:off", NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

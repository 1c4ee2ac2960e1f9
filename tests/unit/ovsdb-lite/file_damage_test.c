/* SPDX-License-Identifier: Apache-2.0 */

/* A file of 50 records, damaged at random: what opens has lost nothing in silence, what is refused is
 * as it was, and what is repaired has all that is certain.  WEIR_MUTATIONS=N asks for more damage than
 * the default, WEIR_SEED=N for other. */

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
#include <unistd.h>
#include <cmocka.h>

#include "lib/log.h"
#include "ovsdb-lite/check.h"
#include "ovsdb-lite/journal_format.h"
#include "ovsdb-lite/store.h"

enum { N_RECORDS = 50, MAX_IMAGE = 64 * 1024, DEFAULT_MUTATIONS = 800 };

/* Nothing here depends on a disk that keeps its promises. */
int fdatasync(int fd)
{
    (void)fd;
    return 0;
}

int fsync(int fd)
{
    (void)fd;
    return 0;
}

struct image {
    size_t n_bytes;
    char bytes[MAX_IMAGE];
};

static struct {
    char directory[64], path[96], torn[112], damaged[112];
    struct image sound;
    size_t starts[N_RECORDS + 1]; /* Offset of each record, and of the end. */
} files;

/* --- The sound file ------------------------------------------------------------------------- */

static json_t *schema(void)
{
    return json_pack("{s:s, s:s, s:{s:{s:b, s:{s:{s:s}, s:{s:s}}}}}", "name", "D", "version",
                     "1.0.0", "tables", "T", "isRoot", 1, "columns", "n", "type", "integer", "pad",
                     "type", "string");
}

static struct datum *string_of(int length)
{
    struct datum *datum = datum_create(ATOM_STRING, ATOM_VOID, 1);
    char *text = malloc((size_t)length + 1);

    for (int i = 0; i < length; i++)
        text[i] = (char)('a' + rand() % 26);
    text[length] = '\0';
    datum->keys[0].string = text;
    return datum;
}

static void insert(struct store *store, int n)
{
    struct database *db = store_database(store);
    struct table *table = database_table(db, "T");
    struct datum *number = datum_create(ATOM_INTEGER, ATOM_VOID, 1);
    struct db_error db_error = DB_ERROR_INIT;
    struct error error = ERROR_INIT;
    struct txn *txn = txn_create(db);
    struct uuid uuid;

    uuid_generate(&uuid);
    struct row *row = txn_insert(txn, table, &uuid);
    number->keys[0].integer = n;
    txn_set_take(txn, row, table_schema_column(table->schema, "n"), number);
    txn_set_take(txn, row, table_schema_column(table->schema, "pad"), string_of(rand() % 300));
    assert_true(txn_prepare(txn, &db_error));
    assert_int_equal(store_write(store, txn, "a change", &error), 0);
    commit_destroy(txn_finish(txn));
}

static struct image *read_image(const char *path)
{
    struct image *image = malloc(sizeof *image);
    int fd = open(path, O_RDONLY);

    if (fd < 0) {
        free(image);
        return NULL;
    }
    ssize_t n = read(fd, image->bytes, sizeof image->bytes);
    assert_true(n >= 0);
    image->n_bytes = (size_t)n;
    close(fd);
    return image;
}

static void write_image(const struct image *image)
{
    int fd = open(files.path, O_WRONLY | O_CREAT | O_TRUNC, 0640);

    assert_int_equal(write(fd, image->bytes, image->n_bytes), image->n_bytes);
    close(fd);
}

static struct store *open_store(struct error *error)
{
    json_t *json = schema();
    struct store *store = store_open(files.path, json, error);

    json_decref(json);
    return store;
}

static void remove_files(void)
{
    unlink(files.path);
    unlink(files.torn);
    unlink(files.damaged);
}

static int setup(void **state)
{
    struct error error = ERROR_INIT;

    (void)state;
    /* In memory if it can be: thousands of files come and go. */
    snprintf(files.directory, sizeof files.directory, "%s/file_damage.XXXXXX",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    assert_non_null(mkdtemp(files.directory));
    snprintf(files.path, sizeof files.path, "%s/db", files.directory);
    snprintf(files.torn, sizeof files.torn, "%s.torn.0", files.path);
    snprintf(files.damaged, sizeof files.damaged, "%s.damaged", files.path);
    srand(getenv("WEIR_SEED") ? (unsigned int)atoi(getenv("WEIR_SEED")) : 1);

    struct store *store = open_store(&error);
    files.starts[0] = JOURNAL_HEAD_BYTES;
    for (int n = 1; n < N_RECORDS; n++) {
        files.starts[n] = (size_t)store_file_bytes(store);
        insert(store, n);
    }
    files.starts[N_RECORDS] = (size_t)store_file_bytes(store);
    store_close(store);
    struct image *image = read_image(files.path);
    files.sound = *image;
    free(image);
    assert_int_equal(files.sound.n_bytes, files.starts[N_RECORDS]);
    return 0;
}

static int teardown(void **state)
{
    char command[96];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", files.directory);
    return system(command);
}

/* --- What must hold ------------------------------------------------------------------------- */

static int n_rows(struct store *store)
{
    return (int)database_table(store_database(store), "T")->n_rows;
}

/* Rows 1 to 'n', each once. */
static void assert_prefix(struct store *store, int n)
{
    const struct table *table = database_table(store_database(store), "T");
    size_t column = table_schema_column(table->schema, "n")->index;
    bool is_there[N_RECORDS] = {false};
    struct row *row;

    assert_int_equal(n_rows(store), n);
    FOR_EACH_ROW(row, table)
    {
        int64_t i = row->data->columns[column]->keys[0].integer;
        assert_in_range(i, 1, n);
        assert_false(is_there[i]);
        is_there[i] = true;
    }
}

static size_t common_bytes(const struct image *image)
{
    size_t n = 0;

    while (n < image->n_bytes && n < files.sound.n_bytes && image->bytes[n] == files.sound.bytes[n])
        n++;
    return n;
}

/* Rows of the records that are whole before the first difference. */
static int rows_before(size_t n_bytes)
{
    int n = 0;

    while (n < N_RECORDS && files.starts[n + 1] <= n_bytes)
        n++;
    return n - 1;
}

/* The bytes that were cut are all that is missing, and they are kept. */
static void assert_cut(struct store *store, const struct image *image)
{
    struct image *kept = read_image(files.path), *torn = read_image(files.torn);
    size_t n_torn = torn ? torn->n_bytes : 0;

    assert_int_equal(kept->n_bytes + n_torn, image->n_bytes);
    assert_memory_equal(kept->bytes, image->bytes, kept->n_bytes);
    if (torn)
        assert_memory_equal(torn->bytes, image->bytes + kept->n_bytes, n_torn);
    assert_prefix(store, rows_before(common_bytes(image)));
    free(kept);
    free(torn);
}

static void assert_refused(const struct image *image, const struct error *error)
{
    struct image *now = read_image(files.path);

    assert_int_equal(error->code, -EBADMSG);
    assert_non_null(strstr(error->message, files.path));
    assert_non_null(strstr(error->message, "offset"));
    assert_true(strstr(error->message, "record") || strstr(error->message, "first line"));
    assert_int_equal(now->n_bytes, image->n_bytes);
    assert_memory_equal(now->bytes, image->bytes, now->n_bytes);
    assert_int_not_equal(access(files.torn, F_OK), 0);
    free(now);
}

/* At least what stands before the damage is there again, and the damaged file too. */
static void assert_repairable(const struct image *image, bool keeps_all)
{
    struct buffer report = BUFFER_INIT;
    struct error error = ERROR_INIT;
    int at_least = keeps_all ? N_RECORDS - 1 : rows_before(common_bytes(image));
    enum check_status status = check_repair(files.path, &report);

    if (at_least < 0 && status == CHECK_DAMAGED) {
        assert_non_null(strstr(buffer_text(&report), "schema"));
    } else {
        if (status != CHECK_SOUND)
            fail_msg("%s", buffer_text(&report));
        struct store *store = open_store(&error);
        struct image *damaged = read_image(files.damaged);
        assert_non_null(store);
        assert_in_range(n_rows(store), at_least < 0 ? 0 : at_least, N_RECORDS - 1);
        assert_prefix(store, n_rows(store));
        assert_int_equal(damaged->n_bytes, image->n_bytes);
        assert_memory_equal(damaged->bytes, image->bytes, image->n_bytes);
        free(damaged);
        store_close(store);
    }
    buffer_fini(&report);
}

/* True: it was refused. */
static bool try(const struct image *image, bool must_be_refused, bool keeps_all)
{
    struct error error = ERROR_INIT;

    remove_files();
    write_image(image);
    struct store *store = open_store(&error);
    if (store) {
        assert_false(must_be_refused);
        assert_cut(store, image);
        store_close(store);
        return false;
    }
    assert_refused(image, &error);
    assert_repairable(image, keeps_all);
    return true;
}

/* --- Damage --------------------------------------------------------------------------------- */

/* Replaces 'n_old' bytes at 'at' by 'n_new' others. */
static void replace_bytes(struct image *image, size_t at, size_t n_old, const char *new,
                          size_t n_new)
{
    char *copy = malloc(n_new + 1);

    memcpy(copy, new, n_new);
    memmove(image->bytes + at + n_new, image->bytes + at + n_old, image->n_bytes - at - n_old);
    memcpy(image->bytes + at, copy, n_new);
    image->n_bytes += n_new - n_old;
    free(copy);
}

static size_t start_of(int record)
{
    return files.starts[record];
}

static size_t bytes_of(int record)
{
    return files.starts[record + 1] - files.starts[record];
}

static size_t any(size_t n)
{
    return (size_t)rand() % n;
}

/* Each changes a copy of the sound file in or before its last but one record. */
static void flip_bits(struct image *image)
{
    for (size_t n = 1 + any(3); n > 0; n--) {
        size_t bit = any(start_of(N_RECORDS - 1) * 8);
        image->bytes[bit / 8] = (char)(image->bytes[bit / 8] ^ 1 << bit % 8);
    }
}

static void swap_records(struct image *image)
{
    int a = (int)any(N_RECORDS - 1), b = a + 1 + (int)any((size_t)(N_RECORDS - 1 - a));

    replace_bytes(image, start_of(b), bytes_of(b), files.sound.bytes + start_of(a), bytes_of(a));
    replace_bytes(image, start_of(a), bytes_of(a), files.sound.bytes + start_of(b), bytes_of(b));
}

static void double_record(struct image *image)
{
    int record = (int)any(N_RECORDS);

    replace_bytes(image, start_of((int)any(N_RECORDS + 1)), 0, files.sound.bytes + start_of(record),
                  bytes_of(record));
}

static void delete_records(struct image *image)
{
    int first = (int)any(N_RECORDS - 1), n = 1 + (int)any((size_t)(N_RECORDS - 1 - first));

    replace_bytes(image, start_of(first), start_of(first + n) - start_of(first), "", 0);
}

static void overwrite(struct image *image)
{
    size_t at = any(start_of(N_RECORDS - 1)), n = 1 + any(900);

    for (size_t i = at; i < at + n && i < start_of(N_RECORDS - 1); i++)
        image->bytes[i] = (char)rand();
}

static void zero(struct image *image)
{
    size_t at = any(start_of(N_RECORDS - 1)), n = 1 + any(start_of(N_RECORDS - 1) - at);

    memset(image->bytes + at, 0, n);
}

static void lose_bytes(struct image *image)
{
    size_t at = any(start_of(N_RECORDS - 1)), n = 1 + any(start_of(N_RECORDS - 1) - at);

    replace_bytes(image, at, n, "", 0);
}

static void gain_bytes(struct image *image)
{
    char bytes[600];
    size_t n = 1 + any(sizeof bytes);

    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)rand();
    replace_bytes(image, any(start_of(N_RECORDS - 1)), 0, bytes, n);
}

static bool is_changed(const struct image *image)
{
    return image->n_bytes != files.sound.n_bytes ||
           memcmp(image->bytes, files.sound.bytes, image->n_bytes) != 0;
}

static void damage_before_the_last_record_is_refused_and_repaired(void **state)
{
    static const struct {
        void (*damage)(struct image *);
        bool keeps_all;
    } kinds[] = {
        {flip_bits, false}, {swap_records, true}, {double_record, true}, {delete_records, false},
        {overwrite, false}, {zero, false},        {lose_bytes, false},   {gain_bytes, false},
    };
    int n = getenv("WEIR_MUTATIONS") ? atoi(getenv("WEIR_MUTATIONS")) : DEFAULT_MUTATIONS;
    struct image *image = malloc(sizeof *image);
    int n_tried = 0;

    (void)state;
    for (int i = 0; n_tried < n; i++) {
        size_t kind = (size_t)i % (sizeof kinds / sizeof *kinds);

        *image = files.sound;
        kinds[kind].damage(image);
        if (!is_changed(image))
            continue;
        assert_true(try(image, true, kinds[kind].keeps_all));
        n_tried++;
    }
    print_message("damaged files: %d\n", n_tried);
    free(image);
}

static void damage_of_the_last_record_is_noticed(void **state)
{
    struct image *image = malloc(sizeof *image);
    size_t start = start_of(N_RECORDS - 1), step = getenv("WEIR_MUTATIONS") ? 1 : 3;

    (void)state;
    for (size_t bit = start * 8; bit < files.sound.n_bytes * 8; bit += step) {
        *image = files.sound;
        image->bytes[bit / 8] = (char)(image->bytes[bit / 8] ^ 1 << bit % 8);
        assert_true(try(image, true, false));
    }
    free(image);
}

static void file_cut_at_any_byte_opens_with_what_is_whole(void **state)
{
    struct image *image = malloc(sizeof *image);
    size_t step = getenv("WEIR_MUTATIONS") ? 1 : 7;

    (void)state;
    *image = files.sound;
    for (size_t n = start_of(1); n < files.sound.n_bytes; n += step) {
        image->n_bytes = n;
        assert_false(try(image, false, false));
    }
    free(image);
}

/* What file systems leave behind the end, in place of the last record, or of a part of it. */
static void torn_tails_are_cut(void **state)
{
    struct image *image = malloc(sizeof *image);
    size_t step = getenv("WEIR_MUTATIONS") ? 1 : 41;

    (void)state;
    for (size_t n = 1; n <= 8192; n += step) {
        size_t keep = files.sound.n_bytes - any(bytes_of(N_RECORDS - 1) + 1);
        *image = files.sound;
        image->n_bytes = keep + n;
        memset(image->bytes + keep, 0, n);
        assert_false(try(image, false, false));
        image->n_bytes = files.sound.n_bytes + n;
        memcpy(image->bytes, files.sound.bytes, files.sound.n_bytes);
        for (size_t i = 0; i < n; i++)
            image->bytes[files.sound.n_bytes + i] = (char)rand();
        assert_false(try(image, false, false));
    }
    free(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
        TEST(damage_before_the_last_record_is_refused_and_repaired),
        TEST(damage_of_the_last_record_is_noticed),
        TEST(file_cut_at_any_byte_opens_with_what_is_whole),
        TEST(torn_tails_are_cut),
    };
    log_set_levels("console:off", NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

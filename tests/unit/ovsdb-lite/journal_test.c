/* SPDX-License-Identifier: Apache-2.0 */

/* The database file: what is cut, what is refused, and that nothing is lost in silence. */

#include "ovsdb-lite/journal.h"

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
#include <unistd.h>
#include <cmocka.h>

#include "lib/log.h"

enum { N_RECORDS = 8 };

/* In place of the C library's: a file system without locks. */
static bool has_no_locks;

int fcntl(int fd, int command, ...)
{
    va_list arguments;

    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (has_no_locks && command == F_OFD_SETLK) {
        errno = ENOLCK;
        return -1;
    }
    return (int)syscall(SYS_fcntl, fd, command, argument);
}

struct fixture {
    char directory[64], path[96], torn_path[112];
    char *image;
    size_t n_bytes;
    size_t ends[N_RECORDS]; /* Offset after each record. */
};

static int count(const char *body, size_t n_bytes, uint64_t number, void *aux, struct error *error)
{
    uint64_t *n = aux;

    (void)body, (void)n_bytes, (void)error;
    assert_int_equal(number, *n);
    ++*n;
    return 0;
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct error error = ERROR_INIT;

    strcpy(fixture->directory, "/tmp/journal_test.XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    snprintf(fixture->path, sizeof fixture->path, "%s/db", fixture->directory);
    snprintf(fixture->torn_path, sizeof fixture->torn_path, "%s.torn.0", fixture->path);
    struct journal *journal = journal_create(fixture->path, NULL, &error);
    assert_non_null(journal);
    for (int i = 0; i < N_RECORDS; i++) {
        char body[200];
        int n = snprintf(body, sizeof body, "{\"record\":%d,\"pad\":\"%*s\"}", i, 20 * i, "");
        assert_int_equal(journal_append(journal, body, (size_t)n, &error), 0);
        fixture->ends[i] = journal_size_bytes(journal);
    }
    assert_int_equal(journal_publish(journal, NULL, &error), 0);
    journal_close(journal);

    fixture->n_bytes = fixture->ends[N_RECORDS - 1];
    fixture->image = malloc(fixture->n_bytes + 8192);
    int fd = open(fixture->path, O_RDONLY);
    assert_int_equal(read(fd, fixture->image, fixture->n_bytes), fixture->n_bytes);
    close(fd);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", fixture->directory);
    assert_int_equal(system(command), 0);
    free(fixture->image);
    free(fixture);
    return 0;
}

static enum journal_verdict judge(const char *image, size_t n_bytes, uint64_t *n_records,
                                  struct error *error)
{
    size_t n_good;
    uint64_t n_read = 0;
    enum journal_verdict verdict = journal_judge(image, n_bytes, count, &n_read, &n_good, n_records,
                                                 error);

    assert_int_equal(n_read, *n_records);
    assert_true(n_good <= n_bytes);
    return verdict;
}

static uint64_t whole_before(const struct fixture *fixture, size_t n_bytes)
{
    uint64_t n = 0;

    while (n < N_RECORDS && fixture->ends[n] <= n_bytes)
        n++;
    return n;
}

static void file_cut_anywhere_gives_its_longest_whole_prefix(void **state)
{
    struct fixture *fixture = *state;

    for (size_t n_bytes = JOURNAL_HEAD_BYTES; n_bytes <= fixture->n_bytes; n_bytes++) {
        struct error error = ERROR_INIT;
        uint64_t n_records;
        enum journal_verdict verdict = judge(fixture->image, n_bytes, &n_records, &error);
        uint64_t expected = whole_before(fixture, n_bytes);

        assert_int_equal(n_records, expected);
        bool is_boundary = n_bytes == JOURNAL_HEAD_BYTES ||
                           (expected && fixture->ends[expected - 1] == n_bytes);
        assert_int_equal(verdict, is_boundary ? JOURNAL_WHOLE : JOURNAL_TORN);
    }
}

static void every_flipped_bit_is_refused(void **state)
{
    struct fixture *fixture = *state;

    for (size_t bit = 0; bit < fixture->n_bytes * 8; bit++) {
        struct error error = ERROR_INIT;
        uint64_t n_records;

        fixture->image[bit / 8] = (char)(fixture->image[bit / 8] ^ 1 << bit % 8);
        if (judge(fixture->image, fixture->n_bytes, &n_records, &error) != JOURNAL_DAMAGED)
            fail_msg("bit %zu of byte %zu was not noticed", bit % 8, bit / 8);
        assert_non_null(strstr(error.message, "offset"));
        fixture->image[bit / 8] = (char)(fixture->image[bit / 8] ^ 1 << bit % 8);
    }
}

static void zeros_at_the_end_are_cut(void **state)
{
    struct fixture *fixture = *state;

    for (size_t n_zeros = 1; n_zeros <= 8192; n_zeros += n_zeros < 600 ? 1 : 509) {
        struct error error = ERROR_INIT;
        uint64_t n_records;
        char *image = malloc(fixture->n_bytes + n_zeros);

        /* After the last record, and in place of the end of it. */
        memcpy(image, fixture->image, fixture->n_bytes);
        memset(image + fixture->n_bytes, 0, n_zeros);
        assert_int_equal(judge(image, fixture->n_bytes + n_zeros, &n_records, &error),
                         JOURNAL_TORN);
        assert_int_equal(n_records, N_RECORDS);
        if (n_zeros < fixture->n_bytes - fixture->ends[0]) {
            memset(image + fixture->n_bytes - n_zeros, 0, n_zeros);
            assert_int_equal(judge(image, fixture->n_bytes, &n_records, &error), JOURNAL_TORN);
            assert_int_equal(n_records, whole_before(fixture, fixture->n_bytes - n_zeros));
        }
        free(image);
    }
}

static void garbage_after_the_end_is_cut(void **state)
{
    struct fixture *fixture = *state;

    srand(1);
    for (size_t n = 1; n <= 8192; n += 97) {
        struct error error = ERROR_INIT;
        uint64_t n_records;

        for (size_t i = 0; i < n; i++)
            fixture->image[fixture->n_bytes + i] = (char)rand();
        assert_int_equal(judge(fixture->image, fixture->n_bytes + n, &n_records, &error),
                         JOURNAL_TORN);
        assert_int_equal(n_records, N_RECORDS);
    }
}

static void records_out_of_place_are_refused(void **state)
{
    struct fixture *fixture = *state;

    for (int first = 0; first + 1 < N_RECORDS; first++) {
        size_t start = first ? fixture->ends[first - 1] : JOURNAL_HEAD_BYTES;
        size_t middle = fixture->ends[first], end = fixture->ends[first + 1];
        size_t a = middle - start, b = end - middle;
        char *image = malloc(2 * fixture->n_bytes);
        struct error error = ERROR_INIT;
        uint64_t n_records;

        /* Swapped. */
        memcpy(image, fixture->image, fixture->n_bytes);
        memcpy(image + start, fixture->image + middle, b);
        memcpy(image + start + b, fixture->image + start, a);
        assert_int_equal(judge(image, fixture->n_bytes, &n_records, &error), JOURNAL_DAMAGED);
        /* Missing. */
        memcpy(image + start, fixture->image + middle, fixture->n_bytes - middle);
        assert_int_equal(judge(image, fixture->n_bytes - a, &n_records, &error), JOURNAL_DAMAGED);
        /* Twice. */
        memcpy(image, fixture->image, middle);
        memcpy(image + middle, fixture->image + start, fixture->n_bytes - start);
        assert_int_equal(judge(image, fixture->n_bytes + a, &n_records, &error), JOURNAL_DAMAGED);
        free(image);
    }
}

static void torn_file_opens_and_keeps_what_was_cut(void **state)
{
    struct fixture *fixture = *state;
    struct error error = ERROR_INIT;
    struct stat status;
    uint64_t n = 0;

    assert_int_equal(truncate(fixture->path, (off_t)fixture->n_bytes - 3), 0);
    struct journal *journal = journal_open(fixture->path, count, &n, &error);
    assert_non_null(journal);
    assert_int_equal(n, N_RECORDS - 1);
    assert_int_equal(stat(fixture->torn_path, &status), 0);
    assert_int_equal(status.st_size, fixture->n_bytes - 3 - fixture->ends[N_RECORDS - 2]);
    assert_int_equal(status.st_mode & 0777, 0640);

    assert_int_equal(journal_append(journal, "{}", 2, &error), 0);
    assert_int_equal(journal_sync(journal, &error), 0);
    journal_close(journal);
    n = 0;
    journal = journal_open(fixture->path, count, &n, &error);
    assert_non_null(journal);
    assert_int_equal(n, N_RECORDS);
    journal_close(journal);
}

static void damaged_file_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    struct error error = ERROR_INIT;
    struct stat before, after;
    uint64_t n = 0;
    int fd = open(fixture->path, O_RDWR);

    assert_int_equal(pwrite(fd, "x", 1, (off_t)fixture->ends[2] + 50), 1);
    close(fd);
    assert_int_equal(stat(fixture->path, &before), 0);
    assert_null(journal_open(fixture->path, count, &n, &error));
    assert_int_equal(error.code, -EBADMSG);
    assert_non_null(strstr(error.message, fixture->path));
    assert_non_null(strstr(error.message, "record 3"));
    assert_int_equal(stat(fixture->path, &after), 0);
    assert_int_equal(before.st_size, after.st_size);
    assert_int_not_equal(access(fixture->torn_path, F_OK), 0);
}

static void what_a_crash_left_of_a_rewrite_is_removed(void **state)
{
    struct fixture *fixture = *state;
    struct error error = ERROR_INIT;
    char temporary[112];
    uint64_t n = 0;

    snprintf(temporary, sizeof temporary, "%s.new", fixture->path);
    close(open(temporary, O_WRONLY | O_CREAT, 0640));
    struct journal *journal = journal_open(fixture->path, count, &n, &error);
    assert_non_null(journal);
    assert_int_not_equal(access(temporary, F_OK), 0);
    journal_close(journal);
}

/* Names that lead elsewhere, put there by somebody else. */
static void planted_links_are_not_followed(void **state)
{
    static const char *const suffixes[] = {"", ".new", ".torn.0", ".lock"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        struct error error = ERROR_INIT;
        char link_path[128], target[128];
        struct stat status;
        uint64_t n = 0;

        snprintf(link_path, sizeof link_path, "%s%s", fixture->path, suffixes[i]);
        snprintf(target, sizeof target, "%s/target", fixture->directory);
        int fd = open(target, O_WRONLY | O_CREAT | O_TRUNC, 0640);
        assert_int_equal(write(fd, fixture->image, fixture->n_bytes - 3), fixture->n_bytes - 3);
        close(fd);
        assert_int_equal(truncate(fixture->path, (off_t)fixture->n_bytes - 3), 0);
        unlink(link_path);
        assert_int_equal(symlink("target", link_path), 0);

        struct journal *journal = journal_open(fixture->path, count, &n, &error);
        struct journal *next = journal ? journal_create(fixture->path, journal, &error) : NULL;
        bool is_refused = !*suffixes[i] || !strcmp(suffixes[i], ".lock");
        assert_int_equal(journal == NULL, is_refused);
        if (is_refused)
            assert_int_equal(error.code, -ELOOP);
        journal_close(next);
        journal_close(journal);
        assert_int_equal(lstat(target, &status), 0);
        assert_int_equal(status.st_size, fixture->n_bytes - 3);

        unlink(link_path);
        fd = open(fixture->path, O_WRONLY | O_CREAT | O_TRUNC, 0640);
        assert_int_equal(write(fd, fixture->image, fixture->n_bytes), fixture->n_bytes);
        close(fd);
    }
}

static void directory_may_be_a_link(void **state)
{
    struct fixture *fixture = *state;
    struct error error = ERROR_INIT;
    char link_path[128], path[160];
    uint64_t n = 0;

    snprintf(link_path, sizeof link_path, "%s/elsewhere", fixture->directory);
    assert_int_equal(symlink(".", link_path), 0);
    snprintf(path, sizeof path, "%s/db", link_path);
    struct journal *journal = journal_open(path, count, &n, &error);
    assert_non_null(journal);
    journal_close(journal);
}

static void second_server_is_kept_out(void **state)
{
    struct fixture *fixture = *state;
    struct error error = ERROR_INIT;
    uint64_t n = 0;
    struct journal *first = journal_open(fixture->path, count, &n, &error);

    assert_non_null(first);
    n = 0;
    assert_null(journal_open(fixture->path, count, &n, &error));
    assert_int_equal(error.code, -EAGAIN);
    journal_close(first);
    first = journal_open(fixture->path, count, &n, &error);
    assert_non_null(first);
    journal_close(first);
}

static void replacement_takes_over_lock_and_place(void **state)
{
    struct fixture *fixture = *state;
    struct error error = ERROR_INIT;
    uint64_t n = 0;
    struct journal *old = journal_open(fixture->path, count, &n, &error);
    struct journal *new = journal_create(fixture->path, old, &error);

    assert_non_null(new);
    assert_int_equal(journal_append(new, "{}", 2, &error), 0);
    assert_int_equal(journal_publish(new, old, &error), 0);
    journal_close(old);
    n = 0;
    assert_null(journal_open(fixture->path, count, &n, &error));
    assert_int_equal(error.code, -EAGAIN);
    journal_close(new);
    old = journal_open(fixture->path, count, &n, &error);
    assert_non_null(old);
    assert_int_equal(n, 1);
    journal_close(old);
}

static void empty_file_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct error error = ERROR_INIT;
    uint64_t n = 0;

    for (off_t size = 0; size < JOURNAL_HEAD_BYTES; size += 7) {
        assert_int_equal(truncate(fixture->path, size), 0);
        assert_null(journal_open(fixture->path, count, &n, &error));
        assert_int_equal(error.code, -EBADMSG);
    }
}

static void file_that_cannot_be_locked_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct error error = ERROR_INIT;
    uint64_t n = 0;

    has_no_locks = true;
    struct journal *journal = journal_open(fixture->path, count, &n, &error);
    has_no_locks = false;
    assert_null(journal);
    assert_int_equal(error.code, -ENOLCK);
    assert_non_null(strstr(error.message, "cannot lock"));
    assert_int_equal(n, 0);
    journal = journal_open(fixture->path, count, &n, &error);
    assert_non_null(journal);
    journal_close(journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
        TEST(file_cut_anywhere_gives_its_longest_whole_prefix),
        TEST(every_flipped_bit_is_refused),
        TEST(zeros_at_the_end_are_cut),
        TEST(garbage_after_the_end_is_cut),
        TEST(records_out_of_place_are_refused),
        TEST(torn_file_opens_and_keeps_what_was_cut),
        TEST(damaged_file_is_left_alone),
        TEST(what_a_crash_left_of_a_rewrite_is_removed),
        TEST(planted_links_are_not_followed),
        TEST(directory_may_be_a_link),
        TEST(second_server_is_kept_out),
        TEST(replacement_takes_over_lock_and_place),
        TEST(empty_file_is_refused),
        TEST(file_that_cannot_be_locked_is_refused),
    };
    log_set_levels("console:off", NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

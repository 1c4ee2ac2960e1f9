/* SPDX-License-Identifier: Apache-2.0 */

/* The lock is an open-file-description lock on FILE.lock: it ends with the process however that
 * ends, is not lost when another descriptor is closed, and outlives the renaming of a compaction. */

#include "ovsdb-lite/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/durable.h"
#include "lib/log.h"
#include "ovsdb-lite/journal_format.h"

LOG_MODULE(journal);

struct journal {
    char *path;
    char *temporary; /* Until published; then NULL. */
    int fd, lock_fd;
    uint32_t file_id;
    uint64_t n_records;
    uint64_t size_bytes;    /* Of what is whole. */
    uint64_t durable_bytes; /* Of what was synced. */
    bool needs_sync;
    bool is_failed; /* For good. */
};

static PRINTF_LIKE(1, 2) char *format_path(const char *format, ...)
{
    char *path;
    va_list args;

    va_start(args, format);
    if (vasprintf(&path, format, args) < 0)
        abort();
    va_end(args);
    return path;
}

static struct journal *journal_new(const char *path)
{
    struct journal *journal = calloc(1, sizeof *journal);

    if (!journal || !(journal->path = strdup(path)))
        abort();
    journal->fd = journal->lock_fd = -1;
    return journal;
}

void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    if (journal->temporary)
        unlink(journal->temporary);
    if (journal->fd >= 0)
        close(journal->fd);
    if (journal->lock_fd >= 0)
        close(journal->lock_fd);
    free(journal->temporary);
    free(journal->path);
    free(journal);
}

static int lock(struct journal *journal, struct error *error)
{
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char *path = format_path("%s.lock", journal->path);
    int result = 0;

    journal->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (journal->lock_fd < 0)
        result = error_set_errno(error, -errno, "%s: cannot open lock file", path);
    else if (fcntl(journal->lock_fd, F_OFD_SETLK, &range) < 0)
        result = errno == EAGAIN || errno == EACCES
                     ? error_set(error, -EAGAIN, "%s: another server has this database open",
                                 journal->path)
                     : error_set_errno(error, -errno, "%s: cannot lock", path);
    free(path);
    return result;
}

static int sync_directory(const char *path, struct error *error)
{
    int result = durable_sync_directory(path);

    return result ? error_set_errno(error, result, "%s: cannot sync directory", path) : 0;
}

/* --- Opening ------------------------------------------------------------------------------- */

bool journal_is_locked(const char *path)
{
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char *lock_path = format_path("%s.lock", path);
    int fd = open(lock_path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    bool is_locked = fd >= 0 && !fcntl(fd, F_OFD_GETLK, &range) && range.l_type != F_UNLCK;

    if (fd >= 0)
        close(fd);
    free(lock_path);
    return is_locked;
}

/* Keeps what will be cut in the first free FILE.torn.N. */
static int save_torn(const char *path, const char *bytes, size_t n_bytes, char **saved,
                     struct error *error)
{
    for (int i = 0; i < INT_MAX; i++) {
        *saved = format_path("%s.torn.%d", path, i);
        int fd = open(*saved, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
        if (fd >= 0) {
            int result = durable_write(fd, bytes, n_bytes);
            if (!result && fsync(fd) < 0)
                result = -errno;
            close(fd);
            if (!result)
                return sync_directory(*saved, error);
            return error_set_errno(error, result, "%s: cannot keep the bytes to be cut", *saved);
        }
        int result = -errno;
        if (result != -EEXIST)
            return error_set_errno(error, result, "%s: cannot create", *saved);
        free(*saved);
        *saved = NULL;
    }
    return error_set(error, -EEXIST, "%s: too many .torn files", path);
}

static int cut_tail(struct journal *journal, const char *image, size_t n_bytes, size_t n_good,
                    const struct error *why, struct error *error)
{
    char *saved = NULL;
    int result = save_torn(journal->path, image + n_good, n_bytes - n_good, &saved, error);

    if (!result) {
        log_warn("%s: %s; they are kept in %s", journal->path, why->message, saved);
        if (ftruncate(journal->fd, (off_t)n_good) < 0 || fsync(journal->fd) < 0)
            result = error_set_errno(error, -errno, "%s: cannot cut the tail", journal->path);
    }
    free(saved);
    return result;
}

static int read_image(struct journal *journal, const char *image, size_t n_bytes,
                      journal_reader *reader, void *aux, struct error *error)
{
    struct error why = ERROR_INIT;
    size_t n_good;
    enum journal_verdict verdict = journal_judge(image, n_bytes, reader, aux, &n_good,
                                                 &journal->n_records, &why);

    if (verdict == JOURNAL_DAMAGED)
        return error_set(error, -EBADMSG, "%s: %s; see ovsdb-lite check", journal->path,
                         why.message);
    if (verdict == JOURNAL_TORN && !journal->n_records)
        return error_set(error, -EBADMSG, "%s: %s, and no record before it is whole", journal->path,
                         why.message);
    if (verdict == JOURNAL_TORN) {
        int result = cut_tail(journal, image, n_bytes, n_good, &why, error);
        if (result)
            return result;
    }
    journal_parse_head(image, n_bytes, &journal->file_id);
    journal->size_bytes = journal->durable_bytes = n_good;
    return 0;
}

static int read_file(struct journal *journal, journal_reader *reader, void *aux,
                     struct error *error)
{
    struct stat status;

    if (fstat(journal->fd, &status) < 0)
        return error_set_errno(error, -errno, "%s", journal->path);
    if (!S_ISREG(status.st_mode))
        return error_set(error, -EINVAL, "%s: not a regular file", journal->path);
    size_t n_bytes = (size_t)status.st_size;
    if (!n_bytes)
        return error_set(error, -EBADMSG, "%s: the file is empty, at offset 0 record 0 is missing",
                         journal->path);
    char *image = mmap(NULL, n_bytes, PROT_READ, MAP_PRIVATE, journal->fd, 0);
    if (image == MAP_FAILED)
        return error_set_errno(error, -errno, "%s: cannot read", journal->path);
    int result = read_image(journal, image, n_bytes, reader, aux, error);
    munmap(image, n_bytes);
    if (!result && lseek(journal->fd, (off_t)journal->size_bytes, SEEK_SET) < 0)
        result = error_set_errno(error, -errno, "%s: cannot seek", journal->path);
    return result;
}

/* What a server that crashed had written may be in memory alone, and after a sync that failed for
 * it, also pages that look clean may.  So what is served is on the disk, and read from there. */
static int settle(struct journal *journal, struct error *error)
{
    char *left_over = format_path("%s.new", journal->path);

    unlink(left_over);
    free(left_over);
    int result = sync_directory(journal->path, error);
    if (result)
        return result;
    if (fdatasync(journal->fd) < 0)
        return error_set_errno(error, -errno, "%s: cannot sync", journal->path);
    posix_fadvise(journal->fd, 0, 0, POSIX_FADV_DONTNEED);
    return 0;
}

struct journal *journal_open(const char *path, journal_reader *reader, void *aux,
                             struct error *error)
{
    struct journal *journal = journal_new(path);

    journal->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (journal->fd < 0 && errno == ELOOP)
        error_set(error, -ELOOP, "%s: is a symbolic link; a database is opened by its own name",
                  path);
    else if (journal->fd < 0)
        error_set_errno(error, -errno, "%s: cannot open database", path);
    else if (!lock(journal, error) && !settle(journal, error) &&
             !read_file(journal, reader, aux, error))
        return journal;
    journal_close(journal);
    return NULL;
}

/* --- Creating ------------------------------------------------------------------------------ */

static int refuse_existing(const struct journal *journal, struct error *error)
{
    struct stat status;

    if (lstat(journal->path, &status) < 0 && errno == ENOENT)
        return 0;
    return error_set(error, -EEXIST, "%s: already exists", journal->path);
}

/* As the file it replaces: root may repair what another user serves. */
static int inherit_owner(const struct journal *journal, struct error *error)
{
    struct stat old, new;

    if (lstat(journal->path, &old) < 0 || !S_ISREG(old.st_mode))
        return 0;
    if (fstat(journal->fd, &new) < 0 ||
        ((old.st_uid != new.st_uid || old.st_gid != new.st_gid) && !geteuid() &&
         fchown(journal->fd, old.st_uid, old.st_gid) < 0) ||
        fchmod(journal->fd, old.st_mode & 0640) < 0)
        return error_set_errno(error, -errno, "%s: cannot give owner and mode", journal->temporary);
    return 0;
}

static int create_temporary(struct journal *journal, struct error *error)
{
    char *path = format_path("%s.new", journal->path);
    char head[JOURNAL_HEAD_BYTES + 1];
    int result;

    unlink(path); /* Left by a crash: who holds the lock is the only one to make it. */
    journal->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (journal->fd < 0) {
        result = error_set_errno(error, -errno, "%s: cannot create", path);
        free(path);
        return result;
    }
    journal->temporary = path;
    if ((result = inherit_owner(journal, error)) < 0)
        return result;
    if (getrandom(&journal->file_id, sizeof journal->file_id, 0) < 0)
        abort();
    journal_format_head(head, journal->file_id);
    if ((result = durable_write(journal->fd, head, JOURNAL_HEAD_BYTES)) < 0)
        return error_set_errno(error, result, "%s: cannot write", path);
    journal->size_bytes = JOURNAL_HEAD_BYTES;
    journal->needs_sync = true;
    return 0;
}

struct journal *journal_create(const char *path, struct journal *predecessor, struct error *error)
{
    struct journal *journal = journal_new(path);

    if ((predecessor || (!lock(journal, error) && !refuse_existing(journal, error))) &&
        !create_temporary(journal, error))
        return journal;
    journal_close(journal);
    return NULL;
}

struct journal *journal_create_over(const char *path, struct error *error)
{
    struct journal *journal = journal_new(path);

    if (!lock(journal, error) && !create_temporary(journal, error))
        return journal;
    journal_close(journal);
    return NULL;
}

int journal_publish(struct journal *journal, struct journal *predecessor, struct error *error)
{
    /* The predecessor too: it is what a power cut brings back if the directory cannot be synced. */
    int result = predecessor ? journal_sync(predecessor, error) : 0;

    if (!result)
        result = journal_sync(journal, error);
    if (result)
        return result;
    if (rename(journal->temporary, journal->path) < 0)
        return error_set_errno(error, -errno, "%s: cannot put in place", journal->path);
    free(journal->temporary);
    journal->temporary = NULL;
    if (predecessor) {
        journal->lock_fd = predecessor->lock_fd;
        predecessor->lock_fd = -1;
    }
    struct error why = ERROR_INIT;
    if (sync_directory(journal->path, &why)) {
        log_err("%s; the database is read-only now", why.message);
        journal->is_failed = true;
    }
    return 0;
}

/* --- Writing ------------------------------------------------------------------------------- */

static int write_record(struct journal *journal, char *head, const char *body, size_t n_bytes)
{
    struct iovec parts[] = {{head, JOURNAL_RECORD_HEAD_BYTES}, {(char *)body, n_bytes}, {"\n", 1}};
    size_t n_left = JOURNAL_RECORD_HEAD_BYTES + n_bytes + 1;

    for (struct iovec *part = parts; n_left;) {
        ssize_t n = writev(journal->fd, part, (int)(parts + ARRAY_SIZE(parts) - part));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n ? -errno : -EIO;
        n_left -= (size_t)n;
        for (; part < parts + ARRAY_SIZE(parts) && (size_t)n >= part->iov_len; part++)
            n -= (ssize_t)part->iov_len;
        if (n_left) {
            part->iov_base = (char *)part->iov_base + n;
            part->iov_len -= (size_t)n;
        }
    }
    return 0;
}

static int cut(struct journal *journal, uint64_t n_bytes)
{
    int result;

    do
        result = ftruncate(journal->fd, (off_t)n_bytes);
    while (result < 0 && errno == EINTR);
    return result;
}

int journal_append(struct journal *journal, const char *body, size_t n_bytes, struct error *error)
{
    char head[JOURNAL_RECORD_HEAD_BYTES + 1];

    if (journal->is_failed)
        return error_set(error, -EIO, "%s: writing failed before", journal->path);
    if (n_bytes > JOURNAL_MAX_BODY_BYTES)
        return error_set(error, -EFBIG, "a record of %zu bytes is too long", n_bytes);
    journal_format_record_head(head, journal->file_id, journal->n_records, body, n_bytes);
    int result = write_record(journal, head, body, n_bytes);
    if (result) {
        error_set_errno(error, result, "%s: cannot write", journal->path);
        /* What was refused must not come back after a restart. */
        if (cut(journal, journal->size_bytes) < 0 ||
            lseek(journal->fd, (off_t)journal->size_bytes, SEEK_SET) < 0)
            journal->is_failed = true;
        journal->needs_sync = true;
        return result;
    }
    journal->n_records++;
    journal->size_bytes += JOURNAL_RECORD_HEAD_BYTES + n_bytes + 1;
    journal->needs_sync = true;
    return 0;
}

int journal_sync(struct journal *journal, struct error *error)
{
    if (journal->is_failed)
        return error_set(error, -EIO, "%s: writing failed before", journal->path);
    if (!journal->needs_sync)
        return 0;
    if (fdatasync(journal->fd) < 0) {
        journal->is_failed = true;
        error_set_errno(error, -errno, "%s: cannot sync", journal->path);
        /* Nobody was told of these bytes, and they would look good to who reads them from memory. */
        if (cut(journal, journal->durable_bytes) < 0)
            log_err("%s: cannot cut what could not be synced: %s", journal->path, strerror(errno));
        journal->size_bytes = journal->durable_bytes;
        return error->code;
    }
    journal->needs_sync = false;
    journal->durable_bytes = journal->size_bytes;
    return 0;
}

int journal_read_durable(struct journal *journal, journal_reader *reader, void *aux,
                         struct error *error)
{
    size_t n_bytes = (size_t)journal->durable_bytes, n_good;
    uint64_t n_records;
    char *image = mmap(NULL, n_bytes, PROT_READ, MAP_PRIVATE, journal->fd, 0);

    if (image == MAP_FAILED)
        return error_set_errno(error, -errno, "%s: cannot read", journal->path);
    enum journal_verdict verdict = journal_judge(image, n_bytes, reader, aux, &n_good, &n_records,
                                                 error);
    munmap(image, n_bytes);
    return verdict == JOURNAL_WHOLE ? 0 : error_prefix(error, "%s", journal->path);
}

bool journal_needs_sync(const struct journal *journal)
{
    return journal->needs_sync;
}

uint64_t journal_size_bytes(const struct journal *journal)
{
    return journal->size_bytes;
}

uint64_t journal_n_records(const struct journal *journal)
{
    return journal->n_records;
}

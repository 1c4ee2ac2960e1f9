/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* journal - an append-only file of numbered, checksummed records (docs/database-file.md).
 *
 * What a crash can leave behind is a last record that is not whole: it is cut off when the file is
 * opened, and kept in FILE.torn.N.  Any other damage - a bit that flipped, a record that is missing,
 * doubled or out of place - is refused with file, offset and record number, and the file is left
 * alone.  A lock file beside it keeps a second server out.
 *
 * After a failed write the file is cut back to what it was; the caller may go on.  After a failed
 * sync nothing is known about what the disk holds beyond the last good one: the file is cut back to
 * that, and nothing is ever written again.  What a journal is opened with is on the disk.
 *
 * Threads  One.
 * Memory   The journal owns its descriptors. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct journal;

/* Does a server have the file open? */
bool journal_is_locked(const char *path);

/* Called for each record when a journal is opened: 0 to go on.  'body' is not NUL-terminated. */
typedef int journal_reader(const char *body, size_t n_bytes, uint64_t number, void *aux,
                           struct error *error);

/* Opens and locks 'path' and reads it to its end.  NULL on error: error->code is -ENOENT if there
 * is no file (the lock is not kept), -EAGAIN if another server has it, -EBADMSG if it is damaged. */
struct journal *journal_open(const char *path, journal_reader *reader, void *aux,
                             struct error *error);

/* A new file, under a temporary name until journal_publish() puts it in place of 'path'.
 * 'predecessor' is the journal it will replace, whose lock it takes over; with NULL it locks, and
 * -EEXIST says that the file is there already. */
struct journal *journal_create(const char *path, struct journal *predecessor, struct error *error);

/* As journal_create() without a predecessor, but what is at 'path' will be replaced: a file that is
 * no journal, or a damaged one. */
struct journal *journal_create_over(const char *path, struct error *error);

/* After an error 'predecessor' is as it was, or has failed if it could not be synced.  (If only the directory could not be synced, the file
 * is in place and cannot be written.) */
int journal_publish(struct journal *journal, struct journal *predecessor, struct error *error);

void journal_close(struct journal *journal); /* NULL is fine.  Removes what was not published. */

/* Writes one record; it is durable after the next journal_sync(). */
int journal_append(struct journal *journal, const char *body, size_t n_bytes, struct error *error);

/* One fdatasync() for all appended since the last.  Fails for good. */
int journal_sync(struct journal *journal, struct error *error);
bool journal_needs_sync(const struct journal *journal);

/* Reads the records again that the last successful sync covered: all that the disk is known to
 * hold, after one that failed. */
int journal_read_durable(struct journal *journal, journal_reader *reader, void *aux,
                         struct error *error);

uint64_t journal_size_bytes(const struct journal *journal);
uint64_t journal_n_records(const struct journal *journal);

/* --- For tests: the parts of reading -------------------------------------------------------- */

enum { JOURNAL_HEAD_BYTES = 32, JOURNAL_RECORD_HEAD_BYTES = 46 };

enum journal_verdict { JOURNAL_WHOLE, JOURNAL_TORN, JOURNAL_DAMAGED };

/* Judges a file image.  '*n_good' is the length of its whole prefix, '*n_records' how many are in
 * it; 'error' says what is wrong with the rest. */
enum journal_verdict journal_judge(const char *image, size_t n_bytes, journal_reader *reader,
                                   void *aux, size_t *n_good, uint64_t *n_records,
                                   struct error *error);

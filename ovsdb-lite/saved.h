/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* saved - a database file as it is found, ours or Open vSwitch's, read without touching it.
 *
 * For what does not serve the file: checking, repairing, exporting it, and taking over a file of
 * Open vSwitch's.  Its rows are those of the records before the first bad one; saved_check() says
 * whether they keep the rules of their schema, too.
 *
 * Threads  One.
 * Memory   saved_fini() releases all of it; saved_take_database() hands out the rows. */

#include <stdint.h>

#include "ovsdb-lite/database.h"
#include "ovsdb-lite/journal.h"

enum saved_format { SAVED_WEIR, SAVED_OVS };

struct saved {
    const char *path; /* Borrowed. */
    enum saved_format format;
    char *image; /* Owned. */
    size_t n_bytes;

    enum journal_verdict verdict;
    struct error why; /* What is wrong, unless the verdict is JOURNAL_WHOLE. */
    size_t n_good;    /* Bytes before the first bad record; so many records, the schema included. */
    uint64_t n_records;

    struct database *db; /* NULL: not even the schema is there. */
    size_t n_skipped;    /* Values of columns the schema does not have. */
    uint64_t n_transactions;
    uint64_t limit;  /* Records to read. */
    int64_t last_ms; /* Of the last transaction; 0: unknown. */
    char *last_comment;
};

/* Does the file begin as Open vSwitch's do, clustered ones included?  False if it cannot be read. */
bool saved_is_foreign(const char *path);

/* Reads the file and tells its format.  Damage is no error here, but a file that cannot be read, and
 * one of a clustered database. */
int saved_open(struct saved *saved, const char *path, struct error *error);
void saved_fini(struct saved *saved);

/* Reads the records in the order they have in the file. */
void saved_read(struct saved *saved);

/* For repair: of ours, takes whole records in the order of their numbers, wherever they stand, once
 * each and up to the first missing one; of Open vSwitch's, as saved_read(). */
void saved_salvage(struct saved *saved);

/* Do the rows keep all rules of their schema? */
int saved_check(const struct saved *saved, struct error *error);

struct database *saved_take_database(struct saved *saved);

/* For tests, and for who goes through records alone: applies one. */
int saved_apply(struct saved *saved, const char *body, size_t n_bytes, uint64_t number,
                struct error *error);

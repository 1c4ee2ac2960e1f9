/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* ovs_log - the records of Open vSwitch's database files.
 *
 *     OVSDB JSON LENGTH SHA1\n
 *     LENGTH bytes of JSON, the last one usually a newline
 *
 * and so on to the end.  The first record is the schema, the others are transactions (ovs_record.h).
 * The head of a record is not covered by its checksum, and records are not numbered: one that is
 * missing cannot be noticed here.
 *
 * Threads  Any. */

#include <jansson.h>
#include <stdbool.h>

#include "lib/buffer.h"
#include "ovsdb-lite/journal.h"

bool ovs_log_is_one(const char *image, size_t n_bytes);
bool ovs_log_is_clustered(const char *image, size_t n_bytes); /* Raft's log: not for us. */

/* As journal_judge(): a tail is torn if its last record is not all there and nothing follows. */
enum journal_verdict ovs_log_judge(const char *image, size_t n_bytes, journal_reader *reader,
                                   void *aux, size_t *n_good, uint64_t *n_records,
                                   struct error *error);

/* Appends a record. */
void ovs_log_put(struct buffer *file, const char *body, size_t n_bytes);
void ovs_log_put_take(struct buffer *file, json_t *json);

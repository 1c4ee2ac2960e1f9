/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* monitor - what one client wants to hear about, and has not heard yet.
 *
 * Changes are not sent as they happen: a monitor notes, for every row that changed, what the client
 * last knew of it.  Taking the updates compares that with the present, so a client that does not
 * read costs one note per row, however often the row changes, and catches up in one message.
 *
 * Threads  One.
 * Memory   A monitor holds references on the old contents of rows. */

#include <jansson.h>
#include <stdbool.h>
#include <urcu/list.h>

#include "ovsdb-lite/transaction.h"

enum monitor_form {
    MONITOR_PLAIN,      /* "monitor": update (RFC 7047, 4.1.6). */
    MONITOR_COND,       /* "monitor_cond": update2. */
    MONITOR_COND_SINCE, /* "monitor_cond_since": update3. */
};

struct monitor {
    struct cds_list_head node; /* In its session. */
    struct database *db;
    json_t *id;
    enum monitor_form form;
    bool is_announced;             /* The reply that creates it has been sent. */
    struct monitor_table **tables; /* By table index; NULL: not monitored. */
    struct monitor_note *notes;
    struct uuid first_noted;     /* The transaction of the oldest note. */
    struct monitor_shape *shape; /* Shared with others that ask for the same; may be NULL. */
};

/* 'requests' is the object of RFC 7047, 4.1.5, or its monitor_cond form.  NULL on error. */
struct monitor *monitor_create(struct database *db, const json_t *id, enum monitor_form form,
                               const json_t *requests, struct db_error *error);
void monitor_destroy(struct monitor *monitor);

size_t monitor_n_clauses(const struct monitor *monitor); /* Of all conditions: what they cost. */

/* The <table-updates> of all rows as they are. */
json_t *monitor_initial(struct monitor *monitor);

void monitor_note_commit(struct monitor *monitor, const struct commit *commit);
bool monitor_has_notes(const struct monitor *monitor);
void monitor_forget_notes(struct monitor *monitor);

const char *monitor_method(const struct monitor *monitor); /* Of its notifications. */

/* The <table-updates2> that bring the client up to date; may be empty. */
json_t *monitor_take_changes(struct monitor *monitor);

/* The notification that brings the client up to date; NULL: nothing it wants to know. */
json_t *monitor_take_update(struct monitor *monitor);

/* "monitor_cond_change": new conditions for the tables in 'requests', of all tables together not more
 * than 'max_clauses'.  '*update' is the notification that follows from it, or NULL.  Take the updates
 * that are due before. */
bool monitor_change_conditions(struct monitor *monitor, const json_t *requests, size_t max_clauses,
                               json_t **update, struct db_error *error);

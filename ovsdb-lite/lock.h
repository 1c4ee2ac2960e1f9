/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* lock - named locks that clients wait for in line (RFC 7047, sections 4.1.8 to 4.1.10).
 *
 * The first in line owns the lock.  Stealing goes to the front; who was there stays in line.
 *
 * Threads  One.
 * Memory   A lock exists while someone is in line for it. */

#include <stdbool.h>
#include <urcu/list.h>

struct lock_table;
struct lock_claim;

/* 'owner' is the session that is in line; told when it gains or loses the lock by others' doing. */
struct lock_callbacks {
    void (*locked)(void *owner, const char *name);
    void (*stolen)(void *owner, const char *name);
};

struct lock_table *lock_table_create(const struct lock_callbacks *callbacks);
void lock_table_destroy(struct lock_table *table);

/* Both fail (false) if 'owner' is in line for 'name' already.  '*is_owned' says whether it is
 * first. */
bool lock_request(struct lock_table *table, void *owner, const char *name, bool *is_owned);
bool lock_steal(struct lock_table *table, void *owner, const char *name);

bool lock_release(struct lock_table *table, void *owner,
                  const char *name); /* False: not in line. */
void lock_release_all(struct lock_table *table, void *owner);
/* The names, with blanks between them, of the locks that 'owner' has, waits for, or has had stolen and
 * waits for again: "" if there are none.  The caller frees them. */
enum lock_claim_state { LOCK_HELD, LOCK_WAITING, LOCK_LOST };
char *lock_names(const struct lock_table *table, const void *owner, enum lock_claim_state state);
bool lock_is_owned(const struct lock_table *table, const void *owner, const char *name);

/* SPDX-License-Identifier: Apache-2.0 */

/* Few locks and short lines: plain lists. */

#include "ovsdb-lite/lock.h"

#include <stdlib.h>
#include <string.h>

#include "lib/buffer.h"

struct lock {
    struct cds_list_head node;
    char *name;
    struct cds_list_head line; /* Of lock_claim; the first owns it. */
};

struct lock_claim {
    struct cds_list_head node;
    void *owner;
    bool was_stolen;
};

struct lock_table {
    const struct lock_callbacks *callbacks;
    struct cds_list_head locks;
};

struct lock_table *lock_table_create(const struct lock_callbacks *callbacks)
{
    struct lock_table *table = calloc(1, sizeof *table);

    if (!table)
        abort();
    table->callbacks = callbacks;
    CDS_INIT_LIST_HEAD(&table->locks);
    return table;
}

static void lock_free(struct lock *lock)
{
    struct lock_claim *claim, *next;

    cds_list_for_each_entry_safe (claim, next, &lock->line, node)
        free(claim);
    cds_list_del(&lock->node);
    free(lock->name);
    free(lock);
}

void lock_table_destroy(struct lock_table *table)
{
    struct lock *lock, *next;

    cds_list_for_each_entry_safe (lock, next, &table->locks, node)
        lock_free(lock);
    free(table);
}

static struct lock *find_lock(const struct lock_table *table, const char *name)
{
    struct lock *lock;

    cds_list_for_each_entry (lock, &table->locks, node)
        if (!strcmp(lock->name, name))
            return lock;
    return NULL;
}

static struct lock_claim *find_claim(const struct lock *lock, const void *owner)
{
    struct lock_claim *claim;

    cds_list_for_each_entry (claim, &lock->line, node)
        if (claim->owner == owner)
            return claim;
    return NULL;
}

static struct lock_claim *first_claim(struct lock *lock)
{
    return cds_list_empty(&lock->line) ? NULL
                                       : cds_list_entry(lock->line.next, struct lock_claim, node);
}

static struct lock *lock_get(struct lock_table *table, const char *name)
{
    struct lock *lock = find_lock(table, name);

    if (lock)
        return lock;
    lock = calloc(1, sizeof *lock);
    if (!lock || !(lock->name = strdup(name)))
        abort();
    CDS_INIT_LIST_HEAD(&lock->line);
    cds_list_add_tail(&lock->node, &table->locks);
    return lock;
}

static struct lock_claim *claim_new(void *owner)
{
    struct lock_claim *claim = calloc(1, sizeof *claim);

    if (!claim)
        abort();
    claim->owner = owner;
    return claim;
}

bool lock_request(struct lock_table *table, void *owner, const char *name, bool *is_owned)
{
    struct lock *lock = lock_get(table, name);

    if (find_claim(lock, owner))
        return false;
    struct lock_claim *claim = claim_new(owner);
    cds_list_add_tail(&claim->node, &lock->line);
    *is_owned = first_claim(lock) == claim;
    return true;
}

bool lock_steal(struct lock_table *table, void *owner, const char *name)
{
    struct lock *lock = lock_get(table, name);
    struct lock_claim *victim = first_claim(lock);

    if (find_claim(lock, owner))
        return false;
    cds_list_add(&claim_new(owner)->node, &lock->line);
    if (victim) {
        victim->was_stolen = true;
        table->callbacks->stolen(victim->owner, name);
    }
    return true;
}

static void leave(struct lock_table *table, struct lock *lock, struct lock_claim *claim)
{
    bool was_owner = first_claim(lock) == claim;

    cds_list_del(&claim->node);
    free(claim);
    struct lock_claim *next = first_claim(lock);
    if (!next) {
        lock_free(lock);
    } else if (was_owner) {
        next->was_stolen = false;
        table->callbacks->locked(next->owner, lock->name);
    }
}

bool lock_release(struct lock_table *table, void *owner, const char *name)
{
    struct lock *lock = find_lock(table, name);
    struct lock_claim *claim = lock ? find_claim(lock, owner) : NULL;

    if (!claim)
        return false;
    leave(table, lock, claim);
    return true;
}

void lock_release_all(struct lock_table *table, void *owner)
{
    struct lock *lock, *next;

    cds_list_for_each_entry_safe (lock, next, &table->locks, node) {
        struct lock_claim *claim = find_claim(lock, owner);
        if (claim)
            leave(table, lock, claim);
    }
}

char *lock_names(const struct lock_table *table, const void *owner, enum lock_claim_state state)
{
    struct buffer names = BUFFER_INIT;
    struct lock *lock;

    cds_list_for_each_entry (lock, &table->locks, node) {
        const struct lock_claim *claim = find_claim(lock, owner);
        if (!claim)
            continue;
        enum lock_claim_state is = first_claim(lock) == claim ? LOCK_HELD
                                   : claim->was_stolen        ? LOCK_LOST
                                                              : LOCK_WAITING;
        if (is == state)
            buffer_printf(&names, "%s%s", names.size ? " " : "", lock->name);
    }
    return buffer_take_text(&names);
}

bool lock_is_owned(const struct lock_table *table, const void *owner, const char *name)
{
    struct lock *lock = find_lock(table, name);
    const struct lock_claim *claim = lock ? first_claim(lock) : NULL;

    return claim && claim->owner == owner;
}

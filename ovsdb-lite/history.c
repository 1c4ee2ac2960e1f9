/* SPDX-License-Identifier: Apache-2.0 */

/* A list is enough: clients come back seldom, and usually for the newest entries. */

#include "ovsdb-lite/history.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    struct cds_list_head node;
    struct commit *commit;
    size_t n_bytes;
};

void history_init(struct history *history)
{
    *history = (struct history){.n_entries = 0};
    CDS_INIT_LIST_HEAD(&history->entries);
}

static void forget(struct history *history, struct entry *entry)
{
    history->n_entries--;
    history->n_bytes -= entry->n_bytes;
    cds_list_del(&entry->node);
    commit_destroy(entry->commit);
    free(entry);
}

void history_clear(struct history *history)
{
    struct entry *entry, *next;

    cds_list_for_each_entry_safe (entry, next, &history->entries, node)
        forget(history, entry);
}

static size_t atoms_bytes(enum atom_type type, const union atom *atoms, size_t n)
{
    size_t n_bytes = n * sizeof *atoms;

    for (size_t i = 0; type == ATOM_STRING && i < n; i++)
        n_bytes += strlen(atoms[i].string) + sizeof(size_t) * 2;
    return n_bytes;
}

static size_t change_bytes(const struct row_change *change)
{
    const struct table_schema *table = change->table->schema;
    size_t n_bytes = sizeof *change;

    /* Contents that the row still has cost nothing more. */
    for (size_t i = 0; change->before && i < table->n_columns; i++) {
        const struct datum *datum = change->before->columns[i];

        n_bytes += sizeof datum;
        if (change->after && change->after->columns[i] == datum)
            continue;
        n_bytes += sizeof *datum + atoms_bytes(datum->key_type, datum->keys, datum->n);
        if (datum->values)
            n_bytes += atoms_bytes(datum->value_type, datum->values, datum->n);
    }
    return n_bytes;
}

void history_add_take(struct history *history, struct commit *commit)
{
    struct entry *entry = calloc(1, sizeof *entry);

    if (!entry)
        abort();
    entry->commit = commit;
    entry->n_bytes = sizeof *entry + sizeof *commit;
    for (size_t i = 0; i < commit->n_changes; i++)
        entry->n_bytes += change_bytes(commit->changes[i]);
    cds_list_add_tail(&entry->node, &history->entries);
    history->n_entries++;
    history->n_bytes += entry->n_bytes;
    while (history->n_entries > HISTORY_MAX_COMMITS || history->n_bytes > HISTORY_MAX_BYTES)
        forget(history, cds_list_first_entry(&history->entries, struct entry, node));
}

bool history_replay(const struct history *history, const struct uuid *id, struct monitor *monitor)
{
    struct entry *entry;
    bool is_found = !memcmp(id, &monitor->db->last_txn_id, sizeof *id);

    if (is_found)
        return true;
    cds_list_for_each_entry (entry, &history->entries, node) {
        if (is_found)
            monitor_note_commit(monitor, entry->commit);
        else
            is_found = !memcmp(id, &entry->commit->id, sizeof *id);
    }
    return is_found;
}

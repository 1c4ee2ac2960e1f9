/* SPDX-License-Identifier: Apache-2.0 */

#include "ovsdb-lite/monitor_shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_KEY_BYTES = 4 << 10, MAX_KEPT_BYTES = 64 << 10 };

struct monitor_shape {
    struct monitor_shape **shapes;
    char *key;
    size_t n_monitors;
    struct uuid first, last; /* Transactions that 'updates' covers. */
    char *updates;           /* NULL: none is kept. */
    size_t n_bytes;
    UT_hash_handle by_key;
};

static char *make_key(const struct monitor *monitor, const json_t *requests)
{
    char *text = json_dumps(requests, JSON_COMPACT | JSON_SORT_KEYS), *key = NULL;

    if (text && strlen(text) <= MAX_KEY_BYTES &&
        asprintf(&key, "%p %d %s", (void *)monitor->db, (int)monitor->form, text) < 0)
        abort();
    free(text);
    return key;
}

void monitor_join_shape(struct monitor *monitor, struct monitor_shape **shapes,
                        const json_t *requests)
{
    char *key = make_key(monitor, requests);
    struct monitor_shape *shape = NULL;

    if (!key)
        return;
    HASH_FIND(by_key, *shapes, key, strlen(key), shape);
    if (shape) {
        free(key);
    } else {
        shape = calloc(1, sizeof *shape);
        if (!shape)
            abort();
        shape->shapes = shapes;
        shape->key = key;
        HASH_ADD_KEYPTR(by_key, *shapes, shape->key, strlen(shape->key), shape);
    }
    shape->n_monitors++;
    monitor->shape = shape;
}

void monitor_leave_shape(struct monitor *monitor)
{
    struct monitor_shape *shape = monitor->shape;

    monitor->shape = NULL;
    if (!shape || --shape->n_monitors)
        return;
    HASH_DELETE(by_key, *shape->shapes, shape);
    free(shape->updates);
    free(shape->key);
    free(shape);
}

static bool is_kept(const struct monitor_shape *shape, const struct monitor *monitor)
{
    return shape && shape->updates &&
           !memcmp(&shape->first, &monitor->first_noted, sizeof shape->first) &&
           !memcmp(&shape->last, &monitor->db->last_txn_id, sizeof shape->last);
}

static void keep_take(struct monitor_shape *shape, const struct monitor *monitor, char *updates,
                      size_t n_bytes)
{
    free(shape->updates);
    shape->updates = updates;
    shape->n_bytes = n_bytes;
    shape->first = monitor->first_noted;
    shape->last = monitor->db->last_txn_id;
}

static int append(const char *bytes, size_t n_bytes, void *buffer)
{
    buffer_put(buffer, bytes, n_bytes);
    return 0;
}

static void put_notification(const struct monitor *monitor, const char *updates, size_t n_bytes,
                             struct buffer *text)
{
    char txn_id[UUID_TEXT_BYTES];

    buffer_printf(text, "{\"id\":null,\"method\":\"%s\",\"params\":[", monitor_method(monitor));
    if (json_dump_callback(monitor->id, append, text, JSON_COMPACT | JSON_ENCODE_ANY))
        abort();
    if (monitor->form == MONITOR_COND_SINCE) {
        uuid_format(&monitor->db->last_txn_id, txn_id);
        buffer_printf(text, ",\"%s\"", txn_id);
    }
    buffer_putc(text, ',');
    buffer_put(text, updates, n_bytes);
    buffer_puts(text, "]}");
}

bool monitor_put_update(struct monitor *monitor, struct buffer *text)
{
    struct monitor_shape *shape = monitor->shape;
    char *own = NULL;

    if (is_kept(shape, monitor)) {
        monitor_forget_notes(monitor);
    } else {
        json_t *json = monitor_take_changes(monitor);
        own = json_dumps(json, JSON_COMPACT);
        if (!own)
            abort();
        json_decref(json);
    }
    const char *updates = own ? own : shape->updates;
    size_t n_bytes = own ? strlen(own) : shape->n_bytes;
    bool has_updates = n_bytes > strlen("{}");

    if (has_updates)
        put_notification(monitor, updates, n_bytes, text);
    if (own && shape && n_bytes <= MAX_KEPT_BYTES)
        keep_take(shape, monitor, own, n_bytes);
    else
        free(own);
    return has_updates;
}

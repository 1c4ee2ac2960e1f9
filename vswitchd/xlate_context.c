/* SPDX-License-Identifier: Apache-2.0 */

/* What a translation leaves behind for the life of its verdict: whom to credit, what to tell
 * controllers.  While the translation runs, notes stand on its stack and hold no references: that
 * everything in them but lessons lives is RCU's doing.  The context takes references.  Verdicts one after another often
 * have equal notes, and then one context. */

#include <stdlib.h>
#include <string.h>

#include "datapath/offload.h"
#include "vswitchd/xlate_internal.h"

struct xlate_context {
    _Atomic uint32_t n_verdicts; /* That have it. */
    size_t n_notes;
    size_t n_deliveries;
    struct xlate_delivery **deliveries; /* Owned, and what they point at. */
    struct xlate_note notes[];
};

void xlate_note(struct xlate *x, const struct xlate_note *note)
{
    struct xlate_record *record = &x->record;

    if (record->n_notes == record->capacity) {
        size_t n_bytes = record->n_notes * sizeof *record->notes;
        bool is_inline = record->notes == record->inline_notes;
        struct xlate_note *notes = realloc(is_inline ? NULL : record->notes, 2 * n_bytes);

        if (!notes) {
            if (note->type == NOTE_LESSON)
                lesson_unref(note->lesson);
            xlate_fail(x, DROP_NO_MEMORY);
            return;
        }
        if (is_inline)
            memcpy(notes, record->notes, n_bytes);
        record->notes = notes;
        record->capacity *= 2;
    }
    record->notes[record->n_notes++] = *note;
}

struct packet_in *xlate_add_delivery(struct xlate *x, const uint8_t *userdata, uint16_t n_userdata,
                                     uint32_t *index)
{
    struct xlate_delivery *delivery = calloc(1, sizeof *delivery + n_userdata);

    if (!delivery) {
        xlate_fail(x, DROP_NO_MEMORY);
        return NULL;
    }
    delivery->queue = x->bridge->packet_ins;
    delivery->header.userdata = delivery->header.frame; /* A header has no frame: it is there. */
    delivery->header.n_userdata = n_userdata;
    if (n_userdata)
        memcpy(delivery->header.frame, userdata, n_userdata);
    delivery->next = x->record.deliveries;
    x->record.deliveries = delivery;
    *index = (uint32_t)x->record.n_deliveries++;
    x->record.delivery_bytes += sizeof *delivery + n_userdata;
    return &delivery->header;
}

void xlate_add_slot(struct xlate *x, uint16_t slot)
{
    struct verdict *verdict = x->verdict;

    for (size_t i = 0; i < verdict->n_slots; i++) {
        if (verdict->slots[i] == slot)
            return;
    }
    if (verdict->n_slots == DP_SLOTS_PER_VERDICT)
        verdict->cacheable = false;
    else
        verdict->slots[verdict->n_slots++] = slot;
}

static void free_deliveries(struct xlate_delivery *delivery)
{
    while (delivery) {
        struct xlate_delivery *next = delivery->next;

        of_continuation_unref(delivery->header.continuation);
        free(delivery);
        delivery = next;
    }
}

static void reference_note(const struct xlate_note *note)
{
    switch (note->type) {
    case NOTE_RULE:
        rule_ref(note->rule);
        break;
    case NOTE_GROUP:
        group_ref(note->group.group);
        break;
    case NOTE_METER:
        meter_ref(note->meter);
        break;
    case NOTE_PATCH_RX:
    case NOTE_PATCH_TX:
        port_counters_ref(note->counters);
        break;
    case NOTE_LESSON: /* The record's becomes ours. */
    case NOTE_TABLE:
    case NOTE_STATION:
        break;
    }
}

static void unreference_note(const struct xlate_note *note)
{
    switch (note->type) {
    case NOTE_RULE:
        rule_unref(note->rule);
        break;
    case NOTE_GROUP:
        group_unref(note->group.group);
        break;
    case NOTE_METER:
        meter_unref(note->meter);
        break;
    case NOTE_PATCH_RX:
    case NOTE_PATCH_TX:
        port_counters_unref(note->counters);
        break;
    case NOTE_LESSON:
        lesson_unref(note->lesson);
        break;
    case NOTE_TABLE:
    case NOTE_STATION:
        break;
    }
}

static void drop_lessons(const struct xlate_record *record)
{
    for (size_t i = 0; i < record->n_notes; i++) {
        if (record->notes[i].type == NOTE_LESSON)
            lesson_unref(record->notes[i].lesson);
    }
}

/* Of the notes and what only they hold. */
static size_t note_bytes(const struct xlate_record *record)
{
    size_t n_bytes = record->n_notes * sizeof record->notes[0];

    for (size_t i = 0; i < record->n_notes; i++) {
        if (record->notes[i].type == NOTE_LESSON)
            n_bytes += sizeof(struct lesson) + record->notes[i].lesson->flow.actions.capacity;
    }
    return n_bytes;
}

static struct xlate_context *create_context(const struct xlate_record *record)
{
    size_t n = record->n_deliveries;
    struct xlate_context *context =
        malloc(sizeof *context + record->n_notes * sizeof context->notes[0]);

    if (!context)
        return NULL;
    atomic_init(&context->n_verdicts, 1);
    context->n_notes = record->n_notes;
    context->n_deliveries = n;
    context->deliveries = n ? malloc(n * sizeof context->deliveries[0]) : NULL;
    if (n && !context->deliveries) {
        free(context);
        return NULL;
    }
    for (struct xlate_delivery *at = record->deliveries; at; at = at->next)
        context->deliveries[--n] = at;
    memcpy(context->notes, record->notes, record->n_notes * sizeof context->notes[0]);
    for (size_t i = 0; i < context->n_notes; i++)
        reference_note(&context->notes[i]);
    return context;
}

static bool note_is_equal(const struct xlate_note *a, const struct xlate_note *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case NOTE_RULE:
        return a->rule == b->rule;
    case NOTE_GROUP:
        return a->group.group == b->group.group && a->group.bucket == b->group.bucket;
    case NOTE_METER:
        return a->meter == b->meter;
    case NOTE_PATCH_RX:
    case NOTE_PATCH_TX:
        return a->counters == b->counters;
    case NOTE_TABLE:
        return a->table.tables == b->table.tables && a->table.table_id == b->table.table_id &&
               a->table.is_match == b->table.is_match;
    case NOTE_STATION:
        return a->station.fdb == b->station.fdb && a->station.vid == b->station.vid &&
               mac_is_equal(a->station.mac, b->station.mac) && a->station.port == b->station.port;
    case NOTE_LESSON: /* Each frame's is its own. */
        return false;
    }
    return false;
}

/* A caller that holds a verdict with 'context' has given it. */
static bool says_the_same(const struct xlate_context *context, const struct xlate_record *record)
{
    if (!context || context->n_notes != record->n_notes || context->n_deliveries ||
        record->n_deliveries)
        return false;
    for (size_t i = 0; i < record->n_notes; i++)
        if (!note_is_equal(&context->notes[i], &record->notes[i]))
            return false;
    return true;
}

void xlate_finish_record(struct xlate *x)
{
    struct xlate_record *record = &x->record;
    struct xlate_context *context = NULL, *last = x->verdict->last;

    if (says_the_same(last, record)) {
        atomic_fetch_add_explicit(&last->n_verdicts, 1, memory_order_relaxed);
        x->verdict->context = last;
        if (record->notes != record->inline_notes)
            free(record->notes);
        return;
    }
    if (record->n_notes || record->deliveries) {
        x->verdict->cacheable &= note_bytes(record) + record->delivery_bytes <= XLATE_MAX_CONTEXT;
        context = create_context(record);
        if (!context)
            xlate_fail(x, DROP_NO_MEMORY);
    }
    if (!context) {
        free_deliveries(record->deliveries);
        drop_lessons(record);
    }
    if (record->notes != record->inline_notes)
        free(record->notes);
    x->verdict->context = context;
}

static void counter_add(_Atomic(uint64_t) *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

void xlate_credit(void *context_, uint64_t n_packets, uint64_t n_bytes, int64_t used_ns)
{
    struct xlate_context *context = context_;

    for (size_t i = 0; context && i < context->n_notes; i++) {
        const struct xlate_note *note = &context->notes[i];

        switch (note->type) {
        case NOTE_RULE:
            rule_credit(note->rule, n_packets, n_bytes, used_ns);
            break;
        case NOTE_GROUP:
            group_credit(note->group.group, note->group.bucket, n_packets, n_bytes);
            break;
        case NOTE_TABLE:
            flow_tables_credit(note->table.tables, note->table.table_id, note->table.is_match,
                               n_packets);
            break;
        case NOTE_STATION:
            fdb_refresh(note->station.fdb, note->station.vid, note->station.mac, note->station.port,
                        used_ns);
            break;
        case NOTE_PATCH_RX:
            counter_add(&note->counters->rx_packets, n_packets);
            counter_add(&note->counters->rx_bytes, n_bytes);
            break;
        case NOTE_PATCH_TX:
            counter_add(&note->counters->tx_packets, n_packets);
            counter_add(&note->counters->tx_bytes, n_bytes);
            break;
        case NOTE_LESSON:
            lesson_repeat(note->lesson, used_ns);
            break;
        case NOTE_METER: /* Counts by itself. */
            break;
        }
    }
}

void xlate_teach(void *context_, int64_t now_ns)
{
    struct xlate_context *context = context_;

    for (size_t i = 0; context && i < context->n_notes; i++) {
        const struct xlate_note *note = &context->notes[i];

        if (note->type == NOTE_LESSON)
            lesson_teach(note->lesson);
        else if (note->type == NOTE_STATION &&
                 fdb_needs_learning(note->station.fdb, note->station.vid, note->station.mac,
                                    note->station.port, now_ns))
            fdb_learn(note->station.fdb, note->station.vid, note->station.mac, note->station.port,
                      now_ns);
    }
}

void xlate_release(void *context_)
{
    struct xlate_context *context = context_;

    /* Acquire and release: whoever frees sees what the others did. */
    if (!context || atomic_fetch_sub_explicit(&context->n_verdicts, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < context->n_notes; i++)
        unreference_note(&context->notes[i]);
    if (context->n_deliveries)
        free_deliveries(context->deliveries[context->n_deliveries - 1]);
    free(context->deliveries);
    free(context);
}

const struct packet_in *xlate_delivery(const void *context_, uint32_t arg)
{
    const struct xlate_context *context = context_;

    return context && arg < context->n_deliveries ? &context->deliveries[arg]->header : NULL;
}

/* A controller gets, and may send out again, frames whose checksums are complete. */
static void push_completed(struct packet_in_queue *queue, const struct packet_in *header,
                           const struct packet *packet)
{
    struct packet copy = *packet;

    copy.start = copy.data = malloc(packet->size);
    if (!copy.data)
        return;
    memcpy(copy.data, packet->data, packet->size);
    copy.vnet.gso_type = VIRTIO_NET_HDR_GSO_NONE;
    offload_complete_checksum(&copy);
    packet_in_push(queue, header, copy.data);
    free(copy.start);
}

void xlate_deliver(void *context_, uint32_t arg, const struct packet *packet,
                   const struct flow_key *key)
{
    const struct xlate_context *context = context_;

    if (!context || arg >= context->n_deliveries)
        return;

    const struct xlate_delivery *delivery = context->deliveries[arg];
    struct packet_in header = delivery->header;
    be32 in_port = header.flow.key.in_port, pkt_mark = header.flow.key.pkt_mark;

    if (!delivery->queue)
        return;
    header.dp_port = be32_host(key->in_port);
    header.flow.key = *key;
    header.flow.key.in_port = in_port;
    header.flow.key.pkt_mark = pkt_mark;
    header.total_bytes = packet->size;
    header.n_bytes = packet->size;
    if (header.max_bytes && header.n_bytes > header.max_bytes)
        header.n_bytes = header.max_bytes;
    if (packet_needs_checksum(packet))
        push_completed(delivery->queue, &header, packet);
    else
        packet_in_push(delivery->queue, &header, packet->data);
}

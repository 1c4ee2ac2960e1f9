/* SPDX-License-Identifier: Apache-2.0 */

/* Three layouts: Nicira's, the ONF's (the same with 32-bit ports and OXM), and 1.4's. */

#include "lib/openflow/flow_monitor.h"

#include <string.h>

#include "lib/openflow/action_codec.h"
#include "lib/openflow/flow_mod.h"
#include "lib/openflow/match_codec.h"
#include "lib/openflow/stats_internal.h"

enum { REQUEST_NX_BYTES = 16, REQUEST14_BYTES = 16, UPDATE_BYTES = 24, BRIEF_BYTES = 8 };
enum { FLAGS_NX = 0x3f, FLAG14_NO_ABBREV = 1 << 5, FLAG14_OWN = 1 << 6, FLAGS14 = 0x7f };

static enum of_form form_of(enum of_version version)
{
    return version <= OF_1_2 ? OF_FORM_NX : OF_FORM_STANDARD;
}

/* Requests */

/* Matches of both forms: where they end is where the next request begins. */
static enum of_error read_match(struct wire *wire, size_t n_bytes, bool is_nxm, struct match *match)
{
    const uint8_t *bytes = wire_take(wire, wire_round_up_8(n_bytes));
    size_t n_used;

    if (!bytes)
        return OFPBRC_BAD_LEN;
    if (is_nxm)
        return of_match_decode_nxm(bytes, n_bytes, match, NULL, NULL);
    enum of_error error = of_match_decode(bytes, wire_round_up_8(n_bytes), match, &n_used);
    return !error && n_used != wire_round_up_8(n_bytes) ? OFPBRC_BAD_LEN : error;
}

static enum of_error read_nx(struct wire *wire, enum of_version version,
                             struct of_monitor_request *request)
{
    const uint8_t *head = wire_take(wire, REQUEST_NX_BYTES);
    bool is_nxm = version <= OF_1_2;

    if (!head)
        return OFPBRC_BAD_LEN;
    size_t match_bytes = wire_u16(head + (is_nxm ? 8 : 6));
    request->monitor_id = wire_u32(head);
    request->flags = wire_u16(head + 4);
    request->table_id = head[is_nxm ? 10 : 12];
    if (is_nxm)
        request->out_port = wire_u16(head + 6);
    else if (!of_port_from_wire32(wire_u32(head + 8), &request->out_port))
        return OFPBAC_BAD_OUT_PORT;
    if (!wire_is_zero(head + (is_nxm ? 11 : 13), is_nxm ? 5 : 3))
        return NXBRC_MUST_BE_ZERO;
    if (request->flags & ~FLAGS_NX)
        return OFPMOFC_BAD_FLAGS;
    return read_match(wire, match_bytes, is_nxm, &request->match);
}

static enum of_error read14(struct wire *wire, struct of_monitor_request *request)
{
    const uint8_t *head = wire_take(wire, REQUEST14_BYTES);

    if (!head || wire->left < 4)
        return OFPBRC_BAD_LEN;
    unsigned flags = wire_u16(head + 12);
    request->monitor_id = wire_u32(head);
    request->out_group = wire_u32(head + 8);
    request->table_id = head[14];
    request->command = head[15];
    if (!of_port_from_wire32(wire_u32(head + 4), &request->out_port))
        return OFPBAC_BAD_OUT_PORT;
    if (request->command > OFFMC_DELETE)
        return OFPMOFC_BAD_COMMAND;
    if (flags & ~(unsigned)FLAGS14)
        return OFPMOFC_BAD_FLAGS;
    /* Both ask, in Open vSwitch's reading, for one's own changes in full. */
    request->flags = (uint16_t)(flags & (OFMON_OWN - 1)) |
                     (flags & (FLAG14_NO_ABBREV | FLAG14_OWN) ? OFMON_OWN : 0);
    return read_match(wire, wire_u16(wire->next + 2), false, &request->match);
}

bool of_next_monitor_request(struct of_items *items, struct of_monitor_request *request)
{
    memset(request, 0, sizeof *request);
    request->out_group = (uint32_t)OF_GROUP_ANY;
    if (!items->wire.left)
        return false;
    items->error = items->version >= OF_1_4 ? read14(&items->wire, request)
                                            : read_nx(&items->wire, items->version, request);
    return !items->error;
}

/* Puts the match and returns its length without padding. */
static size_t put_match(const struct match *match, enum of_version version, struct buffer *out)
{
    size_t start = out->size, n_bytes;

    if (version > OF_1_2) {
        of_match_encode(match, version, out);
        return wire_u16(out->data + start + 2);
    }
    n_bytes = of_match_encode_nxm(match, (be64){0}, (be64){0}, out);
    buffer_put_zeros(out, wire_round_up_8(n_bytes) - n_bytes);
    return n_bytes;
}

void of_encode_monitor_request(const struct of_monitor_request *request, enum of_version version,
                               uint32_t xid, struct buffer *out)
{
    size_t start = of_begin_message(OF_MONITOR_REQUEST, form_of(version), version, xid, out);
    size_t at = out->size;

    buffer_put_zeros(out, REQUEST_NX_BYTES);
    size_t match_bytes = put_match(&request->match, version, out);
    uint8_t *head = out->data + at;
    be32_store(head, request->monitor_id);
    if (version >= OF_1_4) {
        unsigned own = request->flags & OFMON_OWN ? FLAG14_OWN : 0U;
        be32_store(head + 4, of_port_to_wire32(request->out_port));
        be32_store(head + 8, request->out_group);
        be16_store(head + 12, (uint16_t)((request->flags & (OFMON_OWN - 1U)) | own));
        head[14] = request->table_id;
        head[15] = request->command;
    } else {
        bool is_nx = version <= OF_1_2;
        be16_store(head + 4, request->flags);
        be16_store(head + (is_nx ? 8 : 6), (uint16_t)match_bytes);
        head[is_nx ? 10 : 12] = request->table_id;
        if (is_nx)
            be16_store(head + 6, request->out_port);
        else
            be32_store(head + 8, of_port_to_wire32(request->out_port));
    }
    of_finish_message(start, out);
}

uint32_t of_decode_monitor_cancel(const struct of_message *message)
{
    return wire_u32(message->body);
}

void of_encode_monitor_cancel(uint32_t monitor_id, enum of_version version, uint32_t xid,
                              struct buffer *out)
{
    size_t start = of_begin_message(OF_MONITOR_CANCEL, form_of(version), version, xid, out);

    be32_store(buffer_put_uninit(out, 4), monitor_id);
    of_finish_message(start, out);
}

/* Updates */

/* By enum of_update_event. */
static const uint8_t events_nx[] = {0, 0, 1, 2, 3};
static const uint8_t events14[] = {0, 1, 2, 3, 4, 5, 6};

void of_begin_updates(struct of_reply *reply, enum of_version version, struct buffer *out)
{
    *reply = (struct of_reply){
        .out = out,
        .kind = OF_MONITOR_REPLY,
        .form = form_of(version),
        .version = version,
    };
    reply->start = of_begin_message(reply->kind, reply->form, version, 0, out);
}

static void put_full(const struct of_flow_update *update, enum of_version version,
                     struct buffer *out)
{
    size_t at = out->size;
    uint8_t *head = buffer_put_zeros(out, UPDATE_BYTES);

    memcpy(head + 16, &update->cookie, sizeof update->cookie);
    if (version >= OF_1_4) {
        head[4] = update->table_id;
        head[5] = update->reason;
        be16_store(head + 6, update->idle_timeout_s);
        be16_store(head + 8, update->hard_timeout_s);
        be16_store(head + 10, update->priority);
    } else {
        be16_store(head + 4, update->reason);
        be16_store(head + 6, update->priority);
        be16_store(head + 8, update->idle_timeout_s);
        be16_store(head + 10, update->hard_timeout_s);
        head[14] = update->table_id;
    }
    size_t match_bytes = put_match(&update->match, version, out);
    if (version < OF_1_4)
        be16_store(out->data + at + 12, (uint16_t)match_bytes);
    if (version <= OF_1_2)
        ofa_encode_actions(update->actions, version, out);
    else
        ofa_encode_instructions(update->actions, version, out);
}

static bool is_brief(enum of_update_event event)
{
    return event >= OF_UPDATE_ABBREVIATED;
}

void of_reply_add_update(struct of_reply *reply, const struct of_flow_update *update)
{
    struct buffer *out = reply->out;
    size_t start = out->size;

    if (is_brief(update->event))
        be32_store((uint8_t *)buffer_put_zeros(out, BRIEF_BYTES) + 4, update->xid);
    else
        put_full(update, reply->version, out);
    if (!of_reply_item_fits(reply, start)) {
        struct of_flow_update brief = *update; /* Its actions are longer in this version. */
        brief.actions = (struct ofa_list){.n_bytes = 0};
        out->size = start;
        put_full(&brief, reply->version, out);
    }
    be16_store(out->data + start, (uint16_t)(out->size - start));
    be16_store(out->data + start + 2,
               (reply->version >= OF_1_4 ? events14 : events_nx)[update->event]);
    of_reply_end_item(reply, start);
}

static void put_state(enum of_message_kind kind, enum of_update_event event,
                      enum of_version version, struct buffer *out)
{
    const struct of_flow_update update = {.event = event};
    struct of_reply reply;

    if (version < OF_1_4) {
        of_finish_message(of_begin_message(kind, form_of(version), version, 0, out), out);
        return;
    }
    of_begin_updates(&reply, version, out);
    of_reply_add_update(&reply, &update);
    of_reply_end(&reply);
}

void of_encode_monitor_paused(enum of_version version, struct buffer *out)
{
    put_state(OF_MONITOR_PAUSED, OF_UPDATE_PAUSED, version, out);
}

void of_encode_monitor_resumed(enum of_version version, struct buffer *out)
{
    put_state(OF_MONITOR_RESUMED, OF_UPDATE_RESUMED, version, out);
}

static enum of_error read_event(unsigned event, enum of_version version,
                                struct of_flow_update *update)
{
    bool is_14 = version >= OF_1_4;

    if (event > (is_14 ? 6U : 3U))
        return NXBRC_FM_BAD_EVENT;
    update->event = (enum of_update_event)(event + (is_14 ? 0 : 1));
    return OF_OK;
}

static enum of_error read_update(struct wire wire, enum of_version version, struct buffer *actions,
                                 struct of_flow_update *update)
{
    const uint8_t *head = wire.next;
    enum of_error error = read_event(wire_u16(head + 2), version, update);

    if (error)
        return error;
    if (is_brief(update->event)) {
        update->xid = wire_u32(head + 4);
        return wire.left == BRIEF_BYTES ? OF_OK : OFPBRC_BAD_LEN;
    }
    if (!wire_take(&wire, UPDATE_BYTES) || (version >= OF_1_4 && wire.left < 4))
        return OFPBRC_BAD_LEN;
    const uint8_t *numbers = head + (version >= OF_1_4 ? 6 : 8);
    update->idle_timeout_s = wire_u16(numbers);
    update->hard_timeout_s = wire_u16(numbers + 2);
    update->priority = wire_u16(head + (version >= OF_1_4 ? 10 : 6));
    update->reason = head[5];
    update->table_id = head[version >= OF_1_4 ? 4 : 14];
    update->cookie = be64_load(head + 16);
    size_t match_bytes = version >= OF_1_4 ? wire_u16(wire.next + 2) : wire_u16(head + 12);
    error = read_match(&wire, match_bytes, version <= OF_1_2, &update->match);
    if (error)
        return error;
    return version <= OF_1_2 ? ofa_decode_actions(wire.next, wire.left, version, actions)
                             : ofa_decode_instructions(wire.next, wire.left, version, actions);
}

bool of_next_update(struct of_items *items, struct buffer *actions, struct of_flow_update *update)
{
    size_t length = items->wire.left >= BRIEF_BYTES ? wire_u16(items->wire.next) : 0;
    struct wire wire = wire_init(items->wire.next, length);

    memset(update, 0, sizeof *update);
    buffer_clear(actions);
    if (!items->wire.left)
        return false;
    if (length < BRIEF_BYTES || !wire_take(&items->wire, length))
        items->error = OFPBRC_BAD_LEN;
    else
        items->error = read_update(wire, items->version, actions, update);
    update->actions = (struct ofa_list){.first = (const struct ofa *)(const void *)actions->data,
                                        .n_bytes = actions->size};
    return !items->error;
}

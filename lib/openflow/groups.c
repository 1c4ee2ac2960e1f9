/* SPDX-License-Identifier: Apache-2.0 */

/* OpenFlow 1.1 appendix A.3.4.2 and A.3.5, 1.3.5 sections 7.3.4.2 and 7.3.5.8 to 7.3.5.10, 1.5 sections
 * 7.3.4.3 and 7.3.5.10 to 7.3.5.12. */

#include "lib/openflow/groups.h"

#include <string.h>

#include "lib/openflow/action_codec.h"
#include "lib/openflow/groups_internal.h"
#include "lib/openflow/stats_internal.h"

enum { MOD11_BYTES = 8, MOD15_BYTES = 16, DESC11_BYTES = 8, DESC15_BYTES = 16 };
enum { STATS11_BYTES = 32, STATS13_BYTES = 40 };

enum of_form of_group_form(enum of_message_kind kind, enum of_version version)
{
    bool is_features = kind == OF_GROUP_FEATURES_REQUEST || kind == OF_GROUP_FEATURES_REPLY;

    return version < (is_features ? OF_1_2 : OF_1_1) ? OF_FORM_NX : OF_FORM_STANDARD;
}

/* Changes */

static bool has_buckets_only_to_insert(const struct of_group_mod *mod)
{
    return mod->command == OFGC_INSERT_BUCKET || mod->command == OFGC_REMOVE_BUCKET;
}

static enum of_error check_buckets(const struct of_group_mod *mod)
{
    const struct of_group *group = &mod->group;

    for (size_t i = 0; i < group->n_buckets; i++) {
        const struct of_bucket *bucket = &group->buckets[i];

        if (has_buckets_only_to_insert(mod))
            continue;
        if (bucket->weight && group->type != OFGT_SELECT)
            return OFPGMFC_INVALID_GROUP;
        bool is_watched = bucket->watch_port != OFPP_NONE ||
                          bucket->watch_group != (uint32_t)OF_GROUP_ANY;
        if (group->type == OFGT_FF && !is_watched)
            return OFPGMFC_INVALID_GROUP;
        if ((group->type == OFGT_ALL || group->type == OFGT_INDIRECT) && is_watched)
            return OFPGMFC_WATCH_UNSUPPORTED;
    }
    return group->type == OFGT_INDIRECT && group->n_buckets != 1 && mod->command != OFGC_DELETE &&
                   !has_buckets_only_to_insert(mod)
               ? OFPGMFC_INVALID_GROUP
               : OF_OK;
}

enum of_error of_group_mod_check(const struct of_group_mod *mod)
{
    const struct of_group *group = &mod->group;

    switch (mod->command) {
    case OFGC_INSERT_BUCKET:
        if (mod->command_bucket_id == (uint32_t)OF_BUCKET_ALL)
            return OFPGMFC_BAD_BUCKET;
        break;
    case OFGC_REMOVE_BUCKET:
        if (group->n_buckets)
            return OFPGMFC_BAD_BUCKET;
        break;
    default:
        if (mod->command_bucket_id != (uint32_t)OF_BUCKET_ALL)
            return OFPGMFC_BAD_BUCKET;
        break;
    }
    if (group->group_id > (uint32_t)OF_GROUP_MAX &&
        !(mod->command == OFGC_DELETE && group->group_id == (uint32_t)OF_GROUP_ALL))
        return OFPGMFC_INVALID_GROUP;
    return mod->command == OFGC_DELETE ? OF_OK : check_buckets(mod);
}

static bool is_known_command(unsigned command, bool is_15)
{
    return command <= OFGC_DELETE || command == OFGC_ADD_OR_MOD ||
           (is_15 && (command == OFGC_INSERT_BUCKET || command == OFGC_REMOVE_BUCKET));
}

static enum of_error decode_mod15(const struct of_message *message, struct of_group_mod *mod)
{
    size_t n_buckets = wire_u16(message->body + 8);
    struct wire wire = wire_init(message->body + MOD15_BYTES, message->body_bytes - MOD15_BYTES);
    const uint8_t *buckets = wire_take(&wire, n_buckets);

    mod->command_bucket_id = wire_u32(message->body + 12);
    if (!buckets)
        return OFPBRC_BAD_LEN;
    if (mod->command_bucket_id > (uint32_t)OF_BUCKET_MAX &&
        mod->command_bucket_id < (uint32_t)OF_BUCKET_FIRST)
        return OFPGMFC_BAD_BUCKET;
    enum of_error error = of_decode_buckets(wire_init(buckets, n_buckets), message->form,
                                            message->version, &mod->group);
    return error ? error : of_decode_group_properties(wire, &mod->group);
}

/* Which frames come to a group is not known; an action that does not suit one does nothing to it. */
static enum of_error check_actions(struct of_group_mod *mod, uint8_t n_tables)
{
    const struct ofa_check check = {
        .version = OF_1_0, .table_id = OF_TABLE_ALL, .n_tables = n_tables, .max_ports = OFPP_MAX};
    struct match any;

    match_init_any(&any);
    for (size_t i = 0; i < mod->group.n_buckets; i++) {
        enum of_error error = ofa_check(&mod->group.buckets[i].actions, &any, &check);
        if (error && error != OFPBAC_MATCH_INCONSISTENT)
            return error;
    }
    return OF_OK;
}

enum of_error of_decode_group_mod(const struct of_message *message, uint8_t n_tables,
                                  struct of_group_mod *mod)
{
    bool is_15 = of_group_form_is_15(message->form, message->version);
    const uint8_t *body = message->body;
    enum of_error error;

    *mod = (struct of_group_mod){.command = wire_u16(body),
                                 .command_bucket_id = (uint32_t)OF_BUCKET_ALL};
    of_group_init(&mod->group);
    mod->group.type = body[2];
    mod->group.group_id = wire_u32(body + 4);
    if (!is_known_command(mod->command, is_15))
        return OFPGMFC_BAD_COMMAND;
    if (mod->group.type >= N_OF_GROUP_TYPES)
        return OFPGMFC_BAD_TYPE;
    if (is_15)
        error = decode_mod15(message, mod);
    else
        error = of_decode_buckets(wire_init(body + MOD11_BYTES, message->body_bytes - MOD11_BYTES),
                                  message->form, message->version, &mod->group);
    if (!error)
        error = of_group_mod_check(mod);
    return error ? error : check_actions(mod, n_tables);
}

void of_group_mod_fini(struct of_group_mod *mod)
{
    of_group_fini(&mod->group);
}

/* Returns where it begins; its length is still to be said. */
static size_t encode(const struct of_group_mod *mod, enum of_version version, uint32_t xid,
                     struct buffer *out)
{
    enum of_form form = of_group_form(OF_GROUP_MOD, version);
    size_t start = of_begin_message(OF_GROUP_MOD, form, version, xid, out), body = out->size;
    bool is_15 = of_group_form_is_15(form, version);
    uint8_t *head = buffer_put_zeros(out, is_15 ? MOD15_BYTES : MOD11_BYTES);

    be16_store(head, mod->command);
    head[2] = mod->group.type;
    be32_store(head + 4, mod->group.group_id);
    of_encode_buckets(&mod->group, form, version, out);
    if (is_15) {
        be16_store(out->data + body + 8, (uint16_t)(out->size - body - MOD15_BYTES));
        be32_store(out->data + body + 12, mod->command_bucket_id);
        of_encode_group_properties(&mod->group, version, out);
    }
    return start;
}

void of_encode_group_mod(const struct of_group_mod *mod, enum of_version version, uint32_t xid,
                         struct buffer *out)
{
    of_finish_message(encode(mod, version, xid, out), out);
}

/* Buckets that fill a message of one version may be too long for one of another. */
static bool length_fits(const struct of_group_mod *mod, enum of_version version)
{
    struct buffer message = BUFFER_INIT;

    encode(mod, version, 0, &message);
    bool fits = message.size <= UINT16_MAX;
    buffer_fini(&message);
    return fits;
}

bool of_group_mod_fits(const struct of_group_mod *mod, enum of_version version)
{
    const struct of_group *group = &mod->group;
    bool is_15 = of_group_form_is_15(of_group_form(OF_GROUP_DESC_REQUEST, version), version);

    for (size_t i = 0; i < group->n_buckets; i++) {
        if (!ofa_actions_fit(of_bucket_actions(&group->buckets[i]), version))
            return false;
    }
    return (is_15 || !(group->selection_method[0] || group->n_fields ||
                       mod->command == OFGC_INSERT_BUCKET || mod->command == OFGC_REMOVE_BUCKET)) &&
           length_fits(mod, version);
}

/* Requests */

enum of_error of_decode_group_request(const struct of_message *message, uint32_t *group_id)
{
    *group_id = message->body_bytes ? wire_u32(message->body) : (uint32_t)OF_GROUP_ALL;
    return OF_OK;
}

void of_encode_group_request(uint32_t group_id, enum of_message_kind kind, enum of_version version,
                             uint32_t xid, struct buffer *out)
{
    enum of_form form = of_group_form(kind, version);
    size_t start = of_begin_message(kind, form, version, xid, out);

    if (kind == OF_GROUP_STATS_REQUEST || of_group_form_is_15(form, version))
        be32_store(buffer_put_zeros(out, 8), group_id);
    of_finish_message(start, out);
}

/* Counters */

void of_reply_add_group_stats(struct of_reply *reply, const struct of_group_stats *stats)
{
    bool has_duration = reply->version >= OF_1_3 || reply->form == OF_FORM_NX;
    struct buffer *out = reply->out;
    size_t start = out->size;
    uint8_t *item = buffer_put_zeros(out, has_duration ? STATS13_BYTES : STATS11_BYTES);

    be32_store(item + 4, stats->group_id);
    be32_store(item + 8, stats->n_references);
    be64_store(item + 16, stats->n_packets);
    be64_store(item + 24, stats->n_bytes);
    if (has_duration) {
        be32_store(item + 32, stats->duration_s);
        be32_store(item + 36, stats->duration_ns);
    }
    for (size_t i = 0; i < stats->n_buckets; i++) {
        uint8_t *counts = buffer_put_uninit(out, 16);
        be64_store(counts, stats->buckets[i].n_packets);
        be64_store(counts + 8, stats->buckets[i].n_bytes);
    }
    if (!of_reply_item_fits(reply, start))
        out->size = start + (has_duration ? STATS13_BYTES : STATS11_BYTES);
    be16_store(out->data + start, (uint16_t)(out->size - start));
    of_reply_end_item(reply, start);
}

bool of_next_group_stats(struct of_items *items, struct buffer *counts,
                         struct of_group_stats *stats)
{
    bool has_duration = items->version >= OF_1_3 || items->form == OF_FORM_NX;
    size_t head_bytes = has_duration ? STATS13_BYTES : STATS11_BYTES;
    const uint8_t *item = of_items_take(items, head_bytes);
    size_t length = item ? wire_u16(item) : 0;

    *stats = (struct of_group_stats){.duration_s = UINT32_MAX, .duration_ns = UINT32_MAX};
    buffer_clear(counts);
    if (!item)
        return false;
    if (length < head_bytes || (length - head_bytes) % 16 ||
        !wire_take(&items->wire, length - head_bytes)) {
        items->error = OFPBRC_BAD_LEN;
        return false;
    }
    stats->group_id = wire_u32(item + 4);
    stats->n_references = wire_u32(item + 8);
    stats->n_packets = wire_u64(item + 16);
    stats->n_bytes = wire_u64(item + 24);
    if (has_duration) {
        stats->duration_s = wire_u32(item + 32);
        stats->duration_ns = wire_u32(item + 36);
    }
    for (size_t at = head_bytes; at < length; at += 16) {
        const struct of_bucket_counts bucket = {
            .n_packets = wire_u64(item + at),
            .n_bytes = wire_u64(item + at + 8),
        };
        buffer_put(counts, &bucket, sizeof bucket);
    }
    stats->buckets = (const struct of_bucket_counts *)(const void *)counts->data;
    stats->n_buckets = counts->size / sizeof *stats->buckets;
    return true;
}

/* Descriptions */

void of_reply_add_group(struct of_reply *reply, const struct of_group *group)
{
    bool is_15 = of_group_form_is_15(reply->form, reply->version);
    struct buffer *out = reply->out;
    size_t start = out->size;
    uint8_t *item = buffer_put_zeros(out, is_15 ? DESC15_BYTES : DESC11_BYTES);

    item[2] = group->type;
    be32_store(item + 4, group->group_id);
    of_encode_buckets(group, reply->form, reply->version, out);
    if (is_15) {
        be16_store(out->data + start + 8, (uint16_t)(out->size - start - DESC15_BYTES));
        of_encode_group_properties(group, reply->version, out);
    }
    if (!of_reply_item_fits(reply,
                            start)) { /* Longer in this version than the message it came in. */
        out->size = start + (is_15 ? DESC15_BYTES : DESC11_BYTES);
        if (is_15)
            be16_store(out->data + start + 8, 0);
    }
    be16_store(out->data + start, (uint16_t)(out->size - start));
    of_reply_end_item(reply, start);
}

static enum of_error read_desc(const uint8_t *item, size_t length, const struct of_items *items,
                               struct of_group *group)
{
    bool is_15 = of_group_form_is_15(items->form, items->version);
    size_t head_bytes = is_15 ? DESC15_BYTES : DESC11_BYTES;
    struct wire wire = wire_init(item + head_bytes, length - head_bytes);
    size_t n_buckets = is_15 ? wire_u16(item + 8) : wire.left;
    const uint8_t *buckets = wire_take(&wire, n_buckets);

    group->type = item[2];
    group->group_id = wire_u32(item + 4);
    if (group->type >= N_OF_GROUP_TYPES)
        return OFPGMFC_BAD_TYPE;
    if (!buckets)
        return OFPBRC_BAD_LEN;
    enum of_error error = of_decode_buckets(wire_init(buckets, n_buckets), items->form,
                                            items->version, group);
    return error ? error : of_decode_group_properties(wire, group);
}

bool of_next_group(struct of_items *items, struct of_group *group)
{
    size_t head_bytes = of_group_form_is_15(items->form, items->version) ? DESC15_BYTES
                                                                         : DESC11_BYTES;
    const uint8_t *item = of_items_take(items, head_bytes);
    size_t length = item ? wire_u16(item) : 0;

    of_group_init(group);
    if (!item)
        return false;
    if (length < head_bytes || !wire_take(&items->wire, length - head_bytes))
        items->error = OFPBRC_BAD_LEN;
    else
        items->error = read_desc(item, length, items, group);
    return !items->error;
}

/* Features */

void of_encode_group_features(const struct of_group_features *features,
                              const struct of_message *request, struct buffer *out)
{
    struct of_reply reply;

    of_reply_begin(&reply, request, out);
    uint8_t *body = buffer_put_zeros(out, 40);
    be32_store(body, features->types);
    be32_store(body + 4, features->capabilities);
    for (size_t i = 0; i < N_OF_GROUP_TYPES; i++) {
        be32_store(body + 8 + 4 * i, features->max_groups[i]);
        be32_store(body + 24 + 4 * i, features->actions[i]);
    }
    of_reply_end(&reply);
}

void of_decode_group_features(const struct of_message *message, struct of_group_features *features)
{
    features->types = wire_u32(message->body);
    features->capabilities = wire_u32(message->body + 4);
    for (size_t i = 0; i < N_OF_GROUP_TYPES; i++) {
        features->max_groups[i] = wire_u32(message->body + 8 + 4 * i);
        features->actions[i] = wire_u32(message->body + 24 + 4 * i);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */

/* Buckets and properties of groups: OpenFlow 1.1 appendix A.3.4, 1.5 section 7.3.4.3, and Netronome's
 * selection method. */

#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/openflow/action_codec.h"
#include "lib/openflow/groups_internal.h"
#include "lib/openflow/match_codec.h"
#include "lib/openflow/properties.h"

enum { BUCKET11_BYTES = 16, BUCKET15_BYTES = 8 };
enum { PROPERTY_WEIGHT, PROPERTY_WATCH_PORT, PROPERTY_WATCH_GROUP };
enum { NTR_VENDOR = 0x0000154d, NTR_SELECTION_METHOD = 1, SELECTION_BYTES = 28 };

bool of_group_form_is_15(enum of_form form, enum of_version version)
{
    return version >= OF_1_5 || form == OF_FORM_NX;
}

/* Groups in memory */

void of_group_init(struct of_group *group)
{
    *group = (struct of_group){.group_id = (uint32_t)OF_GROUP_ALL};
}

void of_group_fini(struct of_group *group)
{
    for (size_t i = 0; i < group->n_buckets; i++)
        buffer_fini(&group->buckets[i].actions);
    free(group->buckets);
    free(group->fields);
    of_group_init(group);
}

struct of_bucket *of_group_add_bucket(struct of_group *group)
{
    /* Powers of two are when the array is full. */
    if (!(group->n_buckets & (group->n_buckets - 1))) {
        size_t capacity = group->n_buckets ? 2 * group->n_buckets : 1;
        group->buckets = reallocarray(group->buckets, capacity, sizeof *group->buckets);
        if (!group->buckets)
            abort();
    }
    struct of_bucket *bucket = &group->buckets[group->n_buckets++];
    *bucket = (struct of_bucket){
        .bucket_id = (uint32_t)OF_BUCKET_ALL,
        .watch_port = OFPP_NONE,
        .watch_group = (uint32_t)OF_GROUP_ANY,
    };
    return bucket;
}

struct of_bucket *of_group_find_bucket(const struct of_group *group, uint32_t bucket_id)
{
    for (size_t i = 0; i < group->n_buckets; i++) {
        if (group->buckets[i].bucket_id == bucket_id)
            return &group->buckets[i];
    }
    return NULL;
}

/* The order in which Open vSwitch tells fields is that of its numbers for them. */
static unsigned rank(enum of_field_id id)
{
    static const uint8_t after_ipv6_label[] = {FIELD_IP_PROTO, FIELD_NW_TOS, FIELD_IP_DSCP,
                                               FIELD_IP_ECN,   FIELD_IP_TTL, FIELD_IP_FRAG};

    for (unsigned i = 0; i < ARRAY_SIZE(after_ipv6_label); i++) {
        if (after_ipv6_label[i] == id)
            return 16U + FIELD_IPV6_LABEL * 16U + 1 + i;
    }
    return id == FIELD_METADATA ? 0 : 16U + id * 16U;
}

void of_group_add_field(struct of_group *group, const struct of_field *field,
                        const struct of_value *mask)
{
    size_t i = group->n_fields;

    group->fields = reallocarray(group->fields, group->n_fields + 1, sizeof *group->fields);
    if (!group->fields)
        abort();
    for (; i > 0 && rank((enum of_field_id)group->fields[i - 1].field) > rank(field->id); i--)
        group->fields[i] = group->fields[i - 1];
    group->fields[i] = (struct of_group_field){.field = (uint16_t)field->id, .mask = *mask};
    group->n_fields++;
}

void of_group_copy(struct of_group *to, const struct of_group *from)
{
    *to = *from;
    to->buckets = NULL;
    to->fields = NULL;
    to->n_buckets = to->n_fields = 0;
    for (size_t i = 0; i < from->n_buckets; i++) {
        struct of_bucket *bucket = of_group_add_bucket(to);
        *bucket = from->buckets[i];
        bucket->actions = (struct buffer)BUFFER_INIT;
        buffer_put(&bucket->actions, from->buckets[i].actions.data, from->buckets[i].actions.size);
    }
    for (size_t i = 0; i < from->n_fields; i++)
        of_group_add_field(to, of_field((enum of_field_id)from->fields[i].field),
                           &from->fields[i].mask);
}

/* Buckets */

/* Actions of a bucket become an action set; what can be in it depends on no match. */
static enum of_error decode_actions(const void *wire, size_t n_bytes, enum of_version version,
                                    struct of_bucket *bucket)
{
    return ofa_decode_actions(wire, n_bytes, version, &bucket->actions);
}

static enum of_error decode_bucket11(const uint8_t *wire, size_t n_bytes, enum of_version version,
                                     struct of_bucket *bucket)
{
    if (n_bytes < BUCKET11_BYTES)
        return OFPGMFC_BAD_BUCKET;
    bucket->weight = wire_u16(wire + 2);
    if (!of_port_from_wire32(wire_u32(wire + 4), &bucket->watch_port))
        return OFPGMFC_BAD_WATCH;
    bucket->watch_group = wire_u32(wire + 8);
    return decode_actions(wire + BUCKET11_BYTES, n_bytes - BUCKET11_BYTES, version, bucket);
}

static enum of_error decode_bucket_property(const struct of_property *property,
                                            struct of_bucket *bucket)
{
    size_t wanted = 4;

    if (property->type > PROPERTY_WATCH_GROUP)
        return of_unknown_property(property);
    if (property->n_bytes != wanted)
        return OFPBPC_BAD_LEN;
    switch (property->type) {
    case PROPERTY_WEIGHT:
        bucket->weight = wire_u16(property->body);
        return OF_OK;
    case PROPERTY_WATCH_PORT:
        return of_port_from_wire32(wire_u32(property->body), &bucket->watch_port)
                   ? OF_OK
                   : OFPGMFC_BAD_WATCH;
    default:
        bucket->watch_group = wire_u32(property->body);
        return OF_OK;
    }
}

static enum of_error decode_bucket15(const uint8_t *wire, size_t n_bytes, enum of_version version,
                                     uint8_t group_type, struct of_bucket *bucket)
{
    size_t n_actions = n_bytes >= BUCKET15_BYTES ? wire_u16(wire + 2) : 0;

    if (n_bytes < BUCKET15_BYTES || n_actions > n_bytes - BUCKET15_BYTES)
        return OFPGMFC_BAD_BUCKET;
    bucket->bucket_id = wire_u32(wire + 4);
    bucket->weight = group_type == OFGT_SELECT;
    if (bucket->bucket_id > (uint32_t)OF_BUCKET_MAX)
        return OFPGMFC_BAD_BUCKET;
    enum of_error error = decode_actions(wire + BUCKET15_BYTES, n_actions, version, bucket);
    struct wire properties = wire_init(wire + BUCKET15_BYTES + n_actions,
                                       n_bytes - BUCKET15_BYTES - n_actions);
    while (!error && properties.left) {
        struct of_property property;

        error = of_take_property(&properties, &property);
        if (!error)
            error = decode_bucket_property(&property, bucket);
    }
    return error;
}

enum of_error of_decode_buckets(struct wire wire, enum of_form form, enum of_version version,
                                struct of_group *group)
{
    bool is_15 = of_group_form_is_15(form, version);

    while (wire.left) {
        size_t length = wire.left >= 8 ? wire_u16(wire.next) : 0;
        const uint8_t *bytes = wire_take(&wire, length);
        struct of_bucket *bucket;

        if (length < 8 || length % 8 || !bytes)
            return OFPGMFC_BAD_BUCKET;
        bucket = of_group_add_bucket(group);
        enum of_error error = is_15 ? decode_bucket15(bytes, length, version, group->type, bucket)
                                    : decode_bucket11(bytes, length, version, bucket);
        if (error)
            return error;
        for (size_t i = 0; is_15 && i + 1 < group->n_buckets; i++) {
            if (group->buckets[i].bucket_id == group->buckets[group->n_buckets - 1].bucket_id)
                return OFPGMFC_BAD_BUCKET;
        }
    }
    return OF_OK;
}

static void encode_bucket11(const struct of_bucket *bucket, enum of_version version,
                            struct buffer *out)
{
    size_t start = out->size;
    uint8_t *head = buffer_put_zeros(out, BUCKET11_BYTES);

    be16_store(head + 2, bucket->weight);
    be32_store(head + 4, of_port_to_wire32(bucket->watch_port));
    be32_store(head + 8, bucket->watch_group);
    ofa_encode_actions(of_bucket_actions(bucket), version, out);
    be16_store(out->data + start, (uint16_t)(out->size - start));
}

static void encode_bucket15(const struct of_bucket *bucket, uint32_t bucket_id, uint8_t group_type,
                            enum of_version version, struct buffer *out)
{
    size_t start = out->size;

    be32_store((uint8_t *)buffer_put_zeros(out, BUCKET15_BYTES) + 4, bucket_id);
    ofa_encode_actions(of_bucket_actions(bucket), version, out);
    be16_store(out->data + start + 2, (uint16_t)(out->size - start - BUCKET15_BYTES));
    if (group_type == OFGT_SELECT || bucket->weight)
        be16_store(of_put_property(PROPERTY_WEIGHT, 4, out), bucket->weight);
    if (bucket->watch_port != OFPP_NONE)
        be32_store(of_put_property(PROPERTY_WATCH_PORT, 4, out),
                   of_port_to_wire32(bucket->watch_port));
    if (bucket->watch_group != (uint32_t)OF_GROUP_ANY)
        be32_store(of_put_property(PROPERTY_WATCH_GROUP, 4, out), bucket->watch_group);
    be16_store(out->data + start, (uint16_t)(out->size - start));
}

/* A number of its own for a bucket that has none. */
static uint32_t free_bucket_id(const struct of_group *group, uint32_t from)
{
    while (of_group_find_bucket(group, from))
        from++;
    return from;
}

void of_encode_buckets(const struct of_group *group, enum of_form form, enum of_version version,
                       struct buffer *out)
{
    uint32_t next_id = 0;

    for (size_t i = 0; i < group->n_buckets; i++) {
        const struct of_bucket *bucket = &group->buckets[i];
        uint32_t bucket_id = bucket->bucket_id;

        if (!of_group_form_is_15(form, version)) {
            encode_bucket11(bucket, version, out);
            continue;
        }
        if (bucket_id > (uint32_t)OF_BUCKET_MAX) {
            bucket_id = free_bucket_id(group, next_id);
            next_id = bucket_id + 1;
        }
        encode_bucket15(bucket, bucket_id, group->type, version, out);
    }
}

/* Properties */

static bool is_known_method(const char *method)
{
    return !strcmp(method, "hash") || !strcmp(method, "dp_hash");
}

/* Values of the fields are their masks. */
static enum of_error decode_fields(struct wire wire, struct of_group *group)
{
    while (wire.left) {
        const uint8_t *start = wire_take(&wire, 4);
        uint32_t header = start ? wire_u32(start) : 0;
        size_t n_bytes = header & 0xff;
        const uint8_t *payload = start ? wire_take(&wire, n_bytes) : NULL;
        struct of_value mask = {.bytes = {0}};

        if (!payload || header & 0x100)
            return OFPBPC_BAD_VALUE;
        const struct of_field *field = of_field_by_header(header);
        if (!field)
            return OFPBMC_BAD_FIELD;
        memcpy(mask.bytes, payload, n_bytes);
        for (size_t i = 0; i < group->n_fields; i++) {
            if (group->fields[i].field == field->id)
                return OFPBMC_DUP_FIELD;
        }
        if (!of_value_is_valid(field, &mask) && !of_value_is_all_ones(field, &mask))
            return OFPBMC_BAD_VALUE;
        if (field->mask_rule == MASK_NONE && !of_value_is_all_ones(field, &mask))
            return OFPBMC_BAD_MASK;
        of_group_add_field(group, field, &mask);
    }
    return OF_OK;
}

static enum of_error decode_selection(const struct of_property *property, struct of_group *group)
{
    const uint8_t *body = property->body;
    char method[OF_SELECTION_METHOD_BYTES];

    if (property->experimenter != NTR_VENDOR)
        return OFPBPC_BAD_EXPERIMENTER;
    if (property->experimenter_type != NTR_SELECTION_METHOD)
        return OFPBPC_BAD_EXP_TYPE;
    if (property->n_bytes < SELECTION_BYTES)
        return OFPBPC_BAD_LEN;
    memcpy(method, body + 4, sizeof method);
    if (method[sizeof method - 1] || !is_known_method(method) || group->type != OFGT_SELECT)
        return OFPBPC_BAD_VALUE;
    memcpy(group->selection_method, method, sizeof method);
    group->selection_param = wire_u64(body + 4 + OF_SELECTION_METHOD_BYTES);
    if (property->n_bytes > SELECTION_BYTES && !strcmp(method, "dp_hash"))
        return OFPBPC_BAD_VALUE;
    return decode_fields(wire_init(body + SELECTION_BYTES, property->n_bytes - SELECTION_BYTES),
                         group);
}

enum of_error of_decode_group_properties(struct wire wire, struct of_group *group)
{
    while (wire.left) {
        struct of_property property;
        enum of_error error = of_take_property(&wire, &property);

        if (!error)
            error = property.type == OF_PROPERTY_EXPERIMENTER ? decode_selection(&property, group)
                                                              : OFPBPC_BAD_TYPE;
        if (error)
            return error;
    }
    return OF_OK;
}

void of_encode_group_properties(const struct of_group *group, enum of_version version,
                                struct buffer *out)
{
    if (!group->selection_method[0])
        return;
    size_t start = of_begin_property(OF_PROPERTY_EXPERIMENTER, out);
    uint8_t *body = buffer_put_zeros(out, 8 + SELECTION_BYTES);
    be32_store(body, NTR_VENDOR);
    be32_store(body + 4, NTR_SELECTION_METHOD);
    memcpy(body + 12, group->selection_method, OF_SELECTION_METHOD_BYTES);
    be64_store(body + 12 + OF_SELECTION_METHOD_BYTES, group->selection_param);
    for (size_t i = 0; i < group->n_fields; i++) {
        const struct of_field *field = of_field((enum of_field_id)group->fields[i].field);
        be32_store(buffer_put_uninit(out, 4), of_field_header(field, version));
        buffer_put(out, group->fields[i].mask.bytes, field->n_bytes);
    }
    of_end_property(start, out);
}

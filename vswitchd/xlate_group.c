/* SPDX-License-Identifier: Apache-2.0 */

/* Groups: each bucket that is executed has a frame of its own, and what it changes is forgotten behind it.
 *
 * A select group chooses by rendezvous: each live bucket draws a number from the frame's hash and its own number,
 * favoured by its weight, and the highest wins.  A bucket's share is its weight's, and when one comes
 * or goes only the flows that it wins or had move. */

#include <math.h>

#include "lib/hash.h"
#include "vswitchd/group_table.h"
#include "vswitchd/xlate_internal.h"

/* Liveness */

enum { MAX_WATCH_DEPTH = 128 }; /* Of groups that watch groups, as in Open vSwitch. */

static bool port_is_alive(const struct xlate *x, of_port number)
{
    const struct port_view *port = bridge_view_port(x->bridge, number);

    return port && port->is_up && !(port->config & OFPPC_PORT_DOWN);
}

static bool group_is_alive(struct xlate *x, uint32_t group_id, unsigned int *budget);

/* 'budget' bounds what many groups that watch each other can cost. */
static bool bucket_is_alive(struct xlate *x, const struct group *group, size_t index,
                            unsigned int *budget)
{
    const struct of_bucket *bucket = &group->desc.buckets[index];
    bool watches_port = bucket->watch_port != OFPP_NONE;
    bool watches_group = bucket->watch_group != (uint32_t)OF_GROUP_ANY;

    if (!xlate_may_spend(x, 1))
        return false;
    if ((!watches_port && !watches_group) || (watches_port && port_is_alive(x, bucket->watch_port)))
        return true;
    if (watches_group && group_is_alive(x, bucket->watch_group, budget))
        return true;
    if (watches_port)
        xlate_detail(x, "bucket %u: not live due to port %u", xlate_bucket_name(group, index),
                     bucket->watch_port);
    else
        xlate_detail(x, "bucket %u: not live due to group %u", xlate_bucket_name(group, index),
                     bucket->watch_group);
    return false;
}

static bool group_is_alive(struct xlate *x, uint32_t group_id, unsigned int *budget)
{
    const struct group *group;

    if (!*budget)
        return false;
    --*budget;
    group = group_table_lookup(flow_tables_groups(x->bridge->tables), x->version, group_id);
    for (size_t i = 0; group && i < group->desc.n_buckets; i++) {
        if (bucket_is_alive(x, group, i, budget))
            return true;
    }
    return false;
}

static bool is_alive(struct xlate *x, const struct group *group, size_t index)
{
    unsigned int budget = MAX_WATCH_DEPTH;

    return bucket_is_alive(x, group, index, &budget);
}

/* Choosing */

enum { NO_BUCKET = -1 };

static int first_live(struct xlate *x, const struct group *group)
{
    for (size_t i = 0; i < group->desc.n_buckets; i++) {
        if (is_alive(x, group, i))
            return (int)i;
    }
    return NO_BUCKET;
}

static void look_at(void *mask, size_t n_bytes)
{
    memset(mask, 0xff, n_bytes);
}

static uint64_t fold(const void *bytes, size_t n_bytes)
{
    return hash_bytes(bytes, n_bytes, 0);
}

/* Both directions of a connection hash alike; all fragments of a datagram do, too. */
static uint32_t hash_connection(struct xlate *x, uint64_t basis)
{
    const struct flow_key *key = &x->now.flow.key;
    struct flow_key *looked = &x->looked.key;
    uint16_t eth_type = be16_host(key->eth_type);
    uint64_t words[4] = {eth_type};

    look_at(&looked->eth_type, sizeof looked->eth_type);
    if (eth_type == ETH_TYPE_IPV4) {
        looked->nw_src = looked->nw_dst = be32_from(UINT32_MAX);
        words[1] = key->nw_src.raw ^ key->nw_dst.raw;
    } else if (eth_type == ETH_TYPE_IPV6) {
        look_at(&looked->ipv6_src, sizeof looked->ipv6_src);
        look_at(&looked->ipv6_dst, sizeof looked->ipv6_dst);
        words[1] = fold(&key->ipv6_src, sizeof key->ipv6_src) ^
                   fold(&key->ipv6_dst, sizeof key->ipv6_dst);
    } else {
        look_at(&looked->eth_src, sizeof looked->eth_src);
        look_at(&looked->eth_dst, sizeof looked->eth_dst);
        words[1] = mac_to_u64(key->eth_src) ^ mac_to_u64(key->eth_dst);
    }
    if (flow_is_ip(key)) {
        looked->nw_proto = UINT8_MAX;
        looked->nw_frag = NW_FRAG_ANY | NW_FRAG_LATER;
        words[2] = key->nw_proto;
    }
    if (flow_is_ip(key) && !key->nw_frag &&
        (key->nw_proto == IP_PROTO_TCP || key->nw_proto == IP_PROTO_UDP ||
         key->nw_proto == IP_PROTO_SCTP)) {
        looked->tp_src = looked->tp_dst = be16_from(UINT16_MAX);
        words[3] = key->tp_src.raw ^ key->tp_dst.raw;
    }
    return hash_words(words, ARRAY_SIZE(words), basis);
}

/* The fields that the group names, where the frame has them. */
static uint32_t hash_fields(struct xlate *x, const struct of_group *group)
{
    uint64_t hash = group->selection_param;

    for (size_t i = 0; i < group->n_fields; i++) {
        const struct of_field *field = of_field((enum of_field_id)group->fields[i].field);
        const struct of_value *mask = &group->fields[i].mask;
        struct of_value value;

        if (!of_field_is_meaningful(field, &x->now.flow, &x->looked))
            continue;
        of_field_get(field, &x->now.flow, &value);
        of_field_add_mask(field, mask, &x->looked);
        for (size_t j = 0; j < field->n_bytes; j++)
            value.bytes[j] &= mask->bytes[j];
        hash = hash_bytes(value.bytes, field->n_bytes, hash + i);
    }
    return (uint32_t)hash;
}

static uint32_t hash_frame(struct xlate *x, const struct of_group *group)
{
    return !strcmp(group->selection_method, "hash") && group->n_fields
               ? hash_fields(x, group)
               : hash_connection(x, group->selection_param);
}

/* Exponentially distributed with the weight as its rate, negated: the greatest of several is each one's in
 * proportion to the weights. */
static double draw(uint32_t hash, const struct group *group, size_t index)
{
    uint64_t seed = (uint64_t)hash << 32 | xlate_bucket_name(group, index);
    uint32_t drawn = hash_words(&seed, 1, 0);

    return log((drawn + 1.) / 4294967297.) / group->desc.buckets[index].weight;
}

static int chosen(struct xlate *x, const struct group *group)
{
    uint32_t hash = hash_frame(x, &group->desc);
    int best = NO_BUCKET;
    double best_draw = 0;

    for (size_t i = 0; i < group->desc.n_buckets; i++) {
        if (!group->desc.buckets[i].weight || !is_alive(x, group, i))
            continue;
        double drawn = draw(hash, group, i);
        if (best == NO_BUCKET || drawn > best_draw) {
            best = (int)i;
            best_draw = drawn;
        }
    }
    return best;
}

/* Execution */

static void note(struct xlate *x, struct group *group, int bucket)
{
    xlate_note(x, &(struct xlate_note){.type = NOTE_GROUP, .group = {group, bucket}});
}

/* Also "exit" ends nothing but the bucket. */
static void through_bucket(struct xlate *x, const struct group *group, size_t index)
{
    const struct xlate_state before = x->now;
    bool is_in_bucket = x->is_in_bucket;
    struct trace_node *trace = x->trace;
    struct xlate_region region;

    if (x->n_buckets++ == XLATE_MAX_BUCKETS)
        xlate_fail(x, DROP_TOO_MANY_ACTIONS);
    if (x->has_failed)
        return;
    xlate_trace_bucket(x, group, index);
    xlate_begin_region(x, &region);
    x->is_in_bucket = true;
    xlate_list(x, group_bucket_actions(&group->buckets[index]));
    x->is_in_bucket = is_in_bucket;
    xlate_finish_pause(x);
    xlate_settle(x); /* Before what was written there is forgotten. */
    x->now = before;
    xlate_end_region(x, &region);
    x->has_exited = false;
    x->trace = trace;
}

static void through_all(struct xlate *x, struct group *group)
{
    for (size_t i = 0; i < group->desc.n_buckets && !x->has_failed; i++)
        through_bucket(x, group, i);
    note(x, group, GROUP_ALL_BUCKETS);
}

static void through_one(struct xlate *x, struct group *group, int bucket)
{
    if (bucket == NO_BUCKET) {
        xlate_detail(x, "no live bucket");
        x->reason = DROP_OUTPUT_TO_NOWHERE;
        return;
    }
    xlate_detail(x, "using bucket %u", xlate_bucket_name(group, (size_t)bucket));
    through_bucket(x, group, (size_t)bucket);
    note(x, group, bucket);
}

bool xlate_group(struct xlate *x, uint32_t group_id)
{
    struct group *group = group_table_lookup(flow_tables_groups(x->bridge->tables), x->version,
                                             group_id);

    if (!group) {
        xlate_detail(x, "output to nonexistent group %u", group_id);
        x->reason = DROP_OUTPUT_TO_NOWHERE;
        return false;
    }
    if (xlate_may_descend(x)) {
        x->depth++;
        if (group->desc.type == OFGT_SELECT)
            through_one(x, group, chosen(x, group));
        else if (group->desc.type == OFGT_FF)
            through_one(x, group, first_live(x, group));
        else
            through_all(x, group);
        x->depth--;
    }
    return true;
}

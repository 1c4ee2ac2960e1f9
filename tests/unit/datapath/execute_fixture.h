/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* execute_fixture - a datapath without threads whose every frame meets one list of actions, and what comes
 * of it: for the tests of the executor and of rewriting. */

#include "tests/unit/datapath/cmocka_all.h"

#include <stdlib.h>

#include "datapath/internal.h"
#include "tests/unit/datapath/frames.h"

enum { MAX_SENT = 8 };

/* What left, in order, by which port. */
struct sent {
    unsigned int n;
    uint32_t ports[MAX_SENT];
    struct frame frames[MAX_SENT];
    struct virtio_net_hdr vnet[MAX_SENT];
    unsigned int n_delivered;
    struct frame delivered;
};

struct bench {
    struct datapath *dp;
    uint32_t ports[4];
    struct sent sent;
    struct dp_actions actions;
};

static inline void on_sent(void *arg, uint32_t port_no, const struct packet *packet)
{
    struct sent *sent = arg;
    struct frame *frame = &sent->frames[sent->n];

    assert_true(sent->n < MAX_SENT && packet->size <= FRAME_MAX);
    sent->ports[sent->n] = port_no;
    sent->vnet[sent->n] = packet->vnet;
    memcpy(frame->bytes, packet->data, packet->size);
    frame->size = packet->size;
    sent->n++;
}

static inline void translate(void *aux, const struct flow_key *key, const struct packet *packet,
                             int64_t now_ns, struct verdict *verdict)
{
    struct bench *bench = aux;

    (void)key;
    (void)packet;
    (void)now_ns;
    verdict->actions = bench->actions;
    verdict->cacheable = false;
}

static inline void deliver(void *aux, void *context, uint32_t arg, const struct packet *packet,
                           const struct flow_key *key)
{
    struct bench *bench = aux;

    (void)context;
    (void)key;
    assert_int_equal(arg, 42);
    bench->sent.n_delivered++;
    memcpy(bench->sent.delivered.bytes, packet->data, packet->size);
    bench->sent.delivered.size = packet->size;
}

static inline int set_up(void **state)
{
    static const struct datapath_ops ops = {.translate = translate, .deliver = deliver};
    static const char *const names[] = {"in", "a", "b", "c"};
    const struct datapath_config config = {.misses_per_second = UINT32_MAX};
    struct bench *bench = calloc(1, sizeof *bench);

    bench->dp = datapath_create(&config, &ops, bench, NULL);
    for (size_t i = 0; i < 4; i++) {
        const struct dp_port_config port = {.name = names[i], .type = DP_PORT_DUMMY};
        assert_int_equal(datapath_port_add(bench->dp, &port, &bench->ports[i], NULL), 0);
    }
    datapath_set_dummy_tx(bench->dp, on_sent, &bench->sent);
    *state = bench;
    return 0;
}

static inline int tear_down(void **state)
{
    struct bench *bench = *state;

    datapath_destroy(bench->dp);
    free(bench);
    return 0;
}

/* Building the list of actions */

static inline struct dp_action *add(struct bench *bench, enum dp_action_type type, uint32_t arg)
{
    struct dp_action *action = &bench->actions.list[bench->actions.n++];

    *action = (struct dp_action){.type = (uint8_t)type, .arg = arg};
    return action;
}

static inline void add_output(struct bench *bench)
{
    add(bench, DP_OUTPUT, bench->ports[1]);
}

/* Sets the 'n' bytes of struct flow_key at 'offset', word by word. */
static inline void add_set(struct bench *bench, size_t offset, const void *value, size_t n)
{
    struct flow_key key, mask;

    memset(&key, 0, sizeof key);
    memset(&mask, 0, sizeof mask);
    memcpy((uint8_t *)&key + offset, value, n);
    memset((uint8_t *)&mask + offset, 0xff, n);
    for (uint8_t i = 0; i < FLOW_KEY_WORDS; i++) {
        if (!flow_key_words(&mask)[i])
            continue;
        struct dp_action *action = add(bench, DP_SET, 0);
        action->word = i;
        action->value = flow_key_words(&key)[i];
        action->mask = flow_key_words(&mask)[i];
    }
}

#define ADD_SET(bench, member, ...)                                                     \
    do {                                                                                \
        const uint8_t set_value[] = {__VA_ARGS__};                                      \
        add_set(bench, offsetof(struct flow_key, member), set_value, sizeof set_value); \
    } while (0)

static inline void send_with(struct bench *bench, const struct frame *frame,
                             const struct virtio_net_hdr *vnet)
{
    bench->sent.n = 0;
    datapath_inject(bench->dp, bench->ports[0], frame->bytes, frame->size, vnet);
}

/* The one frame that comes out. */
static inline const struct frame *run(struct bench *bench, const struct frame *frame)
{
    send_with(bench, frame, NULL);
    assert_int_equal(bench->sent.n, 1);
    return &bench->sent.frames[0];
}

static inline struct flow_key key_of(const struct frame *frame)
{
    struct packet packet;
    struct flow_key key;

    packet_init(&packet, (void *)(uintptr_t)frame->bytes, sizeof frame->bytes);
    packet.data = packet.start;
    packet.size = (uint32_t)frame->size;
    flow_extract(&packet, be32_from(0), &key);
    return key;
}

static inline void push_label(struct bench *bench, unsigned int n_tags, uint32_t lse)
{
    add(bench, DP_PUSH_MPLS, lse);
    bench->actions.list[bench->actions.n - 1].word = (uint8_t)n_tags;
    bench->actions.list[bench->actions.n - 1].value = ETH_TYPE_MPLS;
}

static inline struct virtio_net_hdr partial_tcp(void)
{
    return (struct virtio_net_hdr){
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 16};
}

/* Leaves the TCP checksum to hardware: the field has the sum of the pseudo header. */
static inline void make_partial_tcp(struct frame *frame, size_t payload_bytes)
{
    frame_make_ipv4(frame, IP_PROTO_TCP, payload_bytes);
    uint8_t *l3 = frame->bytes + 14;
    be16 sum = checksum_fold(checksum_add_pseudo_ipv4(
        0, be32_load(l3 + 12), be32_load(l3 + 16), IP_PROTO_TCP, (uint16_t)(20 + payload_bytes)));
    memcpy(frame->bytes + 50, &sum, sizeof sum);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

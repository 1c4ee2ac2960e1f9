/* SPDX-License-Identifier: Apache-2.0 */

/* Any frame, any virtio header, any list of actions: the executor stays inside the frame.
 *
 * Input: 1 byte number of actions, 10 bytes virtio header, 20 bytes for each action, the frame.  The frame lies at the
 * very end of its memory, so that AddressSanitizer sees a step beyond. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "datapath/execute.h"
#include "datapath/offload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_ACTIONS = 32, ACTION_BYTES = 20 };

static struct datapath *dp;

static void translate(void *aux, const struct flow_key *key, const struct packet *packet,
                      int64_t now_ns, struct verdict *verdict)
{
    (void)aux;
    (void)key;
    (void)packet;
    (void)now_ns;
    (void)verdict;
}

static volatile uint8_t sink;

/* Reads every byte that is sent. */
static void on_sent(void *arg, uint32_t port_no, const struct packet *packet)
{
    (void)arg;
    (void)port_no;
    for (uint32_t i = 0; i < packet->size; i++)
        sink ^= packet->data[i];
}

static void deliver(void *aux, void *context, uint32_t arg, const struct packet *packet,
                    const struct flow_key *key)
{
    (void)context;
    (void)key;
    on_sent(aux, arg, packet);
}

/* The clock stands still: one drops every frame after the first, one re-marks them. */
static void add_meters(void)
{
    struct dp_meter_config config = {
        .counts_packets = true, .n_bands = 1, .bands = {{.rate = 1, .burst = 1}}};

    dp_meters_add(datapath_meters(dp), &config);
    config.bands[0].remarks = true;
    config.bands[0].precedence = 1;
    dp_meters_add(datapath_meters(dp), &config);
}

static void start(void)
{
    static const struct datapath_ops ops = {.translate = translate, .deliver = deliver};
    const struct datapath_config config = {.n_workers = 0};
    uint32_t port_no;

    dp = datapath_create(&config, &ops, NULL, NULL);
    datapath_port_add(dp, &(struct dp_port_config){.name = "a", .type = DP_PORT_DUMMY}, &port_no,
                      NULL);
    datapath_port_add(dp, &(struct dp_port_config){.name = "b", .type = DP_PORT_DUMMY}, &port_no,
                      NULL);
    datapath_set_dummy_tx(dp, on_sent, NULL);
    add_meters();
}

static struct dp_action take_action(const uint8_t *from)
{
    struct dp_action action = {.type = from[0] % (DP_DROP + 1), .word = from[1] % FLOW_KEY_WORDS};

    memcpy(&action.arg, from + 4, sizeof action.arg);
    memcpy(&action.value, from + 8, sizeof action.value);
    memset(&action.mask, from[16], sizeof action.mask);
    if (from[17] & 1)
        action.mask &= action.value;
    if (action.type == DP_OUTPUT)
        action.arg = action.arg % 3;
    if (action.type == DP_METER)
        action.arg %= 3;
    return action;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dp_action actions[MAX_ACTIONS];
    struct packet packet;
    struct flow_key key;

    if (!dp)
        start();
    if (size < 1 + sizeof packet.vnet)
        return 0;
    unsigned int n = data[0] % MAX_ACTIONS;
    const uint8_t *vnet = data + 1;
    data += 1 + sizeof packet.vnet;
    size -= 1 + sizeof packet.vnet;
    if (size < (size_t)n * ACTION_BYTES)
        return 0;
    for (unsigned int i = 0; i < n; i++, data += ACTION_BYTES, size -= ACTION_BYTES)
        actions[i] = take_action(data);
    if (size > PACKET_MAX_BYTES)
        return 0;

    uint8_t *memory = malloc(PACKET_HEADROOM + size);
    packet_init(&packet, memory, (uint32_t)(PACKET_HEADROOM + size));
    memcpy(packet.data, data, size);
    memcpy(&packet.vnet, vnet, sizeof packet.vnet);
    packet.size = (uint32_t)size;
    if (size >= 14 && offload_check_header(&packet)) {
        flow_extract(&packet, be32_from(1), &key);
        if (offload_check_frame(&packet, &key))
            execute_actions(dp->lanes[0], &packet, &key, actions, n, NULL, datapath_port(dp, 1));
    }
    free(memory);
    return 0;
}

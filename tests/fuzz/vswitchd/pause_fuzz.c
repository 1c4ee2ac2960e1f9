/* SPDX-License-Identifier: Apache-2.0 */

/* A byte chooses a version of OpenFlow, the rest is a continuation without seal.  What is understood is encoded and
 * decoded to the same, and a frame goes on with it. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <urcu-qsbr.h>

#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/flow_parse.h"
#include "tests/generate/rig.h"
#include "vswitchd/packet_in.h"
#include "vswitchd/xlate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The switch lives as long as the process. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return 1;
}

static void no_output(void *aux UNUSED, int bridge UNUSED, int port UNUSED,
                      const struct packet *packet UNUSED)
{
}

static struct rig *get_rig(void)
{
    static struct rig_settings settings = {.vlan_limit = 2};
    static struct rig *rig;

    if (rig)
        return rig;
    rcu_register_thread();
    rig = calloc(1, sizeof *rig);
    if (!rig)
        abort();
    rig_init(rig, &settings, &(struct rig_options){.cache_off = true, .output = no_output});
    return rig;
}

static struct of_continuation *again(const struct of_continuation *continuation,
                                     const struct of_seal *seal, enum of_version version,
                                     struct buffer *wire)
{
    struct of_continuation *result = NULL;

    if (!of_continuation_encode(continuation, seal, 1, version, wire))
        return NULL;
    assert(of_continuation_decode(wire->data, wire->size, seal, version, &result) == OF_OK);
    return result;
}

static void compare(const struct of_continuation *continuation, enum of_version version)
{
    struct buffer first = BUFFER_INIT, second = BUFFER_INIT;
    struct of_seal seal;

    of_seal_init(&seal);
    struct of_continuation *once = again(continuation, &seal, version, &first);
    struct of_continuation *twice = once ? again(once, &seal, version, &second) : NULL;
    assert(!once == !twice);
    assert(!once || (first.size == second.size && !memcmp(first.data, second.data, first.size)));
    of_continuation_unref(once);
    of_continuation_unref(twice);
    buffer_fini(&first);
    buffer_fini(&second);
}

static void go_on(const struct of_continuation *continuation)
{
    static const uint8_t frame[64] = {2, 0, 0, 0, 0,    1, 2, 0,  0, 0, 0, 2, 0x81, 0,
                                      0, 5, 8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64,   6};
    struct packet packet = {
        .start = (uint8_t *)(uintptr_t)frame,
        .data = (uint8_t *)(uintptr_t)frame,
        .capacity = sizeof frame,
        .size = sizeof frame,
    };
    struct verdict *verdict = calloc(1, sizeof *verdict);
    struct rig *rig = get_rig();
    struct flow flow = {.key.in_port = be32_from(1)};

    flow_extract(&packet, be32_from(1), &flow.key);
    xlate_resume(rig->topology, rig->topology->bridges[0], &flow, &packet, continuation,
                 clock_now_ns(), verdict);
    xlate_release(verdict->context);
    free(verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct of_continuation *continuation = NULL;

    if (size < 1)
        return 0;
    enum of_version version = (enum of_version)(OF_1_0 + data[0] % 6);
    if (of_continuation_parse(data + 1, size - 1, version, &continuation) != OF_OK)
        return 0;
    compare(continuation, version);
    go_on(continuation);
    of_continuation_unref(continuation);
    return 0;
}

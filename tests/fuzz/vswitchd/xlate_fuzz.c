/* SPDX-License-Identifier: Apache-2.0 */

/* Two bytes choose one of 64 configurations and an ingress port; the rest is a frame.  It goes through a switch
 * that caches and through one that does not, which must do the same with it. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <urcu-qsbr.h>

#include "lib/clock.h"
#include "lib/openflow/flow_text.h"
#include "tests/generate/generate.h"
#include "tests/generate/rig.h"
#include "vswitchd/packet_in.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The switches live as long as the process, and the classifier's tagged pointers to rules look like
 * leaks.  The unit tests do look for leaks. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return 1;
}

enum { N_CONFIGURATIONS = 64, N_FLOWS = 40 };

struct pair {
    struct rig cached, uncached;
    struct buffer cached_outputs, uncached_outputs;
    unsigned int n_frames;
};

static void note_output(void *aux, int bridge, int port, const struct packet *packet)
{
    struct buffer *outputs = aux;

    buffer_printf(outputs, "%d:%d:%u:", bridge, port, packet->size);
    buffer_put(outputs, packet->data, packet->size);
}

static void add_flow(struct pair *pair, struct random *random)
{
    const struct generate_flows options = {
        .n_ports = RIG_PORTS,
        .n_tables = 4,
        .has_controller = true,
        .trunc_ports = RIG_PORTS,
    };
    int b = (int)random_below(random, RIG_BRIDGES);
    struct buffer text = BUFFER_INIT;
    struct error error = ERROR_INIT;
    struct of_flow_mod flow;

    generate_flow(random, &options, &text);
    if (of_flow_mod_parse(buffer_text(&text), OFFC_ADD, NULL, &flow, &error)) {
        fprintf(stderr, "%s: %s\n", buffer_text(&text), error.message);
        abort();
    }
    rig_flow_mod(&pair->cached, b, &flow, SECOND_NS);
    rig_flow_mod(&pair->uncached, b, &flow, SECOND_NS);
    of_flow_mod_fini(&flow);
    buffer_fini(&text);
}

static struct pair *create_pair(uint64_t seed)
{
    struct pair *pair = calloc(1, sizeof *pair);
    struct rig_settings settings;
    struct random random;

    if (!pair)
        abort();
    random_init(&random, seed);
    generate_settings(&random, &settings);
    rig_init(&pair->cached, &settings,
             &(struct rig_options){.output = note_output, .aux = &pair->cached_outputs});
    rig_init(&pair->uncached, &settings,
             &(struct rig_options){
                 .output = note_output, .aux = &pair->uncached_outputs, .cache_off = true});
    for (int i = 0; i < N_FLOWS; i++)
        add_flow(pair, &random);
    return pair;
}

static void drain(struct rig *rig)
{
    for (int b = 0; b < RIG_BRIDGES; b++) {
        struct packet_in *packet_in = packet_in_take_all(rig->queue[b]);

        while (packet_in) {
            struct packet_in *next = packet_in_next(packet_in);

            free(packet_in);
            packet_in = next;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pair *pairs[N_CONFIGURATIONS];
    static int64_t now_ns = SECOND_NS;

    if (size < 2 || size > 4096)
        return 0;
    if (now_ns == SECOND_NS)
        rcu_register_thread();
    now_ns += MILLISECOND_NS;

    struct pair **at = &pairs[data[0] % N_CONFIGURATIONS];
    int b = data[1] % RIG_BRIDGES, port = 1 + data[1] / RIG_BRIDGES % (RIG_PORTS - 1);
    if (!*at)
        *at = create_pair(1 + data[0] % N_CONFIGURATIONS);
    struct pair *pair = *at;

    buffer_clear(&pair->cached_outputs);
    buffer_clear(&pair->uncached_outputs);
    rig_send(&pair->cached, b, port, data + 2, size - 2, NULL, now_ns);
    rig_send(&pair->uncached, b, port, data + 2, size - 2, NULL, now_ns);
    drain(&pair->cached);
    drain(&pair->uncached);
    if (pair->cached_outputs.size != pair->uncached_outputs.size ||
        (pair->cached_outputs.size &&
         memcmp(pair->cached_outputs.data, pair->uncached_outputs.data, pair->cached_outputs.size)))
        abort();
    if (++pair->n_frames % 256 == 0)
        rig_maintain(&pair->cached, now_ns);
    rcu_quiescent_state();
    return 0;
}

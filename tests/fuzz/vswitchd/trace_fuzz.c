/* SPDX-License-Identifier: Apache-2.0 */

/* A byte chooses ofproto/trace or ofproto/trace-packet-out, and text or JSON; the lines behind it are the arguments. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <urcu-qsbr.h>

#include "lib/clock.h"
#include "lib/openflow/flow_text.h"
#include "tests/generate/generate.h"
#include "tests/generate/rig.h"
#include "vswitchd/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The switch lives as long as the process, and the classifier's tagged pointers to rules look like leaks. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return 1;
}

enum { N_FLOWS = 60, N_GROUPS = 4, MAX_ARGS = 16, MAX_BYTES = 4096 };

static void no_output(void *aux, int bridge, int port, const struct packet *packet)
{
    (void)aux, (void)bridge, (void)port, (void)packet;
}

static void add_flows(struct rig *rig, struct random *random)
{
    const struct generate_flows options = {
        .n_ports = RIG_PORTS,
        .n_tables = 4,
        .has_controller = true,
        .trunc_ports = RIG_PORTS,
        .n_groups = N_GROUPS,
        .has_lessons = true,
        .has_select = true,
    };
    struct buffer text = BUFFER_INIT;
    struct of_flow_mod flow;

    for (uint32_t i = 0; i < RIG_BRIDGES * N_GROUPS; i++) {
        buffer_clear(&text);
        generate_group(random, &options, 1 + i / RIG_BRIDGES, &text);
        rig_put_group(rig, (int)i % RIG_BRIDGES, buffer_text(&text), SECOND_NS);
    }
    for (int i = 0; i < N_FLOWS; i++) {
        buffer_clear(&text);
        generate_flow(random, &options, &text);
        if (of_flow_mod_parse(buffer_text(&text), OFFC_ADD, NULL, &flow, NULL))
            abort();
        rig_flow_mod(rig, i % RIG_BRIDGES, &flow, SECOND_NS);
        of_flow_mod_fini(&flow);
    }
    buffer_fini(&text);
}

static void start(struct rig *rig)
{
    static const struct rig_settings settings = {.vlan_limit = 2};
    static const struct rig_options options = {.cache_off = true, .output = no_output};
    struct random random;

    rcu_register_thread();
    random_init(&random, 7);
    rig_init(rig, &settings, &options);
    add_flows(rig, &random);
    topology_publish(rig->topology);
}

static int split(char *text, const char *args[static MAX_ARGS])
{
    int n = 0;

    for (char *line; n < MAX_ARGS && (line = strsep(&text, "\n"));)
        args[n++] = line;
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rig rig;
    static bool is_started;
    char lines[MAX_BYTES + 1];
    const char *args[MAX_ARGS];
    struct buffer text = BUFFER_INIT;
    struct error error = ERROR_INIT;
    json_t *json = NULL;

    if (!size || size > MAX_BYTES)
        return 0;
    if (!is_started)
        start(&rig);
    is_started = true;
    memcpy(lines, data + 1, size - 1);
    lines[size - 1] = '\0';
    int result = trace_command(split(lines, args), args, data[0] & 1, rig.dp, &text,
                               data[0] & 2 ? &json : NULL, &error);
    if (result ? !error.message[0] : !(data[0] & 2 ? json != NULL : text.size > 0))
        abort();
    json_decref(json);
    buffer_fini(&text);
    rcu_quiescent_state();
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* xlate_fixture - flows, one frame, and the datapath actions that should come of it: for the tests of
 * translation.
 *
 * Frames are given as datapath flows.  Datapath ports 1 to 4 are ports 1 to 4 of br0, 5 to 8 those of br1;
 * port 5 of each bridge leads to the other. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/openflow/flow_text.h"
#include "lib/rcu.h"
#include "tests/generate/rig.h"
#include "vswitchd/trace.h"
#include "vswitchd/xlate.h"

#define ETH  "eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02)"
#define IPV4 ETH ",eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=6,tos=0,ttl=64,frag=no)"
#define TCP  IPV4 ",tcp(src=1000,dst=80)"
#define TAGGED(vid) \
    ETH ",eth_type(0x8100),vlan(vid=" #vid ",pcp=3),encap(eth_type(0x0806),arp(op=1))"
#define ARP      ETH ",eth_type(0x0806),arp(sip=10.0.0.1,tip=10.0.0.2,op=1)"
#define TO_BOB   "eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:0b),eth_type(0x1234)"
#define FROM_BOB "eth(src=02:00:00:00:00:0b,dst=02:00:00:00:00:01),eth_type(0x1234)"

struct fixture {
    struct rig_settings settings;
    struct rig rig;
    bool is_built;
    struct verdict verdict;
    struct flow_key key;
    int64_t now_ns;
    char text[8192];
};

static void no_output(void *aux, int bridge, int port, const struct packet *packet)
{
    (void)aux;
    (void)bridge;
    (void)port;
    (void)packet;
}

static inline int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    rcu_reader_register();
    f->settings.vlan_limit = 2;
    f->now_ns = 1000 * SECOND_NS;
    *state = f;
    return 0;
}

static inline void build(struct fixture *f)
{
    const struct rig_options options = {.cache_off = true, .output = no_output};

    if (!f->is_built)
        rig_init(&f->rig, &f->settings, &options);
    f->is_built = true;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;

    if (f->is_built) {
        xlate_release(f->verdict.context);
        rig_fini(&f->rig);
    }
    free(f);
    rcu_reader_unregister();
    return 0;
}

static inline void flow(struct fixture *f, int bridge, const char *text)
{
    struct error error = ERROR_INIT;
    struct of_flow_mod mod;

    build(f);
    if (of_flow_mod_parse(text, OFFC_ADD, NULL, &mod, &error))
        fail_msg("%s: %s", text, error.message);
    rig_flow_mod(&f->rig, bridge, &mod, f->now_ns);
    of_flow_mod_fini(&mod);
}

static inline void take(struct fixture *f, uint32_t dp_port, const char *frame, bool learns)
{
    static const struct packet some;
    struct error error = ERROR_INIT;

    build(f);
    if (trace_parse_dp_flow(frame, NULL, &f->key, &error))
        fail_msg("%s: %s", frame, error.message);
    f->key.in_port = be32_from(dp_port);
    xlate_release(f->verdict.context);
    memset(&f->verdict, 0, sizeof f->verdict);
    f->verdict.cacheable = true;
    xlate_frame(f->rig.topology, &f->key, learns ? &some : NULL, f->now_ns, NULL, &f->verdict);
}

/* What the datapath does with 'frame' from 'dp_port'. */
static inline const char *actions(struct fixture *f, uint32_t dp_port, const char *frame)
{
    struct buffer text = BUFFER_INIT;

    take(f, dp_port, frame, true);
    dp_actions_format(&text, f->verdict.actions.list, f->verdict.actions.n, &f->key, NULL, NULL,
                      NULL);
    snprintf(f->text, sizeof f->text, "%s", buffer_text(&text));
    buffer_fini(&text);
    return f->text;
}

/* Why the frame was dropped; DROP_N_REASONS: it was not. */
static inline enum drop_reason reason(struct fixture *f, uint32_t dp_port, const char *frame)
{
    take(f, dp_port, frame, true);
    if (f->verdict.actions.n != 1 || f->verdict.actions.list[0].type != DP_DROP)
        return DROP_N_REASONS;
    return (enum drop_reason)f->verdict.actions.list[0].arg;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

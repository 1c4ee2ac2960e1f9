/* SPDX-License-Identifier: Apache-2.0 */

/* What controllers are sent of frames, and do with frames of their own. */

#include "tests/unit/vswitchd/xlate_fixture.h"
#include "vswitchd/packet_in.h"

static void packet_in_says_where_and_why(void **state)
{
    uint8_t bytes[100] = {0};
    const struct packet packet = {.data = bytes, .size = sizeof bytes};
    struct packet_in *packet_in;
    struct fixture *f = *state;

    flow(f, 0, "table=0,actions=load:5->NXM_NX_REG1[],resubmit(,3)");
    flow(f, 0, "table=3,cookie=0x99,actions=controller(max_len=64,id=4)");
    assert_string_equal(actions(f, 2, TCP), "userspace(0)");
    xlate_deliver(f->verdict.context, 0, &packet, &f->key);

    packet_in = packet_in_take_all(f->rig.queue[0]);
    assert_non_null(packet_in);
    assert_int_equal(packet_in->in_port, 2);
    assert_int_equal(packet_in->table_id, 3);
    assert_int_equal(packet_in->reason, OFPR_ACTION);
    assert_int_equal(packet_in->controller_id, 4);
    assert_int_equal(be64_host(packet_in->cookie), 0x99);
    assert_int_equal(be32_host(packet_in->flow.regs[1]), 5);
    assert_int_equal(be32_host(packet_in->flow.key.in_port), 2);
    assert_int_equal(packet_in->n_bytes, 100); /* max_len is for switches that buffer. */
    assert_int_equal(packet_in->total_bytes, 100);
    free(packet_in);
}

static void packet_in_has_its_checksum(void **state)
{
    uint8_t bytes[14 + 20 + 20] = {[34] = 1, [35] = 2, [53] = 3};
    const struct packet packet = {
        .data = bytes,
        .size = sizeof bytes,
        .vnet = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 16},
    };
    struct fixture *f = *state;

    flow(f, 0, "actions=controller");
    assert_string_equal(actions(f, 2, TCP), "userspace(0)");
    xlate_deliver(f->verdict.context, 0, &packet, &f->key);

    struct packet_in *packet_in = packet_in_take_all(f->rig.queue[0]);
    assert_non_null(packet_in);
    assert_int_equal(packet_in->n_bytes, sizeof bytes);
    assert_int_equal(be16_host(be16_load(packet_in->frame + 34 + 16)), 0xfefa);
    assert_int_equal(bytes[34 + 16], 0);
    free(packet_in);
}

/* What a packet-out of a frame of 100 bytes does, to the end of f->verdict. */
static void packet_out(struct fixture *f, const char *text)
{
    uint8_t bytes[100] = {0};
    const struct packet packet = {.data = bytes, .size = sizeof bytes};
    struct buffer list = BUFFER_INIT;
    struct error error = ERROR_INIT;
    struct flow frame = {.key.in_port = be32_from(OFPP_NONE)};

    assert_int_equal(of_actions_parse(text, NULL, &list, &error), 0);
    const struct ofa_list actions_list = {.first = (const void *)list.data, .n_bytes = list.size};
    xlate_release(f->verdict.context);
    memset(&f->verdict, 0, sizeof f->verdict);
    struct bridge_view *bridge = f->rig.topology->bridges[0];
    xlate_packet_out(f->rig.topology, bridge, flow_tables_version(bridge->tables), &frame, &packet,
                     actions_list, f->now_ns, NULL, &f->verdict);
    buffer_fini(&list);
    for (uint32_t i = 0; i < f->verdict.actions.n; i++) {
        if (f->verdict.actions.list[i].type == DP_DELIVER)
            xlate_deliver(f->verdict.context, f->verdict.actions.list[i].arg, &packet, &frame.key);
    }
}

static void packet_out_may_use_the_tables(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "actions=output:3");
    packet_out(f, "output:2,output:TABLE");
    assert_int_equal(f->verdict.actions.n, 2);
    assert_int_equal(f->verdict.actions.list[0].arg, 2);
    assert_int_equal(f->verdict.actions.list[1].arg, 3);
}

static void packet_out_executes_its_action_set(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "actions=write_actions(output:4)");
    packet_out(f, "output:TABLE,output:2");
    assert_int_equal(f->verdict.actions.n, 2);
    assert_int_equal(f->verdict.actions.list[0].arg, 2);
    assert_int_equal(f->verdict.actions.list[1].arg, 4);
}

static void packet_out_knows_the_length_of_its_frame(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "table=1,reg1=1,actions=output:2");
    flow(f, 0, "table=1,reg1=0,actions=output:3");
    packet_out(f, "check_pkt_larger(99)->NXM_NX_REG1[0],resubmit(,1)");
    assert_int_equal(f->verdict.actions.list[0].arg, 2);
    packet_out(f, "check_pkt_larger(100)->NXM_NX_REG1[0],resubmit(,1)");
    assert_int_equal(f->verdict.actions.list[0].arg, 3);
}

/* Table, cookie (all ones: "-"), reason and controller of all packet_ins of bridge 0 that wait. */
static const char *told(struct fixture *f)
{
    size_t used = 0;

    f->text[0] = '\0';
    for (struct packet_in *packet = packet_in_take_all(f->rig.queue[0]), *next; packet;
         packet = next) {
        char cookie[20] = "-";

        next = packet_in_next(packet);
        if (packet->cookie.raw != UINT64_MAX)
            snprintf(cookie, sizeof cookie, "%llx", (unsigned long long)be64_host(packet->cookie));
        used += (size_t)snprintf(f->text + used, sizeof f->text - used, "%s%u:%s:%u:%u",
                                 used ? " " : "", packet->table_id, cookie, packet->reason,
                                 packet->controller_id);
        free(packet);
    }
    return f->text;
}

/* As Open vSwitch tells. */
static void packet_in_has_the_reason_of_its_output(void **state)
{
    static const uint8_t bytes[100];
    const struct packet packet = {.data = (uint8_t *)(uintptr_t)bytes, .size = sizeof bytes};
    struct fixture *f = *state;

    build(f);
    rig_put_group(&f->rig, 0, "group_id=5,type=all,bucket=output:controller,bucket=resubmit(,3)",
                  f->now_ns);
    flow(f, 0, "table=0,cookie=8,actions=group:5");
    flow(f, 0, "table=3,cookie=7,actions=controller,controller(id=7),write_actions(controller)");
    take(f, 1, TCP, true);
    for (uint32_t i = 0; i < f->verdict.actions.n; i++)
        xlate_deliver(f->verdict.context, f->verdict.actions.list[i].arg, &packet, &f->key);
    assert_string_equal(told(f), "0:8:4:0 3:7:1:0 3:7:1:7 0:8:3:0");

    packet_out(f, "output:TABLE,controller(id=9),controller");
    assert_string_equal(told(f), "0:8:5:0 3:7:5:0 3:7:1:7 0:-:1:9 0:-:5:0 0:-:5:0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(packet_in_says_where_and_why),
        TEST(packet_in_has_its_checksum),
        TEST(packet_out_may_use_the_tables),
        TEST(packet_out_executes_its_action_set),
        TEST(packet_out_knows_the_length_of_its_frame),
        TEST(packet_in_has_the_reason_of_its_output),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

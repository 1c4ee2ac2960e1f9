/* SPDX-License-Identifier: Apache-2.0 */

/* controller(pause): what of the walk goes to the controller, and how it goes on.  What is expected is what
 * Debian's Open vSwitch does, but for instructions behind a pause, which it loses. */

#include "tests/unit/vswitchd/xlate_fixture.h"
#include "vswitchd/packet_in.h"

static const uint8_t frame_bytes[64];

static void deliver_all(struct fixture *f)
{
    const struct packet packet = {.data = (uint8_t *)(uintptr_t)frame_bytes,
                                  .size = sizeof frame_bytes};

    for (uint32_t i = 0; i < f->verdict.actions.n; i++) {
        if (f->verdict.actions.list[i].type == DP_DELIVER)
            xlate_deliver(f->verdict.context, f->verdict.actions.list[i].arg, &packet, &f->key);
    }
}

static void describe_list(struct buffer *out, struct ofa_list list)
{
    of_actions_format(list, NULL, out);
}

/* "[table:cookie actions] ..." */
static void describe_continuation(struct buffer *out, const struct of_continuation *continuation)
{
    struct of_continuation_rest rest;

    for (size_t at = 0; of_continuation_next(continuation, &at, &rest);) {
        buffer_printf(out, " [%u:%llx ", rest.table_id, (unsigned long long)be64_host(rest.cookie));
        describe_list(out, rest.list);
        buffer_puts(out, "]");
    }
    if (continuation->action_set.size) {
        buffer_puts(out, " set ");
        describe_list(out, of_continuation_action_set(continuation));
    }
    if (continuation->stack.size)
        buffer_printf(out, " stack %zu", continuation->stack.size / sizeof(struct of_value));
}

/* Says of each packet_in of bridge 'b' that waits: table:cookie:reason and userdata, what it waits for; the last one that
 * waits is kept in 'waiting'. */
static const char *told(struct fixture *f, int b, struct packet_in **waiting)
{
    struct buffer text = BUFFER_INIT;

    for (struct packet_in *packet = packet_in_take_all(f->rig.queue[b]), *next; packet;
         packet = next) {
        next = packet_in_next(packet);
        buffer_printf(&text, "%s%u:", text.size ? "; " : "", packet->table_id);
        if (packet->cookie.raw != UINT64_MAX)
            buffer_printf(&text, "%llx", (unsigned long long)be64_host(packet->cookie));
        buffer_printf(&text, ":%u", packet->reason);
        for (size_t i = 0; i < packet->n_userdata; i++)
            buffer_printf(&text, "%s%02x", i ? "" : " ", packet->userdata[i]);
        if (packet->continuation) {
            buffer_puts(&text, " waits");
            describe_continuation(&text, packet->continuation);
        }
        if (packet->continuation && waiting && !*waiting)
            *waiting = packet;
        else
            packet_in_free(packet);
    }
    snprintf(f->text, sizeof f->text, "%s", buffer_text(&text));
    buffer_fini(&text);
    return f->text;
}

/* Sends the continuation through the wire form of 'version' and lets the frame go on. */
static void resume(struct fixture *f, int b, struct packet_in *packet_in, enum of_version version)
{
    const struct packet packet = {.data = packet_in->frame, .size = packet_in->n_bytes};
    struct of_continuation *continuation = NULL;
    struct buffer wire = BUFFER_INIT;
    struct flow flow = packet_in->flow;
    struct of_seal seal;

    of_seal_init(&seal);
    assert_true(
        of_continuation_encode(packet_in->continuation, &seal, packet_in->dp_port, version, &wire));
    assert_int_equal(of_continuation_decode(wire.data, wire.size, &seal, version, &continuation),
                     OF_OK);
    xlate_release(f->verdict.context);
    memset(&f->verdict, 0, sizeof f->verdict);
    flow.key.in_port = be32_from(packet_in->in_port);
    xlate_resume(f->rig.topology, f->rig.topology->bridges[b], &flow, &packet, continuation,
                 f->now_ns, &f->verdict);
    of_continuation_unref(continuation);
    buffer_fini(&wire);
    packet_in_free(packet_in);
    deliver_all(f);
}

static void paused_frame_is_sent_with_what_is_left_of_all_lists(void **state)
{
    struct fixture *f = *state;
    struct packet_in *waiting = NULL;

    flow(f, 0, "cookie=0xa,actions=load:5->NXM_NX_REG0[],push:NXM_NX_REG0[],resubmit(,1),output:2");
    flow(f, 0,
         "table=1,cookie=0xb,actions=load:7->NXM_NX_REG1[],controller(userdata=01,pause,max_len=9),"
         "note:01,output:3,controller(userdata=04),resubmit(,2)");
    flow(f, 0, "table=2,cookie=0xc,actions=pop:NXM_NX_REG2[],controller(userdata=05)");
    take(f, 1, TCP, true);
    assert_int_equal(f->verdict.actions.n, 1);
    deliver_all(f);
    assert_string_equal(told(f, 0, &waiting),
                        "0:a:1 01 waits [1:b output:3,controller(userdata=04),resubmit(,2)] "
                        "[0:a output:2] stack 1");
    assert_int_equal(waiting->n_bytes, sizeof frame_bytes);
    assert_int_equal(be32_host(waiting->flow.regs[1]), 7);
    assert_int_equal(waiting->dp_port, 1);

    resume(f, 0, waiting, OF_1_0);
    assert_string_equal(told(f, 0, NULL), "1:b:1 04; 2:c:1 05");
    assert_int_equal(f->verdict.actions.list[0].type, DP_OUTPUT);
    assert_int_equal(f->verdict.actions.list[0].arg, 3);
    assert_int_equal(f->verdict.actions.list[3].arg, 2);
}

/* Instructions behind the pause, in words of 1.0, too, which has none. */
static void instructions_behind_a_pause_are_executed(void **state)
{
    static const enum of_version versions[] = {OF_1_0, OF_1_1, OF_1_3, OF_1_5};
    struct fixture *f = *state;

    flow(f, 0,
         "cookie=0xa,actions=controller(pause),dec_ttl,clear_actions,write_actions(output:2),"
         "write_metadata:5,goto_table:1");
    flow(f, 0, "table=1,cookie=0xb,metadata=5,actions=controller(userdata=02)");
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        struct packet_in *waiting = NULL;

        take(f, 1, TCP, true);
        deliver_all(f);
        told(f, 0, &waiting);
        assert_non_null(waiting);
        resume(f, 0, waiting, versions[i]);
        assert_string_equal(told(f, 0, NULL), "1:b:1 02");
        assert_int_equal(f->verdict.actions.list[f->verdict.actions.n - 1].arg, 2);
    }
}

static void pause_in_a_bucket_stops_that_bucket_only(void **state)
{
    struct fixture *f = *state;
    struct packet_in *waiting = NULL;

    build(f);
    rig_put_group(
        &f->rig, 0,
        "group_id=1,type=all,bucket=load:4->NXM_NX_REG4[],resubmit(,3),bucket=resubmit(,4)",
        f->now_ns);
    flow(f, 0, "cookie=0xa,actions=group:1,controller(userdata=05)");
    flow(f, 0,
         "table=3,cookie=0xc,actions=controller(pause,userdata=01),load:5->NXM_NX_REG7[],"
         "resubmit(,4)");
    flow(f, 0, "table=4,cookie=0xd,actions=controller(userdata=07)");
    take(f, 1, TCP, true);
    deliver_all(f);
    assert_string_equal(told(f, 0, &waiting),
                        "0:a:1 01 waits [3:c load:0x5->NXM_NX_REG7[],resubmit(,4)]; "
                        "4:d:1 07; 0:a:1 05");
    assert_int_equal(be32_host(waiting->flow.regs[4]), 4);
    resume(f, 0, waiting, OF_1_3);
    assert_string_equal(told(f, 0, NULL), "4:d:1 07");
}

/* As in Open vSwitch, exit in a clone ends what is around it, and so does pause. */
static void pause_in_a_clone_ends_the_lists_around_it(void **state)
{
    struct fixture *f = *state;
    struct packet_in *waiting = NULL;

    flow(f, 0, "cookie=0xa,actions=resubmit(,1),controller(userdata=05)");
    flow(f, 0, "table=1,cookie=0xb,actions=clone(resubmit(,2),controller(userdata=06)),output:2");
    flow(f, 0, "table=2,cookie=0xc,actions=controller(pause,userdata=01)");
    take(f, 1, TCP, true);
    deliver_all(f);
    assert_string_equal(told(f, 0, &waiting), "0:b:1 01 waits [1:b controller(userdata=06)]");
    resume(f, 0, waiting, OF_1_4);
    assert_string_equal(told(f, 0, NULL), "1:b:1 06");
}

static void pause_behind_a_patch_port_stops_that_bridge_only(void **state)
{
    struct fixture *f = *state;
    struct packet_in *waiting = NULL;

    flow(f, 0,
         "cookie=0xa,actions=load:1->NXM_NX_REG1[],output:5,controller(userdata=02),output:2");
    flow(f, 1, "cookie=0xe,actions=load:7->NXM_NX_REG7[],goto_table:1");
    flow(f, 1, "table=1,cookie=0xf,actions=controller(pause,userdata=03),controller(userdata=04)");
    take(f, 1, TCP, true);
    deliver_all(f);
    assert_string_equal(told(f, 0, NULL), "0:a:1 02");
    assert_int_equal(f->verdict.actions.list[f->verdict.actions.n - 1].type, DP_OUTPUT);
    assert_string_equal(told(f, 1, &waiting), "0:e:1 03 waits [1:f controller(userdata=04)]");
    assert_int_equal(waiting->in_port, 5);
    resume(f, 1, waiting, OF_1_0);
    assert_string_equal(told(f, 1, NULL), "1:f:1 04");
}

static void frame_may_be_stopped_again(void **state)
{
    struct fixture *f = *state;
    struct packet_in *waiting = NULL;

    flow(f, 0, "cookie=0xa,actions=resubmit(,1),controller(userdata=03)");
    flow(f, 0, "table=1,cookie=0xb,actions=controller(pause,userdata=01),resubmit(,2),output:2");
    flow(f, 0, "table=2,cookie=0xc,actions=controller(pause,userdata=02),output:3");
    take(f, 1, TCP, true);
    deliver_all(f);
    told(f, 0, &waiting);
    resume(f, 0, waiting, OF_1_3);
    waiting = NULL;
    assert_string_equal(told(f, 0, &waiting), "0:b:1 02 waits [2:c output:3] [1:b output:2] "
                                              "[0:a controller(userdata=03)]");
    resume(f, 0, waiting, OF_1_3);
    assert_string_equal(told(f, 0, NULL), "0:a:1 03");
    assert_int_equal(f->verdict.actions.list[0].arg, 3);
    assert_int_equal(f->verdict.actions.list[1].arg, 2);
}

static void action_set_waits_too(void **state)
{
    struct fixture *f = *state;
    struct packet_in *waiting = NULL;

    flow(f, 0, "cookie=0xa,actions=write_actions(output:4,set_field:9->reg9),goto_table:1");
    flow(f, 0, "table=1,cookie=0xb,actions=controller(pause)");
    take(f, 1, TCP, true);
    deliver_all(f);
    assert_string_equal(told(f, 0, &waiting), "0:a:1 waits set output:4,set_field:0x9->reg9");
    resume(f, 0, waiting, OF_1_5);
    assert_int_equal(f->verdict.actions.n, 1);
    assert_int_equal(f->verdict.actions.list[0].arg, 4);
}

static struct of_continuation *some_continuation(void)
{
    struct of_continuation *continuation = of_continuation_create();
    struct buffer list = BUFFER_INIT;

    ofa_put_output(&list, 2, 0);
    of_continuation_add(continuation,
                        &(struct of_continuation_rest){
                            .list = {.first = (const void *)list.data, .n_bytes = list.size},
                        });
    buffer_fini(&list);
    return continuation;
}

static void what_is_not_ours_is_stale(void **state)
{
    struct of_continuation *continuation = some_continuation(), *none = NULL;
    struct buffer wire = BUFFER_INIT;
    struct of_seal seal, other;

    (void)state;
    of_seal_init(&seal);
    of_seal_init(&other);
    assert_true(of_continuation_encode(continuation, &seal, 1, OF_1_3, &wire));
    assert_int_equal(of_continuation_decode(wire.data, wire.size, &other, OF_1_3, &none),
                     NXR_STALE);
    for (size_t n = 0; n < wire.size; n++)
        assert_int_equal(of_continuation_decode(wire.data, n, &seal, OF_1_3, &none), NXR_STALE);
    for (size_t i = 0; i < wire.size - 4; i++) { /* Behind it is padding. */
        wire.data[i] ^= 1;
        assert_int_equal(of_continuation_decode(wire.data, wire.size, &seal, OF_1_3, &none),
                         NXR_STALE);
        wire.data[i] ^= 1;
    }
    assert_int_equal(of_continuation_decode(NULL, 0, &seal, OF_1_3, &none), NXR_STALE);
    assert_null(none);
    of_continuation_unref(continuation);
    buffer_fini(&wire);
}

static void what_is_too_long_is_not_told(void **state)
{
    struct of_continuation *continuation = of_continuation_create();
    struct of_continuation *more = some_continuation();
    struct of_continuation_rest rest;
    struct buffer wire = BUFFER_INIT;
    struct of_seal seal;
    size_t at = 0;

    (void)state;
    of_seal_init(&seal);
    assert_true(of_continuation_next(more, &at, &rest));
    while (of_continuation_add(continuation, &rest))
        continue;
    assert_false(of_continuation_encode(continuation, &seal, 1, OF_1_3, &wire));
    assert_int_equal(wire.size, 0);
    of_continuation_unref(continuation);
    of_continuation_unref(more);
    buffer_fini(&wire);
}

static void exit_behind_a_pause_ends_all(void **state)
{
    struct fixture *f = *state;
    struct packet_in *waiting = NULL;

    flow(f, 0, "cookie=0xa,actions=resubmit(,1),output:2");
    flow(f, 0, "table=1,cookie=0xb,actions=controller(pause),output:3,exit,output:4");
    take(f, 1, TCP, true);
    deliver_all(f);
    told(f, 0, &waiting);
    resume(f, 0, waiting, OF_1_0);
    assert_int_equal(f->verdict.actions.n, 1);
    assert_int_equal(f->verdict.actions.list[0].arg, 3);
}

/* It goes on by what was saved; only tables that it comes to anew are as they are now. */
static void rules_that_change_meanwhile_do_not_change_what_was_saved(void **state)
{
    struct fixture *f = *state;
    struct packet_in *waiting = NULL;

    flow(f, 0, "cookie=0xa,actions=controller(pause),output:2,resubmit(,2)");
    flow(f, 0, "table=2,actions=output:3");
    take(f, 1, TCP, true);
    deliver_all(f);
    told(f, 0, &waiting);
    flow(f, 0, "cookie=0xa,actions=output:4");
    flow(f, 0, "table=2,actions=output:4");
    resume(f, 0, waiting, OF_1_0);
    assert_int_equal(f->verdict.actions.n, 2);
    assert_int_equal(f->verdict.actions.list[0].arg, 2);
    assert_int_equal(f->verdict.actions.list[1].arg, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(paused_frame_is_sent_with_what_is_left_of_all_lists),
        TEST(instructions_behind_a_pause_are_executed),
        TEST(pause_in_a_bucket_stops_that_bucket_only),
        TEST(pause_in_a_clone_ends_the_lists_around_it),
        TEST(pause_behind_a_patch_port_stops_that_bridge_only),
        TEST(frame_may_be_stopped_again),
        TEST(action_set_waits_too),
        TEST(what_is_not_ours_is_stale),
        TEST(what_is_too_long_is_not_told),
        TEST(exit_behind_a_pause_ends_all),
        TEST(rules_that_change_meanwhile_do_not_change_what_was_saved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

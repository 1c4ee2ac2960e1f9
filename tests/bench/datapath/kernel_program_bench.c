/* SPDX-License-Identifier: Apache-2.0 */

/* Where does the time of the kernel's programs go, for a 64-byte frame whose flow is in the processor's cache?
 *
 * Each line does a little more than the one before it, so that differences are the cost of a step; and what
 * the verifier makes of the programs.  By BPF_PROG_RUN, so nothing of the driver is in it. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "datapath/kcache_key.h"
#include "datapath/kernel/steal.skel.h"
#include "datapath/kernel/xdp.skel.h"
#include "lib/packet.h"
#include "tests/kernel/programs.h"
#include "tests/unit/datapath/frames.h"

enum {
    RUNS = 9,
    REPEAT = 200000,
};

static struct programs programs;

static void report_size(const char *name, const struct bpf_program *program)
{
    struct bpf_prog_info info = {0};
    uint32_t n_bytes = sizeof info;

    if (!bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &n_bytes))
        printf("kernel_program_size program=%s instructions=%u machine_code_bytes=%u "
               "instructions_verified=%u\n",
               name, info.xlated_prog_len / 8, info.jited_prog_len, info.verified_insns);
}

static int compare_times(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void measure(const char *name, const struct bpf_program *program, const char *step,
                    const struct frame *frame, uint32_t wanted)
{
    uint32_t times[RUNS];

    for (int i = 0; i < RUNS; i++) {
        LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame->bytes,
                    .data_size_in = (uint32_t)frame->size, .repeat = REPEAT);

        if (bpf_prog_test_run_opts(bpf_program__fd(program), &run) || run.retval != wanted) {
            printf("kernel_program program=%s step=%s answers %u: %s\n", name, step, run.retval,
                   strerror(errno));
            exit(1);
        }
        times[i] = run.duration;
    }
    qsort(times, RUNS, sizeof times[0], compare_times);
    printf("kernel_program program=%s step=%s ns_per_op=%u min=%u max=%u runs=%d\n", name, step,
           times[RUNS / 2], times[0], times[RUNS - 1], RUNS);
}

static void set_entry(const struct frame *frame, uint32_t action)
{
    struct packet packet = {.start = (uint8_t *)(uintptr_t)frame->bytes,
                            .data = (uint8_t *)(uintptr_t)frame->bytes,
                            .capacity = (uint32_t)frame->size,
                            .size = (uint32_t)frame->size};
    struct flow_key flow_key;
    struct kc_key key;

    flow_extract(&packet, be32_from(1), &flow_key);
    if (!kc_key_from_flow(&flow_key, PROGRAMS_SLOT, &key))
        exit(1);
    programs_put_entry(&programs, &key, action);
}

/* Addresses and TTL are written, as a router does; the same ones, since runs repeat on the same bytes. */
static void set_rewriting(const struct frame *frame)
{
    static const uint8_t words[] = {FLOW_KEY_WORD(eth_dst), FLOW_KEY_WORD(eth_dst) + 1,
                                    FLOW_KEY_WORD(ipv6_label)};
    struct flow_key set = {.nw_ttl = 63}, mask = {.nw_ttl = UINT8_MAX};
    struct kc_program program = {.n_steps = 4, .sends_once = 1};

    memcpy(&set.eth_dst, frame->bytes, 12);
    memset(&mask.eth_dst, 0xff, 12);
    for (int i = 0; i < 3; i++) {
        program.steps[i].op = KC_SET;
        program.steps[i].word = words[i];
        program.steps[i].value = flow_key_words(&set)[words[i]];
        program.steps[i].mask = flow_key_words(&mask)[words[i]];
    }
    program.steps[3] = (struct kc_step){.op = KC_OUTPUT, .n = 1, .ports = {PROGRAMS_OUT_PORT}};
    programs_put(programs.tc->maps.kc_programs, 0, &program);
}

/* One band, which is never exceeded. */
static void set_metering(void)
{
    struct kc_program program = {.n_steps = 2, .sends_once = 1};
    const struct kc_meter meter = {
        .n_bands = 1,
        .counts_packets = 1,
        .bands = {{.cost = 1, .burst = 1ULL << 61, .most = 1ULL << 62, .rate = UINT32_MAX}},
    };

    program.steps[0] = (struct kc_step){.op = KC_METER, .is_counted = 1};
    program.steps[1] = (struct kc_step){.op = KC_OUTPUT, .n = 1, .ports = {PROGRAMS_OUT_PORT}};
    programs_put(programs.tc->maps.kc_meters, 0, &meter);
    programs_put(programs.tc->maps.kc_programs, 0, &program);
}

static void measure_steps(const char *name, const struct bpf_program *program, bool is_xdp)
{
    uint32_t passed = is_xdp ? 2 : (uint32_t)-1, redirected = is_xdp ? 4 : 7;
    struct frame frame, unusual;

    frame_make_ipv4(&frame, IP_PROTO_UDP, 22);
    unusual = frame;
    unusual.bytes[14] = 0x55; /* No IP header is like that. */
    set_entry(&frame, 0);
    programs_set_device(&programs, false);
    measure(name, program, "device", &frame, passed);
    programs_set_device(&programs, true);
    if (is_xdp) { /* By TC these two go up, which changes the frame. */
        measure(name, program, "device+part_of_parse", &unusual, passed);
        measure(name, program, "device+parse+look_up", &frame, passed);
    }
    set_entry(&frame, KC_DROP);
    measure(name, program, "device+parse+look_up+validate+count", &frame, is_xdp ? 1 : 2);
    set_entry(&frame, PROGRAMS_OUT_PORT);
    measure(name, program, "all+output", &frame, redirected);
    set_rewriting(&frame);
    set_entry(&frame, KC_FIRST_PROGRAM);
    measure(name, program, "all+rewrite+output", &frame, redirected);
    set_metering();
    measure(name, program, "all+meter+output", &frame, redirected);
}

int main(void)
{
    int code = programs_load(&programs);

    if (code) {
        printf("kernel_program skipped=\"cannot load the programs\"\n");
        return code == -EPERM ? 0 : 1;
    }
    report_size("tc_ingress", programs.tc->progs.weir_ingress);
    report_size("tc_egress", programs.tc->progs.weir_egress);
    report_size("xdp", programs.xdp->progs.weir_xdp);
    measure_steps("tc_ingress", programs.tc->progs.weir_ingress, false);
    measure_steps("xdp", programs.xdp->progs.weir_xdp, true);
    programs_unload(&programs);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */

/* stranger - puts programs on devices as others do, which count frames and say what is to become of them.
 *
 *     stranger tc DEVICE in|out PRIORITY RESULT      a filter, by TC: 0 is TC_ACT_OK, -1 TC_ACT_UNSPEC, 2 TC_ACT_SHOT
 *     stranger xdp DEVICE native|generic RESULT      2 is XDP_PASS, 1 XDP_DROP
 *     stranger tcx DEVICE RESULT                     at ingress; since Linux 6.6
 *     stranger count tc DEVICE in|out PRIORITY       how many frames it has seen
 *     stranger count xdp DEVICE
 *
 * They stay when it ends.  2: the kernel has no such thing. */

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/netlink/tc_filters.h"

enum { TCX_INGRESS = 46, NOT_HERE = 2 };

static int fail(const char *what)
{
    fprintf(stderr, "stranger: %s: %s\n", what, strerror(errno));
    return EXIT_FAILURE;
}

/* counter[0]++; return 'result'; */
static int load(enum bpf_prog_type type, int result)
{
    int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "stranger", sizeof(uint32_t), sizeof(uint64_t), 1,
                             NULL);
    const struct bpf_insn program[] = {
        {.code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = BPF_REG_10, .off = -4, .imm = 0},
        {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_10},
        {.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_2, .imm = -4},
        {.code = BPF_LD | BPF_IMM | BPF_DW,
         .dst_reg = BPF_REG_1,
         .src_reg = BPF_PSEUDO_MAP_FD,
         .imm = map},
        {0},
        {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem},
        {.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = BPF_REG_0, .off = 2, .imm = 0},
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = 1},
        {.code = BPF_STX | BPF_ATOMIC | BPF_DW,
         .dst_reg = BPF_REG_0,
         .src_reg = BPF_REG_1,
         .imm = BPF_ADD},
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = result},
        {.code = BPF_JMP | BPF_EXIT},
    };

    return map < 0 ? -1
                   : bpf_prog_load(type, "stranger", "Dual BSD/GPL", program, ARRAY_SIZE(program),
                                   NULL);
}

static int add_filter(int ifindex, bool is_egress, uint32_t priority, int result)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
                .attach_point = is_egress ? BPF_TC_EGRESS : BPF_TC_INGRESS);
    LIBBPF_OPTS(bpf_tc_opts, filter, .priority = priority);
    int code = bpf_tc_hook_create(&hook);

    if (code && code != -EEXIST)
        return fail("cannot make a qdisc");
    filter.prog_fd = load(BPF_PROG_TYPE_SCHED_CLS, result);
    if (filter.prog_fd < 0)
        return fail("cannot load");
    return bpf_tc_attach(&hook, &filter) ? fail("cannot add a filter") : EXIT_SUCCESS;
}

static int add_xdp(int ifindex, bool is_native, int result)
{
    int fd = load(BPF_PROG_TYPE_XDP, result);

    if (fd < 0)
        return fail("cannot load");
    if (!bpf_xdp_attach(ifindex, fd, is_native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE, NULL))
        return EXIT_SUCCESS;
    fail("cannot attach");
    return errno == EOPNOTSUPP ? NOT_HERE : EXIT_FAILURE;
}

static int add_tcx(int ifindex, int result)
{
    int fd = load(BPF_PROG_TYPE_SCHED_CLS, result);

    if (fd < 0)
        return fail("cannot load");
    return bpf_prog_attach(fd, ifindex, (enum bpf_attach_type)TCX_INGRESS, 0) ? NOT_HERE
                                                                              : EXIT_SUCCESS;
}

static uint32_t find_filter(int ifindex, bool is_egress, uint32_t priority)
{
    struct tc_filter filters[64];
    int n = tc_filters_list(ifindex, is_egress, filters, ARRAY_SIZE(filters));

    for (int i = 0; i < n; i++)
        if (filters[i].priority == priority && filters[i].program_id)
            return filters[i].program_id;
    return 0;
}

static uint32_t find_xdp(int ifindex)
{
    uint32_t id = 0;

    bpf_xdp_query_id(ifindex, 0, &id);
    return id;
}

static int count(uint32_t program_id)
{
    uint32_t map_id, key = 0, n_bytes;
    uint64_t n_frames;
    struct bpf_prog_info info = {.nr_map_ids = 1, .map_ids = (uint64_t)(uintptr_t)&map_id};
    int fd = bpf_prog_get_fd_by_id(program_id);

    n_bytes = sizeof info;
    if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &n_bytes) || strcmp(info.name, "stranger") ||
        bpf_map_lookup_elem(bpf_map_get_fd_by_id(map_id), &key, &n_frames))
        return fail("no stranger is there");
    printf("%llu\n", (unsigned long long)n_frames);
    return EXIT_SUCCESS;
}

static bool is_word(int argc, char *argv[], int at, const char *word)
{
    return at < argc && !strcmp(argv[at], word);
}

int main(int argc, char *argv[])
{
    bool is_count = is_word(argc, argv, 1, "count");
    int i = is_count ? 2 : 1, n = argc - i - (is_count ? 0 : 1);
    int ifindex = i + 1 < argc ? (int)if_nametoindex(argv[i + 1]) : 0;
    int result = atoi(argv[argc - 1]);

    libbpf_set_print(NULL);
    if (ifindex && n == 4 && is_word(argc, argv, i, "tc")) {
        bool is_egress = !strcmp(argv[i + 2], "out");
        uint32_t priority = (uint32_t)atoi(argv[i + 3]);

        return is_count ? count(find_filter(ifindex, is_egress, priority))
                        : add_filter(ifindex, is_egress, priority, result);
    }
    if (ifindex && is_word(argc, argv, i, "xdp") && n == (is_count ? 2 : 3))
        return is_count ? count(find_xdp(ifindex))
                        : add_xdp(ifindex, is_word(argc, argv, i + 2, "native"), result);
    if (ifindex && n == 2 && is_word(argc, argv, i, "tcx"))
        return add_tcx(ifindex, result);
    fprintf(stderr, "stranger: see the top of stranger.c\n");
    return EXIT_FAILURE;
}

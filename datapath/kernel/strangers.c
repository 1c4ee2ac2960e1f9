/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/kernel/strangers.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "datapath/kernel/filter.h"
#include "lib/netlink/tc_filters.h"
#include "lib/netlink/xdp_programs.h"

enum { MAX_FILTERS = 64, MAX_SAID = 8 };

/* Younger than what we build on (Linux 6.6). */
enum { TCX_INGRESS = 46, TCX_EGRESS = 47 };

struct said {
    struct buffer *out;
    unsigned int n;
};

static const char *comma(struct said *said)
{
    return said->n++ ? ", " : "";
}

/* "?" if it has none, or has just gone. */
static void name_program(uint32_t id, char name[BPF_OBJ_NAME_LEN])
{
    struct bpf_prog_info info = {0};
    uint32_t n_bytes = sizeof info;
    int fd = bpf_prog_get_fd_by_id(id);

    memcpy(name, "?", 2);
    if (fd < 0)
        return;
    if (!bpf_obj_get_info_by_fd(fd, &info, &n_bytes) && *info.name)
        memcpy(name, info.name, BPF_OBJ_NAME_LEN);
    close(fd);
}

static bool is_our_name(const char *name)
{
    return !strncmp(name, "weir_", 5);
}

static void say_xdp(struct said *said, uint32_t id, const char *where)
{
    char name[BPF_OBJ_NAME_LEN];

    if (!id)
        return;
    name_program(id, name);
    if (!is_our_name(name))
        buffer_printf(said->out, "%sXDP program %s (%s)", comma(said), name, where);
}

static void look_for_xdp(int ifindex, struct said *said)
{
    struct xdp_programs found;

    if (xdp_programs_get(ifindex, &found))
        return;
    say_xdp(said, found.hardware, "in hardware");
    say_xdp(said, found.native, "native");
    say_xdp(said, found.generic, "generic");
}

static void look_for_tcx(int ifindex, bool is_egress, struct said *said)
{
    uint32_t ids[MAX_SAID];
    LIBBPF_OPTS(bpf_prog_query_opts, query, .prog_ids = ids, .prog_cnt = MAX_SAID);

    if (bpf_prog_query_opts(ifindex, (enum bpf_attach_type)(is_egress ? TCX_EGRESS : TCX_INGRESS),
                            &query))
        return;
    for (uint32_t i = 0; i < query.prog_cnt && i < MAX_SAID; i++) {
        char name[BPF_OBJ_NAME_LEN];

        name_program(ids[i], name);
        buffer_printf(said->out, "%stcx program %s (%s)", comma(said), name,
                      is_egress ? "egress" : "ingress");
    }
}

static bool is_ours(const struct tc_filter *filter)
{
    return filter->handle == FILTER_HANDLE && filter->priority == FILTER_PRIORITY &&
           !strcmp(filter->kind, "bpf");
}

/* One of the kind and priority of the one before says nothing new, unless it is a program. */
static bool is_repeated(const struct tc_filter *filter, const struct tc_filter *before)
{
    return before && before->priority == filter->priority && !strcmp(before->kind, filter->kind) &&
           !filter->program_id;
}

static void say_filter(const struct tc_filter *filter, bool is_egress, struct said *said)
{
    char name[BPF_OBJ_NAME_LEN];

    if (filter->program_id)
        name_program(filter->program_id, name);
    buffer_printf(said->out, "%sTC filter %s%s%s (%s, priority %u)", comma(said), filter->kind,
                  filter->program_id ? " " : "", filter->program_id ? name : "",
                  is_egress ? "egress" : "ingress", filter->priority);
}

static void look_for_filters(int ifindex, bool is_egress, struct said *said)
{
    struct tc_filter filters[MAX_FILTERS];
    int n = tc_filters_list(ifindex, is_egress, filters, MAX_FILTERS), n_left_out = 0;

    for (int i = 0; i < n; i++) {
        if (is_ours(&filters[i]) || is_repeated(&filters[i], i ? &filters[i - 1] : NULL))
            continue;
        if (said->n < MAX_SAID)
            say_filter(&filters[i], is_egress, said);
        else
            n_left_out++;
    }
    if (n_left_out)
        buffer_printf(said->out, ", and %d more", n_left_out);
}

void strangers_describe(int ifindex, struct buffer *out)
{
    struct said said = {.out = out};

    look_for_xdp(ifindex, &said);
    for (int is_egress = 0; is_egress < 2; is_egress++) {
        look_for_tcx(ifindex, is_egress, &said);
        look_for_filters(ifindex, is_egress, &said);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */

/* load - how many small frames does what lies between two interfaces forward?
 *
 *     load send INTERFACE SECONDS N_FLOWS FRAME_BYTES DST_MAC     sends, prints frames per second
 *     load receive INTERFACE SECONDS                              counts and drops, prints the
 *                                                                 median of its one-second samples
 *     load receive-late INTERFACE SECONDS                         the same, where the host's stack begins
 *     load swallow INTERFACE SECONDS                              takes what would leave by it, prints how
 *                                                                 many frames that were
 *     load tag INTERFACE SECONDS                                  sends and takes only frames with a tag
 *                                                                 of VLAN 10
 *
 * Frames are IPv4/UDP to 10.9.255.1, the flow number in source address and port.  Both need root, and
 * run in namespaces that the caller made. */

#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lib/clock.h"
#include "load.skel.h"

enum { SENT_COUNTER, ABSORBED_COUNTER, MAX_SECONDS = 60 };

/* A call waits for the kernel to take its frames' memory back, some 20 ms, so there shall be few; a signal ends it. */
enum { FRAMES_PER_CALL = 1 << 20 };

static volatile sig_atomic_t is_stopped;

static void stop(int signal_number)
{
    (void)signal_number;
    is_stopped = 1;
}

static uint64_t sum_counter(struct load_bpf *load, uint32_t which)
{
    int n_cpus = libbpf_num_possible_cpus();
    uint64_t *values = calloc((size_t)n_cpus, sizeof *values);
    uint64_t sum = 0;

    if (values && !bpf_map_lookup_elem(bpf_map__fd(load->maps.counters), &which, values))
        for (int i = 0; i < n_cpus; i++)
            sum += values[i];
    free(values);
    return sum;
}

static void make_frame(uint8_t *frame, size_t n_bytes, const char *dst_mac)
{
    struct ether_header *eth = (void *)frame;
    struct iphdr *ip = (void *)(eth + 1);
    struct udphdr *udp = (void *)(ip + 1);

    memset(frame, 0, n_bytes);
    memcpy(eth->ether_dhost, ether_aton(dst_mac), sizeof eth->ether_dhost);
    memcpy(eth->ether_shost, ether_aton("02:00:00:00:00:01"), sizeof eth->ether_shost);
    eth->ether_type = htons(ETHERTYPE_IP);
    ip->version = 4;
    ip->ihl = 5;
    ip->ttl = 64;
    ip->protocol = IPPROTO_UDP;
    ip->tot_len = htons((uint16_t)(n_bytes - sizeof *eth));
    ip->daddr = htonl(0x0a09ff01);
    udp->dest = htons(9);
    udp->len = htons((uint16_t)(n_bytes - sizeof *eth - sizeof *ip));
}

static int send_frames(struct load_bpf *load, int seconds, size_t frame_bytes, const char *dst_mac)
{
    uint8_t frame[1514];
    int64_t start = clock_now_ns();

    make_frame(frame, frame_bytes, dst_mac);
    while (!is_stopped && clock_now_ns() - start < seconds * SECOND_NS) {
        LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = (uint32_t)frame_bytes,
                    .repeat = FRAMES_PER_CALL, .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
                    .batch_size = 64);

        if (bpf_prog_test_run_opts(bpf_program__fd(load->progs.generate), &run) && errno != EINTR) {
            perror("load: BPF_PROG_RUN");
            return 1;
        }
    }
    printf("%.0f\n",
           (double)sum_counter(load, SENT_COUNTER) * SECOND_NS / (double)(clock_now_ns() - start));
    return 0;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static int attach_tc(int ifindex, enum bpf_tc_attach_point point, const struct bpf_program *program)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = point);
    LIBBPF_OPTS(bpf_tc_opts, filter, .handle = 1, .priority = 1,
                .prog_fd = bpf_program__fd(program));

    bpf_tc_hook_create(&hook);
    return bpf_tc_attach(&hook, &filter);
}

static void detach_tc(int ifindex)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
                .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

    bpf_tc_hook_destroy(&hook);
}

static int tag_frames(struct load_bpf *load, int ifindex, int seconds)
{
    int code = attach_tc(ifindex, BPF_TC_EGRESS, load->progs.push_tag);

    if (!code)
        code = attach_tc(ifindex, BPF_TC_INGRESS, load->progs.pop_tag);
    if (code)
        perror("load: attach");
    else if (!is_stopped)
        sleep((unsigned int)seconds); /* A signal ends it early. */
    detach_tc(ifindex);
    return code ? 1 : 0;
}

static int swallow_frames(struct load_bpf *load, int ifindex, int seconds)
{
    if (attach_tc(ifindex, BPF_TC_EGRESS, load->progs.swallow)) {
        perror("load: attach");
        return 1;
    }
    if (!is_stopped)
        sleep((unsigned int)seconds); /* A signal ends it early. */

    /* The device's other programs are a switch's. */
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_EGRESS);
    LIBBPF_OPTS(bpf_tc_opts, filter, .handle = 1, .priority = 1);
    bpf_tc_detach(&hook, &filter);
    printf("%llu\n", (unsigned long long)sum_counter(load, ABSORBED_COUNTER));
    return 0;
}

/* The late hook also takes what comes when there is no early one. */
static int attach(struct load_bpf *load, int ifindex, bool is_early)
{
    int fd = bpf_program__fd(load->progs.absorb);

    if (is_early && bpf_xdp_attach(ifindex, fd, XDP_FLAGS_DRV_MODE, NULL))
        return -1;
    return attach_tc(ifindex, BPF_TC_INGRESS, load->progs.absorb_late);
}

static void detach(int ifindex, bool is_early)
{
    if (is_early)
        bpf_xdp_detach(ifindex, XDP_FLAGS_DRV_MODE, NULL);
    detach_tc(ifindex);
}

static int receive_frames(struct load_bpf *load, int ifindex, int seconds, bool is_early)
{
    double samples[MAX_SECONDS];
    int n = 0;

    if (attach(load, ifindex, is_early)) {
        perror("load: attach");
        return 1;
    }
    int64_t before = clock_now_ns();
    uint64_t count_before = 0;

    while (!is_stopped && n < seconds) {
        sleep(1);
        int64_t now = clock_now_ns();
        uint64_t count = sum_counter(load, ABSORBED_COUNTER);

        samples[n++] = (double)(count - count_before) * SECOND_NS / (double)(now - before);
        before = now;
        count_before = count;
    }
    detach(ifindex, is_early);
    qsort(samples, (size_t)n, sizeof *samples, compare_doubles);
    printf("%.0f\n", n ? samples[n / 2] : 0);
    return 0;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    bool sends = argc == 7 && !strcmp(verb, "send");
    bool is_early = !strcmp(verb, "receive"), tags = !strcmp(verb, "tag");
    bool swallows = !strcmp(verb, "swallow");

    if (!sends && (argc != 4 || !(is_early || tags || swallows || !strcmp(verb, "receive-late")))) {
        fprintf(stderr, "usage: load send INTERFACE SECONDS N_FLOWS FRAME_BYTES DST_MAC\n"
                        "       load receive|receive-late|swallow|tag INTERFACE SECONDS\n");
        return 2;
    }
    int ifindex = (int)if_nametoindex(argv[2]), seconds = atoi(argv[3]);
    size_t frame_bytes = sends ? (size_t)atoi(argv[5]) : 64;

    if (!ifindex || seconds < 1 || seconds > MAX_SECONDS || frame_bytes < 60 ||
        frame_bytes > 1514 || (sends && !ether_aton(argv[6]))) {
        fprintf(stderr, "load: no such interface, or an argument out of range\n");
        return 2;
    }
    signal(SIGINT, stop);
    signal(SIGTERM, stop);

    struct load_bpf *load = load_bpf__open();

    if (load && sends) {
        uint8_t frame[1514];

        make_frame(frame, frame_bytes, argv[6]);
        memcpy((void *)load->rodata->eth_addresses, frame, sizeof load->rodata->eth_addresses);
        load->rodata->out_ifindex = (uint32_t)ifindex;
        load->rodata->n_flows = (uint32_t)atoi(argv[4]) ? (uint32_t)atoi(argv[4]) : 1;
    }
    if (!load || load_bpf__load(load)) {
        perror("load: cannot load the BPF programs");
        return 1;
    }
    int status;
    if (sends)
        status = send_frames(load, seconds, frame_bytes, argv[6]);
    else if (swallows)
        status = swallow_frames(load, ifindex, seconds);
    else if (tags)
        status = tag_frames(load, ifindex, seconds);
    else
        status = receive_frames(load, ifindex, seconds, is_early);
    load_bpf__destroy(load);
    return status;
}

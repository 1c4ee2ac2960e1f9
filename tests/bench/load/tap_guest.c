/* SPDX-License-Identifier: Apache-2.0 */

/* tap_guest - how fast do frames pass from one guest to another?
 *
 *     tap_guest send TAP SECONDS FRAME_BYTES MAC PEER_MAC    a guest that sends, as fast as it can;
 *                                                            prints frames per second
 *     tap_guest flood TAP SECONDS PPS FRAMES MAC PEER_MAC    small UDP, each flow, of 5 million, of so many
 *                                                            frames; prints frames per second; SIGTERM
 *                                                            ends it, SIGSTOP interrupts it
 *     tap_guest receive TAP SECONDS MAC PEER_MAC             a guest that takes what comes; prints frames
 *                                                            and bytes per second
 *
 * Each stands in for QEMU with a virtio network card: it holds the descriptor of a tap with a
 * virtio header and every offload on.  Frames longer than 1514 bytes are TCP super-frames whose segments
 * and checksum are left to do; others are UDP whose checksum is left to do. */

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/clock.h"

enum {
    MIN_FRAME = 60,
    MAX_FRAME = 65535 + 14,
    MTU_FRAME = 1514,
    MSS = 1448,
    N_FLOOD_FLOWS = 5000000,
    TIMESTAMP_BYTES = 12
};

#define HELD_NS (500 * MILLISECOND_NS)

struct tap_frame {
    struct virtio_net_hdr vnet;
    uint8_t bytes[MAX_FRAME];
} __attribute__((packed));

struct stations {
    struct ether_addr own, peer;
};

static int open_tap(const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    int header_bytes = sizeof(struct virtio_net_hdr);

    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) || ioctl(fd, TUNSETVNETHDRSZ, &header_bytes) ||
        ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)) {
        perror(name);
        exit(1);
    }
    return fd;
}

static uint32_t sum_words(const void *bytes, size_t n_bytes)
{
    const uint16_t *words = bytes;
    uint32_t sum = 0;

    for (size_t i = 0; i < n_bytes / 2; i++)
        sum += words[i];
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* What the sender's stack leaves in the checksum field: the sum of the pseudo header. */
static uint16_t pseudo_header_sum(const struct iphdr *ip, size_t l4_bytes)
{
    return fold(sum_words(&ip->saddr, 8) + htons(ip->protocol) + htons((uint16_t)l4_bytes));
}

static void make_transport(struct tap_frame *frame, struct iphdr *ip, size_t l4_bytes)
{
    size_t l4_offset = sizeof(struct ether_header) + sizeof *ip;
    bool is_super = l4_offset + l4_bytes > MTU_FRAME;

    frame->vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    frame->vnet.csum_start = (uint16_t)l4_offset;
    ip->protocol = is_super ? IPPROTO_TCP : IPPROTO_UDP;
    if (is_super) {
        struct tcphdr *tcp = (void *)(ip + 1);

        tcp->source = tcp->dest = htons(9);
        tcp->doff = (sizeof *tcp + TIMESTAMP_BYTES) / 4;
        tcp->ack = 1;
        memset(tcp + 1, 1, TIMESTAMP_BYTES); /* No operation. */
        tcp->check = pseudo_header_sum(ip, l4_bytes);
        frame->vnet.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
        frame->vnet.gso_size = MSS;
        frame->vnet.csum_offset = offsetof(struct tcphdr, check);
        frame->vnet.hdr_len = (uint16_t)(l4_offset + sizeof *tcp + TIMESTAMP_BYTES);
    } else {
        struct udphdr *udp = (void *)(ip + 1);

        udp->source = udp->dest = htons(9);
        udp->len = htons((uint16_t)l4_bytes);
        udp->check = pseudo_header_sum(ip, l4_bytes);
        frame->vnet.csum_offset = offsetof(struct udphdr, check);
    }
}

static void make_frame(struct tap_frame *frame, size_t n_bytes, const struct stations *stations)
{
    struct ether_header *eth = (void *)frame->bytes;
    struct iphdr *ip = (void *)(eth + 1);

    memset(frame, 0, sizeof *frame);
    memcpy(eth->ether_dhost, &stations->peer, sizeof eth->ether_dhost);
    memcpy(eth->ether_shost, &stations->own, sizeof eth->ether_shost);
    eth->ether_type = htons(ETHERTYPE_IP);
    ip->version = 4;
    ip->ihl = 5;
    ip->ttl = 64;
    ip->tot_len = htons((uint16_t)(n_bytes - sizeof *eth));
    ip->saddr = htonl(0x0a090001);
    ip->daddr = htonl(0x0a090002);
    make_transport(frame, ip, n_bytes - sizeof *eth - sizeof *ip);
    ip->check = (uint16_t)~fold(sum_words(ip, sizeof *ip));
}

static int send_frames(int fd, int seconds, size_t n_bytes, const struct stations *stations)
{
    static struct tap_frame frame;
    int64_t start = clock_now_ns();
    uint64_t n_sent = 0;

    make_frame(&frame, n_bytes, stations);
    while (clock_now_ns() - start < seconds * SECOND_NS) {
        for (int i = 0; i < 16; i++)
            n_sent += write(fd, &frame, sizeof frame.vnet + n_bytes) > 0;
        if (!n_sent) {
            perror("tap_guest: write");
            return 1;
        }
    }
    printf("%.0f\n", (double)n_sent * SECOND_NS / (double)(clock_now_ns() - start));
    return 0;
}

/* Address and port of the sender say which flow; the checksums follow the difference (RFC 1624). */
static void set_flow(struct tap_frame *frame, uint32_t flow)
{
    struct iphdr *ip = (void *)(frame->bytes + sizeof(struct ether_header));
    struct udphdr *udp = (void *)(ip + 1);
    uint32_t from = ip->saddr, to = htonl(0x0b000000 + flow / 50000);

    ip->saddr = to;
    ip->check = (uint16_t)~fold((uint16_t)~ip->check + (to & 0xffff) + (to >> 16) +
                                (~from & 0xffff) + (~from >> 16));
    udp->source = htons((uint16_t)(1024 + flow % 50000));
    udp->check = pseudo_header_sum(ip, MIN_FRAME - sizeof(struct ether_header) - sizeof *ip);
}

struct flood {
    int pps, flow_frames;
};

static volatile sig_atomic_t is_stopped;

static void stop(int signal_number)
{
    (void)signal_number;
    is_stopped = 1;
}

/* While the process is held (SIGSTOP) no time passes. */
static int flood(int fd, int seconds, const struct flood *flood, const struct stations *stations)
{
    static struct tap_frame frame;
    int64_t last_ns = clock_now_ns(), spent_ns = 0;
    uint64_t n_sent = 0, n_tried = 0;

    signal(SIGTERM, stop);
    make_frame(&frame, MIN_FRAME, stations);
    while (spent_ns < seconds * SECOND_NS && !is_stopped) {
        int64_t now_ns = clock_now_ns(), more_ns = now_ns - last_ns;

        spent_ns += more_ns < HELD_NS ? more_ns : 0;
        last_ns = now_ns;
        for (uint64_t due = (uint64_t)spent_ns * (uint64_t)flood->pps / SECOND_NS; n_tried < due;
             n_tried++) {
            set_flow(&frame, (uint32_t)(n_tried / (uint64_t)flood->flow_frames % N_FLOOD_FLOWS));
            n_sent += write(fd, &frame, sizeof frame.vnet + MIN_FRAME) > 0;
        }
        poll(NULL, 0, 1);
    }
    printf("%.0f\n", spent_ns ? (double)n_sent * SECOND_NS / (double)spent_ns : 0);
    return 0;
}

/* Counts IPv4 frames: others are the chatter of the host.  The first frame tells the switch where we are. */
static int receive_frames(int fd, int seconds, const struct stations *stations)
{
    static struct tap_frame frame;

    make_frame(&frame, MIN_FRAME, stations);
    if (write(fd, &frame, sizeof frame.vnet + MIN_FRAME) < 0) {
        perror("tap_guest: write");
        return 1;
    }

    int64_t start = 0, now = clock_now_ns(), deadline = now + (seconds + 5) * SECOND_NS;
    uint64_t n_frames = 0, n_bytes = 0;
    struct pollfd wait = {.fd = fd, .events = POLLIN};

    while (now < deadline) {
        ssize_t n = read(fd, &frame, sizeof frame);

        if (n < 0 && errno == EAGAIN)
            poll(&wait, 1, 100);
        now = clock_now_ns();
        if (n <= (ssize_t)sizeof frame.vnet + 14 || frame.bytes[12] != 8 || frame.bytes[13] != 0)
            continue;
        if (!start) {
            start = now;
            deadline = start + seconds * SECOND_NS;
        }
        n_frames++;
        n_bytes += (uint64_t)n - sizeof frame.vnet;
    }
    double took = start ? (double)(now - start) / SECOND_NS : 1;

    printf("%.0f %.0f\n", (double)n_frames / took, (double)n_bytes / took);
    return 0;
}

int main(int argc, char **argv)
{
    bool floods = argc == 8 && !strcmp(argv[1], "flood");
    bool sends = argc == 7 && !strcmp(argv[1], "send");
    bool receives = argc == 6 && !strcmp(argv[1], "receive");

    if (!sends && !receives && !floods) {
        fprintf(stderr, "usage: tap_guest send TAP SECONDS FRAME_BYTES MAC PEER_MAC\n"
                        "       tap_guest flood TAP SECONDS PPS FRAMES MAC PEER_MAC\n"
                        "       tap_guest receive TAP SECONDS MAC PEER_MAC\n");
        return 2;
    }
    int seconds = atoi(argv[3]), n_bytes = sends ? atoi(argv[4]) : MIN_FRAME;
    struct flood wanted = {.pps = floods ? atoi(argv[4]) : 1,
                           .flow_frames = floods ? atoi(argv[5]) : 1};
    struct stations stations;

    if (seconds < 1 || wanted.pps < 1 || wanted.flow_frames < 1 || n_bytes < MIN_FRAME ||
        n_bytes > MAX_FRAME || !ether_aton_r(argv[argc - 2], &stations.own) ||
        !ether_aton_r(argv[argc - 1], &stations.peer)) {
        fprintf(stderr, "tap_guest: an argument is out of range\n");
        return 2;
    }
    int fd = open_tap(argv[2]);

    if (floods)
        return flood(fd, seconds, &wanted, &stations);
    return sends ? send_frames(fd, seconds, (size_t)n_bytes, &stations)
                 : receive_frames(fd, seconds, &stations);
}

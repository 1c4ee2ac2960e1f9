/* SPDX-License-Identifier: Apache-2.0 */

/* new_flows - frames each of which is of a flow that was never seen
 *
 *     new_flows PPS MILLISECONDS FIRST DEVICE...    prints how many it sent
 *
 * 60 bytes of UDP over IPv4 to 10.99.0.1; address and port of the sender are the number of the flow, from
 * FIRST on.  The devices take turns.  PPS is kept in even steps, and what is late is sent at once; 0 is as fast as
 * possible. */

#include <assert.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/clock.h"

enum { FRAME_BYTES = 60, BATCH = 32, MAX_DEVICES = 16, PORT_BITS = 12, FIRST_PORT = 1024 };

struct frame {
    struct ether_header eth;
    struct iphdr ip;
    struct udphdr udp;
    uint8_t padding[FRAME_BYTES - sizeof(struct ether_header) - sizeof(struct iphdr) -
                    sizeof(struct udphdr)];
} __attribute__((packed));
static_assert(sizeof(struct frame) == FRAME_BYTES, "what goes on the wire");

struct sender {
    int fds[MAX_DEVICES];
    int n_devices, device;
    uint64_t flow;
    struct frame frames[BATCH];
    struct iovec vectors[BATCH];
    struct mmsghdr messages[BATCH];
};

static int open_device(const char *name)
{
    struct sockaddr_ll addr = {
        .sll_family = AF_PACKET,
        .sll_ifindex = (int)if_nametoindex(name),
    };
    int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1;

    if (fd < 0 || !addr.sll_ifindex || bind(fd, (struct sockaddr *)&addr, sizeof addr) ||
        setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one)) {
        perror(name);
        exit(1);
    }
    return fd;
}

static void make_frame(struct frame *frame)
{
    memset(frame, 0, sizeof *frame);
    memcpy(frame->eth.ether_dhost, (uint8_t[]){2, 0, 0, 0, 0, 2}, ETH_ALEN);
    memcpy(frame->eth.ether_shost, (uint8_t[]){2, 0, 0, 0, 0, 1}, ETH_ALEN);
    frame->eth.ether_type = htons(ETHERTYPE_IP);
    frame->ip.version = 4;
    frame->ip.ihl = sizeof frame->ip / 4;
    frame->ip.ttl = 64;
    frame->ip.protocol = IPPROTO_UDP;
    frame->ip.tot_len = htons(FRAME_BYTES - sizeof frame->eth);
    frame->ip.daddr = htonl(0x0a630001);
    frame->udp.dest = htons(9);
    frame->udp.len = htons(FRAME_BYTES - sizeof frame->eth - sizeof frame->ip);
}

static void set_flow(struct frame *frame, uint64_t flow)
{
    uint16_t words[sizeof frame->ip / 2];
    uint32_t sum = 0;

    frame->udp.source = htons((uint16_t)(FIRST_PORT + flow % (1 << PORT_BITS)));
    frame->ip.saddr = htonl((uint32_t)(0x0b000000 + (flow >> PORT_BITS)));
    frame->ip.check = 0;
    memcpy(words, &frame->ip, sizeof words);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        sum += words[i];
    sum = (sum & 0xffff) + (sum >> 16);
    frame->ip.check = (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

static void sender_init(struct sender *sender, char **devices, int n_devices, uint64_t first)
{
    memset(sender, 0, sizeof *sender);
    for (int i = 0; i < n_devices; i++)
        sender->fds[i] = open_device(devices[i]);
    sender->n_devices = n_devices;
    sender->flow = first;
    for (int i = 0; i < BATCH; i++) {
        make_frame(&sender->frames[i]);
        sender->vectors[i] = (struct iovec){&sender->frames[i], FRAME_BYTES};
        sender->messages[i].msg_hdr.msg_iov = &sender->vectors[i];
        sender->messages[i].msg_hdr.msg_iovlen = 1;
    }
}

/* A burst of 'n' by the device whose turn it is.  How many have left. */
static int send_burst(struct sender *sender, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++)
        set_flow(&sender->frames[i], sender->flow + i);
    int n_sent = sendmmsg(sender->fds[sender->device], sender->messages, n, 0);

    sender->device = (sender->device + 1) % sender->n_devices;
    if (n_sent < 0) {
        if (errno == ENOBUFS)
            return 0;
        perror("new_flows: sendmmsg");
        exit(1);
    }
    sender->flow += (uint64_t)n_sent;
    return n_sent;
}

int main(int argc, char **argv)
{
    static struct sender sender;
    uint64_t n_sent = 0;

    if (argc < 5 || argc > 4 + MAX_DEVICES || atoi(argv[2]) < 1) {
        fprintf(stderr, "usage: new_flows PPS MILLISECONDS FIRST DEVICE...\n");
        return 2;
    }
    uint64_t pps = strtoull(argv[1], NULL, 0);
    int64_t duration_ns = atoi(argv[2]) * MILLISECOND_NS, start_ns, spent_ns = 0;

    sender_init(&sender, argv + 4, argc - 4, strtoull(argv[3], NULL, 0));
    start_ns = clock_now_ns();
    while (spent_ns < duration_ns) {
        uint64_t n_due = pps ? (uint64_t)spent_ns * pps / SECOND_NS - n_sent : BATCH;

        if (n_due)
            n_sent += (uint64_t)send_burst(&sender,
                                           n_due < BATCH ? (unsigned int)n_due : (unsigned)BATCH);
        spent_ns = clock_now_ns() - start_ns;
    }
    printf("%llu\n", (unsigned long long)n_sent);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */

/* probe - which frames of a steady stream arrive, and how long is the longest silence?
 *
 *     probe send ADDRESS KIND PORT N-PORTS PPS SECONDS    UDP with a letter of kind and a number in it,
 *                                                         to N-PORTS ports in turn; prints how many were sent
 *     probe receive INTERFACE SECONDS                     prints a line for each kind that came:
 *                                                         KIND received N doubled N gap_ms N
 *
 * The receiver is a packet socket, so that it sees what should never have come as well.  It ends early by
 * SIGTERM. */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"

enum {
    MAX_FRAMES = 1 << 22,
    BURSTS_PER_SECOND = 1000,
    RECEIVE_BUFFER = 16 << 20,
    MAX_FRAME_BYTES = 256,
    IP_ALIGN_BYTES = 2, /* In front of an Ethernet header, for the one behind it. */
};

static const char magic[7] = "weirprb";

struct __attribute__((packed)) payload {
    char magic[sizeof magic];
    char kind;
    uint32_t number;
};

struct stream {
    uint8_t *seen; /* A byte for each number. */
    uint32_t n_received, n_doubled;
    int64_t last_ns, gap_ns;
};

static volatile sig_atomic_t is_stopped;

static void stop(int signal_number)
{
    (void)signal_number;
    is_stopped = 1;
}

static int send_stream(struct sockaddr_in *to, char kind, int port, int n_ports, int pps,
                       int seconds)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    uint32_t n_sent = 0, number = 0;
    int64_t start = clock_now_ns();

    while (!is_stopped && clock_now_ns() - start < seconds * SECOND_NS) {
        /* What is due by now; a burst of a millisecond, then sleep. */
        int64_t due = (clock_now_ns() - start) * pps / SECOND_NS + 1;

        for (; number < due; number++) {
            struct payload payload = {.kind = kind, .number = number};

            memcpy(payload.magic, magic, sizeof magic);
            to->sin_port = htons((uint16_t)(port + (int)(number % (uint32_t)n_ports)));
            n_sent += sendto(fd, &payload, sizeof payload, 0, (struct sockaddr *)to, sizeof *to) >
                      0;
        }
        nanosleep(&(struct timespec){.tv_nsec = SECOND_NS / BURSTS_PER_SECOND}, NULL);
    }
    printf("%u\n", n_sent);
    return 0;
}

static void note(struct stream *stream, uint32_t number, int64_t now_ns)
{
    if (!stream->seen)
        stream->seen = calloc(1, MAX_FRAMES);
    if (!stream->seen || number >= MAX_FRAMES)
        return;
    if (stream->seen[number]) {
        stream->n_doubled++;
        return;
    }
    stream->seen[number] = 1;
    stream->n_received++;
    if (stream->last_ns && now_ns - stream->last_ns > stream->gap_ns)
        stream->gap_ns = now_ns - stream->last_ns;
    stream->last_ns = now_ns;
}

static const struct payload *find_payload(const uint8_t *frame, ssize_t n_bytes)
{
    const struct iphdr *ip = (const void *)(frame + sizeof(struct ether_header));
    const struct payload *payload = (const void *)((const struct udphdr *)(ip + 1) + 1);

    if (n_bytes < (const uint8_t *)(payload + 1) - frame || ip->ihl != 5 ||
        ip->protocol != IPPROTO_UDP || memcmp(payload->magic, magic, sizeof magic))
        return NULL;
    return payload;
}

static int receive_streams(int ifindex, int seconds)
{
    static struct stream streams[UINT8_MAX + 1];
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = ifindex};
    struct timeval patience = {.tv_usec = 50000};
    int fd = socket(AF_PACKET, SOCK_RAW, 0), buffer = RECEIVE_BUFFER;
    int64_t start = clock_now_ns();

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
    if (bind(fd, (struct sockaddr *)&address, sizeof address)) {
        perror("probe: bind");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    while (!is_stopped && clock_now_ns() - start < seconds * SECOND_NS) {
        _Alignas(uint32_t) uint8_t memory[IP_ALIGN_BYTES + MAX_FRAME_BYTES];
        uint8_t *frame = memory + IP_ALIGN_BYTES;
        ssize_t n = recv(fd, frame, MAX_FRAME_BYTES, 0);
        const struct payload *payload = n > 0 ? find_payload(frame, n) : NULL;

        if (payload)
            note(&streams[(uint8_t)payload->kind], payload->number, clock_now_ns());
    }
    for (int kind = 0; kind <= UINT8_MAX; kind++)
        if (streams[kind].n_received)
            printf("%c received %u doubled %u gap_ms %lld\n", kind, streams[kind].n_received,
                   streams[kind].n_doubled, (long long)(streams[kind].gap_ns / MILLISECOND_NS));
    return 0;
}

int main(int argc, char **argv)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    struct sigaction action = {.sa_handler = stop};

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    if (argc == 8 && !strcmp(argv[1], "send") && inet_pton(AF_INET, argv[2], &to.sin_addr) == 1 &&
        atoi(argv[5]) > 0)
        return send_stream(&to, argv[3][0], atoi(argv[4]), atoi(argv[5]), atoi(argv[6]),
                           atoi(argv[7]));
    if (argc == 4 && !strcmp(argv[1], "receive") && if_nametoindex(argv[2]))
        return receive_streams((int)if_nametoindex(argv[2]), atoi(argv[3]));
    fprintf(stderr, "usage: probe send ADDRESS KIND PORT N-PORTS PPS SECONDS\n"
                    "       probe receive INTERFACE SECONDS\n");
    return 2;
}

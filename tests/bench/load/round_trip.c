/* SPDX-License-Identifier: Apache-2.0 */

/* round_trip - how long is a small UDP frame under way, there and back?
 *
 *     round_trip serve PORT                   answers every datagram, until killed
 *     round_trip ask ADDRESS PORT SECONDS     one datagram at a time; prints the median and the
 *                                             99th percentile in nanoseconds */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "lib/clock.h"

enum { MAX_SAMPLES = 1 << 20 };

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int serve(int fd, struct sockaddr_in *address)
{
    char byte[64];

    address->sin_addr.s_addr = htonl(INADDR_ANY);
    if (bind(fd, (struct sockaddr *)address, sizeof *address)) {
        perror("round_trip: bind");
        return 1;
    }
    for (;;) {
        struct sockaddr_in from;
        socklen_t length = sizeof from;
        ssize_t n = recvfrom(fd, byte, sizeof byte, 0, (struct sockaddr *)&from, &length);

        if (n >= 0)
            sendto(fd, byte, (size_t)n, 0, (struct sockaddr *)&from, length);
    }
}

static int ask(int fd, const struct sockaddr_in *address, int seconds)
{
    static int64_t samples[MAX_SAMPLES];
    struct timeval patience = {.tv_usec = 200000};
    size_t n = 0, n_lost = 0;
    int64_t start = clock_now_ns();
    char byte[18] = "round trip";

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)address, sizeof *address)) {
        perror("round_trip: connect");
        return 1;
    }
    while (n < MAX_SAMPLES && clock_now_ns() - start < seconds * SECOND_NS) {
        int64_t sent = clock_now_ns();

        if (send(fd, byte, sizeof byte, 0) < 0 || recv(fd, byte, sizeof byte, 0) < 0)
            n_lost++;
        else
            samples[n++] = clock_now_ns() - sent;
    }
    if (!n) {
        fprintf(stderr, "round_trip: no answer\n");
        return 1;
    }
    qsort(samples, n, sizeof *samples, compare_times);
    printf("%lld %lld\n", (long long)samples[n / 2], (long long)samples[n * 99 / 100]);
    return 0;
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    if (argc == 3 && !strcmp(argv[1], "serve")) {
        address.sin_port = htons((uint16_t)atoi(argv[2]));
        return serve(fd, &address);
    }
    if (argc == 5 && !strcmp(argv[1], "ask") && inet_pton(AF_INET, argv[2], &address.sin_addr)) {
        address.sin_port = htons((uint16_t)atoi(argv[3]));
        return ask(fd, &address, atoi(argv[4]));
    }
    fprintf(stderr, "usage: round_trip serve PORT | round_trip ask ADDRESS PORT SECONDS\n");
    return 2;
}

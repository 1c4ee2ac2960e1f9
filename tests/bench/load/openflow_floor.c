/* SPDX-License-Identifier: Apache-2.0 */

/* How fast could a client of OpenFlow be if the switch cost nothing?
 *
 *     openflow_floor SOCKET [STATISTICS]
 *
 * A switch that answers and does nothing: a barrier gets its reply, a packet-out to the controller a packet-in, a request
 * for statistics those messages of the file that are of their kind, as a real switch sent them.  Flow_mods are only
 * counted off.  What a client needs with it is the client's own time and the kernel's. */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/byteorder.h"
#include "lib/openflow/messages.h"

enum { HEADER_BYTES = 8, READ_BYTES = 256 << 10, MAX_PEERS = 16 };

enum type {
    HELLO = 0,
    ECHO_REQUEST = 2,
    ECHO_REPLY = 3,
    FEATURES_REQUEST = 5,
    FEATURES_REPLY = 6,
    PACKET_IN = 10,
    PACKET_OUT = 13,
    MULTIPART_REQUEST = 18,
    BARRIER_REQUEST = 20,
    BARRIER_REPLY = 21,
    BUNDLE_CONTROL = 33,
};

struct peer {
    int fd;
    size_t n_bytes;
    uint8_t input[READ_BYTES + UINT16_MAX];
};

static uint8_t *statistics;
static size_t statistics_bytes;

static void send_all(int fd, const void *data, size_t n_bytes)
{
    const uint8_t *from = data;

    while (n_bytes) {
        ssize_t n = send(fd, from, n_bytes, MSG_NOSIGNAL);

        if (n < 0)
            return; /* The reader will notice. */
        from += n;
        n_bytes -= (size_t)n;
    }
}

/* 'request' turned into a reply of 'type' with 'n_bytes' behind the header. */
static void answer(int fd, const struct of_header *request, enum type type, const void *body,
                   size_t n_bytes)
{
    uint8_t reply[512] = {0};
    struct of_header header = *request;

    header.type = (uint8_t)type;
    header.n_bytes = be16_from((uint16_t)(HEADER_BYTES + n_bytes));
    memcpy(reply, &header, HEADER_BYTES);
    if (body)
        memcpy(reply + HEADER_BYTES, body, n_bytes);
    send_all(fd, reply, HEADER_BYTES + n_bytes);
}

/* One whose first action is an output to the controller.  OpenFlow 1.3.5, sections 7.3.7 and 7.4.1: 42 bytes of
 * frame under an OXM match of in_port 0xfffffffd. */
static void answer_packet_out(int fd, const struct of_header *request)
{
    static const uint8_t to_controller[] = {0xff, 0xff, 0xff, 0xfd};
    const size_t port_at = HEADER_BYTES + 16 + 4;
    static const uint8_t in_port[] = {0, 1, 0, 12, 0x80, 0, 0, 4, 0xff, 0xff, 0xff, 0xfd};
    uint8_t body[16 + 16 + 2 + 42] = {0xff, 0xff, 0xff, 0xff, 0, 42};

    if (be16_host(request->n_bytes) < port_at + sizeof to_controller ||
        memcmp((const uint8_t *)request + port_at, to_controller, sizeof to_controller))
        return;
    memcpy(body + 16, in_port, sizeof in_port);
    answer(fd, request, PACKET_IN, body, sizeof body);
}

/* Bundle control: the same with the type that follows, open_reply for open_request and so on. */
static void answer_bundle(int fd, const struct of_header *request)
{
    uint8_t body[8];

    memcpy(body, request + 1, sizeof body);
    body[5]++;
    answer(fd, request, BUNDLE_CONTROL, body, sizeof body);
}

/* What was recorded of the statistics that are asked for. */
static void answer_multipart(int fd, const struct of_header *request)
{
    for (size_t at = 0, n; at < statistics_bytes; at += n) {
        struct of_header *header = (struct of_header *)(void *)(statistics + at);

        n = be16_host(header->n_bytes);
        header->xid = request->xid;
        if (!memcmp(header + 1, request + 1, 2))
            send_all(fd, header, n);
    }
}

static void handle(int fd, const struct of_header *request)
{
    switch (request->type) {
    case HELLO:
        answer(fd, request, HELLO, NULL, 0);
        break;
    case ECHO_REQUEST:
        answer(fd, request, ECHO_REPLY, NULL, 0);
        break;
    case FEATURES_REQUEST:
        answer(fd, request, FEATURES_REPLY, NULL, 24);
        break;
    case PACKET_OUT:
        answer_packet_out(fd, request);
        break;
    case MULTIPART_REQUEST:
        answer_multipart(fd, request);
        break;
    case BARRIER_REQUEST:
        answer(fd, request, BARRIER_REPLY, NULL, 0);
        break;
    case BUNDLE_CONTROL:
        answer_bundle(fd, request);
        break;
    }
}

/* False: the peer is gone. */
static bool serve(struct peer *peer)
{
    ssize_t n = recv(peer->fd, peer->input + peer->n_bytes, READ_BYTES, 0);
    size_t at = 0;

    if (n <= 0)
        return n < 0 && errno == EINTR;
    peer->n_bytes += (size_t)n;
    while (peer->n_bytes - at >= HEADER_BYTES) {
        const struct of_header *header = (const struct of_header *)(const void *)(peer->input + at);
        size_t length = be16_host(header->n_bytes);

        if (length < HEADER_BYTES)
            return false;
        if (length > peer->n_bytes - at)
            break;
        handle(peer->fd, header);
        at += length;
    }
    peer->n_bytes -= at;
    memmove(peer->input, peer->input + at, peer->n_bytes);
    return true;
}

static bool load_statistics(const char *path)
{
    FILE *file = fopen(path, "rb");

    if (!file || fseek(file, 0, SEEK_END))
        return false;
    statistics_bytes = (size_t)ftell(file);
    rewind(file);
    statistics = malloc(statistics_bytes + 1);
    bool is_read = statistics && fread(statistics, 1, statistics_bytes, file) == statistics_bytes;
    fclose(file);
    return is_read;
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (strlen(path) >= sizeof address.sun_path)
        return -1;
    strcpy(address.sun_path, path);
    return bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, MAX_PEERS) ? -1 : fd;
}

static void run(int listener)
{
    static struct peer peers[MAX_PEERS];
    struct pollfd polled[1 + MAX_PEERS] = {{.fd = listener, .events = POLLIN}};
    size_t n = 0;

    while (poll(polled, n + 1, -1) >= 0) {
        for (size_t i = n; i > 0; i--) {
            if (!polled[i].revents || serve(&peers[i - 1]))
                continue;
            close(polled[i].fd);
            n--;
            polled[i] = polled[n + 1];
            peers[i - 1] = peers[n];
        }
        if (polled[0].revents && n < MAX_PEERS) {
            peers[n] = (struct peer){.fd = accept(listener, NULL, NULL)};
            polled[++n] = (struct pollfd){.fd = peers[n - 1].fd, .events = POLLIN};
        }
    }
}

int main(int argc, char **argv)
{
    int listener = argc > 1 ? listen_at(argv[1]) : -1;

    if (listener < 0 || (argc > 2 && !load_statistics(argv[2]))) {
        fprintf(stderr, "openflow_floor: SOCKET [STATISTICS]: %s\n", strerror(errno));
        return 1;
    }
    run(listener);
    return 0;
}

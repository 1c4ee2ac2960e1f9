/* SPDX-License-Identifier: Apache-2.0 */

/* A client of OpenFlow 1.4 that takes little time itself, so that what is measured is the switch.
 *
 *     openflow_client SOCKET dump                 asks for all flows
 *     openflow_client SOCKET packet-in N BATCH    sends N frames to the controller, itself, BATCH at a time, and
 *                                                 waits for as many packet-ins before it sends more
 *
 * Prints how long that took, in nanoseconds, from the first message sent to the last one received. */

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/byteorder.h"
#include "lib/clock.h"
#include "lib/openflow/messages.h"

enum { OPENFLOW_1_4 = 5, INPUT_BYTES = 1 << 20, MAX_BATCH = 1000, WARM_UP = 100 };

enum type {
    HELLO = 0,
    ERROR = 1,
    ECHO_REQUEST = 2,
    ECHO_REPLY = 3,
    SET_CONFIG = 9,
    PACKET_IN = 10,
    MULTIPART_REQUEST = 18,
    MULTIPART_REPLY = 19,
};

static const char *path;
static int server;
static uint8_t input[INPUT_BYTES];
static size_t input_bytes, input_taken;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "openflow_client: %s: %s: %s\n", path, what, strerror(errno));
    exit(1);
}

static void send_all(const void *data, size_t n_bytes)
{
    const uint8_t *from = data;

    while (n_bytes) {
        ssize_t n = send(server, from, n_bytes, MSG_NOSIGNAL);

        if (n < 0)
            fail("send");
        from += n;
        n_bytes -= (size_t)n;
    }
}

/* With a body of up to 200 bytes. */
static void send_message(enum type type, const void *body, size_t n_bytes)
{
    uint8_t message[256];
    struct of_header header = {.version = OPENFLOW_1_4, .type = (uint8_t)type};

    header.n_bytes = be16_from((uint16_t)(sizeof header + n_bytes));
    memcpy(message, &header, sizeof header);
    if (n_bytes)
        memcpy(message + sizeof header, body, n_bytes);
    send_all(message, sizeof header + n_bytes);
}

static void receive_more(void)
{
    memmove(input, input + input_taken, input_bytes - input_taken);
    input_bytes -= input_taken;
    input_taken = 0;
    ssize_t n = recv(server, input + input_bytes, sizeof input - input_bytes, 0);
    if (n <= 0)
        fail("recv");
    input_bytes += (size_t)n;
}

/* The next message, whatever it is. */
static const uint8_t *receive(void)
{
    for (;;) {
        size_t left = input_bytes - input_taken;
        const uint8_t *message = input + input_taken;
        size_t n_bytes = left < sizeof(struct of_header) ? SIZE_MAX
                                                         : be16_host(be16_load(message + 2));

        if (n_bytes <= left) {
            input_taken += n_bytes;
            return message;
        }
        receive_more();
    }
}

/* The next one of a type; probes are answered. */
static const uint8_t *receive_type(enum type type)
{
    for (;;) {
        const uint8_t *message = receive();

        if (message[1] == type)
            return message;
        if (message[1] == ERROR)
            fail("an error");
        if (message[1] == ECHO_REQUEST)
            send_message(ECHO_REPLY, NULL, 0);
    }
}

static void greet(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof address.sun_path)
        fail("too long");
    strcpy(address.sun_path, path);
    server = socket(AF_UNIX, SOCK_STREAM, 0);
    if (server < 0 || connect(server, (struct sockaddr *)&address, sizeof address))
        fail("connect");
    send_message(HELLO, NULL, 0);
    receive_type(HELLO);
}

/* OpenFlow 1.4, section 7.3.5.2: all tables, any port and group, a match of nothing. */
static void dump(void)
{
    static const char request[48] = "\0\x01\0\0\0\0\0\0"               /* Flows. */
                                    "\xff\0\0\0"                       /* All tables. */
                                    "\xff\xff\xff\xff\xff\xff\xff\xff" /* Port, group. */
                                    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                    "\0\x01\0\x04"; /* The match. */
    const uint8_t *reply;

    send_message(MULTIPART_REQUEST, request, sizeof request);
    do {
        reply = receive_type(MULTIPART_REPLY);
    } while (reply[11] & 1); /* OFPMPF_REPLY_MORE. */
}

/* OpenFlow 1.4, section 7.3.7: no buffer, from port 1, one output to the controller, a UDP frame. */
static const char packet_out[] =
    "\x05\x0d\0\x52\0\0\0\0"                                       /* Header. */
    "\xff\xff\xff\xff\0\0\0\x01\0\x10\0\0\0\0\0\0"                 /* Fixed part. */
    "\0\0\0\x10\xff\xff\xff\xfd\xff\xff\0\0\0\0\0\0"               /* Output. */
    "\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0"                       /* Ethernet. */
    "\x45\0\0\x1c\0\0\0\0\x40\x11\x66\xcd\x0a\0\0\x01\x0a\0\0\x02" /* IPv4. */
    "\x10\0\x10\0\0\x08\0\0";                                      /* UDP. */
enum { PACKET_OUT_BYTES = sizeof packet_out - 1 };
static_assert(PACKET_OUT_BYTES == 0x52, "as its header says");

static void round_trips(size_t n, size_t batch)
{
    static uint8_t messages[MAX_BATCH * PACKET_OUT_BYTES];

    for (size_t i = 0; i < batch; i++)
        memcpy(messages + i * PACKET_OUT_BYTES, packet_out, PACKET_OUT_BYTES);
    for (size_t i = 0; i < n; i += batch) {
        send_all(messages, batch * PACKET_OUT_BYTES);
        for (size_t j = 0; j < batch; j++)
            receive_type(PACKET_IN);
    }
}

int main(int argc, char **argv)
{
    bool is_dump = argc == 3 && !strcmp(argv[2], "dump");
    size_t n = argc == 5 && !strcmp(argv[2], "packet-in") ? strtoul(argv[3], NULL, 10) : 0;
    size_t batch = n ? strtoul(argv[4], NULL, 10) : 0;

    if (!is_dump && (!batch || batch > MAX_BATCH)) {
        fprintf(stderr, "openflow_client: SOCKET dump | packet-in N BATCH\n");
        return 1;
    }
    path = argv[1];
    greet();
    if (!is_dump) {
        /* Frames shall be told whole: a service connection that asks for that gets packet-ins. */
        send_message(SET_CONFIG, "\0\0\xff\xff", 4);
        round_trips(WARM_UP, 1);
    }
    int64_t begin_ns = clock_now_ns();
    if (is_dump)
        dump();
    else
        round_trips(n, batch);
    printf("%" PRId64 "\n", clock_now_ns() - begin_ns);
    return 0;
}

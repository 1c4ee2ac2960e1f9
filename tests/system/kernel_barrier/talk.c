/* SPDX-License-Identifier: Apache-2.0 */

/* One stream each way; the only answers wanted are those to barriers and statistics. */
#include "tests/system/kernel_barrier/talk.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/openflow/bundles.h"
#include "lib/openflow/errors.h"
#include "lib/openflow/flow_text.h"
#include "lib/openflow/group_text.h"
#include "lib/openflow/meters.h"
#include "lib/openflow/ports.h"
#include "lib/openflow/stats.h"
#include "lib/unix_socket.h"

enum { BUNDLE = 1, READ_BYTES = 1 << 16 };
static const struct of_protocol protocol = {.version = OF_1_4};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static void send_all(struct talk *talk)
{
    while (talk->output.size) {
        ssize_t n = send(talk->fd, talk->output.data, talk->output.size, MSG_NOSIGNAL);

        if (n < 0)
            die("OpenFlow", strerror(errno));
        buffer_pull(&talk->output, (size_t)n);
    }
}

/* The next message; it is good until the next call. */
static void hear(struct talk *talk, struct of_message *message)
{
    struct of_error_info info;
    int length;

    buffer_pull(&talk->input, talk->n_heard);
    talk->n_heard = 0;
    while (!(length = of_frame_length(talk->input.data, talk->input.size))) {
        buffer_reserve(&talk->input, READ_BYTES);
        ssize_t n = recv(talk->fd, talk->input.data + talk->input.size, READ_BYTES, 0);
        if (n <= 0)
            die("OpenFlow", n ? strerror(errno) : "the switch has closed the connection");
        talk->input.size += (size_t)n;
    }
    talk->n_heard = (size_t)length;
    if (length < 0 || of_decode_message(talk->input.data, talk->n_heard, message))
        die("OpenFlow", "not a message");
    if (message->kind == OF_ERROR && !of_decode_error(message->whole, message->n_bytes, &info))
        die("refused", of_error_name(info.error));
}

static void hear_kind(struct talk *talk, enum of_message_kind kind, struct of_message *message)
{
    do {
        hear(talk, message);
        if (message->kind == OF_ECHO_REQUEST) {
            of_encode_echo_reply(message, &talk->output);
            send_all(talk);
        }
    } while (message->kind != kind);
}

void talk_open(struct talk *talk, const char *socket_path)
{
    struct error error = ERROR_INIT;
    struct of_message message;

    *talk = (struct talk){.fd = unix_socket_connect(socket_path, &error)};
    if (talk->fd < 0)
        die(socket_path, error.message);
    of_encode_hello(OF_VERSION_BIT(OF_1_4), ++talk->xid, &talk->output);
    send_all(talk);
    hear_kind(talk, OF_HELLO, &message);
}

void talk_close(struct talk *talk)
{
    close(talk->fd);
    buffer_fini(&talk->output);
    buffer_fini(&talk->input);
}

/* What has been appended to 'message' is said, as part of a bundle if there is one. */
static void say(struct talk *talk, struct buffer *message)
{
    if (talk->is_bundling) {
        const struct of_bundle_add add = {
            .bundle_id = BUNDLE,
            .flags = OFBF_ATOMIC,
            .message = message->data,
            .n_bytes = message->size,
        };

        of_encode_bundle_add(&add, OF_1_4, talk->xid, &talk->output);
    } else {
        buffer_put(&talk->output, message->data, message->size);
    }
    buffer_fini(message);
}

void talk_flow(struct talk *talk, enum of_flow_command command, const char *text)
{
    struct buffer message = BUFFER_INIT;
    struct error error = ERROR_INIT;
    struct of_flow_mod flow;

    if (of_flow_mod_parse(text, command, NULL, &flow, &error))
        die(text, error.message);
    of_encode_flow_mod(&flow, &protocol, ++talk->xid, &message);
    of_flow_mod_fini(&flow);
    say(talk, &message);
}

void talk_group(struct talk *talk, enum of_group_command command, const char *text)
{
    struct buffer message = BUFFER_INIT;
    struct error error = ERROR_INIT;
    struct of_group_mod group;

    if (of_group_mod_parse(text, command, NULL, &group, &error))
        die(text, error.message);
    of_encode_group_mod(&group, OF_1_4, ++talk->xid, &message);
    of_group_mod_fini(&group);
    say(talk, &message);
}

void talk_meter(struct talk *talk, bool is_new, const char *text)
{
    struct buffer message = BUFFER_INIT;
    struct error error = ERROR_INIT;
    struct of_meter_mod meter;

    if (of_meter_mod_parse(text, is_new ? OFMC_ADD : OFMC_MODIFY, &meter, &error))
        die(text, error.message);
    of_encode_meter_mod(&meter, OF_1_4, ++talk->xid, &message);
    of_meter_mod_fini(&meter);
    say(talk, &message);
}

static struct mac mac_of(const char *device)
{
    struct ifreq request = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct mac mac;

    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
    if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request))
        die(device, strerror(errno));
    close(fd);
    memcpy(&mac, request.ifr_hwaddr.sa_data, sizeof mac);
    return mac;
}

void talk_port(struct talk *talk, of_port port, const char *device, uint32_t config, uint32_t mask)
{
    const struct of_port_mod mod = {
        .port = port,
        .mac = mac_of(device),
        .config = config,
        .mask = mask,
    };
    struct buffer message = BUFFER_INIT;

    of_encode_port_mod(&mod, OF_1_4, ++talk->xid, &message);
    say(talk, &message);
}

static void say_bundle(struct talk *talk, enum of_bundle_command command)
{
    const struct of_bundle_control control = {
        .bundle_id = BUNDLE,
        .command = (uint16_t)command,
        .flags = OFBF_ATOMIC,
    };

    of_encode_bundle_control(&control, OF_1_4, ++talk->xid, &talk->output);
}

void talk_begin_bundle(struct talk *talk)
{
    say_bundle(talk, OFBC_OPEN);
    talk->is_bundling = true;
}

void talk_commit_bundle(struct talk *talk)
{
    talk->is_bundling = false;
    say_bundle(talk, OFBC_COMMIT);
}

void talk_barrier(struct talk *talk)
{
    struct of_message message;

    of_encode_empty(OF_BARRIER_REQUEST, OF_1_4, ++talk->xid, &talk->output);
    send_all(talk);
    do
        hear_kind(talk, OF_BARRIER_REPLY, &message);
    while (message.xid != talk->xid);
}

uint64_t talk_n_received(struct talk *talk, of_port port)
{
    struct of_message message;
    struct of_port_stats stats;
    struct of_items items;

    of_encode_port_stats_request(port, OF_1_4, ++talk->xid, &talk->output);
    send_all(talk);
    hear_kind(talk, OF_PORT_STATS_REPLY, &message);
    of_items_init(&items, &message);
    if (!of_next_port_stats(&items, &stats))
        die("port statistics", "none");
    return stats.rx_packets;
}

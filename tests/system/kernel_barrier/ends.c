/* SPDX-License-Identifier: Apache-2.0 */

/* Packet sockets; what a kernel takes out of a frame's front, its tag, is told beside the frame. */
#include "tests/system/kernel_barrier/ends.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/byteorder.h"
#include "lib/checksum.h"

enum { RECEIVE_BUFFER = 32 << 20, FIRST_PORT = 1000 };

static const char magic[8] = "weirbarr";

struct __attribute__((packed)) frame {
    uint8_t destination[6], source[6];
    be16 type;
    struct iphdr ip;
    struct udphdr udp;
    char magic[sizeof magic];
    struct sent sent;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void set_option(int fd, int level, int option, int value)
{
    if (setsockopt(fd, level, option, &value, sizeof value))
        die("packet socket");
}

static int open_here(void)
{
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = (int)if_nametoindex("eth0"),
    };
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        die("packet socket");
    set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER);
    set_option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
    set_option(fd, SOL_PACKET, PACKET_AUXDATA, 1);
    if (bind(fd, (struct sockaddr *)&address, sizeof address))
        die("eth0");
    return fd;
}

int ends_open(const char *space)
{
    char path[256];
    int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

    snprintf(path, sizeof path, "/run/netns/%s", space);
    int there = open(path, O_RDONLY | O_CLOEXEC);
    if (here < 0 || there < 0 || setns(there, CLONE_NEWNET))
        die(path);
    int fd = open_here();
    if (setns(here, CLONE_NEWNET))
        die("network namespace");
    close(here);
    close(there);
    return fd;
}

static void put_mac(uint8_t *to, uint64_t mac)
{
    for (int i = 0; i < 6; i++)
        to[i] = (uint8_t)(mac >> (40 - 8 * i));
}

bool ends_send(int fd, const struct sent *sent, uint64_t source)
{
    struct frame frame = {
        .type = be16_from(ETH_P_IP),
        .ip =
            {
                .version = 4,
                .ihl = 5,
                .ttl = 64,
                .protocol = IPPROTO_UDP,
                .tot_len = htons(sizeof frame - offsetof(struct frame, ip)),
                .saddr = htonl(0x0a0a0001),
                .daddr = htonl(0x0a0a0002),
            },
        .udp =
            {
                .source = htons((uint16_t)(FIRST_PORT + sent->flow)),
                .dest = htons((uint16_t)(FIRST_PORT + sent->kind)),
                .len = htons(sizeof frame - offsetof(struct frame, udp)),
            },
        .sent = *sent,
    };

    put_mac(frame.destination, UINT64_C(0x0a0000000099));
    put_mac(frame.source, source);
    memcpy(frame.magic, magic, sizeof magic);
    struct iphdr ip = frame.ip;
    ip.check = checksum_finish(checksum_add(0, &ip, sizeof ip)).raw;
    frame.ip = ip;
    return send(fd, &frame, sizeof frame, 0) == sizeof frame;
}

static uint16_t vlan_of(struct msghdr *message)
{
    for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control;
         control = CMSG_NXTHDR(message, control)) {
        struct tpacket_auxdata aux;

        if (control->cmsg_level != SOL_PACKET || control->cmsg_type != PACKET_AUXDATA)
            continue;
        memcpy(&aux, CMSG_DATA(control), sizeof aux);
        return aux.tp_status & TP_STATUS_VLAN_VALID ? aux.tp_vlan_tci & 0xfff : 0;
    }
    return 0;
}

bool ends_hear(int fd, struct arrived *arrived)
{
    _Alignas(struct cmsghdr) char control[256];
    struct frame frame;
    struct iovec part = {.iov_base = &frame, .iov_len = sizeof frame};

    for (;;) {
        struct msghdr message = {
            .msg_iov = &part,
            .msg_iovlen = 1,
            .msg_control = control,
            .msg_controllen = sizeof control,
        };
        ssize_t n = recvmsg(fd, &message, 0);

        if (n < 0 && errno != ENETDOWN) /* Told once of a link that was down. */
            return false;
        if (n != sizeof frame || memcmp(frame.magic, magic, sizeof magic))
            continue;
        *arrived = (struct arrived){.sent = frame.sent, .vlan = vlan_of(&message)};
        for (int i = 0; i < 6; i++)
            arrived->source = arrived->source << 8 | frame.source[i];
        return true;
    }
}

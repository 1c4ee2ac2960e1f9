/* SPDX-License-Identifier: Apache-2.0 */

/* Received frames lack the tag that the device took out of them; it is in the control message and put
 * back here. */

#include "datapath/port/packet_socket.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <unistd.h>

#include "datapath/process.h"
#include "datapath/rewrite.h"
#include "lib/annotations.h"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

enum { BUFFER_BYTES = 64 * 1024 * 1024, RX_BATCH = 64 };

static void set_buffer(int fd, int forced, int polite)
{
    int n_bytes = BUFFER_BYTES;

    if (setsockopt(fd, SOL_SOCKET, forced, &n_bytes, sizeof n_bytes))
        setsockopt(fd, SOL_SOCKET, polite, &n_bytes, sizeof n_bytes);
}

static int open_socket(struct error *error)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;

    if (fd < 0)
        return error_set_errno(error, -errno, "cannot open a packet socket");
    if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one)) {
        int code = -errno;

        close(fd);
        return error_set_errno(error, code, "the packet socket has no virtio headers");
    }
    return fd;
}

int packet_socket_open_sender(struct error *error)
{
    int fd = open_socket(error);

    if (fd >= 0)
        set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
    return fd;
}

int packet_socket_set_promiscuous(int fd, int ifindex, bool is_promiscuous)
{
    struct packet_mreq request = {.mr_ifindex = ifindex, .mr_type = PACKET_MR_PROMISC};

    return setsockopt(fd, SOL_PACKET,
                      is_promiscuous ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP, &request,
                      sizeof request)
               ? -errno
               : 0;
}

int packet_socket_open_reader(int ifindex, struct error *error)
{
    struct sockaddr_ll addr = {
        .sll_family = AF_PACKET,
        .sll_ifindex = ifindex,
        .sll_protocol = htons(ETH_P_ALL),
    };
    int fd = open_socket(error), one = 1;

    if (fd < 0)
        return fd;
    set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
    if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) ||
        setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof one) ||
        bind(fd, (struct sockaddr *)&addr, sizeof addr)) {
        int code = -errno;

        close(fd);
        return error_set_errno(error, code, "cannot receive from the device");
    }
    return fd;
}

static void restore_tag(struct packet *packet, struct msghdr *message)
{
    for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control;
         control = CMSG_NXTHDR(message, control)) {
        struct tpacket_auxdata aux;

        if (control->cmsg_level != SOL_PACKET || control->cmsg_type != PACKET_AUXDATA)
            continue;
        memcpy(&aux, CMSG_DATA(control), sizeof aux);
        if (aux.tp_status & TP_STATUS_VLAN_VALID) {
            uint16_t tpid = aux.tp_status & TP_STATUS_VLAN_TPID_VALID ? aux.tp_vlan_tpid
                                                                      : ETH_TYPE_VLAN;

            rewrite_restore_vlan(packet, tpid, aux.tp_vlan_tci);
        }
    }
}

bool packet_socket_receive(struct rx_source *source, struct lane *lane)
{
    struct packet *packets[RX_BATCH];
    struct dp_port *ports[RX_BATCH];
    struct mmsghdr messages[RX_BATCH];
    struct iovec vectors[RX_BATCH];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
    } controls[RX_BATCH];
    int n;

    for (unsigned int i = 0; i < RX_BATCH; i++) {
        struct packet *packet = lane_packet(lane, i);

        packets[i] = packet;
        ports[i] = source->port;
        vectors[i].iov_base = packet->data - sizeof packet->vnet;
        vectors[i].iov_len = packet_tailroom(packet) + sizeof packet->vnet;
        messages[i].msg_hdr = (struct msghdr){
            .msg_iov = &vectors[i],
            .msg_iovlen = 1,
            .msg_control = &controls[i],
            .msg_controllen = sizeof controls[i],
        };
    }
    n = recvmmsg(source->fd, messages, RX_BATCH, MSG_DONTWAIT, NULL);
    if (n < 0)
        return errno != EBADF;

    for (int i = 0; i < n; i++) {
        struct packet *packet = packets[i];
        uint32_t n_bytes = messages[i].msg_len;

        memcpy(&packet->vnet, packet->data - sizeof packet->vnet, sizeof packet->vnet);
        packet->size = n_bytes > sizeof packet->vnet ? n_bytes - sizeof packet->vnet : 0;
        packet->vnet.hdr_len = 0;
        restore_tag(packet, &messages[i].msg_hdr);
    }
    if (n > 0)
        process_batch(lane, packets, ports, (unsigned int)n);
    return true;
}

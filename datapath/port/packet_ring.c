/* SPDX-License-Identifier: Apache-2.0 */

/* Linux: Documentation/networking/packet_mmap.rst, TPACKET_V2. */

#include "datapath/port/packet_ring.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SLOT_BYTES = 2048,
    N_SLOTS = 2048,
    BLOCK_BYTES = 64 * 1024,
    RESERVE_BYTES = 64, /* Headroom, besides what the kernel writes in front of a frame. */
    QUEUE_BYTES = 64 * 1024 * 1024,
};

struct packet_ring {
    int fd;
    uint8_t *slots;      /* Mapped. */
    unsigned int next;   /* Slot to look at. */
    unsigned int oldest; /* First one not given back. */
};

static int set(int fd, int option, int value)
{
    return setsockopt(fd, SOL_PACKET, option, &value, sizeof value);
}

/* The group of an earlier daemon, whose sockets may not be closed yet, is another one, and takes nothing from ours. */
static int join(const struct packet_ring *ring, uint16_t *group)
{
    int kind = PACKET_FANOUT_HASH | (*group ? 0 : PACKET_FANOUT_FLAG_UNIQUEID), joined;
    socklen_t n_bytes = sizeof joined;

    if (set(ring->fd, PACKET_FANOUT, *group | kind << 16) ||
        getsockopt(ring->fd, SOL_PACKET, PACKET_FANOUT, &joined, &n_bytes))
        return -errno;
    *group = (uint16_t)joined;
    return 0;
}

/* Order matters: options that shape the slots come before the slots. */
static int configure(struct packet_ring *ring, int ifindex, uint16_t *group)
{
    const struct tpacket_req request = {
        .tp_block_size = BLOCK_BYTES,
        .tp_block_nr = (unsigned int)N_SLOTS * SLOT_BYTES / BLOCK_BYTES,
        .tp_frame_size = SLOT_BYTES,
        .tp_frame_nr = N_SLOTS,
    };
    const struct sockaddr_ll addr = {
        .sll_family = AF_PACKET,
        .sll_ifindex = ifindex,
        .sll_protocol = htons(ETH_P_ALL),
    };
    int queue_bytes = QUEUE_BYTES;

    if (set(ring->fd, PACKET_VERSION, TPACKET_V2) || set(ring->fd, PACKET_VNET_HDR, 1) ||
        set(ring->fd, PACKET_RESERVE, RESERVE_BYTES) || set(ring->fd, PACKET_COPY_THRESH, 1) ||
        setsockopt(ring->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request))
        return -errno;
    if (setsockopt(ring->fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue_bytes, sizeof queue_bytes))
        setsockopt(ring->fd, SOL_SOCKET, SO_RCVBUF, &queue_bytes, sizeof queue_bytes);
    ring->slots = mmap(NULL, (size_t)N_SLOTS * SLOT_BYTES, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_POPULATE, ring->fd, 0);
    if (ring->slots == MAP_FAILED) {
        ring->slots = NULL;
        return -errno;
    }
    if (bind(ring->fd, (const struct sockaddr *)&addr, sizeof addr))
        return -errno;
    return group ? join(ring, group) : 0;
}

struct packet_ring *packet_ring_create(int ifindex, uint16_t *group, struct error *error)
{
    struct packet_ring *ring = calloc(1, sizeof *ring);

    if (!ring) {
        error_set(error, -ENOMEM, "out of memory");
        return NULL;
    }
    ring->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int code = ring->fd < 0 ? -errno : configure(ring, ifindex, group);
    if (code) {
        error_set_errno(error, code, "cannot set up a packet ring");
        packet_ring_destroy(ring);
        return NULL;
    }
    return ring;
}

void packet_ring_destroy(struct packet_ring *ring)
{
    if (!ring)
        return;
    if (ring->slots)
        munmap(ring->slots, (size_t)N_SLOTS * SLOT_BYTES);
    if (ring->fd >= 0)
        close(ring->fd);
    free(ring);
}

int packet_ring_fd(const struct packet_ring *ring)
{
    return ring->fd;
}

static struct tpacket2_hdr *slot_at(const struct packet_ring *ring, unsigned int i)
{
    return (void *)(ring->slots + (size_t)(i % N_SLOTS) * SLOT_BYTES);
}

/* The status word changes hands between kernel and reader, with all that is behind it. */
static uint32_t slot_status(struct tpacket2_hdr *slot)
{
    return __atomic_load_n(&slot->tp_status, __ATOMIC_ACQUIRE);
}

/* The frame that waits in the socket's queue. */
static int take_queued(struct packet_ring *ring, struct packet *packet)
{
    uint8_t *from = packet->data - sizeof packet->vnet;
    size_t room = packet_tailroom(packet) + sizeof packet->vnet;
    ssize_t n = recv(ring->fd, from, room, MSG_DONTWAIT | MSG_TRUNC);

    if (n < (ssize_t)sizeof packet->vnet || (size_t)n > room)
        return -EMSGSIZE;
    memcpy(&packet->vnet, from, sizeof packet->vnet);
    packet->size = (uint32_t)((size_t)n - sizeof packet->vnet);
    return 1;
}

static void take_in_place(struct tpacket2_hdr *slot, struct packet *packet)
{
    packet->start = (uint8_t *)slot + sizeof *slot;
    packet->data = (uint8_t *)slot + slot->tp_mac;
    packet->capacity = SLOT_BYTES - sizeof *slot;
    packet->size = slot->tp_snaplen;
    memcpy(&packet->vnet, packet->data - sizeof packet->vnet, sizeof packet->vnet);
}

int packet_ring_take(struct packet_ring *ring, struct packet *packet,
                     struct packet_ring_frame *frame)
{
    struct tpacket2_hdr *slot = slot_at(ring, ring->next);
    uint32_t status = slot_status(slot);

    if (!(status & TP_STATUS_USER) || ring->next - ring->oldest == N_SLOTS)
        return 0;
    ring->next++;
    __builtin_prefetch(slot_at(ring, ring->next));
    __builtin_prefetch((uint8_t *)slot_at(ring, ring->next) + slot->tp_mac);

    frame->has_tag = status & TP_STATUS_VLAN_VALID;
    frame->tpid = status & TP_STATUS_VLAN_TPID_VALID ? slot->tp_vlan_tpid : ETH_P_8021Q;
    frame->tci = slot->tp_vlan_tci;
    if (status & TP_STATUS_COPY)
        return take_queued(ring, packet);
    if (slot->tp_snaplen < slot->tp_len) /* Its queue was full. */
        return -EMSGSIZE;
    take_in_place(slot, packet);
    return 1;
}

void packet_ring_release(struct packet_ring *ring)
{
    for (; ring->oldest != ring->next; ring->oldest++)
        __atomic_store_n(&slot_at(ring, ring->oldest)->tp_status, TP_STATUS_KERNEL,
                         __ATOMIC_RELEASE);
}

uint32_t packet_ring_overruns(struct packet_ring *ring)
{
    struct tpacket_stats stats = {.tp_drops = 0};
    socklen_t size = sizeof stats;

    getsockopt(ring->fd, SOL_PACKET, PACKET_STATISTICS, &stats,
               &size); /* Which also clears them. */
    return stats.tp_drops;
}

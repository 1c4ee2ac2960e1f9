/* SPDX-License-Identifier: Apache-2.0 */

/* Linux: Documentation/networking/tuntap.rst. */

#include "datapath/port/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/netlink/link.h"

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

enum {
    TAP_FLAGS = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR,
    ALIAS_BYTES = 256, /* IFALIASZ, which no header for us has. */
};

/* 'ifindex' of one that is new; 0: any. */
static int attach(const char *name, short flags, unsigned int ifindex)
{
    struct ifreq request = {.ifr_flags = flags};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return -errno;
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if ((ifindex && ioctl(fd, TUNSETIFINDEX, &ifindex)) || ioctl(fd, TUNSETIFF, &request)) {
        int code = -errno;

        close(fd);
        return code;
    }
    return fd;
}

/* A persistent tap that nobody holds goes with our descriptor. */
void tap_remove_leftover(const char *name)
{
    static const short kinds[] = {TAP_FLAGS, TAP_FLAGS | IFF_MULTI_QUEUE, IFF_TAP | IFF_NO_PI};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && if_nametoindex(name); i++) {
        int fd = attach(name, kinds[i], 0);

        if (fd >= 0) {
            ioctl(fd, TUNSETPERSIST, 0);
            close(fd);
        }
    }
}

static int set_offloads(int fd)
{
    unsigned int offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;

    if (!ioctl(fd, TUNSETOFFLOAD, offloads | TUN_F_USO4 | TUN_F_USO6))
        return 0; /* Since Linux 6.2. */
    return ioctl(fd, TUNSETOFFLOAD, offloads) ? -errno : 0;
}

static int explain(const char *name, int code, struct error *error)
{
    switch (code) {
    case -EBUSY:
        return error_set(error, code, "%s: another process uses the tap of this name", name);
    case -EINVAL:
        return error_set(error, -EEXIST, "%s: there is another interface of this name", name);
    case -EPERM:
    case -EACCES:
        return error_set(error, -EPERM, "%s: not permitted to create a tap", name);
    case -ENOENT:
    case -ENODEV:
    case -ENXIO:
        return error_set(error, -EOPNOTSUPP, "%s: the kernel has no tap devices (/dev/net/tun)",
                         name);
    }
    return error_set_errno(error, code, "%s: cannot create a tap", name);
}

static void close_all(int *fds, unsigned int n_queues)
{
    for (unsigned int i = 0; i < n_queues; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static int attach_queues(const char *name, int *fds, unsigned int n_queues)
{
    short flags = (short)(n_queues > 1 ? TAP_FLAGS | IFF_MULTI_QUEUE : TAP_FLAGS);
    int code = 0;

    for (unsigned int i = 0; i < n_queues; i++)
        fds[i] = -1;
    for (unsigned int i = 0; i < n_queues && !code; i++) {
        fds[i] = attach(name, flags, 0);
        code = fds[i] < 0 ? fds[i] : set_offloads(fds[i]);
    }
    if (code)
        close_all(fds, n_queues);
    return code;
}

/* False: it is no tap of ours. */
static bool get_owner(const char *name, struct tap_owner *owner)
{
    char alias[ALIAS_BYTES];

    *owner = (struct tap_owner){.home = ""};
    return !link_get_alias(name, alias, sizeof alias, NULL) &&
           sscanf(alias, "weir:%15[0-9A-Za-z] %223[^\n]", owner->instance, owner->home) >= 1;
}

/* From now on it stays without us. */
static int keep(const char *name, const struct tap_owner *owner, int fd)
{
    char alias[ALIAS_BYTES];

    snprintf(alias, sizeof alias, "weir:%s%s%s", owner->instance, *owner->home ? " " : "",
             owner->home);
    link_set_alias(name, alias, NULL);
    return ioctl(fd, TUNSETPERSIST, 1) ? -errno : 0;
}

int tap_open(const char *name, const struct tap_owner *owner, int *fds, unsigned int n_queues,
             struct error *error)
{
    int code = attach_queues(name, fds, n_queues);

    if (code == -EINVAL) { /* Left by a daemon that had another number of workers, perhaps. */
        tap_remove_leftover(name);
        code = attach_queues(name, fds, n_queues);
    }
    if (!code)
        code = keep(name, owner, fds[0]);
    return code ? explain(name, code, error) : 0;
}

int tap_open_unread(const char *name, const struct tap_owner *owner, int ifindex,
                    struct error *error)
{
    struct ifreq request = {.ifr_flags = IFF_DETACH_QUEUE};
    int fd = attach(name, TAP_FLAGS | IFF_MULTI_QUEUE, (unsigned int)ifindex), code;

    if (fd == -EINVAL) {
        tap_remove_leftover(name);
        fd = attach(name, TAP_FLAGS | IFF_MULTI_QUEUE, (unsigned int)ifindex);
    }
    if (fd < 0)
        return explain(name, fd, error);
    code = set_offloads(fd);
    if (!code)
        code = keep(name, owner, fd);
    if (!code && ioctl(fd, TUNSETQUEUE, &request))
        code = -errno;
    if (code) {
        close(fd);
        return explain(name, code, error);
    }
    return fd;
}

bool tap_is_named(int fd, const char *name)
{
    struct ifreq request;

    return !ioctl(fd, TUNGETIFF, &request) && !strcmp(request.ifr_name, name);
}

void tap_remove(int *fds, unsigned int n_queues)
{
    for (unsigned int i = 0; i < n_queues; i++)
        if (fds[i] >= 0)
            ioctl(fds[i], TUNSETPERSIST, 0);
    close_all(fds, n_queues);
}

void tap_remove_lost(const char *instance, bool (*is_wanted)(int ifindex, void *arg), void *arg,
                     struct buffer *removed)
{
    struct if_nameindex *devices = if_nameindex();
    struct tap_owner owner;

    for (const struct if_nameindex *device = devices; device && device->if_index; device++) {
        if (!get_owner(device->if_name, &owner) || strcmp(owner.instance, instance) ||
            (is_wanted && is_wanted((int)device->if_index, arg)))
            continue;
        tap_remove_leftover(device->if_name);
        if (removed && !if_nametoindex(device->if_name))
            buffer_printf(removed, "%s\n", device->if_name);
    }
    if (devices)
        if_freenameindex(devices);
}

void tap_each(void (*each)(const char *name, const struct tap_owner *owner, bool is_open,
                           void *arg),
              void *arg)
{
    struct if_nameindex *devices = if_nameindex();
    struct tap_owner owner;

    for (const struct if_nameindex *device = devices; device && device->if_index; device++)
        if (get_owner(device->if_name, &owner))
            each(device->if_name, &owner, link_is_plugged(device->if_name), arg);
    if (devices)
        if_freenameindex(devices);
}

int tap_read(int fd, struct packet *packet)
{
    uint8_t *from = packet->data - sizeof packet->vnet;
    size_t room = packet_tailroom(packet) + sizeof packet->vnet;
    ssize_t n;

    do
        n = read(fd, from, room);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? 0 : -errno;
    if ((size_t)n < sizeof packet->vnet || (size_t)n == room)
        return -EMSGSIZE;
    memcpy(&packet->vnet, from, sizeof packet->vnet);
    packet->size = (uint32_t)((size_t)n - sizeof packet->vnet);
    return 1;
}

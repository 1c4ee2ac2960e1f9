/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/kernel/pins.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "datapath/kcache.h"
#include "datapath/port/tap.h"
#include "lib/log.h"

LOG_MODULE(pins);

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

enum { LOCK_PAUSE_NS = 10000000, LOCK_ATTEMPTS = 500 };

static const char filesystem[] = "/sys/fs/bpf", kept_name[] = "kept", map_name[] = "weir_kept";

struct pins {
    char directory[96];
    uint64_t layout, netns;
    int tap_ifindex;
    int directory_fd; /* Locked; -1: it is not. */
    char home[sizeof((struct kept *)NULL)->home];
    bool is_adopted;
    int kept_fd;
    struct kept *kept; /* Mapped. */
};

/* Sizes tell of most changes; KC_LAYOUT_VERSION of the others. */
static uint64_t layout_id(void)
{
    const uint64_t parts[] = {
        KC_LAYOUT_VERSION,
        sizeof(struct kc_state),
        sizeof(struct kc_entry),
        sizeof(struct kc_entry6),
        sizeof(struct kc_port),
        sizeof(struct kc_device),
        sizeof(struct kc_program),
        sizeof(struct kc_meter),
        sizeof(struct kept),
        KC_N_SLOTS,
        KC_N_PROGRAMS,
        KC_N_METERS,
        KC_MAX_DEVICES,
        KCACHE_DEFAULT_ENTRIES,
    };
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a. */

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        hash = (hash ^ parts[i]) * UINT64_C(1099511628211);
    return hash | 1;
}

/* A number that no other network namespace has had since boot; before Linux 5.14 only one of its life. */
static uint64_t netns_id(void)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    uint64_t cookie = 0;
    socklen_t n_bytes = sizeof cookie;
    struct stat status;

    if (fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &n_bytes))
        cookie = stat("/proc/self/ns/net", &status) ? 0 : status.st_ino;
    if (fd >= 0)
        close(fd);
    return cookie;
}

static void name_directory(const char *instance, char *path, size_t n_bytes)
{
    snprintf(path, n_bytes, PINS_ROOT "/%s", instance);
}

static int mount_bpf(struct error *error)
{
    if (mount("bpf", filesystem, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700"))
        return error_set_errno(error, -errno, "cannot mount the BPF filesystem on %s", filesystem);
    log_info("mounted the BPF filesystem on %s", filesystem);
    return 0;
}

/* Directories are made and removed, and the filesystem is mounted, by one switch at a time.  A lock that stays with
 * somebody else is not waited for: then it is done without one.  To be closed, if it is not -1. */
static int lock_filesystem(void)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
    int fd = open(filesystem, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    for (int i = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && i < LOCK_ATTEMPTS; i++)
        nanosleep(&pause, NULL);
    return fd;
}

static void unlock_filesystem(int fd)
{
    if (fd >= 0)
        close(fd);
}

static bool is_mounted(void)
{
    struct statfs status;

    return !statfs(filesystem, &status) && status.f_type == BPF_FS_MAGIC;
}

/* What is locked is what it is mounted on, which others who find it mounted do not see any more. */
static int mount_filesystem(struct error *error)
{
    int lock = is_mounted() ? -1 : lock_filesystem();
    int code = is_mounted() ? 0 : mount_bpf(error);

    unlock_filesystem(lock);
    return code;
}

static int make_directory(const char *path, struct error *error)
{
    if (mkdir(path, 0700) && errno != EEXIST)
        return error_set_errno(error, -errno, "cannot create %s", path);
    return 0;
}

static void unlink_all(const char *path)
{
    DIR *directory = opendir(path);
    const struct dirent *file;

    while (directory && (file = readdir(directory)))
        if (file->d_name[0] != '.')
            unlinkat(dirfd(directory), file->d_name, 0);
    if (directory)
        closedir(directory);
}

static void unmap_kept(struct pins *pins)
{
    if (pins->kept)
        munmap(pins->kept, sizeof *pins->kept);
    if (pins->kept_fd >= 0)
        close(pins->kept_fd);
    pins->kept = NULL;
    pins->kept_fd = -1;
}

static int map_kept(struct pins *pins)
{
    struct kept *kept = mmap(NULL, sizeof *kept, PROT_READ | PROT_WRITE, MAP_SHARED, pins->kept_fd,
                             0);

    if (kept == MAP_FAILED)
        return -errno;
    pins->kept = kept;
    return 0;
}

/* True: it is there, whole, and ours to understand. */
static bool open_kept(struct pins *pins)
{
    char path[128];
    struct bpf_map_info info = {0};
    uint32_t n_bytes = sizeof info;

    snprintf(path, sizeof path, "%s/%s", pins->directory, kept_name);
    pins->kept_fd = bpf_obj_get(path);
    if (pins->kept_fd < 0)
        return false;
    return !bpf_obj_get_info_by_fd(pins->kept_fd, &info, &n_bytes) &&
           info.value_size == sizeof *pins->kept && !map_kept(pins) &&
           pins->kept->layout == pins->layout && pins->kept->netns == pins->netns;
}

static int create_kept(struct pins *pins, struct error *error)
{
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
    char path[128];

    snprintf(path, sizeof path, "%s/%s", pins->directory, kept_name);
    pins->kept_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, map_name, sizeof(uint32_t),
                                   sizeof *pins->kept, 1, &options);
    int code = pins->kept_fd < 0 ? -errno : map_kept(pins);
    if (!code && bpf_obj_pin(pins->kept_fd, path))
        code = -errno;
    if (code)
        return error_set_errno(error, code, "cannot pin %s", path);
    memcpy(pins->kept->home, pins->home, sizeof pins->home);
    pins->kept->netns = pins->netns;
    pins->kept->tap_ifindex = (uint32_t)pins->tap_ifindex;
    return 0;
}

/* Who has it open holds a lock, which is shared: a daemon that follows another need not wait for its end.  -1: it
 * cannot be locked so. */
static int open_directory(const char *path, int lock)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 && !flock(fd, lock | LOCK_NB))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static int make_directories(struct pins *pins, struct error *error)
{
    int lock = lock_filesystem();
    int code = make_directory(PINS_ROOT, error);

    if (!code)
        code = make_directory(pins->directory, error);
    if (!code)
        pins->directory_fd = open_directory(pins->directory, LOCK_SH);
    unlock_filesystem(lock);
    return code;
}

static int open_or_create(struct pins *pins, struct error *error)
{
    int code = mount_filesystem(error);

    if (!code)
        code = make_directories(pins, error);
    if (code)
        return code;
    pins->is_adopted = open_kept(pins) && pins->kept->tap_ifindex == (uint32_t)pins->tap_ifindex;
    if (pins->is_adopted)
        return 0;
    unmap_kept(pins);
    unlink_all(pins->directory);
    return create_kept(pins, error);
}

static void init(struct pins *pins, const char *instance, int tap_ifindex)
{
    *pins = (struct pins){
        .layout = layout_id(),
        .netns = netns_id(),
        .tap_ifindex = tap_ifindex,
        .directory_fd = -1,
        .kept_fd = -1,
    };
    name_directory(instance, pins->directory, sizeof pins->directory);
}

int pins_tap_ifindex(const char *instance)
{
    struct pins pins;

    init(&pins, instance, 0);
    int ifindex = open_kept(&pins) ? (int)pins.kept->tap_ifindex : 0;
    unmap_kept(&pins);
    return ifindex;
}

struct pins *pins_open(const struct tap_owner *owner, int tap_ifindex, struct error *error)
{
    struct pins *pins = calloc(1, sizeof *pins);

    if (!pins) {
        error_set(error, -ENOMEM, "out of memory");
        return NULL;
    }
    init(pins, owner->instance, tap_ifindex);
    memcpy(pins->home, owner->home, sizeof pins->home);
    if (open_or_create(pins, error)) {
        pins_close(pins);
        return NULL;
    }
    return pins;
}

bool pins_are_adopted(const struct pins *pins)
{
    return pins->is_adopted;
}

void pins_name(const struct pins *pins, const char *name, char *path, size_t n_bytes)
{
    snprintf(path, n_bytes, "%s/%s", pins->directory, name);
}

int pins_use(struct pins *pins, struct bpf_map *map, const char *name)
{
    char path[128];

    pins_name(pins, name, path, sizeof path);
    return bpf_map__set_pin_path(map, path);
}

void pins_complete(struct pins *pins)
{
    __atomic_store_n(&pins->kept->layout, pins->layout, __ATOMIC_RELEASE);
}

struct kept *pins_kept(struct pins *pins)
{
    return pins->kept;
}

int pins_forget(struct pins *pins, struct error *error)
{
    unmap_kept(pins);
    unlink_all(pins->directory);
    pins->is_adopted = false;
    return create_kept(pins, error);
}

void pins_close(struct pins *pins)
{
    if (!pins)
        return;
    unmap_kept(pins);
    if (pins->directory_fd >= 0)
        close(pins->directory_fd);
    free(pins);
}

bool pins_remove(const char *instance)
{
    char path[96];
    int lock = lock_filesystem();

    name_directory(instance, path, sizeof path);
    unlink_all(path);
    bool is_gone = !rmdir(path);
    if (is_gone)
        rmdir(PINS_ROOT); /* If it was the last. */
    unlock_filesystem(lock);
    return is_gone;
}

struct kept *pins_read(const char *instance)
{
    struct pins pins;
    struct kept *copy = NULL;

    init(&pins, instance, 0);
    if (open_kept(&pins) && (copy = malloc(sizeof *copy)))
        memcpy(copy, pins.kept, sizeof *copy);
    unmap_kept(&pins);
    return copy;
}

/* Of whatever layout.  "": it is not known. */
static void read_home(const char *instance, char home[sizeof((struct kept *)NULL)->home])
{
    struct bpf_map_info info = {0};
    uint32_t n_bytes = sizeof info;
    char path[128];
    void *at = MAP_FAILED;

    *home = '\0';
    snprintf(path, sizeof path, PINS_ROOT "/%s/%s", instance, kept_name);
    int fd = bpf_obj_get(path);
    if (fd < 0)
        return;
    if (!bpf_obj_get_info_by_fd(fd, &info, &n_bytes) && !strcmp(info.name, map_name) &&
        info.value_size >= offsetof(struct kept, ports))
        at = mmap(NULL, offsetof(struct kept, ports), PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (at == MAP_FAILED)
        return;
    memcpy(home, ((const struct kept *)at)->home, sizeof((struct kept *)NULL)->home);
    home[sizeof((struct kept *)NULL)->home - 1] = '\0';
    munmap(at, offsetof(struct kept, ports));
}

/* Has somebody the directory open?  Whoever is about to open it does not see that it was looked at. */
static bool is_in_use(const char *path)
{
    int lock = lock_filesystem();
    int fd = open_directory(path, LOCK_EX);

    if (fd >= 0)
        close(fd);
    unlock_filesystem(lock);
    return fd < 0;
}

void pins_each(void (*each)(const struct tap_owner *owner, bool is_open, void *arg), void *arg)
{
    DIR *directory = opendir(PINS_ROOT);
    const struct dirent *file;

    while (directory && (file = readdir(directory))) {
        struct tap_owner owner;
        char path[96];

        if (*file->d_name == '.' || strlen(file->d_name) >= sizeof owner.instance)
            continue;
        strcpy(owner.instance, file->d_name);
        read_home(owner.instance, owner.home);
        name_directory(owner.instance, path, sizeof path);
        each(&owner, is_in_use(path), arg);
    }
    if (directory)
        closedir(directory);
}

/* SPDX-License-Identifier: Apache-2.0 */

/* SO_PEERCRED and SO_PEERGROUPS, which the kernel filled when the peer connected. */

#include "lib/peer.h"

#include <endian.h>
#include <errno.h>
#include <grp.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/xattr.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

int peer_readers_parse(const char *text, struct peer_readers *readers, struct error *error)
{
    const struct group *group = getgrnam(text);
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (!group && (end == text || *end || *text == '-' || number >= (gid_t)-1))
        return error_set(error, -ENOENT, "%s: there is no such group", text);
    *readers = (struct peer_readers){.is_set = true,
                                     .group = group ? group->gr_gid : (gid_t)number};
    return 0;
}

int peer_readers_admit(const struct peer_readers *readers, const char *socket_path,
                       struct error *error)
{
    enum { READ_WRITE = ACL_READ | ACL_WRITE };
    const uint32_t nobody = htole32((uint32_t)ACL_UNDEFINED_ID);
    const struct {
        struct posix_acl_xattr_header header;
        struct posix_acl_xattr_entry entries[5];
    } acl = {
        .header.a_version = htole32(POSIX_ACL_XATTR_VERSION),
        .entries = {{htole16(ACL_USER_OBJ), htole16(READ_WRITE), nobody},
                    {htole16(ACL_GROUP_OBJ), htole16(READ_WRITE), nobody},
                    {htole16(ACL_GROUP), htole16(READ_WRITE), htole32(readers->group)},
                    {htole16(ACL_MASK), htole16(READ_WRITE), nobody},
                    {htole16(ACL_OTHER), 0, nobody}},
    };

    if (!readers->is_set ||
        !lsetxattr(socket_path, XATTR_NAME_POSIX_ACL_ACCESS, &acl, sizeof acl, 0))
        return 0;
    return error_set_errno(error, -errno, "%s: cannot let the read-only group in", socket_path);
}

static bool is_in_list(const gid_t *groups, size_t n, gid_t wanted)
{
    for (size_t i = 0; i < n; i++)
        if (groups[i] == wanted)
            return true;
    return false;
}

/* The supplementary groups, for the caller to free; NULL and 0 if there are none. */
static gid_t *peer_groups(int fd, size_t *n)
{
    socklen_t n_bytes = 0;
    gid_t *groups = NULL;

    *n = 0;
    if (!getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &n_bytes) || errno != ERANGE)
        return NULL;
    groups = malloc(n_bytes);
    if (!groups)
        abort();
    if (!getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &n_bytes))
        *n = n_bytes / sizeof *groups;
    return groups;
}

enum peer_role peer_role(int fd, const char *socket_path, const struct peer_readers *readers)
{
    enum peer_role role = PEER_STRANGER;
    struct ucred peer;
    struct stat file;
    socklen_t n_bytes = sizeof peer;
    size_t n;

    if (!readers->is_set)
        return PEER_WRITER;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n_bytes) < 0)
        return PEER_STRANGER;
    bool has_file = !lstat(socket_path, &file);
    if (!peer.uid || peer.uid == geteuid() || (has_file && peer.uid == file.st_uid))
        return PEER_WRITER;
    gid_t *groups = peer_groups(fd, &n);
    if (has_file && (peer.gid == file.st_gid || is_in_list(groups, n, file.st_gid)))
        role = PEER_WRITER;
    else if (peer.gid == readers->group || is_in_list(groups, n, readers->group))
        role = PEER_READER;
    free(groups);
    return role;
}

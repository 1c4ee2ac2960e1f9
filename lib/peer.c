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

/* Gives the file the permissions of 'mode', and 'permissions' to the group of readers. */
static int set_acl(const char *path, mode_t mode, const struct peer_readers *readers,
                   unsigned int permissions)
{
    const uint32_t nobody = htole32((uint32_t)ACL_UNDEFINED_ID);
    unsigned int of_group = mode >> 3 & 7;
    const struct {
        struct posix_acl_xattr_header header;
        struct posix_acl_xattr_entry entries[5];
    } acl = {
        .header.a_version = htole32(POSIX_ACL_XATTR_VERSION),
        .entries = {{htole16(ACL_USER_OBJ), htole16(mode >> 6 & 7), nobody},
                    {htole16(ACL_GROUP_OBJ), htole16(of_group), nobody},
                    {htole16(ACL_GROUP), htole16(permissions), htole32(readers->group)},
                    {htole16(ACL_MASK), htole16(of_group | permissions), nobody},
                    {htole16(ACL_OTHER), htole16(mode & 7), nobody}},
    };

    return lsetxattr(path, XATTR_NAME_POSIX_ACL_ACCESS, &acl, sizeof acl, 0) < 0 ? -errno : 0;
}

/* A directory that is not ours, or has an ACL already, is the administrator's. */
static int admit_to_directory(const struct peer_readers *readers, const char *file)
{
    const char *slash = strrchr(file, '/');
    char *directory = slash ? strndup(file, slash == file ? 1 : (size_t)(slash - file))
                            : strdup(".");
    struct stat status;
    int result = 0;

    if (!directory)
        abort();
    if (!stat(directory, &status) && status.st_uid == geteuid() && !(status.st_mode & S_IXOTH) &&
        lgetxattr(directory, XATTR_NAME_POSIX_ACL_ACCESS, NULL, 0) < 0)
        result = set_acl(directory, status.st_mode, readers, ACL_EXECUTE);
    free(directory);
    return result;
}

int peer_readers_admit(const struct peer_readers *readers, const char *socket_path,
                       struct error *error)
{
    if (!readers->is_set)
        return 0;
    int result = set_acl(socket_path, 0660, readers, ACL_READ | ACL_WRITE);
    if (!result)
        result = admit_to_directory(readers, socket_path);
    return result ? error_set_errno(error, result, "%s: cannot let the read-only group in",
                                    socket_path)
                  : 0;
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

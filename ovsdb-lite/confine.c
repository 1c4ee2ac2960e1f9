/* SPDX-License-Identifier: Apache-2.0 */

/* A forbidden call fails with EPERM: nothing here makes one, and an attacker learns nothing more. */

#include "ovsdb-lite/confine.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/annotations.h"
#include "lib/rundir.h"

/* --- Users --------------------------------------------------------------------------------- */

struct identity {
    uid_t uid;
    gid_t gid;
};

static int parse(const char *text, struct identity *identity, struct error *error)
{
    char *name = strdup(text), *group = strchr(name, ':');

    if (group)
        *group++ = '\0';
    const struct passwd *user = getpwnam(name);
    const struct group *members = group ? getgrnam(group) : NULL;
    if (!user)
        error_set(error, -ENOENT, "--user=%s: there is no user %s", text, name);
    else if (group && !members)
        error_set(error, -ENOENT, "--user=%s: there is no group %s", text, group);
    else
        *identity = (struct identity){.uid = user->pw_uid,
                                      .gid = members ? members->gr_gid : user->pw_gid};
    free(name);
    return user && (!group || members) ? 0 : -ENOENT;
}

static int give_run_directory(const struct identity *identity, struct error *error)
{
    if (!access(rundir_path(), F_OK))
        return 0;
    if (rundir_create(error))
        return error->code;
    return chown(rundir_path(), identity->uid, identity->gid) < 0
               ? error_set_errno(error, -errno, "%s: cannot give to the user", rundir_path())
               : 0;
}

int confine_become(const char *user, struct error *error)
{
    struct identity identity;
    int result = parse(user, &identity, error);

    if (result)
        return result;
    if (geteuid() == identity.uid && getegid() == identity.gid && identity.uid)
        return 0;
    if (geteuid())
        return error_set(error, -EPERM, "--user=%s: only root can become another user", user);
    if ((result = give_run_directory(&identity, error)) < 0)
        return result;
    capng_clear(CAPNG_SELECT_BOTH);
    result = capng_change_id((int)identity.uid, (int)identity.gid,
                             CAPNG_INIT_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
    if (result || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return error_set(error, -EPERM, "--user=%s: cannot change to that user (step %d)", user,
                         -result);
    return 0;
}

/* --- System calls -------------------------------------------------------------------------- */

int confine_forbid_system_calls(struct error *error)
{
    static const char *const forbidden[] = {
        /* Another program. */
        "execve",
        "execveat",
        "uselib",
        "personality",
        /* Other processes. */
        "process_vm_readv",
        "process_vm_writev",
        "process_madvise",
        "kcmp",
        "pidfd_getfd",
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        "ptrace", /* The leak checker looks at our threads so. */
#endif
        /* Other views of the system. */
        "mount",
        "umount2",
        "move_mount",
        "open_tree",
        "fsopen",
        "fsconfig",
        "fsmount",
        "fspick",
        "mount_setattr",
        "pivot_root",
        "chroot",
        "unshare",
        "setns",
        "open_by_handle_at",
        /* The kernel's less walked paths. */
        "bpf",
        "perf_event_open",
        "userfaultfd",
        "io_uring_setup",
        "io_uring_enter",
        "io_uring_register",
        "keyctl",
        "add_key",
        "request_key",
        "init_module",
        "finit_module",
        "delete_module",
        "kexec_load",
        "kexec_file_load",
        "modify_ldt",
        "lookup_dcookie",
        /* The machine. */
        "reboot",
        "swapon",
        "swapoff",
        "settimeofday",
        "clock_settime",
        "clock_adjtime",
        "adjtimex",
        "sethostname",
        "setdomainname",
        "acct",
        "quotactl",
        "quotactl_fd",
        "syslog",
        "vhangup",
        "iopl",
        "ioperm",
        "nfsservctl",
        /* Who we are. */
        "setuid",
        "setgid",
        "setreuid",
        "setregid",
        "setresuid",
        "setresgid",
        "setgroups",
        "setfsuid",
        "setfsgid",
        "capset"
    };
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int result = filter ? seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) : -ENOMEM;

    for (size_t i = 0; !result && i < ARRAY_SIZE(forbidden); i++) {
        int number = seccomp_syscall_resolve_name(forbidden[i]);
        /* Those that this processor does not have have negative numbers. */
        if (number >= 0)
            result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
    }
    if (!result)
        result = seccomp_load(filter);
    seccomp_release(filter);
    return result ? error_set_errno(error, result, "cannot filter system calls") : 0;
}

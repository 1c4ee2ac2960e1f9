/* SPDX-License-Identifier: Apache-2.0 */

/* What the server gave up stays given up; what it needs still works.  Each question is asked in a child. */

#include "ovsdb-lite/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/annotations.h"

static void expect_in_confinement(bool (*question)(void))
{
    int status;
    pid_t child = fork();

    if (!child) {
        struct error error = ERROR_INIT;
        _exit(confine_forbid_system_calls(&error) ? 2 : question() ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static bool cannot_become_another_program(void)
{
    return execl("/bin/true", "true", NULL) == -1 && errno == EPERM;
}

static bool cannot_leave_its_namespaces(void)
{
    return unshare(CLONE_NEWUSER) == -1 && errno == EPERM;
}

static bool cannot_use_odd_corners(void)
{
    return syscall(SYS_bpf, 0, NULL, 0) == -1 && errno == EPERM &&
           syscall(SYS_keyctl, 0, 0, 0, 0, 0) == -1 && errno == EPERM &&
           syscall(SYS_io_uring_setup, 1, NULL) == -1 && errno == EPERM;
}

static bool can_use_files_and_sockets(void)
{
    int pair[2];

    return open("/dev/null", O_RDWR) >= 0 && !socketpair(AF_UNIX, SOCK_STREAM, 0, pair) &&
           write(pair[0], "x", 1) == 1 && fork() >= 0;
}

static void forbidden_calls_fail(void **state UNUSED)
{
    expect_in_confinement(cannot_become_another_program);
    expect_in_confinement(cannot_leave_its_namespaces);
    expect_in_confinement(cannot_use_odd_corners);
    expect_in_confinement(can_use_files_and_sockets);
}

static void users_that_do_not_exist_are_named(void **state UNUSED)
{
    struct error error = ERROR_INIT;

    assert_int_equal(confine_become("no-such-user", &error), -ENOENT);
    assert_string_equal(error.message, "--user=no-such-user: there is no user no-such-user");
    error = (struct error)ERROR_INIT;
    assert_int_equal(confine_become("root:no-such-group", &error), -ENOENT);
    assert_string_equal(error.message,
                        "--user=root:no-such-group: there is no group no-such-group");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forbidden_calls_fail),
        cmocka_unit_test(users_that_do_not_exist_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

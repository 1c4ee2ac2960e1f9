/* SPDX-License-Identifier: Apache-2.0 */

/* Children that say when they are ready, end, and leave descriptors behind. */

#include "lib/child.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/log.h"

static void readiness_is_heard_once_it_is_said(void **state)
{
    int fd;
    pid_t pid = child_fork(&fd, NULL);

    (void)state;
    if (!pid) {
        child_ask_to_hold(fd, STDIN_FILENO); /* Nobody minds. */
        child_say_ready(fd);
        _exit(5);
    }
    assert_true(child_wait_until_ready(fd));
    assert_int_equal(WEXITSTATUS(child_wait(pid)), 5);
    close(fd);
}

static void child_that_ends_was_never_ready(void **state)
{
    int fd;
    pid_t pid = child_fork(&fd, NULL);

    (void)state;
    if (!pid)
        _exit(0);
    assert_false(child_wait_until_ready(fd));
    child_wait(pid);
    close(fd);
}

/* --- Supervision ---------------------------------------------------------------------------- */

static char fifo[64];

static void ignore(void *arg)
{
    (void)arg;
}

static int open_fifo(void)
{
    return open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

static bool has_writer(int fd)
{
    char byte;

    return read(fd, &byte, 1) < 0 && errno == EAGAIN;
}

/* Leaves a writing end behind. */
static int be_the_first(int fd)
{
    child_ask_to_hold(fd, open(fifo, O_RDWR | O_CLOEXEC));
    child_say_ready(fd);
    return raise(SIGKILL);
}

static int be_the_second(int fd)
{
    int end = open_fifo();

    if (!has_writer(end))
        return 1; /* It was not held. */
    child_say_ready(fd);
    for (int i = 0; i < 6000 && has_writer(end); i++)
        usleep(10000);
    return has_writer(end) ? 2 : 0; /* 2: it still is. */
}

static int supervise(int births_fd)
{
    int fd, result = child_supervise("child_test", ignore, NULL, &fd, NULL);
    char byte;

    if (result)
        return 3;
    return read(births_fd, &byte, 1) == 1 ? be_the_first(fd) : be_the_second(fd);
}

static void what_a_child_leaves_is_held_until_the_next_is_ready(void **state)
{
    int births[2];

    (void)state;
    strcpy(fifo, "/tmp/child_test.XXXXXX");
    assert_non_null(mkdtemp(fifo));
    strcat(fifo, "/fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(pipe(births), 0);
    assert_int_equal(write(births[1], "1", 1), 1);
    close(births[1]);
    pid_t pid = fork();
    if (!pid)
        _exit(supervise(births[0]));
    assert_int_equal(WEXITSTATUS(child_wait(pid)), 0);
    close(births[0]);
    unlink(fifo);
    *strrchr(fifo, '/') = '\0';
    rmdir(fifo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readiness_is_heard_once_it_is_said),
        cmocka_unit_test(child_that_ends_was_never_ready),
        cmocka_unit_test(what_a_child_leaves_is_held_until_the_next_is_ready),
    };

    log_set_levels("console:off", NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

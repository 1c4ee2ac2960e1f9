/* SPDX-License-Identifier: Apache-2.0 */

/* A message is one byte: "ready", or "hold", which has a descriptor beside it. */

#include "lib/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/log.h"

LOG_MODULE(daemon);

enum { MAX_HELD = 128 };
enum message { MESSAGE_READY = 'r', MESSAGE_HOLD = 'h', MESSAGE_END = 0 };

union control {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr header; /* For its alignment. */
};

pid_t child_fork(int *fd, struct error *error)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return error_set_errno(error, -errno, "cannot create a pair of sockets");
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        int result = error_set_errno(error, -errno, "cannot fork");
        close(ends[0]);
        close(ends[1]);
        return result;
    }
    close(pid ? ends[1] : ends[0]);
    *fd = pid ? ends[0] : ends[1];
    return pid;
}

/* --- Messages ------------------------------------------------------------------------------- */

void child_say_ready(int fd)
{
    char byte = MESSAGE_READY;
    ssize_t sent UNUSED = send(fd, &byte, 1, MSG_NOSIGNAL);
}

/* If it cannot be done, the process takes longer to end. */
void child_ask_to_hold(int fd, int held_fd)
{
    char byte = MESSAGE_HOLD;
    union control control = {0};
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };

    control.header = (struct cmsghdr){
        .cmsg_level = SOL_SOCKET,
        .cmsg_type = SCM_RIGHTS,
        .cmsg_len = CMSG_LEN(sizeof held_fd),
    };
    memcpy(CMSG_DATA(&control.header), &held_fd, sizeof held_fd);
    ssize_t sent UNUSED = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* '*held_fd' is -1 unless there was one with it. */
static enum message receive(int fd, int *held_fd)
{
    char byte = MESSAGE_END;
    union control control;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };
    ssize_t n;

    *held_fd = -1;
    while ((n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
        continue;
    if (n != 1)
        return MESSAGE_END;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof *held_fd))
        memcpy(held_fd, CMSG_DATA(header), sizeof *held_fd);
    return (enum message)byte;
}

struct held {
    int fds[MAX_HELD];
    unsigned int n;
};

/* What is more is not held. */
static void hold(struct held *held, int fd)
{
    if (fd < 0)
        return;
    if (held->n < MAX_HELD)
        held->fds[held->n++] = fd;
    else
        close(fd);
}

static void let_go(struct held *held)
{
    while (held->n)
        close(held->fds[--held->n]);
}

static bool wait_until_ready(int fd, struct held *held)
{
    enum message message;
    int held_fd;

    do {
        message = receive(fd, &held_fd);
        hold(held, held_fd);
    } while (message == MESSAGE_HOLD);
    return message == MESSAGE_READY;
}

bool child_wait_until_ready(int fd)
{
    struct held held = {.n = 0};
    bool is_ready = wait_until_ready(fd, &held);

    let_go(&held);
    return is_ready;
}

int child_wait(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return W_EXITCODE(EXIT_FAILURE, 0);
    return status;
}

void child_exit_like(int status)
{
    _exit(WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}

/* --- Supervision ---------------------------------------------------------------------------- */

struct supervisor {
    int signals_fd;
    pid_t pid;            /* Of the child ... */
    int fd;               /* ... and its socket; -1: nothing more is to be heard. */
    struct held now, old; /* For it, and for the one before it. */
};

static bool is_worth_restarting(int status)
{
    int signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

    return signal_number && signal_number != SIGTERM && signal_number != SIGINT &&
           signal_number != SIGHUP;
}

/* Passes termination on to the child. */
static void take_signal(const struct supervisor *supervisor)
{
    struct signalfd_siginfo info;

    if (read(supervisor->signals_fd, &info, sizeof info) == sizeof info &&
        info.ssi_signo != SIGCHLD)
        kill(supervisor->pid, (int)info.ssi_signo);
}

static void stop_listening(struct supervisor *supervisor)
{
    if (supervisor->fd >= 0)
        close(supervisor->fd);
    supervisor->fd = -1;
}

static void take_message(struct supervisor *supervisor)
{
    int held_fd;

    if (receive(supervisor->fd, &held_fd) == MESSAGE_END)
        stop_listening(supervisor);
    hold(&supervisor->now, held_fd);
}

/* Returns the child's exit status. */
static int guard(struct supervisor *supervisor)
{
    int status;

    while (waitpid(supervisor->pid, &status, WNOHANG) != supervisor->pid) {
        struct pollfd polls[] = {{.fd = supervisor->signals_fd, .events = POLLIN},
                                 {.fd = supervisor->fd, .events = POLLIN}};

        if (poll(polls, 2, -1) < 0)
            continue;
        if (polls[0].revents)
            take_signal(supervisor);
        if (polls[1].revents)
            take_message(supervisor);
    }
    stop_listening(supervisor);
    return status;
}

static int begin(struct supervisor *supervisor, sigset_t *old_signals, struct error *error)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, old_signals);
    supervisor->signals_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    return supervisor->signals_fd < 0 ? error_set_errno(error, -errno, "cannot wait for signals")
                                      : 0;
}

/* In the child: nothing of the supervisor's stays. */
static void leave_supervisor(struct supervisor *supervisor, const sigset_t *old_signals)
{
    sigprocmask(SIG_SETMASK, old_signals, NULL);
    close(supervisor->signals_fd);
    let_go(&supervisor->old);
}

int child_supervise(const char *program, void (*on_first_ready)(void *arg), void *arg, int *fd,
                    struct error *error)
{
    struct supervisor supervisor = {.fd = -1};
    sigset_t old_signals;
    int result = begin(&supervisor, &old_signals, error);

    for (bool is_first = true; !result; is_first = false) {
        int64_t start_ns = clock_now_ns();

        supervisor.pid = child_fork(&supervisor.fd, error);
        if (supervisor.pid < 0)
            return supervisor.pid;
        if (!supervisor.pid) {
            *fd = supervisor.fd;
            leave_supervisor(&supervisor, &old_signals);
            return 0;
        }
        bool is_ready = wait_until_ready(supervisor.fd, &supervisor.now);
        if (is_first && !is_ready)
            child_exit_like(child_wait(supervisor.pid));
        if (is_first)
            on_first_ready(arg);
        let_go(&supervisor.old);
        int status = guard(&supervisor);
        if (!is_worth_restarting(status))
            _exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_SUCCESS);
        log_err("%s (pid %ld) was ended by signal %d (%s): restarting", program,
                (long)supervisor.pid, WTERMSIG(status), strsignal(WTERMSIG(status)));
        supervisor.old = supervisor.now;
        supervisor.now.n = 0;
        if (clock_now_ns() - start_ns < SECOND_NS)
            sleep(1); /* It would go on like that, as fast as it can. */
    }
    return result;
}

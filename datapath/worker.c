/* SPDX-License-Identifier: Apache-2.0 */

/* While it sleeps a worker is no RCU reader, so nobody waits for it; it looks up sources only after it has
 * become one again. */

#include "datapath/worker.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datapath/look.h"
#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/rcu.h"

LOG_MODULE(worker);

enum { MAX_EVENTS = 64, PLACE_STOP = DP_MAX_PORTS + 1 };

struct worker {
    struct datapath *dp;
    struct lane *lane;
    pthread_t thread;
    bool is_running;
    int epoll_fd;
    int stop_fd;
    struct look look;
    struct rx_source *_Atomic sources[DP_MAX_PORTS + 1]; /* By place; RCU. */
};

/* A packet socket whose device went down is ready until it is asked for the error, which nobody who takes
 * frames from a ring does. */
static void clear_error(int fd)
{
    int error;
    socklen_t n_bytes = sizeof error;

    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n_bytes);
}

static void serve(struct worker *worker, uint32_t place, uint32_t events)
{
    struct rx_source *source = atomic_load_explicit(&worker->sources[place], memory_order_consume);

    if (!source)
        return;
    if (unlikely(events & EPOLLERR))
        clear_error(source->fd);
    worker->lane->now_ns = clock_now_ns();
    if (source->receive(source, worker->lane))
        return;
    log_warn_limited("port %s: its device is gone",
                     source->port ? source->port->name : "(exception tap)");
    epoll_ctl(worker->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
}

/* Looks for frames, so that an answer is met by a worker that is there, then waits for them asleep.  Whoever else wants
 * the processor has it meanwhile. */
static int wait_for_events(struct worker *worker, struct epoll_event *events, int64_t from_ns)
{
    int n;

    for (int64_t now_ns = from_ns; now_ns - from_ns < worker->look.ns; now_ns = clock_now_ns()) {
        rcu_pass_quiescent_state();
        n = epoll_wait(worker->epoll_fd, events, MAX_EVENTS, 0);
        if (n)
            return n;
        sched_yield();
    }
    rcu_reader_pause();
    n = epoll_wait(worker->epoll_fd, events, MAX_EVENTS, -1);
    rcu_reader_resume();
    return n;
}

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    struct epoll_event events[MAX_EVENTS];

    rcu_reader_register();
    for (;;) {
        int64_t from_ns = clock_now_ns();
        int n = wait_for_events(worker, events, from_ns);
        int64_t waited_ns = clock_now_ns() - from_ns;

        for (int i = 0; i < n; i++) {
            if (events[i].data.u32 == PLACE_STOP)
                goto stop;
            serve(worker, events[i].data.u32, events[i].events);
        }
        look_learn(&worker->look, waited_ns, worker->lane->came_by, worker->lane->went_to);
        worker->lane->came_by = worker->lane->went_to = 0;
    }
stop:
    rcu_reader_unregister();
    return NULL;
}

static int watch(struct worker *worker, int fd, uint32_t place)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = place};

    return epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int start_thread(struct worker *worker)
{
    sigset_t all, before;

    /* Signals are the main thread's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = -pthread_create(&worker->thread, NULL, worker_main, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    worker->is_running = !code;
    return code;
}

int workers_start(struct datapath *dp, struct error *error)
{
    dp->workers = calloc(dp->config.n_workers, sizeof dp->workers[0]);
    if (!dp->workers)
        return error_set(error, -ENOMEM, "cannot start workers: out of memory");
    for (unsigned int i = 0; i < dp->config.n_workers; i++) {
        dp->workers[i].epoll_fd = dp->workers[i].stop_fd = -1;
        dp->workers[i].dp = dp;
        dp->workers[i].lane = dp->lanes[i];
    }
    for (unsigned int i = 0; i < dp->config.n_workers; i++) {
        struct worker *worker = &dp->workers[i];
        int code;

        worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        worker->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        code = worker->epoll_fd < 0 || worker->stop_fd < 0
                   ? -errno
                   : watch(worker, worker->stop_fd, PLACE_STOP);
        if (!code)
            code = start_thread(worker);
        if (code) {
            workers_stop(dp);
            return error_set_errno(error, code, "cannot start worker %u", i);
        }
    }
    return 0;
}

void workers_stop(struct datapath *dp)
{
    static const uint64_t one = 1;

    if (!dp->workers)
        return;
    for (unsigned int i = 0; i < dp->config.n_workers; i++) {
        struct worker *worker = &dp->workers[i];

        if (worker->is_running && write(worker->stop_fd, &one, sizeof one) == sizeof one)
            rcu_join_thread(worker->thread);
        if (worker->epoll_fd >= 0)
            close(worker->epoll_fd);
        if (worker->stop_fd >= 0)
            close(worker->stop_fd);
    }
    free(dp->workers);
    dp->workers = NULL;
}

int worker_add_source(struct datapath *dp, unsigned int worker, uint32_t place,
                      struct rx_source *source)
{
    struct worker *to = &dp->workers[worker];

    atomic_store_explicit(&to->sources[place], source, memory_order_release);
    int code = watch(to, source->fd, place);
    if (code)
        atomic_store_explicit(&to->sources[place], NULL, memory_order_release);
    return code;
}

bool worker_has_source(const struct datapath *dp, unsigned int worker, uint32_t place)
{
    return dp->workers &&
           atomic_load_explicit(&dp->workers[worker].sources[place], memory_order_relaxed);
}

void worker_remove_source(struct datapath *dp, unsigned int worker, uint32_t place)
{
    struct worker *from = &dp->workers[worker];
    struct rx_source *source = atomic_load_explicit(&from->sources[place], memory_order_relaxed);

    if (!source)
        return;
    epoll_ctl(from->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
    atomic_store_explicit(&from->sources[place], NULL, memory_order_release);
}

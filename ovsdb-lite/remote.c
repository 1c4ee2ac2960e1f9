/* SPDX-License-Identifier: Apache-2.0 */

/* Listening and connecting.  What databases say about remotes is in remote_database.c. */

#include "ovsdb-lite/remote.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "ovsdb-lite/remote_state.h"
#include "ovsdb-lite/session.h"
#include "ovsdb-lite/tls_source.h"

LOG_MODULE(remote);

enum { DEFAULT_PORT = 6640 };
static const double MIN_BACKOFF_S = 1;

static void try_to_connect(struct remote *remote);

struct remotes *remotes_create(struct server *server)
{
    struct remotes *remotes = calloc(1, sizeof *remotes);

    if (!remotes)
        abort();
    remotes->server = server;
    CDS_INIT_LIST_HEAD(&remotes->list);
    CDS_INIT_LIST_HEAD(&remotes->sources);
    remote_sources_init(remotes);
    return remotes;
}

void remotes_destroy(struct remotes *remotes)
{
    struct remote *remote, *next;

    cds_list_for_each_entry_safe (remote, next, &remotes->list, node)
        remote_destroy(remote);
    remote_sources_destroy(remotes);
    free(remotes);
}

int remotes_set_tls(struct remotes *remotes, const struct tls_settings *tls, struct error *error)
{
    remotes->tls = *tls;
    if (tls_source_check(remotes->server, tls, error))
        return error->code;
    tls_source_follow(remotes->server, tls);
    return 0;
}

static void note_change(struct remote *remote)
{
    remote->remotes->server->has_work = true;
}

/* --- Sessions ------------------------------------------------------------------------------ */

static void begin_session(struct remote *remote, struct stream *stream)
{
    const int on = 1;

    if (!remote->address->path)
        setsockopt(stream_fd(stream), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct session *session = server_admit(remote->remotes->server, stream, remote->target,
                                           remote->address->is_passive ? remote->address->path
                                                                       : NULL);
    if (!session)
        return;
    remote->connected_ns = clock_now_ns();
    session->remote = remote;
    session_set_probe(session, remote->inactivity_ms);
    remote->n_sessions++;
    note_change(remote);
}

static void back_off(struct remote *remote)
{
    double longest_s = remote->max_backoff_ms / 1000.0;

    remote->state = REMOTE_BACKOFF;
    remote->backoff_s = remote->backoff_s ? 2 * remote->backoff_s : MIN_BACKOFF_S;
    if (remote->backoff_s > longest_s)
        remote->backoff_s = longest_s;
    ev_timer_set(&remote->timer, remote->backoff_s, 0);
    ev_timer_start(remote->remotes->server->loop, &remote->timer);
    note_change(remote);
}

void remote_session_ended(struct remote *remote)
{
    int64_t lasted_ns = clock_now_ns() - remote->connected_ns;

    remote->n_sessions--;
    remote->disconnected_ns = clock_now_ns();
    note_change(remote);
    if (remote->address->is_passive)
        return;
    log_info("%s: disconnected", remote->target);
    if (lasted_ns > (int64_t)(remote->backoff_s * (double)SECOND_NS))
        remote->backoff_s = 0; /* It was more than a door that closes at once. */
    back_off(remote);
}

/* --- Connecting ---------------------------------------------------------------------------- */

static void fail_to_connect(struct remote *remote, int code, const char *reason)
{
    if (strcmp(reason, remote->last_error.message) != 0)
        log_info("%s: %s", remote->target, reason);
    error_set(&remote->last_error, code, "%s", reason);
    back_off(remote);
}

static void on_connected(struct stream *stream, int code, const char *reason, void *aux)
{
    struct remote *remote = aux;

    if (!stream) {
        fail_to_connect(remote, code, reason);
        return;
    }
    remote->state = REMOTE_ACTIVE;
    remote->last_error = (struct error)ERROR_INIT;
    begin_session(remote, stream);
    if (remote->n_sessions)
        log_info("%s: connected", remote->target);
    else
        back_off(remote);
}

static void try_to_connect(struct remote *remote)
{
    struct error error = ERROR_INIT;
    int code = connector_start(&remote->connector, remote->address, &error);

    if (code < 0) {
        fail_to_connect(remote, code, strerror(-code));
        return;
    }
    remote->state = REMOTE_CONNECTING;
    note_change(remote);
}

static void on_timer(struct ev_loop *loop UNUSED, struct ev_timer *timer, int events UNUSED)
{
    try_to_connect(timer->data);
}

/* --- Listening ----------------------------------------------------------------------------- */

/* What strangers do is no news for the database: only the log tells of it. */
static void refuse(const struct remote *remote, const char *reason)
{
    log_warn_limited("%s: refused a client: %s", remote->target, reason);
}

static void on_handshake(struct stream *stream, const char *reason, void *aux)
{
    if (stream)
        begin_session(aux, stream);
    else
        refuse(aux, reason);
}

static void on_accepted(int fd, void *aux)
{
    struct remote *remote = aux;
    struct error error = ERROR_INIT;
    struct stream *stream;

    if (!remote->address->is_tls)
        begin_session(remote, stream_create(fd));
    else if ((stream = stream_create_tls(fd, remote->remotes->server->tls, TLS_SERVER, &error)))
        handshakes_add_take(&remote->handshakes, stream);
    else
        log_warn_limited("%s: refused a client: %s", remote->target, error.message);
}

static int start_listening(struct remote *remote, struct error *error)
{
    struct sockaddr_storage bound = {.ss_family = AF_UNSPEC};
    socklen_t n_bytes = sizeof bound;
    int fd = socket_address_open(remote->address, error);

    if (fd < 0) {
        error_set(&remote->last_error, fd, "%s", strerror(-fd));
        return error_prefix(error, "%s", remote->target);
    }
    if (remote->address->path &&
        peer_readers_admit(&remote->remotes->server->readers, remote->address->path, error)) {
        close(fd);
        unlink(remote->address->path);
        error_set(&remote->last_error, -EOPNOTSUPP, "%s", strerror(EOPNOTSUPP));
        return -EOPNOTSUPP;
    }
    getsockname(fd, (struct sockaddr *)&bound, &n_bytes);
    if (bound.ss_family == AF_INET)
        remote->bound_port = ntohs(((struct sockaddr_in *)&bound)->sin_port);
    else if (bound.ss_family == AF_INET6)
        remote->bound_port = ntohs(((struct sockaddr_in6 *)&bound)->sin6_port);
    acceptor_start(&remote->acceptor, remote->remotes->server->loop, fd, on_accepted, remote);
    remote->state = REMOTE_ACTIVE;
    log_info("%s: listening", remote->target);
    return 0;
}

/* --- Remotes ------------------------------------------------------------------------------- */

static struct remote *remote_new(struct remotes *remotes, const char *target)
{
    struct remote *remote = calloc(1, sizeof *remote);

    if (!remote || !(remote->target = strdup(target)))
        abort();
    remote->remotes = remotes;
    remote->max_backoff_ms = REMOTE_MAX_BACKOFF_MS;
    ev_timer_init(&remote->timer, on_timer, 0, 0);
    remote->timer.data = remote;
    connector_init(&remote->connector, remotes->server->loop, remotes->server->tls, on_connected,
                   remote);
    handshakes_init(&remote->handshakes, remotes->server->loop, on_handshake, remote);
    cds_list_add_tail(&remote->node, &remotes->list);
    return remote;
}

static struct remote *start(struct remote *remote, struct error *error)
{
    if (!remote->address) {
        error_set(&remote->last_error, -EINVAL, "%s", strerror(EINVAL));
        return remote;
    }
    remote->inactivity_ms = remote->address->path ? 0 : REMOTE_INACTIVITY_MS;
    if (!remote->address->is_passive)
        try_to_connect(remote);
    else
        start_listening(remote, error);
    return remote;
}

struct remote *remote_create(struct remotes *remotes, const char *target, struct error *error)
{
    struct remote *remote = remote_new(remotes, target);

    remote->address = socket_address_parse(target, DEFAULT_PORT, error);
    return start(remote, error);
}

static struct remote *remote_create_trusted(struct remotes *remotes, const char *target,
                                            struct error *error)
{
    struct remote *remote = remote_new(remotes, target);

    remote->address = socket_address_parse_trusted(target, DEFAULT_PORT, error);
    return start(remote, error);
}

void remote_destroy(struct remote *remote)
{
    struct session *session, *next;

    if (remote->address && remote->address->is_passive && remote->state == REMOTE_ACTIVE) {
        acceptor_stop(&remote->acceptor);
        if (remote->address->path)
            unlink(remote->address->path);
    }
    ev_timer_stop(remote->remotes->server->loop, &remote->timer);
    connector_stop(&remote->connector);
    handshakes_stop(&remote->handshakes);
    cds_list_for_each_entry_safe (session, next, &remote->remotes->server->sessions, node) {
        if (session->remote != remote)
            continue;
        session->remote = NULL;
        jsonrpc_flush(session->rpc);
        session_destroy(session);
    }
    cds_list_del(&remote->node);
    socket_address_destroy(remote->address);
    json_decref(remote->written);
    free(remote->target);
    free(remote);
}

void remote_set_probe(struct remote *remote, unsigned int inactivity_ms)
{
    struct session *session;

    if (remote->inactivity_ms == inactivity_ms)
        return;
    remote->inactivity_ms = inactivity_ms;
    cds_list_for_each_entry (session, &remote->remotes->server->sessions, node)
        if (session->remote == remote)
            session_set_probe(session, inactivity_ms);
}

int remotes_add(struct remotes *remotes, const char *text, struct error *error)
{
    struct error trouble = ERROR_INIT;

    remotes->server->has_work = true;
    if (!strncmp(text, "db:", 3))
        return remote_sources_add(remotes, text, error);
    struct remote *remote = remote_create_trusted(remotes, text, &trouble);
    /* A peer that does not answer is tried again; a listener that cannot be is an error. */
    if (remote->address && (!remote->address->is_passive || remote->state == REMOTE_ACTIVE))
        return 0;
    *error = trouble;
    remote_destroy(remote);
    return error->code;
}

static struct remote *find_remote(const struct remotes *remotes, const char *target)
{
    struct remote *remote;

    cds_list_for_each_entry (remote, &remotes->list, node)
        if (!remote->is_from_database && !strcmp(remote->target, target))
            return remote;
    return NULL;
}

bool remotes_has(const struct remotes *remotes, const char *text)
{
    return find_remote(remotes, text) || remote_sources_has(remotes, text);
}

bool remotes_remove(struct remotes *remotes, const char *text)
{
    struct remote *remote = find_remote(remotes, text);

    remotes->server->has_work = true;
    if (!remote)
        return remote_sources_remove(remotes, text);
    remote_destroy(remote);
    return true;
}

static int compare_targets(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void remotes_describe(const struct remotes *remotes, struct buffer *lines)
{
    enum { MAX_LINES = 256 };
    const char *targets[MAX_LINES];
    struct remote *remote;
    size_t n = remote_sources_list(remotes, targets, MAX_LINES);

    cds_list_for_each_entry (remote, &remotes->list, node)
        if (!remote->is_from_database && n < MAX_LINES)
            targets[n++] = remote->target;
    qsort(targets, n, sizeof targets[0], compare_targets);
    for (size_t i = 0; i < n; i++)
        buffer_printf(lines, "%s\n", targets[i]);
}

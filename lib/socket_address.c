/* SPDX-License-Identifier: Apache-2.0 */

/* getaddrinfo() with numeric hosts only: it never blocks. */

#include "lib/socket_address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/rundir.h"
#include "lib/unix_socket.h"

enum { SOCKET_MODE = 0660 };

/* "1.2.3.4", "[::1]", each maybe with ":PORT" behind. */
static int split_host(char *text, char **host, char **port)
{
    char *end;

    if (*text == '[') {
        *host = text + 1;
        end = strchr(text, ']');
        if (!end)
            return -EINVAL;
        *end++ = '\0';
    } else {
        *host = text;
        end = strchr(text, ':');
        /* More than one colon without brackets is all address. */
        if (end && strchr(end + 1, ':'))
            end = NULL;
    }
    *port = end && *end == ':' ? end + 1 : NULL;
    if (end && *end)
        *end = '\0';
    return 0;
}

/* getaddrinfo() takes "99999" and "-1", too. */
static bool is_port(const char *text)
{
    size_t n_digits = strspn(text, "0123456789");

    return n_digits == strlen(text) && n_digits <= 5 && atoi(text) >= 1 && atoi(text) <= UINT16_MAX;
}

static int parse_inet(const char *host, const char *port, uint16_t default_port,
                      struct socket_address *address)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    char default_text[8];
    struct addrinfo *found;

    snprintf(default_text, sizeof default_text, "%u", default_port);
    if (!port || !*port)
        port = default_text;
    if (!is_port(port) || getaddrinfo(host, port, &hints, &found))
        return -EINVAL;
    memcpy(&address->socket_address, found->ai_addr, found->ai_addrlen);
    address->n_bytes = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

static int parse_active_inet(char *text, uint16_t default_port, struct socket_address *address)
{
    char *host, *port;

    return split_host(text, &host, &port) || !*host ? -EINVAL
                                                    : parse_inet(host, port, default_port, address);
}

static int parse_passive_inet(char *text, uint16_t default_port, struct socket_address *address)
{
    char *colon = strchr(text, ':');
    char *host = NULL, *port;

    if (colon) {
        *colon = '\0';
        if (split_host(colon + 1, &host, &port) || port)
            return -EINVAL;
    }
    return parse_inet(host && *host ? host : "0.0.0.0", text, default_port, address);
}

/* Who writes the database is not to make the switch create, or talk to, sockets anywhere else. */
static char *parse_path(const char *path)
{
    size_t n = strlen(rundir_path());

    if (!strncmp(path, rundir_path(), n) && path[n] == '/')
        path += n + 1;
    return *path && *path != '.' && !strchr(path, '/') ? rundir_file(path) : NULL;
}

static char *copy_path(const char *path)
{
    char *copy = strdup(path);

    if (!copy)
        abort();
    return copy;
}

static struct socket_address *parse(const char *target, uint16_t default_port,
                                    char *(*parse_path_of)(const char *), struct error *error)
{
    struct socket_address *address = calloc(1, sizeof *address);
    const char *colon = strchr(target, ':');
    char *rest = strdup(colon ? colon + 1 : "");
    int result = -EINVAL;

    if (!address || !rest)
        abort();
    address->is_passive = target[0] == 'p';
    address->is_tls = !strncmp(target, "ssl:", 4) || !strncmp(target, "pssl:", 5);
    if (!strncmp(target, "tcp:", 4) || !strncmp(target, "ssl:", 4)) {
        result = parse_active_inet(rest, default_port, address);
    } else if (!strncmp(target, "ptcp:", 5) || !strncmp(target, "pssl:", 5)) {
        result = parse_passive_inet(rest, default_port, address);
    } else if ((!strncmp(target, "unix:", 5) || !strncmp(target, "punix:", 6)) && *rest) {
        address->path = parse_path_of(rest);
        result = address->path ? 0 : -EACCES;
    }
    free(rest);
    if (!result)
        return address;
    if (result == -EACCES)
        error_set(error, result, "%s: the socket must be in %s", target, rundir_path());
    else
        error_set(error, result,
                  "%s: not a target (tcp:IP:PORT, ssl:IP:PORT, unix:PATH, ptcp:PORT, pssl:PORT)",
                  target);
    free(address);
    return NULL;
}

struct socket_address *socket_address_parse(const char *target, uint16_t default_port,
                                            struct error *error)
{
    return parse(target, default_port, parse_path, error);
}

struct socket_address *socket_address_parse_trusted(const char *target, uint16_t default_port,
                                                    struct error *error)
{
    return parse(target, default_port, copy_path, error);
}

void socket_address_destroy(struct socket_address *address)
{
    if (!address)
        return;
    free(address->path);
    free(address);
}

static int open_inet(const struct socket_address *address, struct error *error)
{
    const struct sockaddr *to = (const struct sockaddr *)&address->socket_address;
    const int on = 1;
    int fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return error_set_errno(error, -errno, "cannot create socket");
    if (address->is_passive) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (!bind(fd, to, address->n_bytes) && !listen(fd, SOMAXCONN))
            return fd;
    } else {
        /* Each message matters by itself. */
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (!connect(fd, to, address->n_bytes) || errno == EINPROGRESS)
            return fd;
    }
    int result = error_set_errno(error, -errno,
                                 address->is_passive ? "cannot listen" : "cannot connect");
    close(fd);
    return result;
}

int socket_address_open(const struct socket_address *address, struct error *error)
{
    if (!address->path)
        return open_inet(address, error);
    return address->is_passive ? unix_socket_listen(address->path, SOCKET_MODE, error)
                               : unix_socket_connect_now(address->path, error);
}

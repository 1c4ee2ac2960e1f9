/* SPDX-License-Identifier: Apache-2.0 */

/* database_load - how fast does a database server serve?  Speaks to any OVSDB server with an Open_vSwitch
 * database, and reads no more of its answers than it must, so that it is not what is measured.
 *
 *     database_load commit SOCKET N-CLIENTS SECONDS synced|as-it-is
 *         each client changes a row of its own, one transaction after another; "synced" asks for a durable
 *         commit.  Prints transactions per second, the median and the 99th percentile of their microseconds.
 *     database_load monitors SOCKET N-MONITORS SECONDS
 *         that many clients monitor a table that one more changes.  Prints updates per second that arrived at
 *         clients, transactions per second, and the writer's microseconds as above.
 *     database_load fill SOCKET N-ROWS
 *         adds rows to table Queue.  Prints the seconds it took.
 *     database_load fetch SOCKET
 *         one client asks for all of table Queue.  Prints the seconds until it has it, and the bytes. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"

enum { MAX_SAMPLES = 1 << 20, READ_BYTES = 1 << 16, ROWS_A_TRANSACTION = 1000 };

/* Where a stream of JSON texts stands. */
struct client {
    int fd;
    int depth;
    bool is_in_string, is_escaped;
    int64_t sent_ns;
    char row[37]; /* UUID of the row that is its own. */
};

static char input[READ_BYTES + 1];
static int64_t samples[MAX_SAMPLES];
static size_t n_samples;

static void die(const char *what)
{
    fprintf(stderr, "database_load: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static void connect_client(struct client *client, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    *client = (struct client){.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (client->fd < 0 ||
        connect(client->fd, (const struct sockaddr *)&address, sizeof address) < 0)
        die(path);
}

static void send_text(struct client *client, const char *text)
{
    for (size_t n = strlen(text); n;) {
        ssize_t sent = send(client->fd, text, n, 0);
        if (sent < 0)
            die("send");
        text += sent;
        n -= (size_t)sent;
    }
    client->sent_ns = clock_now_ns();
}

/* Reads once; the number of messages that ended.  What was read stands in 'input'. */
static unsigned int receive(struct client *client, size_t *n_bytes)
{
    ssize_t n = recv(client->fd, input, READ_BYTES, 0);
    unsigned int n_messages = 0;

    if (n <= 0)
        die("the server closed a connection");
    input[n] = '\0';
    *n_bytes = (size_t)n;
    for (const char *c = input; c < input + n; c++) {
        if (client->is_in_string) {
            if (client->is_escaped)
                client->is_escaped = false;
            else if (*c == '\\')
                client->is_escaped = true;
            else
                client->is_in_string = *c != '"';
        } else if (*c == '"') {
            client->is_in_string = true;
        } else if (*c == '{' || *c == '[') {
            client->depth++;
        } else if (*c == '}' || *c == ']') {
            n_messages += !--client->depth;
        }
    }
    return n_messages;
}

/* Waits for the answer of a request whose failure would make the figures worthless. */
static void expect_answer(struct client *client)
{
    size_t n_bytes;
    bool is_first = true;

    for (unsigned int n = 0; !n; is_first = false) {
        n = receive(client, &n_bytes);
        if (is_first && strstr(input, "\"details\"")) {
            fprintf(stderr, "database_load: refused: %.300s\n", input);
            exit(EXIT_FAILURE);
        }
    }
}

static void make_row(struct client *client)
{
    send_text(client,
              "{\"method\":\"transact\",\"id\":0,\"params\":[\"Open_vSwitch\",{\"op\":\"insert\","
              "\"table\":\"Queue\",\"row\":{}}]}");
    expect_answer(client);
    const char *uuid = strstr(input, "\"uuid\",\"");
    if (!uuid)
        die("no row");
    snprintf(client->row, sizeof client->row, "%.36s", uuid + 8);
}

static void send_change(struct client *client, uint64_t number, bool is_synced)
{
    char text[400];

    snprintf(text, sizeof text,
             "{\"method\":\"transact\",\"id\":1,\"params\":[\"Open_vSwitch\",{\"op\":\"update\","
             "\"table\":"
             "\"Queue\",\"where\":[[\"_uuid\",\"==\",[\"uuid\",\"%s\"]]],\"row\":{\"external_ids\":"
             "[\"map\","
             "[[\"n\",\"%" PRIu64 "\"]]]}}%s]}",
             client->row, number, is_synced ? ",{\"op\":\"commit\",\"durable\":true}" : "");
    send_text(client, text);
}

static void note_sample(int64_t ns)
{
    if (n_samples < MAX_SAMPLES)
        samples[n_samples++] = ns;
}

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void print_times(void)
{
    qsort(samples, n_samples, sizeof *samples, compare_times);
    printf(" %.1f %.1f\n", n_samples ? (double)samples[n_samples / 2] / 1e3 : 0,
           n_samples ? (double)samples[n_samples * 99 / 100] / 1e3 : 0);
}

static struct client *create_clients(const char *path, size_t n, int epoll)
{
    struct client *clients = calloc(n, sizeof *clients);

    if (!clients)
        abort();
    for (size_t i = 0; i < n; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &clients[i]};
        connect_client(&clients[i], path);
        epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i].fd, &event);
    }
    return clients;
}

static void run_commits(const char *path, size_t n_clients, int seconds, bool is_synced)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct client *clients = create_clients(path, n_clients, epoll);
    struct epoll_event events[64];
    size_t n_bytes;
    uint64_t n = 0;

    for (size_t i = 0; i < n_clients; i++)
        make_row(&clients[i]);
    int64_t start_ns = clock_now_ns(), end_ns = start_ns + seconds * SECOND_NS;
    for (size_t i = 0; i < n_clients; i++)
        send_change(&clients[i], 0, is_synced);
    while (clock_now_ns() < end_ns) {
        int n_ready = epoll_wait(epoll, events, 64, 1000);
        for (int i = 0; i < n_ready; i++) {
            struct client *client = events[i].data.ptr;
            if (!receive(client, &n_bytes))
                continue;
            note_sample(clock_now_ns() - client->sent_ns);
            send_change(client, ++n, is_synced);
        }
    }
    printf("%.0f", (double)n * 1e9 / (double)(clock_now_ns() - start_ns));
    print_times();
}

static void run_monitors(const char *path, size_t n_monitors, int seconds)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct client *clients = create_clients(path, n_monitors + 1, epoll);
    struct client *writer = &clients[n_monitors];
    struct epoll_event events[256];
    uint64_t n = 0, n_updates = 0;
    size_t n_bytes;

    make_row(writer);
    for (size_t i = 0; i < n_monitors; i++) {
        send_text(&clients[i],
                  "{\"method\":\"monitor_cond_since\",\"id\":1,\"params\":[\"Open_vSwitch\",\"m\",{"
                  "\"Queue\":"
                  "[{\"columns\":[\"external_ids\"]}]},\"00000000-0000-0000-0000-000000000000\"]}");
        expect_answer(&clients[i]);
    }
    int64_t start_ns = clock_now_ns(), end_ns = start_ns + seconds * SECOND_NS;
    send_change(writer, 0, false);
    while (clock_now_ns() < end_ns) {
        int n_ready = epoll_wait(epoll, events, 256, 1000);
        for (int i = 0; i < n_ready; i++) {
            struct client *client = events[i].data.ptr;
            unsigned int n_messages = receive(client, &n_bytes);
            if (client != writer) {
                n_updates += n_messages;
            } else if (n_messages) {
                note_sample(clock_now_ns() - writer->sent_ns);
                send_change(writer, ++n, false);
            }
        }
    }
    double took_s = (double)(clock_now_ns() - start_ns) / 1e9;
    printf("%.0f %.0f", (double)n_updates / took_s, (double)n / took_s);
    print_times();
}

static void run_fill(const char *path, unsigned int n_rows)
{
    static char text[ROWS_A_TRANSACTION * 200 + 200];
    int64_t start_ns = clock_now_ns();
    struct client client;

    connect_client(&client, path);
    for (unsigned int i = 0; i < n_rows; i += ROWS_A_TRANSACTION) {
        int n = sprintf(text, "{\"method\":\"transact\",\"id\":1,\"params\":[\"Open_vSwitch\"");
        for (unsigned int j = i; j < i + ROWS_A_TRANSACTION; j++)
            n += sprintf(text + n,
                         ",{\"op\":\"insert\",\"table\":\"Queue\",\"row\":{\"dscp\":%u,\"external_"
                         "ids\":[\"map\","
                         "[[\"owner\",\"somebody\"],[\"id\",\"row%u\"]]]}}",
                         j % 64, j);
        sprintf(text + n, "]}");
        send_text(&client, text);
        expect_answer(&client);
    }
    printf("%.3f\n", (double)(clock_now_ns() - start_ns) / 1e9);
}

static void run_fetch(const char *path)
{
    size_t n_all = 0, n_bytes;
    struct client client;

    connect_client(&client, path);
    send_text(&client, "{\"method\":\"monitor_cond\",\"id\":1,\"params\":[\"Open_vSwitch\",\"m\",{"
                       "\"Queue\":[{\"columns\":"
                       "[\"dscp\",\"external_ids\",\"other_config\"]}]}]}");
    for (unsigned int n = 0; !n; n_all += n_bytes)
        n = receive(&client, &n_bytes);
    printf("%.3f %zu\n", (double)(clock_now_ns() - client.sent_ns) / 1e9, n_all);
}

int main(int argc, char *argv[])
{
    struct rlimit files;

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (argc == 6 && !strcmp(argv[1], "commit"))
        run_commits(argv[2], strtoul(argv[3], NULL, 10), atoi(argv[4]), !strcmp(argv[5], "synced"));
    else if (argc == 5 && !strcmp(argv[1], "monitors"))
        run_monitors(argv[2], strtoul(argv[3], NULL, 10), atoi(argv[4]));
    else if (argc == 4 && !strcmp(argv[1], "fill"))
        run_fill(argv[2], (unsigned int)strtoul(argv[3], NULL, 10));
    else if (argc == 3 && !strcmp(argv[1], "fetch"))
        run_fetch(argv[2]);
    else
        return fprintf(stderr, "database_load: see the head of database_load.c\n"), 2;
    return 0;
}

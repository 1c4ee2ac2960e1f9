/* SPDX-License-Identifier: Apache-2.0 */

/* How many synced transactions per second do N clients get from the server?  And how long do
 * 100,000 rows take, in transactions of 1,000?
 *
 * usage: commit_bench [DIRECTORY]    the database goes there; the default is the current one */

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/jsonrpc_client.h"

enum { N_RUNS = 3, RUN_S = 2, MAX_CLIENTS = 16, N_ROWS = 100000, BATCH = 1000 };

static char directory[256], socket_path[300];

static const char schema_text[] =
    "{\"name\":\"B\",\"version\":\"1.0.0\",\"tables\":{\"T\":{\"isRoot\":true,\"indexes\":"
    "[[\"name\"]],\"columns\":{\"name\":{\"type\":\"string\"},\"n\":{\"type\":\"integer\"},"
    "\"ids\":{\"type\":{\"key\":\"string\",\"value\":\"string\",\"min\":0,\"max\":\"unlimited\"}}"
    "}}}}";

static pid_t start_server(void)
{
    char rundir[300], schema[300], db[300], path[280];

    snprintf(path, sizeof path, "%s/schema", directory);
    FILE *file = fopen(path, "w");
    fputs(schema_text, file);
    fclose(file);
    snprintf(rundir, sizeof rundir, "--rundir=%s", directory);
    snprintf(schema, sizeof schema, "--schema=%s", path);
    snprintf(db, sizeof db, "%s/db", directory);
    pid_t pid = fork();
    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl(WEIR_BUILD_DIR "/ovsdb-lite/ovsdb-lite", "ovsdb-lite", rundir, schema,
              "-vconsole:err", db, NULL);
        _exit(127);
    }
    return pid;
}

static void call(struct jsonrpc_client *client, json_t *params)
{
    struct error error = ERROR_INIT;
    bool is_error;
    json_t *answer;

    if (jsonrpc_client_call_take(client, "transact", params, &answer, &is_error, &error) ||
        is_error || json_object_get(json_array_get(answer, json_array_size(answer) - 1), "error")) {
        fprintf(stderr, "commit_bench: transaction failed %s\n", error.message);
        exit(EXIT_FAILURE);
    }
    json_decref(answer);
}

/* Also waits for a server that is loading its file. */
static struct jsonrpc_client *connect_client(void)
{
    struct error error = ERROR_INIT;

    for (int i = 0; i < 10000; i++) {
        struct jsonrpc_client *client = jsonrpc_client_connect(socket_path, INT64_MAX, &error);
        if (client)
            return client;
        usleep(1000);
    }
    fprintf(stderr, "commit_bench: %s\n", error.message);
    exit(EXIT_FAILURE);
}

static double load_rows(void)
{
    struct jsonrpc_client *client = connect_client();
    int64_t start_ns = clock_now_ns();

    for (int i = 0; i < N_ROWS; i += BATCH) {
        json_t *params = json_pack("[s]", "B");
        for (int j = i; j < i + BATCH; j++) {
            char name[32];
            snprintf(name, sizeof name, "row%d", j);
            json_array_append_new(params,
                                  json_pack("{s:s, s:s, s:{s:s, s:i, s:[s, [[s, s], [s, s]]]}}",
                                            "op", "insert", "table", "T", "row", "name", name, "n",
                                            j, "ids", "map", "owner", "somebody", "id", name));
        }
        call(client, params);
    }
    jsonrpc_client_destroy(client);
    return (double)(clock_now_ns() - start_ns) / (double)SECOND_NS;
}

static int run_client(int number, int64_t end_ns)
{
    struct jsonrpc_client *client = connect_client();
    char name[32];
    int n = 0;

    snprintf(name, sizeof name, "row%d", number);
    for (; clock_now_ns() < end_ns; n++)
        call(client,
             json_pack("[s, {s:s, s:s, s:[[s, s, s]], s:[[s, s, i]]}]", "B", "op", "mutate",
                       "table", "T", "where", "name", "==", name, "mutations", "n", "+=", 1));
    jsonrpc_client_destroy(client);
    return n;
}

static double measure(int n_clients)
{
    int ends[2], n_all = 0, n;
    int64_t end_ns = clock_now_ns() + RUN_S * SECOND_NS;

    if (pipe(ends) < 0)
        abort();
    for (int i = 0; i < n_clients; i++) {
        if (!fork()) {
            n = run_client(i, end_ns);
            _exit(write(ends[1], &n, sizeof n) != sizeof n);
        }
    }
    close(ends[1]);
    while (read(ends[0], &n, sizeof n) == sizeof n)
        n_all += n;
    close(ends[0]);
    while (wait3(NULL, WNOHANG, NULL) > 0)
        continue;
    return n_all / (double)RUN_S;
}

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

int main(int argc, char *argv[])
{
    snprintf(directory, sizeof directory, "%s/commit_bench.XXXXXX", argc > 1 ? argv[1] : ".");
    if (!mkdtemp(directory))
        return EXIT_FAILURE;
    snprintf(socket_path, sizeof socket_path, "%s/db.sock", directory);
    pid_t server = start_server();

    printf("load_rows rows=%d batch=%d seconds=%.2f\n", N_ROWS, BATCH, load_rows());
    for (int n_clients = 1; n_clients <= MAX_CLIENTS; n_clients *= 4) {
        double rates[N_RUNS];
        for (int run = 0; run < N_RUNS; run++)
            rates[run] = measure(n_clients);
        qsort(rates, N_RUNS, sizeof *rates, compare);
        printf("commit clients=%d txn_per_s=%.0f min=%.0f max=%.0f runs=%d\n", n_clients,
               rates[N_RUNS / 2], rates[0], rates[N_RUNS - 1], N_RUNS);
        fflush(stdout);
    }
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    server = start_server();
    int64_t start_ns = clock_now_ns();
    jsonrpc_client_destroy(connect_client());
    printf("reopen rows=%d connected_after_s=%.2f\n", N_ROWS,
           (double)(clock_now_ns() - start_ns) / (double)SECOND_NS);
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);

    char command[300];
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command) ? EXIT_FAILURE : EXIT_SUCCESS;
}

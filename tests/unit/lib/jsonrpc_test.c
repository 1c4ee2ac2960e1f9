/* SPDX-License-Identifier: Apache-2.0 */

/* Streams of JSON: where messages end, what is refused, and what a slow reader costs. */

#include "lib/jsonrpc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/annotations.h"

/* Feeds 'text' in pieces; returns how many messages came, or a negative error. */
static int feed(const char *text, size_t piece)
{
    struct jsonrpc_stream stream = JSONRPC_STREAM_INIT;
    struct error error = ERROR_INIT;
    size_t n_bytes = strlen(text);
    int n = 0, result = 0;

    for (size_t at = 0; !result && at < n_bytes; at += piece) {
        json_t *json;
        jsonrpc_stream_feed(&stream, text + at, n_bytes - at < piece ? n_bytes - at : piece);
        while (!(result = jsonrpc_stream_next(&stream, &json, &error)) && json) {
            json_decref(json);
            n++;
        }
    }
    jsonrpc_stream_fini(&stream);
    return result ? result : n;
}

static void messages_end_where_their_bracket_closes(void **state UNUSED)
{
    static const char text[] = "{\"a\":\"}{\\\"\"} [1,[2]]\n{}[";

    for (size_t piece = 1; piece < sizeof text; piece++)
        assert_int_equal(feed(text, piece), 3);
}

static void what_is_not_json_is_refused(void **state UNUSED)
{
    static const char *const texts[] = {"x",
                                        "1",
                                        "]",
                                        "{\"a\" 1}",
                                        "[\"\\u0000\"]",
                                        "[\"\xff\"]",
                                        "[1e999]",
                                        "{\"a\":}",
                                        "[99999999999999999999]"};

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_int_equal(feed(texts[i], 3), -EPROTO);
}

static void depth_and_length_are_bounded(void **state UNUSED)
{
    size_t n_bytes = JSONRPC_MAX_MESSAGE_BYTES + 10;
    char *text = malloc(n_bytes + 1);

    memset(text, '[', n_bytes);
    text[n_bytes] = '\0';
    assert_int_equal(feed(text, 4096), -EPROTO);
    memset(text + 2, 'a', n_bytes - 2);
    text[1] = '"';
    assert_int_equal(feed(text, 1 << 20), -EMSGSIZE);
    for (size_t i = 1; i < n_bytes; i++)
        text[i] = i % 2 ? '0' : ',';
    assert_int_equal(feed(text, 1 << 20), -EMSGSIZE);
    free(text);
}

static void answer_that_was_asked_for_may_be_longer(void **state UNUSED)
{
    struct jsonrpc_stream stream = JSONRPC_STREAM_INIT;
    size_t n_bytes = JSONRPC_MAX_MESSAGE_BYTES + 10;
    char *text = malloc(n_bytes);
    json_t *json;

    memset(text, 'a', n_bytes);
    memcpy(text, "[\"", 2);
    memcpy(text + n_bytes - 2, "\"]", 2);
    stream.accepts_answers = true;
    jsonrpc_stream_feed(&stream, text, n_bytes);
    assert_int_equal(jsonrpc_stream_next(&stream, &json, NULL), 0);
    assert_int_equal(json_array_size(json), 1);

    json_decref(json);
    jsonrpc_stream_fini(&stream);
    free(text);
}

static void messages_are_told_apart(void **state UNUSED)
{
    static const struct {
        const char *text;
        int type; /* -1: refused. */
    } cases[] = {
        {"{\"id\":1,\"method\":\"m\",\"params\":[]}", JSONRPC_REQUEST},
        {"{\"id\":null,\"method\":\"m\",\"params\":[]}", JSONRPC_NOTIFY},
        {"{\"method\":\"m\",\"params\":[]}", JSONRPC_NOTIFY},
        {"{\"id\":1,\"result\":null,\"error\":null}", JSONRPC_REPLY},
        {"{\"id\":1,\"result\":{},\"error\":null}", JSONRPC_REPLY},
        {"{\"id\":1,\"result\":null,\"error\":\"e\"}", JSONRPC_ERROR},
        {"[]", -1},
        {"{}", -1},
        {"{\"id\":1}", -1},
        {"{\"id\":1,\"method\":1,\"params\":[]}", -1},
        {"{\"id\":1,\"method\":\"m\",\"params\":{}}", -1},
        {"{\"id\":1,\"method\":\"m\"}", -1},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct jsonrpc_message message;
        struct error error = ERROR_INIT;
        json_t *json = json_loads(cases[i].text, 0, NULL);

        int result = jsonrpc_message_parse_take(json, &message, &error);
        assert_int_equal(result ? -1 : (int)message.type, cases[i].type);
        if (!result)
            jsonrpc_message_fini(&message);
    }
}

struct peer {
    int n_messages;
    bool is_closed;
};

static void on_message(struct jsonrpc *rpc, const struct jsonrpc_message *message, void *aux)
{
    struct peer *peer = aux;

    peer->n_messages++;
    jsonrpc_send_take(rpc,
                      jsonrpc_reply_take(json_incref(message->params), json_incref(message->id)));
}

static void on_closed(struct jsonrpc *rpc UNUSED, const char *reason UNUSED, void *aux)
{
    struct peer *peer = aux;

    peer->is_closed = true;
}

static const struct jsonrpc_callbacks callbacks = {.message = on_message, .closed = on_closed};

static void peer_that_does_not_read_is_not_read_from(void **state UNUSED)
{
    struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
    struct peer peer = {0};
    int fds[2], n_sent = 0;
    char *text;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    struct jsonrpc *rpc = jsonrpc_create(loop, fds[0], &callbacks, &peer);
    assert_true(asprintf(&text, "{\"id\":1,\"method\":\"m\",\"params\":[\"%060000d\"]}", 1) > 0);
    size_t n_bytes = strlen(text), at = 0;
    for (int i = 0; i < 2000; i++) {
        ssize_t n = send(fds[1], text + at, n_bytes - at, MSG_NOSIGNAL);
        at += n > 0 ? (size_t)n : 0;
        if (at == n_bytes) {
            at = 0;
            n_sent++;
        }
        ev_run(loop, EVRUN_NOWAIT);
    }
    assert_true(jsonrpc_backlog_bytes(rpc) > JSONRPC_PAUSE_BYTES);
    assert_true(jsonrpc_backlog_bytes(rpc) < 2 * JSONRPC_PAUSE_BYTES);

    /* Once it reads, every answer comes. */
    size_t n_read = 0;
    char bytes[65536];
    for (int i = 0; i < 20000 && n_read < (size_t)n_sent * 60000; i++) {
        ssize_t n = recv(fds[1], bytes, sizeof bytes, 0);
        n_read += n > 0 ? (size_t)n : 0;
        ev_run(loop, EVRUN_NOWAIT);
    }
    assert_int_equal(peer.n_messages, n_sent);
    assert_false(peer.is_closed);
    close(fds[1]);
    for (int i = 0; i < 10 && !peer.is_closed; i++)
        ev_run(loop, EVRUN_ONCE);
    assert_true(peer.is_closed);
    jsonrpc_destroy(rpc);
    ev_loop_destroy(loop);
    free(text);
}

static void expect_received(int fd, const char *expected)
{
    char bytes[256];
    ssize_t n = recv(fd, bytes, sizeof bytes - 1, 0);

    bytes[n > 0 ? n : 0] = '\0';
    assert_string_equal(bytes, expected);
}

static void tell(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void signs_of_life_are_given_away_from_the_loop(void **state UNUSED)
{
    struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
    struct peer peer = {0};
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    struct jsonrpc *rpc = jsonrpc_create(loop, fds[0], &callbacks, &peer);

    jsonrpc_answer_echo(rpc);
    tell(fds[1], "{\"id\":1,\"method\":\"echo\",\"params\":[]}{\"id\":2,\"method\":\"ec");
    jsonrpc_answer_echo(rpc);
    expect_received(fds[1], "{\"id\":1,\"result\":[],\"error\":null}");
    tell(fds[1], "ho\",\"params\":[]}");
    jsonrpc_answer_echo(rpc);
    expect_received(fds[1], "{\"id\":2,\"result\":[],\"error\":null}");

    /* The loop may have answered without having come to send it. */
    jsonrpc_send_take(rpc, jsonrpc_reply_take(json_array(), json_integer(0)));
    jsonrpc_answer_echo(rpc);
    expect_received(fds[1], "{\"id\":0,\"result\":[],\"error\":null}");

    /* What comes after another message waits with it for the loop, in order. */
    tell(fds[1], "{\"id\":3,\"method\":\"m\",\"params\":[]}{\"id\":4,\"method\":\"echo\","
                 "\"params\":[]}");
    jsonrpc_answer_echo(rpc);
    jsonrpc_answer_echo(rpc);
    assert_int_equal(peer.n_messages, 0);
    expect_received(fds[1], "");
    for (int i = 0; i < 3; i++)
        ev_run(loop, EVRUN_NOWAIT);
    assert_int_equal(peer.n_messages, 1);
    expect_received(fds[1], "{\"id\":3,\"result\":[],\"error\":null}"
                            "{\"id\":4,\"result\":[],\"error\":null}");

    /* So does what is wrong. */
    tell(fds[1], "nonsense");
    jsonrpc_answer_echo(rpc);
    assert_false(peer.is_closed);
    for (int i = 0; i < 3; i++)
        ev_run(loop, EVRUN_NOWAIT);
    assert_true(peer.is_closed);
    close(fds[1]);
    jsonrpc_destroy(rpc);
    ev_loop_destroy(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_end_where_their_bracket_closes),
        cmocka_unit_test(what_is_not_json_is_refused),
        cmocka_unit_test(depth_and_length_are_bounded),
        cmocka_unit_test(answer_that_was_asked_for_may_be_longer),
        cmocka_unit_test(messages_are_told_apart),
        cmocka_unit_test(peer_that_does_not_read_is_not_read_from),
        cmocka_unit_test(signs_of_life_are_given_away_from_the_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

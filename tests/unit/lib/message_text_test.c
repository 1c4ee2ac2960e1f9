/* SPDX-License-Identifier: Apache-2.0 */

/* Messages of every kind and version print as ovs-ofctl prints them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/frame_text.h"
#include "lib/openflow/message_table.h"
#include "lib/openflow/message_text.h"
#include "lib/openflow/text.h"

#define MESSAGES WEIR_SOURCE_DIR "/tests/unit/lib/message_text.messages"

static void put_bytes(const char *hex, struct buffer *bytes)
{
    for (; text_hex_digit(hex[0]) >= 0 && text_hex_digit(hex[1]) >= 0; hex += 2) {
        uint8_t byte = (uint8_t)(text_hex_digit(hex[0]) << 4 | text_hex_digit(hex[1]));
        buffer_put(bytes, &byte, 1);
    }
}

static void check(struct buffer *message, struct buffer *expected)
{
    struct buffer text = BUFFER_INIT;

    of_message_format(message->data, message->size, NULL, &text);
    assert_string_equal(buffer_text(&text), buffer_text(expected));
    buffer_fini(&text);
    buffer_clear(message);
    buffer_clear(expected);
}

static void messages_print_as_those_of_ovs_ofctl(void **state)
{
    struct buffer message = BUFFER_INIT, expected = BUFFER_INIT;
    static char line[16384];
    FILE *file = fopen(MESSAGES, "r");
    size_t n = 0;

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        if (*line == '#')
            continue;
        if (!strncmp(line, "    ", 4)) {
            buffer_puts(&expected, line + 4);
            continue;
        }
        if (message.size)
            check(&message, &expected);
        put_bytes(line, &message);
        n++;
    }
    check(&message, &expected);
    assert_true(n >= 300);
    fclose(file);
    buffer_fini(&message);
    buffer_fini(&expected);
}

/* Even without a body a message says what it is. */
static void every_kind_of_message_has_a_printer(void **state)
{
    (void)state;
    for (size_t i = 0; i < of_n_message_rows; i++) {
        const struct of_message_row *row = &of_message_rows[i];
        enum of_version version = row->first_version ? row->first_version : OF_1_0;
        struct buffer wire = BUFFER_INIT, text = BUFFER_INIT;
        size_t start = of_begin_message(row->kind, row->form, version, 1, &wire);

        buffer_put_zeros(&wire, row->least_body);
        of_finish_message(start, &wire);
        of_message_format(wire.data, wire.size, NULL, &text);
        assert_memory_equal(buffer_text(&text), row->name, strlen(row->name));
        assert_null(strstr(buffer_text(&text), "OFPBRC_BAD_TYPE"));
        buffer_fini(&wire);
        buffer_fini(&text);
    }
}

/* An error that answers an error that answers an error ... */
static void messages_in_messages_end(void **state)
{
    struct buffer wire = BUFFER_INIT, text = BUFFER_INIT;
    enum { N_LEVELS = 4000 };
    uint8_t level[12] = {OF_1_3, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1};

    (void)state;
    for (size_t i = 0; i < N_LEVELS; i++) {
        size_t left = (N_LEVELS - i) * sizeof level;
        level[2] = (uint8_t)(left >> 8);
        level[3] = (uint8_t)left;
        buffer_put(&wire, level, sizeof level);
    }
    of_message_format(wire.data, wire.size, NULL, &text);
    assert_true(text.size < (1 << 20));
    buffer_fini(&wire);
    buffer_fini(&text);
}

static void a_frame_with_two_tags_shows_both(void **state)
{
    struct buffer frame = BUFFER_INIT, text = BUFFER_INIT;

    (void)state;
    put_bytes("01005e00000102000000000288a8200581004007900001020304", &frame);
    of_frame_format(frame.data, frame.size, &text);
    assert_string_equal(
        buffer_text(&text),
        "dl_vlan=5,dl_vlan_pcp=1,dl_vlan1=7,dl_vlan_pcp1=2,dl_src=02:00:00:00:00:02,"
        "dl_dst=01:00:5e:00:00:01,dl_type=0x9000\n");
    buffer_fini(&frame);
    buffer_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_print_as_those_of_ovs_ofctl),
        cmocka_unit_test(every_kind_of_message_has_a_printer),
        cmocka_unit_test(messages_in_messages_end),
        cmocka_unit_test(a_frame_with_two_tags_shows_both),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

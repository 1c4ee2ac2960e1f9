/* SPDX-License-Identifier: Apache-2.0 */

/* A piece is a message: what it tells goes to the connection before anything that happens next. */

#include "vswitchd/of_dump.h"

#include "vswitchd/of_connection.h"

void of_dump_begin_take(struct of_connection *connection, struct of_dump *dump,
                        const struct of_message *request)
{
    of_reply_begin(&dump->reply, request, &dump->piece);
    connection->dump = dump;
    of_dump_continue(connection);
}

void of_dump_continue(struct of_connection *connection)
{
    struct of_dump *dump = connection->dump;

    if (!dump || of_connection_pending(connection) >= OF_DUMP_PIECE_BYTES)
        return;
    if (!dump->fill(dump, connection)) {
        of_reply_end(&dump->reply);
        buffer_put(&connection->output, dump->piece.data, dump->piece.size);
        of_dump_cancel(connection);
        return;
    }
    of_reply_break(&dump->reply);
    buffer_put(&connection->output, dump->piece.data, dump->reply.start);
    buffer_pull(&dump->piece, dump->reply.start);
    dump->reply.start = 0;
}

void of_dump_cancel(struct of_connection *connection)
{
    struct of_dump *dump = connection->dump;

    if (!dump)
        return;
    connection->dump = NULL;
    buffer_fini(&dump->piece);
    dump->destroy(dump);
}

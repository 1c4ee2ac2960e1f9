/* SPDX-License-Identifier: Apache-2.0 */

#include "ovsdb-lite/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/buffer.h"
#include "lib/durable.h"
#include "ovsdb-lite/ovs_log.h"
#include "ovsdb-lite/ovs_record.h"
#include "ovsdb-lite/saved.h"

static int load(struct saved *saved, const char *path, struct error *error)
{
    int result = saved_open(saved, path, error);

    if (result)
        return result;
    saved_read(saved);
    if (saved->verdict == JOURNAL_DAMAGED)
        result = error_set(error, -EBADMSG, "%s: %s; see ovsdb-lite check", path,
                           saved->why.message);
    else if ((result = saved_check(saved, error)) < 0)
        error_prefix(error, "%s", path);
    if (result)
        saved_fini(saved);
    return result;
}

static int compose(const char *path, struct buffer *file, struct error *error)
{
    struct saved saved;
    int result = load(&saved, path, error);

    if (result)
        return result;
    ovs_log_put_take(file, json_incref(saved.db->schema_json));
    ovs_log_put_take(file, ovs_record_of_database(saved.db, "exported by ovsdb-lite"));
    saved_fini(&saved);
    return 0;
}

int export_to_stream(const char *path, FILE *stream, struct error *error)
{
    struct buffer file = BUFFER_INIT;
    int result = compose(path, &file, error);

    if (!result && (fwrite(file.data, 1, file.size, stream) != file.size || fflush(stream)))
        result = error_set_errno(error, -errno, "cannot write");
    buffer_fini(&file);
    return result;
}

static int write_temporary(const char *path, const struct buffer *file, struct error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);

    if (fd < 0)
        return error_set_errno(error, -errno, "%s: cannot create", path);
    int result = durable_write(fd, file->data, file->size);
    if (!result && fsync(fd) < 0)
        result = -errno;
    if (close(fd) < 0 && !result)
        result = -errno;
    return result ? error_set_errno(error, result, "%s: cannot write", path) : 0;
}

int export_to_file(const char *path, const char *target, struct error *error)
{
    struct buffer file = BUFFER_INIT;
    char *temporary;
    int result = compose(path, &file, error);

    if (asprintf(&temporary, "%s.new", target) < 0)
        abort();
    if (!result && !(result = write_temporary(temporary, &file, error))) {
        /* A link, unlike a renaming, never replaces what is there. */
        if (link(temporary, target) < 0)
            result = error_set_errno(error, -errno, "%s: cannot create", target);
        unlink(temporary);
        if (!result && (result = durable_sync_directory(target)))
            error_set_errno(error, result, "%s: cannot sync directory", target);
    }
    free(temporary);
    buffer_fini(&file);
    return result;
}

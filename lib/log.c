/* SPDX-License-Identifier: Apache-2.0 */

/* A line is formatted once on the stack and handed to each destination that wants it.  Control
 * characters become blanks, so that what a peer sent cannot forge a second line. */

#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/buffer.h"
#include "lib/clock.h"
#include "lib/log_syslog.h"
#include "lib/mutex.h"

enum { LOG_LINE_BYTES = 2048 };

static const char *const level_names[] = {"off", "emer", "err", "warn", "info", "dbg"};
static const char *const level_titles[] = {"OFF", "EMER", "ERR", "WARN", "INFO", "DBG"};
static const char *const destination_names[] = {"console", "syslog", "file"};

static struct log_module *modules; /* Filled by constructors, before there are threads. */
static atomic_uint n_lines;
static atomic_int log_fd = -1;
static struct mutex lock = MUTEX_INITIALIZER;
static char *file_path GUARDED_BY(lock);

void log_set_program(const char *name)
{
    log_syslog_open(name);
}

void log_register(struct log_module *module)
{
    module->next = modules;
    modules = module;
}

static int open_locked(const char *path, struct error *error) REQUIRES(lock)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);

    if (fd < 0)
        return error_set_errno(error, -errno, "%s: cannot open log file", path);

    int old = atomic_load(&log_fd);
    if (old < 0) {
        atomic_store(&log_fd, fd);
        return 0;
    }
    /* Writers use the number without a lock: keep it valid by replacing what is behind it. */
    int result = dup3(fd, old, O_CLOEXEC) < 0 ? -errno : 0;
    close(fd);
    return result ? error_set_errno(error, result, "%s: cannot reopen log file", path) : 0;
}

int log_open_file(const char *path, struct error *error)
{
    mutex_lock(&lock);
    int result = open_locked(path, error);
    if (!result && path != file_path) {
        free(file_path);
        file_path = strdup(path);
    }
    mutex_unlock(&lock);
    return result;
}

int log_reopen_file(struct error *error)
{
    mutex_lock(&lock);
    int result = file_path ? open_locked(file_path, error)
                           : error_set(error, -ENOENT, "there is no log file");
    mutex_unlock(&lock);
    return result;
}

static int find_name(const char *const names[], size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++)
        if (!strcasecmp(names[i], word))
            return (int)i;
    return -1;
}

static struct log_module *find_module(const char *word)
{
    for (struct log_module *module = modules; module; module = module->next)
        if (!strcasecmp(module->name, word))
            return module;
    return NULL;
}

static void set_module_level(struct log_module *module, int destination, enum log_level level)
{
    enum log_level highest = LOG_OFF;

    for (int i = 0; i < LOG_N_DESTINATIONS; i++) {
        if (destination < 0 || destination == i)
            module->levels[i] = level;
        if (module->levels[i] > highest)
            highest = module->levels[i];
    }
    module->highest = highest;
}

int log_set_levels(const char *specification, struct error *error)
{
    char *copy = strdup(specification);
    char *rest = copy;
    struct log_module *module = NULL;
    int destination = -1, level = -1, result = 0;

    for (char *word; (word = strsep(&rest, " ,:\t")) != NULL;) {
        int found;

        if (!*word || !strcasecmp(word, "any"))
            continue;
        if ((found = find_name(level_names, ARRAY_SIZE(level_names), word)) >= 0) {
            level = found;
        } else if ((found = find_name(destination_names, LOG_N_DESTINATIONS, word)) >= 0) {
            destination = found;
        } else if (!(module = find_module(word))) {
            result = error_set(error, -EINVAL, "no destination, level, or module \"%s\"", word);
            goto out;
        }
    }
    if (level < 0)
        level = LOG_DBG;
    for (struct log_module *m = modules; m; m = m->next)
        if (!module || module == m)
            set_module_level(m, destination, (enum log_level)level);
out:
    free(copy);
    return result;
}

static int compare_modules(const void *a, const void *b)
{
    const struct log_module *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

char *log_levels_text(void)
{
    struct buffer text = BUFFER_INIT;
    size_t n = 0;

    for (struct log_module *m = modules; m; m = m->next)
        n++;
    struct log_module **sorted = calloc(n + 1, sizeof *sorted);
    if (!sorted)
        abort();
    n = 0;
    for (struct log_module *m = modules; m; m = m->next)
        sorted[n++] = m;
    qsort(sorted, n, sizeof *sorted, compare_modules);

    buffer_puts(&text, "                 console    syslog    file\n");
    buffer_puts(&text, "                 -------    ------    ------\n");
    for (size_t i = 0; i < n; i++)
        buffer_printf(&text, "%-16s  %4s       %4s       %4s\n", sorted[i]->name,
                      level_titles[sorted[i]->levels[LOG_CONSOLE]],
                      level_titles[sorted[i]->levels[LOG_SYSLOG]],
                      level_titles[sorted[i]->levels[LOG_FILE]]);
    free(sorted);
    return buffer_take_text(&text);
}

static void write_line(int fd, const char *line, size_t length)
{
    /* There is nowhere to report that the log cannot be written. */
    ssize_t written UNUSED = write(fd, line, length);
}

static void write_message(struct log_module *module, enum log_level level, char *message,
                          size_t length)
{
    char line[LOG_LINE_BYTES + 128];
    char stamp[32];
    struct timespec now;
    struct tm tm;

    for (size_t i = 0; i < length; i++)
        if ((unsigned char)message[i] < ' ' || message[i] == 0x7f)
            message[i] = ' ';

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &tm);
    unsigned int number = atomic_fetch_add_explicit(&n_lines, 1, memory_order_relaxed) + 1;
    int n = snprintf(line, sizeof line, "%s.%03ldZ|%05u|%s|%s|%.*s\n", stamp, now.tv_nsec / 1000000,
                     number, module->name, level_titles[level], (int)length, message);
    size_t size = (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;

    if (module->levels[LOG_CONSOLE] >= level)
        write_line(STDERR_FILENO, line, size);
    if (module->levels[LOG_SYSLOG] >= level)
        log_syslog_write((int)level, module->name, message);
    int fd = atomic_load(&log_fd);
    if (fd >= 0 && module->levels[LOG_FILE] >= level)
        write_line(fd, line, size);
}

void log_write(struct log_module *module, enum log_level level, const char *format, ...)
{
    int saved_errno = errno;
    char message[LOG_LINE_BYTES];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (n >= 0)
        write_message(module, level, message,
                      (size_t)n < sizeof message ? (size_t)n : sizeof message - 1);
    errno = saved_errno;
}

bool log_admit(struct log_module *module, enum log_level level, struct log_site *site)
{
    int64_t now_ns = clock_now_ns();
    unsigned int n_suppressed = 0;

    mutex_lock(&lock);
    if (site->refill_ns) {
        double minutes = (double)(now_ns - site->refill_ns) / (60.0 * (double)SECOND_NS);
        site->tokens += minutes * LOG_PER_MINUTE;
        if (site->tokens > LOG_BURST)
            site->tokens = LOG_BURST;
    }
    site->refill_ns = now_ns;
    bool is_admitted = site->tokens >= 1;
    if (is_admitted) {
        site->tokens -= 1;
        n_suppressed = site->n_suppressed;
        site->n_suppressed = 0;
    } else {
        site->n_suppressed++;
    }
    mutex_unlock(&lock);

    if (n_suppressed)
        log_write(module, level, "left out %u messages like the next one", n_suppressed);
    return is_admitted;
}

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
#include "lib/log_pattern.h"
#include "lib/log_syslog.h"
#include "lib/mutex.h"

enum { LOG_LINE_BYTES = 2048 };

static const char *const level_names[] = {"off", "emer", "err", "warn", "info", "dbg"};
static const char *const level_titles[] = {"OFF", "EMER", "ERR", "WARN", "INFO", "DBG"};
static const char *const destination_names[] = {"console", "syslog", "file"};
static const char *const default_patterns[] = {"%D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m",
                                               "ovs|%05N|%c%T|%p|%m",
                                               "%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m"};

static struct log_module *modules; /* Filled by constructors, before there are threads. */
static atomic_uint n_lines;
static atomic_int log_fd = -1;
static struct mutex lock = MUTEX_INITIALIZER;
static char *file_path GUARDED_BY(lock);
static bool is_file_closed GUARDED_BY(lock);
static char *patterns[LOG_N_DESTINATIONS] GUARDED_BY(lock); /* NULL: the default. */
static const char *program_name = "weir";
static int64_t start_ns;

__attribute__((constructor)) static void note_start(void)
{
    start_ns = clock_now_ns();
}

void log_set_program(const char *name)
{
    program_name = name;
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
    if (!result)
        is_file_closed = false;
    mutex_unlock(&lock);
    return result;
}

int log_reopen_file(struct error *error)
{
    mutex_lock(&lock);
    int result = file_path ? open_locked(file_path, error)
                           : error_set(error, -ENOENT, "Logging to file not configured");
    if (!result)
        is_file_closed = false;
    mutex_unlock(&lock);
    return result;
}

/* The number stays, for those who are about to write to it. */
void log_close_file(void)
{
    mutex_lock(&lock);
    int fd = atomic_load(&log_fd);
    int nowhere = fd >= 0 && !is_file_closed ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -1;
    if (nowhere >= 0) {
        dup3(nowhere, fd, O_CLOEXEC);
        close(nowhere);
        is_file_closed = true;
    }
    mutex_unlock(&lock);
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

/* "PATTERN:destination:pattern", from the second word on. */
static int set_pattern(char *rest, struct error *error)
{
    static const char separators[] = " ,:\t";
    char *word = rest + strspn(rest, separators);
    size_t n = strcspn(word, separators);
    char *pattern = word + n + (word[n] != '\0');
    int destination;

    if (!n)
        return error_set(error, -EINVAL, "missing destination");
    word[n] = '\0';
    destination = find_name(destination_names, LOG_N_DESTINATIONS, word);
    if (destination < 0 && strcasecmp(word, "any"))
        return error_set(error, -EINVAL, "unknown destination \"%s\"", word);
    mutex_lock(&lock);
    for (int i = 0; i < LOG_N_DESTINATIONS; i++) {
        if (destination < 0 || destination == i) {
            free(patterns[i]);
            patterns[i] = strdup(pattern);
        }
    }
    mutex_unlock(&lock);
    return 0;
}

/* Notes what 'word' is; it may say each thing once. */
static int parse_word(const char *word, struct log_module **module, int *destination, int *level,
                      struct error *error)
{
    struct log_module *named;
    int found;

    if ((found = find_name(level_names, ARRAY_SIZE(level_names), word)) >= 0) {
        if (*level >= 0)
            return error_set(error, -EINVAL, "cannot specify multiple levels");
        *level = found;
    } else if ((found = find_name(destination_names, LOG_N_DESTINATIONS, word)) >= 0) {
        if (*destination >= 0)
            return error_set(error, -EINVAL, "cannot specify multiple destinations");
        *destination = found;
    } else if ((named = find_module(word)) != NULL) {
        if (*module)
            return error_set(error, -EINVAL, "cannot specify multiple modules");
        *module = named;
    } else if (strcasecmp(word, "any") != 0) {
        return error_set(error, -EINVAL, "no destination, level, or module \"%s\"", word);
    }
    return 0;
}

static int set_levels(char *rest, struct error *error)
{
    struct log_module *module = NULL;
    int destination = -1, level = -1;

    for (char *word; (word = strsep(&rest, " ,:\t")) != NULL;) {
        int result = *word ? parse_word(word, &module, &destination, &level, error) : 0;
        if (result)
            return result;
    }
    if (level < 0)
        level = LOG_DBG;
    for (struct log_module *m = modules; m; m = m->next)
        if (!module || module == m)
            set_module_level(m, destination, (enum log_level)level);
    return 0;
}

int log_set_levels(const char *specification, struct error *error)
{
    char *copy = strdup(specification);
    char *word = copy + strspn(copy, " ,:\t");
    size_t n = strcspn(word, " ,:\t");
    int result;

    if (n == 7 && !strncasecmp(word, "pattern", n))
        result = set_pattern(word + n, error);
    else if (n == 8 && !strncasecmp(word, "facility", n))
        result = log_syslog_set_facility(word + n + strspn(word + n, " ,:\t"))
                     ? error_set(error, -EINVAL, "invalid facility")
                     : 0;
    else
        result = set_levels(word, error);
    free(copy);
    return result;
}

int log_set_limits(const char *module_name, bool are_limited, struct error *error)
{
    struct log_module *module = module_name && strcasecmp(module_name, "any") != 0
                                    ? find_module(module_name)
                                    : NULL;

    if (module_name && !module && strcasecmp(module_name, "any") != 0)
        return error_set(error, -EINVAL, "unknown module");
    mutex_lock(&lock);
    for (struct log_module *m = modules; m; m = m->next)
        if (!module || module == m)
            m->is_unlimited = !are_limited;
    mutex_unlock(&lock);
    return 0;
}

char *log_patterns_text(void)
{
    static const enum log_destination order[] = {LOG_SYSLOG, LOG_CONSOLE, LOG_FILE};
    static const char *const titles[] = {"CONSOLE", "SYSLOG", "FILE"};
    struct buffer text = BUFFER_INIT;

    buffer_puts(&text, "         prefix                            format\n"
                       "         ------                            ------\n");
    mutex_lock(&lock);
    for (size_t i = 0; i < ARRAY_SIZE(order); i++)
        buffer_printf(&text, "%-7s  %-32s  %s\n", titles[order[i]],
                      order[i] == LOG_SYSLOG ? "<%B> %D{%h %e %T} %E %A:" : "none",
                      patterns[order[i]] ? patterns[order[i]] : default_patterns[order[i]]);
    mutex_unlock(&lock);
    return buffer_take_text(&text);
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

static size_t expand(enum log_destination destination, const struct log_record *record,
                     char line[LOG_LINE_BYTES + 128])
{
    mutex_lock(&lock);
    const char *pattern = patterns[destination] ? patterns[destination]
                                                : default_patterns[destination];
    size_t size = log_pattern_expand(pattern, record, line, LOG_LINE_BYTES + 127);
    mutex_unlock(&lock);
    return size;
}

static void write_record(const struct log_module *module, enum log_level level,
                         const struct log_record *record)
{
    char line[LOG_LINE_BYTES + 128];
    int fd = atomic_load(&log_fd);

    if (module->levels[LOG_CONSOLE] >= level) {
        size_t size = expand(LOG_CONSOLE, record, line);
        line[size++] = '\n';
        write_line(STDERR_FILENO, line, size);
    }
    if (module->levels[LOG_SYSLOG] >= level) {
        expand(LOG_SYSLOG, record, line);
        log_syslog_write((int)level, line);
    }
    if (fd >= 0 && module->levels[LOG_FILE] >= level) {
        size_t size = expand(LOG_FILE, record, line);
        line[size++] = '\n';
        write_line(fd, line, size);
    }
}

static void write_message(const struct log_module *module, enum log_level level, char *message,
                          size_t length)
{
    struct log_record record = {
        .program = program_name,
        .module = module->name,
        .level = level_titles[level],
        .message = message,
        .message_bytes = length,
        .number = atomic_fetch_add_explicit(&n_lines, 1, memory_order_relaxed) + 1,
        .priority = log_syslog_priority((int)level),
        .uptime_ms = (clock_now_ns() - start_ns) / 1000000,
    };

    for (size_t i = 0; i < length; i++)
        if ((unsigned char)message[i] < ' ' || message[i] == 0x7f)
            message[i] = ' ';
    clock_gettime(CLOCK_REALTIME, &record.now);
    write_record(module, level, &record);
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
    if (module->is_unlimited)
        site->tokens = LOG_BURST;
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

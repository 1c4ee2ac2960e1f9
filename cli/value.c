/* SPDX-License-Identifier: Apache-2.0 */

/* A recursive grammar is not needed: a value is a list of words or of word=word. */

#include "cli/value.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/shown.h"

/* --- Words --------------------------------------------------------------------------------- */

static bool is_delimiter(char c)
{
    return !c || strchr(":=, []{}!<>\t\n", c);
}

size_t value_word_length(const char *text)
{
    size_t n = 0;

    if (*text != '"') {
        while (!is_delimiter(text[n]))
            n++;
        return n;
    }
    for (n = 1; text[n] && text[n] != '"'; n++)
        if (text[n] == '\\' && text[n + 1])
            n++;
    return text[n] ? n + 1 : n;
}

static void skip_blanks(const char **at)
{
    while (**at == ' ' || **at == '\t' || **at == '\n')
        ++*at;
}

static char *take_word(const char **at)
{
    size_t length = value_word_length(*at);
    char *word = strndup(*at, length);

    if (!word)
        abort();
    *at += length;
    return word;
}

/* --- Atoms --------------------------------------------------------------------------------- */

static int parse_integer(const char *text, union atom *atom, struct error *error)
{
    char *end;

    errno = 0;
    atom->integer = strtoll(text, &end, 10);
    if (end == text || *end || isspace((unsigned char)*text))
        return error_set(error, -EINVAL, "%s is not an integer", shown(text).text);
    if (errno)
        return error_set(error, -ERANGE, "%s is out of the range of integers", shown(text).text);
    return 0;
}

static int parse_real(const char *text, union atom *atom, struct error *error)
{
    char *end;

    atom->real = strtod(text, &end);
    if (end == text || *end || isspace((unsigned char)*text) || !(atom->real - atom->real == 0))
        return error_set(error, -EINVAL, "%s is not a number", shown(text).text);
    return 0;
}

static int parse_boolean(const char *text, union atom *atom, struct error *error)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"true", true},   {"yes", true}, {"on", true},   {"1", true},
                 {"false", false}, {"no", false}, {"off", false}, {"0", false}};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (!strcasecmp(text, words[i].word)) {
            atom->boolean = words[i].value;
            return 0;
        }
    }
    return error_set(error, -EINVAL, "%s is neither true nor false", shown(text).text);
}

static int parse_string(const char *text, union atom *atom, struct error *error)
{
    if (!*text)
        return error_set(error, -EINVAL, "an empty string must be written as \"\" in quotes");

    json_t *json = *text == '"' ? json_loads(text, JSON_DECODE_ANY, NULL) : json_string(text);
    const char *string = json_string_value(json);
    if (!string) {
        json_decref(json);
        return error_set(error, -EINVAL, "%s is not a %s string", shown(text).text,
                         *text == '"' ? "well-formed quoted" : "UTF-8");
    }
    atom->string = strdup(string);
    json_decref(json);
    return 0;
}

static int parse_uuid(const struct value_names *names, const char *text, union atom *atom,
                      struct error *error)
{
    if (uuid_parse(text, &atom->uuid))
        return 0;
    if (*text == '@' && names && names->resolve)
        return names->resolve(names->aux, text, &atom->uuid, error);
    return error_set(error, -EINVAL, "%s is not a UUID%s", shown(text).text,
                     names && names->resolve ? " nor an @name" : "");
}

int value_parse_atom(const struct base_type *base, const char *text,
                     const struct value_names *names, union atom *atom, struct error *error)
{
    switch (base->type) {
    case ATOM_INTEGER:
        return parse_integer(text, atom, error);
    case ATOM_REAL:
        return parse_real(text, atom, error);
    case ATOM_BOOLEAN:
        return parse_boolean(text, atom, error);
    case ATOM_STRING:
        return parse_string(text, atom, error);
    case ATOM_UUID:
        return parse_uuid(names, text, atom, error);
    case ATOM_VOID:
        break;
    }
    return error_set(error, -EINVAL, "%s: nothing can stand here", shown(text).text);
}

/* --- Lists --------------------------------------------------------------------------------- */

/* Words in pairs: key, value (NULL in a set), ... */
struct words {
    char **words; /* Owned, as are the words. */
    size_t n, max;
};

static void words_add_take(struct words *words, char *word)
{
    if (words->n == words->max) {
        words->max = words->max ? 2 * words->max : 16;
        words->words = reallocarray(words->words, words->max, sizeof *words->words);
        if (!words->words)
            abort();
    }
    words->words[words->n++] = word;
}

static void words_fini(struct words *words)
{
    for (size_t i = 0; i < words->n; i++)
        free(words->words[i]);
    free(words->words);
}

enum { RANGE_MAX_NUMBERS = 4096 };

/* Whole numbers in a set may be given as FIRST-LAST.  False: 'word' is not of that form. */
static bool is_range(const char *word, long long *first, long long *last)
{
    char *end;

    errno = 0;
    *first = strtoll(word, &end, 10);
    if (end == word || *end != '-' || !isdigit((unsigned char)end[1]))
        return false;
    *last = strtoll(end + 1, &end, 10);
    return !*end && !errno;
}

static int add_range(const char *word, long long first, long long last, struct words *words,
                     struct error *error)
{
    unsigned long long n_more = (unsigned long long)last - (unsigned long long)first;
    char *number;

    if (last < first)
        return error_set(error, -EINVAL, "%s: a range must not end before it begins",
                         shown(word).text);
    if (n_more >= RANGE_MAX_NUMBERS)
        return error_set(error, -ERANGE, "%s: a range has at most %d numbers", shown(word).text,
                         RANGE_MAX_NUMBERS);
    for (unsigned int i = 0; i <= n_more; i++) {
        if (asprintf(&number, "%lld", first + i) < 0)
            abort();
        words_add_take(words, number);
        words_add_take(words, NULL);
    }
    return 0;
}

static int read_numbers(const char **at, struct words *words, struct error *error)
{
    char *word = take_word(at);
    long long first, last;

    if (!is_range(word, &first, &last)) {
        words_add_take(words, word);
        words_add_take(words, NULL);
        return 0;
    }
    int result = add_range(word, first, last, words, error);
    free(word);
    return result;
}

static int read_element(const struct column_type *type, const char **at, struct words *words,
                        struct error *error)
{
    bool is_map = column_type_is_map(type);

    if (!value_word_length(*at))
        return error_set(error, -EINVAL, "expected a value at %s", shown(*at).text);
    if (!is_map && type->key.type == ATOM_INTEGER)
        return read_numbers(at, words, error);
    words_add_take(words, take_word(at));
    words_add_take(words, NULL);
    if (!is_map)
        return 0;
    skip_blanks(at);
    if (**at != '=' && **at != ':')
        return error_set(error, -EINVAL, "expected key=value, found %s",
                         shown(words->words[words->n - 2]).text);
    ++*at;
    skip_blanks(at);
    if (!value_word_length(*at))
        return error_set(error, -EINVAL, "key %s has no value (write \"\" for an empty one)",
                         shown(words->words[words->n - 2]).text);
    words->words[words->n - 1] = take_word(at);
    return 0;
}

static int read_elements(const struct column_type *type, const char *text, struct words *words,
                         struct error *error)
{
    const char *at = text;

    skip_blanks(&at);
    char opening = *at, closing = opening == '[' ? ']' : opening == '{' ? '}' : '\0';
    if (closing)
        at++;
    for (;;) {
        skip_blanks(&at);
        if (*at == closing)
            break;
        if (!*at)
            return error_set(error, -EINVAL, "%s: '%c' is missing at the end", shown(text).text,
                             closing);
        int result = read_element(type, &at, words, error);
        if (result)
            return result;
        const char *end = at;
        skip_blanks(&at);
        if (*at == ',')
            at++;
        else if (*at && *at != closing && (at == end || (is_delimiter(*at) && *at != '"')))
            return error_set(error, -EINVAL, "%s: unexpected '%c' (quote words that contain it)",
                             shown(text).text, *at);
    }
    if (closing)
        at++;
    skip_blanks(&at);
    if (*at)
        return error_set(error, -EINVAL, "%s: more text behind the end: %s", shown(text).text,
                         shown(at).text);
    return 0;
}

static int make_datum(const struct column_type *type, const struct words *words,
                      const struct value_names *names, struct datum **datum, struct error *error)
{
    size_t n = words->n / 2;
    int result = 0;

    *datum = datum_create(type->key.type, type->value.type, n);
    for (size_t i = 0; !result && i < n; i++) {
        result = value_parse_atom(&type->key, words->words[2 * i], names, &(*datum)->keys[i],
                                  error);
        if (!result && words->words[2 * i + 1])
            result = value_parse_atom(&type->value, words->words[2 * i + 1], names,
                                      &(*datum)->values[i], error);
    }
    if (!result)
        return datum_seal(datum, error);
    datum_unref(*datum);
    *datum = NULL;
    return result;
}

/* Room for one value that is not a pair. */
static bool is_single(const struct column_type *type)
{
    return !column_type_is_map(type) && type->n_max <= 1;
}

/* Is 'text' to be taken as one atom, as it stands? */
static bool is_plain(const struct column_type *type, const char *text)
{
    return is_single(type) && *text && !strchr("[{\" ", *text) && !isspace((unsigned char)*text);
}

int value_parse_part(const struct column_type *type, const char *text,
                     const struct value_names *names, struct datum **datum, struct error *error)
{
    struct words words = {.n = 0};
    int result = 0;

    *datum = NULL;
    if (is_plain(type, text)) {
        words_add_take(&words, strdup(text));
        words_add_take(&words, NULL);
    } else {
        result = read_elements(type, text, &words, error);
    }
    if (!result)
        result = make_datum(type, &words, names, datum, error);
    words_fini(&words);
    return result;
}

int value_parse(const struct column_type *type, const char *text, const struct value_names *names,
                struct datum **datum, struct error *error)
{
    int result = value_parse_part(type, text, names, datum, error);

    if (!result && (result = column_type_check(type, *datum, error)) < 0) {
        datum_unref(*datum);
        *datum = NULL;
    }
    return result;
}

/* --- Printing ------------------------------------------------------------------------------ */

/* Words that would read back as what they are need no quotes. */
static bool is_bare_word(const char *text)
{
    struct uuid uuid;

    if (!isalpha((unsigned char)*text) && *text != '_')
        return false;
    for (const char *p = text; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("_-.", *p))
            return false;
    return strcmp(text, "true") && strcmp(text, "false") && !uuid_parse(text, &uuid);
}

static void format_quoted(const char *text, struct buffer *out)
{
    json_t *json = json_string_nocheck(text);
    char *quoted = json_dumps(json, JSON_ENCODE_ANY);

    buffer_puts(out, quoted ? quoted : "\"\"");
    free(quoted);
    json_decref(json);
}

/* The shortest notation that reads back as the same number. */
static void format_real(double real, struct buffer *out)
{
    char text[40];

    for (int precision = 15; precision <= 17; precision++) {
        snprintf(text, sizeof text, "%.*g", precision, real);
        if (strtod(text, NULL) == real)
            break;
    }
    buffer_puts(out, text);
}

void value_format_atom(enum atom_type type, const union atom *atom, enum table_data form,
                       struct buffer *out)
{
    char uuid_text[UUID_TEXT_BYTES];

    switch (type) {
    case ATOM_INTEGER:
        buffer_printf(out, "%lld", (long long)atom->integer);
        break;
    case ATOM_REAL:
        format_real(atom->real, out);
        break;
    case ATOM_BOOLEAN:
        buffer_puts(out, atom->boolean ? "true" : "false");
        break;
    case ATOM_STRING:
        if (form == DATA_BARE || is_bare_word(atom->string))
            buffer_puts(out, atom->string);
        else
            format_quoted(atom->string, out);
        break;
    case ATOM_UUID:
        uuid_format(&atom->uuid, uuid_text);
        buffer_puts(out, uuid_text);
        break;
    case ATOM_VOID:
        break;
    }
}

static void format_as_rfc(const struct datum *datum, struct buffer *out)
{
    json_t *json = datum_to_json(datum);
    char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);

    buffer_puts(out, text ? text : "null");
    free(text);
    json_decref(json);
}

void value_format(const struct column_type *type, const struct datum *datum, enum table_data form,
                  struct buffer *out)
{
    bool is_map = column_type_is_map(type);
    bool has_brackets = form == DATA_STRING && (is_map || type->n_max > 1 || datum->n != 1);
    const char *separator = form == DATA_BARE ? " " : ", ";

    if (form == DATA_JSON) {
        format_as_rfc(datum, out);
        return;
    }
    if (has_brackets)
        buffer_putc(out, is_map ? '{' : '[');
    for (size_t i = 0; i < datum->n; i++) {
        if (i)
            buffer_puts(out, separator);
        value_format_atom(datum->key_type, &datum->keys[i], form, out);
        if (!is_map)
            continue;
        buffer_putc(out, '=');
        value_format_atom(datum->value_type, &datum->values[i], form, out);
    }
    if (has_brackets)
        buffer_putc(out, is_map ? '}' : ']');
}

json_t *value_atom_to_json(enum atom_type type, const union atom *atom)
{
    char text[UUID_TEXT_BYTES];

    if (type != ATOM_UUID)
        return atom_to_json(type, atom);
    uuid_format(&atom->uuid, text);
    return json_string(text);
}

json_t *value_to_json(const struct column_type *type, const struct datum *datum)
{
    if (is_single(type))
        return datum->n ? value_atom_to_json(datum->key_type, &datum->keys[0]) : json_null();
    if (!column_type_is_map(type)) {
        json_t *array = json_array();
        for (size_t i = 0; i < datum->n; i++)
            json_array_append_new(array, value_atom_to_json(datum->key_type, &datum->keys[i]));
        return array;
    }
    json_t *object = json_object();
    for (size_t i = 0; i < datum->n; i++) {
        struct buffer key = BUFFER_INIT;
        value_format_atom(datum->key_type, &datum->keys[i], DATA_BARE, &key);
        json_object_set_new_nocheck(object, buffer_text(&key),
                                    value_atom_to_json(datum->value_type, &datum->values[i]));
        buffer_fini(&key);
    }
    return object;
}

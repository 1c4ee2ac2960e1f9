/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/kcache_table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/clock.h"

enum place_state { IS_FREE, IS_TAKEN, IS_WAITING, IS_ADOPTED };
enum { NONE = UINT32_MAX, N_CANDIDATES = 2 * KC_GROUP };
#define IDLE_NS (2 * SECOND_NS)

struct kcache_table {
    uint8_t *entries; /* Borrowed. */
    size_t entry_bytes;
    bool is_ipv6;
    uint32_t n_entries;
    struct kcache_place *places; /* Owned; one for each entry. */
    uint32_t *taken;             /* Owned; indexes, 'n_taken' of them. */
    uint32_t *adopted;           /* Owned; indexes of what was found, 'n_adopted' of them. */
    uint32_t n_taken, n_waiting, n_adopted;
    uint32_t waiting, retired; /* Lists. */
};

void kcache_table_seed(struct kc_state *state)
{
    for (size_t i = 0; i < sizeof state->hash_keys / sizeof state->hash_keys[0]; i++) {
        if (getrandom(&state->hash_keys[i], sizeof state->hash_keys[i], 0) < 0)
            state->hash_keys[i] = (uint64_t)clock_now_ns() * UINT64_C(0x9e3779b97f4a7c15) + i;
        state->hash_keys[i] |= 1;
    }
}

struct kcache_table *kcache_table_create(const struct kc_state *state, void *entries,
                                         size_t entry_bytes, uint32_t n)
{
    struct kcache_table *table = calloc(1, sizeof *table);

    (void)state;
    if (!table)
        return NULL;
    table->entries = entries;
    table->entry_bytes = entry_bytes;
    table->is_ipv6 = entry_bytes == sizeof(struct kc_entry6);
    table->n_entries = n;
    table->waiting = table->retired = NONE;
    table->places = calloc(n, sizeof table->places[0]);
    table->taken = calloc(n, sizeof table->taken[0]);
    if (!table->places || !table->taken) {
        kcache_table_destroy(table);
        return NULL;
    }
    return table;
}

void kcache_table_destroy(struct kcache_table *table)
{
    if (!table)
        return;
    free(table->adopted);
    free(table->taken);
    free(table->places);
    free(table);
}

/* --- Where ---------------------------------------------------------------------------------- */

/* In the order in which programs look. */
static uint32_t candidate(const struct kc_points *points, unsigned int i)
{
    return i < KC_GROUP ? points->home ^ i : points->other ^ (i - KC_GROUP);
}

static bool has_key(const struct kcache_place *place, const struct kc_key *key)
{
    if (memcmp(place->entry->key, key->words, sizeof place->entry->key))
        return false;
    const struct kc_entry6 *entry6 = (const void *)place->entry;
    return key->n_words == KC_KEY_WORDS ||
           !memcmp(entry6->more_key, key->words + KC_KEY_WORDS, sizeof entry6->more_key);
}

/* An entry is a line of memory that is hardly ever in the processor's cache: that of another home is not looked at. */
static struct kcache_place *find_among(struct kcache_table *table, const struct kc_points *points,
                                       const struct kc_key *key, unsigned int first,
                                       unsigned int end)
{
    for (unsigned int i = first; i < end; i++) {
        struct kcache_place *place = &table->places[candidate(points, i)];

        if (place->state == IS_TAKEN && place->home == points->home && has_key(place, key))
            return place;
    }
    return NULL;
}

struct kcache_place *kcache_table_find(struct kcache_table *table, const struct kc_points *points,
                                       const struct kc_key *key)
{
    const struct kcache_place *home = &table->places[points->home];
    struct kcache_place *place = find_among(table, points, key, 0, 1);

    if (!place && home->n_near)
        place = find_among(table, points, key, 1, KC_GROUP);
    if (!place && home->n_far)
        place = find_among(table, points, key, KC_GROUP, N_CANDIDATES);
    return place;
}

struct kcache_place *kcache_table_find_room(struct kcache_table *table,
                                            const struct kc_points *points)
{
    for (unsigned int i = 0; i < N_CANDIDATES; i++) {
        uint32_t index = candidate(points, i);
        struct kcache_place *place = &table->places[index];

        if (place->state != IS_FREE)
            continue;
        place->entry = (void *)(table->entries + index * table->entry_bytes);
        place->id = (index + 1) | (uint32_t)table->is_ipv6 << 31;
        return place;
    }
    return NULL;
}

struct kcache_place *kcache_table_find_idle(struct kcache_table *table,
                                            const struct kc_points *points, int64_t now_ns)
{
    struct kcache_place *idlest = NULL;

    for (unsigned int i = 0; i < N_CANDIDATES; i++) {
        struct kcache_place *place = &table->places[candidate(points, i)];

        if (place->state == IS_TAKEN && now_ns - place->used_ns > IDLE_NS &&
            (!idlest || place->used_ns < idlest->used_ns))
            idlest = place;
    }
    return idlest;
}

struct kcache_place *kcache_table_find_movable(struct kcache_table *table,
                                               const struct kc_state *state,
                                               const struct kc_points *points,
                                               struct kcache_place **elsewhere,
                                               struct kc_points *its_points)
{
    for (unsigned int i = 0; i < N_CANDIDATES; i++)
        if (table->places[candidate(points, i)].state == IS_WAITING)
            return NULL;
    for (unsigned int i = 0; i < N_CANDIDATES; i++) {
        struct kcache_place *place = &table->places[candidate(points, i)];
        struct kc_key key;

        if (place->state != IS_TAKEN)
            continue;
        kcache_table_get_key(place, &key);
        *its_points = kc_points_of(state, key.words, key.n_words);
        *elsewhere = kcache_table_find_room(table, its_points);
        if (*elsewhere)
            return place;
    }
    return NULL;
}

/* --- Change --------------------------------------------------------------------------------- */

static struct kc_entry *entry_at(struct kcache_table *table, uint32_t index)
{
    return (void *)(table->entries + index * table->entry_bytes);
}

static void write_slots(struct kc_entry *entry, uint64_t slots)
{
    uint64_t hints = entry->slots >> KC_HINT_SHIFT << KC_HINT_SHIFT;

    __atomic_store_n(&entry->slots, hints | slots, __ATOMIC_RELEASE);
}

static void write_hints(struct kcache_table *table, uint32_t home)
{
    const struct kcache_place *place = &table->places[home];
    struct kc_entry *entry = entry_at(table, home);
    uint64_t hints = (place->n_near ? KC_HINT_NEAR : 0) | (place->n_far ? KC_HINT_FAR : 0);
    uint64_t slots = entry->slots & ((UINT64_C(1) << KC_HINT_SHIFT) - 1);

    __atomic_store_n(&entry->slots, slots | hints << KC_HINT_SHIFT, __ATOMIC_RELEASE);
}

static uint8_t hint_to(const struct kc_points *points, uint32_t index)
{
    if (index == points->home)
        return 0;
    return (index ^ points->home) < KC_GROUP ? KC_HINT_NEAR : KC_HINT_FAR;
}

static void count_hint(struct kcache_table *table, const struct kcache_place *place, uint32_t n)
{
    struct kcache_place *home = &table->places[place->home];

    if (place->hint == KC_HINT_NEAR)
        home->n_near += n;
    else if (place->hint == KC_HINT_FAR)
        home->n_far += n;
    else
        return;
    write_hints(table, place->home);
}

static uint32_t index_of(const struct kcache_place *place)
{
    return (place->id & ~(UINT32_C(1) << 31)) - 1;
}

static void list_as_taken(struct kcache_table *table, struct kcache_place *place)
{
    place->state = IS_TAKEN;
    place->at = table->n_taken;
    table->taken[table->n_taken++] = index_of(place);
}

void kcache_table_add(struct kcache_table *table, struct kcache_place *place,
                      const struct kc_points *points, const struct kc_key *key,
                      const struct kcache_words *words)
{
    struct kc_entry *entry = place->entry;
    uint32_t index = index_of(place);

    memcpy(entry->key, key->words, sizeof entry->key);
    if (table->is_ipv6)
        memcpy(((struct kc_entry6 *)(void *)entry)->more_key, key->words + KC_KEY_WORDS,
               (KC_KEY6_WORDS - KC_KEY_WORDS) * sizeof key->words[0]);
    place->seen_packets = place->born_packets = entry->n_packets;
    place->seen_bytes = place->born_bytes = entry->n_bytes;
    write_slots(entry, words->slots);
    __atomic_store_n(&entry->verdict, words->verdict, __ATOMIC_RELEASE);

    place->home = points->home;
    place->hint = hint_to(points, index);
    list_as_taken(table, place);
    count_hint(table, place, 1);
}

void kcache_table_change(struct kcache_place *place, const struct kcache_words *words)
{
    struct kc_entry *entry = place->entry;

    /* Who has read the old verdict must not take the new slots for its own: it reads the verdict again. */
    __atomic_store_n(&entry->verdict, 0, __ATOMIC_SEQ_CST);
    write_slots(entry, words->slots);
    __atomic_store_n(&entry->verdict, words->verdict, __ATOMIC_RELEASE);
}

bool kcache_table_has(const struct kcache_place *place, const struct kcache_words *words)
{
    uint64_t slots = place->entry->slots & ((UINT64_C(1) << KC_HINT_SHIFT) - 1);

    return place->entry->verdict == words->verdict && slots == words->slots;
}

static void empty(struct kcache_table *table, struct kcache_place *place)
{
    __atomic_store_n(&place->entry->verdict, 0, __ATOMIC_SEQ_CST);
    count_hint(table, place, UINT32_MAX); /* One less. */
    place->state = IS_WAITING;
    place->at = table->waiting;
    table->waiting = index_of(place);
    table->n_waiting++;
}

void kcache_table_remove(struct kcache_table *table, struct kcache_place *place)
{
    uint32_t last = table->taken[--table->n_taken];

    table->taken[place->at] = last;
    table->places[last].at = place->at;
    empty(table, place);
}

/* --- Adopt ---------------------------------------------------------------------------------- */

/* False: no lookup would find it where it is. */
static bool adopt_place(struct kcache_table *table, const struct kc_state *state, uint32_t index)
{
    struct kcache_place *place = &table->places[index];
    struct kc_points points;
    struct kc_key key;

    place->entry = entry_at(table, index);
    place->id = (index + 1) | (uint32_t)table->is_ipv6 << 31;
    kcache_table_get_key(place, &key);
    points = kc_points_of(state, key.words, key.n_words);
    if ((index ^ points.home) >= KC_GROUP && (index ^ points.other) >= KC_GROUP)
        return false;
    place->home = points.home;
    place->hint = hint_to(&points, index);
    place->seen_packets = place->born_packets = place->entry->n_packets;
    place->seen_bytes = place->born_bytes = place->entry->n_bytes;
    place->state = IS_ADOPTED;
    count_hint(table, place, 1);
    return true;
}

bool kcache_table_adopt(struct kcache_table *table, const struct kc_state *state,
                        void (*each)(const struct kc_entry *entry, void *arg), void *arg)
{
    /* What stands nowhere is not touched: a page of places costs more than all that follows. */
    table->adopted = calloc(table->n_entries, sizeof table->adopted[0]);
    if (!table->adopted)
        return false;
    for (uint32_t i = 0; i < table->n_entries; i++) {
        struct kc_entry *entry = entry_at(table, i);

        if (!entry->verdict)
            continue;
        if (adopt_place(table, state, i)) {
            table->adopted[table->n_adopted++] = i;
            each(entry, arg);
        } else {
            __atomic_store_n(&entry->verdict, 0, __ATOMIC_SEQ_CST);
        }
    }
    return true;
}

struct kcache_place *kcache_table_adopted(struct kcache_table *table, uint32_t *at)
{
    while (*at < table->n_adopted) {
        struct kcache_place *place = &table->places[table->adopted[(*at)++]];

        if (place->state == IS_ADOPTED)
            return place;
    }
    return NULL;
}

void kcache_table_confirm(struct kcache_table *table, struct kcache_place *place,
                          const struct kcache_words *words)
{
    kcache_table_change(place, words);
    list_as_taken(table, place);
}

void kcache_table_give_up(struct kcache_table *table, struct kcache_place *place)
{
    empty(table, place);
}

bool kcache_table_retire(struct kcache_table *table)
{
    table->retired = table->waiting;
    table->waiting = NONE;
    return table->retired != NONE;
}

void kcache_table_reuse(struct kcache_table *table)
{
    while (table->retired != NONE) {
        struct kcache_place *place = &table->places[table->retired];

        table->retired = place->at;
        place->state = IS_FREE;
        table->n_waiting--;
    }
}

/* --- Look ----------------------------------------------------------------------------------- */

void kcache_table_get_key(const struct kcache_place *place, struct kc_key *key)
{
    const struct kc_entry6 *entry6 = (const void *)place->entry;

    memset(key, 0, sizeof *key);
    memcpy(key->words, place->entry->key, sizeof place->entry->key);
    key->n_words = KC_KEY_WORDS;
    if (!(place->id >> 31))
        return;
    memcpy(key->words + KC_KEY_WORDS, entry6->more_key, sizeof entry6->more_key);
    key->n_words = KC_KEY6_WORDS;
}

bool kcache_table_is_born(const struct kcache_place *place, const struct kc_state *state,
                          uint64_t generation)
{
    return state->base + kc_born(place->entry->verdict) == generation;
}

struct kcache_place *kcache_table_place(struct kcache_table *table, uint32_t id)
{
    return &table->places[(id & ~(UINT32_C(1) << 31)) - 1];
}

struct kcache_place *kcache_table_walk(struct kcache_table *table, uint32_t *at)
{
    /* Downward: a place that moves because another went only moves to where we have been. */
    if (*at > table->n_taken)
        *at = table->n_taken;
    return *at ? &table->places[table->taken[--*at]] : NULL;
}

uint32_t kcache_table_n(const struct kcache_table *table)
{
    return table->n_taken;
}

uint32_t kcache_table_n_busy(const struct kcache_table *table)
{
    return table->n_taken + table->n_waiting;
}

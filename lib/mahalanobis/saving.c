/* SPDX-License-Identifier: MIT */
/* Snapshots: the totals cannot be made anew, nor can the fit, which rests on a block that may have been dropped. */
#include "mahalanobis/mahalanobis.h"

#include "anomaly.h"

#include <math.h>

#define LAYOUT 0 /* the first byte: how the rest lies */

static void save_numbers(const double *number, size_t count, an_writer *writer)
{
    for (size_t i = 0; i < count; i++)
        an_write_double(writer, number[i]);
}

static void save_totals(const an_totals *totals, an_writer *writer)
{
    if (totals)
        an_totals_save(totals, writer);
    else
        an_write_varint(writer, 0);
}

void an_mahalanobis_save(const an_mahalanobis *h, an_writer *writer)
{
    an_write_u8(writer, LAYOUT);
    an_write_endless(writer, h->learned);
    an_write_varint(writer, h->used);
    an_write_varint(writer, h->next);
    an_write_varint(writer, h->batched);
    save_numbers(h->rings, (size_t)h->lags.features * h->lags.room, writer);
    for (uint32_t i = 0; h->batched && i < h->m; i++)
        save_numbers(h->batch + (size_t)i * AN_BATCH_VECTORS, h->batched, writer);
    save_totals(h->fit, writer);
    for (uint32_t b = 0; b < h->used; b++)
        save_totals(h->block[b], writer);
}

/* ---- back ---- */

static void load_finite_numbers(double *number, size_t count, an_reader *reader)
{
    for (size_t i = 0; !reader->bad && i < count; i++) {
        number[i] = an_read_double(reader);
        reader->bad |= isinf(number[i]);
    }
}

/* Before the window is full, each event has stayed, and those from the first with all its lags on are vectors. */
static int has_counts(const an_mahalanobis *h, uint64_t events)
{
    uint64_t before = h->lags.values - 1, vectors = events > before ? events - before : 0;
    if (events == h->block_events * AN_WINDOW_BLOCKS)
        return h->learned >= events;
    return h->learned == events && h->batched == vectors % AN_BATCH_VECTORS;
}

/* Blocks are filled in turn; the window has as many events as went through them. */
static void load_places(an_mahalanobis *h, uint64_t events, an_reader *reader)
{
    reader->bad |= an_read_u8(reader) != LAYOUT;
    h->learned = an_read_endless(reader);
    h->used = (uint32_t)an_read_varint_to(reader, AN_WINDOW_BLOCKS);
    h->next = (uint32_t)an_read_varint_to(reader, AN_WINDOW_BLOCKS - 1);
    h->batched = (uint32_t)an_read_varint_to(reader, AN_BATCH_VECTORS - 1);
    reader->bad |= h->used == 0 || h->used - 1 > events / h->block_events || h->batched > events || !has_counts(h, events);
    reader->bad |= h->used < AN_WINDOW_BLOCKS ? h->next != h->used - 1 : h->next >= AN_WINDOW_BLOCKS;
}

/* The fewest bytes of what is still to be read: before memory is taken for it. */
static int can_be_there(const an_mahalanobis *h, const an_reader *reader)
{
    size_t numbers = (size_t)h->lags.features * h->lags.room + (size_t)h->batched * h->m;
    size_t full = h->used > 1 ? h->used * an_totals_least_bytes(h->m) : 0; /* the fit, and all blocks but the newest */
    return an_reader_left(reader) >= numbers * sizeof(double) + full + 1;
}

/* Every block is full but the one that is being filled; no more vectors than events. */
static void load_blocks(an_mahalanobis *h, uint64_t events, an_reader *reader)
{
    uint64_t vectors = h->batched;
    for (uint32_t b = 0; b < h->used && !reader->bad; b++) {
        an_totals_load(h->block[b], h->block_events, reader);
        uint64_t held = h->block[b] ? h->block[b]->events : 0;
        reader->bad |= held % AN_BATCH_VECTORS || (held == h->block_events) == (b == h->next);
        vectors += held;
    }
    reader->bad |= vectors > events;
}

int an_mahalanobis_restore(an_mahalanobis *h, uint64_t events, uint64_t slots, an_reader *reader,
                           const anomaly_allocator *allocator)
{
    load_places(h, events, reader);
    if (reader->bad || !can_be_there(h, reader))
        return ANOMALY_E_CORRUPT;
    int status = an_mahalanobis_make_room(h, slots, allocator);
    if (status)
        return status;
    load_finite_numbers(h->rings, (size_t)h->lags.features * h->lags.room, reader);
    for (uint32_t i = 0; h->batched && i < h->m; i++)
        load_finite_numbers(h->batch + (size_t)i * AN_BATCH_VECTORS, h->batched, reader);
    an_totals_load(h->fit, AN_WINDOW_BLOCKS * h->block_events, reader);
    load_blocks(h, events, reader);
    return reader->bad ? ANOMALY_E_CORRUPT : ANOMALY_OK;
}

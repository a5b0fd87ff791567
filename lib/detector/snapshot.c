/* SPDX-License-Identifier: MIT */
#include "detector/snapshot.h"

#include "detector/options.h"
#include "detector/status.h"

#include <string.h>

/* ---- configuration ---- */

#define FIRST_MEMBERS 21 /* of version 1: always written */

static void save_member(const an_member *m, const anomaly_config *config, an_writer *writer)
{
    const char *at = (const char *)config + m->offset;
    switch (m->type) {
    case AN_NO_MEMBER: break;
    case AN_U32: an_write_varint(writer, *(const uint32_t *)(const void *)at); break;
    case AN_U64: an_write_varint(writer, *(const uint64_t *)(const void *)at); break;
    case AN_I32: an_write_signed(writer, *(const int32_t *)(const void *)at); break;
    case AN_I64: an_write_signed(writer, *(const int64_t *)(const void *)at); break;
    case AN_F64: an_write_double(writer, *(const double *)(const void *)at); break;
    }
}

static void load_i32(int32_t *to, an_reader *reader)
{
    int64_t value = an_read_signed(reader);
    reader->bad |= value < INT32_MIN || value > INT32_MAX;
    *to = reader->bad ? 0 : (int32_t)value;
}

static void load_member(const an_member *m, anomaly_config *config, an_reader *reader)
{
    char *at = (char *)config + m->offset;
    switch (m->type) {
    case AN_NO_MEMBER: break;
    case AN_U32: *(uint32_t *)(void *)at = (uint32_t)an_read_varint_to(reader, UINT32_MAX); break;
    case AN_U64: *(uint64_t *)(void *)at = an_read_varint(reader); break;
    case AN_I32: load_i32((int32_t *)(void *)at, reader); break;
    case AN_I64: *(int64_t *)(void *)at = an_read_signed(reader); break;
    case AN_F64: *(double *)(void *)at = an_read_double(reader); break;
    }
}

static size_t member_size(const an_member *m)
{
    return m->type == AN_U32 || m->type == AN_I32 ? 4 : 8;
}

/* Counts the members to be written: later ones that have their preset at the end are left out, so that a version that
 * knows them writes what one that does not can read. */
static size_t count_saved(const anomaly_config *config, const an_member member[AN_MEMBERS])
{
    anomaly_config preset;
    size_t count = AN_MEMBERS;
    anomaly_config_init(&preset, sizeof preset, config->kind);
    while (count > FIRST_MEMBERS) {
        const an_member *m = &member[count - 1];
        if (memcmp((const char *)config + m->offset, (const char *)&preset + m->offset, member_size(m)) != 0)
            break;
        count--;
    }
    return count;
}

void an_config_save(const anomaly_config *config, an_writer *writer)
{
    an_member member[AN_MEMBERS];
    an_option_members(member);
    size_t count = count_saved(config, member);
    an_write_varint(writer, count);
    for (size_t i = 0; i < count; i++)
        save_member(&member[i], config, writer);
}

int an_config_load(anomaly_config *config, an_reader *reader, anomaly_error *error)
{
    anomaly_config read;
    an_member member[AN_MEMBERS];
    uint64_t count = an_read_varint(reader);
    int32_t kind = 0;
    if (reader->bad || count < FIRST_MEMBERS)
        return an_error(error, ANOMALY_E_CORRUPT, "", "the configuration is damaged");
    load_i32(&kind, reader);
    if (count > AN_MEMBERS || anomaly_config_init(&read, sizeof read, kind) != ANOMALY_OK)
        return an_error(error, ANOMALY_E_VERSION, "kind", "it has settings that this version does not know");
    read.kind = kind;
    an_option_members(member);
    for (size_t i = 1; i < count; i++)
        load_member(&member[i], &read, reader);
    if (reader->bad || an_config_check(&read, config, error) != ANOMALY_OK)
        return an_error(error, ANOMALY_E_CORRUPT, "", "the configuration is damaged");
    return ANOMALY_OK;
}

/* ---- counters ---- */

#define COUNTS       (sizeof(anomaly_counts) / sizeof(uint64_t))
#define FIRST_COUNTS 11 /* of version 1: always written; later ones up to the last that is not 0 */
_Static_assert(sizeof(anomaly_counts) == 16 * sizeof(uint64_t), "anomaly_counts holds 64-bit counters only");

void an_counts_save(const anomaly_counts *counts, an_writer *writer)
{
    uint64_t count[COUNTS];
    size_t written = COUNTS;
    memcpy(count, counts, sizeof count);
    while (written > FIRST_COUNTS && count[written - 1] == 0)
        written--;
    an_write_u8(writer, (uint8_t)written);
    for (size_t i = 0; i < written; i++)
        an_write_varint(writer, count[i]);
}

void an_counts_load(anomaly_counts *counts, an_reader *reader)
{
    uint64_t count[COUNTS] = {0};
    size_t stored = an_read_u8(reader);
    reader->bad |= stored > COUNTS;
    for (size_t i = 0; !reader->bad && i < stored; i++)
        count[i] = an_read_varint(reader);
    memcpy(counts, count, sizeof count);
}

/* ---- window ---- */

enum { HAS_THRESHOLD = 1, HAS_CLOCK = 2, HAS_CUT = 4 };

/* Times are in order: the first one, then the steps. */
static void save_times(const an_window *window, an_writer *writer)
{
    for (uint64_t i = window->tail; i < window->head; i++) {
        int64_t t = window->times[i & window->mask];
        if (i == window->tail)
            an_write_i64(writer, t);
        else
            an_write_varint(writer, (uint64_t)t - (uint64_t)window->times[(i - 1) & window->mask]);
    }
}

/* All of them within the span before the clock. */
static void load_times(an_window *window, an_reader *reader)
{
    int64_t t = 0, clock = window->clock_ns;
    for (uint64_t i = window->tail; !reader->bad && i < window->head; i++) {
        if (i == window->tail) {
            t = an_read_i64(reader);
            reader->bad |= t == ANOMALY_NO_TIME || t > clock || an_elapsed_ns(clock, t) > (uint64_t)window->span_ns;
        } else {
            uint64_t step = an_read_varint(reader);
            reader->bad |= step > an_elapsed_ns(clock, t);
            t = (int64_t)((uint64_t)t + (reader->bad ? 0 : step));
        }
        window->times[i & window->mask] = t;
    }
}

/* One byte says how: 0 is eight bytes each. */
static void save_values(const an_window *window, uint32_t feature, an_writer *writer)
{
    an_write_u8(writer, 0);
    for (uint64_t i = window->tail; i < window->head; i++)
        an_write_double(writer, an_window_value(window, feature, i));
}

static void load_values(an_window *window, uint32_t feature, an_reader *reader)
{
    reader->bad |= an_read_u8(reader) != 0;
    for (uint64_t i = window->tail; i < window->head; i++) {
        double x = an_read_double(reader);
        reader->bad |= isinf(x) || (x == 0 && signbit(x));
        *an_window_at(window, feature, i) = isnan(x) ? (double)NAN : x;
    }
}

static void save_window(const an_window *window, an_writer *writer)
{
    an_write_endless(writer, window->tail);
    an_write_varint(writer, an_window_count(window));
    if (window->span_ns)
        save_times(window, writer);
    for (uint32_t f = 0; f < window->features && !window->bare; f++)
        save_values(window, f, writer);
}

/* The fewest bytes of so many events: before memory is taken for them. */
static int can_hold(const an_window *window, uint64_t tail, uint64_t count, const an_reader *reader)
{
    size_t left = an_reader_left(reader);
    if (!window->span_ns && tail > 0 && count < window->bound) /* events leave a full one only */
        return 0;
    if (window->bare)
        return count <= window->bound;
    return count <= window->bound && window->features <= left && count <= (left - window->features) / 8 / window->features &&
           !(window->span_ns && count && window->clock_ns == ANOMALY_NO_TIME);
}

/* An event without any value takes no place. */
static int has_value(const an_window *window, uint64_t index)
{
    uint32_t f = 0;
    while (f < window->features && isnan(an_window_value(window, f, index)))
        f++;
    return f < window->features;
}

static int load_window(anomaly_detector *detector, an_reader *reader)
{
    an_window *window = &detector->window;
    uint64_t tail = an_read_endless(reader), count = an_read_varint(reader);
    if (reader->bad || !can_hold(window, tail, count, reader))
        return ANOMALY_E_CORRUPT;
    int fits = count == 0 || window->bare || (window->lent && count <= AN_FIRST_SLOTS);
    int status = fits ? ANOMALY_OK : an_detector_resize(detector, an_window_slots(count));
    if (status)
        return status;
    window->tail = tail;
    window->head = tail + count;
    if (window->span_ns)
        load_times(window, reader);
    for (uint32_t f = 0; !reader->bad && !window->bare && f < window->features; f++)
        load_values(window, f, reader);
    for (uint64_t i = window->tail; !reader->bad && !window->bare && i < window->head; i++)
        reader->bad |= !has_value(window, i);
    return reader->bad ? ANOMALY_E_CORRUPT : ANOMALY_OK;
}

/* ---- state ---- */

/* A threshold that is set is fixed from then on, even if it is the same number. */
static int has_own_threshold(const anomaly_config *own, const anomaly_config *shared)
{
    return own->threshold != shared->threshold || own->contamination != shared->contamination ||
           own->alarm_rate != shared->alarm_rate || own->alarms != shared->alarms;
}

void an_state_save(const anomaly_detector *detector, const anomaly_config *shared, an_writer *writer)
{
    const an_window *window = &detector->window;
    int threshold = has_own_threshold(detector->config, shared);
    int clock = window->clock_ns != ANOMALY_NO_TIME, cut = window->cut_ns != ANOMALY_NO_TIME;
    an_write_u8(writer, (uint8_t)((threshold ? HAS_THRESHOLD : 0) | (clock ? HAS_CLOCK : 0) | (cut ? HAS_CUT : 0)));
    if (threshold)
        an_write_double(writer, detector->config->threshold);
    if (clock)
        an_write_i64(writer, window->clock_ns);
    if (cut)
        an_write_i64(writer, window->cut_ns);
    an_counts_save(&detector->counts, writer);
    an_write_varint(writer, detector->flagged_in_row);
    save_window(window, writer);
    detector->kind->saving.save(detector, writer);
    if (detector->stages)
        an_stages_save(detector->stages, writer);
}

static int load_threshold(anomaly_detector *detector, an_reader *reader)
{
    double threshold = an_read_double(reader);
    return an_is_threshold(detector->config, threshold) ? an_detector_own_threshold(detector, threshold) : ANOMALY_E_CORRUPT;
}

/* What has been cut was not ahead of the clock. */
static void load_clock(an_window *window, uint8_t has, an_reader *reader)
{
    if (has & HAS_CLOCK)
        window->clock_ns = an_read_i64(reader);
    if (has & HAS_CUT)
        window->cut_ns = an_read_i64(reader);
    reader->bad |= (has & HAS_CLOCK) && window->clock_ns == ANOMALY_NO_TIME;
    reader->bad |= (has & HAS_CUT) && (window->cut_ns == ANOMALY_NO_TIME || window->cut_ns > window->clock_ns);
}

static int load_scalars(anomaly_detector *detector, an_reader *reader)
{
    an_window *window = &detector->window;
    uint8_t has = an_read_u8(reader);
    reader->bad |= has > (HAS_THRESHOLD | HAS_CLOCK | HAS_CUT) || (!window->span_ns && (has & (HAS_CLOCK | HAS_CUT)));
    int status = has & HAS_THRESHOLD ? load_threshold(detector, reader) : ANOMALY_OK;
    load_clock(window, has, reader);
    an_counts_load(&detector->counts, reader);
    detector->flagged_in_row =
        (uint32_t)an_read_varint_to(reader, detector->config->learn == ANOMALY_LEARN_ALWAYS ? 0 : UINT32_MAX);
    return reader->bad ? ANOMALY_E_CORRUPT : status;
}

int an_state_can_be(const anomaly_config *config, const an_reader *state)
{
    return config->features + an_stages_least_saved(config) <= an_reader_left(state);
}

int an_state_load(anomaly_detector *fresh, an_reader *reader)
{
    if (reader->bad)
        return ANOMALY_E_CORRUPT;
    int status = load_scalars(fresh, reader);
    if (!status)
        status = load_window(fresh, reader);
    if (!status)
        status = fresh->kind->saving.restore(fresh, reader);
    if (!status && fresh->stages)
        status = an_stages_restore(fresh->stages, reader, fresh->allocator);
    return status ? status : reader->bad || an_reader_left(reader) ? ANOMALY_E_CORRUPT : ANOMALY_OK;
}

/* ---- calls ---- */

/* A key with a threshold of its own is saved as such: it can come back into its pool. */
static void save_body(const anomaly_detector *detector, an_writer *writer)
{
    const anomaly_config *shared = &an_shared_of(detector)->config;
    an_config_save(shared, writer);
    an_state_save(detector, shared, writer);
}

static uint64_t body_size(const anomaly_detector *detector)
{
    an_writer counter;
    an_writer_begin(&counter, NULL, NULL);
    save_body(detector, &counter);
    return counter.total;
}

int an_buffer_sink(void *ctx, const void *bytes, size_t size)
{
    an_buffer *buffer = ctx;
    if (size > buffer->size - buffer->used)
        return 1;
    memcpy(buffer->bytes + buffer->used, bytes, size);
    buffer->used += size;
    return 0;
}

int anomaly_snapshot_size(const anomaly_detector *detector, size_t *size)
{
    if (!detector || !size)
        return ANOMALY_E_ARG;
    *size = an_sum(body_size(detector), AN_SECTION_FRAME);
    return ANOMALY_OK;
}

int anomaly_snapshot_write(const anomaly_detector *detector, anomaly_sink sink, void *ctx)
{
    an_writer writer;
    if (!detector || !sink)
        return ANOMALY_E_ARG;
    an_writer_begin(&writer, sink, ctx);
    an_section_begin(&writer, AN_SECTION_DETECTOR, body_size(detector), 0);
    save_body(detector, &writer);
    an_section_end(&writer);
    return an_writer_end(&writer);
}

int anomaly_snapshot(const anomaly_detector *detector, void *buffer, size_t size, size_t *used)
{
    an_buffer to = {buffer, size, 0};
    size_t needed;
    if (!buffer || !used)
        return ANOMALY_E_ARG;
    int status = anomaly_snapshot_size(detector, &needed);
    if (!status && needed > size)
        status = ANOMALY_E_SPACE;
    if (!status)
        status = anomaly_snapshot_write(detector, an_buffer_sink, &to);
    if (!status)
        *used = to.used;
    return status;
}

int an_detector_open(const void *bytes, size_t size, anomaly_config *config, an_reader *state, anomaly_error *error)
{
    uint64_t checksum;
    int status = an_section_open(bytes, size, AN_SECTION_DETECTOR, 0, state, &checksum);
    if (status == ANOMALY_E_VERSION)
        return an_error(error, status, "", "the snapshot is of a newer version");
    if (status)
        return an_error(error, status, "", "not a snapshot of a detector, or damaged");
    return an_config_load(config, state, error);
}

static int restore_alone(const anomaly_config *config, const anomaly_allocator *allocator, an_reader *state,
                         anomaly_detector **detector)
{
    anomaly_detector *created;
    if (!an_state_can_be(config, state))
        return ANOMALY_E_CORRUPT;
    int status = an_detector_alone(config, allocator, &created);
    if (status)
        return status;
    status = an_state_load(created, state);
    if (status)
        anomaly_destroy(created);
    else
        *detector = created;
    return status;
}

int anomaly_restore(const void *bytes, size_t size, const anomaly_allocator *allocator, anomaly_detector **detector,
                    anomaly_error *error)
{
    anomaly_allocator memory = an_allocator_or_default(allocator);
    anomaly_config config;
    an_reader state;
    if (!bytes || !detector)
        return an_error(error, ANOMALY_E_ARG, "", "bytes and detector must be given");
    int status = an_detector_open(bytes, size, &config, &state, error);
    if (status)
        return status;
    status = restore_alone(&config, &memory, &state, detector);
    if (status)
        return an_error(error, status, "", "%s",
                        status == ANOMALY_E_CORRUPT ? "the state is damaged" : anomaly_status_text(status));
    return ANOMALY_OK;
}

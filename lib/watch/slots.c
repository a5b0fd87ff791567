/* SPDX-License-Identifier: MIT */
#include "watch/slots.h"

#include "watch/views.h"

#include <math.h>
#include <string.h>

#define DAY_NS       INT64_C(86400000000000)
#define SLOTS_A_DAY  (AN_SLOTS - 1)
#define KNOWN_VISITS 2u

an_slot_time an_slot_time_of(int64_t t_ns, uint64_t index)
{
    if (t_ns == ANOMALY_NO_TIME)
        return (an_slot_time){SLOTS_A_DAY, (int64_t)(index / AN_VISIT_EVENTS)};
    int64_t day = t_ns / DAY_NS - (t_ns % DAY_NS < 0), within = t_ns % DAY_NS + (t_ns % DAY_NS < 0 ? DAY_NS : 0);
    return (an_slot_time){(uint32_t)(within / (DAY_NS / SLOTS_A_DAY)), day};
}

/* Changes the order of x. */
static double median_of(double *x, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++)
        for (uint32_t j = i; j > 0 && x[j - 1] > x[j]; j--) {
            double larger = x[j - 1];
            x[j - 1] = x[j];
            x[j] = larger;
        }
    return n % 2 ? x[n / 2] : x[n / 2 - 1] * 0.5 + x[n / 2] * 0.5;
}

/* The visit k, 0: the oldest that is kept. */
static const an_visit *kept_visit(const an_day_slot *slot, uint32_t k)
{
    return &slot->visit[(slot->newest + 1 + AN_SLOT_VISITS - slot->visits + k) % AN_SLOT_VISITS];
}

/* Goes from the oldest mean, so that means that are equal have that mean to the last bit. */
static double mean_of_all(const an_day_slot *slot)
{
    double values = 0, base = slot->visits ? kept_visit(slot, 0)->mean : (double)NAN, beside = 0;
    for (uint32_t k = 0; k < slot->visits; k++)
        values += kept_visit(slot, k)->values;
    for (uint32_t k = 1; k < slot->visits; k++)
        beside += (kept_visit(slot, k)->mean - base) * (kept_visit(slot, k)->values / values);
    return base + beside;
}

double an_slots_expected(const an_slots *slots, an_slot_time at)
{
    const an_day_slot *slot = &slots->slot[at.slot];
    double mean[AN_SLOT_VISITS];
    uint32_t before = 0;
    for (uint32_t k = 0; k < slot->visits; k++)
        if (kept_visit(slot, k)->day != at.day)
            mean[before++] = kept_visit(slot, k)->mean;
    return before < KNOWN_VISITS ? mean_of_all(slot) : median_of(mean, before);
}

static int is_first_seen(const an_day_slot *slot, int64_t day)
{
    return slot->visits == 0 || (slot->visits == 1 && slot->visit[slot->newest].day == day);
}

static uint32_t values_of_day(const an_day_slot *slot, int64_t day)
{
    const an_visit *newest = &slot->visit[slot->newest];
    return slot->visits && newest->day == day ? newest->values : 0;
}

int an_slots_follow_level(const an_slots *slots, an_slot_time at)
{
    int is_timed = at.slot < SLOTS_A_DAY, wraps = at.slot == 0;
    if (!is_timed || !is_first_seen(&slots->slot[at.slot], at.day))
        return 0;
    const an_day_slot *before = &slots->slot[wraps ? SLOTS_A_DAY - 1 : at.slot - 1];
    return values_of_day(before, at.day - wraps) >= AN_LEVEL_VALUES;
}

/* The oldest visit makes room. */
static void begin_visit(an_day_slot *slot, int64_t day)
{
    slot->newest = slot->visits ? (slot->newest + 1) % AN_SLOT_VISITS : 0;
    slot->visits += slot->visits < AN_SLOT_VISITS;
    slot->visit[slot->newest] = (an_visit){day, 0, 0};
}

void an_slots_learn(an_slots *slots, an_slot_time at, double x)
{
    an_day_slot *slot = &slots->slot[at.slot];
    if (!slot->visits || slot->visit[slot->newest].day != at.day)
        begin_visit(slot, at.day);
    an_visit *visit = &slot->visit[slot->newest];
    if (visit->values < UINT32_MAX)
        visit->mean += (x - visit->mean) / ++visit->values;
}

void an_slots_reset(an_slots *slots)
{
    memset(slots, 0, sizeof *slots);
}

/* ---- snapshots ---- */

void an_slots_save(const an_slots *slots, an_writer *writer)
{
    for (uint32_t i = 0; i < AN_SLOTS; i++) {
        an_write_u8(writer, (uint8_t)slots->slot[i].visits);
        for (uint32_t k = 0; k < slots->slot[i].visits; k++) {
            const an_visit *visit = kept_visit(&slots->slot[i], k);
            an_write_signed(writer, visit->day);
            an_write_varint(writer, visit->values);
            an_write_double(writer, visit->mean);
        }
    }
}

static void restore_visit(an_day_slot *slot, an_reader *reader)
{
    begin_visit(slot, an_read_signed(reader));
    an_visit *visit = &slot->visit[slot->newest];
    visit->values = (uint32_t)an_read_varint_to(reader, UINT32_MAX);
    visit->mean = an_read_double(reader);
    reader->bad |= visit->values == 0 || !(fabs(visit->mean) <= AN_WATCH_MOST);
}

void an_slots_restore(an_slots *slots, an_reader *reader)
{
    for (uint32_t i = 0; i < AN_SLOTS && !reader->bad; i++) {
        uint8_t visits = an_read_u8(reader);
        reader->bad |= visits > AN_SLOT_VISITS;
        for (uint32_t k = 0; k < visits && !reader->bad; k++)
            restore_visit(&slots->slot[i], reader);
    }
}

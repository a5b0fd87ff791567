/* SPDX-License-Identifier: MIT own_allocator.c - memory from the host: an arena of nginx, a memory context of
 * PostgreSQL, here malloc with a budget. When it says no, the call answers ANOMALY_E_NOMEM, nothing has changed, and
 * the same event can be given again.
 */
#include "common.h"

typedef struct budget {
    size_t taken, most;
    uint64_t calls;
} budget;

static void *take(void *ctx, size_t bytes)
{
    budget *b = ctx;
    void *memory = b->taken + bytes <= b->most ? malloc(bytes) : NULL;
    b->calls++;
    b->taken += memory != NULL ? bytes : 0;
    return memory;
}

/* The size comes along, so the host need not remember it. */
static void give_back(void *ctx, void *memory, size_t bytes)
{
    ((budget *)ctx)->taken -= bytes;
    free(memory);
}

static int update(anomaly_detector *detector, int i)
{
    double value = value_of(0, i);
    return anomaly_update(detector, &value, ANOMALY_NO_TIME, NULL);
}

int main(void)
{
    anomaly_config config = config_of("1000");
    anomaly_detector *detector;
    size_t needed;
    int i = 0;
    budget b = {.most = SIZE_MAX};
    anomaly_allocator allocator = {.alloc = take, .free = give_back, .ctx = &b};
    MUST(anomaly_memory_needed(&config, &needed) == ANOMALY_OK);
    MUST(anomaly_create(&config, &allocator, &detector, NULL) == ANOMALY_OK);
    b.most = needed / 2; /* too little for a full window */
    while (update(detector, i) == ANOMALY_OK)
        i++;
    MUST(i > 0 && i < 1000);
    anomaly_counts counts;
    MUST(anomaly_counters(detector, &counts) == ANOMALY_OK && counts.events == (uint64_t)i); /* it was not half taken in */
    b.most = SIZE_MAX;
    for (int refused = i; i < refused + 1000; i++)
        MUST(update(detector, i) == ANOMALY_OK);
    MUST(b.taken <= needed);
    uint64_t calls = b.calls;
    for (int end = i + 100000; i < end; i++)
        MUST(update(detector, i) == ANOMALY_OK);
    MUST(b.calls == calls); /* the window is full: nothing is allocated any more */
    anomaly_destroy(detector);
    MUST(b.taken == 0);
    printf("own_allocator: refused without harm, at most the %u bytes that were announced, then 100000 events without one\n",
           (unsigned)needed);
    return 0;
}

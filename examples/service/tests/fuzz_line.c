/* SPDX-License-Identifier: MIT fuzz_line.c - libFuzzer: any bytes as a line, and its reply. A good line has a metric
 * that a pool takes, a refused one a message that may be shown anywhere. */
#include "../line.h"
#include "../reply.h"

#include <stdlib.h>
#include <string.h>

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_reply(const reply *r)
{
    CHECK(r->size > 0 && r->size <= REPLY_SIZE && r->text[r->size - 1] == '\n');
    for (size_t i = 0; i + 1 < r->size; i++)
        CHECK(r->text[i] >= 0x20 && r->text[i] < 0x7f);
}

static void check_refused(const line *l)
{
    reply r = {.json = l->json};
    CHECK(l->reason < LINE_REASONS && strlen(l->message) > 0);
    reply_error(&r, 0, line_reason_name(l->reason), l->message);
    check_reply(&r);
    reply_error(&r, UINT64_MAX, line_reason_name(l->reason), l->message);
    check_reply(&r);
}

/* Any doubles and flags may stand in a verdict. */
static void check_verdict(const line *l)
{
    reply r = {.json = l->json};
    anomaly_verdict v = {l->value, -l->value,  l->value / 3, l->value * 1e300, -1 / l->value, (uint32_t)l->time_ns,
                         0,        UINT64_MAX, l->value};
    r.tail = true;
    reply_verdict(&r, UINT64_MAX, &v);
    check_reply(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cli_clock clock = {0};
    line l;
    char *text = malloc(size + 1); /* to the byte, so that reading further is seen */
    CHECK(text != NULL);
    memcpy(text, data, size);
    text[size] = '\n';
    line_read(&clock, text, size, &l);
    free(text);
    if (l.kind == LINE_BAD)
        check_refused(&l);
    if (l.kind == LINE_EVENT || l.kind == LINE_STATS || l.kind == LINE_SOURCE)
        CHECK(l.name_size > 0 && l.name_size <= LINE_METRIC_MAX && strlen(l.name) == l.name_size);
    if (l.kind == LINE_EVENT)
        check_verdict(&l);
    return 0;
}

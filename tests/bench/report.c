/* SPDX-License-Identifier: MIT
 * report.c - the table and the JSON of the benchmarks. */
#include "report.h"

#include "anomaly.h"

#include <stdio.h>
#include <string.h>

static struct {
    int json, missed, lines;
    uint64_t allocations;
} so_far;

const char *path_name(int simd)
{
    static const char *const NAMES[] = {"auto", "scalar", "portable", "avx2", "avx512"};
    return NAMES[simd];
}

int has_path(int simd)
{
    anomaly_config config;
    anomaly_detector *detector;
    (void)anomaly_config_init(&config, sizeof config, ANOMALY_ZSCORE);
    config.simd = simd;
    if (anomaly_create(&config, NULL, &detector, NULL) != ANOMALY_OK)
        return 0;
    anomaly_destroy(detector);
    return 1;
}

int best_path(void)
{
    int simd = ANOMALY_SIMD_AVX512;
    while (!has_path(simd))
        simd--;
    return simd;
}

/* The processor's name where the system tells it. */
static void read_processor(char *name, size_t size)
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "r");
    (void)snprintf(name, size, "unknown");
    while (file && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon) {
            (void)snprintf(name, size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
            break;
        }
    }
    if (file)
        (void)fclose(file);
}

static const char *compiler(void)
{
#if defined(__clang__)
    return __VERSION__;
#elif defined(__GNUC__)
    return "gcc " __VERSION__;
#else
    return "unknown";
#endif
}

void report_start(int json)
{
    char processor[128];
    read_processor(processor, sizeof processor);
    so_far.json = json;
    const char *format = json
                             ? "{\n  \"processor\": \"%s\",\n  \"compiler\": \"%s\",\n  \"version\": \"%d\",\n  \"paths\": ["
                             : "processor  %s\ncompiler   %s\nlibrary    %d\npaths     ";
    printf(format, processor, compiler(), anomaly_version());
    for (int simd = ANOMALY_SIMD_SCALAR; simd <= ANOMALY_SIMD_AVX512; simd++)
        if (has_path(simd))
            printf(json ? "%s\"%s\"" : "%s%s",
                   simd == ANOMALY_SIMD_SCALAR ? (json ? "" : " ")
                   : json                      ? ", "
                                               : " ",
                   path_name(simd));
    if (json)
        printf("],\n  \"results\": [");
    else
        printf("\n\n%-10s %-24s %8s  %-10s %-8s %10s %8s %-12s %6s\n", "part", "what", "window", "data", "path", "ns",
               "ratio", "to", "bar");
}

static int is_missed(const result *r)
{
    return r->bar > 0 && (r->to ? r->ratio : r->ns) > r->bar;
}

static void print_json(const result *r)
{
    printf("%s\n    {\"part\": \"%s\", \"what\": \"%s\", \"window\": %zu, \"data\": \"%s\", \"path\": \"%s\", \"ns\": %.2f",
           so_far.lines ? "," : "", r->part, r->what, r->window, r->shape, r->path, r->ns);
    if (r->to)
        printf(", \"ratio\": %.3f, \"to\": \"%s\"", r->ratio, r->to);
    if (r->bar > 0)
        printf(", \"bar\": %g, \"ok\": %s", r->bar, is_missed(r) ? "false" : "true");
    printf(", \"allocations\": %llu}", (unsigned long long)r->allocations);
}

static void print_line(const result *r)
{
    printf("%-10s %-24s %8zu  %-10s %-8s %10.2f ", r->part, r->what, r->window, r->shape, r->path, r->ns);
    if (r->to)
        printf("%8.2f %-12s ", r->ratio, r->to);
    else
        printf("%8s %-12s ", "", "");
    if (r->bar > 0)
        printf("%6g %s", r->bar, is_missed(r) ? "MISS" : "ok");
    printf("%s\n", r->allocations ? "  allocates: MISS" : "");
}

void report(const result *r)
{
    if (so_far.json)
        print_json(r);
    else
        print_line(r);
    so_far.lines++;
    so_far.missed += is_missed(r) || r->allocations;
    so_far.allocations += r->allocations;
    (void)fflush(stdout);
}

int report_end(void)
{
    if (so_far.json)
        printf("\n  ],\n  \"allocations\": %llu,\n  \"missed\": %d\n}\n", (unsigned long long)so_far.allocations,
               so_far.missed);
    else
        printf("\nallocations on the hot path: %llu\nbars missed: %d\n", (unsigned long long)so_far.allocations,
               so_far.missed);
    return so_far.missed;
}

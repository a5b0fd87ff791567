/* SPDX-License-Identifier: MIT What an event costs in C: per_event KIND WINDOW EVENTS TURNS. One line, the fastest
 * turn in nanoseconds an event; per_event.lua does the same in Lua, per_event.sh runs both in turn. */
#include <anomaly.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* as os.clock() of Lua */
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double turn(anomaly_detector *d, long events, uint64_t *anomalies)
{
    anomaly_verdict v;
    double state = 1, start = now();
    for (long i = 0; i < events; i++) {
        state = state * 16807 - (double)(int64_t)(state * 16807 / 2147483647) * 2147483647;
        double x = state / 2147483647;
        if (anomaly_update(d, &x, ANOMALY_NO_TIME, &v) == ANOMALY_OK)
            *anomalies += v.flags & ANOMALY_IS_ANOMALY;
    }
    return (now() - start) / (double)events * 1e9;
}

int main(int argc, char **argv)
{
    anomaly_config config;
    anomaly_detector *d;
    uint64_t anomalies = 0;
    double best = 1e300;
    if (argc != 5)
        return 2;
    anomaly_config_init(&config, sizeof config, argv[1][0] == 'z' ? ANOMALY_ZSCORE : ANOMALY_PERCENTILE);
    if (anomaly_config_set(&config, "window", argv[2], NULL) != ANOMALY_OK ||
        anomaly_create(&config, NULL, &d, NULL) != ANOMALY_OK)
        return 1;
    for (int i = 0; i < atoi(argv[4]); i++) {
        double ns = turn(d, atol(argv[3]), &anomalies);
        best = ns < best ? ns : best;
    }
    printf("%.2f %llu\n", best, (unsigned long long)anomalies);
    anomaly_destroy(d);
    return 0;
}

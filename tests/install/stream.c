/* SPDX-License-Identifier: MIT
 * Scenario S26 in C: events "value time" from standard input, a z-score over 300 s, every double to its last bit. */
#include <anomaly.h>
#include <math.h>
#include <stdio.h>

int main(void)
{
    anomaly_config config;
    anomaly_detector *detector;
    anomaly_verdict v;
    double value;
    long long t_s;

    if (anomaly_config_init(&config, sizeof config, ANOMALY_ZSCORE) || anomaly_config_set(&config, "window", "300s", NULL) ||
        anomaly_create(&config, NULL, &detector, NULL)) {
        return 1;
    }
    while (scanf("%lf %lld", &value, &t_s) == 2) {
        if (anomaly_update(detector, &value, t_s * 1000000000, &v)) {
            return 1;
        }
        if (!isnan(v.score)) {
            printf("%.17g %.17g %.17g %.17g\n", v.score, v.expected, v.lower, v.upper);
        }
    }
    anomaly_destroy(detector);
    return 0;
}

/* SPDX-License-Identifier: MIT
 * What a user writes: twenty ordinary values, then one that is not. Compiled as C and as C++ against an installed tree. */
#include <anomaly.h>
#include <stdio.h>

int main(void)
{
    anomaly_config config;
    anomaly_detector *detector = NULL;
    anomaly_verdict verdict;
    anomaly_error error;
    int anomalies = 0;

    if (anomaly_config_init(&config, sizeof config, ANOMALY_ZSCORE) != ANOMALY_OK ||
        anomaly_config_set(&config, "window", "300s", &error) != ANOMALY_OK ||
        anomaly_create(&config, NULL, &detector, &error) != ANOMALY_OK) {
        return 1;
    }
    for (int i = 0; i <= 20; i++) {
        double value = i < 20 ? 50 + i % 10 : 95;
        if (anomaly_update(detector, &value, i * INT64_C(1000000000), &verdict) != ANOMALY_OK) {
            return 1;
        }
        anomalies += (verdict.flags & ANOMALY_IS_ANOMALY) != 0;
    }
    printf("%d %d %.17g %.17g\n", anomaly_version(), anomalies, verdict.expected, verdict.score);
    anomaly_destroy(detector);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* All kinds of detectors: the one place that names them. docs/adding-a-detector.md tells how to add one. */
#include "detector/kind.h"

#include <stddef.h>

extern const an_kind an_kind_zscore, an_kind_robust, an_kind_percentile, an_kind_iforest, an_kind_mahalanobis, an_kind_watch;

enum { MOST_PRESETS = 6 };

static const struct kind_row {
    anomaly_kind_info info;
    const an_kind *plain, *robust; /* robust: for robust=1, where that is another */
    an_preset presets[MOST_PRESETS];
} kind_rows[] = {
    {{ANOMALY_ZSCORE, ANOMALY_OFFERS_TIME | ANOMALY_OFFERS_QUANTILE, "zscore",
      "standard deviations from the mean; robust=1: from the median"},
     &an_kind_zscore,
     &an_kind_robust,
     {{NULL, NULL}}},
    {{ANOMALY_PERCENTILE, ANOMALY_OFFERS_TIME | ANOMALY_OFFERS_QUANTILE, "percentile",
      "outside two exact percentiles of the window"},
     &an_kind_percentile,
     &an_kind_percentile,
     {{"warmup", "20"}, {"threshold", "0"}, {"compare", "gt"}}},
    {{ANOMALY_IFOREST, ANOMALY_OFFERS_WHOLE | ANOMALY_OFFERS_EXPLAIN | ANOMALY_OFFERS_REBUILD, "iforest",
      "isolation forest over all features together"},
     &an_kind_iforest,
     &an_kind_iforest,
     {{"window", "2048"}, {"warmup", "64"}, {"threshold", "0"}, {"contamination", "0.01"}, {"lags", "0"}}},
    {{ANOMALY_MAHALANOBIS, ANOMALY_OFFERS_WHOLE | ANOMALY_OFFERS_EXPLAIN, "mahalanobis",
      "distance of the newest values in the window's own covariance"},
     &an_kind_mahalanobis,
     &an_kind_mahalanobis,
     {{"window", "8192"}, {"warmup", "96"}, {"threshold", "2.5"}}},
    {{ANOMALY_WATCH, 0, "watch", "one metric of which nothing is known; needs no option"},
     &an_kind_watch,
     &an_kind_watch,
     {{"window", "4000"}, {"warmup", "50"}, {"threshold", "7.3"}}},
};
#define KIND_ROWS (sizeof kind_rows / sizeof *kind_rows)

const anomaly_kind_info *anomaly_kind_at(size_t index)
{
    return index < KIND_ROWS ? &kind_rows[index].info : NULL;
}

static const struct kind_row *find_kind(int kind)
{
    for (size_t i = 0; i < KIND_ROWS; i++)
        if (kind_rows[i].info.kind == kind)
            return &kind_rows[i];
    return NULL;
}

const an_preset *an_kind_presets(int kind)
{
    const struct kind_row *row = find_kind(kind);
    return row ? row->presets : NULL;
}

const an_kind *an_kind_of(const anomaly_config *config)
{
    const struct kind_row *row = find_kind(config->kind);
    return config->robust ? row->robust : row->plain;
}

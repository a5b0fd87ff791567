/* SPDX-License-Identifier: MIT
 * Copyright (c) The libanomaly authors
 *
 * anomaly.h - tells, event by event, whether something is out of the ordinary.
 *
 * One opaque detector serves every method: windowed z-score (plain or robust), windowed percentile, a streaming
 * isolation forest, the Mahalanobis distance, and a watch over one metric that needs no settings. The method is data
 * in the configuration; the calls are the same for all:
 *
 *     anomaly_config config;
 *     anomaly_detector *detector;
 *     anomaly_verdict verdict;
 *     anomaly_config_init(&config, sizeof config, ANOMALY_ZSCORE);
 *     anomaly_config_set(&config, "window", "300s", NULL);
 *     anomaly_create(&config, NULL, &detector, NULL);
 *     anomaly_update(detector, &value, time_ns, &verdict);
 *     if (verdict.flags & ANOMALY_IS_ANOMALY) ...
 *     anomaly_destroy(detector);
 *
 * This header is the manual. The rules here hold for every call, unless the text of a call says otherwise:
 *
 * - Errors: a call returns ANOMALY_OK (0) or a negative anomaly_status. The text of a call ends with the statuses that
 *   the call can answer, without their ANOMALY_. On any error nothing has changed, neither the object nor what the
 *   out-pointers point at; only `*error` and `*done` are set then. No call prints, aborts, or reads clock or locale.
 * - NULL is allowed only where a text says so. Elsewhere NULL is ANOMALY_E_ARG.
 * - `*used` is set to the number of bytes written, and only with ANOMALY_OK. `*done` (NULL: not wanted) is set to the
 *   number of rows processed, with ANOMALY_OK and with every error; the rows before the failing one stand.
 * - Ownership: the caller owns what a create or restore call makes and ends it with the destroy call. The library
 *   keeps no pointer but the functions and contexts of an allocator and of `evicting`. Returned texts are constant.
 * - Alignment: rows, times, keys and snapshots may lie at any address. All else is aligned as its C type.
 * - Threads: different objects are independent, and the library has no global state. For one object:
 *     anomaly_detector           calls that take it as const may run at the same time; any other call runs alone
 *     anomaly_pool with locks    every call may run at the same time as any other, but create, restore and destroy
 *     anomaly_pool without locks as anomaly_detector
 *     anomaly_allocator          must be thread-safe if objects that several threads use share it; malloc is
 *     every other type           is the caller's memory, which the library uses during the call only
 * - Fork: the child owns a copy of every object, which goes on with the same bits. Fork while no thread is in a call
 *   on an object that the child will use: else the copy is half written, or its lock is held for ever.
 * - Signals, jumps: a signal handler makes no call. No C++ exception and no longjmp leaves a callback or an allocator.
 * - Stack: no call needs more than 16 KB of stack up to 256 features and 256 trees, and 96 KB beyond, beside what the
 *   caller's own callbacks take.
 * - Time: int64_t nanoseconds on the event's own clock, from any epoch. A window by count needs no time: pass
 *   ANOMALY_NO_TIME.
 * - Units stand in the names (`_ns`, `_events`, `_bytes`); sizes and strides are bytes; a score has no unit; other
 *   doubles have the unit of the caller's values.
 * - Since: every name is there since 0.1 unless its text says another version.
 *
 * docs/concepts.md explains the words (window, warm-up, policies, bounds), docs/methods.md the methods.
 */
#ifndef ANOMALY_H
#define ANOMALY_H

#ifndef ANOMALY_CDEF /* defined while the bindings preprocess this header into declarations */
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
#endif

#ifndef ANOMALY_API
#if defined(__GNUC__)
#define ANOMALY_API __attribute__((visibility("default")))
#else
#define ANOMALY_API
#endif
#endif

#define ANOMALY_VERSION_MAJOR 0
#define ANOMALY_VERSION_MINOR 1
#define ANOMALY_VERSION_PATCH 0

/** The time of an event that has none. Answered with ANOMALY_E_ARG where events need times: anomaly_needs_times(). */
#define ANOMALY_NO_TIME INT64_MIN

/** The method of a detector: `kind` of anomaly_config. Papers: docs/methods.md says what is taken from each. z-score:
 *  Welford 1962, Chan 1979 (moments); robust: Hampel 1974, Iglewicz and Hoaglin 1993. Percentile: Hyndman and Fan
 *  1996, their types 7 (linear) and 1 (nearest). Forest: Liu, Ting and Zhou 2008; guided cuts after SCiForest
 *  (2010). Distance: Mahalanobis 1936, Hotelling 1947; Chan, Golub and LeVeque 1983. Watch: ranks joined as by
 *  Fisher 1932; shape by that distance. */
enum anomaly_kind {
    ANOMALY_ZSCORE = 1,      /* |x - mean| / standard deviation; with robust=1 |x - median| / (1.4826 MAD) */
    ANOMALY_PERCENTILE = 2,  /* outside two exact percentiles of the window */
    ANOMALY_IFOREST = 3,     /* isolation forest over the window: events that few random cuts separate from others */
    ANOMALY_MAHALANOBIS = 4, /* distance of the newest values, of one feature or of all, in the window's covariance */
    ANOMALY_WATCH = 5        /* ranks of level, spread and shape of one metric, by the time of day; needs no option */
};

/** What some kinds of detectors offer and others do not: bits of anomaly_kind_info.offers. */
enum anomaly_offer {
    ANOMALY_OFFERS_WHOLE = 0x01,    /* events are judged whole, all features together: no expected value, no bounds */
    ANOMALY_OFFERS_TIME = 0x02,     /* the window may be one of time */
    ANOMALY_OFFERS_QUANTILE = 0x04, /* anomaly_quantile(); the z-score with robust=1 only */
    ANOMALY_OFFERS_EXPLAIN = 0x08,  /* anomaly_explain() */
    ANOMALY_OFFERS_REBUILD = 0x10   /* anomaly_rebuild() has something to do */
};

/** What a call returns. anomaly_status_text() puts it into words. */
enum anomaly_status {
    ANOMALY_OK = 0,
    ANOMALY_E_ARG = -1,      /* a null pointer, a wrong dimension, a missing time, a number out of its range */
    ANOMALY_E_NOMEM = -2,    /* the allocator returned NULL */
    ANOMALY_E_CONFIG = -3,   /* the name, value or combination of options; anomaly_error names the option */
    ANOMALY_E_KIND = -4,     /* this kind of detector does not offer that call */
    ANOMALY_E_SPACE = -5,    /* the caller's buffer is too small */
    ANOMALY_E_CORRUPT = -6,  /* a snapshot that is damaged */
    ANOMALY_E_VERSION = -7,  /* a snapshot or a struct of a newer version */
    ANOMALY_E_FULL = -8,     /* a limit that the caller set is reached */
    ANOMALY_E_NOTFOUND = -9, /* no such option, key or slot */
    ANOMALY_E_EMPTY = -10,   /* the window holds nothing to answer from */
    ANOMALY_E_STOPPED = -11  /* the caller's callback did not return 0 */
};

/** Bits of anomaly_verdict.flags. */
enum anomaly_flag {
    ANOMALY_IS_ANOMALY = 0x001,       /* the verdict itself */
    ANOMALY_WARMING_UP = 0x002,       /* fewer than `warmup` values, or too few for a spread: never anomalous */
    ANOMALY_MISSING = 0x004,          /* a feature was NaN: that one is not judged and not learned; the others are */
    ANOMALY_NONFINITE = 0x008,        /* a feature was infinite: anomalous once warm; that one is never learned */
    ANOMALY_LATE = 0x010,             /* older than `max_late` allows: judged, not learned */
    ANOMALY_TRUNCATED = 0x020,        /* the count bound has cut events that the time window would still hold */
    ANOMALY_FLAT = 0x040,             /* the window has no spread and the value differs: the score is infinite */
    ANOMALY_ABOVE = 0x080,            /* above the expected value (z-score) or the upper percentile, watched or not */
    ANOMALY_BELOW = 0x100,            /* below the expected value (z-score) or the lower percentile, watched or not */
    ANOMALY_JUMPED = 0x200,           /* more than `max_jump` ahead of the newest: judged, not learned; clock stays */
    ANOMALY_NOT_LEARNED = 0x400,      /* update only: flagged, and kept out of the window by the learning policy */
    ANOMALY_ALARM = 0x800,            /* tell somebody now. Without rest, confirm and min_change none is set */
    ANOMALY_EPISODE = 0x1000,         /* belongs to an episode that has had its alarm */
    ANOMALY_EPISODE_END = 0x2000,     /* the first event after an episode: `rest` has passed without an odd event */
    ANOMALY_HELD = 0x4000,            /* IS_ANOMALY, but no alarm: held back; by rest unless it says by what */
    ANOMALY_UNTRANSFORMED = 0x8000,   /* a feature has no transform (the logarithm of 0): not judged, not learned */
    ANOMALY_TAIL_ESTIMATED = 0x10000, /* `tail` lies beyond the scores recorded: estimated */
    ANOMALY_BY_POPULATION = 0x20000,  /* judged by the events of all keys of the pool: the key itself warms up */
    /* Of watch, and of mahalanobis with one feature, each IS_ANOMALY has one of these words. ABOVE or BELOW beside
     * SPIKE and SHIFT: where it went. The first event of a shift looks like a spike. */
    ANOMALY_SPIKE = 0x40000,         /* up to 8 values lie elsewhere: the newest, or some just before it */
    ANOMALY_SHIFT = 0x80000,         /* the level has moved, or is back after more than 8 values */
    ANOMALY_NOISIER = 0x100000,      /* values are spread wider than usual */
    ANOMALY_QUIETER = 0x200000,      /* values are spread less than usual */
    ANOMALY_STUCK = 0x400000,        /* the newest values are all equal, which is not usual */
    ANOMALY_UNCONFIRMED = 0x800000,  /* HELD: too few of the last events were odd, as `confirm` counts */
    ANOMALY_SMALL_CHANGE = 0x1000000 /* HELD: nearer to the expected value than `min_change` */
};

/* Values of fields of anomaly_config. FLAT_IGNORE shows the flag FLAT and calls nothing anomalous for it. LEARN_NORMAL
 * keeps flagged events out of the window. LINEAR interpolates between two values as NumPy does, NEAREST takes the
 * nearest rank. */
enum anomaly_compare { ANOMALY_GE = 0, ANOMALY_GT = 1 };
enum anomaly_side { ANOMALY_BOTH = 0, ANOMALY_UPPER = 1, ANOMALY_LOWER = 2 };
enum anomaly_flat { ANOMALY_FLAT_FLAG = 0, ANOMALY_FLAT_IGNORE = 1 };
enum anomaly_learning { ANOMALY_LEARN_ALWAYS = 0, ANOMALY_LEARN_NORMAL = 1 };
enum anomaly_profile { ANOMALY_FAST = 0, ANOMALY_BALANCED = 1, ANOMALY_ACCURATE = 2 };
enum anomaly_interpolation { ANOMALY_LINEAR = 0, ANOMALY_NEAREST = 1 };
enum anomaly_calibrate_by { ANOMALY_BY_KEY = 0, ANOMALY_BY_POOL = 1 };
enum anomaly_simd {
    ANOMALY_SIMD_AUTO = 0,
    ANOMALY_SIMD_SCALAR = 1,
    ANOMALY_SIMD_PORTABLE = 2,
    ANOMALY_SIMD_AVX2 = 3,
    ANOMALY_SIMD_AVX512 = 4
};

/** The values before the newest: `lags` of anomaly_config. */
enum anomaly_lags {
    ANOMALY_LAGS_AUTO = -1,   /* mahalanobis: the pyramid for one feature; else none */
    ANOMALY_LAGS_PYRAMID = -2 /* newest value; means of the 1 2 4 8 16 32 values before it, one after the other */
};

/** alarms=auto: `alarms_ns` of anomaly_config, with `alarms` 1. For the first 1000 scores the threshold holds (not in
 *  a pool with one record for all keys), then a budget: 1 alarm a day where events have times that move on, else a
 *  share of 1e-4. Once there are scores enough for a rank of that share, a score need not exceed the three largest of
 *  them, so that one outlier does not hide the next; without times the estimate before that leaves them out. */
#define ANOMALY_ALARMS_AUTO (-1)

/** What is judged in place of a value: `transform` of anomaly_config. */
enum anomaly_transform {
    ANOMALY_RAW = 0,   /* values as they come */
    ANOMALY_LOG = 1,   /* log(x), of x > 0: amounts, sizes, durations */
    ANOMALY_LOG1P = 2, /* log(1 + x), of x > -1: counts that may be 0 */
    ANOMALY_SQRT = 3,  /* sqrt(x), of x >= 0: counts of rare things */
    ANOMALY_DIFF = 4,  /* x - the value before: what moves slowly */
    ANOMALY_RATE = 5   /* growth per second of a counter; a smaller value: it began anew at 0 */
};

/** A detector: window, statistics, learning policy and counters for one stream. Opaque. */
typedef struct anomaly_detector anomaly_detector;

/** Why a call refused a configuration or a snapshot; with status OK and a message: a warning. Every return of a call
 *  sets its anomaly_error. `field` is the option's name, or empty. */
typedef struct anomaly_error {
    int32_t status;
    char field[32];
    char message[160];
} anomaly_error;

/** Where memory comes from. `alloc` returns memory aligned as malloc's, or NULL when there is none; `free` gets the
 *  size that was asked for. Both get `ctx`. Once the window has reached its bound, no hot path calls them. */
typedef struct anomaly_allocator {
    void *(*alloc)(void *ctx, size_t bytes);
    void (*free)(void *ctx, void *memory, size_t bytes);
    void *ctx;
} anomaly_allocator;

/** What a detector is to be. Fill it with anomaly_config_init(), then set fields directly or options by name with
 *  anomaly_config_set(). New fields are only ever appended; `struct_size` says which of them the caller knows. The
 *  defaults (-: the option does not apply to the kind; the last columns: what the profiles fast and accurate set):
 *
 *     option         zscore  percentile  iforest   mahalanobis  watch
 *     window         1000    1000        2048      8192         4000
 *     warmup         5       20          64        96           50
 *     threshold      3       0           0         2.5          7.3
 *     compare        ge      gt          ge        ge           ge
 *     side           both    both        -         -            -
 *     include_self   0       0           -         -            -
 *     ddof           1       1           -         -            -
 *     robust         0       -           -         -            -
 *     flat           flag    flag        -         flag         -
 *     min_stddev     0       -           -         -            -
 *     learn          always  always      always    always       always
 *     max_late       window  window      -         -            -
 *     max_jump       off     off         -         -            -
 *     lower          -       1           -         -            -
 *     upper          -       99          -         -            -
 *     quantile       linear  linear      -         -            -
 *     profile        -       -           balanced  -            -       fast  accurate
 *     trees          -       -           128       -            -       48    256
 *     sample         -       -           96        -            -       64    96
 *     depth          -       -           8         -            -       8     10
 *     candidates     -       -           10        -            -       10    16
 *     guided         -       -           0.5       -            -       0.5   0.5
 *     contamination  -       -           0.01      -            -
 *     seed           -       -           1         -            -
 *     alarm_rate     0       0           0         0            0
 *     alarms         off     off         off       off          off
 *     calibrate      10000   10000       10000     10000        10000
 *     transform      none    none        none      none         none
 *     season         off     off         off       off          off
 *     season_offset  0s      0s          0s        0s           0s
 *     rest           off     off         off       off          off
 *     margin         0       0           0         0            0
 *     confirm        1/1     1/1         1/1       1/1          1/1
 *     min_change     0       0           -         -            -
 *     lags           -       -           0         auto         -
 *     silence        off     off         off       off          off
 *     population     0       0           0         0            -
 *     features       1       1           1         1            1
 *     reserve        0       0           0         0            0
 *     simd           auto    auto        auto      auto         auto
 *
 *  A forest's threshold of 0 follows the last scores: `contamination` is the share of events that may reach it. With
 *  contamination 0, and while there are too few scores for the share, the threshold lies well apart from the last
 *  scores (docs/concepts.md). Another threshold holds with contamination 0, and until there are scores enough.
 *
 *  A budget of alarms, alarm_rate or alarms, takes the place of the threshold: the share of the events that may be
 *  flagged under recent behaviour, whatever their scores. An event is not flagged where more events than that share
 *  are equal to it. With rest an episode counts once, by its alarm, unless the episode lasts for more than an eighth
 *  of `calibrate` events: then what lasts becomes usual.
 *
 *  Pools only: population=1 judges a key that warms up by one more detector, which sees the events of all keys;
 *  calibrate=pool keeps one record of scores for all keys, so alarm_rate and alarms are budgets of the whole pool. A
 *  detector alone has no population, and a record of its own.
 *
 *  A watch takes one value an event and at least 256 events in its window. With `lags` k mahalanobis takes features
 *  times k up to 128, a forest up to 4096, whose trees then begin with the 16th event that has k - 1 before it. */
typedef struct anomaly_config {
    size_t struct_size;
    int32_t kind;           /* enum anomaly_kind */
    uint32_t features;      /* [features] values per event, 1 .. 4096 */
    uint64_t window_events; /* [window] at most so many events, to 2^30; 0: bounded by time alone (at most 65536) */
    int64_t window_ns;      /* [window] no event older than the newest by more than this; 0: not bounded by time */
    uint64_t warmup_events; /* [warmup] values in the window before the detector judges, 1 .. 2^30 */
    double threshold;       /* [threshold] score from which an event is anomalous; finite */
    int32_t compare;        /* [compare] enum anomaly_compare: score >= threshold, or score > threshold */
    int32_t side;           /* [side] enum anomaly_side: which deviations count */
    int32_t include_self;   /* [include_self] 1: learn the event first, then judge it in its own window */
    int32_t ddof;           /* [ddof] the divisor of the variance is n - ddof; 0 or 1 */
    int32_t robust;         /* [robust] 1: median and MAD * 1.4826; if MAD is 0: mean absolute deviation * 1.253314 */
    int32_t flat;           /* [flat] enum anomaly_flat: is another value after a window without spread anomalous? */
    double min_stddev;      /* [min_stddev] a smaller spread counts as this one; from 0 */
    int32_t learn;          /* [learn] enum anomaly_learning */
    uint32_t learn_after;   /* [learn] K of normal:K: of flagged events in a row, learn from the K-th on; 0: none */
    int64_t max_late_ns;    /* [max_late] time windows: how late an event may be, to be learned; -1: the whole window */
    int64_t max_jump_ns;    /* [max_jump] time windows: how far ahead of the newest an event may be; 0: any */
    double lower_percent;   /* [lower] the lower bound's percentile, 0 .. 100 */
    double upper_percent;   /* [upper] the upper bound's percentile, above the lower one, to 100 */
    int32_t quantile;       /* [quantile] enum anomaly_interpolation. With robust: for anomaly_quantile() only */
    int32_t reserve;        /* [reserve] 1: allocate the full window at create; no later call fails for memory */
    int32_t simd;           /* [simd] enum anomaly_simd: force a code path (tests); every path gives the same bits */
    int32_t profile;        /* [profile] enum anomaly_profile; set by name it sets the next five fields */
    uint32_t trees;         /* [trees] 1 .. 1024 */
    uint32_t sample;        /* [sample] events a tree is grown from, 2 .. 16384, at most the window */
    uint32_t depth;         /* [depth] deepest level of a leaf, 1 .. 32 */
    uint32_t candidates;    /* [candidates] random cuts of which a guided cut is the best, 1 .. 16 */
    double guided;          /* [guided] share of the cuts that are guided, 0 .. 1; the others are random */
    double contamination;   /* [contamination] flag at most this share of events, to 0.5; 0: flag those well apart */
    uint64_t seed;          /* [seed] same seed and same events, same bits */
    double alarm_rate;      /* [alarm_rate] share of events to be flagged, an episode once; 0 .. 0.5; 0: by threshold */
    double alarms;          /* [alarms] so many events may be flagged, an episode of `rest` once, in ... */
    int64_t alarms_ns;      /* [alarms] ... so much time; 0: by threshold; ANOMALY_ALARMS_AUTO */
    uint64_t calibrate;     /* [calibrate] last scores that alarm_rate and alarms are measured by, 128 .. 2^24 */
    int32_t transform;      /* [transform] enum anomaly_transform: what is judged in place of a value */
    uint32_t confirm;       /* [confirm] K of K/M: so many of the last M events are odd before there is an alarm */
    uint32_t confirm_of;    /* [confirm] M, 1 .. 64 */
    int32_t population;     /* [population] pools: 1: a key that warms up is judged by the events of all keys */
    int64_t season_ns;      /* [season] values are judged beside those of the same time of this period; 0: not */
    int64_t second_ns;      /* [season] ... and of this longer one, a multiple of the first; 0: none */
    int64_t offset_ns;      /* [season_offset] added to the times for the seasons: the time zone's */
    uint64_t rest_events;   /* [rest] after an alarm no other before so many events have come without an odd one */
    int64_t rest_ns;        /* [rest] ... or so much time has passed */
    double margin;          /* [margin] but a score larger than that of the alarm by this much; 0: none */
    double min_change;      /* [min_change] an odd value nearer to the expected one than this is no alarm, */
    double min_percent;     /* [min_change] or nearer than so many percent of the expected value */
    int32_t lags;           /* [lags] enum anomaly_lags, or the k newest values of each feature, to 4096; 0 as 1 */
    int32_t calibrate_by;   /* [calibrate] enum anomaly_calibrate_by: in a pool, scores of each key or of all keys */
    double silence;         /* [silence] a factor of the longest usual interval, from 1; 0: not asked */
    int64_t silence_ns;     /* [silence] ... or so many false reports in so much time; 0: it is a factor */
} anomaly_config;

/** The verdict on one event. A larger score is stranger. The scale of the score:
 *
 *     kind         0               1                            default threshold     least            largest
 *     z-score      x is expected   one standard deviation off   3 (ge)                0                infinity
 *     percentile   x on a bound    outside by upper - lower     0 (gt: x is outside)  -0.5 (midway)    infinity
 *     forest       -               x is infinite                follows the scores    above 0          1
 *     mahalanobis  x is the mean   as far off as usual          2.5 (ge)              0                infinity
 *     watch        most usual      10 times as rare             7.3 (ge)              0                infinity (x is)
 *
 *  A forest gives a typical event 0.5, and every event as long as it has no trees. With one side watched, z-score and
 *  percentile give signed scores, larger towards that side, down to -infinity. The infinite scores of these two and
 *  of mahalanobis: x is infinite, or differs from a window without spread. NaN scores: every feature is NaN, or the
 *  window holds no value, or for a plain z-score no more than ddof values, or for mahalanobis too few for a
 *  covariance.
 *  Other fields are NaN where they are not defined. */
typedef struct anomaly_verdict {
    double score;
    double threshold; /* what the score was compared with */
    double expected;  /* z-score: mean; robust: median; percentile: median by `quantile`; watch: this hour's */
    double lower;     /* z-score: expected - threshold * spread; percentile: lower percentile; others: NaN */
    double upper;     /* the bound on the other side. A bound is infinite where its side is not watched */
    uint32_t flags;   /* enum anomaly_flag */
    uint32_t feature; /* 0 .. features-1: of the largest score among those that can be judged, else among all */
    uint64_t events;  /* values of that feature in the window that the verdict rests on */
    double tail;      /* with alarm_rate or alarms: the chance of such a score or a larger one; else NaN */
} anomaly_verdict;

/** Rows in: `count` events. Either `values`: feature f of row i lies at (char *)values + i*row_stride +
 *  f*feature_stride; or `columns` (then `values` is not read): column f starts at columns[f], its rows row_stride
 *  apart. Strides may be negative; 0 means packed (row_stride: features*8 for `values`, 8 for `columns`;
 *  feature_stride: 8; time_stride: 8). `times` NULL: no row has a time. With count 0 all pointers may be NULL. */
typedef struct anomaly_rows {
    size_t count;
    const double *values;
    ptrdiff_t row_stride;
    ptrdiff_t feature_stride;
    const double *const *columns;
    const int64_t *times;
    ptrdiff_t time_stride;
} anomaly_rows;

/** Verdicts out: a packed array of `count` for each field of anomaly_verdict; NULL where not wanted. */
typedef struct anomaly_verdicts {
    double *score;
    double *threshold;
    double *expected;
    double *lower;
    double *upper;
    uint32_t *flags;
    uint32_t *feature;
    uint64_t *events;
    double *tail;
} anomaly_verdicts;

/** Statistics of one feature over the window as it stands. With count 0 the doubles are NaN. So are min and max of
 *  mahalanobis, whose window is totals: seven blocks or more of eight of its events. */
typedef struct anomaly_stats {
    uint64_t count;
    double mean;
    double variance; /* divisor count - ddof; NaN while that is not positive; may overflow where stddev does not */
    double stddev;
    double min;
    double max;
} anomaly_stats;

/** How often each thing has happened since create or reset. Update counts in every counter that applies; learn in
 *  `learned`, `missing`, `nonfinite`, `late`, `jumped` and `skipped`; score in none. */
typedef struct anomaly_counts {
    uint64_t events;        /* updates */
    uint64_t anomalies;     /* ... that were anomalous */
    uint64_t learned;       /* events taken into the window */
    uint64_t warming_up;    /* updates not judged because the window held too few events */
    uint64_t missing;       /* events with a NaN */
    uint64_t nonfinite;     /* events with an infinity */
    uint64_t late;          /* events too late to be learned */
    uint64_t jumped;        /* events too far ahead to be learned */
    uint64_t flat;          /* updates whose score was infinite because the window had no spread */
    uint64_t skipped;       /* flagged events kept out of the window by the learning policy */
    uint64_t truncated;     /* updates judged against a time window that its count bound had cut */
    uint64_t untransformed; /* events with a value that has no transform */
    uint64_t alarms;        /* updates that were alarms; 0 without rest, confirm and min_change */
    uint64_t held;          /* updates that were anomalous and no alarm, for one of these: */
    uint64_t unconfirmed;   /* ... held by confirm; */
    uint64_t small_change;  /* ... held by min_change; the others by rest */
} anomaly_counts;

/** When the next event of a detector is due, as anomaly_overdue() tells it. */
typedef struct anomaly_silence {
    int64_t last_ns;    /* the newest event, of those until now */
    int64_t usual_ns;   /* the usual interval between two events: the median of the last 63 at most */
    int64_t due_ns;     /* when the silence is long enough to tell somebody of it */
    int64_t overdue_ns; /* now - due_ns, at most INT64_MAX; 0: that time has not come */
} anomaly_silence;

/** One row of the table of options: what anomaly_config_set() takes. */
typedef struct anomaly_option {
    const char *name;
    const char *values; /* the values that the option takes, in words */
    const char *help;
    uint32_t kinds; /* bit 1 << kind: the option applies to that kind; ignore bits of unknown kinds */
} anomaly_option;

/** One row of the table of kinds. */
typedef struct anomaly_kind_info {
    int32_t kind;     /* enum anomaly_kind */
    uint32_t offers;  /* enum anomaly_offer */
    const char *name; /* as the programs and bindings take it: "zscore" */
    const char *help;
} anomaly_kind_info;

/** Returns the version of the library at run time: MAJOR * 10000 + MINOR * 100 + PATCH. */
ANOMALY_API int anomaly_version(void);

/** Puts a status into words, e.g. "out of memory". Never NULL, whatever the number. */
ANOMALY_API const char *anomaly_status_text(int status);

/* ---- configuration ---- */

/** Returns the index-th kind of detector, NULL past the last: for lists of kinds, and to find a kind by its name. */
ANOMALY_API const anomaly_kind_info *anomaly_kind_at(size_t index);

/** Returns the index-th option, NULL past the last. */
ANOMALY_API const anomaly_option *anomaly_option_at(size_t index);

/** Fills in the defaults of a kind, as in the table. `struct_size` is sizeof(anomaly_config) as the caller compiled
 *  it; E_VERSION where the library knows only a smaller struct. Answers E_ARG, E_VERSION, E_KIND. */
ANOMALY_API int anomaly_config_init(anomaly_config *config, size_t struct_size, int kind);

/** Sets one option from text: ("window", "300s,5000"). Times take ns us ms s m h d, e.g. "90s", "1.5h"; also sec min
 *  hour day and the like, in full, in the plural and after a blank: "5min", "1 hour", "2 days". Numbers use a point in
 *  every locale. `error` NULL: not wanted; for an unknown option it names the nearest of this kind.
 *  Answers E_ARG, E_CONFIG. */
ANOMALY_API int anomaly_config_set(anomaly_config *config, const char *name, const char *text, anomaly_error *error);

/** Writes the present value of an option as the text that anomaly_config_set() takes, with a final NUL, into `size`
 *  bytes (64 are always enough). E_NOTFOUND for an unknown name, E_CONFIG where the configuration is not valid.
 *  Answers E_ARG, E_NOTFOUND, E_CONFIG, E_SPACE. */
ANOMALY_API int anomaly_config_get(const anomaly_config *config, const char *name, char *text, size_t size);

/** Tells whether events need times (1) or may do without (0). They do where the window is one of time, and for season,
 *  alarms (but not auto), rest by time, silence and transform=rate. 0 for a configuration that is refused. */
ANOMALY_API int anomaly_needs_times(const anomaly_config *config);

/** Computes the bytes that a detector takes from the allocator when its window is full (with reserve=1: at once).
 *  E_CONFIG, here and where detectors and pools are created, also for more bytes than a program on this kind of
 *  machine can have (4 GiB with 32 bits). Answers E_ARG, E_VERSION, E_CONFIG. */
ANOMALY_API int anomaly_memory_needed(const anomaly_config *config, size_t *bytes);

/* ---- a detector's life ---- */

/** Creates a detector. `allocator` NULL: malloc and free. `error` NULL: not wanted; with ANOMALY_OK its message is
 *  empty or a warning, e.g. "cannot flag before 11 samples". Answers E_ARG, E_VERSION, E_CONFIG, E_NOMEM. */
ANOMALY_API int anomaly_create(const anomaly_config *config, const anomaly_allocator *allocator, anomaly_detector **detector,
                               anomaly_error *error);

/** Frees the detector. NULL: does nothing. */
ANOMALY_API void anomaly_destroy(anomaly_detector *detector);

/** Forgets every event, clock and counter; keeps configuration, threshold and memory. NULL: does nothing. */
ANOMALY_API void anomaly_reset(anomaly_detector *detector);

/** Sets a new threshold from the next event on and keeps the window. A forest's threshold then follows the scores no
 *  more. E_ARG unless finite, and for a forest not 0; E_NOMEM only for a key of a pool. Answers E_ARG, E_NOMEM. */
ANOMALY_API int anomaly_set_threshold(anomaly_detector *detector, double threshold);

/** Allocates the full window now, as reserve=1 does at create. Answers E_ARG, E_NOMEM. */
ANOMALY_API int anomaly_reserve(anomaly_detector *detector);

/** Copies the configuration and threshold in force. `struct_size` as in anomaly_config_init().
 *  Answers E_ARG, E_VERSION. */
ANOMALY_API int anomaly_get_config(const anomaly_detector *detector, anomaly_config *config, size_t struct_size);

/* ---- events; x: `features` doubles; verdict NULL: not wanted; E_ARG for ANOMALY_NO_TIME in a time window ---- */

/** Judges the event against the window without it, then learns it: exactly advance(t), but not for a jumped event,
 *  score(x, t), learn(x, t). With include_self: advance, learn, score. Forest: the threshold follows the scores of
 *  updates. E_NOMEM only while the window still grows. Answers E_ARG, E_NOMEM. */
ANOMALY_API int anomaly_update(anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *verdict);

/** Judges an event against the window as it stands and changes nothing. Answers E_ARG. */
ANOMALY_API int anomaly_score(const anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *verdict);

/** Learns an event: moves the clock, forgets what has become too old, and takes the event into the window if lateness,
 *  jump and learning policy allow that. Answers E_ARG, E_NOMEM. */
ANOMALY_API int anomaly_learn(anomaly_detector *detector, const double *x, int64_t t_ns);

/** Forest: grows every tree anew from the present window, e.g. after anomaly_learn_rows() of a training set (a batch
 *  fit). Other kinds: does nothing. Cost: trees * sample * depth steps. Answers E_ARG, E_NOMEM. */
ANOMALY_API int anomaly_rebuild(anomaly_detector *detector);

/** Moves the clock of a time window without an event, whatever `max_jump` says, and forgets what is older than the
 *  window. An older time changes nothing, nor does any time in a window by count. ANOMALY_NO_TIME is E_ARG.
 *  Answers E_ARG. */
ANOMALY_API int anomaly_advance(anomaly_detector *detector, int64_t t_ns);

/* ---- many events: verdicts and state are, bit for bit, those of a loop over the call; `verdicts` may be NULL ---- */

/** Calls anomaly_update() for each row until one fails. Answers E_ARG, E_NOMEM. */
ANOMALY_API int anomaly_update_rows(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                                    size_t *done);

/** Calls anomaly_score() for each row until one fails. Answers E_ARG. */
ANOMALY_API int anomaly_score_rows(const anomaly_detector *detector, const anomaly_rows *rows,
                                   const anomaly_verdicts *verdicts, size_t *done);

/** Calls anomaly_learn() for each row until one fails. Answers E_ARG, E_NOMEM. */
ANOMALY_API int anomaly_learn_rows(anomaly_detector *detector, const anomaly_rows *rows, size_t *done);

/* ---- questions ---- */

/** Computes the statistics of a feature over the window. With transform or season they are of what the kind sees:
 *  logarithms, spreads from what is usual at the hour. Cost: a pass over the window. Answers E_ARG. */
ANOMALY_API int anomaly_window_stats(const anomaly_detector *detector, uint32_t feature, anomaly_stats *stats);

/** Finds the exact q-quantile, 0 <= q <= 1, of a feature over the window, by the option `quantile`; with transform or
 *  season of what the kind sees. Cost: the square root of the window. E_KIND: all kinds but percentile and the robust
 *  z-score. E_EMPTY: no value. Answers E_ARG, E_KIND, E_EMPTY. */
ANOMALY_API int anomaly_quantile(const anomaly_detector *detector, uint32_t feature, double q, double *value);

/** Forest: writes each feature's share of the score of event x to contribution[features]: by how much the feature
 *  alone shortens the paths; what only several features do together is shared by the paths of this event. The shares
 *  sum to score - 0.5 (within 1e-7) and have its sign. The method is the library's own: docs/methods.md. Cost: a pass
 *  over all trees, some hundred scores; with many features the largest share may be another one than the verdict's
 *  cheaper `feature`. Mahalanobis: each feature's share in proportion to what the squared distance would lose were its
 *  values as the others say; the shares sum to the score. With transform the shares are of what the kind sees of x.
 *  E_KIND for other kinds, and with season or transform=rate, where a score needs a time; E_EMPTY before there is
 *  something to explain by. Answers E_ARG, E_KIND, E_EMPTY. */
ANOMALY_API int anomaly_explain(const anomaly_detector *detector, const double *x, double *contribution);

/** With `silence`: tells when the detector's next event is or was due, by the times of its last events: flagged ones
 *  and missing values count, late and jumped ones do not. now_ns is a time of the events' own clock; later events are
 *  not looked at. E_CONFIG: silence is off. E_EMPTY: fewer than nine events of different times.
 *  Answers E_ARG, E_CONFIG, E_EMPTY. */
ANOMALY_API int anomaly_overdue(const anomaly_detector *detector, int64_t now_ns, anomaly_silence *silence);

/** Copies the counters. Answers E_ARG. */
ANOMALY_API int anomaly_counters(const anomaly_detector *detector, anomaly_counts *counts);

/* ---- snapshots: versioned, checksummed, the same on every machine; docs/snapshot-format.md ---- */

/** Takes the next `size` bytes. Returns 0 to go on; else the answer is E_STOPPED. */
typedef int (*anomaly_sink)(void *ctx, const void *bytes, size_t size);

/** Counts the bytes that anomaly_snapshot() will write for the detector as it is. Answers E_ARG. */
ANOMALY_API int anomaly_snapshot_size(const anomaly_detector *detector, size_t *size);

/** Writes the detector into `buffer` of `size` bytes: configuration (but `simd`), window, clock, counters and, for a
 *  forest, the trees. E_SPACE: nothing is written. Answers E_ARG, E_SPACE. */
ANOMALY_API int anomaly_snapshot(const anomaly_detector *detector, void *buffer, size_t size, size_t *used);

/** Hands the bytes of anomaly_snapshot() to a callback, in pieces; allocates nothing. Answers E_ARG, E_STOPPED. */
ANOMALY_API int anomaly_snapshot_write(const anomaly_detector *detector, anomaly_sink sink, void *ctx);

/** Makes a new detector that goes on where the saved one stood, bit for bit. Any bytes are safe to give. The detector
 *  takes memory for the events in the snapshot, whatever `reserve` says: anomaly_reserve() takes the rest.
 *  `allocator`, `error`: as in anomaly_create(). Answers E_ARG, E_CORRUPT, E_VERSION, E_NOMEM. */
ANOMALY_API int anomaly_restore(const void *bytes, size_t size, const anomaly_allocator *allocator,
                                anomaly_detector **detector, anomaly_error *error);

/* ---- pools: one configuration, a detector for each key ----
 *
 * A key is 1 .. 65535 bytes of any kind. The pool makes the key's detector when the key is first used, and keeps it
 * until the key is removed or evicted. A slot is a short name for a key of this pool; once the key is gone, its slot
 * is E_NOTFOUND for good, whatever key comes later.
 *
 * A key is used by an update, by anomaly_pool_with() and by an import; a look-up is no use. The time of a key, which
 * says whether the key is idle, is the clock of its detector when the key was last used; where the window is by count
 * only, it is the newest time that an update gave.
 *
 * Callbacks (`visit`, `use`, `evicting`) run under the lock of their key's shard and must not call this pool. */

/** Detectors by key. Opaque. */
typedef struct anomaly_pool anomaly_pool;

/** Sees a key and its detector, which may be read during this call only. Returns 0 to go on. */
typedef int (*anomaly_visit)(void *ctx, uint64_t slot, const void *key, size_t key_size, const anomaly_detector *detector);

/** Works on the detector of a key, during this call only, by any call but anomaly_destroy(). Where the pool's
 *  `max_bytes` is reached those calls answer E_NOMEM. */
typedef int (*anomaly_use)(void *ctx, anomaly_detector *detector);

/** Writes up to `size` further bytes and sets *got to their number, 0 at the end. Returns 0; else the answer is
 *  E_STOPPED. */
typedef int (*anomaly_source)(void *ctx, void *bytes, size_t size, size_t *got);

/** What a pool is to be. Fill it with anomaly_pool_options_init(), then set fields. New fields are only ever appended.
 *  The shards divide the limits evenly, so one of many shards may evict a little before the whole pool is full. */
typedef struct anomaly_pool_options {
    size_t struct_size;
    uint64_t max_keys;   /* 0 (default): any number; else at least one a shard */
    uint64_t max_bytes;  /* all memory taken from the allocator; 0 (default): any; else at least 64 KiB a shard */
    int64_t max_idle_ns; /* making a key first evicts a few keys whose time is older than the newest by more; 0: none */
    int32_t refuse;      /* at max_keys or max_bytes: 0 (default) evicts the least recently used keys, 1: E_FULL */
    int32_t locks;       /* 1 (default; 0 in a build without threads): safe for threads; 0: the caller sees to that */
    uint32_t shards;     /* parts with a lock each, a power of two up to 256; 0 (default): 64 with locks, 1 without */
    uint64_t hash_seed;  /* a secret number, where strangers choose the keys: they cannot prepare keys that collide */
    void (*evicting)(void *ctx, const void *key, size_t key_size,
                     const anomaly_detector *detector); /* called before a key is evicted; NULL (default): nobody */
    void *evicting_ctx;
} anomaly_pool_options;

/** What a pool holds, as anomaly_pool_usage() tells it. */
typedef struct anomaly_usage {
    uint64_t keys;
    uint64_t bytes;   /* taken from the allocator */
    uint64_t created; /* keys made since create or restore, the restored ones included */
    uint64_t removed; /* keys of these removed by anomaly_pool_remove() */
    uint64_t evicted; /* keys of these evicted */
} anomaly_usage;

/** The keys of rows: `slots`, or (slots NULL) `keys` of `sizes` bytes each; sizes NULL: each key ends with a NUL. */
typedef struct anomaly_keys {
    const uint64_t *slots;
    const char *const *keys;
    const size_t *sizes;
} anomaly_keys;

/** Computes XXH64 (Collet) of the key with seed 0, for ever the same: `hash % n` can route keys to n processes. */
ANOMALY_API uint64_t anomaly_key_hash(const void *key, size_t key_size);

/** Fills in the defaults. `struct_size` is sizeof(anomaly_pool_options) as compiled. Answers E_ARG, E_VERSION. */
ANOMALY_API int anomaly_pool_options_init(anomaly_pool_options *options, size_t struct_size);

/** Creates an empty pool. `options` NULL: the defaults; `allocator`, `error`: as in anomaly_create().
 *  Answers E_ARG, E_VERSION, E_CONFIG, E_NOMEM. */
ANOMALY_API int anomaly_pool_create(const anomaly_config *config, const anomaly_pool_options *options,
                                    const anomaly_allocator *allocator, anomaly_pool **pool, anomaly_error *error);

/** Frees the pool and every detector in it. NULL: does nothing. */
ANOMALY_API void anomaly_pool_destroy(anomaly_pool *pool);

/** Finds the slot of a key, and makes the key if it is new. Answers E_ARG, E_NOMEM, E_FULL. */
ANOMALY_API int anomaly_pool_slot(anomaly_pool *pool, const void *key, size_t key_size, uint64_t *slot);

/** Finds the slot of a key, which must be there. Answers E_ARG, E_NOTFOUND. */
ANOMALY_API int anomaly_pool_find(const anomaly_pool *pool, const void *key, size_t key_size, uint64_t *slot);

/** Does anomaly_update() for a key, and makes the key if it is new. Where memory or a limit runs out, other keys may
 *  have been evicted, but this one is as it was. Answers E_ARG, E_NOMEM, E_FULL. */
ANOMALY_API int anomaly_pool_update(anomaly_pool *pool, const void *key, size_t key_size, const double *x, int64_t t_ns,
                                    anomaly_verdict *verdict);

/** Does anomaly_pool_update() for a slot. Answers E_ARG, E_NOTFOUND, E_NOMEM, E_FULL. */
ANOMALY_API int anomaly_pool_update_at(anomaly_pool *pool, uint64_t slot, const double *x, int64_t t_ns,
                                       anomaly_verdict *verdict);

/** Does anomaly_pool_update() or anomaly_pool_update_at() for each row, in order; `verdicts` may be NULL.
 *  Answers E_ARG, E_NOTFOUND, E_NOMEM, E_FULL. */
ANOMALY_API int anomaly_pool_update_rows(anomaly_pool *pool, const anomaly_keys *keys, const anomaly_rows *rows,
                                         const anomaly_verdicts *verdicts, size_t *done);

/** Does anomaly_advance() for every key. Answers E_ARG. */
ANOMALY_API int anomaly_pool_advance(anomaly_pool *pool, int64_t t_ns);

/** Calls `use` with one key's detector, for calls that pools lack; returns what `use` returned.
 *  Answers E_ARG, E_NOTFOUND. */
ANOMALY_API int anomaly_pool_with(anomaly_pool *pool, uint64_t slot, anomaly_use use, void *ctx);

/** Does anomaly_set_threshold() for every key, present and future. Answers E_ARG. */
ANOMALY_API int anomaly_pool_set_threshold(anomaly_pool *pool, double threshold);

/** Copies the configuration of new keys. `struct_size` as in anomaly_config_init(). Answers E_ARG, E_VERSION. */
ANOMALY_API int anomaly_pool_get_config(const anomaly_pool *pool, anomaly_config *config, size_t struct_size);

/** Visits every key, in no particular order, until `visit` returns other than 0. Answers E_ARG, E_STOPPED. */
ANOMALY_API int anomaly_pool_each(const anomaly_pool *pool, anomaly_visit visit, void *ctx);

/** Visits every key that is overdue at now_ns, in no particular order, until `visit` returns other than 0; there
 *  anomaly_overdue() tells more. A key is visited as long as it is silent: who wants to be told once remembers its
 *  last_ns. Cost: a pass over the keys. E_CONFIG: silence is off. Answers E_ARG, E_CONFIG, E_STOPPED. */
ANOMALY_API int anomaly_pool_overdue(const anomaly_pool *pool, int64_t now_ns, anomaly_visit visit, void *ctx);

/** Counts the keys. NULL: 0. */
ANOMALY_API uint64_t anomaly_pool_count(const anomaly_pool *pool);

/** Tells what the pool holds. Answers E_ARG. */
ANOMALY_API int anomaly_pool_usage(const anomaly_pool *pool, anomaly_usage *usage);

/** Adds up anomaly_counters() over all keys, gone ones included. Cost: a pass over the keys. Answers E_ARG. */
ANOMALY_API int anomaly_pool_counters(const anomaly_pool *pool, anomaly_counts *counts);

/** Removes a key and its detector. Answers E_ARG, E_NOTFOUND. */
ANOMALY_API int anomaly_pool_remove(anomaly_pool *pool, const void *key, size_t key_size);

/** Evicts the keys whose time is older than `before_ns` (ANOMALY_NO_TIME: none; keys without a time stay), then the
 *  least recently used until at most `keep_keys` are left and at most `keep_bytes` are taken (UINT64_MAX: any). Sets
 *  *evicted (NULL: not wanted) to their number. Cost: a pass over the keys. Answers E_ARG. */
ANOMALY_API int anomaly_pool_evict(anomaly_pool *pool, int64_t before_ns, uint64_t keep_keys, uint64_t keep_bytes,
                                   uint64_t *evicted);

/** Counts the bytes of a snapshot of the pool as it is. Answers E_ARG, E_NOMEM. */
ANOMALY_API int anomaly_pool_snapshot_size(const anomaly_pool *pool, size_t *size);

/** Writes the pool into `buffer` of `size` bytes. Beside other threads, every key is saved as it is at some moment of
 *  the call. On an error the buffer may hold a part. Answers E_ARG, E_SPACE, E_NOMEM. */
ANOMALY_API int anomaly_pool_snapshot(const anomaly_pool *pool, void *buffer, size_t size, size_t *used);

/** Hands the bytes of anomaly_pool_snapshot() to a callback, in pieces of 64 KiB or one key, while it holds no lock.
 *  Answers E_ARG, E_STOPPED, E_NOMEM. */
ANOMALY_API int anomaly_pool_snapshot_write(const anomaly_pool *pool, anomaly_sink sink, void *ctx);

/** Makes a new pool that goes on where the saved one stood. `config` NULL: as saved; else the configuration to go on
 *  with: threshold, side, reserve and simd may differ from the saved ones; any other difference is E_CONFIG. `options`
 *  NULL: limits and shards as saved, with locks. `allocator`, `error`: as in anomaly_create(). Slots of the saved pool
 *  are not slots of the new one. Answers E_ARG, E_CORRUPT, E_VERSION, E_CONFIG, E_NOMEM, E_FULL. */
ANOMALY_API int anomaly_pool_restore(const void *bytes, size_t size, const anomaly_config *config,
                                     const anomaly_pool_options *options, const anomaly_allocator *allocator,
                                     anomaly_pool **pool, anomaly_error *error);

/** Does anomaly_pool_restore() from a callback, which is called (with *got 0) until the snapshot ends and no further.
 *  Answers E_ARG, E_STOPPED, E_CORRUPT, E_VERSION, E_CONFIG, E_NOMEM, E_FULL. */
ANOMALY_API int anomaly_pool_restore_read(anomaly_source source, void *ctx, const anomaly_config *config,
                                          const anomaly_pool_options *options, const anomaly_allocator *allocator,
                                          anomaly_pool **pool, anomaly_error *error);

/** Writes one key's detector into `buffer` of `size` bytes as anomaly_snapshot() does, with the key's own threshold if
 *  it has one. `buffer` NULL: only sets *used, to the size that is needed. Answers E_ARG, E_NOTFOUND, E_SPACE. */
ANOMALY_API int anomaly_pool_export(const anomaly_pool *pool, const void *key, size_t key_size, void *buffer, size_t size,
                                    size_t *used);

/** Makes or replaces a key from a detector's snapshot. Its configuration must be the pool's, but for what may differ
 *  in anomaly_pool_restore(). Without a threshold of its own the key takes the pool's. `error`: as in
 *  anomaly_create(). Answers E_ARG, E_CORRUPT, E_VERSION, E_CONFIG, E_NOMEM, E_FULL. */
ANOMALY_API int anomaly_pool_import(anomaly_pool *pool, const void *key, size_t key_size, const void *bytes, size_t size,
                                    anomaly_error *error);

/* ---- a configuration for data that is there ---- */

/** Why anomaly_suggest() gave an option its value. */
typedef struct anomaly_reason {
    char option[16]; /* its name; "kind": of the kind itself */
    char text[176];
} anomaly_reason;

/** What anomaly_suggest() tells beside the configuration. */
typedef struct anomaly_suggestion {
    size_t struct_size;       /* set it to sizeof(anomaly_suggestion) before the call */
    int32_t whole;            /* 1: too few rows to learn in order: judge each beside all others */
    uint32_t reason_count;    /* ... of `reasons` are there */
    uint32_t strongest_count; /* ... of `strongest` are there */
    uint64_t keys;            /* of the rows; without keys 1 */
    int64_t interval_ns;      /* the usual time between two events of a key; 0: no times, or they stand still */
    uint64_t first;           /* alarms are counted from this row on */
    int64_t span_ns;          /* the time from there to the last row; 0: no times */
    uint64_t alarms;          /* that the proposed configuration would have given there */
    double alarms_a_day;      /* NaN without times */
    uint64_t strongest[10];   /* the rows of the strongest of these alarms, the strongest first, */
    double scores[10];        /* ... and their scores */
    anomaly_reason reasons[10];
} anomaly_suggestion;

/** Proposes a configuration for rows that are there: kind, transform, season, budget of alarms, rest, each with its
 *  reason, and tells which alarms it would have given over the last part of the rows: the last 30 days of 60 or more,
 *  else the last half. `config` is one of anomaly_config_init(), of any kind; its `features` say how many values a
 *  row has, and the proposal takes its place. `keys` NULL: one series; else one configuration for all keys, as most
 *  of 16 long ones have it, and for short ones with population=1. Rows go by time, the oldest first.
 *
 *  It looks at 65536 rows, evenly apart (of each of 16 keys), and at 8 features, evenly too: whether hourly medians
 *  repeat by day or week, whether logarithms lean less to one side, whether values only grow: docs/methods.md. With
 *  fewer than 1000 rows `whole` is 1. Same rows, same answer, on every machine. Cost: n log n steps and an update for
 *  each row. Memory: 3 MB, with keys 16 bytes a row, and the detectors'.
 *
 *  `allocator`, `error`: as in anomaly_create(). E_EMPTY: no rows. Answers E_ARG, E_VERSION, E_EMPTY, E_NOMEM. */
ANOMALY_API int anomaly_suggest(const anomaly_rows *rows, const anomaly_keys *keys, const anomaly_allocator *allocator,
                                anomaly_config *config, anomaly_suggestion *suggestion, anomaly_error *error);

#ifndef ANOMALY_CDEF
#ifdef __cplusplus
}
#endif
#endif
#endif

/* SPDX-License-Identifier: MIT
 * Copyright (c) The libanomaly authors
 *
 * anomaly.h - event by event, is something off?
 *
 * One opaque detector for every method: windowed z-score (plain or robust), windowed percentile and a streaming isolation
 * forest. The method is data in the configuration, the calls are the same for all:
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
 * This header is the reference. Rules that hold for every call unless its text says otherwise:
 *
 * - Errors: a call returns ANOMALY_OK (0) or a negative anomaly_status; its text ends with those that it can answer, without
 *   their ANOMALY_. On any error nothing has changed: neither the detector nor what the out-pointers point at. Nothing is
 *   printed, no call aborts, no call reads a clock or the locale.
 * - Threads: different detectors are independent. Calls that take a `const anomaly_detector *` may run at the same time
 *   from many threads as long as no thread is in a call that takes it without const. The library has no global state.
 * - Time: int64_t nanoseconds on the event's own clock, from any epoch. Where the window is by count only, time is carried
 *   but not needed: pass ANOMALY_NO_TIME.
 * - Pointers are borrowed for the call and never kept, except the allocator's functions and context.
 * - Units stand in the names (`_ns`, `_events`); sizes and strides are bytes where the text says so.
 * - Since: everything here is there since 0.1 unless marked.
 *
 * The concepts (window, warm-up, policies, bounds) are explained in docs/concepts.md, the methods in docs/methods.md.
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

/** The time of an event that has none. ANOMALY_E_ARG where the window is one of time. */
#define ANOMALY_NO_TIME INT64_MIN

/** The method of a detector; `kind` of anomaly_config. */
enum anomaly_kind {
    ANOMALY_ZSCORE = 1,     /* |x - mean| / standard deviation of the window, or with robust=1 |x - median| / (1.4826 MAD) */
    ANOMALY_PERCENTILE = 2, /* outside two exact percentiles of the window */
    ANOMALY_IFOREST = 3     /* isolation forest over the window: events that are quickly separated from the others */
};

/** What a call returns. anomaly_status_text() gives the words. */
enum anomaly_status {
    ANOMALY_OK = 0,
    ANOMALY_E_ARG = -1,      /* a null pointer, a wrong dimension, a missing time, a number out of its range */
    ANOMALY_E_NOMEM = -2,    /* the allocator returned NULL */
    ANOMALY_E_CONFIG = -3,   /* an option's name, value or combination; anomaly_error names it */
    ANOMALY_E_KIND = -4,     /* this kind of detector does not offer that call */
    ANOMALY_E_SPACE = -5,    /* the caller's buffer is too small */
    ANOMALY_E_CORRUPT = -6,  /* a snapshot that is damaged */
    ANOMALY_E_VERSION = -7,  /* a snapshot or a struct of a newer version */
    ANOMALY_E_FULL = -8,     /* a limit that was set is reached */
    ANOMALY_E_NOTFOUND = -9, /* no such thing */
    ANOMALY_E_EMPTY = -10,   /* the window holds nothing to answer from */
    ANOMALY_E_STOPPED = -11  /* the caller's callback did not return 0 */
};

/** Bits of anomaly_verdict.flags. */
enum anomaly_flag {
    ANOMALY_IS_ANOMALY = 0x001, /* the verdict itself */
    ANOMALY_WARMING_UP = 0x002, /* the window holds fewer than `warmup` values, or too few for a spread: never anomalous */
    ANOMALY_MISSING = 0x004,    /* at least one feature was NaN: that one is not judged, not learned; the others are */
    ANOMALY_NONFINITE = 0x008,  /* at least one feature was infinite: anomalous once warm; that one is never learned */
    ANOMALY_LATE = 0x010,       /* older than `max_late` allows: judged, not learned */
    ANOMALY_TRUNCATED = 0x020,  /* the count bound has cut events that the time window would still hold */
    ANOMALY_FLAT = 0x040,       /* the window has no spread and the value differs from it: the score is infinite */
    ANOMALY_ABOVE = 0x080,      /* the value of `feature` lies above the expected value (z-score) or the upper percentile, */
    ANOMALY_BELOW = 0x100,      /* ... below; whichever side is watched */
    ANOMALY_JUMPED = 0x200,     /* more than `max_jump` ahead of the newest event: judged, not learned, clock not moved */
    ANOMALY_NOT_LEARNED = 0x400 /* update only: flagged, and kept out of the window by the learning policy */
};

/* Values of configuration fields. */
enum anomaly_compare { ANOMALY_GE = 0, ANOMALY_GT = 1 };
enum anomaly_side { ANOMALY_BOTH = 0, ANOMALY_UPPER = 1, ANOMALY_LOWER = 2 };
enum anomaly_flat { ANOMALY_FLAT_FLAG = 0, ANOMALY_FLAT_IGNORE = 1 };
enum anomaly_learning { ANOMALY_LEARN_ALWAYS = 0, ANOMALY_LEARN_NORMAL = 1 };
enum anomaly_profile { ANOMALY_FAST = 0, ANOMALY_BALANCED = 1, ANOMALY_ACCURATE = 2 };
enum anomaly_interpolation { ANOMALY_LINEAR = 0, ANOMALY_NEAREST = 1 };
enum anomaly_simd {
    ANOMALY_SIMD_AUTO = 0,
    ANOMALY_SIMD_SCALAR = 1,
    ANOMALY_SIMD_PORTABLE = 2,
    ANOMALY_SIMD_AVX2 = 3,
    ANOMALY_SIMD_AVX512 = 4
};

/** A detector: window, statistics, learning policy and counters for one stream. Opaque. */
typedef struct anomaly_detector anomaly_detector;

/** Why a configuration was refused, or (status OK, message not empty) a warning about it. `field` is the option's name. */
typedef struct anomaly_error {
    int32_t status;
    char field[32];
    char message[160];
} anomaly_error;

/** Where memory comes from. `alloc` returns NULL when there is none; `free` gets the size that was asked for. Both are
 *  called with `ctx`, never from a hot path once the window has reached its bound. Alignment as malloc's. */
typedef struct anomaly_allocator {
    void *(*alloc)(void *ctx, size_t bytes);
    void (*free)(void *ctx, void *memory, size_t bytes);
    void *ctx;
} anomaly_allocator;

/** What a detector is to be. Fill with anomaly_config_init(), then set fields directly or by name with
 *  anomaly_config_set(). New fields are only ever appended; `struct_size` says which the caller knows.
 *  The option names of anomaly_config_set() are in brackets.
 *
 *  A forest's threshold of 0 follows the last scores: `contamination` is the share of events that may reach it; with
 *  contamination 0, and while there are too few scores for the share, it lies well apart from them (docs/concepts.md). Any other
 *  threshold is in force with contamination 0, and until there are scores enough. */
typedef struct anomaly_config {
    size_t struct_size;
    int32_t kind;           /* enum anomaly_kind */
    uint32_t features;      /* [features] values per event, 1 .. 4096; default 1 */
    uint64_t window_events; /* [window] at most so many events, 0 = bounded by time alone (then at most 65536) .. 2^30 */
    int64_t window_ns;      /* [window] events at most so much older than the newest, 0 = not bounded by time */
    uint64_t warmup_events; /* [warmup] events in the window before it judges; z-score 5, percentile 20 */
    double threshold;       /* [threshold] score from which an event is anomalous; z-score 3, percentile and forest 0 */
    int32_t compare;        /* [compare] enum anomaly_compare; z-score ge, percentile gt */
    int32_t side;           /* [side] enum anomaly_side; default both */
    int32_t include_self;   /* [include_self] 1: learn the event first, then judge it in its own window; default 0 */
    int32_t ddof;           /* [ddof] divisor of the variance is n - ddof: 1 (default) or 0 */
    int32_t robust;         /* [robust] z-score: 1 = median and MAD * 1.4826; MAD 0: mean absolute deviation * 1.253314 */
    int32_t flat;           /* [flat] enum anomaly_flat; default flag */
    double min_stddev;      /* [min_stddev] z-score: a smaller spread counts as this one, in the unit of the values; 0 */
    int32_t learn;          /* [learn] enum anomaly_learning; default always */
    uint32_t learn_after;   /* [learn] K of normal:K: the K-th flagged in a row and those after it are learned; 0 = never */
    int64_t max_late_ns;    /* [max_late] time windows: how late an event takes its place, at most the window; -1: that */
    int64_t max_jump_ns;    /* [max_jump] time windows: how far ahead of the newest an event may be; 0 (default) = any */
    double lower_percent;   /* [lower] percentile: lower bound, 0 .. 100; default 1 */
    double upper_percent;   /* [upper] percentile: upper bound, 0 .. 100; default 99 */
    int32_t quantile;       /* [quantile] enum anomaly_interpolation; default linear. Robust: for anomaly_quantile() only */
    int32_t reserve;        /* [reserve] 1: allocate the full window at create, so that no later call can fail for memory */
    int32_t simd;           /* [simd] enum anomaly_simd: force a code path (tests); every path gives the same bits */
    int32_t profile;        /* [profile] forest: enum anomaly_profile; setting it by name sets trees, sample, depth, cuts */
    uint32_t trees;         /* [trees] forest: 1 .. 1024 */
    uint32_t sample;        /* [sample] forest: events a tree is grown from, 2 .. 16384 */
    uint32_t depth;         /* [depth] forest: deepest level of a leaf, 1 .. 32 */
    uint32_t candidates;    /* [candidates] forest: random cuts of which a guided cut takes the best, 1 .. 16 */
    double guided;          /* [guided] forest: share of the cuts that are guided, 0 .. 1; the others are random */
    double contamination;   /* [contamination] forest: share of events flagged, at most; 0: those apart; default 0.01 */
    uint64_t seed;          /* [seed] forest: same seed and stream, same bits; default 1 */
} anomaly_config;

/** One event's verdict. Doubles are NaN where undefined (warming up, missing). */
typedef struct anomaly_verdict {
    double score;     /* larger is stranger; z-score: |x-mean|/std, one-sided: signed towards the watched side;
                         percentile: distance outside the bounds over their distance, negative inside */
    double threshold; /* the threshold it was compared with */
    double expected;  /* mean (z-score) or median (robust; percentile: by `quantile`) of the feature */
    double lower;   /* z-score: expected -+ threshold * spread; percentile: the two percentiles; infinite where that side */
    double upper;   /* is not watched */
    uint32_t flags; /* enum anomaly_flag */
    uint32_t feature; /* the feature with the largest score, 0 .. features-1, of those that can be judged if there are any */
    uint64_t events;  /* values of that feature that the verdict rests on */
} anomaly_verdict;

/** Rows in: `count` events. Either `values`: feature f of row i lies at (char *)values + i*row_stride + f*feature_stride;
 *  or `columns` (then `values` is NULL): column f starts at columns[f], its rows row_stride apart. Strides are bytes and may
 *  be negative; 0 means packed (row_stride: features*8 for `values`, 8 for `columns`; feature_stride: 8). Doubles need not be
 *  aligned. `times` (NULL = none) has time_stride bytes between rows, 0 = 8. */
typedef struct anomaly_rows {
    size_t count;
    const double *values;
    ptrdiff_t row_stride;
    ptrdiff_t feature_stride;
    const double *const *columns;
    const int64_t *times;
    ptrdiff_t time_stride;
} anomaly_rows;

/** Verdicts out, one packed array of `count` per field of anomaly_verdict; NULL where not wanted. */
typedef struct anomaly_verdicts {
    double *score;
    double *threshold;
    double *expected;
    double *lower;
    double *upper;
    uint32_t *flags;
    uint32_t *feature;
    uint64_t *events;
} anomaly_verdicts;

/** Statistics of one feature over the window as it stands. With count 0 the doubles are NaN. */
typedef struct anomaly_stats {
    uint64_t count;
    double mean;
    double
        variance; /* divisor count - ddof; NaN while that is not positive; may overflow to infinity where stddev does not */
    double stddev;
    double min;
    double max;
} anomaly_stats;

/** How often what has happened since create or reset. Each row of update counts in `events` and in any others that apply;
 *  learn counts in `learned`, `missing`, `nonfinite`, `late`, `jumped` and `skipped`; score counts nowhere. */
typedef struct anomaly_counts {
    uint64_t events;     /* updates */
    uint64_t anomalies;  /* ... that were anomalous */
    uint64_t learned;    /* events taken into the window */
    uint64_t warming_up; /* updates not judged because the window held too few events */
    uint64_t missing;    /* events with a NaN */
    uint64_t nonfinite;  /* events with an infinity */
    uint64_t late;       /* events too late to be learned */
    uint64_t jumped;     /* events too far ahead to be learned */
    uint64_t flat;       /* updates whose score was infinite because the window had no spread */
    uint64_t skipped;    /* flagged events kept out of the window by the learning policy */
    uint64_t truncated;  /* updates judged against a time window that its count bound had cut */
} anomaly_counts;

/** One row of the table of options: what anomaly_config_set() takes. Constant text, never freed. */
typedef struct anomaly_option {
    const char *name;
    const char *values; /* what it takes, in words */
    const char *help;
    uint32_t kinds; /* bit 1 << kind is set for the kinds it applies to */
} anomaly_option;

/** Version of the library at run time: MAJOR * 10000 + MINOR * 100 + PATCH. Thread-safe. */
ANOMALY_API int anomaly_version(void);

/** A status in words, e.g. "out of memory". Constant text; never NULL. Thread-safe. */
ANOMALY_API const char *anomaly_status_text(int status);

/* ---- configuration ---- */

/** The index-th option, NULL past the last. Thread-safe. */
ANOMALY_API const anomaly_option *anomaly_option_at(size_t index);

/** Defaults for a kind. `struct_size` is sizeof(anomaly_config) as the caller compiled it; E_VERSION where that is larger than the
 *  library knows. Answers E_ARG, E_VERSION, E_KIND. */
ANOMALY_API int anomaly_config_init(anomaly_config *config, size_t struct_size, int kind);

/** Sets one option from text: ("window", "300s,5000"). Times take ns us ms s m h d, e.g. "90s", "1.5h"; also sec min hour day and
 *  the like, in full, in the plural and after a blank: "5min", "1 hour", "2 days". Numbers use a point whatever the locale.
 *  E_CONFIG with the reason in *error (NULL: not wanted), which for an unknown option names the nearest known one of this kind,
 *  and the config unchanged.
 *  Answers E_ARG, E_CONFIG. */
ANOMALY_API int anomaly_config_set(anomaly_config *config, const char *name, const char *text, anomaly_error *error);

/** The option's present value as the text that anomaly_config_set() takes, with a final NUL. E_SPACE if it does not fit in
 *  `size` bytes (64 always do), E_NOTFOUND for an unknown name, E_CONFIG where the configuration is not valid.
 *  Answers E_ARG, E_NOTFOUND, E_CONFIG, E_SPACE. */
ANOMALY_API int anomaly_config_get(const anomaly_config *config, const char *name, char *text, size_t size);

/** Bytes a detector of this configuration takes from the allocator when its window is full (at once, with reserve=1).
 *  E_CONFIG, here and where detectors and pools are created, also if no program on this kind of machine can have so many: with
 *  32 bits that is 4 GiB. Answers E_ARG, E_VERSION, E_CONFIG. */
ANOMALY_API int anomaly_memory_needed(const anomaly_config *config, size_t *bytes);

/* ---- a detector's life ---- */

/** Creates a detector. `allocator` NULL: malloc and free. `error` NULL: not wanted; with ANOMALY_OK its message is empty or
 *  a warning, e.g. "cannot flag before 11 samples". The caller ends it with anomaly_destroy().
 *  Answers E_ARG, E_VERSION, E_CONFIG, E_NOMEM. */
ANOMALY_API int anomaly_create(const anomaly_config *config, const anomaly_allocator *allocator, anomaly_detector **detector,
                               anomaly_error *error);

/** Frees the detector. NULL is fine. */
ANOMALY_API void anomaly_destroy(anomaly_detector *detector);

/** Forgets every event, clock and counter; keeps configuration, threshold and memory. */
ANOMALY_API void anomaly_reset(anomaly_detector *detector);

/** A new threshold from the next event on; the window is kept. A forest's follows the scores no more. E_ARG unless finite, and for
 *  a forest not 0; E_NOMEM for one key of a pool only.
 *  Answers E_ARG, E_NOMEM. */
ANOMALY_API int anomaly_set_threshold(anomaly_detector *detector, double threshold);

/** Allocates the full window now, as reserve=1 does at create. Answers E_ARG, E_NOMEM. */
ANOMALY_API int anomaly_reserve(anomaly_detector *detector);

/** The configuration as it is in force, threshold included. `struct_size` as in anomaly_config_init().
 *  Answers E_ARG, E_VERSION. */
ANOMALY_API int anomaly_get_config(const anomaly_detector *detector, anomaly_config *config, size_t struct_size);

/* ---- events; x points at `features` doubles; verdict may be NULL where it is not wanted ---- */

/** Judges the event against the window without it, then learns it: exactly advance(t), but not for a jumped event, score(x, t),
 *  learn(x, t). With include_self: advance, learn, score. Forest: the threshold follows the scores of updates. E_NOMEM only
 *  while the window still grows. Answers E_ARG, E_NOMEM. */
ANOMALY_API int anomaly_update(anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *verdict);

/** Judges an event against the window as it stands and moves nothing. Answers E_ARG. */
ANOMALY_API int anomaly_score(const anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *verdict);

/** Learns an event: moves the clock, forgets what has become too old, takes the event in if lateness, jump and learning
 *  policy let it. Answers E_ARG, E_NOMEM. */
ANOMALY_API int anomaly_learn(anomaly_detector *detector, const double *x, int64_t t_ns);

/** Forest: grows every tree anew from the window as it is, e.g. after anomaly_learn_rows() of a training set (a batch fit).
 *  Other kinds: nothing happens. Cost: trees * sample * depth steps. Answers E_ARG, E_NOMEM. */
ANOMALY_API int anomaly_rebuild(anomaly_detector *detector);

/** Moves the clock of a time window without an event and forgets what is older than the window; a time before the newest
 *  changes nothing. Sets the clock whatever `max_jump` says. Count-only windows: nothing happens. E_ARG for ANOMALY_NO_TIME.
 *  Answers E_ARG. */
ANOMALY_API int anomaly_advance(anomaly_detector *detector, int64_t t_ns);

/* ---- many events; the verdicts and the state are those of the loop over the single call, bit for bit ---- */

/** anomaly_update() for each row. `verdicts` NULL: none wanted; `done` NULL: not wanted, else the number of rows that were
 *  processed, also on error: those before it stand. E_ARG: done counts the rows before the bad one. Answers E_ARG, E_NOMEM. */
ANOMALY_API int anomaly_update_rows(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                                    size_t *done);

/** anomaly_score() for each row. Answers E_ARG. */
ANOMALY_API int anomaly_score_rows(const anomaly_detector *detector, const anomaly_rows *rows,
                                   const anomaly_verdicts *verdicts, size_t *done);

/** anomaly_learn() for each row. Answers E_ARG, E_NOMEM. */
ANOMALY_API int anomaly_learn_rows(anomaly_detector *detector, const anomaly_rows *rows, size_t *done);

/* ---- questions ---- */

/** Statistics of a feature over the window. Cost: proportional to the window (minimum and maximum are looked for).
 *  Answers E_ARG. */
ANOMALY_API int anomaly_window_stats(const anomaly_detector *detector, uint32_t feature, anomaly_stats *stats);

/** The exact q-quantile, 0 <= q <= 1, of a feature over the window, by the configured interpolation. Cost: proportional to
 *  the square root of the window. E_KIND where no order is kept (z-score without robust), E_EMPTY without a value.
 *  Answers E_ARG, E_KIND, E_EMPTY. */
ANOMALY_API int anomaly_quantile(const anomaly_detector *detector, uint32_t feature, double q, double *value);

/** Forest: each feature's share of this event's score, in contribution[features]: how much shorter that feature makes the paths
 *  by itself, and for what only several make together, where the paths met them. The shares sum to the score's excess over the
 *  typical score, 0.5 (within 1e-7, next to 0.5), and have its sign. Cost: a pass over all trees, some hundred times a score; the verdict's `feature` is
 *  found along the event's own paths and may be another one where many features are. Other kinds: E_KIND; E_EMPTY before
 *  the first tree. Answers E_ARG, E_KIND, E_EMPTY. */
ANOMALY_API int anomaly_explain(const anomaly_detector *detector, const double *x, double *contribution);

/** How often what has happened. Answers E_ARG. */
ANOMALY_API int anomaly_counters(const anomaly_detector *detector, anomaly_counts *counts);

/* ---- snapshots: versioned, checksummed, the same on every machine; docs/snapshot-format.md ---- */

/** Takes the next `size` bytes; 0 to go on, anything else ends the call with ANOMALY_E_STOPPED. */
typedef int (*anomaly_sink)(void *ctx, const void *bytes, size_t size);

/** Bytes that anomaly_snapshot() will write for the detector as it is. Answers E_ARG. */
ANOMALY_API int anomaly_snapshot_size(const anomaly_detector *detector, size_t *size);

/** Writes the detector into `buffer`: configuration (but `simd`), window, clock, counters, for the forest its
 *  trees. Answers E_ARG, E_SPACE. */
ANOMALY_API int anomaly_snapshot(const anomaly_detector *detector, void *buffer, size_t size, size_t *used);

/** The same bytes to a callback, in pieces; takes no memory. Answers E_ARG, E_STOPPED. */
ANOMALY_API int anomaly_snapshot_write(const anomaly_detector *detector, anomaly_sink sink, void *ctx);

/** A new detector that goes on where the saved one stood, bit for bit. Any bytes are safe to give. It takes memory for the
 *  events that are there, whatever `reserve` says: anomaly_reserve() takes the rest. `error` as in anomaly_create().
 *  Answers E_ARG, E_CORRUPT, E_VERSION, E_NOMEM. */
ANOMALY_API int anomaly_restore(const void *bytes, size_t size, const anomaly_allocator *allocator,
                                anomaly_detector **detector, anomaly_error *error);

/* ---- pools: one configuration, a detector for each key ----
 *
 * A key is 1 .. 65535 bytes of any kind. Its detector is made when the key is first used and lives until the key is removed or
 * evicted. A slot is a short name for a key of this pool; once the key is gone the slot is E_NOTFOUND for good, whatever key
 * comes after it.
 *
 * A key is used by an update, by anomaly_pool_with() and by an import; looking it up is no use of it. Its time, by which it is
 * idle, is its clock when it was last used, or where the window is by count only the newest time that an update gave it.
 *
 * Threads: with `locks`, every call but create, restore and destroy may run at the same time as any other, on any key; a
 * callback runs under the lock of its key's shard and must not call this pool. Without locks a pool is like a detector. */

/** Detectors by key. Opaque. */
typedef struct anomaly_pool anomaly_pool;

/** Sees a key and its detector, for the time of the call only. */
typedef int (*anomaly_visit)(void *ctx, uint64_t slot, const void *key, size_t key_size, const anomaly_detector *detector);

/** Works on a key's detector (anomaly_pool_with()): any call but anomaly_destroy(). */
typedef int (*anomaly_use)(void *ctx, anomaly_detector *detector);

/** Gives up to `size` further bytes, how many in *got; 0 of them at the end. Returns 0, anything else ends the call with
 *  ANOMALY_E_STOPPED. */
typedef int (*anomaly_source)(void *ctx, void *bytes, size_t size, size_t *got);

/** How a pool is to be. Fill with anomaly_pool_options_init(), then set fields. New fields are only ever appended.
 *  Limits are shared out evenly among the shards, so with many shards one may evict a little before the whole is full. */
typedef struct anomaly_pool_options {
    size_t struct_size;
    uint64_t max_keys;   /* 0 = any number */
    uint64_t max_bytes;  /* all memory taken from the allocator, as it was asked for; 0 = any. At least 64 KiB a shard */
    int64_t max_idle_ns; /* making a key first evicts a few whose last event is so much older than the newest; 0 = never */
    int32_t refuse;      /* at max_keys or max_bytes: 0 evicts the least recently used keys, 1 answers E_FULL */
    int32_t locks;       /* 1 (default; 0 in a build without threads): safe for threads; 0: the caller sees to it */
    uint32_t shards;     /* parts with a lock each, a power of two up to 256; 0 (default): 64 with locks, 1 without */
    uint64_t hash_seed;  /* a secret number, where strangers choose the keys: they cannot then prepare keys that collide */
    void (*evicting)(void *ctx, const void *key, size_t key_size,
                     const anomaly_detector *detector); /* before; NULL: nobody */
    void *evicting_ctx;
} anomaly_pool_options;

/** What a pool holds. */
typedef struct anomaly_usage {
    uint64_t keys;
    uint64_t bytes;   /* taken from the allocator */
    uint64_t created; /* keys, since create or restore, those restored included */
    uint64_t removed; /* ... of which removed by anomaly_pool_remove() */
    uint64_t evicted; /* ... of which evicted */
} anomaly_usage;

/** The keys of rows: `slots`, or (NULL) `keys`, of `sizes` bytes each; `sizes` NULL: they end with a NUL. */
typedef struct anomaly_keys {
    const uint64_t *slots;
    const char *const *keys;
    const size_t *sizes;
} anomaly_keys;

/** XXH64 of the key with seed 0: the same for ever and everywhere, so that `hash % n` can route keys to n processes or files. */
ANOMALY_API uint64_t anomaly_key_hash(const void *key, size_t key_size);

/** Defaults. `struct_size` is sizeof(anomaly_pool_options) as the caller compiled it. Answers E_ARG, E_VERSION. */
ANOMALY_API int anomaly_pool_options_init(anomaly_pool_options *options, size_t struct_size);

/** Creates an empty pool; `options`, `allocator` and `error` may be NULL. With locks, the allocator must be safe for threads.
 *  The caller ends it with anomaly_pool_destroy(). Answers E_ARG, E_VERSION, E_CONFIG, E_NOMEM. */
ANOMALY_API int anomaly_pool_create(const anomaly_config *config, const anomaly_pool_options *options,
                                    const anomaly_allocator *allocator, anomaly_pool **pool, anomaly_error *error);

/** Frees the pool and every detector in it. NULL is fine. */
ANOMALY_API void anomaly_pool_destroy(anomaly_pool *pool);

/** The slot of a key, which is made if it is new. Answers E_ARG, E_NOMEM, E_FULL. */
ANOMALY_API int anomaly_pool_slot(anomaly_pool *pool, const void *key, size_t key_size, uint64_t *slot);

/** The slot of a key that is there. Answers E_ARG, E_NOTFOUND. */
ANOMALY_API int anomaly_pool_find(const anomaly_pool *pool, const void *key, size_t key_size, uint64_t *slot);

/** anomaly_update() for a key, which is made if it is new. Where memory or a limit runs out other keys may have been evicted, but
 *  this one is as it was. Answers E_ARG, E_NOMEM, E_FULL. */
ANOMALY_API int anomaly_pool_update(anomaly_pool *pool, const void *key, size_t key_size, const double *x, int64_t t_ns,
                                    anomaly_verdict *verdict);

/** The same by slot. Answers E_ARG, E_NOTFOUND, E_NOMEM, E_FULL. */
ANOMALY_API int anomaly_pool_update_at(anomaly_pool *pool, uint64_t slot, const double *x, int64_t t_ns,
                                       anomaly_verdict *verdict);

/** anomaly_pool_update() or _at() for each row, in order; `done` as in anomaly_update_rows().
 *  Answers E_ARG, E_NOTFOUND, E_NOMEM, E_FULL. */
ANOMALY_API int anomaly_pool_update_rows(anomaly_pool *pool, const anomaly_keys *keys, const anomaly_rows *rows,
                                         const anomaly_verdicts *verdicts, size_t *done);

/** anomaly_advance() for every key. Answers E_ARG. */
ANOMALY_API int anomaly_pool_advance(anomaly_pool *pool, int64_t t_ns);

/** Every other call on one key's detector: `use` is called with it and its return value is returned.
 *  Answers E_ARG, E_NOTFOUND. */
ANOMALY_API int anomaly_pool_with(anomaly_pool *pool, uint64_t slot, anomaly_use use, void *ctx);

/** anomaly_set_threshold() for every key, present and future. Answers E_ARG. */
ANOMALY_API int anomaly_pool_set_threshold(anomaly_pool *pool, double threshold);

/** The configuration of new keys. As anomaly_get_config(). Answers E_ARG, E_VERSION. */
ANOMALY_API int anomaly_pool_get_config(const anomaly_pool *pool, anomaly_config *config, size_t struct_size);

/** Visits every key, in no particular order; E_STOPPED once `visit` returns other than 0. Answers E_ARG, E_STOPPED. */
ANOMALY_API int anomaly_pool_each(const anomaly_pool *pool, anomaly_visit visit, void *ctx);

/** How many keys there are; 0 for NULL. */
ANOMALY_API uint64_t anomaly_pool_count(const anomaly_pool *pool);

/** What the pool holds. Answers E_ARG. */
ANOMALY_API int anomaly_pool_usage(const anomaly_pool *pool, anomaly_usage *usage);

/** anomaly_counters() summed over all keys, those that are gone included. Cost: proportional to the keys. Answers E_ARG. */
ANOMALY_API int anomaly_pool_counters(const anomaly_pool *pool, anomaly_counts *counts);

/** Forgets a key. Answers E_ARG, E_NOTFOUND. */
ANOMALY_API int anomaly_pool_remove(anomaly_pool *pool, const void *key, size_t key_size);

/** Evicts the keys whose time is older than `before_ns` (ANOMALY_NO_TIME: none; keys that have none stay), then the
 *  least recently used until at most `keep_keys` are left and at most `keep_bytes` are taken. *evicted (NULL: not wanted):
 *  how many. Cost: proportional to the keys. Answers E_ARG. */
ANOMALY_API int anomaly_pool_evict(anomaly_pool *pool, int64_t before_ns, uint64_t keep_keys, uint64_t keep_bytes,
                                   uint64_t *evicted);

/** Bytes of a snapshot of the pool as it is. Answers E_ARG, E_NOMEM. */
ANOMALY_API int anomaly_pool_snapshot_size(const anomaly_pool *pool, size_t *size);

/** The pool into a buffer. Beside other threads every key is saved as it is at some moment of the call. E_SPACE: the buffer then
 *  holds a part. Answers E_ARG, E_SPACE, E_NOMEM. */
ANOMALY_API int anomaly_pool_snapshot(const anomaly_pool *pool, void *buffer, size_t size, size_t *used);

/** The same bytes to a callback, in pieces of 64 KiB or one key. No lock is held while `sink` runs.
 *  Answers E_ARG, E_STOPPED, E_NOMEM. */
ANOMALY_API int anomaly_pool_snapshot_write(const anomaly_pool *pool, anomaly_sink sink, void *ctx);

/** A pool that goes on where the saved one stood. `config` NULL: as saved; else the one to go on with: threshold, side, reserve and
 *  simd may differ from the saved one, anything else is E_CONFIG and named in *error. `options` NULL: limits and shards as
 *  saved, with locks. Slots of the saved pool are not slots of the new one.
 *  Answers E_ARG, E_CORRUPT, E_VERSION, E_CONFIG, E_NOMEM, E_FULL. */
ANOMALY_API int anomaly_pool_restore(const void *bytes, size_t size, const anomaly_config *config,
                                     const anomaly_pool_options *options, const anomaly_allocator *allocator,
                                     anomaly_pool **pool, anomaly_error *error);

/** The same from a callback, which is read to the snapshot's end and no further.
 *  Answers E_ARG, E_STOPPED, E_CORRUPT, E_VERSION, E_CONFIG, E_NOMEM, E_FULL. */
ANOMALY_API int anomaly_pool_restore_read(anomaly_source source, void *ctx, const anomaly_config *config,
                                          const anomaly_pool_options *options, const anomaly_allocator *allocator,
                                          anomaly_pool **pool, anomaly_error *error);

/** anomaly_snapshot() of one key, with its own threshold if it has one, for a store outside. `buffer` NULL: only *used is set, to
 *  the size that is needed.
 *  Answers E_ARG, E_NOTFOUND, E_SPACE. */
ANOMALY_API int anomaly_pool_export(const anomaly_pool *pool, const void *key, size_t key_size, void *buffer, size_t size,
                                    size_t *used);

/** Makes or replaces a key from such a snapshot, whose configuration must be the pool's, as in anomaly_pool_restore(). Without a
 *  threshold of its own it goes by the pool's.
 *  Answers E_ARG, E_CORRUPT, E_VERSION, E_CONFIG, E_NOMEM, E_FULL. */
ANOMALY_API int anomaly_pool_import(anomaly_pool *pool, const void *key, size_t key_size, const void *bytes, size_t size,
                                    anomaly_error *error);

#ifndef ANOMALY_CDEF
#ifdef __cplusplus
}
#endif
#endif
#endif

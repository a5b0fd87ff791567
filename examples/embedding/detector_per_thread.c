/* SPDX-License-Identifier: MIT detector_per_thread.c - a detector for each thread, without any lock: how long does
 * this thread's work take, and was that odd? It is made when a thread first asks and goes with the thread.
 */
#include "common.h"

#include <pthread.h>

enum { THREADS = 4 };

static pthread_key_t detector_key;

static void destroy(void *detector)
{
    anomaly_destroy(detector);
}

static anomaly_detector *my_detector(void)
{
    anomaly_detector *detector = pthread_getspecific(detector_key);
    if (detector == NULL) {
        anomaly_config config = config_of("200");
        MUST(anomaly_create(&config, NULL, &detector, NULL) == ANOMALY_OK);
        MUST(pthread_setspecific(detector_key, detector) == 0);
    }
    return detector;
}

/* What a request would call when it ends. */
static int was_odd(double milliseconds)
{
    anomaly_verdict verdict;
    MUST(anomaly_update(my_detector(), &milliseconds, ANOMALY_NO_TIME, &verdict) == ANOMALY_OK);
    return (verdict.flags & ANOMALY_IS_ANOMALY) != 0;
}

static void *serve(void *ctx)
{
    uint64_t *odd = ctx;
    for (int i = 0; i < EVENTS; i++)
        *odd += (uint64_t)was_odd(value_of(0, i));
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    uint64_t odd[THREADS] = {0};
    MUST(pthread_key_create(&detector_key, destroy) == 0);
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_create(&threads[i], NULL, serve, &odd[i]) == 0);
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_join(threads[i], NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        MUST(odd[i] > 0 && odd[i] == odd[0]); /* the same work, the same verdicts: no thread disturbs another */
    MUST(pthread_key_delete(detector_key) == 0);
    printf("detector_per_thread: %d threads, each found the same %u odd requests\n", THREADS, (unsigned)odd[0]);
    return 0;
}

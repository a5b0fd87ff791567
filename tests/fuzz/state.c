/* SPDX-License-Identifier: MIT
 * state.c - libFuzzer: any bytes as the head of a file of --state. Once as they are, once as the object with a first line that
 * fits. What is accepted is written and read again, and must be the same.
 */
#include "state/state.h"

#include "anomaly.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

enum { MOST = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_bytes(const char *bytes, size_t size, cli_state *state)
{
    const char *why = NULL;
    FILE *file = fmemopen((void *)(uintptr_t)bytes, size, "rb");
    CHECK(file != NULL);
    bool good = cli_state_read(file, state, &why);
    fclose(file);
    CHECK(good || (why != NULL && state->inputs == NULL && state->settings == NULL));
    return good;
}

static void use(const char *bytes, size_t size)
{
    cli_state state, again;
    char text[400];
    size_t length;
    if (!read_bytes(bytes, size, &state))
        return;
    CHECK(state.settings != NULL && (!state.has_out || state.output != NULL));
    CHECK(!state.decided || (state.values.count >= 1 && state.values.count <= 1 << 20));
    cli_state_differ(state.settings, state.has_out ? state.output : "{}", text, sizeof text);
    char *head = cli_state_head(&state, &length);
    CHECK(read_bytes(head, length, &again));
    CHECK(again.input_count == state.input_count && again.decided == state.decided && again.has_out == state.has_out);
    CHECK(memcmp(&again.sums, &state.sums, sizeof state.sums) == 0);
    free(head);
    cli_state_free(&state);
    cli_state_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > MOST)
        return 0;
    use((const char *)data, size);
    char *sealed = malloc(size + 64);
    CHECK(sealed != NULL);
    int first = snprintf(sealed, 64, "anomaly-state 1 %012zu %016" PRIx64 "\n", size, anomaly_key_hash(data, size));
    CHECK(first > 0 && first < 64);
    memcpy(sealed + first, data, size);
    use(sealed, (size_t)first + size);
    free(sealed);
    return 0;
}

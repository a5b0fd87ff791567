/* SPDX-License-Identifier: MIT
 * config.c - libFuzzer: options as text ("name=value" lines) and configurations as raw bytes. Whatever they say, a call
 * answers OK or an error, an error changes nothing, and what get writes set reads back. */
#include "anomaly.h"

#include <stdlib.h>
#include <string.h>

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

enum { MOST_BYTES = 1 << 20 };

static void *take(void *ctx, size_t bytes)
{
    size_t *left = ctx;
    if (bytes > *left)
        return NULL;
    *left -= bytes;
    return malloc(bytes);
}

static void give(void *ctx, void *memory, size_t bytes)
{
    size_t *left = ctx;
    *left += memory != NULL ? bytes : 0;
    free(memory);
}

static void check_round_trip(const anomaly_config *config, const char *name)
{
    anomaly_config back = *config;
    char text[64];
    if (anomaly_config_get(config, name, text, sizeof text) != ANOMALY_OK)
        return; /* some other field is out of bounds */
    CHECK(memchr(text, 0, sizeof text) != NULL);
    CHECK(anomaly_config_set(&back, name, text, NULL) == ANOMALY_OK);
    CHECK(memcmp(&back, config, sizeof back) == 0);
}

static void set_one(anomaly_config *config, const char *name, const char *value)
{
    anomaly_config before = *config;
    anomaly_error error;
    int status = anomaly_config_set(config, name, value, &error);
    CHECK(status == ANOMALY_OK || status == ANOMALY_E_CONFIG);
    CHECK(memchr(error.message, 0, sizeof error.message) != NULL && memchr(error.field, 0, sizeof error.field) != NULL);
    if (status != ANOMALY_OK)
        CHECK(memcmp(&before, config, sizeof before) == 0 && error.message[0] != 0 && error.status == status);
    else
        check_round_trip(config, name);
}

/* A few events of zeros, if it can be created at all. */
static void try_detector(const anomaly_config *config)
{
    static const double zeros[4096];
    size_t left = MOST_BYTES, needed = 0;
    anomaly_allocator allocator = {take, give, &left};
    anomaly_detector *detector = NULL;
    anomaly_error error;
    int status = anomaly_create(config, &allocator, &detector, &error);
    CHECK(anomaly_memory_needed(config, &needed) == (status == ANOMALY_E_NOMEM ? ANOMALY_OK : status));
    CHECK((status == ANOMALY_OK) == (detector != NULL));
    CHECK(memchr(error.message, 0, sizeof error.message) != NULL);
    for (int64_t t = 0; status == ANOMALY_OK && t < 40; t++)
        status = anomaly_update(detector, zeros, t, NULL);
    CHECK(status <= ANOMALY_OK);
    anomaly_destroy(detector);
    CHECK(left == MOST_BYTES);
}

static void by_text(anomaly_config *config, char *text)
{
    for (char *line = text; line != NULL && *line != 0;) {
        char *next = strchr(line, '\n'), *value;
        if (next != NULL)
            *next++ = 0;
        value = strchr(line, '=');
        if (value != NULL) {
            *value++ = 0;
            set_one(config, line, value);
        }
        line = next;
    }
}

static void by_bytes(anomaly_config *config, const uint8_t *data, size_t size)
{
    size_t from = offsetof(anomaly_config, features), most = sizeof *config - from;
    const anomaly_option *option;
    memcpy((char *)config + from, data, size < most ? size : most);
    for (size_t i = 0; (option = anomaly_option_at(i)) != NULL; i++) {
        char text[64];
        (void)anomaly_config_get(config, option->name, text, sizeof text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    anomaly_config config;
    char *text;
    if (size < 1)
        return 0;
    CHECK(anomaly_config_init(&config, sizeof config, 1 + (data[0] >> 2) % 5) == ANOMALY_OK);
    text = malloc(size);
    if (text == NULL)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = 0;
    if (data[0] & 2)
        by_bytes(&config, data + 1, size - 1);
    else
        by_text(&config, text);
    try_detector(&config);
    free(text);
    return 0;
}

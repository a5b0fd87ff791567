/* SPDX-License-Identifier: MIT
 * sql.c - options in one text, as the extensions of databases take them; flags in words; aligned memory.
 */
#include "common/sql.h"

#include "common/flags.h"

#include <stdio.h>
#include <string.h>

typedef struct option {
    char name[32];
    char value[64];
} option;

static int refuse(anomaly_error *error, const char *field, const char *message, const char *what)
{
    error->status = ANOMALY_E_CONFIG;
    snprintf(error->field, sizeof error->field, "%s", field);
    snprintf(error->message, sizeof error->message, message, what);
    return ANOMALY_E_CONFIG;
}

static size_t blanks(const char *text, size_t length)
{
    size_t n = 0;
    while (n < length && text[n] != '\0' && strchr(" \t\r\n", text[n]))
        n++;
    return n;
}

static size_t word(const char *text, size_t length)
{
    size_t n = 0;
    while (n < length && (text[n] == '\0' || !strchr(" \t\r\n", text[n])))
        n++;
    return n;
}

static int split(const char *text, size_t length, option *o, anomaly_error *error)
{
    const char *sign = memchr(text, '=', length);
    size_t name = sign ? (size_t)(sign - text) : 0, value = sign ? length - name - 1 : 0;
    char shown[64];
    snprintf(shown, sizeof shown, "%.*s", length < 40 ? (int)length : 40, text);
    if (!sign || memchr(text, '\0', length))
        return refuse(error, "", "options are name=value with blanks between, not '%s'", shown);
    if (name >= sizeof o->name || value >= sizeof o->value)
        return refuse(error, "", "no option is as long as '%s...'", shown);
    memcpy(o->name, text, name);
    memcpy(o->value, sign + 1, value);
    o->name[name] = o->value[value] = '\0';
    return ANOMALY_OK;
}

/** Calls `use` with each option. */
static int each(const char *text, size_t length, int (*use)(anomaly_config *, const option *, anomaly_error *),
                anomaly_config *config, anomaly_error *error)
{
    for (size_t at = blanks(text, length); at < length; at += blanks(text + at, length - at)) {
        option o;
        size_t size = word(text + at, length - at);
        int status = split(text + at, size, &o, error);
        status = status != ANOMALY_OK ? status : use(config, &o, error);
        if (status != ANOMALY_OK)
            return status;
        at += size;
    }
    return ANOMALY_OK;
}

static int set_kind(anomaly_config *config, const option *o, anomaly_error *error)
{
    const anomaly_kind_info *info;
    if (strcmp(o->name, "kind") != 0)
        return ANOMALY_OK;
    for (size_t i = 0; (info = anomaly_kind_at(i)) != NULL; i++)
        if (strcmp(o->value, info->name) == 0)
            return anomaly_config_init(config, sizeof *config, info->kind);
    return refuse(error, "kind", "kind takes zscore, percentile, iforest, mahalanobis or watch, not '%s'", o->value);
}

static int set_other(anomaly_config *config, const option *o, anomaly_error *error)
{
    return strcmp(o->name, "kind") == 0 ? ANOMALY_OK : anomaly_config_set(config, o->name, o->value, error);
}

int sql_configure(const char *text, size_t length, anomaly_config *config, anomaly_error *error)
{
    int status = anomaly_config_init(config, sizeof *config, ANOMALY_ZSCORE);
    if (status == ANOMALY_OK)
        status = each(text, length, set_kind, config, error);
    if (status == ANOMALY_OK)
        status = each(text, length, set_other, config, error);
    if (status == ANOMALY_OK && config->features != 1)
        return refuse(error, "features", "features is 1 here: %s", "one value is judged at a time");
    return status;
}

size_t sql_words(uint32_t flags, char text[SQL_WORDS_SIZE])
{
    const char *name;
    size_t next = 0, length = 0;
    text[0] = '\0';
    while ((name = cli_next_flag(flags, &next)) != NULL)
        length += (size_t)snprintf(text + length, SQL_WORDS_SIZE - length, "%s%s", length ? "|" : "", name);
    return length;
}

void *sql_align(void *memory)
{
    if (!memory)
        return NULL;
    size_t shift =
        SQL_ALIGNMENT - (uintptr_t)memory % SQL_ALIGNMENT; /* 1 .. 16: the byte before the aligned part holds it */
    char *aligned = (char *)memory + shift;
    aligned[-1] = (char)shift;
    return aligned;
}

void *sql_unalign(void *aligned)
{
    return (char *)aligned - ((char *)aligned)[-1];
}

/* SPDX-License-Identifier: MIT */
#include "detector/status.h"

#include <stdarg.h>
#include <stdio.h>

int anomaly_version(void)
{
    return ANOMALY_VERSION_MAJOR * 10000 + ANOMALY_VERSION_MINOR * 100 + ANOMALY_VERSION_PATCH;
}

const char *anomaly_status_text(int status)
{
    switch (status) {
    case ANOMALY_OK: return "ok";
    case ANOMALY_E_ARG: return "bad argument";
    case ANOMALY_E_NOMEM: return "out of memory";
    case ANOMALY_E_CONFIG: return "bad configuration";
    case ANOMALY_E_KIND: return "not offered by this kind of detector";
    case ANOMALY_E_SPACE: return "buffer too small";
    case ANOMALY_E_CORRUPT: return "damaged snapshot";
    case ANOMALY_E_VERSION: return "made by a newer version";
    case ANOMALY_E_FULL: return "limit reached";
    case ANOMALY_E_NOTFOUND: return "not found";
    case ANOMALY_E_EMPTY: return "empty window";
    case ANOMALY_E_STOPPED: return "stopped by the caller";
    default: return "unknown status";
    }
}

int an_error(anomaly_error *error, int status, const char *field, const char *format, ...)
{
    va_list arguments;
    if (!error)
        return status;
    error->status = status;
    snprintf(error->field, sizeof error->field, "%s", field);
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return status;
}

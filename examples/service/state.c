/* SPDX-License-Identifier: MIT
 * state.c - the state file.
 */
#include "state.h"

#include "common/files.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char first_line[] = "anomaly-service 1\n";

static bool failed(const char *what, const char *path)
{
    return log_wrong("cannot %s %s: %s", what, path, strerror(errno));
}

/* path + ending, in memory of its own; NULL after having said so. */
static char *with_ending(const char *path, const char *ending)
{
    size_t size = strlen(path) + strlen(ending) + 1;
    char *name = malloc(size);
    if (name == NULL)
        log_say("out of memory");
    else
        snprintf(name, size, "%s%s", path, ending);
    return name;
}

/* ---- the head: which lines the pool has seen ---- */

static bool write_head(FILE *file, const sources *all)
{
    char *text = NULL;
    size_t size = 0;
    FILE *head = open_memstream(&text, &size);
    if (head == NULL)
        return false;
    fputs(first_line, head);
    for (size_t i = 0; i < all->count; i++)
        fprintf(head, "source %s %" PRIu64 "\n", all->items[i]->name, all->items[i]->lines);
    bool good = fclose(head) == 0 && fwrite(text, 1, size, file) == size &&
                fprintf(file, "check %016" PRIx64 "\n", anomaly_key_hash(text, size)) > 0;
    free(text);
    return good;
}

/* Reads one line of the head; its text goes to `head` as well, for the check. */
static bool read_head_line(FILE *file, FILE *head, char *text, int size)
{
    if (fgets(text, size, file) == NULL || strchr(text, '\n') == NULL)
        return false;
    return strncmp(text, "check ", 6) == 0 || fputs(text, head) >= 0;
}

static bool read_sources(FILE *file, FILE *head, sources *all, uint64_t *check)
{
    char text[128], name[LINE_SOURCE_MAX + 1];
    uint64_t lines;
    if (!read_head_line(file, head, text, sizeof text) || strcmp(text, first_line) != 0)
        return false;
    while (read_head_line(file, head, text, sizeof text)) {
        if (sscanf(text, "check %16" SCNx64, check) == 1)
            return true;
        if (sscanf(text, "source %64s %" SCNu64, name, &lines) != 2 || sources_add(all, name, lines) == NULL)
            return false;
    }
    return false;
}

static bool read_head(FILE *file, sources *all)
{
    char *text = NULL;
    size_t size = 0;
    uint64_t check = 0;
    FILE *head = open_memstream(&text, &size);
    if (head == NULL)
        return false;
    bool good = read_sources(file, head, all, &check);
    good = fclose(head) == 0 && good && anomaly_key_hash(text, size) == check;
    free(text);
    return good;
}

/* ---- saving ---- */

static int to_file(void *ctx, const void *bytes, size_t size)
{
    return fwrite(bytes, 1, size, ctx) != size;
}

static bool write_all(FILE *file, const anomaly_pool *pool, const sources *all)
{
    return write_head(file, all) && anomaly_pool_snapshot_write(pool, to_file, file) == ANOMALY_OK && fflush(file) == 0 &&
           fsync(fileno(file)) == 0;
}

static bool write_temporary(const char *path, const anomaly_pool *pool, const sources *all)
{
    const char *why;
    int fd = cli_create_locked(path, 0600, &why);
    if (fd < 0)
        return log_wrong("cannot create %s: %s", path, why);
    FILE *file = fdopen(fd, "wb");
    if (file == NULL) {
        close(fd);
        return failed("create", path);
    }
    bool good = write_all(file, pool, all);
    good = fclose(file) == 0 && good;
    return good || failed("write", path);
}

/* A rename is only safe from a power cut once the folder is on disk too. */
static bool sync_folder(const char *path)
{
    char *copy = with_ending(path, "");
    if (copy == NULL)
        return false;
    const char *folder = dirname(copy);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = (fd >= 0 && fsync(fd) == 0) || failed("sync the folder", folder);
    if (fd >= 0)
        close(fd);
    free(copy);
    return good;
}

bool state_save(const char *path, const anomaly_pool *pool, const sources *all)
{
    char *temporary = with_ending(path, ".tmp");
    bool good = temporary != NULL && write_temporary(temporary, pool, all) &&
                (rename(temporary, path) == 0 || failed("rename to", path)) && sync_folder(path);
    free(temporary);
    return good;
}

/* ---- restoring ---- */

static int from_file(void *ctx, void *bytes, size_t size, size_t *got)
{
    *got = fread(bytes, 1, size, ctx);
    return ferror((FILE *)ctx) != 0;
}

enum state_result state_restore(const char *path, const anomaly_config *config, const anomaly_pool_options *pool_options,
                                anomaly_pool **pool, sources *all)
{
    anomaly_error error = {0};
    const char *why;
    int fd = cli_open_regular(path, &why);
    if (fd < 0 && errno == ENOENT)
        return STATE_NONE;
    if (fd < 0)
        return log_wrong("cannot read %s: %s", path, why), STATE_BAD;
    FILE *file = fdopen(fd, "rb");
    if (file == NULL) {
        close(fd);
        return failed("read", path), STATE_BAD;
    }
    int status = ANOMALY_E_CORRUPT;
    if (read_head(file, all))
        status = anomaly_pool_restore_read(from_file, file, config, pool_options, NULL, pool, &error);
    if (status == ANOMALY_OK && fgetc(file) != EOF) {
        anomaly_pool_destroy(*pool);
        *pool = NULL;
        status = ANOMALY_E_CORRUPT;
    }
    fclose(file);
    if (status == ANOMALY_OK)
        return STATE_RESTORED;
    log_say("cannot restore %s: %s%s%s (move it away to start afresh)", path, anomaly_status_text(status),
            error.message[0] != '\0' ? ": " : "", error.message);
    return STATE_BAD;
}

/* ---- the lock ---- */

/* A file beside it, since a rename would leave a lock on the old one. After kill -9 a child may still be at its
 * save. */
int state_lock(const char *path)
{
    static const struct timespec pause = {0, 50 * 1000 * 1000};
    char *name = with_ending(path, ".lock");
    int fd = name != NULL ? open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600) : -1;
    int status = -1;
    for (int tries = 0; fd >= 0 && tries < 100 && (status = flock(fd, LOCK_EX | LOCK_NB)) != 0; tries++) {
        if (errno != EWOULDBLOCK)
            break;
        nanosleep(&pause, NULL);
    }
    if (fd < 0 && name != NULL)
        failed("create", name);
    else if (fd >= 0 && status != 0)
        log_say("%s is in use by another process", path);
    free(name);
    if (fd >= 0 && status != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

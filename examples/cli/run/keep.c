/* SPDX-License-Identifier: MIT
 * keep.c - --state, --resume and --out: what is kept between runs.
 *
 * A save is a cut through the whole run: every row before the saved place is in the pool and its verdict in the output up to
 * the saved length, no row behind it is in either. A later run with --resume cuts the output back to that length and reads on
 * at that place, so each verdict is there once, whatever happened after the save.
 */
#include "run/app.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool refuse(cli_app *app, const char *file, const char *why, const char *detail)
{
    cli_say(app, file, 0, why, detail);
    return false;
}

/* ---- loading ---- */

static int read_pool(void *context, void *bytes, size_t size, size_t *got)
{
    FILE *file = context;
    *got = fread(bytes, 1, size, file);
    return ferror(file);
}

static void copy_list(cli_list *to, const cli_list *from)
{
    cli_list_free(to);
    to->given = from->given;
    for (size_t i = 0; i < from->count; i++)
        cli_list_add(to, from->items[i], strlen(from->items[i]));
}

static bool load_pool(cli_app *app, FILE *file)
{
    const cli_state *s = &app->keep.state;
    anomaly_error error = {0};
    if (!s->decided)
        return fgetc(file) == EOF || refuse(app, app->options->state, "it is damaged", NULL);
    copy_list(&app->values, &s->values);
    copy_list(&app->others, &s->others);
    cli_app_decide(app, s->has_time, s->values.count);
    int status = cli_keys_restore(&app->keys, &app->config, app->options, app->value_count, read_pool, file, &error);
    if (status != ANOMALY_OK)
        return refuse(app, app->options->state, status == ANOMALY_E_CORRUPT ? "it is damaged" : error.message, NULL);
    return fgetc(file) == EOF || refuse(app, app->options->state, "it is damaged: it goes on behind its end", NULL);
}

static bool load(cli_app *app, FILE *file, const char *settings)
{
    char text[400];
    const char *why;
    cli_state *s = &app->keep.state;
    if (!cli_state_read(file, s, &why))
        return refuse(app, app->options->state, why, "move it away to begin anew");
    if (cli_state_differ(s->settings, settings, text, sizeof text))
        return refuse(app, app->options->state, text, "give another --state to begin anew");
    return load_pool(app, file);
}

static bool load_present(cli_app *app, const char *settings)
{
    int fd = dup(app->keep.file.locked);
    FILE *file = fd >= 0 ? fdopen(fd, "rb") : NULL;
    if (file == NULL)
        return refuse(app, app->options->state, strerror(errno), NULL);
    bool good = load(app, file, settings);
    fclose(file);
    return good;
}

/* ---- --out ---- */

/* Back to what was saved. Where there is a choice, nothing of what somebody has is destroyed. */
static bool cut_back(cli_app *app, int fd, uint64_t size)
{
    const cli_keep *k = &app->keep;
    const char *path = app->options->out;
    char *format = cli_state_output(app->options), text[400];
    bool differ = k->state.has_out && cli_state_differ(k->state.output, format, text, sizeof text);
    uint64_t length = k->state.has_out ? k->state.out_length : 0;
    free(format);
    if (differ)
        return refuse(app, app->options->state, text, NULL);
    if (!k->state.has_out && size > 0)
        return refuse(app, path, "it is not empty, and the state knows nothing of it: move one of them away", NULL);
    if (size == 0 && length > 0) {
        cli_say(app, path, 0, "it is new: what was written before is elsewhere", NULL);
        length = 0;
    }
    if (size < length)
        return refuse(app, path, "it is shorter than it was at the last save: move it away, or put it back", NULL);
    app->writer.begun = length > 0;
    return (ftruncate(fd, (off_t)length) == 0 && lseek(fd, (off_t)length, SEEK_SET) >= 0) ||
           refuse(app, path, strerror(errno), NULL);
}

static bool same_file(const char *a, const char *b)
{
    struct stat one, other;
    return strcmp(a, b) == 0 || (stat(a, &one) == 0 && stat(b, &other) == 0 && S_ISREG(one.st_mode) &&
                                 one.st_ino == other.st_ino && one.st_dev == other.st_dev);
}

/* Opening it would empty it. */
static bool out_is_needed(cli_app *app)
{
    const cli_options *o = app->options;
    for (size_t i = 0; i < o->file_count; i++)
        if (same_file(o->out, o->files[i]))
            return !refuse(app, o->out, "it is to be read: give another --out", NULL);
    return o->state != NULL && same_file(o->out, o->state) &&
           !refuse(app, o->out, "it is the state: give another --out", NULL);
}

/* A save would empty it. */
static bool is_beside_state(cli_app *app, const char *path)
{
    return app->keep.on && same_file(path, app->keep.file.beside) &&
           !refuse(app, path, "a save of the state would overwrite it: give another --state", NULL);
}

static bool beside_is_needed(cli_app *app)
{
    const cli_options *o = app->options;
    for (size_t i = 0; i < o->file_count; i++)
        if (is_beside_state(app, o->files[i]))
            return true;
    return o->out != NULL && is_beside_state(app, o->out);
}

static bool empty_out(cli_app *app, int fd)
{
    return ftruncate(fd, 0) == 0 || refuse(app, app->options->out, strerror(errno), NULL);
}

/* What is in it goes only once nothing is left to refuse. */
static bool open_out(cli_app *app)
{
    const cli_options *o = app->options;
    struct stat status;
    if (o->out == NULL)
        return !beside_is_needed(app);
    if (out_is_needed(app))
        return false;
    if (o->resume && stat(o->out, &status) == 0 && !S_ISREG(status.st_mode)) /* opening a FIFO would wait for a reader */
        return refuse(app, o->out, "--resume needs a regular file", NULL);
    int fd = open(o->out, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || fstat(fd, &status) != 0)
        return refuse(app, o->out, strerror(errno), NULL);
    app->writer.out.fd = fd;
    if (beside_is_needed(app)) /* by its inode, which it has only now */
        return false;
    if (o->resume)
        return cut_back(app, fd, (uint64_t)status.st_size);
    return !S_ISREG(status.st_mode) || empty_out(app, fd);
}

/* ---- the whole ---- */

static void forget_inputs(cli_state *s)
{
    for (size_t i = 0; i < s->input_count; i++)
        cli_input_free(&s->inputs[i]);
    s->input_count = 0;
    s->has_out = false;
}

static bool open_state(cli_app *app)
{
    cli_keep *k = &app->keep;
    char *settings = cli_state_settings(app->options, &app->config);
    bool good = cli_atomic_open(&k->file, app->options->state) || refuse(app, app->options->state, k->file.error, NULL);
    k->on = good;
    if (good && k->file.locked >= 0)
        good = load_present(app, settings);
    free(k->state.settings);
    k->state.settings = settings;
    k->before = k->state.sums;
    return good;
}

bool cli_keep_open(cli_app *app)
{
    const cli_options *o = app->options;
    cli_keep *k = &app->keep;
    if (o->state != NULL && !open_state(app))
        return false;
    if (!o->resume)
        forget_inputs(&k->state);
    if (!open_out(app))
        return false;
    k->next = now() + (double)o->save_every / 1e9;
    /* a first one at once: whether it can be written shows now, and the output never has what no state knows of */
    return !k->on || k->file.locked >= 0 || cli_keep_save(app);
}

void cli_keep_close(cli_app *app)
{
    if (app->options->out != NULL && app->writer.out.fd > STDERR_FILENO)
        close(app->writer.out.fd);
    cli_state_free(&app->keep.state);
    cli_atomic_close(&app->keep.file);
}

/* ---- inputs ---- */

static cli_input *by_inode(cli_state *s, uint64_t device, uint64_t inode)
{
    for (size_t i = s->input_count; i-- > 0;)
        if (s->inputs[i].mark.inode == inode && s->inputs[i].mark.device == device)
            return &s->inputs[i];
    return NULL;
}

static cli_input *by_path(cli_state *s, const char *path)
{
    for (size_t i = s->input_count; i-- > 0;)
        if (strcmp(s->inputs[i].path, path) == 0)
            return &s->inputs[i];
    return NULL;
}

const cli_input *cli_keep_find(cli_app *app, const cli_source *source, char **old)
{
    cli_state *s = &app->keep.state;
    char lost[120];
    *old = NULL;
    const cli_input *known = by_inode(s, source->device, source->inode);
    if (known != NULL && cli_follow_same(source, &known->mark))
        return known;
    if (known != NULL) {
        cli_say(app, source->name, 0, "it was cut or written anew since the last run: read from its start", NULL);
        return NULL;
    }
    known = by_path(s, source->name);
    if (known == NULL)
        return NULL;
    *old = cli_follow_find(source->name, &known->mark);
    snprintf(lost, sizeof lost, "it is another file now; the one before is gone, and with it what followed its line %llu",
             (unsigned long long)(known->at.line - 1));
    if (*old == NULL)
        cli_say(app, source->name, 0, lost, NULL);
    return NULL;
}

static void forget(cli_state *s, size_t i)
{
    cli_input_free(&s->inputs[i]);
    memmove(&s->inputs[i], &s->inputs[i + 1], (--s->input_count - i) * sizeof *s->inputs);
}

/* Entries under a path at which there is another file now: they go with their files, and end with them. */
static void make_way(cli_state *s, const char *path)
{
    for (size_t i = s->input_count; i-- > 0;) {
        cli_input *input = &s->inputs[i];
        if (strcmp(input->path, path) != 0 || cli_follow_is_at(path, &input->mark))
            continue;
        char *moved = cli_follow_find(path, &input->mark);
        if (moved == NULL) {
            forget(s, i);
            continue;
        }
        free(input->path);
        input->path = cli_copy(moved, strlen(moved));
        make_way(s, moved);
        i = s->input_count; /* there may be fewer now */
        free(moved);
    }
}

static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? (size_t)(slash - path) + 1 : 0;
}

static bool are_neighbours(const char *a, const char *b)
{
    size_t length = folder_length(a);
    return length == folder_length(b) && memcmp(a, b, length) == 0;
}

static bool is_gone(const cli_input *input)
{
    struct stat status;
    if (strcmp(input->path, "-") == 0 || stat(input->path, &status) == 0 || errno != ENOENT)
        return false;
    char *moved = cli_follow_find(input->path, &input->mark);
    free(moved);
    return moved == NULL;
}

/* A new file begins in the folder: what is neither there any more nor replaced is forgotten. A log that is rotated under names of
 * days would leave an entry behind each time. */
static void forget_gone(cli_state *s, const char *path)
{
    for (size_t i = s->input_count; i-- > 0;)
        if (are_neighbours(s->inputs[i].path, path) && is_gone(&s->inputs[i]))
            forget(s, i);
}

void cli_keep_begin(cli_app *app, const cli_source *source, const char *path)
{
    cli_keep *k = &app->keep;
    cli_state *s = &k->state;
    if (!k->on)
        return;
    cli_input *input = by_inode(s, source->device, source->inode);
    if (input == NULL) {
        make_way(s, path);
        forget_gone(s, path);
        s->inputs = cli_resize(s->inputs, s->input_count + 1, sizeof *s->inputs);
        input = &s->inputs[s->input_count++];
        *input = (cli_input){0};
    }
    if (!source->replay)
        cli_input_free(input);
    free(input->path);
    input->path = cli_copy(path, strlen(path));
    k->input = input;
}

void cli_keep_names(cli_app *app, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cli_list_add(&app->keep.input->values, names[i], strlen(names[i]));
}

static void note_place(cli_app *app, const cli_source *source)
{
    cli_input *input = app->keep.input;
    if (input == NULL || source == NULL)
        return;
    input->at = cli_source_position(source);
    if (!source->replay) /* else the mark is as it was found */
        input->mark = cli_follow_mark(source);
}

void cli_keep_end(cli_app *app, const cli_source *source)
{
    note_place(app, source);
    app->keep.input = NULL;
}

/* ---- saving ---- */

static cli_sums sums_of(const cli_app *app)
{
    cli_sums s = app->keep.before;
    size_t files = app->options->file_count > 0 ? app->options->file_count : 1;
    for (size_t i = 0; app->counts != NULL && i < files; i++) {
        const cli_counts *c = &app->counts[i];
        s.rows += c->rows;
        s.events += c->events;
        s.judged += c->judged;
        s.anomalies += c->anomalies;
        s.rejected += c->rejected;
    }
    return s;
}

static int write_pool(void *context, const void *bytes, size_t size)
{
    return cli_atomic_write(context, bytes, size) ? 0 : 1;
}

static bool write_state(cli_app *app)
{
    cli_keep *k = &app->keep;
    size_t size;
    if (!cli_atomic_begin(&k->file))
        return false;
    char *head = cli_state_head(&k->state, &size);
    bool good = cli_atomic_write(&k->file, head, size);
    free(head);
    int status = good && k->state.decided ? anomaly_pool_snapshot_write(app->keys.pool, write_pool, &k->file) : ANOMALY_OK;
    if (status != ANOMALY_OK && status != ANOMALY_E_STOPPED)
        k->file.error = anomaly_status_text(status);
    return good && status == ANOMALY_OK && cli_atomic_end(&k->file);
}

static void fill_state(cli_app *app)
{
    cli_state *s = &app->keep.state;
    s->decided = app->decided;
    s->has_time = app->has_time;
    copy_list(&s->values, &app->values);
    copy_list(&s->others, &app->others);
    s->sums = sums_of(app);
    s->has_out = app->options->out != NULL;
    if (s->has_out) {
        off_t length = lseek(app->writer.out.fd, 0, SEEK_CUR);
        s->out_length = length > 0 ? (uint64_t)length : 0;
        free(s->output);
        s->output = cli_state_output(app->options);
    }
    note_place(app, app->source);
}

/* What the state says is in the output is on the disk before the state is. */
bool cli_keep_save(cli_app *app)
{
    cli_keep *k = &app->keep;
    if (!cli_writer_flush(&app->writer))
        return false;
    if (app->options->out != NULL && fsync(app->writer.out.fd) != 0 && errno != EINVAL && errno != EROFS) {
        app->writer.out.error = strerror(errno);
        return false;
    }
    fill_state(app);
    k->saved_rows = k->state.sums.rows;
    k->saved_offset = k->input != NULL ? k->input->at.offset : 0;
    bool good = write_state(app);
    if (!good && !k->complained)
        cli_say(app, app->options->state, 0, "cannot be saved", k->file.error);
    k->complained = !good;
    return good;
}

static bool anything_new(const cli_app *app)
{
    const cli_keep *k = &app->keep;
    return sums_of(app).rows != k->saved_rows ||
           (app->source != NULL && cli_source_position(app->source).offset != k->saved_offset);
}

void cli_keep_tick(cli_app *app)
{
    cli_keep *k = &app->keep;
    if (!k->on || app->options->save_every == 0 || now() < k->next)
        return;
    if (anything_new(app))
        cli_keep_save(app);
    k->next = now() + (double)app->options->save_every / 1e9;
}

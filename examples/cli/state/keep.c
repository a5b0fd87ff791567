/* SPDX-License-Identifier: MIT
 * keep.c - --state, --resume and --out: what is kept between runs.
 *
 * A save is a cut through the whole run: every row before the saved place is in the pool and its verdict in the output
 * up to the saved length, no row behind it is in either. A later run with --resume cuts the output back to that length
 * and reads on at that place, so each verdict is there once, whatever happened after the save.
 */
#include "state/keep.h"

#include "common/uptime.h"
#include "state/mark.h"
#include "state/out_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool refuse_state(cli_keep *k, const char *why, const char *detail)
{
    cli_say(&k->session->terminal, k->session->options->state, 0, why, detail);
    return false;
}

/* ---- loading ---- */

static int read_pool(void *context, void *bytes, size_t size, size_t *got)
{
    FILE *file = context;
    *got = fread(bytes, 1, size, file);
    return ferror(file);
}

static bool load_pool(cli_keep *k, FILE *file)
{
    cli_session *session = k->session;
    const cli_state *s = &k->state;
    anomaly_error error = {0};
    if (!s->decided)
        return fgetc(file) == EOF || refuse_state(k, "it is damaged", NULL);
    cli_list_copy(&session->values, &s->values);
    cli_list_copy(&session->others, &s->others);
    cli_session_decide(session, &s->shown, s->values.count);
    int status =
        cli_keys_restore(&session->keys, &session->config, session->options, session->value_count, read_pool, file, &error);
    if (status != ANOMALY_OK)
        return refuse_state(k, status == ANOMALY_E_CORRUPT ? "it is damaged" : error.message, NULL);
    return fgetc(file) == EOF || refuse_state(k, "it is damaged: it goes on behind its end", NULL);
}

static bool load_state(cli_keep *k, FILE *file, const char *settings)
{
    char text[400];
    const char *why;
    cli_state *s = &k->state;
    if (!cli_state_read(file, s, &why))
        return refuse_state(k, why, "move it away to begin anew");
    if (cli_state_differ(s->settings, settings, text, sizeof text))
        return refuse_state(k, text, "give another --state to begin anew");
    return load_pool(k, file);
}

static bool load_present(cli_keep *k, const char *settings)
{
    int fd = dup(k->file.locked);
    FILE *file = fd >= 0 ? fdopen(fd, "rb") : NULL;
    if (file == NULL)
        return refuse_state(k, strerror(errno), NULL);
    bool good = load_state(k, file, settings);
    fclose(file);
    return good;
}

/* ---- opening ---- */

static bool open_state(cli_keep *k)
{
    char *settings = cli_state_settings(k->session->options, &k->session->config);
    bool good = cli_atomic_open(&k->file, k->session->options->state, 0600) || refuse_state(k, k->file.error, NULL);
    k->on = good;
    if (good && k->file.locked >= 0)
        good = load_present(k, settings);
    free(k->state.settings);
    k->state.settings = settings;
    k->before = k->state.sums;
    return good;
}

bool cli_keep_open(cli_keep *k)
{
    const cli_options *o = k->session->options;
    if (o->state != NULL && !open_state(k))
        return false;
    if (!o->resume)
        cli_state_forget(&k->state);
    const cli_out_file out = {k->session, &k->state, k->on ? k->file.beside : NULL};
    if (!cli_out_file_open(&out))
        return false;
    k->next = cli_uptime() + (double)o->save_every / 1e9;
    /* a first one at once: whether it can be written shows now, and the output never has what no state knows of */
    return !k->on || k->file.locked >= 0 || cli_keep_save(k);
}

void cli_keep_close(cli_keep *k)
{
    const cli_session *session = k->session;
    if (session->options->out != NULL && session->writer.out.fd > STDERR_FILENO)
        close(session->writer.out.fd);
    cli_state_free(&k->state);
    cli_atomic_close(&k->file);
}

/* ---- the file being read ---- */

void cli_keep_begin(cli_keep *k, const cli_source *source, const char *path)
{
    if (k->on)
        k->input = cli_inputs_begin(&k->state, source, path);
    k->source = source;
}

void cli_keep_names(cli_keep *k, const char *const *names, size_t count)
{
    if (k->input == NULL || k->input->values.given)
        return;
    for (size_t i = 0; i < count; i++)
        cli_list_add(&k->input->values, names[i], strlen(names[i]));
}

static void note_place(cli_keep *k)
{
    if (k->input == NULL)
        return;
    k->input->at = cli_source_position(k->source);
    if (!k->source->replay) /* else the mark is as it was found */
        k->input->mark = cli_mark_of(k->source);
}

void cli_keep_end(cli_keep *k)
{
    note_place(k);
    k->input = NULL;
    k->source = NULL;
}

/* ---- saving ---- */

static cli_sums sums_of(const cli_keep *k)
{
    cli_sums s = k->before;
    for (size_t i = 0; i < cli_session_files(k->session); i++) {
        const cli_counts *c = &k->session->counts[i];
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

static bool write_state(cli_keep *k)
{
    size_t size;
    if (!cli_atomic_begin(&k->file))
        return false;
    char *head = cli_state_head(&k->state, &size);
    bool good = cli_atomic_write(&k->file, head, size);
    free(head);
    int status =
        good && k->state.decided ? anomaly_pool_snapshot_write(k->session->keys.pool, write_pool, &k->file) : ANOMALY_OK;
    if (status != ANOMALY_OK && status != ANOMALY_E_STOPPED)
        k->file.error = anomaly_status_text(status);
    return good && status == ANOMALY_OK && cli_atomic_end(&k->file);
}

static void fill_state(cli_keep *k)
{
    const cli_session *session = k->session;
    cli_state *s = &k->state;
    s->decided = session->decided;
    s->shown = session->shown;
    cli_list_copy(&s->values, &session->values);
    cli_list_copy(&s->others, &session->others);
    s->sums = sums_of(k);
    s->has_out = session->options->out != NULL;
    if (s->has_out) {
        off_t length = lseek(session->writer.out.fd, 0, SEEK_CUR);
        s->out_length = length > 0 ? (uint64_t)length : 0;
        free(s->output);
        s->output = cli_state_output(session->options);
    }
    note_place(k);
}

/* What the state says is in the output is on the disk before the state is. */
bool cli_keep_save(cli_keep *k)
{
    cli_session *session = k->session;
    if (!cli_writer_flush(&session->writer))
        return false;
    if (session->options->out != NULL && fsync(session->writer.out.fd) != 0 && errno != EINVAL && errno != EROFS) {
        session->writer.out.error = strerror(errno);
        return false;
    }
    fill_state(k);
    k->saved_rows = k->state.sums.rows;
    k->saved_offset = k->input != NULL ? k->input->at.offset : 0;
    bool good = write_state(k);
    if (!good && !k->complained)
        cli_say(&session->terminal, session->options->state, 0, "cannot be saved", k->file.error);
    k->complained = !good;
    return good;
}

static bool anything_new(const cli_keep *k)
{
    return sums_of(k).rows != k->saved_rows ||
           (k->source != NULL && cli_source_position(k->source).offset != k->saved_offset);
}

void cli_keep_tick(cli_keep *k)
{
    if (!k->on || k->session->options->save_every == 0 || cli_uptime() < k->next)
        return;
    if (anything_new(k))
        cli_keep_save(k);
    k->next = cli_uptime() + (double)k->session->options->save_every / 1e9;
}

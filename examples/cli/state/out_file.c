/* SPDX-License-Identifier: MIT
 * out_file.c - the file of --out: opened so that nothing that somebody has is lost.
 */
#include "state/out_file.h"

#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool refuse_out(const cli_out_file *f, const char *file, const char *why, const char *detail)
{
    cli_say(&f->session->terminal, file, 0, why, detail);
    return false;
}

/* Back to what was saved. Where there is a choice, nothing of what somebody has is destroyed. */
static bool cut_back(const cli_out_file *f, int fd, uint64_t size)
{
    const cli_state *s = f->state;
    const char *path = f->session->options->out;
    char *format = cli_state_output(f->session->options), text[400];
    bool differ = s->has_out && cli_state_differ(s->output, format, text, sizeof text);
    uint64_t length = s->has_out ? s->out_length : 0;
    free(format);
    if (differ)
        return refuse_out(f, f->session->options->state, text, NULL);
    if (!s->has_out && size > 0)
        return refuse_out(f, path, "it is not empty, and the state knows nothing of it: move one of them away", NULL);
    if (size == 0 && length > 0) {
        cli_say(&f->session->terminal, path, 0, "it is new: what was written before is elsewhere", NULL);
        length = 0;
    }
    if (size < length)
        return refuse_out(f, path, "it is shorter than it was at the last save: move it away, or put it back", NULL);
    f->session->writer.begun = length > 0;
    return (ftruncate(fd, (off_t)length) == 0 && lseek(fd, (off_t)length, SEEK_SET) >= 0) ||
           refuse_out(f, path, strerror(errno), NULL);
}

/* Opening it would empty it. */
static bool out_is_needed(const cli_out_file *f)
{
    const cli_options *o = f->session->options;
    for (size_t i = 0; i < o->file_count; i++)
        if (cli_same_file(o->out, o->files[i]))
            return !refuse_out(f, o->out, "it is to be read: give another --out", NULL);
    return o->state != NULL && cli_same_file(o->out, o->state) &&
           !refuse_out(f, o->out, "it is the state: give another --out", NULL);
}

/* A save would empty it. */
static bool is_beside_state(const cli_out_file *f, const char *path)
{
    return f->beside != NULL && cli_same_file(path, f->beside) &&
           !refuse_out(f, path, "a save of the state would overwrite it: give another --state", NULL);
}

static bool beside_is_needed(const cli_out_file *f)
{
    const cli_options *o = f->session->options;
    for (size_t i = 0; i < o->file_count; i++)
        if (is_beside_state(f, o->files[i]))
            return true;
    return o->out != NULL && is_beside_state(f, o->out);
}

static bool empty_out(const cli_out_file *f, int fd)
{
    return ftruncate(fd, 0) == 0 || refuse_out(f, f->session->options->out, strerror(errno), NULL);
}

/* What is in it goes only once nothing is left to refuse. */
bool cli_out_file_open(const cli_out_file *f)
{
    const cli_options *o = f->session->options;
    struct stat status;
    if (o->out == NULL)
        return !beside_is_needed(f);
    if (out_is_needed(f))
        return false;
    if (o->resume && stat(o->out, &status) == 0 && !S_ISREG(status.st_mode)) /* opening a FIFO would wait for a reader */
        return refuse_out(f, o->out, "--resume needs a regular file", NULL);
    int fd = open(o->out, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || fstat(fd, &status) != 0)
        return refuse_out(f, o->out, strerror(errno), NULL);
    f->session->writer.out.fd = fd;
    if (beside_is_needed(f)) /* by its inode, which it has only now */
        return false;
    if (o->resume)
        return cut_back(f, fd, (uint64_t)status.st_size);
    return !S_ISREG(status.st_mode) || empty_out(f, fd);
}

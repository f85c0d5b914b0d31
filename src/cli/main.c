/* main.c - the program: reads the line, runs the command, tells errors, gives the exit status. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/help.h"
#include "cli/parse.h"

enum { DONE = 0, FAILED = 1, WRONG_USE = 2 };

static void print_error(const cvs_error *err)
{
    fprintf(stderr, "convscope: %s%s%s%s%s\n", err->where, err->where[0] ? ": " : "", err->what,
            err->hint[0] ? ": " : "", err->hint);
}

void cx_complain(cx_job *job, const cvs_error *err)
{
    print_error(err);
    job->failed = 1;
}

static void print_note(const char *format, va_list ap) __attribute__((format(printf, 1, 0)));
static void print_note(const char *format, va_list ap)
{
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
}

void cx_note(const cx_job *job, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    if (!job->options->quiet) print_note(format, ap);
    va_end(ap);
}

void cx_detail(const cx_job *job, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    if (job->options->verbose && !job->options->quiet) print_note(format, ap);
    va_end(ap);
}

/* A standard stream that the caller closed would lend its number to the next file opened, which
 * then gets what is printed. The other direction's null device keeps the place and still fails. */
static void keep_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0) (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

static int print_version(cvs_error *err)
{
    char info[2048];
    (void)err;
    cvs_build_info(info, sizeof info);
    printf("convscope %s\n%s", cvs_version(), info);
    return 0;
}

static int print_tables(const cx_line *line, cvs_error *err)
{
    cx_str s = {0};
    if (line->options.dump)
        cx_dump_options(&s);
    else
        cx_help(&s, line->command);
    int rc = cx_str_ok(&s, err);
    if (rc == 0) fwrite(s.data, 1, s.len, stdout);
    cx_str_deinit(&s);
    return rc;
}

static int run(const cx_line *line, int *failed, cvs_error *err)
{
    int rc;
    if (line->options.version) return print_version(err);
    if (line->options.help || line->options.dump) return print_tables(line, err);
    TRY(cx_line_check(line, err));
    if (line->options.threads) TRY(cvs_set_threads((int)line->options.threads, err));
    const int n_inputs = line->n_args > 0 ? line->n_args - 1 : 0;
    cx_job job = {&line->options, line->args[0], line->args + 1, n_inputs, 0};
    rc = line->command->run(&job, err);
    *failed = job.failed;
out:
    return rc;
}

/* A full disk shows when the last of the buffer goes out, not before. */
static int close_stdout(cvs_error *err)
{
    errno = 0;
    int lost = ferror(stdout);
    if (fflush(stdout) == 0 && !lost) return 0;
    int rc = cx_fail(err, CVS_E_IO, "cannot write: %s", errno ? strerror(errno) : "output is lost");
    return cx_where(err, rc, "stdout");
}

int main(int argc, char **argv)
{
    cvs_error err = {0};
    cx_line line = {0};
    int failed = 0;
    keep_standard_streams();
    int rc = cx_line_init(&line, argc, argv, &err);
    if (rc == 0) rc = run(&line, &failed, &err);
    if (rc == 0) rc = close_stdout(&err);
    cx_line_deinit(&line);
    if (rc < 0) print_error(&err);
    if (rc == CVS_E_ARG) return WRONG_USE;
    return rc < 0 || failed ? FAILED : DONE;
}

/* cmd_serve.c - convscope serve: networks and pictures in a browser, until Ctrl-C. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/names.h"
#include "cli/options.h"
#include "cli/work.h"

enum { PATIENCE = 1500 }; /* milliseconds for work to end by itself */

typedef struct serving {
    cx_job one; /* the job, of the model that it is the turn of */
    cvs_server_model *models;
    cvs_model **loaded; /* owned, as are … */
    cvs_classes **classes;
    int n;
    cvs_server *server;
} serving;

static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
    sigprocmask(SIG_BLOCK, set, NULL); /* threads that begin later have it so, too */
    signal(SIGPIPE, SIG_IGN);
}

static int load(serving *s, const char *file, cvs_error *err)
{
    cvs_layer out;
    const int i = s->n;
    int rc;
    s->one.model = file;
    TRY(cx_work_load(&s->loaded[i], &s->one, err));
    s->n++;
    TRY(cvs_model_layer(&out, s->loaded[i], cvs_model_output(s->loaded[i], 0), err));
    const int64_t units = out.ndim > 0 ? out.shape[out.ndim - 1] : 0;
    TRY(cx_names_load(&s->classes[i], &s->one, units == 1 ? 2 : units, err));
    s->models[i] = (cvs_server_model){s->loaded[i], file, s->classes[i]};
out:
    return rc;
}

static int load_all(serving *s, const cx_job *job, cvs_error *err)
{
    const size_t n = (size_t)job->n_inputs + 1;
    int rc;
    s->models = cx_calloc(n, sizeof *s->models);
    s->loaded = cx_calloc(n, sizeof *s->loaded);
    s->classes = cx_calloc(n, sizeof *s->classes);
    if (!s->models || !s->loaded || !s->classes) return cx_no_memory(err, n * sizeof *s->models);
    TRY(load(s, job->model, err));
    for (int i = 0; i < job->n_inputs; i++) TRY(load(s, job->inputs[i], err));
out:
    return rc;
}

/* With the desktop's own opener, where somebody sits before one. */
static void open_browser(const char *address, const sigset_t *blocked)
{
    if (!isatty(STDOUT_FILENO) || (!getenv("DISPLAY") && !getenv("WAYLAND_DISPLAY"))) return;
    if (fork() != 0) return;
    const int null = open("/dev/null", O_RDWR);
    for (int fd = 0; null >= 0 && fd <= 2; fd++) dup2(null, fd);
    setsid();
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, blocked, NULL);
    execlp("xdg-open", "xdg-open", address, (char *)NULL);
    _exit(127);
}

static int tell_address(const serving *s, cvs_error *err)
{
    const char *address = cvs_server_address(s->server);
    char *text;
    cx_json_writer w = {0};
    if (!s->one.options->json) {
        printf("%s\n", address);
        fflush(stdout);
        return 0;
    }
    cx_json_open(&w, NULL, '{');
    cx_json_add_string(&w, "address", address);
    cx_json_close(&w, '}');
    int rc = cx_json_finish(&text, &w, err);
    if (rc == 0) fputs(text, stdout);
    fflush(stdout);
    cx_free(text);
    return rc;
}

static int serve(serving *s, const sigset_t *signals, cvs_error *err)
{
    const cx_options *o = s->one.options;
    const cvs_server_options options = {
        .host = o->host,
        .port = o->port > 0 ? (int)o->port : -1,
        .images = o->gallery,
        .image = {(cvs_preprocess)o->preprocess, (cvs_resize)o->resize, o->exif},
        .exact = o->exact};
    int rc, number;
    TRY(cvs_server_new(&s->server, s->models, s->n, &options, err));
    TRY(tell_address(s, err));
    if (isatty(STDERR_FILENO)) cx_note(&s->one, "Ctrl-C ends the viewer");
    if (!o->no_browser) open_browser(cvs_server_address(s->server), signals);
    sigwait(signals, &number);
    /* Nobody waits for a heatmap that takes a minute more. */
    if (!cvs_server_stop(s->server, PATIENCE)) _exit(EXIT_SUCCESS);
out:
    return rc;
}

int cx_cmd_serve(cx_job *job, cvs_error *err)
{
    serving s = {.one = *job};
    sigset_t signals;
    int rc;
    block_signals(&signals);
    TRY(load_all(&s, job, err));
    rc = serve(&s, &signals, err);
out:
    cvs_server_free(s.server);
    for (int i = 0; i < s.n; i++) {
        cvs_model_free(s.loaded[i]);
        cvs_classes_free(s.classes[i]);
    }
    cx_free(s.models);
    cx_free(s.loaded);
    cx_free(s.classes);
    return rc;
}

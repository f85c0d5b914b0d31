/* serve.c - cvs_server: a viewer, its socket and HTTP between them. */
#include <stdio.h>

#include "base/mem.h"
#include "serve/http.h"
#include "serve/listen.h"

enum { MOST_MODELS = 1000 };

struct cvs_server {
    cx_viewer *viewer;
    cx_http *http;
    char address[128];
};

static int make_viewer(cx_viewer **out, const cvs_server_model *models, int n,
                       const cvs_server_options *o, cvs_error *err)
{
    cx_view_model *all = cx_calloc((size_t)n, sizeof *all);
    *out = NULL;
    if (!all) return cx_no_memory(err, (size_t)n * sizeof *all);
    for (int i = 0; i < n; i++)
        all[i] = (cx_view_model){
            .file = models[i].file, .m = models[i].model, .classes = models[i].classes};
    const cx_viewer_options options = {
        .models = all, .n_models = n, .images = o->images, .image = o->image, .exact = o->exact};
    int rc = cx_viewer_new(out, &options, err);
    cx_free(all);
    return rc;
}

int cvs_server_new(cvs_server **out, const cvs_server_model *models, int n,
                   const cvs_server_options *options, cvs_error *err)
{
    const cvs_server_options defaults = {0};
    const cvs_server_options *o = options ? options : &defaults;
    cx_guard guard = {0};
    cx_listen at;
    int rc;
    cvs_server *s = NULL;
    *out = NULL;
    if (n < 1 || n > MOST_MODELS)
        return cx_fail(err, CVS_E_ARG, "a viewer shows 1 to %d models", MOST_MODELS);
    s = cx_calloc(1, sizeof *s);
    if (!s) return cx_no_memory(err, sizeof *s);
    TRY(make_viewer(&s->viewer, models, n, o, err));
    TRY(cx_listen_open(&at, o->host, o->port, err));
    guard.port = at.port;
    rc = at.is_local ? 0 : cx_guard_draw(&guard, err);
    if (rc == 0) rc = cx_http_new(&s->http, s->viewer, at.fd, &guard, err);
    if (rc < 0) goto out;
    snprintf(s->address, sizeof s->address, "http://%s:%d/%s%s", at.host, at.port,
             guard.token[0] ? "?token=" : "", guard.token);
    *out = s;
    s = NULL;
out:
    cvs_server_free(s);
    return rc;
}

const char *cvs_server_address(const cvs_server *s)
{
    return s->address;
}

int cvs_server_stop(cvs_server *s, int milliseconds)
{
    if (!s->http) return 1;
    return cx_http_stop(s->http, milliseconds);
}

void cvs_server_free(cvs_server *s)
{
    if (!s) return;
    cx_http_free(s->http);
    cx_viewer_free(s->viewer);
    cx_free(s);
}

/* ask.h - a request whose route is known, and the answer to it; nothing of HTTP but its words.
 *
 * An answer is a function in a file answer_*.c and a line of routes.def. */
#ifndef CX_SERVE_ASK_H
#define CX_SERVE_ASK_H

#include "base/error.h"
#include "base/json.h"
#include "serve/viewer.h"

enum { CX_ASK_PARTS = 4 }; /* stars in a route, at most */

typedef struct cx_ask {
    cx_viewer *viewer;
    const char *part[CX_ASK_PARTS]; /* what stands for the route's stars, decoded, in their order */
    const char *const *query;       /* pairs of a key and a value, decoded, NULL-ended */
    const uint8_t *body;            /* of a POST */
    size_t body_size;
    /* Whether nobody wants the answer any more: long work asks now and then, and ends with
     * CVS_E_ARG. May be called by the thread that answers alone. */
    int (*is_stopped)(const struct cx_ask *ask);
    /* Of a route whose answer is a stream of events: send one, `data` being one line. Gives nonzero
     * where nobody reads on. It waits where the client is slow to read. NULL for other routes. */
    int (*send)(const struct cx_ask *ask, const char *event, const char *data);
    void *connection; /* of whoever made the two */
} cx_ask;

/* An answer. All zero before; on failure too it may have a status, which goes before the one that
 * follows from the error: 404 for what is not there. */
typedef struct cx_reply {
    int status;       /* 0: 200 */
    const char *type; /* static; NULL: application/json */
    char *data;       /* owned, of cx_alloc(); its end is `size` */
    size_t size;
    int is_fleeting; /* 1: it may be another one next time, and is not to be kept */
} cx_reply;
void cx_reply_deinit(cx_reply *reply);
/* An answer of JSON; what w holds is freed in any case. */
int cx_reply_writer(cx_reply *out, cx_json_writer *w, cvs_error *err);
/* An answer of bytes, which are taken over and zeroed. `type` is static. */
void cx_reply_bytes(cx_reply *out, const char *type, cx_bytes *bytes);

/* Answers a route. On failure the status is that of `out`, if any, else it follows from err->code:
 * CVS_E_ARG 400, CVS_E_FORMAT 415, CVS_E_UNSUPPORTED 422, CVS_E_NOMEM 503, others 500. Of a stream
 * that fails, the error comes as an event "error". */
typedef int cx_answer(cx_reply *out, const cx_ask *ask, cvs_error *err);

/* Which thread answers: the one that reads from sockets (what is there already), one for what takes
 * milliseconds but is no pass of a network (a picture decoded, a chart drawn), the one of all
 * passes in turn, or one for what takes longer. So a heatmap never keeps a page waiting. */
typedef enum cx_lane { CX_LANE_NONE, CX_LANE_QUICK, CX_LANE_PASS, CX_LANE_LONG } cx_lane;

typedef struct cx_route {
    const char *method; /* "GET", which answers HEAD too, or "POST" */
    const char *path;   /* below /api/v1/, with a star for a part: models, star, predict */
    cx_lane lane;
    int streams; /* 1: events come before the end, and the reply is not used */
    cx_answer *answer;
} cx_route;

/* routes.c: the table, a line of routes.def each. NULL past the end. */
const cx_route *cx_route_at(int i);

/* --- what a query says of a key: `otherwise` where it is not there, an error where it is no such
 * thing or out of range --- */

const char *cx_ask_text(const cx_ask *ask, const char *key, const char *otherwise);
int cx_ask_int(int64_t *out, const cx_ask *ask, const char *key, int64_t otherwise, int64_t min,
               int64_t max, cvs_error *err);
int cx_ask_number(double *out, const cx_ask *ask, const char *key, double otherwise, double min,
                  double max, cvs_error *err);
/* Which word of a list (NULL past its end) stands there. */
int cx_ask_word(int *out, const cx_ask *ask, const char *key, int otherwise,
                const char *(*word)(int i), cvs_error *err);

/* --- what most answers begin with. What is not there sets the reply's status to 404 --- */

/* The model and the node whose names are the route's first and second star. */
int cx_ask_model(const cx_view_model **out, cx_reply *reply, const cx_ask *ask, cvs_error *err);
int cx_ask_layer(int *node, cx_reply *reply, const cx_ask *ask, const cx_view_model *model,
                 cvs_error *err);
/* The picture of the key "image", to be let go; 400 where the key is missing. */
int cx_ask_picture(const cx_view_picture **out, cx_reply *reply, const cx_ask *ask, cvs_error *err);
/* How it is to be read: the keys "preprocess" and "resize", else the viewer's own. */
int cx_ask_image(cvs_image_options *out, const cx_ask *ask, cvs_error *err);
/* The key "class", a number or a name: -1 where it is not there. */
int cx_ask_class(int64_t *out, const cx_ask *ask, const cx_view_model *model, cvs_error *err);
/* The run in which the picture that is asked for has been computed: with the activation of `node`,
 * or the outputs alone where it is -1. To be given back with cx_viewer_give_back(). */
int cx_ask_run(cvs_run **out, cx_reply *reply, const cx_ask *ask, const cx_view_model *model,
               int node, cvs_error *err);

#endif

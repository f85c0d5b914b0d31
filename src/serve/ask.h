/* ask.h - a request whose route is known, and the answer to it; nothing of HTTP but its words. */
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
     * where nobody reads on. NULL for other routes. */
    int (*send)(const struct cx_ask *ask, const char *event, const char *data);
    void *connection; /* of whoever made the two */
} cx_ask;

/* What the query says of a key: `otherwise` where it is not there, an error where it is no such
 * thing or out of range. */
const char *cx_ask_text(const cx_ask *ask, const char *key, const char *otherwise);
int cx_ask_int(int64_t *out, const cx_ask *ask, const char *key, int64_t otherwise, int64_t min,
               int64_t max, cvs_error *err);
int cx_ask_number(double *out, const cx_ask *ask, const char *key, double otherwise, double min,
                  double max, cvs_error *err);

/* An answer. */
typedef struct cx_reply {
    int status;       /* 0: 200 */
    const char *type; /* static; NULL: application/json */
    char *data;       /* owned, of cx_alloc(); its end is `size` */
    size_t size;
    int is_fleeting; /* 1: it may be another one next time, and is not to be kept */
} cx_reply;
void cx_reply_deinit(cx_reply *reply);
/* An answer of JSON; w and the document are freed in any case. */
int cx_reply_writer(cx_reply *out, cx_json_writer *w, cvs_error *err);

/* Answers a route. On failure the status follows from err->code: CVS_E_ARG 400, CVS_E_FORMAT 415,
 * CVS_E_UNSUPPORTED 422, CVS_E_NOMEM 503, others 500, unless `out` has a status already (404). */
typedef int cx_answer(cx_reply *out, const cx_ask *ask, cvs_error *err);

/* Which thread answers: at once (no computing), in turn with other passes of the network, or in
 * turn with other long work, so that a heatmap never keeps a page waiting. */
typedef enum cx_lane { CX_LANE_NONE, CX_LANE_PASS, CX_LANE_LONG } cx_lane;

typedef struct cx_route {
    const char *method;
    const char *path; /* below /api/v1/, with * for a part: models / * / layers / * / pixel */
    cx_lane lane;
    int streams; /* 1: events come before the end, and the reply is not used */
    cx_answer *answer;
} cx_route;

/* routes.c: the table, a line of routes.def each. NULL past the end. */
const cx_route *cx_route_at(int i);

#endif

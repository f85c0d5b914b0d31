/* scores.h - what a network says, for an answer. */
#ifndef CX_SERVE_SCORES_H
#define CX_SERVE_SCORES_H

#include "serve/viewer.h"

#include "base/json.h"

/* Into an open object: "output", the name of the layer; "n_classes", 0 where its number is none of
 * a class; "is_probability"; and "scores", the best first, `top` at most: {class, name, score}
 * each. Of one unit with a sigmoid there are two classes. Of a run that was computed. */
int cx_scores_add(cx_json_writer *w, const cx_view_model *model, const cvs_run *run, int64_t top,
                  cvs_error *err);

/* How many classes the model's first output tells apart; 0: none. */
int64_t cx_scores_classes(const cvs_model *m);

#endif

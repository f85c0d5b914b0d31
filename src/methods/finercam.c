/* finercam.c - Finer-CAM (Zhang et al. 2025): Grad-CAM of what tells a class from the three whose
 * scores are nearest to its own. The score is
 *
 *   y_c - sum_d p_d y_d / sum_d p_d
 *
 * with the probabilities p of the three for this input, taken as constants. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "methods/method.h"

enum { RIVALS = 3 };

static int check(const cx_question *q, cvs_error *err)
{
    if (q->goal.n_classes >= 2 && !q->goal.two_sided) return 0;
    return cx_fail(err, CVS_E_UNSUPPORTED,
                   "Finer-CAM compares classes, and this output has one number");
}

/* The classes whose scores are nearest to that of class c; gives their number. */
static int nearest(int64_t rivals[RIVALS], const float *y, int64_t n, int64_t c)
{
    int found = 0;
    for (; found < RIVALS && found < n - 1; found++) {
        rivals[found] = -1;
        for (int64_t d = 0; d < n; d++) {
            int is_taken = d == c;
            for (int k = 0; k < found; k++) is_taken |= rivals[k] == d;
            if (is_taken) continue;
            if (rivals[found] < 0 || fabsf(y[d] - y[c]) < fabsf(y[rivals[found]] - y[c]))
                rivals[found] = d;
        }
    }
    return found;
}

static int compare(cx_question *q, const cx_tensor *value, cx_tensor *seed, cvs_error *err)
{
    int64_t rivals[RIVALS];
    double weight[RIVALS], all = 0, most = -INFINITY;
    char names[RIVALS * 24] = "";
    const float *y = value->data;
    (void)err;
    if (q->goal.places > 1)
        return cx_fail(err, CVS_E_UNSUPPORTED, "Finer-CAM explains one class, not a map of them");
    const int n = nearest(rivals, y, q->goal.n_classes, q->goal.class_index);
    for (int i = 0; i < n; i++) most = fmax(most, (double)y[rivals[i]]);
    for (int i = 0; i < n; i++) {
        weight[i] = q->goal.logit ? exp((double)y[rivals[i]] - most) : (double)y[rivals[i]];
        all += weight[i];
    }
    for (int i = 0; i < n; i++) {
        const size_t at = strlen(names);
        seed->data[rivals[i]] -= (float)(all > 0 ? weight[i] / all : 1.0 / n);
        snprintf(names + at, sizeof names - at, "%s%lld", i ? ", " : "", (long long)rivals[i]);
    }
    cx_answer_note(q, "compared with the classes whose scores are nearest: %s", names);
    return 0;
}

static void weigh(const cx_cam *cam, double *weights)
{
    cx_method_gradcam.weigh(cam, weights);
}

const cx_method cx_method_finercam = {
    .about = {.name = "finercam",
              .title = "Finer-CAM",
              .cite = "Zhang et al. 2025, Finer-CAM, arXiv:2501.11309",
              .needs = "a layer with a map, several classes",
              .cost = "1 pass forward, back to the layer"},
    .automatic = CVS_TARGET_LOGIT,
    .uses_layers = 1,
    .check = check,
    .reseed = compare,
    .weigh = weigh,
};

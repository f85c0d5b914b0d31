/* fem.c - FEM (Fuad et al. 2020): the cells that stand out of their channel by more than two
 * deviations are what the network saw; a channel weighs by how many it has. */
#include <math.h>

#include "methods/method.h"

#define DEVIATIONS 2

static void weigh(const cx_cam *cam, double *weights)
{
    const int64_t n = cam->height * cam->width, k = cam->channels;
    for (int64_t c = 0; c < k; c++) {
        double sum = 0, squares = 0, found = 0;
        for (int64_t p = 0; p < n; p++) {
            const double a = (double)cam->a[p * k + c];
            sum += a;
            squares += a * a;
        }
        const double mean = sum / (double)n, variance = squares / (double)n - mean * mean;
        const double limit = mean + DEVIATIONS * sqrt(variance > 0 ? variance : 0);
        for (int64_t p = 0; p < n; p++) found += (double)cam->a[p * k + c] > limit;
        weights[c] = found / (double)n;
    }
}

const cx_method cx_method_fem = {
    .about = {.name = "fem",
              .title = "FEM",
              .cite = "Fuad et al. 2020, Features Understanding in 3D CNNs (Feature Explanation "
                      "Method), ICIP",
              .needs = "a layer with a map; is the same for every class",
              .cost = "1 pass forward"},
    .automatic = CVS_TARGET_LOGIT,
    .uses_layers = 1,
    .has_no_goal = 1,
    .weigh = weigh,
};

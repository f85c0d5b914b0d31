/* gradcam_plus_plus.c - Grad-CAM++ (Chattopadhay et al. 2018, equations 11 and 19): positive
 * derivatives alone, each weighted so that a small patch of evidence counts as much as a large one.
 */
#include "methods/method.h"

static int combine(const cx_cam *cam, float *map, cvs_error *err)
{
    (void)err;
    const int64_t n = cam->height * cam->width, k = cam->channels;
    for (int64_t c = 0; c < k; c++) {
        double sum = 0, weight = 0;
        for (int64_t p = 0; p < n; p++) sum += (double)cam->a[p * k + c];
        for (int64_t p = 0; p < n; p++) {
            const double g = (double)cam->g[p * k + c], below = 2 * g * g + sum * g * g * g;
            /* The paper's ratio is not defined where its denominator is 0. */
            if (g > 0 && below != 0) weight += g * g * g / (below + 1e-7);
        }
        for (int64_t p = 0; p < n; p++) map[p] += (float)(weight * (double)cam->a[p * k + c]);
    }
    return 0;
}

const cx_method cx_method_gradcam_plus_plus = {
    .about = {.name = "gradcam++",
              .title = "Grad-CAM++",
              .cite = "Chattopadhay et al. 2018, Grad-CAM++, arXiv:1710.11063",
              .needs = "a layer with a map",
              .cost = "1 pass forward, back to the layer"},
    .automatic = CVS_TARGET_LOGIT,
    .uses_layers = 1,
    .combine = combine,
};

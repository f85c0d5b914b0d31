/* gradcam.c - Grad-CAM (Selvaraju et al. 2017): each channel weighted with the mean of the goal's
 * derivative over its positions. */
#include "methods/method.h"

static int combine(const cx_cam *cam, float *map, cvs_error *err)
{
    (void)err;
    const int64_t n = cam->height * cam->width;
    for (int64_t c = 0; c < cam->channels; c++) {
        double weight = 0;
        for (int64_t p = 0; p < n; p++) weight += (double)cam->g[p * cam->channels + c];
        weight /= (double)n;
        for (int64_t p = 0; p < n; p++)
            map[p] += (float)(weight * (double)cam->a[p * cam->channels + c]);
    }
    return 0;
}

const cx_method cx_method_gradcam = {
    .about = {.name = "gradcam",
              .title = "Grad-CAM",
              .cite = "Selvaraju et al. 2017, Grad-CAM, arXiv:1610.02391",
              .needs = "a layer with a map",
              .cost = "1 pass forward, back to the layer"},
    .automatic = CVS_TARGET_LOGIT,
    .uses_layers = 1,
    .combine = combine,
};

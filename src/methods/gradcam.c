/* gradcam.c - Grad-CAM (Selvaraju et al. 2017): each channel weighted with the mean of the goal's
 * derivative over its positions. */
#include "methods/method.h"

/* The mean of each channel's derivative. */
static void weigh(const cx_cam *cam, double *weights)
{
    const int64_t n = cam->height * cam->width, k = cam->channels;
    for (int64_t c = 0; c < k; c++) {
        double sum = 0;
        for (int64_t p = 0; p < n; p++) sum += (double)cam->g[p * k + c];
        weights[c] = sum / (double)n;
    }
}

const cx_method cx_method_gradcam = {
    .about = {.name = "gradcam",
              .title = "Grad-CAM",
              .cite = "Selvaraju et al. 2017, Grad-CAM, arXiv:1610.02391",
              .needs = "a layer with a map",
              .cost = "1 pass forward, back to the layer"},
    .automatic = CVS_TARGET_LOGIT,
    .uses_layers = 1,
    .weigh = weigh,
};

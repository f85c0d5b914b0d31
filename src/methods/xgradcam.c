/* xgradcam.c - XGrad-CAM (Fu et al. 2020): each channel weighted with the mean of the derivative
 * over what it gives, so that the map adds up to the score where it can. */
#include "methods/method.h"

static void weigh(const cx_cam *cam, double *weights)
{
    const int64_t n = cam->height * cam->width, k = cam->channels;
    for (int64_t c = 0; c < k; c++) {
        double sum = 0, product = 0;
        for (int64_t p = 0; p < n; p++) {
            sum += (double)cam->a[p * k + c];
            product += (double)cam->a[p * k + c] * (double)cam->g[p * k + c];
        }
        const double below = sum + 1e-7; /* as the method's authors have it */
        weights[c] = below != 0 ? product / below : 0;
    }
}

const cx_method cx_method_xgradcam = {
    .about = {.name = "xgradcam",
              .title = "XGrad-CAM",
              .cite = "Fu et al. 2020, Axiom-based Grad-CAM, arXiv:2008.02312",
              .needs = "a layer with a map",
              .cost = "1 pass forward, back to the layer"},
    .automatic = CVS_TARGET_LOGIT,
    .uses_layers = 1,
    .weigh = weigh,
};

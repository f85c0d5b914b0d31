/* gradcam_plus_plus.c - Grad-CAM++ (Chattopadhay et al. 2018, equations 11 and 19): positive
 * derivatives alone, each weighted so that a small patch of evidence counts as much as a large one;
 * and Refine-CAM, the product of its maps of several layers. */
#include "methods/method.h"

static void weigh(const cx_cam *cam, double *weights)
{
    const int64_t n = cam->height * cam->width, k = cam->channels;
    for (int64_t c = 0; c < k; c++) {
        double sum = 0, weight = 0;
        for (int64_t p = 0; p < n; p++) sum += (double)cam->a[p * k + c];
        for (int64_t p = 0; p < n; p++) {
            const double g = (double)cam->g[p * k + c], below = 2 * g * g + sum * g * g * g;
            /* The paper's ratio is not defined where its denominator is 0. */
            if (g > 0 && below != 0) weight += g * g * g / (below + 1e-7);
        }
        weights[c] = weight;
    }
}

const cx_method cx_method_gradcam_plus_plus = {
    .about = {.name = "gradcam++",
              .title = "Grad-CAM++",
              .cite = "Chattopadhay et al. 2018, Grad-CAM++, arXiv:1710.11063",
              .needs = "a layer with a map",
              .cost = "1 pass forward, back to the layer"},
    .automatic = CVS_TARGET_LOGIT,
    .uses_layers = 1,
    .weigh = weigh,
};

const cx_method cx_method_refinecam = {
    .about = {.name = "refinecam",
              .title = "Refine-CAM",
              .cite =
                  "Refine-CAM, as torch-cam has it: the product of layers' Grad-CAM++ maps, each "
                  "from 0 to 1",
              .needs = "layers with maps of several sizes",
              .cost = "1 pass forward, back to the first of three layers"},
    .automatic = CVS_TARGET_LOGIT,
    .uses_layers = 1,
    .scales = 3,
    .fusion = CX_FUSE_PRODUCT,
    .weigh = weigh,
};

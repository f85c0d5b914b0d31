/* eigencam.c - Eigen-CAM (Muhammad and Yeasin 2020): the first principal component of what the
 * channels give; with the derivative, Eigen-Grad-CAM. */
#include "methods/component.h"
#include "methods/method.h"

static int component(const cx_cam *cam, const float *rows, float *map, cvs_error *err)
{
    const int64_t n = cam->height * cam->width, k = cam->channels;
    double *along = cx_calloc((size_t)n, sizeof *along);
    if (!along) return cx_no_memory(err, (size_t)n * sizeof *along);
    for (int64_t i = 0; i < n * k; i++) along[i / k] += (double)cam->a[i];
    int rc = cx_first_component(map, rows, n, k, along, err);
    cx_free(along);
    return rc;
}

static int combine(const cx_cam *cam, float *map, cvs_error *err)
{
    return component(cam, cam->a, map, err);
}

static int combine_grad(const cx_cam *cam, float *map, cvs_error *err)
{
    const int64_t n = cam->height * cam->width * cam->channels;
    float *products = cx_calloc((size_t)n, sizeof *products);
    if (!products) return cx_no_memory(err, (size_t)n * sizeof *products);
    for (int64_t i = 0; i < n; i++) products[i] = cam->a[i] * cam->g[i];
    int rc = component(cam, products, map, err);
    cx_free(products);
    return rc;
}

const cx_method cx_method_eigencam = {
    .about = {.name = "eigencam",
              .title = "Eigen-CAM",
              .cite = "Muhammad and Yeasin 2020, Eigen-CAM, arXiv:2008.00299",
              .needs = "a layer with a map; is the same for every class",
              .cost = "1 pass forward"},
    .automatic = CVS_TARGET_LOGIT,
    .uses_layers = 1,
    .has_no_goal = 1,
    .combine = combine,
};

const cx_method cx_method_eigengradcam = {
    .about = {.name = "eigengradcam",
              .title = "Eigen-Grad-CAM",
              .cite = "Muhammad and Yeasin 2020, arXiv:2008.00299, times the derivative",
              .needs = "a layer with a map",
              .cost = "1 pass forward, back to the layer"},
    .automatic = CVS_TARGET_LOGIT,
    .uses_layers = 1,
    .combine = combine_grad,
};

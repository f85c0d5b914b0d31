/* recipe.c - the table of recipes. */
#include "patterns/recipe.h"

#include "base/error.h"
#include "base/str.h"

static const cx_recipe recipes[] = {
    {.about = {.name = "lucid",
               .title = "Lucid",
               .cite = "Olah, Mordvintsev and Schubert 2017, Feature Visualization, Distill",
               .steps = 512,
               .rate = 0.05},
     .objective = "channel",
     .paint = CX_PAINT_WAVES,
     .step = CX_STEP_ADAM,
     .high = 0.01,
     .top = 1,
     .side = 128,
     .fits = 1,
     .decay = 1,
     .linear = 1,
     .finishes = 1,
     .settle = 0.4,
     .jitter = 8,
     .zoom = 0.1,
     .turn = 10},
    {.about = {.name = "maco",
               .title = "MaCo",
               .cite = "Fel et al. 2023, Unlocking feature visualization for deeper networks with "
                       "magnitude constrained optimization, arXiv:2306.06805",
               .steps = 256,
               .rate = 0.05},
     .objective = "channel",
     .paint = CX_PAINT_PHASES,
     .step = CX_STEP_ADAM,
     .high = 1,
     .top = 1,
     .side = 224,
     .decay = 1,
     .linear = 1,
     .finishes = 1,
     .settle = 0.4,
     .jitter = 8,
     .zoom = 0.2,
     .turn = 0},
    {.about = {.name = "tkv",
               .title = "tf-keras-vis",
               .cite = "Kubota 2019, tf-keras-vis, ActivationMaximization",
               .steps = 200,
               .rate = 1},
     .objective = "channel",
     .paint = CX_PAINT_PIXELS,
     .step = CX_STEP_RMSPROP,
     .high = 255,
     .side = 224,
     .top = 255,
     .jitter = 4,
     .turn = 1,
     .border = CX_BORDER_WRAP,
     .drifts = 1,
     .restraint = {.variation = 1, .size = 1},
     .octaves = 1},
    {.about = {.name = "kernels",
               .title = "The weights of a first layer",
               .cite = "Krizhevsky, Sutskever and Hinton 2012, ImageNet classification with deep "
                       "convolutional neural networks, figure 3"},
     .paint = CX_PAINT_KERNEL,
     .top = 1},
    {.about = {.name = "book1",
               .title = "Deep Learning with Python and with R, 1st edition",
               .cite = "Chollet 2017, Deep Learning with Python, 5.4.2",
               .steps = 40,
               .rate = 1,
               .is_book = 1},
     .objective = "channel",
     .octaves = 1,
     .paint = CX_PAINT_INPUT,
     .norm = CX_NORM_RMS,
     .low = 128,
     .high = 148,
     .top = 1,
     .side = 150,
     .develop = {1e-5, 0.1, 0.5, 0}},
    {.about = {.name = "book2",
               .title = "Deep Learning with Python and with R, 2nd edition",
               .cite = "Chollet 2021, Deep Learning with Python, 2nd edition, 9.4.2",
               .steps = 30,
               .rate = 10,
               .is_book = 1},
     .objective = "middle",
     .octaves = 1,
     .paint = CX_PAINT_INPUT,
     .norm = CX_NORM_L2,
     .low = 0.4,
     .high = 0.6,
     .top = 1,
     .side = 200,
     .develop = {0, 64. / 255, 128. / 255, 25}},
    {.about = {.name = "book3",
               .title = "Deep Learning with Python, 3rd edition",
               .cite = "Chollet and Watson 2025, Deep Learning with Python, 3rd edition, 10.2",
               .steps = 30,
               .rate = 10,
               .is_book = 1},
     .objective = "middle",
     .octaves = 1,
     .paint = CX_PAINT_INPUT,
     .norm = CX_NORM_PIXEL,
     .low = 0.4,
     .high = 0.6,
     .top = 1,
     .side = 200,
     .develop = {0, 64. / 255, 128. / 255, 25}},
};

/* In the order of cvs_dream_kind, of a dream two. */
static const cx_recipe dreams[] = {
    {.about = {.name = "lucid",
               .title = "a dream in waves",
               .cite = "Mordvintsev, Olah and Tyka 2015, Inceptionism; Olah, Mordvintsev and "
                       "Schubert 2017, Feature Visualization, Distill",
               .steps = 48,
               .rate = 0.007},
     .objective = "stronger",
     .paint = CX_PAINT_WAVES,
     .step = CX_STEP_ADAM,
     .high = 0.01,
     .top = 1,
     .octaves = 3,
     .decay = 1,
     .begins = 1,
     .jitter = 8,
     .zoom = 0.1,
     .turn = 5},
    {.about = {.name = "book",
               .title = "Deep Learning with Python, 2nd edition",
               .cite = "Chollet 2021, Deep Learning with Python, 2nd edition, 12.2",
               .steps = 30,
               .rate = 20,
               .is_book = 1},
     .objective = "inner",
     .paint = CX_PAINT_INPUT,
     .norm = CX_NORM_L2,
     .top = 1,
     .octaves = 3,
     .repaints = 1,
     .begins = 1,
     .most = 15},
    {.about = {.name = "invert",
               .title = "Feature inversion",
               .cite = "Mahendran and Vedaldi 2015, Understanding deep image representations by "
                       "inverting them",
               .steps = 512,
               .rate = 0.2},
     .objective = "same",
     .cools = 1,
     .leak = 0.1,
     .fades = 0.006,
     .paint = CX_PAINT_WAVES,
     .step = CX_STEP_ADAM,
     .high = 0.01,
     .top = 1,
     .decay = 1,
     .restraint = {.variation = 0.01, .size = 0.01, .power = 2}},
    {.about = {.name = "caricature",
               .title = "Caricature",
               .cite = "Olah, Mordvintsev and Schubert 2017, Feature Visualization, Distill",
               .steps = 256,
               .rate = 0.05},
     .objective = "like",
     .power = 4,
     .cools = 1,
     .leak = 0.1,
     .paint = CX_PAINT_WAVES,
     .step = CX_STEP_ADAM,
     .high = 0.01,
     .top = 1,
     .decay = 1,
     .jitter = 8,
     .zoom = 0.1,
     .turn = 10},
};

const cx_recipe *cx_dream_recipe(cvs_dream_kind kind, const char *name, cvs_error *err)
{
    const int i = (int)kind + (kind != CVS_DREAM);
    if (!name || cx_streq(name, dreams[i].about.name)) return &dreams[i];
    if (kind == CVS_DREAM && cx_streq(name, dreams[1].about.name)) return &dreams[1];
    cx_fail(err, CVS_E_ARG, "there is no way to dream named \"%s\"", name);
    cx_hint(err, kind == CVS_DREAM ? "there are lucid and book" : "leave it out");
    return NULL;
}

const cvs_recipe *cvs_recipe_at(int i)
{
    return i >= 0 && i < (int)(sizeof recipes / sizeof *recipes) ? &recipes[i].about : NULL;
}

const cx_recipe *cx_recipe_find(const char *name, cvs_error *err)
{
    cx_str all = {0};
    if (!name) return &recipes[0];
    for (int i = 0; cvs_recipe_at(i); i++)
        if (cx_streq(recipes[i].about.name, name)) return &recipes[i];
    for (int i = 0; cvs_recipe_at(i); i++)
        cx_str_addf(&all, "%s%s", i ? ", " : "", recipes[i].about.name);
    cx_fail(err, CVS_E_ARG, "there is no way to climb named \"%s\"", name);
    cx_hint(err, "there are %s", all.data ? all.data : "");
    cx_str_deinit(&all);
    return NULL;
}

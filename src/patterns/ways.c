/* ways.c - what is asked of a climb against what its recipe can do. */
#include <math.h>

#include "patterns/climb.h"

int cx_ways_choose(cx_climb *c, cvs_error *err)
{
    const cvs_pattern_options *o = c->o;
    const cx_recipe *r = c->recipe;
    const char *name = r->about.name;
    c->steps = o->steps > 0 ? o->steps : r->about.steps;
    c->rate = o->rate > 0 ? o->rate : r->about.rate;
    c->restraint = r->restraint;
    if (o->variation != 0) c->restraint.variation = fmax(o->variation, 0);
    if (o->norm != 0) c->restraint.size = fmax(o->norm, 0);
    if (o->norm_power > 0) c->restraint.power = o->norm_power;
    if (o->blur != 0) c->restraint.blur = fmax(o->blur, 0);
    c->octaves = o->octaves > 0 ? o->octaves : r->octaves > 0 ? r->octaves : 1;
    c->octave_scale = o->octave_scale > 0 ? o->octave_scale : 1.4;
    if (r->octaves == 0 && c->octaves > 1)
        return cx_fail(err, CVS_E_ARG, "%s grows waves of all sizes at once: it has no octaves",
                       name);
    if (r->paint == CX_PAINT_PHASES && c->restraint.blur > 0)
        return cx_fail(err, CVS_E_ARG, "%s keeps the waves' sizes: a blur would change them", name);
    if (!(c->octave_scale > 1))
        return cx_fail(err, CVS_E_ARG, "octaves are more than 1 times larger than each other");
    if (c->restraint.power != 0 && c->restraint.power < 1)
        return cx_fail(err, CVS_E_ARG, "a norm's power is 1 at least");
    return 0;
}

int cx_ways_refuse(const cvs_pattern_options *o, const cx_recipe *r, cvs_error *err)
{
    if (o->variation == 0 && o->norm == 0 && o->blur == 0 && o->octaves <= 1) return 0;
    return cx_fail(err, CVS_E_ARG, "%s shows weights: nothing grows that could be held in check",
                   r->about.name);
}

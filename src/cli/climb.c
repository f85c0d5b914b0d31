/* climb.c - what the commands that climb have in common. */
#include "cli/climb.h"

#include "cli/options.h"
#include "cli/progress.h"

cvs_pattern_options cx_climb_options(const cx_options *o)
{
    return (cvs_pattern_options){.objective = o->objective,
                                 .steps = (int)o->steps,
                                 .variation = cx_option_weight(o->variation),
                                 .norm = cx_option_weight(o->norm),
                                 .norm_power = o->norm_power.value,
                                 .blur = cx_option_weight(o->blur),
                                 .octaves = (int)o->octaves,
                                 .octave_scale = o->octave_scale.value,
                                 .preprocess = (cvs_preprocess)o->preprocess,
                                 .seed = (uint64_t)o->seed,
                                 .exact = o->exact,
                                 .progress = cx_progress_tell};
}

/* guided_rule.h - the two rules of the walk back that let a rectifier pass more or less than its
 * derivative. */
#ifndef CX_METHODS_GUIDED_RULE_H
#define CX_METHODS_GUIDED_RULE_H

#include "graph/gradient.h"

/* Guided backpropagation (Springenberg et al. 2014): at every rectifier only what is positive goes
 * on, and only where the rectifier was open. */
extern const cx_rule cx_guided_rule;

/* Deconvolutional networks (Zeiler and Fergus 2013): what is positive goes on, whether the
 * rectifier was open or not. */
extern const cx_rule cx_deconvnet_rule;

#endif

/* options.c - the tables of commands and options. */
#include "cli/options.h"

#include <limits.h>
#include <string.h>

const cx_command cx_commands[CX_N_COMMANDS] = {
#define COMMAND(name, args, least, most, help) {#name, args, least, most, help, cx_cmd_##name},
#include "cli/commands.def"
#undef COMMAND
};

static const char *summary_style(int i)
{
    static const char *const words[] = {"keras2", "keras3"};
    return i < 2 ? words[i] : NULL;
}

/* In the order of the CVS_WRITE_ flags. */
static const char *file_format(int i)
{
    static const char *const words[] = {"png", "npy", "npz"};
    return i < 3 ? words[i] : NULL;
}

static const char *colour_scale(int i)
{
    static const char *const words[] = {"layer", "channel"};
    return i < 2 ? words[i] : NULL;
}

static const char *target(int i)
{
    static const char *const words[] = {"auto", "logit", "probability"};
    return i < 3 ? words[i] : NULL;
}

static const char *direction(int i)
{
    static const char *const words[] = {"up", "down"};
    return i < 2 ? words[i] : NULL;
}

static const char *quadrature(int i)
{
    static const char *const words[] = {"midpoint", "trapezoid", "gauss"};
    return i < 3 ? words[i] : NULL;
}

static const char *optimizer(int i)
{
    static const char *const words[] = {"rmsprop", "sgd", "adam", "adamw"};
    return i < 4 ? words[i] : NULL;
}

static const char *loss(int i)
{
    static const char *const words[] = {"auto", "binary_crossentropy", "categorical_crossentropy",
                                        "sparse_categorical_crossentropy", "mean_squared_error"};
    return i < 5 ? words[i] : NULL;
}

static const char *schedule(int i)
{
    static const char *const words[] = {"constant", "cosine", "plateau"};
    return i < 3 ? words[i] : NULL;
}

static const char *model_format(int i)
{
    static const char *const words[] = {"h5", "keras"};
    return i < 2 ? words[i] : NULL;
}

#define AT(member)  offsetof(cx_options, member)
#define ON(command) (1u << CX_COMMAND_##command)

enum {
    ALL = (1 << CX_N_COMMANDS) - 1,
    EXPLAINING = ON(heatmap) | ON(evaluate),
    COMPUTING = ON(predict) | ON(activations) | ON(report) | EXPLAINING,
    DREAMING = ON(dream) | ON(invert) | ON(caricature),
    CLIMBING = ON(filters) | DREAMING,
    LEARNING = ON(train) | ON(film),
};

const cx_option cx_option_table[] = {
    {"out", 'o', CX_TEXT, AT(out), "DIR", "convscope-out",
     ON(activations) | ON(examples) | ON(report) | CLIMBING | EXPLAINING | LEARNING,
     "where files go; made if missing, never emptied", NULL, 0, 0},
    {"layers", 0, CX_TEXT, AT(layers), "NAMES", "conv+pool", ON(activations) | ON(report),
     "which layers: all, conv+pool, or names with commas between them", NULL, 0, 0},
    {"layers", 0, CX_TEXT, AT(filter_layers), "NAMES", "conv", ON(filters) | ON(examples),
     "of which layers: conv, all, or names with commas between them", NULL, 0, 0},
    {"layers", 0, CX_TEXT, AT(dream_layers), "NAMES", NULL, ON(dream),
     "what to dream of: names with commas between them, each with :WEIGHT by wish; else several in "
     "the upper middle",
     NULL, 0, 0},
    {"layers", 0, CX_TEXT, AT(spread_layers), "NAMES", NULL, ON(invert) | ON(caricature),
     "which layers, with commas between them; else at most eight from the first to the last", NULL,
     0, 0},
    {"channels", 0, CX_TEXT, AT(channels), "LIST", NULL, ON(filters),
     "which channels of each layer: numbers and ranges, as 0-63,70; else all", NULL, 0, 0},
    {"method", 0, CX_TEXT, AT(recipe), "NAME", "lucid", ON(filters),
     "how to climb: lucid, maco, tkv, book1, book2, book3, or kernels, which draws the weights of "
     "a "
     "first layer; --list-methods",
     NULL, 0, 0},
    {"method", 0, CX_TEXT, AT(dream_method), "NAME", "lucid", ON(dream),
     "how to dream: lucid, or book, as Deep Learning with Python's second edition does", NULL, 0,
     0},
    {"list-methods", 0, CX_FLAG, AT(list_recipes), NULL, NULL, ON(filters),
     "tell the ways to climb and what defines them, and end", NULL, 0, 0},
    {"objective", 0, CX_TEXT, AT(objective), "TEXT", NULL, ON(filters) | ON(dream),
     "what to excite, as channel(NAME, 3) - 0.5 * channel(NAME, 7); else each channel by itself",
     NULL, 0, 0},
    {"steps", 0, CX_NUMBER, AT(steps), "N", NULL, CLIMBING,
     "steps of the climb; else the method's own number", NULL, 1, 1000000},
    {"size", 0, CX_NUMBER, AT(size), "N", NULL, ON(filters),
     "pixels of a side; else the model's own size, or twice what a channel sees", NULL, 8, 4096},
    {"size", 0, CX_NUMBER, AT(size), "N", NULL, DREAMING,
     "pixels of the longer side; else the photograph's own size for a dream, the model's for the "
     "others",
     NULL, 8, 4096},
    {"strength", 0, CX_REAL, AT(strength), "X", "1", ON(dream),
     "how far each step goes, as a multiple of the method's", NULL, 0, 1000},
    {"octaves", 0, CX_NUMBER, AT(octaves), "N", NULL, ON(filters) | ON(dream),
     "climb at so many sizes, the smallest first; else the method's own number", NULL, 1, 16},
    {"octave-scale", 0, CX_REAL, AT(octave_scale), "X", "1.4", ON(filters) | ON(dream),
     "from each size to the next", NULL, 1, 16},
    {"variation", 0, CX_REAL, AT(variation), "W", NULL, CLIMBING,
     "weight of the mean difference between neighbours, which is held low; else the method's own",
     NULL, 0, 1000000},
    {"norm", 0, CX_REAL, AT(norm), "W", NULL, CLIMBING,
     "weight of the mean distance from gray, which is held low; else the method's own", NULL, 0,
     1000000},
    {"norm-power", 0, CX_REAL, AT(norm_power), "P", "1", CLIMBING,
     "which norm that mean is: 1, 2 or any larger number", NULL, 1, 1000},
    {"blur", 0, CX_REAL, AT(blur), "SIGMA", NULL, CLIMBING,
     "blur by so many pixels after each step; else not at all", NULL, 0, 64},
    {"versions", 0, CX_NUMBER, AT(versions), "N", "1", ON(filters),
     "pictures of each channel; diversity(NAME) in an objective keeps them apart, t goes from 0 to "
     "1",
     NULL, 1, 64},
    {"start", 0, CX_TEXT, AT(start), "FILE", NULL, ON(filters),
     "a .npy with the picture to begin with; else noise", NULL, 0, 0},
    {"single", 0, CX_FLAG, AT(single), NULL, NULL, ON(filters),
     "also a picture of each channel by itself", NULL, 0, 0},
    {"film", 0, CX_FLAG, AT(film), NULL, NULL, ON(filters),
     "also an animated picture a layer, NN_NAME.webp, of the first 64 climbs", NULL, 0, 0},
    {"images", 0, CX_TEXT, AT(images), "DIR", NULL, ON(filters),
     "a folder of pictures: tell in how many of them each channel is dead", NULL, 0, 0},
    {"method", 0, CX_TEXT, AT(methods), "NAMES", "gradcam", EXPLAINING,
     "how: names with commas between them, or all: those that are not slow; --list-methods", NULL,
     0, 0},
    {"method", 0, CX_TEXT, AT(methods), "NAMES", NULL, ON(report),
     "which heatmaps, with commas between them, the first shown at first; else six quick ones",
     NULL, 0, 0},
    {"filters", 0, CX_FLAG, AT(with_patterns), NULL, NULL, ON(report),
     "also find what excites the eight strongest channels of each convolution, which takes long",
     NULL, 0, 0},
    {"list-methods", 0, CX_FLAG, AT(list_methods), NULL, NULL, ON(heatmap),
     "tell the methods, what defines them, what they need and cost, and end", NULL, 0, 0},
    {"layer", 0, CX_TEXTS, AT(layer_sets), "NAMES", NULL, EXPLAINING,
     "which layers a class activation map is made from, with commas between them; several times "
     "for maps side by side; else the last map before the answer becomes a vector",
     NULL, 0, 0},
    {"class", 0, CX_TEXT, AT(classes_asked), "LIST", NULL, EXPLAINING,
     "for which classes: numbers or names, with commas between them; else the predicted one", NULL,
     0, 0},
    {"class", 0, CX_TEXT, AT(classes_asked), "LIST", NULL, ON(report),
     "for which classes: numbers or names, with commas between them; else the two likeliest", NULL,
     0, 0},
    {"target", 0, CX_WORD, AT(target), "WHAT", "auto", ON(report) | EXPLAINING,
     "the score before the final sigmoid or softmax, or the probability after it; auto is logit, "
     "but probability for methods that change the input and measure",
     target, 0, 0},
    {"direction", 0, CX_WORD, AT(direction), "WHICH", "up", EXPLAINING,
     "of a model whose output is a number: what makes it larger or smaller", direction, 0, 0},
    {"steps", 0, CX_NUMBER, AT(steps), "N", NULL, EXPLAINING,
     "samples, points or masks of methods that take many; else the method's own number", NULL, 1,
     1000000},
    {"quadrature", 0, CX_WORD, AT(quadrature), "RULE", "midpoint", EXPLAINING,
     "which points integrated gradients take", quadrature, 0, 0},
    {"baseline", 0, CX_TEXT, AT(baseline), "WHAT", "zero", EXPLAINING,
     "what stands for nothing: zero, mean (of the input), or a .npy file", NULL, 0, 0},
    {"references", 0, CX_TEXT, AT(references), "PATH", NULL, EXPLAINING,
     "of expected gradients: the inputs to begin from, a folder of pictures or a file", NULL, 0, 0},
    {"rules", 0, CX_TEXT, AT(rules), "RULES", "epsilon-plus-flat", EXPLAINING,
     "of lrp: a composite, or PATTERN=RULE with commas between them, as conv*=gamma(0.25)", NULL, 0,
     0},
    {"window", 0, CX_NUMBER, AT(window), "N", NULL, EXPLAINING,
     "of occlusion: pixels of a side; else a fourteenth of the picture, 8 at least", NULL, 1,
     30000},
    {"stride", 0, CX_NUMBER, AT(stride), "N", NULL, EXPLAINING,
     "of occlusion: pixels between windows; else half a window", NULL, 1, 30000},
    {"segments", 0, CX_NUMBER, AT(segments), "N", NULL, EXPLAINING,
     "of lime and kernelshap: about how many regions the picture is cut into; else 50", NULL, 2,
     1000},
    {"signed", 0, CX_FLAG, AT(is_signed), NULL, NULL, EXPLAINING,
     "keep what speaks against the class in class activation maps", NULL, 0, 0},
    {"counterfactual", 0, CX_FLAG, AT(counterfactual), NULL, NULL, EXPLAINING,
     "what would have to go for the class to be less likely", NULL, 0, 0},
    {"eigen-smooth", 0, CX_FLAG, AT(eigen_smooth), NULL, NULL, EXPLAINING,
     "class activation maps are the first principal component of the weighted channels, not their "
     "sum",
     NULL, 0, 0},
    {"aug-smooth", 0, CX_FLAG, AT(aug_smooth), NULL, NULL, EXPLAINING,
     "class activation maps are the mean over the input and its mirror image, times 0.9, 1 and 1.1",
     NULL, 0, 0},
    {"memory", 0, CX_NUMBER, AT(memory), "MIB", NULL, ON(filters) | EXPLAINING,
     "what batches may take of it; else what is quickest, 512 at most", NULL, 1, 1000000},
    {"metrics", 0, CX_TEXT, AT(metrics), "NAMES", NULL, ON(evaluate),
     "which measures, with commas between them: deletion, insertion, road, average-drop, increase, "
     "infidelity, max-sensitivity, pointing, sanity; else all, but of slow methods neither "
     "max-sensitivity nor sanity",
     NULL, 0, 0},
    {"mask", 0, CX_TEXT, AT(mask), "PATH", NULL, ON(evaluate),
     "where the object is, for pointing: a picture of the whole input, light there and dark "
     "elsewhere, or a folder of such, called like the inputs",
     NULL, 0, 0},
    {"points", 0, CX_NUMBER, AT(points), "N", "100", ON(evaluate),
     "steps of the curves of deletion and insertion", NULL, 2, 10000},
    {"samples", 0, CX_NUMBER, AT(samples), "N", NULL, ON(evaluate),
     "of measures that sample; else the measure's own number", NULL, 2, 100000},
    {"preset", 0, CX_WORD, AT(preset), "STYLE", "default", ON(heatmap),
     "ours, or the target and overlay of an edition of Deep Learning with Python or R",
     cvs_style_name, 0, 0},
    {"format", 0, CX_WORDS, AT(formats), "LIST", "png", ON(activations) | ON(heatmap) | CLIMBING,
     "which files are written, with commas between them", file_format, 0, 0},
    {"style", 0, CX_WORD, AT(style), "STYLE", "default", ON(activations),
     "whose pictures: ours, or those of an edition of Deep Learning with Python or R",
     cvs_style_name, 0, 0},
    {"scale", 0, CX_WORD, AT(channel_scale), "RANGE", "layer", ON(activations),
     "what has one colour scale, in the default style", colour_scale, 0, 0},
    {"style", 0, CX_WORD, AT(summary_style), "STYLE", "keras2", ON(summary),
     "which Keras the table looks like", summary_style, 0, 0},
    {"expand", 0, CX_FLAG, AT(expand), NULL, NULL, ON(summary),
     "the layers of nested models too, as Keras' expand_nested", NULL, 0, 0},
    {"width", 0, CX_NUMBER, AT(width), "N", NULL, ON(summary),
     "columns of the table, Keras' line_length; else as many as Keras takes", NULL, 40, 1000},
    {"graph", 0, CX_TEXT, AT(graph), "FILE", NULL, ON(summary),
     "also draw the network as a flow chart, an SVG file", NULL, 0, 0},
    {"data", 0, CX_TEXT, AT(data), "DIR", NULL, ON(train),
     "the pictures to learn from, a subfolder a class", NULL, 0, 0},
    {"validation", 0, CX_TEXT, AT(validation), "DIR", NULL, ON(train),
     "pictures of the same classes to test with after each epoch", NULL, 0, 0},
    {"split", 0, CX_REAL, AT(share), "SHARE", NULL, ON(train),
     "without --validation: the share of the pictures to test with, the first of each class", NULL,
     0, 1},
    {"epochs", 0, CX_NUMBER, AT(epochs), "N", "30", ON(train), "how often each picture is seen",
     NULL, 1, 1000000},
    {"batch", 0, CX_NUMBER, AT(batch), "N", "32", ON(train), "pictures a step", NULL, 1, 65536},
    {"optimizer", 0, CX_WORD, AT(optimizer), "NAME", "rmsprop", ON(train),
     "how weights follow the derivatives", optimizer, 0, 0},
    {"rate", 0, CX_REAL, AT(rate), "X", NULL, ON(train),
     "the learning rate; else 0.0001, of sgd 0.01", NULL, 0, 1000},
    {"momentum", 0, CX_REAL, AT(momentum), "X", NULL, ON(train), "of sgd and rmsprop; else 0", NULL,
     0, 1},
    {"nesterov", 0, CX_FLAG, AT(nesterov), NULL, NULL, ON(train), "Nesterov's momentum, of sgd",
     NULL, 0, 0},
    {"weight-decay", 0, CX_REAL, AT(weight_decay), "X", NULL, ON(train),
     "decoupled; else 0, of adamw 0.004", NULL, 0, 1},
    {"schedule", 0, CX_WORD, AT(schedule), "NAME", "constant", ON(train),
     "how the rate goes: constant, cosine (down to 0 over all epochs), or plateau (a tenth after 5 "
     "epochs that are not better)",
     schedule, 0, 0},
    {"loss", 0, CX_WORD, AT(loss), "NAME", "auto", ON(train),
     "what is made small; auto is what goes with the model's last activation", loss, 0, 0},
    {"from-logits", 0, CX_FLAG, AT(from_logits), NULL, NULL, ON(train),
     "the model ends before a sigmoid or softmax", NULL, 0, 0},
    {"label-smoothing", 0, CX_REAL, AT(label_smoothing), "X", NULL, ON(train),
     "how far targets are moved from 0 and 1; else 0", NULL, 0, 1},
    {"augment", 0, CX_WORD, AT(augment), "NAME", "none", ON(train),
     "how pictures are varied: none, book (the first edition's ImageDataGenerator), or layers (the "
     "second's RandomFlip, RandomRotation and RandomZoom)",
     cvs_augment_name, 0, 0},
    {"dropout", 0, CX_REAL, AT(dropout), "RATE", NULL, ON(train),
     "of the default network: a Dropout before the dense layers; else none", NULL, 0, 1},
    {"class-weights", 0, CX_TEXT, AT(class_weights), "LIST", NULL, ON(train),
     "balanced, or a number for each class, with commas between them: by what its losses are "
     "multiplied",
     NULL, 0, 0},
    {"freeze", 0, CX_TEXT, AT(freeze), "NAMES", NULL, ON(train),
     "layers or nested models that stay as they are, with commas between them", NULL, 0, 0},
    {"head", 0, CX_FLAG, AT(head), NULL, NULL, ON(train),
     "of a MODEL: a new last layer for the folder's classes", NULL, 0, 0},
    {"lean", 0, CX_FLAG, AT(lean), NULL, NULL, ON(convert),
     "leave out layers that act in training only, as Dropout does", NULL, 0, 0},
    {"patience", 0, CX_NUMBER, AT(patience), "N", NULL, ON(train),
     "stop after so many epochs that are not better; else never", NULL, 1, 1000000},
    {"format", 0, CX_WORDS, AT(model_formats), "LIST", "h5", ON(train),
     "which files of the model are written, with commas between them", model_format, 0, 0},
    {"probe", 0, CX_TEXTS, AT(probes), "IMAGE", NULL, ON(train),
     "a picture that is looked at after each epoch, for a film; several times for up to four", NULL,
     0, 0},
    {"resume", 0, CX_FLAG, AT(resume), NULL, NULL, ON(train),
     "go on where training in DIR was stopped or killed, with the same options", NULL, 0, 0},
    {"classes", 0, CX_TEXT, AT(classes), "FILE", NULL,
     ON(predict) | ON(report) | EXPLAINING | ON(film),
     "class names, one a line; else MODEL.classes.txt or, for NAME.h5, NAME.classes.txt or "
     "NAME.txt, where its length fits",
     NULL, 0, 0},
    {"classes", 0, CX_TEXT, AT(classes), "FILE", NULL, ON(train),
     "the classes, a subfolder's name a line, in their order; else all subfolders by name. A MODEL "
     "for another number of classes gets a new last layer",
     NULL, 0, 0},
    {"top", 0, CX_NUMBER, AT(top), "K", "5", ON(predict), "how many classes are shown", NULL, 1,
     1000000},
    {"top", 0, CX_NUMBER, AT(examples), "K", "9", ON(examples), "pictures of each channel", NULL, 1,
     64},
    {"whole", 0, CX_FLAG, AT(whole), NULL, NULL, ON(examples),
     "whole pictures, not the parts of them that were seen", NULL, 0, 0},
    {"output", 0, CX_TEXT, AT(output), "NAME", NULL, ON(predict) | ON(report) | EXPLAINING,
     "which output of a model with several; else the first", NULL, 0, 0},
    {"input", 0, CX_TEXTS, AT(inputs), "NAME=FILE", NULL, COMPUTING,
     "what one input of the model is given, by its Keras name; once for each input of a model with "
     "several, in the place of INPUT",
     NULL, 0, 0},
    {"preprocess", 0, CX_WORD, AT(preprocess), "MODE", "auto",
     COMPUTING | CLIMBING | LEARNING | ON(examples),
     "how pixel values become numbers; auto is unit, but raw where the model itself begins by "
     "rescaling",
     cvs_preprocess_name, 0, 0},
    {"resize", 0, CX_WORD, AT(resize), "MODE", "nearest",
     COMPUTING | ON(filters) | LEARNING | ON(examples), "how a picture gets the model's size",
     cvs_resize_name, 0, 0},
    {"exif", 0, CX_FLAG, AT(exif), NULL, NULL, COMPUTING | CLIMBING | ON(examples),
     "turn pictures as their EXIF orientation says, which Keras does not", NULL, 0, 0},
    {"architecture", 0, CX_TEXT, AT(architecture), "FILE", NULL, ALL,
     "JSON that describes the model, for a file of weights only", NULL, 0, 0},
    {"exact", 0, CX_FLAG, AT(exact), NULL, NULL, ALL,
     "direct convolutions only, no fast transforms", NULL, 0, 0},
    {"threads", 0, CX_NUMBER, AT(threads), "N", NULL, ALL, "worker threads; else one a core", NULL,
     1, 256},
    {"seed", 0, CX_NUMBER, AT(seed), "N", "0", ALL, "seed of every random choice", NULL, 0,
     INT64_MAX},
    {"json", 0, CX_FLAG, AT(json), NULL, NULL, ALL, "answer for machines on stdout", NULL, 0, 0},
    {"no-progress", 0, CX_FLAG, AT(no_progress), NULL, NULL, ALL, "no progress bar", NULL, 0, 0},
    {"quiet", 'q', CX_FLAG, AT(quiet), NULL, NULL, ALL, "errors only on stderr", NULL, 0, 0},
    {"verbose", 'v', CX_FLAG, AT(verbose), NULL, NULL, ALL, "more on stderr: choices and times",
     NULL, 0, 0},
    {"help", 'h', CX_FLAG, AT(help), NULL, NULL, ALL, "tell the options and end", NULL, 0, 0},
    {"version", 0, CX_FLAG, AT(version), NULL, NULL, ALL,
     "tell the version and what the program was built with, and end", NULL, 0, 0},
    {"dump-options", 0, CX_FLAG, AT(dump), NULL, NULL, ALL, NULL, NULL, 0, 0},
    {0},
};

const cx_option *cx_option_find(const char *name, size_t len, char letter, unsigned commands)
{
    for (const cx_option *o = cx_option_table; o->name; o++) {
        if (!(o->commands & commands)) continue;
        if (name ? strlen(o->name) == len && memcmp(o->name, name, len) == 0
                 : letter && o->letter == letter)
            return o;
    }
    return NULL;
}

const cx_command *cx_command_find(const char *name)
{
    for (int i = 0; i < CX_N_COMMANDS; i++)
        if (cx_streq(cx_commands[i].name, name)) return &cx_commands[i];
    return NULL;
}

double cx_option_weight(cx_real said)
{
    return said.is_said && said.value == 0 ? -1 : said.value;
}

void cx_option_words(cx_str *out, const cx_option *option)
{
    for (int i = 0; option->word(i); i++) cx_str_addf(out, "%s%s", i ? ", " : "", option->word(i));
}

void cx_command_names(cx_str *out, unsigned commands)
{
    const char *comma = "";
    for (int i = 0; i < CX_N_COMMANDS; i++) {
        if (!(commands & 1u << i)) continue;
        cx_str_addf(out, "%s%s", comma, cx_commands[i].name);
        comma = ", ";
    }
}

/* colormap.c - colour maps. Viridis and magma are matplotlib's tables (CC0, by S. van der Walt, N.
 * Smith and E. Firing) as the bytes that it draws with, the fraction of 255 cut off. */
#include "draw/colormap.h"

#include <math.h>

static const uint32_t viridis[CX_MAP_SIZE] = {
    0x440154, 0x440255, 0x440357, 0x450558, 0x45065a, 0x45085b, 0x46095c, 0x460b5e, 0x460c5f,
    0x460e61, 0x470f62, 0x471163, 0x471265, 0x471466, 0x471567, 0x471669, 0x47186a, 0x48196b,
    0x481a6c, 0x481c6e, 0x481d6f, 0x481e70, 0x482071, 0x482172, 0x482273, 0x482374, 0x472575,
    0x472676, 0x472777, 0x472878, 0x472a79, 0x472b7a, 0x472c7b, 0x462d7c, 0x462f7c, 0x46307d,
    0x46317e, 0x45327f, 0x45347f, 0x453580, 0x453681, 0x443781, 0x443982, 0x433a83, 0x433b83,
    0x433c84, 0x423d84, 0x423e85, 0x424085, 0x414186, 0x414286, 0x404387, 0x404487, 0x3f4587,
    0x3f4788, 0x3e4888, 0x3e4989, 0x3d4a89, 0x3d4b89, 0x3d4c89, 0x3c4d8a, 0x3c4e8a, 0x3b508a,
    0x3b518a, 0x3a528b, 0x3a538b, 0x39548b, 0x39558b, 0x38568b, 0x38578c, 0x37588c, 0x37598c,
    0x365a8c, 0x365b8c, 0x355c8c, 0x355d8c, 0x345e8d, 0x345f8d, 0x33608d, 0x33618d, 0x32628d,
    0x32638d, 0x31648d, 0x31658d, 0x31668d, 0x30678d, 0x30688d, 0x2f698d, 0x2f6a8d, 0x2e6b8e,
    0x2e6c8e, 0x2e6d8e, 0x2d6e8e, 0x2d6f8e, 0x2c708e, 0x2c718e, 0x2c728e, 0x2b738e, 0x2b748e,
    0x2a758e, 0x2a768e, 0x2a778e, 0x29788e, 0x29798e, 0x287a8e, 0x287a8e, 0x287b8e, 0x277c8e,
    0x277d8e, 0x277e8e, 0x267f8e, 0x26808e, 0x26818e, 0x25828e, 0x25838d, 0x24848d, 0x24858d,
    0x24868d, 0x23878d, 0x23888d, 0x23898d, 0x22898d, 0x228a8d, 0x228b8d, 0x218c8d, 0x218d8c,
    0x218e8c, 0x208f8c, 0x20908c, 0x20918c, 0x1f928c, 0x1f938b, 0x1f948b, 0x1f958b, 0x1f968b,
    0x1e978a, 0x1e988a, 0x1e998a, 0x1e998a, 0x1e9a89, 0x1e9b89, 0x1e9c89, 0x1e9d88, 0x1e9e88,
    0x1e9f88, 0x1ea087, 0x1fa187, 0x1fa286, 0x1fa386, 0x20a485, 0x20a585, 0x21a685, 0x21a784,
    0x22a784, 0x23a883, 0x23a982, 0x24aa82, 0x25ab81, 0x26ac81, 0x27ad80, 0x28ae7f, 0x29af7f,
    0x2ab07e, 0x2bb17d, 0x2cb17d, 0x2eb27c, 0x2fb37b, 0x30b47a, 0x32b57a, 0x33b679, 0x35b778,
    0x36b877, 0x38b976, 0x39b976, 0x3bba75, 0x3dbb74, 0x3ebc73, 0x40bd72, 0x42be71, 0x44be70,
    0x45bf6f, 0x47c06e, 0x49c16d, 0x4bc26c, 0x4dc26b, 0x4fc369, 0x51c468, 0x53c567, 0x55c666,
    0x57c665, 0x59c764, 0x5bc862, 0x5ec961, 0x60c960, 0x62ca5f, 0x64cb5d, 0x67cc5c, 0x69cc5b,
    0x6bcd59, 0x6dce58, 0x70ce56, 0x72cf55, 0x74d054, 0x77d052, 0x79d151, 0x7cd24f, 0x7ed24e,
    0x81d34c, 0x83d34b, 0x86d449, 0x88d547, 0x8bd546, 0x8dd644, 0x90d643, 0x92d741, 0x95d73f,
    0x97d83e, 0x9ad83c, 0x9dd93a, 0x9fd938, 0xa2da37, 0xa5da35, 0xa7db33, 0xaadb32, 0xaddc30,
    0xafdc2e, 0xb2dd2c, 0xb5dd2b, 0xb7dd29, 0xbade27, 0xbdde26, 0xbfdf24, 0xc2df22, 0xc5df21,
    0xc7e01f, 0xcae01e, 0xcde01d, 0xcfe11c, 0xd2e11b, 0xd4e11a, 0xd7e219, 0xdae218, 0xdce218,
    0xdfe318, 0xe1e318, 0xe4e318, 0xe7e419, 0xe9e419, 0xece41a, 0xeee51b, 0xf1e51c, 0xf3e51e,
    0xf6e61f, 0xf8e621, 0xfae622, 0xfde724,
};

static const uint32_t magma[CX_MAP_SIZE] = {
    0x000003, 0x000004, 0x000006, 0x010007, 0x010109, 0x01010b, 0x02020d, 0x02020f, 0x030311,
    0x040313, 0x040415, 0x050417, 0x060519, 0x07051b, 0x08061d, 0x09071f, 0x0a0722, 0x0b0824,
    0x0c0926, 0x0d0a28, 0x0e0a2a, 0x0f0b2c, 0x100c2f, 0x110c31, 0x120d33, 0x140d35, 0x150e38,
    0x160e3a, 0x170f3c, 0x180f3f, 0x1a1041, 0x1b1044, 0x1c1046, 0x1e1049, 0x1f114b, 0x20114d,
    0x221150, 0x231152, 0x251155, 0x261157, 0x281159, 0x2a115c, 0x2b115e, 0x2d1060, 0x2f1062,
    0x301065, 0x321067, 0x341068, 0x350f6a, 0x370f6c, 0x390f6e, 0x3b0f6f, 0x3c0f71, 0x3e0f72,
    0x400f73, 0x420f74, 0x430f75, 0x450f76, 0x470f77, 0x481078, 0x4a1079, 0x4b1079, 0x4d117a,
    0x4f117b, 0x50127b, 0x52127c, 0x53137c, 0x55137d, 0x57147d, 0x58157e, 0x5a157e, 0x5b167e,
    0x5d177e, 0x5e177f, 0x60187f, 0x61187f, 0x63197f, 0x651a80, 0x661a80, 0x681b80, 0x691c80,
    0x6b1c80, 0x6c1d80, 0x6e1e81, 0x6f1e81, 0x711f81, 0x731f81, 0x742081, 0x762181, 0x772181,
    0x792281, 0x7a2281, 0x7c2381, 0x7e2481, 0x7f2481, 0x812581, 0x822581, 0x842681, 0x852681,
    0x872781, 0x892881, 0x8a2881, 0x8c2980, 0x8d2980, 0x8f2a80, 0x912a80, 0x922b80, 0x942b80,
    0x952c80, 0x972c7f, 0x992d7f, 0x9a2d7f, 0x9c2e7f, 0x9e2e7e, 0x9f2f7e, 0xa12f7e, 0xa3307e,
    0xa4307d, 0xa6317d, 0xa7317d, 0xa9327c, 0xab337c, 0xac337b, 0xae347b, 0xb0347b, 0xb1357a,
    0xb3357a, 0xb53679, 0xb63679, 0xb83778, 0xb93778, 0xbb3877, 0xbd3977, 0xbe3976, 0xc03a75,
    0xc23a75, 0xc33b74, 0xc53c74, 0xc63c73, 0xc83d72, 0xca3e72, 0xcb3e71, 0xcd3f70, 0xce4070,
    0xd0416f, 0xd1426e, 0xd3426d, 0xd4436d, 0xd6446c, 0xd7456b, 0xd9466a, 0xda4769, 0xdc4869,
    0xdd4968, 0xde4a67, 0xe04b66, 0xe14c66, 0xe24d65, 0xe44e64, 0xe55063, 0xe65162, 0xe75262,
    0xe85461, 0xea5560, 0xeb5660, 0xec585f, 0xed595f, 0xee5b5e, 0xee5d5d, 0xef5e5d, 0xf0605d,
    0xf1615c, 0xf2635c, 0xf3655c, 0xf3675b, 0xf4685b, 0xf56a5b, 0xf56c5b, 0xf66e5b, 0xf6705b,
    0xf7715b, 0xf7735c, 0xf8755c, 0xf8775c, 0xf9795c, 0xf97b5d, 0xf97d5d, 0xfa7f5e, 0xfa805e,
    0xfa825f, 0xfb8460, 0xfb8660, 0xfb8861, 0xfb8a62, 0xfc8c63, 0xfc8e63, 0xfc9064, 0xfc9265,
    0xfc9366, 0xfd9567, 0xfd9768, 0xfd9969, 0xfd9b6a, 0xfd9d6b, 0xfd9f6c, 0xfda16e, 0xfda26f,
    0xfda470, 0xfea671, 0xfea873, 0xfeaa74, 0xfeac75, 0xfeae76, 0xfeaf78, 0xfeb179, 0xfeb37b,
    0xfeb57c, 0xfeb77d, 0xfeb97f, 0xfebb80, 0xfebc82, 0xfebe83, 0xfec085, 0xfec286, 0xfec488,
    0xfec689, 0xfec78b, 0xfec98d, 0xfecb8e, 0xfdcd90, 0xfdcf92, 0xfdd193, 0xfdd295, 0xfdd497,
    0xfdd698, 0xfdd89a, 0xfdda9c, 0xfddc9d, 0xfddd9f, 0xfddfa1, 0xfde1a3, 0xfce3a5, 0xfce5a6,
    0xfce6a8, 0xfce8aa, 0xfceaac, 0xfcecae, 0xfceeb0, 0xfcf0b1, 0xfcf1b3, 0xfcf3b5, 0xfcf5b7,
    0xfbf7b9, 0xfbf9bb, 0xfbfabd, 0xfbfcbf,
};

/* Linear between the entries of a table. */
static void from_table(double rgb[3], const uint32_t *table, double t)
{
    double place = t * (CX_MAP_SIZE - 1);
    int i = (int)place;
    double f = place - i;
    uint32_t a = table[i], b = table[f > 0 ? i + 1 : i];
    for (int c = 0; c < 3; c++) {
        int shift = 16 - 8 * c;
        rgb[c] = ((a >> shift & 255) * (1 - f) + (b >> shift & 255) * f) / 255;
    }
}

/* In units of table entries, as matplotlib does it: its bytes are cut off, so the last bit counts.
 */
static double between(double t, double t0, double v0, double t1, double v1)
{
    const double last = CX_MAP_SIZE - 1;
    return (t * last - t0 * last) / (t1 * last - t0 * last) * (v1 - v0) + v0;
}

/* One channel of jet: 0, rises to 1 from a to b, stays, falls to 0 from c to d. */
static double trapezoid(double t, double a, double b, double c, double d)
{
    if (t <= a || t >= d) return 0;
    if (t < b) return between(t, a, 0, b, 1);
    return t <= c ? 1 : between(t, c, 1, d, 0);
}

/* Its red ends and its blue begins at one half. */
void cx_jet(double rgb[3], double t)
{
    rgb[0] = t <= 0.89 ? trapezoid(t, 0.35, 0.66, 0.89, 2) : between(t, 0.89, 1, 1, 0.5);
    rgb[1] = trapezoid(t, 0.125, 0.375, 0.64, 0.91);
    rgb[2] = t < 0.11 ? between(t, 0, 0.5, 0.11, 1) : trapezoid(t, -1, 0.11, 0.34, 0.65);
}

/* Ottosson's OKLab to sRGB (https://bottosson.github.io/posts/oklab). */
static void from_oklab(double rgb[3], double light, double a, double b)
{
    double l = pow(light + 0.3963377774 * a + 0.2158037573 * b, 3);
    double m = pow(light - 0.1055613458 * a - 0.0638541728 * b, 3);
    double s = pow(light - 0.0894841775 * a - 1.2914855480 * b, 3);
    rgb[0] = 4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s;
    rgb[1] = -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s;
    rgb[2] = -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s;
    for (int c = 0; c < 3; c++) {
        double x = rgb[c] < 0 ? 0 : rgb[c];
        rgb[c] = x <= 0.0031308 ? 12.92 * x : 1.055 * pow(x, 1 / 2.4) - 0.055;
    }
}

/* Two arms of one hue each; lightness falls evenly and alike on both, so that a value and its
 * negative weigh the same on the eye. Chroma is as high as the screen's blue allows. */
static void diverging(double rgb[3], double t)
{
    const double degree = 3.14159265358979323846 / 180;
    double size = fabs(2 * t - 1);
    double hue = (t < 0.5 ? 252 : 30) * degree;
    double light = 0.985 - 0.605 * size;
    double chroma = 0.372 * size * (1 - 0.62 * size);
    from_oklab(rgb, light, chroma * cos(hue), chroma * sin(hue));
}

void cx_colormap_fill(uint8_t *rgb, int n, cx_colormap map)
{
    for (int i = 0; i < n; i++) {
        double t = n == 1 ? 0 : i == n - 1 ? 1 : i * (1.0 / (n - 1));
        double colour[3] = {t, t, t};
        double rounding = 0.5;
        switch (map) {
        case CX_MAP_VIRIDIS:
            from_table(colour, viridis, t);
            break;
        case CX_MAP_MAGMA:
            from_table(colour, magma, t);
            break;
        case CX_MAP_DIVERGING:
            diverging(colour, t);
            break;
        case CX_MAP_JET:
            cx_jet(colour, t);
            rounding = 0; /* the tables above hold what was cut off */
            break;
        case CX_MAP_GRAY:
            break;
        }
        for (int c = 0; c < 3; c++) {
            double v = colour[c] * 255 + rounding;
            rgb[3 * i + c] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
        }
    }
}

int cx_colormap_index(double x, int n)
{
    if (!(x > 0)) return 0;
    return x >= 1 ? n - 1 : (int)(x * n);
}

/* --- terrain.colors --- */

static double value_in(double from, double to, int i, int n)
{
    return i == 0 ? from : i == n - 1 ? to : from + i * ((to - from) / (n - 1));
}

static void from_hsv(uint8_t rgb[3], double h, double s, double v)
{
    double sector = floor(6 * h), f = 6 * h - sector;
    double p = v * (1 - s), q = v * (1 - s * f), t = v * (1 - s * (1 - f));
    const double all[6][3] = {{v, t, p}, {q, v, p}, {p, v, t}, {p, q, v}, {t, p, v}, {v, p, q}};
    const double *c = all[(int)sector % 6];
    for (int i = 0; i < 3; i++) rgb[i] = (uint8_t)(255 * c[i] + 0.5);
}

/* Green to yellow over the first half of the colours, then from yellow, which is counted once, over
 * brown to nearly white. */
void cx_terrain_colors(uint8_t *rgb, int n)
{
    int k = n / 2, rest = n - k + 1;
    for (int i = 0; i < k; i++)
        from_hsv(rgb + 3 * i, value_in(4 / 12.0, 2 / 12.0, i, k), 1, value_in(0.65, 0.9, i, k));
    for (int i = 1; i < rest; i++)
        from_hsv(rgb + 3 * (k + i - 1), value_in(2 / 12.0, 0, i, rest), value_in(1, 0, i, rest),
                 value_in(0.9, 0.95, i, rest));
}

/* --- OpenCV's jet --- */

/* A ramp of 4 levels a colour between 0 and 255, the half that it begins with rounded to even. */
static uint8_t ramp(int v)
{
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

void cx_opencv_jet(uint8_t rgb[3 * CX_MAP_SIZE])
{
    for (int i = 0; i < CX_MAP_SIZE; i++, rgb += 3) {
        rgb[0] = ramp(i < 192 ? 4 * i - 382 : 1148 - 4 * i);
        rgb[1] = ramp(i < 128 ? 4 * i - 128 : 892 - 4 * i);
        rgb[2] = ramp(i < 64 ? 4 * i + 128 : 638 - 4 * i);
    }
}

/* --- hcl.colors --- */

/* Of CIE's LUV by hue in degrees, chroma and lightness, with R's constants. */
static void from_hcl(uint8_t rgb[3], double hue, double chroma, double light)
{
    const double degree = 3.14159265358979323846 / 180;
    double y = pow((light + 16) / 116, 3);
    double u = chroma * cos(hue * degree) / (13 * light) + 0.1978398;
    double v = chroma * sin(hue * degree) / (13 * light) + 0.4683363;
    double x = 9 * y * u / (4 * v), z = 3 * y / v - 5 * y - x / 3;
    const double linear[3] = {3.240479 * x - 1.537150 * y - 0.498535 * z,
                              -0.969256 * x + 1.875992 * y + 0.041556 * z,
                              0.055648 * x - 0.204043 * y + 1.057311 * z};
    for (int c = 0; c < 3; c++) {
        double a =
            linear[c] > 0.00304 ? 1.055 * pow(linear[c], 1 / 2.4) - 0.055 : 12.92 * linear[c];
        rgb[c] = ramp((int)floor(255 * a + 0.5));
    }
}

/* From the middle, yellow and light, at i = 0 to an end at 1. Chroma of the red arm rises to 120
 * before it falls to the end's 90. */
static void spectral_arm(uint8_t rgb[3], double i, int is_red)
{
    const double peak = 1 / (1 + 30 / 75.0);
    double chroma =
        is_red ? i <= peak ? 45 + 75 * i / peak : 120 - 30 * (i - peak) / (1 - peak) : 45 + 20 * i;
    from_hcl(rgb, is_red ? 85 - 85 * i : 85 + 185 * i, chroma, 98 - 61 * pow(i, 1.2));
}

void cx_spectral_colors(uint8_t *rgb, int n)
{
    for (int k = 0; k < (n + 1) / 2; k++) {
        double i = n > 1 ? 1 - 2.0 * k / (n - 1) : 1;
        spectral_arm(rgb + 3 * (n - 1 - k), i, 0);
        spectral_arm(rgb + 3 * k, i, 1);
    }
}

/* words.c - lines of text and colour bars. */
#include "draw/words.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

enum {
    BAR_TICK = 4,
    BAR_BASE = 4, /* from the block's lower edge to the numbers' baseline */
};

void cx_pen_put(cx_pen *p, const char *text)
{
    if (p->canvas)
        cx_canvas_text(p->canvas, p->font, p->size, p->x, p->y, (uint8_t)CX_GRAY(p->ink), text);
    p->x += cx_font_width(p->font, p->size, text);
}

void cx_pen_new_line(cx_pen *p)
{
    p->x = p->left;
    p->y += p->size < CX_TEXT_SIZE ? CX_LINE - 4 : p->size < CX_TITLE_SIZE ? CX_LINE : CX_LINE + 8;
}

void cx_pen_put_within(cx_pen *p, const char *text, int room)
{
    char kept[512];
    size_t n = 0, fits = 0;
    int width = 0, dots = cx_font_width(p->font, p->size, "…");
    if (cx_font_width(p->font, p->size, text) <= room) {
        cx_pen_put(p, text);
        return;
    }
    for (const char *next = text; *next && n < sizeof kept - 8; fits = n) {
        width += cx_font_next(p->font, p->size, &next)->advance;
        if (width + dots > room) break;
        n = (size_t)(next - text);
    }
    if (fits > sizeof kept - 4) fits = sizeof kept - 4;
    memcpy(kept, text, fits);
    memcpy(kept + fits, "…", sizeof "…");
    cx_pen_put(p, kept);
}

void cx_pen_item(cx_pen *p, const char *text)
{
    static const char dot[] = "  ·  ";
    int width = cx_font_width(p->font, p->size, text);
    if (p->x > p->left) {
        if (p->x + cx_font_width(p->font, p->size, dot) + width <= p->left + p->width)
            cx_pen_put(p, dot);
        else
            cx_pen_new_line(p);
    }
    cx_pen_put_within(p, text, p->left + p->width - p->x);
}

void cx_pen_paragraph(cx_pen *p, const char *text)
{
    char word[256];
    const int space = cx_font_width(p->font, p->size, " "), end = p->left + p->width;
    for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
        size_t n = strcspn(text, " "), kept = n < sizeof word ? n : sizeof word - 1;
        memcpy(word, text, kept);
        word[kept] = 0;
        text += n;
        int width = cx_font_width(p->font, p->size, word);
        if (p->x > p->left && p->x + space + width > end) cx_pen_new_line(p);
        if (p->x > p->left) p->x += space;
        cx_pen_put_within(p, word, end - p->x);
    }
}

void cx_pen_lines(cx_pen *p, int size, int ink, const char *text)
{
    if (!text || !*text) return;
    p->size = size;
    p->ink = ink;
    cx_pen_paragraph(p, text);
    cx_pen_new_line(p);
}

int cx_heading_draw(cx_canvas *canvas, cx_font *font, const cx_heading *h, int x, int y, int width)
{
    cx_pen p = {.canvas = canvas, .font = font, .left = x, .width = width, .x = x};
    int begin = p.y = y + CX_TITLE_SIZE - 4;
    cx_pen_lines(&p, CX_TITLE_SIZE, CX_TITLE_INK, h->title);
    if (p.y > begin) p.y -= 4;
    cx_pen_lines(&p, CX_TEXT_SIZE, CX_TEXT_INK, h->subtitle);
    p.y += 2;
    cx_pen_lines(&p, CX_CLASS_SIZE, CX_TITLE_INK, h->note);
    return p.y - CX_LINE + 4 - y;
}

void cx_pen_not_drawn(cx_pen *p, int64_t n_nan, int64_t n_inf)
{
    char text[160], a[32], b[32];
    if (n_nan + n_inf == 0) return;
    if (p->canvas) cx_canvas_fill(p->canvas, p->x, p->y - 10, CX_BAR_HEIGHT, 11, CX_ACCENT);
    p->x += CX_BAR_HEIGHT + 6;
    snprintf(text, sizeof text, "not drawn: %s NaN, %s infinite value%s", cx_commas(a, n_nan),
             cx_commas(b, n_inf), n_inf == 1 ? "" : "s");
    cx_pen_put_within(p, text, p->left + p->width - p->x);
    cx_pen_new_line(p);
}

/* --- the colour bar --- */

static void draw_tick(cx_pen *p, int x, int y, int width, const cx_tick *tick)
{
    int text = cx_font_width(p->font, p->size, tick->text);
    int mark = (int)(tick->at * (width - 1) + 0.5), left = mark - text / 2;
    if (left > width - text) left = width - text;
    if (mark > 0 && mark < width - 1)
        cx_canvas_fill(p->canvas, x + mark, y + CX_BAR_HEIGHT, 1, BAR_TICK, CX_GRAY(CX_SMALL_INK));
    p->x = x + (left < 0 ? 0 : left);
    p->y = y + CX_BAR_BLOCK - BAR_BASE;
    cx_pen_put(p, tick->text);
}

void cx_bar_draw(cx_pen *p, int x, int y, int width, const cx_tick *ticks, int n)
{
    if (!p->canvas) return;
    for (int i = 0; i < width; i++)
        cx_canvas_fill(p->canvas, x + i, y, 1, CX_BAR_HEIGHT, (uint8_t)(i * CX_LEVELS / width));
    cx_canvas_frame(p->canvas, x - 1, y - 1, width + 2, CX_BAR_HEIGHT + 2, CX_GRAY(CX_SMALL_INK));
    p->size = CX_SMALL_SIZE;
    p->ink = CX_TEXT_INK;
    for (int i = 0; i < n; i++) draw_tick(p, x, y, width, &ticks[i]);
}

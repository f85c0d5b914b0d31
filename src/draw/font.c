/* font.c - text by freetype. */
#include "draw/font.h"

#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_MODULE_H
#include <string.h>

#include "base/mem.h"

extern const uint8_t cx_font_data[], cx_font_data_end[];

enum {
    SLOTS = 256,          /* of the glyph cache; a slot keeps its last glyph */
    REPLACEMENT = 0xfffd, /* U+FFFD stands for what is no UTF-8 */
};

typedef struct slot {
    uint32_t character; /* 0 when empty: a text ends before a 0 */
    int size;
    cx_glyph glyph;
    uint8_t *bitmap;
} slot;

struct cx_font {
    struct FT_MemoryRec_ memory;
    FT_Library library;
    FT_Face face;
    int size; /* that the face is set to */
    int failed;
    slot slots[SLOTS];
};

/* --- freetype's memory --- */

static void *ft_alloc(FT_Memory memory, long size)
{
    (void)memory;
    return cx_alloc((size_t)size);
}

static void ft_free(FT_Memory memory, void *block)
{
    (void)memory;
    cx_free(block);
}

static void *ft_realloc(FT_Memory memory, long now, long size, void *block)
{
    (void)memory, (void)now;
    return cx_realloc_array(block, (size_t)size, 1);
}

int cx_font_new(cx_font **out, cvs_error *err)
{
    cx_font *font = cx_calloc(1, sizeof *font);
    *out = NULL;
    if (!font) return cx_no_memory(err, sizeof *font);
    font->memory = (struct FT_MemoryRec_){NULL, ft_alloc, ft_free, ft_realloc};
    FT_Error failed = FT_New_Library(&font->memory, &font->library);
    if (!failed) {
        FT_Add_Default_Modules(font->library);
        failed = FT_New_Memory_Face(font->library, cx_font_data,
                                    (FT_Long)(cx_font_data_end - cx_font_data), 0, &font->face);
    }
    if (failed) {
        /* The font is our own: only memory can be wanting. */
        cx_font_free(font);
        return cx_fail(err, CVS_E_NOMEM, "out of memory (for the font; freetype's error %d)",
                       failed);
    }
    *out = font;
    return 0;
}

void cx_font_free(cx_font *font)
{
    if (!font) return;
    for (int i = 0; i < SLOTS; i++) cx_free(font->slots[i].bitmap);
    if (font->face) FT_Done_Face(font->face);
    if (font->library) FT_Done_Library(font->library);
    cx_free(font);
}

/* --- glyphs --- */

/* The code point at *text and *text moved past it; a byte that begins no valid sequence is one
 * replacement character. */
static uint32_t next_character(const char **text)
{
    const uint8_t *s = (const uint8_t *)*text;
    static const uint32_t least[4] = {0, 0x80, 0x800, 0x10000};
    int more = s[0] < 0x80       ? 0
               : s[0] >> 5 == 6  ? 1
               : s[0] >> 4 == 14 ? 2
               : s[0] >> 3 == 30 ? 3
                                 : -1;
    uint32_t c = more <= 0 ? s[0] : s[0] & (0x3fU >> more);
    for (int i = 1; i <= more; i++) {
        if (s[i] >> 6 != 2) more = -1; /* a text's ending 0 stops here too */
        c = c << 6 | (s[i] & 0x3fU);
        if (more < 0) break;
    }
    if (more < 0 || c < least[more] || c > 0x10ffff || c >> 11 == 0xd800 >> 11) {
        *text += 1;
        return REPLACEMENT;
    }
    *text += more + 1;
    return c;
}

static int copy_bitmap(slot *s, const FT_Bitmap *bitmap)
{
    size_t row = bitmap->width, n = row * bitmap->rows;
    if (n == 0) return 0;
    s->bitmap = cx_alloc(n);
    if (!s->bitmap) return -1;
    for (size_t y = 0; y < bitmap->rows; y++)
        memcpy(s->bitmap + y * row, bitmap->buffer + (ptrdiff_t)y * bitmap->pitch, row);
    return 0;
}

/* Hinted by the font's own program. Freetype's automatic hinter looks the same and costs 30 more
 * pages of memory, which are dear to touch first. */
static void load(cx_font *font, slot *s)
{
    FT_Face face = font->face;
    int failed = 0;
    if (font->failed) return; /* freetype 2.12 crashes when it loads on after memory ran out */
    if (font->size != s->size) failed = FT_Set_Pixel_Sizes(face, 0, (FT_UInt)s->size);
    font->size = failed ? 0 : s->size;
    failed = failed || FT_Load_Char(face, s->character, FT_LOAD_RENDER | FT_LOAD_NO_AUTOHINT);
    failed = failed || copy_bitmap(s, &face->glyph->bitmap);
    if (failed) {
        font->failed = 1;
        return;
    }
    const FT_GlyphSlot g = face->glyph;
    s->glyph = (cx_glyph){.advance = (int)((g->advance.x + 32) >> 6),
                          .left = g->bitmap_left,
                          .top = g->bitmap_top,
                          .width = (int)g->bitmap.width,
                          .height = (int)g->bitmap.rows,
                          .coverage = s->bitmap};
}

const cx_glyph *cx_font_next(cx_font *font, int size, const char **text)
{
    uint32_t character = next_character(text);
    slot *s = &font->slots[(character + (uint32_t)size * 37) % SLOTS];
    if (s->character != character || s->size != size) {
        cx_free(s->bitmap);
        *s = (slot){.character = character, .size = size};
        load(font, s);
    }
    return &s->glyph;
}

int cx_font_ok(const cx_font *font, cvs_error *err)
{
    return font->failed ? cx_fail(err, CVS_E_NOMEM, "out of memory (for the glyphs of a text)") : 0;
}

int cx_font_width(cx_font *font, int size, const char *text)
{
    int width = 0;
    while (*text) width += cx_font_next(font, size, &text)->advance;
    return width;
}

"""Makes the pictures of this folder and prints what Pillow sees in them, for t_image_read.c.

Run with Pillow 9.4 (Debian 12: python3-pil, python3-numpy). The tests do not need it."""
import struct
import warnings
import zlib

import numpy as np
from PIL import Image, ImageOps

warnings.simplefilter("ignore")
W, H = 23, 17


def pixels(channels):
    y, x, c = np.mgrid[:H, :W, :channels]
    return ((x * 9 + y * 5 + c * 60 + (x * y >> 2)) & 255).astype(np.uint8)


def oriented(value):
    exif = Image.Exif()
    exif[0x112] = value
    return exif


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(name, depth, kind, rows, before=b"", interlaced=0):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, depth, kind, 0, 0, interlaced))
    data = chunk(b"IDAT", zlib.compress(rows, 9))
    with open(name, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + head + before + data + chunk(b"IEND", b""))


def rows(values, bits):
    """Each row packed to that many bits a value, filter 0 before it."""
    out = b""
    for row in values.reshape(len(values), -1):
        if bits == 16:
            out += b"\0" + row.astype(">u2").tobytes()
        else:
            ones = np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, 8 - bits:]
            out += b"\0" + np.packbits(ones.ravel()).tobytes()
    return out


def adam7(values, bits):
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
              (0, 1, 1, 2))
    parts = [values[y::dy, x::dx] for x, y, dx, dy in passes]
    return b"".join(rows(p, bits) for p in parts if p.size)


rgb, rgba = Image.fromarray(pixels(3)), Image.fromarray(pixels(4))
rgb.save("baseline.jpg", quality=85, subsampling=0)
rgb.save("progressive.jpg", quality=75, progressive=True, exif=oriented(6))
rgb.convert("L").save("gray.jpg", quality=75)
Image.fromarray(pixels(4), "CMYK").save("cmyk.jpg", quality=75)
rgba.save("lossy.webp", quality=60, exif=oriented(5))
rgba.save("lossless.webp", lossless=True, exact=True)
rgba.save("animated.webp", save_all=True, append_images=[rgba.rotate(180)], lossless=True)
rgb.save("turned.png", exif=oriented(8))

wide = (pixels(4).astype(np.uint16) << 8) | 0x55
deep = wide[:, :, :1].copy()
deep[::2] >>= 8  # 0 ... 255 in every other row, far above in the rest
key = chunk(b"tRNS", struct.pack(">3H", *[int(v) for v in pixels(3)[2, 3]]))
palette = chunk(b"PLTE", bytes((i * 37 + 11) & 255 for i in range(3 * 12)))
clear = chunk(b"tRNS", bytes([0, 90, 255, 13]))
png("gray1.png", 1, 0, rows(pixels(1) >> 7, 1))
png("gray2_key.png", 2, 0, rows(pixels(1) >> 6, 2), chunk(b"tRNS", b"\0\x55"))
png("gray16.png", 16, 0, adam7(deep, 16), interlaced=1)
png("gray_alpha16.png", 16, 4, rows(wide[:, :, :2], 16))
png("rgb_key.png", 8, 2, rows(pixels(3), 8), key)
png("rgba16.png", 16, 6, rows(wide, 16))
png("palette4.png", 4, 3, adam7(pixels(1)[:, :, 0] >> 4, 4), palette + clear, interlaced=1)

names = """baseline.jpg progressive.jpg gray.jpg cmyk.jpg lossy.webp lossless.webp animated.webp
turned.png gray1.png gray2_key.png gray16.png gray_alpha16.png rgb_key.png rgba16.png
palette4.png""".split()
for name in names:
    with Image.open(name) as image:
        image.load()
        views = [image if image.mode == m else image.convert(m) for m in ("L", "RGB", "RGBA")]
        upright = ImageOps.exif_transpose(image).convert("RGB")
    sums = ", ".join("0x%08X" % zlib.crc32(v.tobytes()) for v in views + [upright])
    print('    {"%s", %s},' % (name, sums))

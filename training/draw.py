"""Draws digits that look handwritten: 28x28 gray, white on black, as in MNIST.

Every digit has a few hand-made ways of writing it (GLYPHS): strokes through
control points in a unit square. A drawing takes one of them, bends it, slants,
turns and stretches it, fits it into 20x20 pixels with its centre of mass in
the middle of the image, and goes over it with a round pen of varying width.
Only numpy and the standard library are needed.

    python3 draw.py --out ../cmd/dorcas/demo

writes digit_<label>_<n>.png, two for each digit. --measure FILE.npy also
writes a larger set for measuring accuracy (uint8, n x 28 x 28; image i shows
the digit i mod 10), --sheet FILE.png one picture with many drawings to look at.

An image depends on (set, label, number) only. The three sets DEMO, MEASURE and
TRAIN have different seeds, so no image of one is in another.
"""

import argparse
import os
import struct
import zlib

import numpy as np

SIDE = 28          # pixels of the image
BOX = 20.0         # pixels that the longer side of a digit takes, about
PEN = 2.0          # pixels that the pen adds to the strokes' middle lines, about
MARGIN = 2.5       # pixels between those lines and the image's edge, at least
FINE = 2           # the pen is sampled FINE x FINE times a pixel

# Seeds of the sets.
DEMO, MEASURE, TRAIN = 1, 2, 3


def arc(cx, cy, rx, ry, start, end, n=14):
    """Points of an ellipse; angles in degrees, 0 is right, 90 is down."""
    a = np.radians(np.linspace(start, end, n))
    return [(cx + rx * np.cos(t), cy + ry * np.sin(t)) for t in a]


# GLYPHS[digit] is a list of (weight, strokes); x runs right and y down, both
# from 0 to 1. A point given twice in a row is a sharp corner.
GLYPHS = [
    [  # 0
        (3, [arc(.5, .5, .31, .5, -100, 275)]),
        (2, [arc(.5, .5, .36, .5, -60, 312)]),
        (1, [[(.64, .06), (.46, .03), (.28, .2), (.2, .5), (.28, .82), (.48, .99), (.7, .86),
              (.8, .5), (.7, .16), (.54, .03), (.42, .07)]]),
    ],
    [  # 1
        (4, [[(.5, 0), (.5, .5), (.49, 1)]]),
        (3, [[(.34, .2), (.53, 0), (.53, 0), (.52, .5), (.52, 1)]]),
        (1, [[(.36, .17), (.52, 0), (.52, 0), (.52, .98)], [(.3, .99), (.74, .98)]]),
    ],
    [  # 2
        (3, [[(.16, .24), (.3, .04), (.58, .0), (.76, .18), (.68, .45), (.42, .75),
              (.15, .99), (.15, .99), (.5, .96), (.88, .98)]]),
        (3, [[(.18, .22), (.4, .02), (.68, .07), (.75, .33), (.56, .68), (.3, .95),
              (.14, .92), (.2, .78), (.42, .84), (.64, .97), (.9, .92)]]),
        (1, [[(.2, .1), (.5, .0), (.76, .16), (.7, .5), (.46, .82), (.2, .98),
              (.2, .98), (.36, .9), (.58, .94), (.86, 1)]]),
    ],
    [  # 3
        (3, [[(.2, .12), (.46, .0), (.72, .12), (.66, .36), (.4, .47), (.4, .47),
              (.7, .55), (.79, .76), (.58, .98), (.18, .92)]]),
        (1, [[(.2, .03), (.74, .02), (.74, .02), (.42, .4), (.42, .4), (.7, .48),
              (.78, .74), (.55, .99), (.17, .9)]]),
        (2, [[(.22, .08), (.52, .01), (.74, .18), (.6, .4), (.4, .46), (.5, .51),
              (.74, .62), (.76, .86), (.48, 1), (.2, .88)]]),
    ],
    [  # 4
        (3, [[(.24, .0), (.18, .28), (.15, .54), (.15, .54), (.48, .54), (.84, .5)],
             [(.74, .06), (.69, .5), (.66, 1)]]),
        (2, [[(.6, .0), (.36, .32), (.1, .64), (.1, .64), (.5, .63), (.9, .62)],
             [(.61, .0), (.62, .5), (.61, 1)]]),
        (2, [[(.2, .04), (.17, .34), (.3, .5), (.56, .46), (.76, .32)],
             [(.78, .0), (.73, .5), (.7, 1)]]),
    ],
    [  # 5
        (3, [[(.8, .02), (.55, .02), (.3, .03), (.3, .03), (.24, .42), (.24, .42),
              (.5, .37), (.76, .52), (.75, .8), (.5, 1), (.16, .92)]]),
        (3, [[(.3, .05), (.26, .24), (.24, .43), (.24, .43), (.52, .38), (.74, .56), (.7, .84),
              (.46, 1), (.18, .9)], [(.3, .05), (.55, .03), (.82, .0)]]),
        (1, [[(.78, .0), (.52, .06), (.36, .1), (.36, .1), (.3, .4), (.3, .4), (.56, .5),
              (.66, .72), (.52, .94), (.22, 1)]]),
    ],
    [  # 6
        (3, [[(.66, .0), (.4, .2), (.22, .54), (.22, .84), (.46, 1), (.72, .88),
              (.74, .66), (.54, .53), (.32, .64), (.23, .82)]]),
        (2, [[(.48, .0), (.3, .3), (.2, .64), (.26, .9), (.48, 1), (.7, .9),
              (.74, .7), (.58, .58), (.36, .64), (.22, .78)]]),
        (1, [[(.74, .04), (.5, .1), (.28, .4), (.2, .74), (.38, .99), (.64, .94),
              (.72, .72), (.54, .56), (.32, .66), (.24, .78)]]),
    ],
    [  # 7
        (4, [[(.14, .06), (.5, .05), (.82, .03), (.82, .03), (.6, .45), (.44, 1)]]),
        (2, [[(.16, .04), (.5, .04), (.82, .02), (.82, .02), (.6, .48), (.46, 1)],
             [(.36, .5), (.78, .46)]]),
        (1, [[(.1, .16), (.13, .04), (.13, .04), (.5, .06), (.84, .02), (.84, .02),
              (.66, .4), (.58, .7), (.56, 1)]]),
    ],
    [  # 8
        (4, [[(.72, .16), (.5, .0), (.26, .15), (.34, .38), (.62, .57), (.75, .8), (.5, 1),
              (.24, .8), (.38, .56), (.64, .37), (.74, .15)]]),
        (1, [arc(.5, .23, .22, .23, 80, 450), arc(.5, .73, .27, .27, -95, 270)]),
        (1, [[(.76, .1), (.52, .0), (.3, .14), (.38, .38), (.6, .52), (.7, .78), (.48, 1),
              (.28, .84), (.36, .6), (.6, .36), (.78, .06)]]),
    ],
    [  # 9
        (3, [[(.72, .16), (.5, .02), (.26, .16), (.26, .4), (.48, .5), (.68, .38),
              (.75, .12), (.75, .12), (.71, .56), (.64, 1)]]),
        (2, [[(.74, .14), (.52, .0), (.26, .16), (.28, .42), (.52, .48), (.72, .28),
              (.74, .14), (.76, .5), (.68, .84), (.48, 1), (.26, .92)]]),
        (1, [[(.7, .3), (.66, .08), (.44, .04), (.28, .24), (.34, .46), (.56, .46),
              (.7, .26), (.68, .5), (.6, .74), (.56, 1)]]),
    ],
]


def curve(points, steps=8):
    """A Catmull-Rom spline through points: an array of (x, y)."""
    p = np.array(points, dtype=np.float64)
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    t = (np.arange(steps) / steps)[None, :, None]
    a, b, c, d = (p[i:len(p) - 3 + i, None, :] for i in range(4))
    q = b + t * (c - a) / 2 + t**2 * (a - 2.5 * b + 2 * c - d / 2) + t**3 * (1.5 * (b - c) + (d - a) / 2)
    return np.vstack([q.reshape(-1, 2), p[-2]])


def smooth(stroke):
    """A stroke as one dense line: splines joined at the sharp corners."""
    parts, part = [], [stroke[0]]
    for previous, point in zip(stroke, stroke[1:]):
        if point == previous:
            parts.append(curve(part))
            part = []
        part.append(point)
    parts.append(curve(part))
    return np.vstack(parts)


def bend(lines, rng):
    """Moves all lines by one smooth random field, so that what meets still meets."""
    waves = [(rng.normal(0, 2.6, 2), rng.uniform(0, 2 * np.pi), rng.normal(0, .04, 2)) for _ in range(4)]
    return [p + sum(np.sin(p @ k + phase)[:, None] * d for k, phase, d in waves) for p in lines]


def place(lines, rng):
    """Slants, turns and stretches; then fits into BOX and centres by mass."""
    slant, turn = rng.normal(-.12, .15), rng.normal(0, .09)
    width = rng.uniform(.75, 1.1)
    c, s = np.cos(turn), np.sin(turn)
    m = np.array([[c, -s], [s, c]]) @ np.array([[1, slant], [0, 1]]) @ np.diag([width, 1])
    lines = [(p - .5) @ m.T for p in lines]
    every = np.vstack(lines)
    size = (every.max(0) - every.min(0)).max()
    lines = [p * ((BOX - PEN) * rng.uniform(.9, 1.04) / size) for p in lines]
    middle = np.vstack([(p[1:] + p[:-1]) / 2 for p in lines])
    length = np.concatenate([np.hypot(*(p[1:] - p[:-1]).T) for p in lines])
    mass = (middle * length[:, None]).sum(0) / length.sum()
    every = np.vstack(lines)
    shift = SIDE / 2 + .5 - mass + rng.normal(0, .25, 2)
    shift = np.clip(shift, MARGIN - every.min(0), SIDE - MARGIN - every.max(0))
    return [p + shift for p in lines]


def ink(lines, rng):
    """Goes over the lines with a round pen: SIDE x SIDE values from 0 to 1."""
    axis = (np.arange(SIDE * FINE) + .5) / FINE
    gx, gy = (g.ravel()[:, None] for g in np.meshgrid(axis, axis))
    radius = rng.uniform(.85, 1.65)
    out = np.zeros(SIDE * SIDE * FINE * FINE)
    for p in lines:
        n = len(p) - 1
        pressure = 1 + rng.uniform(.05, .2) * np.sin(np.linspace(0, rng.uniform(2, 7), n) + rng.uniform(0, 6))
        pressure *= 1 - rng.uniform(0, .35) * np.linspace(0, 1, n) ** 4  # the pen leaves the paper
        r = np.maximum(radius * pressure, .7)[None, :]
        (x, y), (dx, dy) = p[:-1].T[:, None], (p[1:] - p[:-1]).T[:, None]
        t = ((gx - x) * dx + (gy - y) * dy) / np.maximum(dx * dx + dy * dy, 1e-9)
        t = np.clip(t, 0, 1)
        distance = np.sqrt((gx - x - t * dx) ** 2 + (gy - y - t * dy) ** 2)
        out = np.maximum(out, np.clip(r - distance + .5, 0, 1).max(1))
    return out.reshape(SIDE, FINE, SIDE, FINE).mean((1, 3))


def blur(image, sigma):
    """A Gaussian of five taps each way, black around the image."""
    k = np.exp(-np.arange(-2, 3) ** 2 / (2 * sigma * sigma))
    k /= k.sum()
    image = np.pad(image, 2)
    image = sum(w * image[i:SIDE + i] for i, w in enumerate(k))
    return sum(w * image[:, i:SIDE + i] for i, w in enumerate(k))


def digit(seed, label, number):
    """One drawing: uint8, SIDE x SIDE."""
    rng = np.random.default_rng([seed, label, number])
    weights = np.array([w for w, _ in GLYPHS[label]], dtype=np.float64)
    _, strokes = GLYPHS[label][rng.choice(len(weights), p=weights / weights.sum())]
    lines = [smooth(s) + rng.normal(0, .012, 2) for s in strokes]
    image = blur(ink(place(bend(lines, rng), rng), rng), rng.uniform(.3, .5))
    image = np.clip(image * rng.uniform(1.1, 1.4), 0, 1)
    return np.round(image * 255).astype(np.uint8)


def drawings(seed, count):
    """Images 0 to count-1 of a set, and their labels."""
    labels = np.arange(count) % 10
    images = np.stack([digit(seed, int(d), i // 10) for i, d in enumerate(labels)])
    return images, labels


def png(path, image):
    """Writes an 8-bit gray PNG."""
    height, width = image.shape
    rows = np.hstack([np.zeros((height, 1), np.uint8), image])  # filter type 0 before each row

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n")
        f.write(chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)))
        f.write(chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)))
        f.write(chunk(b"IEND", b""))


def sheet(images, columns=20, zoom=3):
    """Many images in one, each pixel zoom x zoom."""
    rows = len(images) // columns
    grid = np.pad(images[:rows * columns], ((0, 0), (1, 1), (1, 1)), constant_values=90)
    side = SIDE + 2
    grid = grid.reshape(rows, columns, side, side).swapaxes(1, 2).reshape(rows * side, columns * side)
    return grid.repeat(zoom, 0).repeat(zoom, 1)


def main():
    p = argparse.ArgumentParser(description="draw digits that look handwritten")
    p.add_argument("--out", help="folder for the PNG files, two for each digit")
    p.add_argument("--measure", help=".npy file for the set that accuracy is measured on")
    p.add_argument("--count", type=int, default=2000, help="images in that set")
    p.add_argument("--sheet", help="PNG file with many drawings, to look at")
    a = p.parse_args()
    if a.out:
        os.makedirs(a.out, exist_ok=True)
        for label in range(10):
            for n in range(2):
                png(os.path.join(a.out, f"digit_{label}_{n}.png"), digit(DEMO, label, n))
    if a.measure:
        np.save(a.measure, drawings(MEASURE, a.count)[0])
    if a.sheet:
        png(a.sheet, sheet(drawings(MEASURE, 200)[0]))


if __name__ == "__main__":
    main()

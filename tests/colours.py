"""How colours look to eyes of every kind, and how well one can be read on another.

Sources: the simulations are the matrices for severity 1 of Machado, Oliveira and Fernandes (2009),
A physiologically-based model for simulation of color vision deficiency, IEEE TVCG 15(6), applied
to linear RGB; distances are those of CIE 1976 L*a*b* (white point D65); luminance and contrast are
those of WCAG 2.2. sRGB: IEC 61966-2-1.
"""

import numpy as np

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
VISIONS = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
    "greyscale": [LUMINANCE] * 3,
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(rgb):
    """sRGB (..., 3) in 0..1 -> linear RGB."""
    rgb = np.asarray(rgb, dtype=float)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def on(rgba, below=(1.0, 1.0, 1.0)):
    """The opaque colour that a translucent one gives on another, sRGB."""
    *rgb, alpha = rgba
    return tuple(alpha * part + (1 - alpha) * under for part, under in zip(rgb, below))


def lab(rgb, vision="normal"):
    """L*a*b* (3,) of an sRGB colour as this kind of vision sees it."""
    seen = np.clip(np.asarray(VISIONS[vision]) @ linear(rgb), 0, 1)
    shares = XYZ @ seen / XYZ.sum(1)
    bent = np.where(shares > (6 / 29) ** 3, np.cbrt(shares), shares / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * bent[1] - 16, 500 * (bent[0] - bent[1]), 200 * (bent[1] - bent[2])])


def distance(one, other, vision="normal") -> float:
    """How different two sRGB colours look; about 2.3 can be noticed side by side."""
    return float(np.linalg.norm(lab(one, vision) - lab(other, vision)))


def contrast(one, other) -> float:
    """WCAG's ratio of contrast, 1 to 21."""
    low, high = sorted(float(linear(rgb) @ LUMINANCE) for rgb in (one, other))
    return (high + 0.05) / (low + 0.05)

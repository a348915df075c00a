"""Faces of the model district's practitioners: drawn, of nobody."""

import io

from PIL import Image, ImageDraw

SIDE = 960
GROUNDS = ("#cfe3e6", "#e6ddcf", "#d6e2cf", "#dcd6e8")
SKINS = ("#f0cdab", "#e8bd96", "#f3d5b8")
HAIR = ("#2b211d", "#3a2a22", "#5a5552")
COATS = ("#ffffff", "#dfeef0", "#eef3e6")


def face(number: int, *, long_hair: bool = True, glasses: bool = False) -> bytes:
    """A drawn face in a coat as a JPEG; the number chooses its colours."""
    image = Image.new("RGB", (SIDE, SIDE), GROUNDS[number % len(GROUNDS)])
    draw = ImageDraw.Draw(image)
    skin, hair = SKINS[number % len(SKINS)], HAIR[(number // 2) % len(HAIR)]
    if long_hair:
        draw.rounded_rectangle((270, 170, 690, 700), 200, fill=hair)
    draw.ellipse((150, 690, 810, 1400), fill=COATS[number % len(COATS)])
    draw.rounded_rectangle((410, 560, 550, 780), 60, fill=skin)
    draw.polygon([(400, 715), (480, 830), (560, 715), (600, 745), (480, 930), (360, 745)], fill="#0f6e84")
    draw.ellipse((310, 210, 650, 650), fill=skin)
    draw.pieslice((295, 160, 665, 590), 180, 360, fill=hair)
    draw.rectangle((330, 330, 630, 378), fill=hair if long_hair else skin)
    for left in (385, 545):
        draw.ellipse((left, 415, left + 30, 448), fill="#2b211d")
        if glasses:
            draw.ellipse((left - 38, 386, left + 68, 478), outline="#34424a", width=9)
    draw.line((480, 450, 470, 508, 492, 512), fill="#c9976f", width=7)
    draw.arc((415, 480, 545, 590), 25, 155, fill="#a8503c", width=11)
    out = io.BytesIO()
    image.resize((SIDE // 2, SIDE // 2), Image.Resampling.LANCZOS).save(out, "JPEG", quality=90)
    return out.getvalue()

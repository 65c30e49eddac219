"""How two pictures differ, in words: by their pixels, or line by line.

The plugin nbval_near compares pictures with this file. A vector graphic (SVG)
is compared element by element: a point may move by a small share of the
picture, while colours, widths, words and the elements themselves must be the
same. Identifiers are only names, and metadata are dropped.
"""

import base64
import io
import math
import re
from collections.abc import Callable, Iterator
from itertools import zip_longest
from xml.etree import ElementTree

SHOWN = 3  # differences that are told, of many
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
PLACES = re.compile(  # attributes that say where something is, or how large
    "d|points|transform|viewBox|width|height|[cfd]?[xy][12]?|r[xy]?"
)
REFERENCE = re.compile(r"\A#(.+)|(?<=url\()#([^)]+)")  # to an identifier


def picture_difference(
    kind: str,
    now: str,
    stored: str,
    settings,
    rtol: float,
    same_words: Callable[[str, str], bool],
) -> str:
    """How two pictures of a MIME type differ; nothing if within the limits.

    A cell's rtol, where it is larger, is how far a point may move too.
    """

    def pixels(now: str, stored: str) -> str:
        limits = settings.pixel_mean, settings.pixel_max
        return pixel_difference(now, stored, *limits)

    if kind != "image/svg+xml":
        return pixels(now, stored)
    share = max(settings.drawing_shift, rtol)
    return drawing_difference(now, stored, share, same_words, pixels)


def pixel_difference(now: str, stored: str, mean: float, most: float) -> str:
    """Of two pictures in base64; nothing if within the limits, of 255."""
    import numpy as np
    from PIL import Image

    a, b = (
        Image.open(io.BytesIO(base64.b64decode(text))).convert("RGBA")
        for text in (now, stored)
    )
    if a.size != b.size:
        return f"stored: {b.size} pixels, now: {a.size}"
    gaps = abs(np.asarray(a, dtype=float) - np.asarray(b, dtype=float))
    words = f"mean {gaps.mean():.3g} ({mean:g}), at most {gaps.max():g}"
    words = f"pixels off by {words} ({most:g} is allowed)"
    return words if gaps.mean() > mean or gaps.max() > most else ""


def drawing_difference(
    now: str,
    stored: str,
    share: float,
    same_words: Callable[[str, str], bool],
    raster: Callable[[str, str], str],
) -> str:
    """Of two SVG texts; nothing if no point moved by more than the share.

    share: of the larger side of the stored picture. raster: tells how two
    pictures of pixels differ that are part of the drawing.
    """
    if now == stored:
        return ""
    try:
        a, b = (_elements(text) for text in (now, stored))
    except ElementTree.ParseError as error:
        return f"not readable as XML: {error}"
    shift = share * _larger_side(b)
    found = []
    for ours, theirs in zip_longest(a, b, fillvalue=("nothing", "", {}, "")):
        name = f"{ours[0]} in {ours[1]}" if ours[1] else ours[0]
        if ours[0] != theirs[0]:  # from here on nothing corresponds
            found.append(f"{name}, stored {theirs[0]}")
            break
        for words in _off(ours[2:], theirs[2:], shift, same_words, raster):
            found.append(f"{name}: {words}")
    if len(found) > SHOWN:
        found[SHOWN:] = [f"and {len(found) - SHOWN} more"]
    return "; ".join(found)


def _elements(text: str) -> list[tuple[str, str, dict, str]]:
    """Each element's tag, where it is, its attributes and words, in order."""
    kept = list(_walk(ElementTree.fromstring(text.encode()), ""))
    # a name means its place: names may be numbered or hashed anew
    place = {x.get("id"): str(i) for i, (x, _) in enumerate(kept)}

    def placed(found):
        name = found[1] or found[2]
        return f"#{place.get(name, name)}"

    elements = []
    for element, where in kept:
        about = {}
        for name, value in element.attrib.items():
            name = name.split("}")[-1]
            about |= _style(value) if name == "style" else {name: value}
        about.pop("id", None)
        for name, value in about.items():
            if name == "href" or "url(" in value:
                about[name] = REFERENCE.sub(placed, value)
        words = f"{element.text or ''} {element.tail or ''}".split()
        tag = element.tag.split("}")[-1]
        elements.append((tag, where, about, " ".join(words)))
    return elements


def _walk(element, where: str) -> Iterator:
    """An element and all that is in it, each with the nearest name."""
    if element.tag.split("}")[-1] != "metadata":
        where = element.get("id", where)
        yield element, where
        for child in element:
            yield from _walk(child, where)


def _style(value: str) -> dict[str, str]:
    """The properties of a style, which may be attributes too."""
    pairs = [part.split(":", 1) for part in value.split(";") if ":" in part]
    return {name.strip(): word.strip() for name, word in pairs}


def _larger_side(elements) -> float:
    about = elements[0][2]
    box = about.get("viewBox") or " ".join(
        about.get(name, "0") for name in ("width", "height")
    )
    return max([float(x) for x in NUMBER.findall(box)][-2:], default=0.0)


def _off(ours, theirs, shift, same_words, raster) -> Iterator[str]:
    """In what two elements of one kind differ."""
    (a, words), (b, stored_words) = ours, theirs
    if not same_words(words, stored_words):
        yield f"{words!r}, stored {stored_words!r}"
    for name in sorted({*a, *b}):
        now, stored = a.get(name, "none"), b.get(name, "none")
        if now == stored:
            continue
        if now.startswith("data:image/") and stored.startswith("data:image/"):
            yield from filter(
                None, [raster(*(x.split(",", 1)[1] for x in (now, stored)))]
            )
        elif not PLACES.fullmatch(name):
            yield f"{name} is {now[:60]}, stored {stored[:60]}"
        elif (by := _moved(name, now, stored)) > _allowed(name, stored, shift):
            yield f"{name} is off by {by:.3g}"


def _allowed(name: str, stored: str, shift: float) -> float:
    """How far a point may move: less in what is itself small, as a mark."""
    if name == "transform" and re.search("scale|matrix|skew", stored):
        return 1e-3  # factors, not places
    values = [float(x) for x in NUMBER.findall(stored)]
    if name not in ("d", "points") or not values:
        return shift
    size = max(max(x) - min(x) for x in (values[::2], values[1::2] or [0]))
    return min(shift, max(0.1 * size, 1e-3))


def _moved(name: str, now: str, stored: str) -> float:
    """The largest distance between points that correspond."""
    a, b = ([float(x) for x in NUMBER.findall(t)] for t in (now, stored))
    words = ["".join(NUMBER.sub("", t).split()) for t in (now, stored)]
    if words[0] == words[1] and len(a) == len(b):
        return max((abs(x - y) for x, y in zip(a, b, strict=True)), default=0)
    # vertices on a straight line come and go: compare the lines themselves
    if name != "d" or {*words[0], *words[1]} - {*"MLz"} or not (a and b):
        return math.inf
    lines = _segments(now), _segments(stored)
    return max(_farthest(*lines), _farthest(*lines[::-1]))


def _segments(path: str):
    """The straight pieces of a path: (pieces, 2, 2), x and y last."""
    import numpy as np

    found = []
    for part in re.split("M", path)[1:]:
        values = [float(x) for x in NUMBER.findall(part)]
        points = np.reshape(values, (-1, 2))
        if "z" in part or len(points) == 1:
            points = np.vstack([points, points[:1]])
        found.append(np.stack([points[:-1], points[1:]], axis=1))
    return np.concatenate(found)


def _farthest(lines, others) -> float:
    """The largest distance from the other lines, at ends and middles."""
    import numpy as np

    start, along = others[:, 0], others[:, 1] - others[:, 0]
    length = np.maximum((along**2).sum(axis=1), 1e-30)
    farthest = 0.0
    middles = lines.mean(axis=1)
    for point in np.concatenate([lines.reshape(-1, 2), middles]):
        t = ((point - start) * along).sum(axis=1) / length
        foot = start + np.clip(t, 0, 1)[:, None] * along
        near = ((point - foot) ** 2).sum(axis=1).min() ** 0.5
        farthest = max(farthest, near)
    return farthest

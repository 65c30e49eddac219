"""One colour for each family of models, on every page and in every figure.

The colours follow Okabe and Ito, whose palette colour-blind readers can tell
apart, with a contrast of at least 3 to 1 on white and on near black.
"""

# the site's style sheet is made from this table
FAMILIES = {
    "network": "#0072b2",  # blue
    "counting": "#d55e00",  # vermilion
    "compressor": "#009e73",  # green
    "mixture": "#c2649a",  # purple
    "people": "#a87900",  # ochre
    "linear": "#a0522d",  # sienna; least squares
    "baseline": "#808080",  # grey
}
COLOURS = tuple(FAMILIES.values())  # for lines that are of no family
DASHES = ("-", "--", "-.", ":")
GREY = FAMILIES["baseline"]  # for data and other background
INK = "#767676"  # words and axes; the site puts its theme's colour there


def colour_of(family: str | None, number: int) -> str:
    """The family's colour, or the colour of this number."""
    if family is None:
        return COLOURS[number % len(COLOURS)]
    if family not in FAMILIES:
        raise ValueError(
            f"family must be one of {list(FAMILIES)}, got {family!r}"
        )
    return FAMILIES[family]

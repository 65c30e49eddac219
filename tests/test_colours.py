"""Colours: seen on white and on near black, one for each family."""

import pytest
from matplotlib.colors import to_rgb

from unrolled.course.colours import COLOURS, FAMILIES, INK, colour_of


def luminance(colour):
    """Relative luminance, as WCAG 2 defines it."""

    def linear(share):
        if share <= 0.04045:
            return share / 12.92
        return ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = map(linear, to_rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colour", [*FAMILIES.values(), INK])
@pytest.mark.parametrize("ground", ["#ffffff", "#121212"])
def test_colours_are_seen_on_white_and_on_near_black(colour, ground):
    dark, light = sorted([luminance(colour), luminance(ground)])
    assert (light + 0.05) / (dark + 0.05) >= 3


def test_families_differ():
    assert len(set(FAMILIES.values())) == len(FAMILIES) == 7
    assert set(COLOURS) == set(FAMILIES.values())


def test_a_family_or_a_number_names_a_colour():
    assert colour_of("people", 0) == FAMILIES["people"]
    assert colour_of(None, 1) == COLOURS[1]
    assert colour_of(None, 1 + len(COLOURS)) == COLOURS[1]

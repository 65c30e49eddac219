"""Rows of boxes as wide as their text."""

import pytest
from matplotlib.colors import to_hex

from unrolled.course.colours import COLOURS, INK
from unrolled.course.pieces import ROW, draw_pieces


def test_boxes_lie_end_to_end_and_say_their_piece():
    axes = draw_pieces(
        {"words": [("the", 4), ("cat", 3)], "letters": [("t", 1), ("", 0)]}
    )
    boxes = [(box.get_x(), box.get_width()) for box in axes.patches]
    assert boxes == [
        pytest.approx((0.08, 3.84)),
        pytest.approx((4.08, 2.84)),
        pytest.approx((0.08, 0.84)),
    ]
    assert [text.get_text() for text in axes.texts] == ["the", "cat", "t"]
    assert axes.texts[1].get_position() == (5.5, 0)
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["words", "letters"]
    assert axes.get_ylim() == (1.5, -0.5)  # the first row on top
    assert axes.get_xlim() == pytest.approx((-0.2, 7.2))


def test_how_a_box_looks():
    axes = draw_pieces({"a": [("b", 1), ("c", 2), ("d", 3)], "e": [("f", 1)]})
    assert [text.get_position()[0] for text in axes.texts[:3]] == [0.5, 2, 4.5]
    for box, text in zip(axes.patches, axes.texts, strict=True):
        _, y = text.get_position()
        assert (box.get_y(), box.get_height()) == pytest.approx(
            (y - 0.34, 0.68)
        )
        assert box.get_facecolor()[3] == 0
        assert to_hex(box.get_edgecolor()) == COLOURS[0].lower()
        assert box.get_linewidth() == 1.2
        assert text.get_family() == ["monospace"]
        assert (text.get_ha(), text.get_va()) == ("center", "center")
        assert (text.get_size(), text.get_color()) == (9, INK)


def test_there_is_nothing_around_the_boxes():
    axes = draw_pieces({"a": [("b", 1)], "c": [("d", 1)], "e": [("f", 1)]})
    assert axes.figure.get_figheight() == pytest.approx(3 * ROW)
    assert not axes.get_frame_on()
    assert list(axes.get_xticks()) == []
    for label in axes.get_yticklabels():
        assert (label.get_size(), label.get_color()) == (10, INK)
    assert {line.get_markersize() for line in axes.get_yticklines()} == {0}

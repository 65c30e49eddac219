"""Rows of boxes as wide as their text."""

import pytest

from unrolled.course.pieces import draw_pieces


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

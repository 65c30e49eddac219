"""Tables for the pages: a DataFrame with a caption, numbers in few digits.

Every chapter shows its tables with this module. On the site, in Jupyter and
in Colab they are real tables; the text form is what a test compares. The
module rounds and shows; it computes nothing.
"""

import html
from collections.abc import Mapping
from numbers import Integral, Real

import pandas as pd
from IPython.display import display

MISSING = ""  # shown for None and for NaN


class _Shown:
    """A table that is shown as HTML, or as text where there is none."""

    def __init__(
        self, frame: pd.DataFrame, caption: str, classes: tuple[str, ...]
    ) -> None:
        self.frame, self.caption, self.classes = frame, caption, classes

    def _repr_html_(self) -> str:
        # a class for tables of words alone, which read better from the left
        with pd.option_context("display.max_colwidth", None):
            table = self.frame.to_html(border=0, classes=self.classes)
        head, body = table.split(">", maxsplit=1)
        return f"{head}><caption>{html.escape(self.caption)}</caption>{body}"

    def __repr__(self) -> str:
        with pd.option_context("display.max_colwidth", None):
            return f"{self.caption}\n{self.frame.to_string()}"


def show_table(
    frame: pd.DataFrame,
    caption: str,
    *,
    digits: int | Mapping[str, int] = 3,
) -> None:
    """Show a table below its caption.

    frame: what stands in its index names the rows. Columns of whole numbers
    alone get no point, other numbers this many digits after it; ``digits``
    may name columns, the others then get 3. Thousands are separated. None
    and NaN leave the place empty.

    Raises TypeError if frame is not a DataFrame, ValueError if the caption
    is empty or digits names a column that is not there.
    """
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(
            f"frame must be a pandas DataFrame, got {type(frame).__name__}"
        )
    if not caption.strip():
        raise ValueError("caption is empty; say what the table shows")
    values = frame.astype(object)
    if isinstance(digits, int):
        digits = {
            name: 0 if _all_whole(column) else digits
            for name, column in values.items()
        }
    unknown = [name for name in digits if name not in frame.columns]
    if unknown:
        raise ValueError(
            f"digits names {unknown}; the columns are {list(frame.columns)}"
        )
    shown = pd.DataFrame(
        {
            name: [
                _word(x, digits.get(name, 0 if _all_whole(column) else 3))
                for x in column
            ]
            for name, column in values.items()
        },
        index=frame.index.rename(None),
    )
    # in the corner, so that the head is one row
    shown.columns.name = frame.index.name
    only_words = all(isinstance(x, str) for x in frame.to_numpy().flat)
    display(_Shown(shown, caption, ("words",) if only_words else ()))


def _all_whole(column: pd.Series) -> bool:
    """Whether a column counts something: counts beside others are floats."""
    numbers = [float(x) for x in column if isinstance(x, Real) and x == x]
    return all(x.is_integer() for x in numbers)


def _word(value: object, digits: int) -> str:
    """One value as it stands in the table."""
    if value is None or value != value:
        return MISSING
    if hasattr(value, "item"):
        value = value.item()  # of a tensor or an array with one number
    if isinstance(value, bool) or not isinstance(value, Real):
        return str(value)
    if isinstance(value, Integral):
        return f"{value:,}"
    return f"{value:,.{digits}f}"

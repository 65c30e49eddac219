"""Unrolled: the companion library of an interactive course on RNNs.

Each module belongs to a chapter of the book and is imported by name, as in
``from unrolled.series import windows``. Importing ``unrolled`` alone loads
nothing else: neither matplotlib nor d2l, nor torch.
"""

__version__ = "0.1.0"

"""Where this machine has its Chromium."""

import shutil

# the first has no window; a new tab shows its page in two thirds of the time
NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
)
MISSING = (
    f"No Chromium: none of {', '.join(NAMES)} is installed. "
    "On Debian and Ubuntu: apt install chromium."
)


def find() -> str | None:
    """The path of the first that is installed, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)

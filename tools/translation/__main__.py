"""The Chinese edition: catalogs, pages, site.

    python tools/translation update     the catalogs follow the English
    python tools/translation pages      book/zh, from English and catalogs
    python tools/translation site       _build/zh, from book/zh
    python tools/translation place      _build/html/zh, from _build/zh

A translator works in translations/zh_CN/*.po, with any editor for gettext.
"""

import sys

import catalogs
import generate
import site_zh
import update

COMMANDS = {
    "update": update.update,
    "pages": generate.generate,
    "site": site_zh.build,
    "place": site_zh.place,
}

if __name__ == "__main__":
    chosen = sys.argv[1:]
    if not chosen or not set(chosen) <= COMMANDS.keys():
        sys.exit(__doc__)
    for name in chosen:
        try:
            COMMANDS[name]()
        except catalogs.UntranslatedError as error:
            sys.exit(
                f'{error}\nSee the recipe "A translation" in CONTRIBUTING.md'
            )

"""Bring the catalogs of the pages up to date with the pages."""

from pathlib import Path

import catalogs
import library
import pages
import prose
import site_zh

README = "readme"  # also the name of its catalog


def wanted(book: Path = pages.BOOK) -> dict[str, list[tuple[str, str]]]:
    """For each catalog of the pages, what it has to hold."""
    said = {
        Path(name).stem: pages.messages(name, book)
        for name in pages.page_names(book)
    }
    common = catalogs.shared(said)
    found = {
        name: [(text, where) for text, where in rows if text not in common]
        for name, rows in said.items()
    }
    order = dict.fromkeys(
        text for rows in said.values() for text, _ in rows if text in common
    )
    found[catalogs.COMMON] = [(text, "several pages") for text in order]
    found[README] = []
    prose.translated(
        (catalogs.ROOT / "README.md").read_text("utf-8"),
        lambda piece: found[README].append((piece, "")) or piece,
    )
    found[library.NAME] = library.messages()
    found[site_zh.NAME] = site_zh.messages()
    return found


def update(folder: Path = catalogs.FOLDER) -> None:
    """Write them; nothing that was translated is lost but what is gone."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, said in wanted().items():
        new = catalogs.renewed(catalogs.read(name, folder), said)
        text = catalogs.text_of(new)
        catalogs.path_of(name, folder).write_text(text, "utf-8")

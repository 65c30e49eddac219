"""The built site: links, pictures, nothing from another host."""

import base64
import gc
import io
import json
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont

from scripts import load

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
PAGES = sorted(p for p in SITE.rglob("*.html") if "_static" not in p.parts)
CHAPTERS = sorted(p.stem for p in (ROOT / "book").glob("*.ipynb"))
ADDRESS = load("book/_ext/repository_address.py")
REPOSITORY = ADDRESS.find_repository(ROOT)
BASE = urlsplit(ADDRESS.site_address(REPOSITORY)).path if REPOSITORY else "/"
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))

pytestmark = pytest.mark.skipif(
    not PAGES, reason="the site is not built; make book builds it"
)


@pytest.fixture(scope="module")
def soups():
    gc.disable()  # or it would go through all that is read, again and again
    found = {
        page: BeautifulSoup(page.read_text("utf-8"), "html.parser")
        for page in PAGES
    }
    gc.enable()
    return found


def content(soup):
    return soup.find("article") or soup


def placed(page, path):
    """The file that a link of a page leads to."""
    if page.name != "404.html":
        return (page.parent / path).resolve()
    assert path.startswith(BASE), path  # served at any depth
    return (SITE / path.removeprefix(BASE)).resolve()


def test_every_page_of_the_contents_is_there():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    chapters = [c for part in toc["parts"] for c in part["chapters"]]
    deeper = [page for c in chapters for page in c.get("sections", [])]
    files = [page["file"] for page in chapters + deeper]
    for name in [toc["root"], *files]:
        assert (SITE / f"{name}.html").is_file(), name
    assert {f"book/{c}" for c in CHAPTERS} <= set(files)
    assert (SITE / "index.html").is_file()


def test_every_page_names_its_icon(soups):
    # else a browser asks for /favicon.ico, and sometimes reports a 404
    for page, soup in soups.items():
        (icon,) = soup.find_all("link", rel="icon")
        assert placed(page, icon["href"].split("?")[0]).is_file(), page


def test_the_root_leads_to_the_first_page(soups):
    soup = soups[SITE / "index.html"]
    refresh = soup.find("meta", attrs={"http-equiv": "refresh"})["content"]
    assert refresh == f"0; url={soup.a['href']}"
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    assert soup.a["href"] == f"{toc['root']}.html"
    assert soup.title.string == CONFIG["title"]


def test_nothing_is_loaded_from_another_host(soups):
    loading = {"script": "src", "img": "src", "iframe": "src", "link": "href"}
    for page, soup in soups.items():
        for tag, attribute in loading.items():
            for element in soup.find_all(tag):
                url = element.get(attribute, "")
                if "canonical" in element.get("rel", []):
                    continue  # it is not loaded
                assert not urlsplit(url).netloc, f"{page.name}: {url}"
        for script in soup.find_all("script"):
            assert "cdn" not in (script.string or "").lower(), page.name
            assert "unpkg" not in (script.string or "").lower(), page.name


def test_mathjax_is_served_by_the_site_where_there_is_a_formula(soups):
    first = SITE / "book" / f"{CHAPTERS[0]}.html"
    assert soups[first].find(class_="math")
    for page, soup in soups.items():
        mathjax = [
            s["src"]
            for s in soup.find_all("script", src=True)
            if "mathjax" in s["src"].lower()
        ]
        assert len(mathjax) == bool(soup.find(class_="math")), page.name
        for source in mathjax:
            assert (page.parent / source.split("?")[0]).resolve().is_file()


def test_no_script_is_loaded_without_need(soups):
    for page, soup in soups.items():
        html = page.read_text("utf-8").lower()
        assert "thebe" not in html, page.name
        assert "fontawesome" not in html, page.name
        if page.name == "search.html":
            continue  # its scripts use one another as they are read
        for script in soup.find_all("script", src=True):
            waits = script.get("type") == "module" or script.has_attr("defer")
            assert waits, f"{page.name}: {script['src']}"


def test_every_icon_has_its_rule_and_its_glyph(soups):
    sheet = (SITE / "_static" / "icons.css").read_text("utf-8")
    rules = dict(
        re.findall(r'\.(fa-[\w-]+):before\{content:"\\(\w+)"\}', sheet)
    )
    glyphs = {}
    for family, data in re.findall(
        r'font-family:"Font Awesome 6 (\w+)".*?base64,([^)]*)\)', sheet
    ):
        font = TTFont(io.BytesIO(base64.b64decode(data)))
        glyphs[family] = set(font.getBestCmap())
    seen = set()
    for soup in soups.values():
        for icon in soup.find_all(class_=re.compile("^fa-")):
            names = {n for n in icon["class"] if n.startswith("fa-")}
            names -= {"fa-solid", "fa-brands", "fa-regular", "fa-lg"}
            brand = {"fab", "fa-brands"} & set(icon["class"])
            for name in names:
                point = int(rules[name], 16)
                assert point in glyphs["Brands" if brand else "Free"], name
            seen |= names
    assert len(seen) > 8
    # one that only the theme's script names, and one of its style sheet
    assert int(rules["fa-xmark"], 16) in glyphs["Free"]
    assert 0xF107 in glyphs["Free"]


def test_every_page_has_one_title_one_viewport_and_a_description(soups):
    titles = {}
    for page, soup in soups.items():
        (title,) = soup.head.find_all("title")
        assert title.string.count("Unrolled") == 1, page.name
        titles[page.relative_to(SITE).as_posix()] = title.string
        if page.name == "index.html" and page.parent.name != "book":
            continue  # it only leads on
        assert len(soup.find_all("meta", attrs={"name": "viewport"})) == 1
        if page.parent.name == "book":
            (description,) = soup.find_all(
                "meta", attrs={"name": "description"}
            )
            least = 12 if "zh" in page.parts else 40  # characters
            assert least <= len(description["content"]) <= 200, page.name
            for name in ("og:title", "og:description", "og:type"):
                (tag,) = soup.find_all("meta", property=name)
                assert tag["content"], page.name
    assert titles["book/index.html"] == CONFIG["title"]
    assert titles["search.html"] == "Search - Unrolled"
    assert titles["404.html"] == "No such page - Unrolled"
    first = content(soups[SITE / "book" / f"{CHAPTERS[0]}.html"])
    heading = first.h1.find(string=True, recursive=False)
    assert titles[f"book/{CHAPTERS[0]}.html"] == f"{heading} - Unrolled"


def test_internal_links_and_anchors_resolve(soups):
    anchors = {  # looked up thousands of times
        page: {
            tag.get(attribute)
            for attribute in ("id", "name")
            for tag in soup.find_all(attrs={attribute: True})
        }
        for page, soup in soups.items()
    }
    checked = 0
    for page, soup in soups.items():
        for link in soup.find_all("a", href=True):
            parts = urlsplit(link["href"])
            if parts.scheme or parts.netloc:
                continue
            target = page
            if parts.path:
                target = placed(page, unquote(parts.path))
            assert target.is_file(), f"{page.name}: {link['href']}"
            if parts.fragment and target in soups:
                name = unquote(parts.fragment)
                assert name in anchors[target], f"{page.name}: {link['href']}"
            checked += 1
    assert checked > 100


def test_every_figure_has_alt_text(soups):
    for page, soup in soups.items():
        if page.parent.name != "book":
            continue  # Sphinx's own index pages
        for image in content(soup).find_all("img"):
            alt = image.get("alt", "")
            assert len(alt) >= 30, f"{page.name}: {image.get('src')}"
            assert not re.search(r"[0-9a-f]{16}", alt), alt


def test_chapters_show_their_stored_figures(soups):
    for chapter in CHAPTERS:
        path = ROOT / "book" / f"{chapter}.ipynb"
        notebook = json.loads(path.read_text("utf-8"))
        stored = sum(
            "image/svg+xml" in output.get("data", {})
            for cell in notebook["cells"]
            for output in cell.get("outputs", [])
        )
        shown = content(soups[SITE / "book" / f"{chapter}.html"])
        drawn = shown.select("figure.drawing")
        assert len(drawn) == stored > 0
        for number, figure in enumerate(drawn, start=1):
            assert len(figure.svg["aria-label"]) >= 30
            caption = figure.figcaption.get_text().strip()
            assert caption.startswith(f"Figure {number}. ")
            # in the theme's colours, on no ground of its own
            assert "currentColor" in str(figure.svg)
            assert "fill: #ffffff" not in str(figure.svg)
        assert shown.find("img") is None


def test_findings_are_sentences_with_a_fold(soups):
    for chapter in CHAPTERS:
        path = ROOT / "book" / f"{chapter}.ipynb"
        text = path.read_text("utf-8")
        shown = content(soups[SITE / "book" / f"{chapter}.html"])
        sentences = shown.select("div.role-finding > p.measured")
        assert len(sentences) == text.count('"Holds: ') > 0
        for cell in shown.select("div.role-finding"):
            *_, fold = [child for child in cell.children if child.name]
            assert fold.name == "details"
            assert not fold.has_attr("open")
            assert "How this is checked" in fold.summary.get_text()
        assert "Holds:" not in shown.get_text().replace("with Holds:", "")


def test_folds_are_called_by_their_words_and_hold_code_alone(soups):
    for chapter in CHAPTERS:
        shown = content(soups[SITE / "book" / f"{chapter}.html"])
        folds = shown.select("details.hide")
        assert len(folds) > 2
        for fold in folds:
            assert fold.summary.get_text().strip()
            assert not fold.summary.has_attr("aria-label")
            assert fold.pre.get_text().strip()
        assert "@title" not in shown.get_text()
        # what is downloaded keeps the line, which names the cell in Colab
        source = SITE / "_sources" / "book" / f"{chapter}.ipynb"
        assert "# @title How this is checked" in source.read_text("utf-8")


def test_every_page_states_the_licences_once(soups):
    for page, soup in soups.items():
        foot = soup.select_one("footer.bd-footer-content")
        if foot:
            assert foot.get_text().count("CC BY 4.0") == 1, page.name


def test_words_in_tables_stand_left_and_numbers_right(soups):
    page = content(soups[SITE / "book" / "8_2_text_preprocessing.html"])
    (table,) = [
        t for t in page.select("table.dataframe") if "<unk>" in t.get_text()
    ]
    for row in table.select("tr"):
        left = ["text" in cell.get("class", []) for cell in row(["th", "td"])]
        assert left == [False, True, False]  # index, token, occurs
    status = content(soups[SITE / "book" / "status.html"])
    for row in status.select("tr"):
        cells = row(["th", "td"])
        right = ["number" in cell.get("class", []) for cell in cells]
        assert right == [False, True, True] + [False] * (len(cells) - 3)


def test_chapters_have_their_buttons(soups):
    for chapter in CHAPTERS:
        soup = soups[SITE / "book" / f"{chapter}.html"]
        links = [a["href"] for a in soup.find_all("a", href=True)]
        assert any(
            link.endswith(f"_sources/book/{chapter}.ipynb") for link in links
        )
        colab = (
            f"https://colab.research.google.com/github/{REPOSITORY}"
            f"/blob/notebooks/book/{chapter}.ipynb"
        )
        issues = f"https://github.com/{REPOSITORY}/issues/new"
        assert (colab in links) == bool(REPOSITORY)
        assert any(issues in link for link in links) == bool(REPOSITORY)
        assert not any("_owner_" in link for link in links)


def test_no_page_links_to_a_package_registry(soups):
    for page, soup in soups.items():
        for link in soup.find_all("a", href=True):
            host = urlsplit(link["href"]).netloc
            assert not re.search(
                r"pypi|anaconda|conda-forge|npmjs|crates\.io", host
            ), page.name


def test_search_index_holds_the_chapters():
    index = (SITE / "searchindex.js").read_text("utf-8")
    for chapter in CHAPTERS:
        assert f"book/{chapter}" in index
    assert (SITE / "search.html").is_file()


def test_library_page_links_to_source_and_chapters(soups):
    library = content(soups[SITE / "book" / "library.html"])
    links = [a["href"] for a in library.find_all("a", href=True)]
    modules = sorted(
        path.relative_to(ROOT / "lib").with_suffix("").as_posix()
        for path in (ROOT / "lib" / "unrolled").rglob("*.py")
        if path.stem != "__init__"
    )
    for module in modules:
        assert any(f"_modules/{module}.html" in x for x in links)
        name = module.replace("/", ".")
        assert library.find(id=f"module-{name}") is not None
    assert any(f"{CHAPTERS[0]}.html" in link for link in links)


def test_chapters_link_to_the_library(soups):
    for chapter in CHAPTERS:
        page = content(soups[SITE / "book" / f"{chapter}.html"])
        assert page.find("a", href=re.compile(r"library\.html"))


def test_the_landing_page_shows_what_the_chapter_claims(soups):
    landing = content(soups[SITE / "book" / "index.html"])
    measured = [p.get_text() for p in landing.find_all("p", class_="measured")]
    assert len(measured) >= 2
    notebooks = "".join(
        (ROOT / "book" / f"{chapter}.ipynb").read_text("utf-8")
        for chapter in CHAPTERS
    )
    for sentence in measured:
        # smart quotes aside, the words and numbers are the claim's own
        words = re.split("[^ -~]", sentence)[0]
        assert words[1:30] in notebooks
    pictures = landing.select(".sd-card figure.drawing img")
    # deeper pages (8.1a, E.1) hang below their chapter's card
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    files = [c["file"] for part in toc["parts"] for c in part["chapters"]]
    with_code = {f"book/{chapter}" for chapter in CHAPTERS}
    assert len(pictures) == len(with_code.intersection(files))
    for picture in pictures:
        assert picture["loading"] == "lazy"
        assert (SITE / "book" / picture["src"]).resolve().is_file()


def test_the_status_page_lists_every_chapter(soups):
    status = content(soups[SITE / "book" / "status.html"])
    rows = [r.get_text(" ", strip=True) for r in status.find_all("tr")][1:]
    assert len(rows) == len(CHAPTERS)
    for row in rows:
        assert "2.13.0" in row


def test_no_page_names_a_machine(soups):
    for page, soup in soups.items():
        text = soup.get_text()
        for path in ("/home/", "/root/", "/tmp/", "/work/"):
            assert path not in text, f"{page.name} shows {path}"


# elements that are drawn by a style sheet which not every page names
DRAWN = {
    "copybutton": "div.highlight pre",
    "explorables": "unrolled-network, unrolled-markov, unrolled-samplers, "
    "unrolled-forecast, unrolled-clipping, unrolled-shannon",
    "mystnb": "div.cell",
    "pygments": "div.highlight pre",
    "selfcheck": "section > details",
    "sphinx-design": "div.sd-card, .sd-row, .sd-btn",
    "togglebutton": ".admonition.dropdown, .toggle, details.toggle-details",
}


@pytest.mark.parametrize("sheet", DRAWN)
def test_style_sheets_are_where_they_are_needed(soups, sheet):
    named, needed = set(), set()
    for page, soup in soups.items():
        links = [link["href"] for link in soup.find_all("link", href=True)]
        if any(f"/{sheet}." in href for href in links):
            named.add(page)
        article = soup.find("article")
        if article and article.select_one(DRAWN[sheet]):
            needed.add(page)
    assert needed <= named
    assert named < set(soups)  # some page does without
    if sheet not in ("togglebutton",):  # no page has such a fold today
        assert needed

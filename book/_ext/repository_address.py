"""Where the course lives, found out when the site is built.

Nobody writes an address down: a copy of the repository takes its own.
``GITHUB_REPOSITORY`` (set by GitHub's workflows) names it, else the git
remote ``origin``; where neither is on GitHub the address is unknown. Then no
button and no link that needs it is rendered, and pages say something else:

- ``{address-known}`` and ``{address-unknown}`` keep or drop their content;
- ``{repository}`words``` links to the repository, and
  ``{repository}`words <README.md>``` to a file in it;
- ``{colab}`words <8_1_sequence_models>``` opens a chapter in Colab.

Without an address the two roles give their words alone.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import ReferenceRole, SphinxDirective

NAME = r"(?P<owner>[a-z\d][a-z\d-]*)/(?P<name>[\w.-]+?)"
ADDRESS = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^/@]*@)?(?:www\.|ssh\.)?github\.com(?::\d+)?/"
    rf"|(?:[^/@:]+@)?github\.com:/?){NAME}(?:\.git)?/?",
    flags=re.I,
)


def on_github(address: str) -> str | None:
    """OWNER/NAME of an https or ssh address on GitHub, None of any other."""
    match = ADDRESS.fullmatch(address.strip())
    return match and f"{match['owner']}/{match['name']}"


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=root, capture_output=True, text=True
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def find_repository(
    root: Path, environment: Mapping[str, str] = os.environ
) -> str | None:
    """OWNER/NAME of the repository in this folder, None if unknown."""
    # other hosts with workflows of this kind set both variables too
    server = environment.get("GITHUB_SERVER_URL", "https://github.com")
    named = environment.get("GITHUB_REPOSITORY", "")
    if found := on_github(f"{server.rstrip('/')}/{named}"):
        return found
    # a folder without git inside another repository is not that repository
    top = _git(root, "rev-parse", "--show-toplevel")
    if not top or Path(top).resolve() != Path(root).resolve():
        return None
    return on_github(_git(root, "remote", "get-url", "origin"))


def site_address(repository: str) -> str:
    """Where GitHub Pages serves the site of OWNER/NAME."""
    owner, name = repository.lower().split("/")[0], repository.split("/")[1]
    host = f"{owner}.github.io"
    return (
        f"https://{host}/"
        if name.lower() == host
        else (f"https://{host}/{name}/")
    )


def use_address(app, config) -> None:
    """Give the address to the theme, or take every use of it away."""
    repository = find_repository(app.srcdir)
    config.course_repository = repository or ""
    options = config.html_theme_options
    if repository:
        options["repository_url"] = f"https://github.com/{repository}"
        config.html_baseurl = config.html_baseurl or site_address(repository)
    else:
        options["repository_url"] = ""
        options["launch_buttons"] = {}
        for button in ("repository", "issues", "edit_page", "source"):
            options[f"use_{button}_button"] = False


class AddressKnown(SphinxDirective):
    """Its content, where the address is known."""

    has_content = True
    wanted = True

    def run(self) -> list[nodes.Node]:
        """The parsed content, or nothing."""
        if bool(self.config.course_repository) != self.wanted:
            return []
        return self.parse_content_to_nodes(allow_section_headings=True)


class AddressUnknown(AddressKnown):
    """Its content, where the address is not known."""

    wanted = False


class RepositoryLink(ReferenceRole):
    """A link to the repository, or to a file in it."""

    def address(self, repository: str) -> str:
        """Where the link leads."""
        url = f"https://github.com/{repository}"
        if self.has_explicit_title:
            url += f"/blob/HEAD/{self.target}"
        return url

    def run(self) -> tuple[list[nodes.Node], list]:
        """A link, or its words."""
        repository = self.config.course_repository
        if not repository:
            return [nodes.Text(self.title)], []
        uri = self.address(repository)
        return [nodes.reference("", self.title, refuri=uri)], []


class ColabLink(RepositoryLink):
    """A link that opens a chapter in Colab."""

    def address(self, repository: str) -> str:
        """Where the link leads: the branch with the published notebooks."""
        options = self.config.html_theme_options
        colab = options["launch_buttons"]["colab_url"]
        branch = options["repository_branch"]
        return (
            f"{colab}/github/{repository}/blob/{branch}/book/"
            f"{self.target}.ipynb"
        )


def setup(app) -> dict:
    """Register with Sphinx."""
    # pages are read anew when the address changes
    app.add_config_value("course_repository", "", "env")
    app.connect("config-inited", use_address, priority=400)
    app.add_directive("address-known", AddressKnown)
    app.add_directive("address-unknown", AddressUnknown)
    app.add_role("repository", RepositoryLink())
    app.add_role("colab", ColabLink())
    return {"version": "1", "parallel_read_safe": True}

"""Pages of the site that are made from what stands elsewhere: configurations, command lines, metrics, experiments."""

import posixpath
import re
from pathlib import Path

import pages
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
GENERATED = {
    "reference/configuration.md": pages.configuration,
    "reference/command_line.md": pages.command_lines,
    "reference/record.md": pages.run_record,
    "reference/layers.md": pages.layers,
}
COPIED = {"project/changelog.md": "CHANGELOG.md", "project/contributing.md": "CONTRIBUTING.md"}
EXPERIMENTS = ("README.md", "results.md", "parsers.md", "card.yaml", "*.png", "*.svg")
LINK = re.compile(r"(\]\()([^)#:\s]+)")
"""Of a link within the repository, what it leads to."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages; results and pictures of experiments keep their folders."""
    for place, make in GENERATED.items():
        files.append(File.generated(config, place, content=make()))
    for place, source in COPIED.items():
        files.append(File.generated(config, place, content=(ROOT / source).read_text()))
    for pattern in EXPERIMENTS:
        for path in sorted((ROOT / "experiments").rglob(pattern)):
            files.append(File.generated(config, str(path.relative_to(ROOT)), abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links stand as they lead from file to file in the repository; here they lead from page to page."""
    here = page.file.src_uri

    def mend(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(_source(here)), found[2]))
        pages_of_it = (_place(target), f"{target}/README.md", f"{target}/results.md")
        place = next((each for each in pages_of_it if each in files.src_uris), None)
        return found[1] + (posixpath.relpath(place, posixpath.dirname(here) or ".") if place else found[2])

    return LINK.sub(mend, markdown)


def _source(place: str) -> str:
    """The file of the repository from which a page of the site is made."""
    return COPIED.get(place) or (place if place.startswith("experiments/") else f"docs/{place}")


def _place(source: str) -> str:
    """The page of the site that is made from a file of the repository."""
    return next((place for place, copied in COPIED.items() if copied == source), source.removeprefix("docs/"))

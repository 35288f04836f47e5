"""Terminal output in the documentation is what the commands print."""

from pathlib import Path

import pytest

from tests.docs.console_page import BLOCK, comparable, run_page, shown

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = ("walk-through.md", "tutorial-rule.md", "scenarios.md", "time.md")


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_the_output_on_the_page_is_what_is_printed(name: str, tmp_path: Path) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    blocks = [(kind, body) for kind, _, body in BLOCK.findall(text)]
    found = run_page(text, tmp_path.resolve())
    assert len(found) == len(blocks) > 4
    for (kind, body), steps in zip(blocks, found, strict=True):
        if kind == "run":
            again = f"run `python -m tests.docs.console_page docs/{name}` and read what it changes"
            assert comparable(shown(steps)) == comparable(body), again


def test_every_console_block_of_these_pages_is_run() -> None:
    for name in PAGES:
        text = (DOCS / name).read_text(encoding="utf-8")
        assert text.count("```console") == sum(kind == "run" for kind, _, _ in BLOCK.findall(text))

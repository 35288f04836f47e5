"""Pages, codes and messages of docs/checks stay together: the examples are run."""

import re
from pathlib import Path

import pytest

from tests.docs.checks import FOLDER, blocks, codes, mended, said

ROOT = Path(__file__).parents[2]
IN_CODE = sorted(
    {
        code
        for file in (ROOT / "engine").rglob("*.py")
        for code in re.findall(r'"(R\d{3})"', file.read_text(encoding="utf-8"))
    }
)


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert codes() == IN_CODE


def test_the_index_lists_every_page_with_its_title() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| \[(R\d{3})\]\(R\d{3}\.md\) \| (.+) \|$", index, flags=re.MULTILINE))
    titles = {
        code: (FOLDER / f"{code}.md").read_text(encoding="utf-8").split("\n")[0].removeprefix(f"# {code}: ")
        for code in codes()
    }
    assert listed == titles


@pytest.mark.parametrize("code", codes())
def test_the_wrong_example_gives_the_quoted_message_and_the_mended_one_none(code: str) -> None:
    found = blocks(code)
    before = dict([found["before"]]) if "before" in found else None
    beside = dict([found["beside"]]) if "beside" in found else {}
    wrong = dict([found["wrong"]]) if "wrong" in found else {}
    (message,) = said(beside | wrong, before)
    assert re.match(rf"rules/[a-z./-]+:\d+:\d+: {code}[: ]", message)
    assert message + "\n" == found["said"][1]
    if "mended" in found:
        good = dict([found["mended"]])
    else:
        name, text = found["wrong"]
        good = {name: mended(text, found["mend"][1])}
    assert said(beside | good, before) == []

"""LibreOffice opens the workbook of a real run; it is skipped, and counted, where there is no LibreOffice."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from jobs.export.book import Selection, load_book
from jobs.export.xlsx import write_book
from jobs.output.layout import Layout
from warehouse.database import Database

SOFFICE = shutil.which("soffice") or shutil.which("libreoffice")


@pytest.mark.ui
@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed (no `soffice` on the path)")
def test_libreoffice_turns_the_workbook_into_pages(small_root: Path, tmp_path: Path) -> None:
    book = tmp_path / "book.xlsx"
    with Database.open(Layout(small_root).resolve_published().path, read_only=True) as reader:
        write_book(load_book(reader, Selection(importer="DEU")), book)
    command = [str(SOFFICE), f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless"]
    command += ["--convert-to", "pdf", "--outdir", str(tmp_path), str(book)]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    pages = re.findall(rb"/Type\s*/Page\b(?!s)", (tmp_path / "book.pdf").read_bytes())
    assert len(pages) >= 5, "a page for each of the five sheets"

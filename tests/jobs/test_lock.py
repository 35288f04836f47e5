import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs.errors import BusyError, ExitCode, SettingsError
from jobs.output.lock import exclusive

SINCE = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
HOLD = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from jobs.output.lock import exclusive
with exclusive(Path(sys.argv[1]), since=datetime(2026, 11, 23, 2, 30, tzinfo=UTC)):
    print("held", flush=True)
    time.sleep(60)
"""


def hold(path: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_second_process_is_told_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "out" / ".lock"
    holder = hold(path)
    try:
        with pytest.raises(BusyError) as caught, exclusive(path, since=SINCE):
            pytest.fail("both hold it")
        assert f"process {holder.pid}, since 2026-11-23T02:30:00+00:00" in str(caught.value)
        assert caught.value.code is ExitCode.BUSY
    finally:
        end(holder)


def test_kill_frees_it(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    end(hold(path))
    with exclusive(path, since=SINCE):
        assert path.is_file()


def test_it_can_be_taken_again(tmp_path: Path) -> None:
    for _ in range(2):
        with exclusive(tmp_path / ".lock", since=SINCE):
            pass


def test_an_error_inside_frees_it(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="inside"), exclusive(tmp_path / ".lock", since=SINCE):
        raise RuntimeError("inside")
    with exclusive(tmp_path / ".lock", since=SINCE):
        pass


def test_a_holder_that_left_no_name_is_still_refused(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    holder = hold(path)
    try:
        path.write_text("not json", encoding="utf-8")
        with (
            pytest.raises(BusyError, match=r"another run is under way. Nothing"),
            exclusive(path, since=SINCE),
        ):
            pytest.fail("both hold it")
    finally:
        end(holder)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    with (
        pytest.raises(SettingsError, match="cannot be written"),
        exclusive(blocked / "out" / ".lock", since=SINCE),
    ):
        pytest.fail("held")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with (
        pytest.raises(SettingsError, match="Permission denied"),
        exclusive(tmp_path / "out" / ".lock", since=SINCE),
    ):
        pytest.fail("held")

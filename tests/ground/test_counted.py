from ground.counted import counted


def test_one_is_singular_and_every_other_number_plural() -> None:
    assert [counted(n, "problem") for n in (0, 1, 2, 2000)] == [
        "0 problems",
        "1 problem",
        "2 problems",
        "2,000 problems",
    ]
    assert [counted(n, "entry", "entries") for n in (1, 2)] == ["1 entry", "2 entries"]

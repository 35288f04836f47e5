from ground.markdown import WIDTH, wrapped

LONG = "word " * 40


def test_prose_is_wrapped_and_keeps_its_mark() -> None:
    page = f"# Head\n\n{LONG}\n- {LONG}\n> {LONG}\nshort\n"
    made = wrapped(page).split("\n")
    assert max(map(len, made)) <= WIDTH
    assert wrapped(page).replace("> ", "").split() == page.replace("> ", "").split()
    item = made.index(next(line for line in made if line.startswith("- ")))
    assert made[item + 1].startswith("  word")
    quoted = made.index(next(line for line in made if line.startswith("> ")))
    assert made[quoted + 1].startswith("> word")
    assert made[-2:] == ["short", ""]


def test_tables_code_headings_and_addresses_stay_whole() -> None:
    address = "<https://example.org/" + "a" * 150 + ">"
    for kept in (f"| {LONG}|", f"```\n{LONG}\n```", f"## {LONG}", address):
        assert wrapped(kept) == kept

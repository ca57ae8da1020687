"""What `--fix` writes: the characters of the address and no others, and nothing that the strict reader would not read back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_catalog.catalog.source import read_document
from llmops_catalog.links.collect import collect
from llmops_catalog.links.edits import applied, record_is_as_planned, record_plan
from llmops_catalog.links.repair import OFFERED, Repair, refusal, repair, with_fragment_of
from llmops_catalog.links.results import Judgement, LinkResult, ModelResult, Place

RECORD = "catalog/gpus/l4.yaml"
OLD, NEW = "https://old.org/a", "https://new.org/b"


class Files:
    """A folder with a catalog of one record, and perhaps pages beside it."""

    def __init__(self, parent: Path) -> None:
        self.parent, self.root = parent, parent / "catalog"

    def write(self, path: str, content: str | bytes) -> None:
        (self.parent / path).parent.mkdir(parents=True, exist_ok=True)
        (self.parent / path).write_bytes(content if isinstance(content, bytes) else content.encode())

    def read(self, path: str = RECORD) -> str:
        return (self.parent / path).read_bytes().decode()

    def fix(self, better: dict[str, str]) -> list[Repair]:
        links = {link.url: link.places for link in collect(self.root).links}
        results = [LinkResult(url, links.get(url, ()), moved(new)) for url, new in better.items()]
        return repair(self.root, results)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def moved(new: str) -> Judgement:
    return Judgement("pass", "redirected-permanent", better_url=new)


def renamed(old: str, new: str, *paths: str) -> ModelResult:
    return ModelResult(old, "renamed", "no", "pass", places=tuple(Place(path, 1, 9, "hub_id") for path in paths), true_id=new)


LAYOUTS = [
    "url: {}\n", "url: '{}'  # the page\n", 'url: "{}"\n', 'rows:\n  - {{url: "{}", n: 1.50}}\n', "rows: [{}, 'é', {}]\n",
    "# {0}\nurl:   {0}   # {0}\n", "a: {}\nb: {}/more\nc: {}#x\nd: see {}, {}/more and ({}).\n", "t: 'it''s at {}'\n", "t: >-\n  {}\n",
    "t: >-\n  folded text about\n  {} and\n  more\n\nz: 1\n", "t: |\n  {}\n  {}\n", "t: one\n  two {}\n  three\n", 't: "é\\t({}) {}"\n',
    "? url\n: {}\n", "url:\n    {}\n", "- a\n", "\ufeffurl: {}", "a: 1\r\nurl: {}\r\n# end\r\n", "t: |-\n  {}",
    "émoji: 🙂 {}\nb: 0x10\nc: 1_000\nd: no\n", "---\nurl: {}\n...\n", "a:\n- {}\n- b: {}\n",
]  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_only_the_address_changes(files: Files, layout: str, newline: str) -> None:
    """A comment that holds the address is nobody's value, `/more` and `#x` are other addresses: all of them stay."""
    lines = layout.replace("\r\n", "\n").replace("\n", newline)
    before = lines.replace("{0}", OLD).replace("{}", OLD).replace("{{", "{").replace("}}", "}")
    files.write(RECORD, before)
    after = (lines.replace("# {0}", f"# {OLD}").replace("{0}", NEW).replace("{}/more", f"{OLD}/more").replace("{}#x", f"{OLD}#x")
             .replace("{}", NEW).replace("{{", "{").replace("}}", "}"))  # fmt: skip
    repairs = files.fix({OLD: NEW})
    assert files.read() == after
    assert all(one.done for one in repairs)
    assert [one.line for one in repairs] == [number for number, line in enumerate(after.splitlines(), 1) if NEW in line]


def test_addresses_that_begin_alike_are_told_apart_whatever_the_order(files: Files) -> None:
    files.write(RECORD, f"a: see {OLD} and {OLD}/b and {OLD}b\nb: [{OLD}b, {OLD}]\n")
    files.fix({OLD: f"{OLD}/b", f"{OLD}/b": "https://third.org/"})
    assert files.read() == f"a: see {OLD}/b and https://third.org/ and {OLD}b\nb: [{OLD}b, {OLD}/b]\n"


@pytest.mark.parametrize(("before", "new", "after"), [
    ("a: {OLD}", "https://new.org/?q=1#f", "a: https://new.org/?q=1#f"),
    ("a: [{OLD}]", "https://new.org/?q=1", 'a: ["https://new.org/?q=1"]'),
    ("a: {{b: {OLD}}}", "https://new.org/a,b", 'a: {b: "https://new.org/a,b"}'),
    ("a: {OLD}", "https://new.org/it's:", 'a: "https://new.org/it\'s:"'),
    ("a: '{OLD}'", "https://new.org/it's", "a: 'https://new.org/it''s'"),
    ("a: 'see {OLD}'", "https://new.org/it's", "a: 'see https://new.org/it''s'"),
    ("a: {OLD}#part", "https://new.org/", "a: https://new.org/#part"),
    ("a: {OLD}#part", "https://new.org/#own", "a: https://new.org/#own"),
    ('a: "{OLD}"', "https://new.org/é", 'a: "https://new.org/é"'),
    ("a: http://old.org/", "https://old.org/", "a: https://old.org/"),
])  # fmt: skip
def test_quotes_are_kept_and_added_where_they_are_needed(files: Files, before: str, new: str, after: str) -> None:
    files.write(RECORD, before.format(OLD=OLD))
    (old,) = (link.url for link in collect(files.root).links)
    (done,) = files.fix({old: new})
    assert done.done, done
    assert files.read() == after
    assert read_document(after.encode())


@pytest.mark.parametrize(("text", "new", "why_not"), [
    ("a: [see {OLD} there]", "https://new.org/a,b", "would need quotes"),
    ('a: "see\\n{OLD} there"', NEW, "in one piece"),
    ('a: "see https:\\/\\/old.org/a there"', NEW, "in one piece"),
    ("readings:\n  - quote: 'seen at {OLD}'", NEW, "quotation"),
    ("prints:\n  - says: {OLD}", NEW, "quotation"),
])  # fmt: skip
def test_what_cannot_be_written_safely_is_told_and_left(files: Files, text: str, new: str, why_not: str) -> None:
    files.write(RECORD, text.format(OLD=OLD))
    (left,) = files.fix({OLD: new})
    assert (left.done, left.old, left.new) == (False, OLD, new)
    assert why_not in left.why_not
    assert files.read() == text.format(OLD=OLD)


@pytest.mark.parametrize("new", [
    "ftp://new.org/", "javascript:alert(1)", "http://new.org/", "HTTP://new.org/", "https://new.org/\nb: 1", "https://new.org/ #", 'https://new.org/"',
    "https://new.org/\x1b[2J", "https://new.org/\u202e", "https://new.org/\u0085x", "https://127.0.0.1/", "https://localhost/", "https://me:pw@new.org/",
    "https://new.org/" + "x" * 2000, "https://new.org/?utm_source=x", "https://new.org/?X-Amz-Signature=1", "//new.org/", "", "https://new.org/{x}",
    "https://new.org/\\x", "https://new.org:99999/", "https://169.254.169.254/",
])  # fmt: skip
def test_no_server_can_have_anything_else_written(files: Files, new: str) -> None:
    files.write(RECORD, f"a: {OLD}\n")
    repairs = files.fix({OLD: new})
    assert files.read() == f"a: {OLD}\n"
    assert [(one.done, bool(one.why_not)) for one in repairs] == ([(False, True)] if new else [])
    assert refusal(OLD, new)


def test_a_fragment_is_kept_unless_the_new_address_has_one() -> None:
    assert with_fragment_of("https://a.org/#x", "https://b.org/") == "https://b.org/#x"
    assert with_fragment_of("https://a.org/#x", "https://b.org/#") == "https://b.org/#"
    assert with_fragment_of("https://a.org/", "https://b.org/#y") == "https://b.org/#y"


def test_pages_are_repaired_where_the_address_is_a_link(files: Files) -> None:
    files.write(RECORD, "name: x\n")
    text = (
        "# é\r\n[a]({O}) `{O}` <{O}> {O}. {O}/more\r\n\r\n    {O}\r\n\r\n[r]: {O} 't'\r\n"
        '<a href="{O}">x</a>\r\n<!-- {O} -->\r\n```\r\n{O}\r\n```\r\n'
    )
    files.write("README.md", text.replace("{O}", OLD))
    expected = text
    for link in ("({O})", "<{O}>", "> {O}.", "[r]: {O}", '"{O}"'):
        expected = expected.replace(link, link.replace("{O}", NEW))
    repairs = files.fix({OLD: NEW})
    assert files.read("README.md") == expected.replace("{O}", OLD)
    assert [(one.line, one.done) for one in repairs] == [(2, True), (6, True), (7, True)]  # equal ones on a line are told once


def test_a_page_that_would_not_read_back_is_left(files: Files) -> None:
    files.write(RECORD, "name: x\n")
    files.write("README.md", f"[a]({OLD}) and {OLD}")
    (left,) = files.fix({OLD: "https://new.org/a(b"})
    assert not left.done
    assert "read back" in left.why_not
    assert files.read("README.md") == f"[a]({OLD}) and {OLD}"


def test_dead_links_are_never_removed_and_an_archived_copy_is_only_offered(files: Files) -> None:
    files.write(RECORD, f"a: {OLD}\n")
    at = (Place(RECORD, 1, 4, "a"),)
    archived = "https://web.archive.org/web/2020/https://old.org/a"
    dead = LinkResult(OLD, at, Judgement("fail", "broken", archived_url=archived))
    assert repair(files.root, [dead]) == [Repair(RECORD, 1, OLD, archived, False, OFFERED)]
    assert repair(files.root, [LinkResult(OLD, at, Judgement("fail", "broken"))]) == []
    assert repair(files.root, [LinkResult(OLD, at, Judgement("unknown", "timeout", archived_url=archived))]) == []
    assert files.read() == f"a: {OLD}\n"


@pytest.mark.parametrize("path", [
    "../outside.yaml", "/etc/passwd", "catalog/../outside.yaml", "outside.yaml", "catalog/link-exceptions.yaml",
    "catalog/gpus/linked.yaml", "catalog/linked/x.yaml", "catalog/gpus", "catalog/none.yaml", "setup.py",
])  # fmt: skip
def test_nothing_but_records_and_pages_is_written(files: Files, path: str) -> None:
    files.write(RECORD, f"a: {OLD}\n")
    files.write("outside.yaml", f"a: {OLD}\n")
    files.write("setup.py", f"a: {OLD}\n")
    files.write("elsewhere/x.yaml", f"a: {OLD}\n")
    files.write("catalog/link-exceptions.yaml", f"exceptions: []\na: {OLD}\n")
    (files.root / "linked").symlink_to(files.parent / "elsewhere")
    (files.root / "gpus/linked.yaml").symlink_to(files.parent / "outside.yaml")
    (left,) = repair(files.root, [LinkResult(OLD, (Place(path, 1, 4, "a"),), moved(NEW))])
    assert (left.path, left.done) == (path, False)
    assert "cannot be repaired" in left.why_not
    assert all(OLD in file.read_text() for file in files.parent.rglob("*") if file.is_file())


def test_a_file_that_changed_meanwhile_is_looked_at_anew(files: Files) -> None:
    files.write(RECORD, f"\n\n# moved\na: {OLD}\n")
    at = (Place(RECORD, 1, 4, "a"),)
    results = [LinkResult(OLD, at, moved(NEW)), LinkResult("https://gone.org/", at, moved(NEW))]
    assert repair(files.root, results) == [
        Repair(RECORD, 1, "https://gone.org/", NEW, False, "it no longer stands there"), Repair(RECORD, 4, OLD, NEW, True),
    ]  # fmt: skip
    for broken in ("a: [", b"\xff", "a: &x 1", "x" * 300_000):
        files.write(RECORD, broken)
        assert not any(one.done for one in repair(files.root, results))
        assert (files.parent / RECORD).read_bytes() == (broken if isinstance(broken, bytes) else broken.encode())


MODEL = "catalog/models/a/b.yaml"


@pytest.mark.parametrize(("before", "after"), [
    ("name: B\nsummary: short\nhub_id: A/Old\nfamily: x\n", "name: B\nsummary: short\naliases: [A/Old]\nhub_id: B/New\nfamily: x\n"),
    ("name: B\nsummary: >-\n  long\n  text\n\n# about the id\nhub_id: 'A/Old'  # c\n",
     "name: B\nsummary: >-\n  long\n  text\naliases: [A/Old]\n\n# about the id\nhub_id: 'B/New'  # c\n"),
    ("name: B\naliases: [b, 'c d']  # c\nhub_id: A/Old\n", "name: B\naliases: [b, 'c d', A/Old]  # c\nhub_id: B/New\n"),
    ("aliases: [\n  b,\n  c,\n]\nhub_id: A/Old\n", "aliases: [\n  b,\n  c, A/Old,\n]\nhub_id: B/New\n"),
    ("aliases: []\nhub_id: A/Old\n", "aliases: [A/Old]\nhub_id: B/New\n"),
    ("aliases:\n  - b  # first\n  # between\nhub_id: A/Old\n", "aliases:\n  - b  # first\n  - A/Old\n  # between\nhub_id: B/New\n"),
    ("aliases:\n- b\r\nhub_id: A/Old\r\n", "aliases:\n- b\r\n- A/Old\r\nhub_id: B/New\r\n"),
    ("hub_id: A/Old\naliases: [a/old]", "hub_id: B/New\naliases: [a/old]"),
    ("name: B\nhub_id: A/Old", "name: B\nhub_id: B/New\naliases: [A/Old]\n"),
    ("name: B\nhub_id: A/Old\nsummary: x\n", "name: B\nhub_id: B/New\nsummary: x\naliases: [A/Old]\n"),
    ("hub_id: A/Old\nother: {hub_id: A/Old}\naliases: null\n", None),
    ("{name: B, hub_id: A/Old}\n", None),
    ("hub_id: A/Old\naliases: {x: y}\n", None),
])  # fmt: skip
def test_a_renamed_model_gets_its_id_and_keeps_the_old_one_as_an_alias(files: Files, before: str, after: str | None) -> None:
    files.write(MODEL, before)
    repairs = repair(files.root, [], [renamed("A/Old", "B/New", MODEL)])
    assert files.read(MODEL) == (before if after is None else after)
    assert {one.done for one in repairs} == {after is not None}
    assert ("A/Old", "B/New") in {(one.old, one.new) for one in repairs}


def test_a_new_spelling_of_the_same_id_needs_no_alias(files: Files) -> None:
    files.write(MODEL, "hub_id: A/Old\n")
    assert repair(files.root, [], [renamed("A/Old", "a/OLD", MODEL)]) == [Repair(MODEL, 1, "A/Old", "a/OLD", True)]
    assert files.read(MODEL) == "hub_id: a/OLD\n"


@pytest.mark.parametrize("true_id", ["B", "B/New: x", "B/New\nx: 1", "../x/y", "B/" + "n" * 200, "https://x/y", "B/Née"])
def test_an_id_that_is_none_is_not_written(files: Files, true_id: str) -> None:
    files.write(MODEL, "hub_id: A/Old\n")
    (left,) = repair(files.root, [], [renamed("A/Old", true_id, MODEL)])
    assert left.done is False
    assert files.read(MODEL) == "hub_id: A/Old\n"


def test_addresses_and_the_id_of_one_record_are_written_together(files: Files) -> None:
    files.write(MODEL, f"name: B\nhub_id: A/Old\nsources:\n  - {{url: '{OLD}', checked: 2026-11-20, n: 1.10}}\n")
    link = LinkResult(OLD, (Place(MODEL, 4, 11, "sources[0].url"),), moved(NEW))
    assert all(one.done for one in repair(files.root, [link], [renamed("A/Old", "B/New", MODEL)]))
    assert files.read(MODEL) == f"name: B\nhub_id: B/New\naliases: [A/Old]\nsources:\n  - {{url: '{NEW}', checked: 2026-11-20, n: 1.10}}\n"


def test_a_second_run_changes_nothing(files: Files) -> None:
    files.write(RECORD, f"a: {OLD}\n")
    files.fix({OLD: NEW})
    before = (files.parent / RECORD).stat().st_mtime_ns
    assert files.fix({OLD: NEW}) == []
    assert (files.parent / RECORD).stat().st_mtime_ns == before


SCALARS = st.sampled_from(
    [
        OLD,
        f"'{OLD}'",
        f'"{OLD}"',
        f"see {OLD}, {OLD}/b",
        f"'a ''b'' {OLD}'",
        "1.10",
        "no",
        f">-\n    x {OLD}\n    y",
        f"|\n    {OLD}\n\n    # {OLD}",
        f"{OLD} # was {OLD}",
    ]
)


@given(
    st.lists(SCALARS, min_size=1, max_size=6),
    st.sampled_from([NEW, "https://new.org/a,b", "https://new.org/?x=1#y", "https://new.org/it's", "https://new.org/:"]),
)
def test_whatever_the_layout_the_planned_values_change_and_no_others(values: list[str], new: str) -> None:
    text = "".join(f"k{number}: {value}\n" if number % 2 else f"l{number}:\n  - {value}\n" for number, value in enumerate(values))
    plan = record_plan(text, {OLD: new}, {})
    result = applied(text, plan.edits)
    assert record_is_as_planned(text, result, plan.values)
    assert text.count(f"# was {OLD}") == result.count(f"# was {OLD}")
    assert not plan.edits or result != text

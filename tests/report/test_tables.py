"""Tables: long cells are cut, but for those whose end is the point."""

from __future__ import annotations

from llmops_catalog.report.tables import table

ROW = ["a" * 30, "because " + "of this " * 5 + "use that"]


def test_a_long_cell_is_cut_and_says_so() -> None:
    assert table(("name", "why"), [ROW], widest=20).splitlines()[1] == f"{'a' * 17}...  because of this o..."


def test_a_column_named_whole_keeps_its_end() -> None:
    assert table(("name", "why"), [ROW], widest=20, whole=["why"]).splitlines()[1] == f"{'a' * 17}...  {ROW[1]}"

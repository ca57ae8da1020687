"""Plain text tables, and text made safe for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Style = Callable[[str, str], str]
"""`style(text, role)`: the text, coloured for its role where output goes to a terminal."""


def plain(text: str, _role: str) -> str:
    """The `Style` of a pipe: nothing added."""
    return text


def printable(text: str) -> str:
    """`text` without control characters: what comes from records and arguments must not steer a terminal."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def count(number: int, word: str) -> str:
    """``1 link``, ``1,203 links``."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    widest: int = 60,
    style: Style = plain,
    roles: Sequence[str] = (),
    whole: Sequence[str] = (),
) -> str:
    """Columns aligned by spaces, numbers to the right; `roles` names a role per column for `style` (``=`` takes the cell's own text).

    Cells are cut at `widest` characters, but for the columns named in `whole`.
    """
    cuts = [None if name in whole else widest for name in header]
    shown = [[_cut(printable(cell), cut) for cell, cut in zip(row, cuts, strict=True)] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in shown) for column in range(len(header))]
    right = [bool(rows) and all(_is_number(row[column]) for row in shown[1:]) for column in range(len(header))]
    lines = []
    for number, row in enumerate(shown):
        cells = [cell.rjust(width) if is_right else cell.ljust(width) for cell, width, is_right in zip(row, widths, right, strict=True)]
        cells[-1] = cells[-1].rstrip()
        if number == 0:
            cells = [style(cell, "header") for cell in cells]
        elif roles:
            cells = [style(cell, cell.strip() if role == "=" else role) if role else cell for cell, role in zip(cells, roles, strict=True)]
        lines.append("  ".join(cells).rstrip() + "\n")
    return "".join(lines)


def _cut(text: str, widest: int | None) -> str:
    return text if widest is None or len(text) <= widest else text[: widest - 3] + "..."


def _is_number(text: str) -> bool:
    return not text or text in "-" or text.replace(",", "").replace(".", "").removesuffix(" GiB").isdigit()

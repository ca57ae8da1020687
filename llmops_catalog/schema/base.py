"""The alphabet every record is written in: strict models, text, dates, addresses, references, sources, licences, money."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, model_validator
from pydantic_core import PydanticCustomError

from llmops_catalog.problems import did_you_mean, nearest
from llmops_catalog.schema.urls import check_url

Item = TypeVar("Item")
Many = Annotated[tuple[Item, ...], Strict(False)]
"""A YAML sequence, kept as a tuple; its items stay strictly typed."""


class StrictModel(BaseModel):
    """Nothing is coerced, nothing unknown is let through, nothing changes after reading."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=False)


@dataclass(frozen=True, slots=True)
class RefTo:
    """Marks a text field as the id of a record in `collection`; ``*`` means ``collection/id`` of any."""

    collection: str


def described(description: str, example: Any, **constraints: Any) -> Any:
    """A field with what it means (units named) and one true example; both feed the JSON Schema and the docs."""
    return Field(description=description, examples=[example], **constraints)


def optional(description: str, example: Any, **constraints: Any) -> Any:
    """As `described`, for a field that may be left out."""
    return Field(default=None, description=description, examples=[example], **constraints)


def several(description: str, example: Any, **constraints: Any) -> Any:
    """As `described`, for a sequence that may be left out or empty."""
    return Field(default=(), description=description, examples=[example], **constraints)


# --- text -------------------------------------------------------------------------------------------------------------

_LATIN = "\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
"""What the second and later bytes of UTF-8 become when read as Latin-1 or Windows-1252."""
_MAC = "†°¢£§•¶ß®©™´¨≠ÆØ±≤≥¥µ∂ªºæøÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü"
"""The same for the Macintosh encoding, without the signs that follow a root in formulas."""
_MOJIBAKE = re.compile(
    f"\ufffd|Ã[{_LATIN}]|Â[\u00a0-\u00bf]|[à-ï][{_LATIN}]{{2}}|ð[Ÿ\u009f][{_LATIN}]{{2}}|(?:[Â-ß][{_LATIN}]){{2}}|√[{_MAC}]|‚Ä[{_MAC}]"
)
_CONTROL = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_DOUBLE_SPACE = re.compile("  |\t")
_ODD_SPACE = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_ORDINARY = re.compile(r"[!-~]+(?:[ \n][!-~]+)*")
"""Nearly all text: plain ASCII words with single spaces. One look instead of five."""


def _as_written(value: Any) -> Any:
    """The YAML reader keeps the spelling of numbers: a text field gets `3.10`, not 3.1."""
    return getattr(value, "as_written", value)


def _wrong(code: str, sentence: str, hint: str) -> PydanticCustomError:
    """A finding of our own: one of the codes of problems.py, a ready sentence, and what to do."""
    return PydanticCustomError(code, "{sentence}", {"sentence": sentence, "hint": hint})


def _text(value: Any) -> Any:
    """A text field's value: numbers in their own spelling (`3.10`, not 3.1), text checked for what nobody can see."""
    text = getattr(value, "as_written", value)
    if not isinstance(text, str) or _ORDINARY.fullmatch(text):
        return text
    if match := _MOJIBAKE.search(text):
        raise _wrong(
            "mojibake", f"the text was decoded with the wrong encoding near {_around(text, match)!r}", "type the characters again in UTF-8"
        )
    if match := _CONTROL.search(text):
        before = text[max(0, match.start() - 12) : match.start()]
        raise _wrong("control-character", f"the text contains the invisible character U+{ord(match[0]):04X} after {before!r}", "delete it")
    if text != text.strip():
        raise _wrong(
            "whitespace",
            f"white space at an end of {_ends(text)}",
            "write '>-' instead of '>' or '|'" if text.endswith("\n") else "remove it",
        )
    if match := _DOUBLE_SPACE.search(text):
        raise _wrong("whitespace", f"two spaces or a tab near {_around(text, match)!r}", "write one space")
    if match := _ODD_SPACE.search(text):
        raise _wrong(
            "whitespace",
            f"the space U+{ord(match[0]):04X}, which looks like an ordinary one, near {_around(text, match)!r}",
            "write one space",
        )
    if not unicodedata.is_normalized("NFC", text):
        composed = unicodedata.normalize("NFC", text)
        first = next((index for index, pair in enumerate(zip(text, composed, strict=False)) if pair[0] != pair[1]), len(composed))
        raise _wrong(
            "mojibake",
            f"letters and their accents are stored apart near {composed[max(0, first - 12) : first + 12]!r}",
            "type the accented letters again",
        )
    return text


def _around(text: str, match: re.Match[str]) -> str:
    return text[max(0, match.start() - 12) : match.end() + 12]


def _ends(text: str) -> str:
    return repr(text) if len(text) <= 60 else f"{text[:25]!r} ... {text[-25:]!r}"


AsText = BeforeValidator(_text)
"""Put after a field's bounds, so that Pydantic checks those natively."""

Text = Annotated[str, AsText]
Line = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\n]*$"), AsText]
"""One line of plain text (no Markdown, no HTML: it is shown as written)."""
Prose = Annotated[str, Field(min_length=1, max_length=4000), AsText]
"""Plain sentences; `>-` folds them over several YAML lines."""
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=80), AsText]
"""Lower-case letters, digits, dots, hyphens, underscores."""
Quote = Annotated[str, Field(min_length=1, max_length=2000), BeforeValidator(_as_written)]
"""Somebody else's words exactly as found: a log line, a table row."""
Url = Annotated[str, Field(json_schema_extra={"format": "uri"}), AfterValidator(check_url)]

ID_PATTERN = r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*"


def reference(collection: str) -> Any:
    """The type of a field that holds the id of a record in `collection`."""
    return Annotated[
        str, Field(max_length=200, json_schema_extra={"x-refers-to": collection}), BeforeValidator(_as_written), RefTo(collection)
    ]


ModelRef = reference("models")
FamilyRef = reference("families")
GpuRef = reference("gpus")
ArchitectureRef = reference("architectures")
QuantizationRef = reference("quantizations")
FrameworkRef = reference("frameworks")
ProviderRef = reference("providers")
ResourceRef = reference("resources")
ConceptRef = reference("concepts")
PathRef = reference("paths")
PrerequisiteRef = reference("prerequisites")
MeasurementRef = reference("measurements")
DatasetRef = reference("datasets")
AnyRef = reference("*")
"""``collection/id``, for fields that may point anywhere: ``notebooks/llm-ops/present``."""


# --- dates, numbers, money --------------------------------------------------------------------------------------------

_DATE = re.compile(r"^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$")


@lru_cache(maxsize=4096)
def _check_date(text: str) -> str:
    match = _DATE.match(text)
    try:
        if match and 1950 <= int(match[1]) <= 2100:
            date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
            return text
    except ValueError:
        pass
    raise _wrong("bad-date", f"{text[:40]!r} is not a date", "write 2024, 2024-07 or 2024-07-23")


def _check_day(text: str) -> str:
    if len(_check_date(text)) != 10:
        raise _wrong("bad-date", f"{text!r} lacks the day", "write it as 2024-07-23")
    return text


Date = Annotated[str, BeforeValidator(_as_written), AfterValidator(_check_date)]
"""``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``: as exact as it is known."""
Day = Annotated[str, BeforeValidator(_as_written), AfterValidator(_check_day)]
"""``YYYY-MM-DD``."""

Count = Annotated[int, Field(ge=1, le=10**15)]
Size = Annotated[int, Field(ge=0, le=10**15)]
Amount = Annotated[int | float, Field(ge=0, le=10**9, json_schema_extra={"type": "number"})]
"""A number that may have decimals, not negative."""

Figure = Annotated[int | float, Field(ge=-(10**9), le=10**15, json_schema_extra={"type": "number"})]
"""A number as somebody published it: scores and ratios may be negative."""

Confidence = Literal["high", "medium", "thin"]
"""high: compared with a primary source. medium: one good secondary source. thin: recalled or inferred, shown as such."""


class Money(StrictModel):
    """An amount with its currency; prices age, so the day it was seen goes with it."""

    amount: Amount = described("How much, in units of the currency", 0.35)
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = described("ISO 4217 code", "USD")
    as_of: Date | None = optional("When the price was seen; left out where the source carries no date", "2026-08")


# --- provenance -------------------------------------------------------------------------------------------------------


class Source(StrictModel):
    """Where facts of this record were read, which of them, and when they were last compared."""

    url: Url = described(
        "A repository (best with its commit), model card, paper, vendor page, documentation page or issue",
        "https://arxiv.org/abs/2407.21783",
    )
    supports: Many[Line] = described("The fields of this record it backs; nested ones with dots", ["released", "license"], min_length=1)
    checked: Day = described("The day the fields were last compared with the page", "2026-11-20")
    note: Line | None = optional("What a reader of the source should know: which table, which commit, what it does not say", "table 3")


class Doubt(StrictModel):
    """A fact that is less certain than the record as a whole, and why."""

    field: Line = described("The field in doubt; nested ones with dots", "native_dtype")
    confidence: Literal["medium", "thin"] = described("How far to trust it", "thin")
    why: Line = described("What makes it uncertain", "inferred from the family, config.json not read")


class NotKnown(StrictModel):
    """A fact readers will look for that nobody has published: better said than guessed."""

    field: Line = described("The field that is missing on purpose; nested ones with dots", "memory.driver_mib")
    why: Line = described("What was looked at in vain", "no nvidia-smi reading published")


CommercialUse = Literal["yes", "restricted", "no"]


class License(StrictModel):
    """An SPDX id, or ``LicenseRef-...`` with its name, text and what it lets a business do."""

    id: Line = described("SPDX expression, or LicenseRef-name for a licence SPDX does not list", "Apache-2.0")
    name: Line | None = optional("The name people know it by; needed for a LicenseRef", "Llama 3.1 Community License")
    url: Url | None = optional("Where its text can be read; needed for a LicenseRef", "https://www.llama.com/llama3_1/license/")
    commercial_use: CommercialUse | None = optional(
        "May a business use it: yes, restricted (conditions), no; needed for a LicenseRef", "restricted"
    )
    note: Line | None = optional("The catch, in one line", "services above 700 million monthly users need a licence of their own")

    @model_validator(mode="after")
    def _is_known_or_explained(self) -> License:
        _check_license(self)
        return self


COMMON_LICENSES = (
    "Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "GPL-2.0-only", "GPL-3.0-only", "LGPL-3.0-only", "AGPL-3.0-only", "MPL-2.0", "ISC",
    "Unlicense",
    "CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-NC-ND-4.0", "CC-BY-SA-3.0", "ODC-By-1.0",
)  # fmt: skip
"""What a mistyped id usually meant."""


@lru_cache(maxsize=1024)
def _canonical_license(expression: str) -> str | None:
    """The SPDX spelling of an expression; None where it is none."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return str(canonicalize_license_expression(expression))
    except (InvalidLicenseExpression, ValueError):
        return None


def _check_license(license_: License) -> None:
    canonical = _canonical_license(license_.id)
    if canonical is None:
        meant = did_you_mean(nearest(license_.id.replace(" ", "-"), COMMON_LICENSES, 2))
        otherwise = "use an id from spdx.org/licenses, or LicenseRef-name with name, url and commercial_use"
        raise _wrong("bad-license", f"{license_.id[:60]!r} is not an SPDX licence id", meant or otherwise)
    if canonical != license_.id and not license_.id.startswith("LicenseRef-"):
        raise _wrong("bad-license", f"the licence {license_.id!r} is spelled {canonical!r}", f"write id: {canonical}")
    if license_.id.startswith("LicenseRef-"):
        missing = [key for key in ("name", "url", "commercial_use") if getattr(license_, key) is None]
        if missing:
            raise _wrong(
                "bad-license",
                f"the custom licence {license_.id!r} lacks {' and '.join(missing)}",
                "say it, so that readers know what they agree to",
            )


# --- the record -------------------------------------------------------------------------------------------------------


class Record(StrictModel):
    """What every record has. Its id is its path below the collection folder, without ``.yaml``; it is never written inside."""

    collection: ClassVar[str]
    label_field: ClassVar[str] = "name"
    url_fields: ClassVar[tuple[str, ...]] = ()
    """The addresses that identify the thing: no two records of the collection may share one."""

    aliases: Many[Line] = several("Other names people type for it", ["4090", "geforce rtx 4090"])
    tags: Many[Slug] = several("Words to find it by, lower case", ["instruct", "multilingual"])
    confidence: Confidence = described("How far the record as a whole can be trusted: high, medium or thin", "high")
    doubts: Many[Doubt] = several(
        "Facts less certain than the record", [{"field": "native_dtype", "confidence": "thin", "why": "inferred from the family"}]
    )
    not_known: Many[NotKnown] = several(
        "Facts left out because nobody published them", [{"field": "released", "why": "no announcement found"}]
    )
    sources: Many[Source] = described("Where the facts come from; at least one",
                                      [{"url": "https://arxiv.org/abs/2407.21783", "supports": ["released"], "checked": "2026-11-20"}],
                                      min_length=1)  # fmt: skip

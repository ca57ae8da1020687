"""Addresses: which ones a record may carry, the one spelling of equal ones, and the dates they state."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from llmops_catalog.schema.urls import _split, canonical_url, check_url, date_in_url


@pytest.mark.parametrize(
    "url",
    [
        "https://arxiv.org/abs/2407.21783", "http://example.org", "https://example.org/", "https://example.org/a?b=c&d=e#f", "https://example.org:8443/x",
        "https://de.wikipedia.org/wiki/Ada_Lovelace_(Mikroarchitektur)", "https://example.org/a%20b", "https://example.org/@user/post", "https://éxample.org/é",
        "https://github.com/a/b/blob/main/x.ipynb#L10", "https://example.org/?token=x", "https://example.org/?policy=1",
        "https://8.8.8.8/dns", "https://x.local.org/a",
        "https://www.youtube.com/watch?v=kCc8FmEb1nY", "https://example.org/?si=content", "https://example.org/;a=b",
        "https://example.org/a:b", "https://xn--mller-kva.example/",
    ],
)  # fmt: skip
def test_addresses_everybody_can_open_are_taken_as_they_are(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "bad-url"), ("example.org", "bad-url"), ("//example.org", "bad-url"), ("https://", "bad-url"),
        ("https:///path", "bad-url"), ("https:example.org", "bad-url"),
        ("javascript:alert(1)", "bad-url"), ("JaVaScRiPt:alert(1)//https://x.org", "bad-url"), ("data:text/html,<b>", "bad-url"),
        ("file:///etc/passwd", "bad-url"),
        ("ftp://example.org/", "bad-url"), ("mailto:a@example.org", "bad-url"), ("https://user:secret@example.org/", "bad-url"),
        ("https://user@example.org", "bad-url"),
        ("http://127.0.0.1/", "bad-url"), ("http://127.1/", "bad-url"), ("http://0x7f.0.0.1/", "bad-url"),
        ("http://2130706433/", "bad-url"), ("http://[::1]/", "bad-url"),
        ("http://10.0.0.1/", "bad-url"), ("http://192.168.1.1/", "bad-url"), ("http://169.254.169.254/latest", "bad-url"),
        ("http://[fe80::1]/", "bad-url"),
        ("http://localhost/", "bad-url"), ("http://printer.local/", "bad-url"), ("http://db.internal/x", "bad-url"),
        ("http://intranet/", "bad-url"),
        ("https://example.org/a b", "bad-url"), ("https://example.org/\n", "bad-url"), ("https://example.org/<script>", "bad-url"),
        ('https://example.org/"x', "bad-url"),
        ("https://example.org\\@evil.org/", "bad-url"), ("https://example.org/`x`", "bad-url"), ("https://example.org/{x}", "bad-url"),
        ("https://example.org:99999/", "bad-url"),
        ("https://[::1/", "bad-url"), ("https://example.org/" + "a" * 2000, "bad-url"), ("https://example.org/\x00", "bad-url"),
        ("https://example.org/?utm_source=x", "tracking-url"), ("https://example.org/?a=b&fbclid=x", "tracking-url"),
        ("https://youtu.be/x?si=y", "tracking-url"),
        ("https://open.spotify.com/track/1?si=y", "tracking-url"), ("https://example.org/?ref_src=twsrc", "tracking-url"),
        ("https://b.s3.amazonaws.com/x?X-Amz-Signature=a", "expiring-url"),
        ("https://storage.googleapis.com/b/x?X-Goog-Expires=60", "expiring-url"),
        ("https://x.blob.core.windows.net/a?sv=1&se=2&sig=3", "expiring-url"),
        ("https://cdn.example.org/x?Expires=1&Signature=2&Key-Pair-Id=3", "expiring-url"),
        ("https://example.org/x?access_token=abc", "expiring-url"),
    ],
)  # fmt: skip
def test_addresses_that_are_refused(url: str, code: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        check_url(url)
    assert caught.value.type == code
    assert caught.value.context is not None
    assert caught.value.context["hint"]


def test_a_password_is_not_repeated() -> None:
    with pytest.raises(PydanticCustomError) as caught:
        check_url("https://me:secret@example.org/")
    assert "secret" not in str(caught.value)


@given(st.text(alphabet="htps:/.@?#[]%&= aé1-_x\\", max_size=40) | st.text(max_size=30))
def test_any_text_is_taken_or_refused(text: str) -> None:
    for prefix in ("", "https://", "https://example.org/"):
        url = prefix + text
        code = refusal(url)
        assert code in (None, "bad-url", "tracking-url", "expiring-url")
        if code is None:
            _split(url)  # the short way accepts nothing that the long way refuses
            canonical_url(url)
            date_in_url(url)


def refusal(url: str) -> str | None:
    try:
        assert check_url(url) == url
    except PydanticCustomError as refused:
        return refused.type
    return None


@pytest.mark.parametrize(
    "spellings",
    [
        ("https://example.org", "http://www.example.org/", "https://example.org/index.html", "https://EXAMPLE.org:443/"),
        (
            "https://youtu.be/kCc8FmEb1nY",
            "https://www.youtube.com/watch?v=kCc8FmEb1nY",
            "https://m.youtube.com/watch?v=kCc8FmEb1nY",
            "https://www.youtube.com/watch?list=PL1&v=kCc8FmEb1nY&t=60s",
            "https://www.youtube-nocookie.com/embed/kCc8FmEb1nY",
        ),
        (
            "https://arxiv.org/abs/2209.11055",
            "https://arxiv.org/pdf/2209.11055",
            "https://arxiv.org/pdf/2209.11055v1.pdf",
            "http://arxiv.org/html/2209.11055v2",
            "https://export.arxiv.org/abs/2209.11055v1",
            "https://doi.org/10.48550/arXiv.2209.11055",
        ),
        (
            "https://github.com/ggml-org/llama.cpp",
            "https://github.com/ggml-org/llama.cpp.git",
            "https://github.com/GGML-org/llama.cpp/tree/master",
            "https://github.com/ggml-org/llama.cpp#readme",
            "https://github.com/ggml-org/llama.cpp/blob/master/README.md",
        ),
        ("https://huggingface.co/Qwen/Qwen3-8B", "https://hf.co/qwen/qwen3-8b", "https://huggingface.co/Qwen/Qwen3-8B/tree/main"),
        ("https://example.org/a%20b", "https://example.org/a b/"),
        ("https://example.org/?a=1&b=2", "https://example.org?b=2&a=1&"),
    ],
)
def test_spellings_of_one_page_are_equal(spellings: tuple[str, ...]) -> None:
    assert len({canonical_url(url) for url in spellings}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.org/a", "https://example.org/b"), ("https://example.org/?a=1", "https://example.org/?a=2"),
        ("https://youtu.be/a", "https://youtu.be/A"), ("https://www.youtube.com/playlist?list=a", "https://www.youtube.com/playlist?list=b"),
        ("https://github.com/a/b/tree/main", "https://github.com/a/b/tree/v1"),
        ("https://github.com/a/b", "https://github.com/a/c"), ("https://example.org/a", "https://example.com/a"),
        ("https://example.org/#a", "https://example.org/#b"),
        ("https://github.com/a/b/blob/main/X/y.md", "https://github.com/a/b/blob/main/x/y.md"),
    ],
)  # fmt: skip
def test_different_pages_stay_different(one: str, other: str) -> None:
    assert canonical_url(one) != canonical_url(other)


@pytest.mark.parametrize(
    ("url", "stated"),
    [
        ("https://arankomatsuzaki.wordpress.com/2021/06/04/gpt-j/", "2021-06-04"), ("https://arxiv.org/abs/2209.11055", "2022-09"),
        ("https://arxiv.org/pdf/2407.21783v2", "2024-07"),
        ("https://example.org/2024/1/post", "2024-01"), ("https://example.org/news/2024-07-23.html", "2024-07-23"),
        ("https://example.org/1234/56/78", None),
        ("https://example.org/2024", None), ("https://example.org/v/2024/13/01", None), ("https://example.org/", None),
        ("https://arxiv.org/abs/cs/0112017", None),
    ],
)  # fmt: skip
def test_dates_in_addresses(url: str, stated: str | None) -> None:
    assert date_in_url(url) == stated

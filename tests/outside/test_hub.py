"""The Hub asked over the loopback: what it answers, refuses and gets wrong; a token goes to its host and to no other."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from hub_server import (
    Seen,
    Server,
    body,
    broken,
    dripping_body,
    dripping_head,
    endless,
    json_body,
    nonsense,
    redirect,
    serving,
    silent,
    status,
)
from records import facts

from llmops_catalog.errors import CatalogError, FitInputError, HubRefused, HubUnavailable, UnknownModelType, UnreadableModel
from llmops_catalog.fit import estimate
from llmops_catalog.outside import model_from_hub
from llmops_catalog.outside.hub import Hub, hub_of_environment

CONFIGS = Path(__file__).parent / "configs"
NAME = "Qwen/Qwen3-0.6B"
CONFIG, API = f"/{NAME}/resolve/main/config.json", f"/api/models/{NAME}"
RAW = json.loads((CONFIGS / "Qwen--Qwen3-0.6B.json").read_text(encoding="utf-8"))
MINE = "hf_only_for_you"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("HF_ENDPOINT", "HF_TOKEN", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serving() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        running.answers[CONFIG] = json_body(RAW)
        running.answers[API] = json_body({"id": NAME, "safetensors": {"parameters": {"BF16": 751_632_384}, "total": 751_632_384}})
        yield running


def refused(name: str = NAME, hub: Hub | None = None) -> CatalogError:
    with pytest.raises(CatalogError) as caught:
        model_from_hub(name, hub=hub)
    return caught.value


def test_a_model_by_its_config_and_the_hubs_count(server: Server) -> None:
    model, known = model_from_hub(NAME), facts("qwen/qwen3-0.6b")
    assert (model.hub_id, model.id, model.total_parameters) == (NAME, NAME, known.total_parameters)
    asked = {"quantization": "q4_k_m", "context_tokens": 4096}
    assert estimate(model, **asked).memory == estimate(known, **asked).memory
    assert estimate(model, **asked).as_json()["hub_id"] == NAME
    assert model.checkpoint_parameters == 751_632_384
    assert model.notes == ("the Hub counts 751,632,384 parameters in the files, the architecture adds up to 596,049,920",)
    assert server.seen == [Seen(CONFIG, None), Seen(API, None)]


@pytest.mark.parametrize(
    "answer", [json_body({}), json_body({"safetensors": None}), json_body({"safetensors": {"total": "many"}}), status(500)]
)
def test_without_a_count_the_config_is_enough(server: Server, answer) -> None:
    server.answers[API] = answer
    model = model_from_hub(NAME)
    assert (model.total_parameters, model.checkpoint_parameters, model.notes) == (596_049_920, None, ())


def test_parts_that_are_not_described_are_what_the_hub_counts_beyond_the_text(server: Server) -> None:
    name = "meta-llama/Llama-4-Scout-17B-16E-Instruct"
    known = facts(name.casefold())
    server.answers[f"/{name}/resolve/main/config.json"] = body((CONFIGS / f"{name.replace('/', '--')}.json").read_bytes())
    server.answers[f"/api/models/{name}"] = json_body({"safetensors": {"total": known.total_parameters}})
    model = model_from_hub(name)
    assert model.other_modality_parameters == known.other_modality_parameters
    asked = {"quantization": "bf16", "runtime": "vllm"}
    assert estimate(model, **asked).memory == estimate(known._replace(checkpoint_parameters=None), **asked).memory
    assert model.notes == ("the vision and audio parts are what the Hub counts beyond the text model",)


def test_a_count_of_packed_weights_is_no_count_of_parameters(server: Server) -> None:
    server.answers[CONFIG] = json_body(RAW | {"quantization_config": {"quant_method": "gptq", "bits": 4}})
    server.answers[API] = json_body({"safetensors": {"total": 200_000_000}})
    assert model_from_hub(NAME).notes == ()


def test_the_token_goes_to_the_hub(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", f" {MINE}\n")
    model_from_hub(NAME)
    assert {seen.token for seen in server.seen} == {f"Bearer {MINE}"}


def test_the_token_goes_to_no_other_host(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another port is another host; on the way back it is sent again."""
    monkeypatch.setenv("HF_TOKEN", MINE)
    with serving() as other:
        other.answers["/file"] = json_body(RAW)
        server.answers[CONFIG] = redirect(f"{other.url}/file", 302)
        assert model_from_hub(NAME).total_parameters == 596_049_920
        other.answers["/file"] = redirect(f"{server.url}/back")
        server.answers["/back"] = json_body(RAW)
        model_from_hub(NAME)
    assert other.seen == [Seen("/file", None)] * 2
    assert Seen("/back", f"Bearer {MINE}") in server.seen


def test_a_renamed_repository_is_followed(server: Server) -> None:
    server.answers["/old/name/resolve/main/config.json"] = redirect(CONFIG)
    server.answers["/api/models/old/name"] = redirect(API)
    assert model_from_hub("old/name").total_parameters == 596_049_920


GATED = "https://huggingface.co/docs"
REFUSALS = {
    "absent": (status(404, "RepoNotFound"), None, "there is no such repository",
               "check organisation and name; if it is private, set HF_TOKEN"),
    "absent or private": (status(401, "RepoNotFound"), None, "there is no such repository",
                          "check organisation and name; if it is private, set HF_TOKEN"),
    "absent, with a token": (status(401, "RepoNotFound"), MINE, "there is no such repository", "check organisation and name"),
    "no config": (status(404, "EntryNotFound"), None, "the repository has no config.json",
                  "where it holds GGUF files only, download one and ask with --gguf; an adapter is asked about as its base model"),
    "gated": (status(401, "GatedRepo", "Access to model is restricted."), None, "access to it has to be asked for",
              "ask on its page, then set HF_TOKEN to a token of yours"),
    "gated, not granted": (status(403, "GatedRepo"), MINE, "the account of HF_TOKEN has no access to it",
                           "ask for access on its page and wait until it is given"),
    "wrong token": (status(401), MINE, "the Hub does not accept HF_TOKEN", "make a new token, or unset it for what is public"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_what_the_hub_refuses_is_told_exactly(server: Server, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    answer, token, message, hint = REFUSALS[case]
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    server.answers[CONFIG] = answer
    error = refused()
    assert isinstance(error, HubRefused)
    assert (error.message, error.hint, error.place, error.exit_code) == (message, hint, f"{server.url}/{NAME}", 2)


UNAVAILABLE = {
    "too many requests": (status(429), "the Hub asks to wait: too many requests"),
    "out of order": (status(503), "the Hub answered with status 503"),
    "endless": (endless, "the answer is longer than 8,388,608 bytes"),
    "packed": (body(gzip.compress(b" " * 10**7), Content_Encoding="gzip"), "the answer is packed, which was not asked for"),
    "in a circle": (redirect(CONFIG), "it redirects more than 4 times"),
    "to a file": (redirect("file:///etc/hosts"), "it redirects to an address that is not followed"),
    "to nowhere": (redirect("http://[/"), None),
    "hangs up": (broken, None),
    "no HTTP": (nonsense, None),
}


@pytest.mark.parametrize("case", UNAVAILABLE)
def test_what_is_no_answer_is_said(server: Server, case: str) -> None:
    answer, message = UNAVAILABLE[case]
    server.answers[CONFIG] = answer
    error = refused()
    assert isinstance(error, HubUnavailable)
    assert error.exit_code == 3
    assert error.message == message if message else error.message.startswith("it cannot be reached: ")


@pytest.mark.parametrize("slow", [silent, dripping_head, dripping_body])
def test_a_slow_hub_is_not_waited_for(server: Server, slow) -> None:
    server.answers[CONFIG] = slow
    began = monotonic()
    error = refused(hub=Hub(server.url, deadline_seconds=0.4))
    assert isinstance(error, HubUnavailable)
    assert error.message in ("no answer in time", "no answer within 0 seconds")
    assert monotonic() - began < 2


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as gone:
        monkeypatch.setenv("HF_ENDPOINT", gone.url)
    error = refused()
    assert isinstance(error, HubUnavailable)
    assert error.message.startswith("it cannot be reached: ")
    assert "HF_ENDPOINT" in error.hint


def test_what_comes_back_may_be_no_config(server: Server) -> None:
    server.answers[CONFIG] = body(b"<html>Sign in to the network</html>")
    error = refused()
    assert isinstance(error, UnreadableModel)
    assert (error.place, error.message) == (f"{NAME}/config.json", "it is no JSON: Expecting value at line 1, column 1")
    server.answers[CONFIG] = json_body({"model_type": "qwen9"})
    assert isinstance(refused(), UnknownModelType)


@pytest.mark.parametrize(
    "name", ["gpt2", "a/b/c", "../../etc", "https://huggingface.co/a/b", "a/b?x=1", "a/ b", "", None, "ä/b", "a/" + "b" * 200]
)
def test_what_is_no_name_never_reaches_the_hub(server: Server, name: str) -> None:
    error = refused(name)
    assert error.message.endswith("is no repository on the Hub")
    assert server.seen == []


def test_where_the_hub_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert hub_of_environment() == Hub("https://huggingface.co")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:8080/")
    assert hub_of_environment() == Hub("http://127.0.0.1:8080")
    for wrong in ("ftp://127.0.0.1", "huggingface.co", "http://"):
        monkeypatch.setenv("HF_ENDPOINT", wrong)
        with pytest.raises(FitInputError, match="not the address of a Hub"):
            hub_of_environment()

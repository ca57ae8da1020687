"""A model as the Hugging Face Hub describes it: its config.json and what the Hub counts in its weights.

Two small requests, each bounded in time, size and redirects. HF_TOKEN goes to the host of HF_ENDPOINT and to no other.
What the Hub answers: https://huggingface.co/docs/hub/api; its error codes: `hf_raise_for_status` in
https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/utils/_http.py.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx2

from llmops_catalog.errors import FitInputError, HubRefused, HubUnavailable
from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.support import Support
from llmops_catalog.outside.config import facts
from llmops_catalog.outside.config_keys import LARGEST_FILE_BYTES, Config, parsed

ENDPOINT, ENDPOINT_VARIABLE, TOKEN_VARIABLE = "https://huggingface.co", "HF_ENDPOINT", "HF_TOKEN"
WAIT_SECONDS, DEADLINE_SECONDS = 10.0, 30.0
"""For one step of a connection, and for a whole answer, however slowly it drips."""
MOST_REDIRECTS = 4
NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9_][\w.-]{0,95}", re.ASCII)
PLAIN_FORMATS = ("fp32", "fp16", "bf16", None)
"""Number formats whose safetensors hold one element for each parameter."""
LARGEST_TOWER_SHARE = 0.5
AGREES_SHARE = 0.005


class Answer(NamedTuple):
    """What came back: the status, the headers that matter, the body."""

    status: int
    error_code: str
    body: bytes


class Hub(NamedTuple):
    """The Hub to ask, and how long to wait for it."""

    endpoint: str
    token: str | None = None
    deadline_seconds: float = DEADLINE_SECONDS

    @property
    def host(self) -> str:
        """Scheme, name and port: all that a token may be sent to."""
        return _origin(self.endpoint)


def model_from_hub(name: str, *, support: Support | None = None, hub: Hub | None = None) -> ModelFacts:
    """The facts of a repository on the Hub (``organisation/name``), by its config.json and its safetensors' count.

    Asks `hub`, or the one at HF_ENDPOINT with the token of HF_TOKEN. Raises `HubRefused` for what is not there or not
    for us, `HubUnavailable` where no answer comes in time, and otherwise what `model_from_config` raises.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise FitInputError(f"{str(name)[:80]!r} is no repository on the Hub", "write it as organisation/name: Qwen/Qwen3-8B")
    hub = hub or hub_of_environment()
    answer = _ask(hub, f"/{name}/resolve/main/config.json")
    if answer.status != 200:
        raise _refusal(hub, name, answer, "config.json")
    config = Config(parsed(answer.body, f"{name}/config.json"), f"{name}/config.json")
    return _compared(facts(config, name), _counted(hub, name))._replace(hub_id=name, support=support)


def hub_of_environment() -> Hub:
    """The Hub that HF_ENDPOINT names. Raises `FitInputError` where that is no address."""
    endpoint = os.environ.get(ENDPOINT_VARIABLE, "").strip().rstrip("/") or ENDPOINT
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise FitInputError(f"{ENDPOINT_VARIABLE} is {endpoint[:80]!r}, not the address of a Hub", f"the usual one is {ENDPOINT}")
    return Hub(endpoint, os.environ.get(TOKEN_VARIABLE, "").strip() or None)


def _counted(hub: Hub, name: str) -> int | None:
    """Parameters the Hub counts in the safetensors files; None where it does not say."""
    answer = _ask(hub, f"/api/models/{name}")
    if answer.status != 200:
        return None
    count = parsed(answer.body, hub.endpoint).get("safetensors")
    total = count.get("total") if isinstance(count, Mapping) else None
    return total if isinstance(total, int) and not isinstance(total, bool) and total > 0 else None


def _compared(model: ModelFacts, counted: int | None) -> ModelFacts:
    """The facts beside the Hub's own count: it tells how large parts are that the config does not describe."""
    if counted is None or model.native_dtype not in PLAIN_FORMATS:
        return model
    beyond = counted - model.total_parameters
    if model.notes and 0 < beyond < counted * LARGEST_TOWER_SHARE:
        note = "the vision and audio parts are what the Hub counts beyond the text model"
        return model._replace(total_parameters=counted, other_modality_parameters=beyond, checkpoint_parameters=counted, notes=(note,))
    if abs(beyond) > counted * AGREES_SHARE:
        note = f"the Hub counts {counted:,} parameters in the files, the architecture adds up to {model.total_parameters:,}"
        model = model._replace(notes=(*model.notes, note))
    return model._replace(checkpoint_parameters=counted)


def _refusal(hub: Hub, name: str, answer: Answer, what: str) -> Exception:
    """The error for a status that is not 200."""
    code, place = answer.error_code, f"{hub.endpoint}/{name}"
    if answer.status == 404 and code == "EntryNotFound":
        hint = "where it holds GGUF files only, download one and ask with --gguf; an adapter is asked about as its base model"
        return HubRefused(place, f"the repository has no {what}", hint)
    if code == "GatedRepo" or answer.status == 403:
        if hub.token is None:
            return HubRefused(place, "access to it has to be asked for", f"ask on its page, then set {TOKEN_VARIABLE} to a token of yours")
        return HubRefused(
            place, f"the account of {TOKEN_VARIABLE} has no access to it", "ask for access on its page and wait until it is given"
        )
    if answer.status in (401, 404):
        if answer.status == 401 and hub.token is not None and code != "RepoNotFound":
            return HubRefused(place, f"the Hub does not accept {TOKEN_VARIABLE}", "make a new token, or unset it for what is public")
        hidden = "" if hub.token else f"; if it is private, set {TOKEN_VARIABLE}"
        return HubRefused(place, "there is no such repository", f"check organisation and name{hidden}")
    if answer.status == 429:
        return HubUnavailable(place, "the Hub asks to wait: too many requests", "try again in some minutes, or with a token")
    return HubUnavailable(place, f"the Hub answered with status {answer.status}", "try again later")


def _ask(hub: Hub, path: str) -> Answer:
    """One GET, redirects followed. Raises `HubUnavailable` where no whole answer comes in time."""
    place = hub.endpoint + path
    try:
        return _within(hub.deadline_seconds, lambda: _get(hub, place))
    except TimeoutError:
        message = f"no answer within {hub.deadline_seconds:.0f} seconds"
    except httpx2.TimeoutException:
        message = "no answer in time"
    except httpx2.HTTPError as error:
        message = f"it cannot be reached: {str(error)[:200] or type(error).__name__}"
    except (httpx2.InvalidURL, ValueError):
        message = "it redirects to what is no address"
    raise HubUnavailable(place, message, f"check the network and {ENDPOINT_VARIABLE}; --config asks about a config.json without one")


def _get(hub: Hub, url: str) -> Answer:
    give_up = monotonic() + hub.deadline_seconds
    with httpx2.Client(timeout=min(WAIT_SECONDS, hub.deadline_seconds), follow_redirects=False) as client:
        for _ in range(MOST_REDIRECTS + 1):
            headers = {"Accept-Encoding": "identity", "User-Agent": "llmops-catalog"}
            if hub.token and _origin(url) == hub.host:
                headers["Authorization"] = f"Bearer {hub.token}"
            with client.stream("GET", url, headers=headers) as response:
                if response.status_code not in (301, 302, 303, 307, 308):
                    return Answer(response.status_code, response.headers.get("X-Error-Code", ""), _body(response, give_up))
                url = _next(hub, url, response.headers.get("Location", ""))
    raise HubUnavailable(url, f"it redirects more than {MOST_REDIRECTS} times", "try again later")


def _body(response: httpx2.Response, give_up: float) -> bytes:
    """The body, as long as a config may be and as slow as we can wait."""
    url = str(response.url)
    if response.headers.get("Content-Encoding", "identity") not in ("identity", ""):
        raise HubUnavailable(url, "the answer is packed, which was not asked for", "try again later")
    data = bytearray()
    for piece in response.iter_raw():
        data += piece
        if len(data) > LARGEST_FILE_BYTES:
            raise HubUnavailable(url, f"the answer is longer than {LARGEST_FILE_BYTES:,} bytes", "no config is that long")
        if monotonic() > give_up:
            raise TimeoutError
    return bytes(data)


def _next(hub: Hub, url: str, location: str) -> str:
    """Where a redirect leads: never from an encrypted connection to an open one."""
    target = str(httpx2.URL(url).join(location))
    scheme = urlsplit(target).scheme
    if scheme not in ("http", "https") or (scheme == "http" and urlsplit(hub.endpoint).scheme == "https"):
        raise HubUnavailable(url, "it redirects to an address that is not followed", "try again later")
    return target


def _origin(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{(parts.hostname or '').casefold()}:{port}"


def _within(seconds: float, work: Callable[[], Answer]) -> Answer:
    """The result of `work`, or `TimeoutError`: headers that come byte by byte outwait every other limit."""
    done: list[Any] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:
            done.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds + 0.5)
    if not done:
        raise TimeoutError
    if isinstance(done[0], BaseException):
        raise done[0]
    return Answer(*done[0])

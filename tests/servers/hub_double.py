"""A loopback double of the Hugging Face Hub: answers as the real one was recorded, counts its rate limit, remembers every request.

Recorded in https://github.com/deepghs/KohakuHub (`scenario_hf_server.py`: missing, gated, disabled, renamed, file answers), in
`tests/test_utils_errors.py` of https://github.com/huggingface/huggingface_hub, and on https://huggingface.co/docs/hub/rate-limits.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from plain_http import QuietHandler, answering_with

GOOD_TOKEN, NARROW_TOKEN = "hf_good", "hf_narrow"
"""One of type read, and a fine-grained one that may not read public gated repositories."""
SHA = "0123456789abcdef0123456789abcdef01234567"
LOG_IN = "Access to model {id} is restricted. You must have access to it and be authenticated to access it. Please log in."
REFUSALS = {
    "not-requested": "Access to model {id} is restricted and you are not in the authorized list."
    " Visit https://huggingface.co/{id} to ask for access.",
    "pending": "Your request to access model {id} is awaiting a review from the repo authors.",
    "rejected": "Your request to access model {id} has been rejected by the repo's authors.",
    "reset": "Your request to access model {id} has been reset by the repo's authors.",
}
NARROW = "Please enable access to public gated repositories in your fine-grained token settings to view this repository."


class Repository(NamedTuple):
    """One repository. `asked` is how the holder of the good token stands with a gated one: a key of `REFUSALS` or ``accepted``."""

    gated: Any = False
    asked: str = "not-requested"
    disabled: bool = False
    private: bool = False
    renamed_to: str = ""
    card: Mapping[str, Any] = {}
    files: Mapping[str, bytes] = {}
    revisions: tuple[str, ...] = ("main", SHA)


class Seen(NamedTuple):
    method: str
    path: str
    token: str | None


class HubDouble:
    """`repositories` by ``kind/name``; `answers` by path (without the query) go before everything else."""

    def __init__(self) -> None:
        self.url = ""
        self.seen: list[Seen] = []
        self.repositories: dict[str, Repository] = {}
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.left: int | None = None
        self.window_seconds = 300
        self._lock = threading.Lock()

    def add(self, name: str, kind: str = "models", **facts: Any) -> None:
        self.repositories[f"{kind}/{name}"] = Repository(**facts)

    def count(self, words: str) -> int:
        """Requests whose path has these words in it."""
        return sum(words in seen.path for seen in self.seen)

    def rate_headers(self) -> dict[str, str]:
        if self.left is None:
            return {}
        return {
            "RateLimit": f'"api";r={max(self.left, 0)};t={self.window_seconds}',
            "RateLimit-Policy": f'"fixed window";"api";q=500;w={self.window_seconds}',
        }

    def take(self) -> bool:
        """One of the requests that are left, if there is one."""
        with self._lock:
            if self.left is not None:
                self.left -= 1
            return self.left is None or self.left >= 0


@contextmanager
def serving_hub() -> Iterator[HubDouble]:
    """The double, on this machine only."""
    hub = HubDouble()

    class Handler(HubHandler):
        double = hub

    with answering_with(Handler) as port:
        hub.url = f"http://127.0.0.1:{port}"
        yield hub


class HubHandler(QuietHandler):
    double: HubDouble

    def do_GET(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        authorization = self.headers.get("Authorization")
        self.token = authorization.removeprefix("Bearer ") if authorization else None
        self.double.seen.append(Seen(self.command, self.path, self.token))
        path = urlsplit(self.path).path
        if path in self.double.answers:
            self.double.answers[path](self)
        elif not self.double.take():
            self.say(429, message="Too many requests")
        elif self.token not in (None, GOOD_TOKEN, NARROW_TOKEN) or (path == "/api/whoami-v2" and self.token is None):
            self.say(401, message="Invalid username or password.")
        elif path == "/api/whoami-v2":
            self.json({"name": "somebody", "type": "user"})
        elif path.startswith("/api/resolve-cache/"):
            _, _, _, kind, organisation, name, _, file = path.split("/", 7)
            self.send(200, self.double.repositories[f"{kind}/{organisation}/{name}"].files[unquote(file)])
        else:
            self.repository(path)

    do_POST = do_HEAD = do_GET

    def repository(self, path: str) -> None:
        steps = path.strip("/").split("/")
        api = steps[0] == "api"
        steps = steps[1:] if api else steps
        kind = steps[0] if steps[0] in ("models", "datasets", "spaces") else "models"
        steps = steps[1:] if steps[0] == kind else steps
        views = ("resolve", "auth-check", "revision", "paths-info")
        length = 1 if len(steps) < 2 or steps[1] in views else 2
        name, rest = "/".join(steps[:length]), steps[length:]
        found = self.double.repositories.get(f"{kind}/{name}")
        if found is None or (found.private and self.token != GOOD_TOKEN):
            self.missing()
        elif found.renamed_to:
            place = f"/api/{kind}/{found.renamed_to}" if api else f"/{found.renamed_to}"
            self.send(307, b"", Location="/".join((place, *rest)))
        elif found.disabled:
            self.say(403, message="Access to this resource is disabled.")
        elif not rest:
            self.entry(name, kind, found)
        elif rest[0] == "auth-check":
            self.refused(name, found) or self.send(200, b"OK")
        else:
            self.files(name, kind, found, rest)

    def entry(self, name: str, kind: str, found: Repository) -> None:
        described: dict[str, Any] = {"_id": "621ffdc036468d709f174338", "id": name, "disabled": False}
        if kind != "spaces":
            described["gated"] = found.gated
        if "cardData" in self.path:
            described["cardData"] = dict(found.card)
        self.json(described)

    def files(self, name: str, kind: str, found: Repository, rest: list[str]) -> None:
        view, revision, path = rest[0], unquote(rest[1]), unquote("/".join(rest[2:]))
        if view == "resolve" and self.refused(name, found):
            return
        if revision not in found.revisions:
            self.say(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        elif view == "revision":
            self.entry(name, kind, found)
        elif view == "paths-info":
            wanted = json.loads(self.body)["paths"]
            there = [*found.files, *{file.rpartition("/")[0] for file in found.files} - {""}]
            self.json([{"type": "file", "path": file} for file in there if file in wanted])
        elif path not in found.files:
            self.say(404, "EntryNotFound", "Entry not found")
        else:
            self.send(307, b"", Location=f"/api/resolve-cache/{kind}/{name}/{SHA}/{path}")

    def refused(self, name: str, found: Repository) -> bool:
        """Says no to whoever may not open a gated repository."""
        if not found.gated or (self.token == GOOD_TOKEN and found.asked == "accepted"):
            return False
        if self.token is None:
            self.say(401, "GatedRepo", LOG_IN.format(id=name))
        elif self.token == NARROW_TOKEN:
            self.say(403, "", NARROW)
        else:
            self.say(403, "GatedRepo", REFUSALS[found.asked].format(id=name))
        return True

    def missing(self) -> None:
        if self.token is None:
            self.say(401, message="Invalid username or password.")
        else:
            self.say(404, "RepoNotFound", "Repository not found")

    def say(self, status: int, code: str = "", message: str = "") -> None:
        headers = {"X-Error-Message": message, **({"X-Error-Code": code} if code else {})}
        if status == 401:
            headers["WWW-Authenticate"] = 'Bearer realm="Authentication required", charset="UTF-8"'
        self.send(status, json.dumps({"error": message}).encode(), **headers)

    def json(self, value: Any) -> None:
        self.send(200, json.dumps(value).encode())

    def send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **self.double.rate_headers(), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def answering(body: bytes, status: int = 200, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """An answer for `HubDouble.answers`; underscores in the names of headers are hyphens."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer

"""Redirects by where they lead: to the root, to a sign-in page, to what is dead or shut, to other schemes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from link_case import EVERY_OUTCOME, PERMANENT, TEMPORARY, Case, Setting, alive, dead, living, refuse, unclear, wall
from page_answers import document, page, redirect

STATUSES = (301, 302, 303, 307, 308)
SIGN_IN = (
    "/login", "/login?next=%2Fpapers", "/signin?continue=/papers", "/sign-in", "/users/sign_in", "/accounts/login/?next=/papers",
    "/auth/login?returnTo=/papers", "/wp-login.php?redirect_to=/papers", "/account/login.aspx?ReturnUrl=/papers", "/sso/login",
    "/oauth2/authorize?client_id=1&redirect_uri=/papers", "/en/login", "/login.html",
)  # fmt: skip
SCHEMES = (
    "file:///etc/passwd",
    "ftp://127.0.0.1/file",
    "javascript:alert(1)",
    "data:text/html,hello",
    "gopher://127.0.0.1/",
    "mailto:a@b.invalid",
    "tel:+123",
    "about:blank",
    "ws://127.0.0.1/",
    "view-source:http://127.0.0.1/",
    "intent://scan/#Intent;end",
    "dict://127.0.0.1:11211/",
    "ldap://127.0.0.1/",
    "blob:http://127.0.0.1/1",
    "FILE:///etc/passwd",
    "unix:/run/docker.sock",
    "jar:http://127.0.0.1/!/",
)


def cases(setting: Setting) -> Iterator[Case]:
    yield from to_the_root(setting)
    yield from to_a_sign_in_page(setting)
    yield from to_what_is_dead_or_shut(setting)
    yield from other_schemes(setting)


def to_the_root(setting: Setting) -> Iterator[Case]:
    """A page that sends to the front page is gone; a front page that does is not."""
    host, other = setting.world.host("roots"), setting.world.host("other root")
    for each in (host, other):
        each.page("/", page(document(title="Welcome")))
    for number, (location, status) in enumerate(product(("/", host.url("/"), host.url(""), "../../../"), (301, 302))):
        yield dead(
            f"{status} to the root as {'its address' if '//' in location else location} ({number})",
            host.page(f"/papers/2023/old-{number}.html", redirect(location, status)),
        )
    host.page("/gone", redirect("/", 301))
    yield dead("to the root in two hops", host.page("/papers/2022/moved.html", redirect("/gone", 301)))
    yield unclear("to the root with a query", host.page("/papers/2021/a.html", redirect("/?from=papers")), *EVERY_OUTCOME)
    host.page("/?from=papers", page())
    host.page("/?p=123", page(document(title="A post")))
    yield living("to a post of a query", host.page("/2021/05/a-post", redirect("/?p=123", 301)))
    yield living("to a route of a client-side router", host.page("/guide/a", redirect("/#/guide/a", 301)))
    for path in ("/index.html", "/index.htm", "/index.php", "/default.aspx", "/index.html?x=1"):
        yield living(f"{path} to the root", host.page(path, redirect("/", 301)))
    yield alive("the root itself", host.url("/"))
    yield alive("the root without a slash", host.url(""))
    host.page("/?utm_source=list", redirect("/", 301))
    yield living("the root with a query to the root", host.url("/?utm_source=list"))
    yield living("a project to a host of its own", host.page("/project/", redirect(other.url("/"), 301)))
    yield unclear(
        "a deep page to another host's root", host.page("/papers/2020/03/a-long-title.html", redirect(other.url("/"), 301)), *EVERY_OUTCOME
    )
    slash = setting.world.host("trailing slashes")
    slash.page("/docs/", page())
    yield alive("to the same with a slash", slash.page("/docs", redirect("/docs/", 301)), verdicts=PERMANENT)
    front = setting.world.host("front page elsewhere")
    front.page("/en/", page(document(title="Welcome")))
    yield alive("the root to a language", front.page("/", redirect("/en/")), verdicts=TEMPORARY)


def to_a_sign_in_page(setting: Setting) -> Iterator[Case]:
    host, door = setting.world.host("members"), setting.world.host("door")
    form = page(
        document('<form action="/login" method="post"><input name="user"><input type="password" name="secret"></form>', title="Sign in")
    )
    for number, path in enumerate(SIGN_IN):
        host.page(path, form)
        yield wall(f"to {path}", host.page(f"/papers/{number}", redirect(path)), verdicts=frozenset({"login-wall"}))
    door.page("/login?service=papers", form)
    yield wall(
        "to a sign-in page of another host",
        host.page("/papers/x", redirect(door.url("/login?service=papers"))),
        verdicts=frozenset({"login-wall"}),
    )
    host.page("/step", redirect("/login"))
    yield wall("to a sign-in page in two hops", host.page("/papers/y", redirect("/step")), verdicts=frozenset({"login-wall"}))
    yield alive("a sign-in page itself", host.url("/login"))
    innocent = setting.world.host("about signing in")
    for path in ("/docs/v2/login-tutorial", "/blog/sign-in-with-one-tap/", "/en/logins-explained"):
        innocent.page(path, page(document(title="How signing in works")))
        yield alive(f"to an article at {path}", innocent.page(f"/old{path}", redirect(path, 301)), verdicts=PERMANENT)
    innocent.page("/login/", form)
    yield living("a sign-in page with a slash to come", innocent.page("/login", redirect("/login/", 301)))


def to_what_is_dead_or_shut(setting: Setting) -> Iterator[Case]:
    host = setting.world.host("to dead ends")
    refused = f"http://127.0.0.1:{setting.world.silent_port(backlog=False)}/"
    for status in STATUSES:
        yield dead(f"{status} to 404", host.page(f"/to/404/{status}", redirect("/nothing", status)), verdicts=frozenset({"broken"}))
    host.page("/410", page(status=410))
    host.page("/again", redirect("/nothing", 301))
    yield dead("to 410", host.page("/to/410", redirect("/410")), verdicts=frozenset({"broken"}))
    yield dead("to 404 in two hops", host.page("/to/again", redirect("/again", 301)), verdicts=frozenset({"broken"}))
    yield dead("to a refused port", host.page("/to/refused", redirect(refused)), verdicts=frozenset({"broken"}))
    yield dead("to a host that is not there", host.page("/to/invalid", redirect("http://gone.invalid/page")), needs_resolver=True)
    for status in (401, 403, 451, 500):
        host.page(f"/{status}", page(status=status))
        yield wall(f"to {status}", host.page(f"/to/{status}", redirect(f"/{status}")))


def other_schemes(setting: Setting) -> Iterator[Case]:
    host = setting.world.host("to other schemes")
    for number, location in enumerate(SCHEMES):
        yield refuse(f"to {location}", host.page(f"/scheme/{number}", redirect(location)))
        if number < 4:
            host.page(f"/hop/{number}", redirect(location))
            yield refuse(f"to {location} in two hops", host.page(f"/hops/{number}", redirect(f"/hop/{number}", 301)))
    guarded = setting.world.host("behind credentials")
    guarded.page("/page", page())
    for name, user in {"a user and password": "user:secret", "a user": "user", "an empty user": ":secret"}.items():
        yield refuse(
            f"to an address with {name}",
            host.page(f"/{user}", redirect(f"http://{user}@{guarded.netloc}/page")),
            host=guarded,
            most_requests=0,
        )

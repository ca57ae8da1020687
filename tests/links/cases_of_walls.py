"""Walls against robots, which nobody can look behind; soft 404s, which are dead; and their innocent twins, which are not."""

from __future__ import annotations

from collections.abc import Iterator

from link_case import EVERY_OUTCOME, FAIL, PASS, TEMPORARY, UNKNOWN, Case, Setting, alive, dead, living, unclear, wall
from misbehaving import Answer, Host
from page_answers import PROSE, SHELL, document, only_get, page, redirect, when

BLOCKED = frozenset({"blocked"})


def challenge(title: str, inner: str) -> str:
    return f"<!doctype html><html><head><title>{title}</title></head><body>{inner}</body></html>"


MOMENT = challenge(
    "Just a moment...",
    "<noscript>Enable JavaScript and cookies to continue</noscript>"
    '<script>window._cf_chl_opt={cType:"managed"};var a=document.createElement("script");'
    'a.src="/cdn-cgi/challenge-platform/h/g/orchestrate/chl_page/v1";</script>',
)
CHALLENGES = {
    "Just a moment": MOMENT,
    "Attention Required": challenge(
        "Attention Required! | Cloudflare", "<h1>Please complete the security check to access the site</h1><p>Please enable cookies.</p>"
    ),
    "Checking your browser": challenge(
        "DDoS-Guard",
        "<h1>Checking your browser before accessing this site</h1><p>Turn on cookies.</p><script>1</script>",
    ),
    "Pardon Our Interruption": challenge(
        "Pardon Our Interruption", "<p>Something about your browser made us think you were a bot.</p><script src='/check.js'></script>"
    ),
    "a captcha": challenge(
        "Security check",
        '<p>Please verify you are a human.</p><div class="g-recaptcha" data-sitekey="k"></div>'
        '<script src="https://www.google.com/recaptcha/api.js"></script>',
    ),
    "proof of work": challenge(
        "Making sure you&#39;re not a bot!", '<script id="anubis_challenge" type="application/json">{}</script><p>Protected by Anubis</p>'
    ),
}
"""Pages of protection services, shortened. What the first two say and load:
https://developers.cloudflare.com/cloudflare-challenges/challenge-types/challenge-pages/detect-response,
https://docs.rs/parse-book-source/0.5.0/parse_book_source/fetch/fn.is_challenge.html and
https://github.com/dropod/issues/issues/16827; the others put together what such pages say."""
AWS_ACTIONS = {"challenge": 202, "captcha": 405}
"""https://docs.aws.amazon.com/waf/latest/developerguide/waf-captcha-and-challenge-actions.html"""
NOT_FOUND_TITLES = (
    "Page not found",
    "404 Not Found",
    "404 Not Found | Example Site",
    "Page Not Found - Example",
    "404",
    "Error 404",
    "404 - Page not found",
    "Not Found",
    "Example | Page not found",
    "Page not found (404)",
    "404 Error",
    "Seite nicht gefunden",
    "Page introuvable",
    "页面不存在",
)
PLAIN_NOT_FOUND_TITLES = NOT_FOUND_TITLES[:11]
INNOCENT = {
    "/blog/how-to-fix-404-errors": "How to fix 404 errors",
    "/docs/status/404": "404 Not Found - HTTP",
    "/en-US/docs/Web/HTTP/Status/404": "404 Not Found - HTTP | MDN",
    "/wiki/HTTP_404": "HTTP 404 - Wikipedia",
    "/films/not-found": "Not Found (film)",
    "/blog/custom-error-pages": "Designing a page not found page that helps",
    "/area/404": "Area code 404: Atlanta",
    "/room-404": "Room 404 | Hotel",
    "/papers/missing-values": "Learning when values are not found",
    "/music/error-404": "Error 404 (album) | Music",
    "/docs/errors/not-found": "NotFound error",
}


def cases(setting: Setting) -> Iterator[Case]:
    yield from plain_walls(setting)
    yield from challenge_pages(setting)
    yield from for_browsers_only(setting)
    yield from soft_404_hosts(setting)
    yield from soft_404_pages(setting)
    yield from innocent_twins(setting)
    yield from app_shells(setting)


def plain_walls(setting: Setting) -> Iterator[Case]:
    host = setting.world.host("walls")
    shut: dict[str, Answer] = {
        "401 with Basic": page("", 401, 'WWW-Authenticate: Basic realm="papers"'),
        "401 with Bearer": page("", 401, 'WWW-Authenticate: Bearer realm="api"'),
        "402 with a paywall": page(document(title="Subscribe"), 402),
        "403 with a plain page": page(document(title="Forbidden"), 403),
        "403 by Akamai": page(
            "<html><head><title>Access Denied</title></head><body>Reference #18.1</body></html>", 403, "Server: AkamaiGHost"
        ),
        "403 with cf-mitigated": page(MOMENT, 403, "cf-mitigated: challenge", "Server: cloudflare"),
        "407": page("", 407, 'Proxy-Authenticate: Basic realm="p"'),
        "451 with a page": page(document(title="Unavailable for legal reasons"), 451, 'Link: <https://x.invalid/>; rel="blocked-by"'),
        "999 by a network of professionals": page("<html><script>window.location='/authwall'</script></html>", 999),
        "403 to GET too": only_get(page("", 403)),
        "403 with the title 404": page(document(title="404 Not Found"), 403),
        "404 with cf-mitigated": page(MOMENT, 404, "cf-mitigated: challenge", "Server: cloudflare"),
    }
    for number, (name, answer) in enumerate(shut.items()):
        yield wall(f"wall: {name}", host.page(f"/wall/{number}", answer))
    for action, status in AWS_ACTIONS.items():
        yield wall(
            f"wall: {status} with {action} of AWS",
            host.page(f"/aws/{action}", page("", status, f"x-amzn-waf-action: {action}")),
            verdicts=BLOCKED,
        )
    yield wall("wall: 202 with cf-mitigated", host.page("/202/mitigated", page(MOMENT, 202, "cf-mitigated: challenge")), verdicts=BLOCKED)
    yield wall("wall: 200 with cf-mitigated", host.page("/200/mitigated", page(MOMENT, 200, "cf-mitigated: challenge")), verdicts=BLOCKED)
    yield living("202 without a mark", host.page("/202/plain", page(document(), 202)))


def challenge_pages(setting: Setting) -> Iterator[Case]:
    for name, text in CHALLENGES.items():
        host = setting.world.host(f"challenges: {name}")
        for status in (200, 403, 503, 429):
            url = host.page(f"/challenge/{status}", page(text, status))
            verdicts = frozenset() if status in {429, 503} else BLOCKED
            yield wall(f"challenge: {name} with {status}", url, verdicts=verdicts)
        yield wall(
            f"challenge: {name} with 200 after HEAD 403",
            host.page("/challenge/head", when(lambda asked: asked.method == "HEAD", page("", 403), page(text))),
        )


def for_browsers_only(setting: Setting) -> Iterator[Case]:
    """A second try that looks like a browser may find the page; giving up is no sin, failing is."""
    for status in (403, 406):
        host = setting.world.host(f"browsers only {status}")
        answer = when(lambda request: request.like_a_browser, page(), page("", status))
        yield living(f"{status} to robots, 200 to browsers", host.page("/page", answer), host=host, most_requests=8)
        gone = when(lambda request: request.like_a_browser, page(status=404), page("", status))
        yield unclear(f"{status} to robots, 404 to browsers", host.page("/gone", gone))
    host = setting.world.host("languages only")
    speaks = when(lambda request: "accept-language" in request.headers, page(), page("", 406))
    yield living("406 without a language", host.page("/page", speaks))
    accepts = when(
        lambda request: "text/html" in request.headers.get("accept", "") or "*/*" in request.headers.get("accept", ""),
        page(),
        page("", 406),
    )
    yield living("406 without an Accept", host.page("/accept", accepts))
    html = when(lambda request: "text/html" in request.headers.get("accept", ""), page(), page("", 404))
    yield unclear("404 without text/html in Accept", host.page("/html", html), *EVERY_OUTCOME)
    agent = when(lambda request: bool(request.headers.get("user-agent")), page(), page("", 403))
    yield living("403 without a User-Agent", host.page("/agent", agent))


def host_of(setting: Setting, name: str, otherwise: Answer) -> Host:
    """A host that answers every path alike, with a front page of its own."""
    host = setting.world.host(name)
    host.otherwise = otherwise
    host.page("/", page(document(title="Welcome to the example")))
    return host


def soft_404_hosts(setting: Setting) -> Iterator[Case]:
    """200 for everything there is not."""
    for title in NOT_FOUND_TITLES:
        host = host_of(setting, f"soft 404 {title}", page(document("<p>We could not find that page.</p>", title=title)))
        yield dead(f"soft 404: {title}", host.url("/papers/attention.html"), verdicts=frozenset({"soft-404"}))
        yield alive(f"the front page beside soft 404: {title}", host.url("/"))
        well = host.page("/papers/well", page(document(title="Fixing 404 Not Found pages for good")))
        yield alive(f"an article beside soft 404: {title}", well)
    same = host_of(setting, "the same for all", page(document(title="Domain for sale")))
    yield unclear("the same page for everything", same.url("/papers/attention.html"))
    away = host_of(setting, "everything to /404", redirect("/404"))
    away.page("/404", page(document(title="Page not found")))
    yield dead("everything is sent to /404 with 200", away.url("/papers/attention.html"), verdicts=frozenset({"soft-404", "broken"}))
    honest = host_of(setting, "everything to an honest /404", redirect("/404"))
    honest.page("/404", page(document(title="Page not found"), 404))
    yield dead("everything is sent to /404 with 404", honest.url("/papers/attention.html"))
    error = host_of(setting, "everything to /error", redirect("/error.html"))
    error.page("/error.html", page(document(title="Something went wrong")))
    yield unclear("everything is sent to /error.html", error.url("/papers/attention.html"))
    front = host_of(setting, "everything to the root", redirect("/", 301))
    yield dead("everything is sent to the root", front.url("/papers/attention.html"), verdicts=frozenset({"soft-404", "broken"}))

    async def named(request, wire):
        await page(document(f"<p>No page {request.target} at {request.at_seconds}.</p>", title="Page not found"))(request, wire)

    differing = host_of(setting, "soft 404 that differs", named)
    yield dead("soft 404 that names the page", differing.url("/papers/attention.html"), verdicts=frozenset({"soft-404"}))


def soft_404_pages(setting: Setting) -> Iterator[Case]:
    """The page says it is not there while the host is honest about other paths: one handler that forgot its status."""
    host = setting.world.host("soft 404 on an honest host")
    for number, title in enumerate(PLAIN_NOT_FOUND_TITLES):
        yield unclear(f"soft 404 on an honest host: {title}", host.page(f"/papers/{number}", page(document(title=title))))
    yield unclear(
        "soft 404 on an honest host: heading only",
        host.page("/papers/h", page(document("<h1>404: page not found</h1>", title="Example"))),
        *EVERY_OUTCOME,
    )


def innocent_twins(setting: Setting) -> Iterator[Case]:
    host = setting.world.host("innocent twins")
    for path, title in INNOCENT.items():
        yield alive(f"twin: {title}", host.page(path, page(document("<p>A 404 says that the page was not found.</p>", title=title))))
        to = f"/new{path}"
        host.page(to, page(document(title=title)))
        yield alive(f"twin after a redirect: {title}", host.page(f"/old{path}", redirect(to)), verdicts=TEMPORARY)
    yield alive("twin: no title at all", host.page("/no-title", page(f"<!doctype html><body>{PROSE}</body>")))
    yield alive("twin: an empty title", host.page("/empty-title", page(f"<!doctype html><title></title><body>{PROSE}</body>")))
    picture = '<svg xmlns="http://www.w3.org/2000/svg"><title>404 Not Found</title></svg>'
    yield alive("twin: the title of a picture", host.page("/picture", page(document(picture))))
    yield alive(
        "twin: a title in a comment",
        host.page("/comment", page(f"<!doctype html><!-- <title>Page not found</title> --><title>Guide</title>{PROSE}")),
    )
    text = b"404 Not Found\nPage not found\n"
    yield alive("twin: a text file about it", host.page("/notes.txt", page(text, kind="text/plain")))
    yield alive("twin: JSON about it", host.page("/api", page(b'{"title": "Page not found"}', kind="application/json")))


def app_shells(setting: Setting) -> Iterator[Case]:
    """One file for every path: whether the route exists only the script knows."""
    titled = SHELL.replace("App</title>", "Example</title>")
    rooms = {
        "an app shell": SHELL,
        "an app shell with a title": titled,
        "a shell of a framework": titled.replace('<div id="root">', '<div id="__next">').replace("/app.js", "/_next/static/chunks/main.js"),
        "a shell with a noscript": SHELL.replace("<body>", "<body><noscript>You need to enable JavaScript to run this app.</noscript>"),
        "a module shell": SHELL.replace("<script ", '<script type="module" crossorigin '),
    }
    for name, text in rooms.items():
        host = setting.world.host(name)
        host.otherwise = page(text)
        for path in ("/papers/attention", "/"):
            yield unclear(f"{name} at {path}", host.url(path), PASS, UNKNOWN)
    ssr = setting.world.host("pages with the same title")

    async def own_text(request, wire):
        known = request.target.startswith("/docs/")
        await page(document(f"<p>All about {request.target}</p>" if known else "<p>Search our documents.</p>", title="Example documents"))(
            request, wire
        )

    ssr.otherwise = own_text
    yield unclear("a host with one title and different texts", ssr.url("/docs/attention"), PASS, UNKNOWN)
    yield unclear("a search page for what is not there", ssr.url("/papers/attention"), PASS, UNKNOWN, FAIL)

"""The page at `/`: a person's look into the workspace. The markup is `page.html`, beside this.

The addresses of Intercom's own screens, `/a/apps/WORKSPACE/users/ID` and `.../companies/ID`, lead
to it too, and it then looks for that id. It asks `/_simulator/overview` every second; nothing is
loaded from elsewhere, and a policy header forbids it.
"""

from importlib.resources import files

from intercom_assets.simulator.wire import Answer

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
PAGE = files("intercom_assets.simulator").joinpath("page.html").read_bytes()


def is_page(path: str) -> bool:
    return path == "/" or path.startswith("/a/apps/")


def page_answer() -> Answer:
    return Answer(200, HEADERS, PAGE)

"""A shop of FastAPI's with a cookie sign-in of its own, and the chat at /chat in it.

From this directory: `uvicorn inside_fastapi:app`, and http://127.0.0.1:8000 in a browser.
"""

import secrets
from dataclasses import dataclass
from html import escape

from agents import Agent, RunContextWrapper, function_tool
from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from chatbridge import Bridge

ORDERS = {"ada": ["1001, on its way"], "grace": ["1002, delivered"]}
SIGNED_IN: dict[str, str] = {}
"""The shop's sessions: whose cookie it is. A real one keeps them in its database."""


@dataclass
class Shop:
    """What the agent's tools work with."""

    orders: list[str]


@function_tool
def my_orders(context: RunContextWrapper) -> str:
    """The orders of the person in the chat."""
    return "; ".join(context.context.request_context.orders) or "There are none."


def signed_in(request: Request) -> str | None:
    """The user whose cookie it is."""
    return SIGNED_IN.get(request.cookies.get("shop", ""))


bridge = Bridge(
    agent=Agent(name="Shop", instructions="You help with orders.", tools=[my_orders]),
    authenticator=signed_in,
    context=lambda asked: Shop(ORDERS.get(asked.user_id, [])),
)
app = FastAPI(lifespan=bridge.lifespan)
app.mount("/chat", bridge.app)


@app.get("/")
async def home(request: Request) -> HTMLResponse:
    """The chat for whoever is signed in, a form for all others."""
    user = signed_in(request)
    return HTMLResponse(PAGE.format(user=escape(user)) if user else FORM)


@app.post("/sign-in")
async def sign_in(name: str = Form()) -> RedirectResponse:
    """A real shop asks for more than a name."""
    session = secrets.token_urlsafe()
    SIGNED_IN[session] = name
    answer = RedirectResponse("/", 303)
    answer.set_cookie("shop", session, httponly=True, samesite="lax")
    return answer


@app.post("/sign-out")
async def sign_out(request: Request) -> RedirectResponse:
    """The cookie is nobody's from now on, for the chat too."""
    SIGNED_IN.pop(request.cookies.get("shop", ""), None)
    return RedirectResponse("/", 303)


FORM = """<!doctype html><title>Shop</title>
<form method="post" action="sign-in">Who are you? <input name="name" value="ada">
<button>Sign in</button></form>"""

PAGE = """<!doctype html><title>Shop</title>
<form method="post" action="sign-out">{user} <button>Sign out</button></form>
<openai-chatkit data-user="{user}" style="display: block; height: 80vh"></openai-chatkit>
<script src="chat/page/chatkit.js"></script>
<script type="module">
  const forUser = (input, init) => {{
    const headers = new Headers(init?.headers);
    headers.set("X-Chatbridge-User", chat.dataset.user);
    return fetch(input, {{ ...init, headers }});
  }};
  const chat = document.querySelector("openai-chatkit");
  chat.setOptions({{ api: {{ url: "chat/chatkit", domainKey: "shop", fetch: forUser }} }});
</script>"""

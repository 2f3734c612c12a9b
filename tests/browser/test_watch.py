"""Nothing that goes wrong in a page goes unnoticed by its test."""

import asyncio
import re

import pytest
from playwright.async_api import BrowserContext

from tests.browser.chromium import Watch
from tests.browser.endpoint import Endpoint

TROUBLES = {
    "page error: .*thrown": "setTimeout(() => { throw new Error('thrown'); })",
    "page error: .*rejected": "void Promise.reject(new Error('rejected'))",
    "console: said": "console.error('said')",
    "policy violated: style-src-attr": "document.body.setAttribute('style', 'color: red')",
    "policy violated: frame-src": "document.body.append(Object.assign("
    "document.createElement('iframe'), { src: 'https://elsewhere.test/' }))",
    "policy violated: connect-src": "fetch('https://elsewhere.test/').catch(() => {})",
    "policy violated: require-trusted-types-for": "document.body.innerHTML = '<p>'",
}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_it_is_noticed(
    context: BrowserContext, endpoint: Endpoint, watch: Watch, trouble: str
) -> None:
    page = await context.new_page()
    await page.goto(endpoint.url)
    await page.evaluate(f"() => {{ try {{ {TROUBLES[trouble]} }} catch {{}} }}")
    for _ in range(200):
        if any(re.search(trouble, seen) for seen in watch.unexpected()):
            return watch.expect(".")
        await asyncio.sleep(0.02)
    raise AssertionError(f"only this was noticed: {watch.unexpected()}")

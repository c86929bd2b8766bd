"""Walks through the console in a real browser; prints what it saw as JSON.

    console.py PORT [PICTURES]      from an attack to its requests, a source and SQL; PICTURES: folder for screenshots
"""

import json
import pathlib
import shutil
import sys
import urllib.parse

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

WIDE, NARROW = 1280, 390
LIMIT_MS = 60_000
ASKED = "SELECT kind, target_host, severity, requests, fingerprint FROM attacks ORDER BY severity DESC"


class Walk:
    """One tab, and what went wrong in it."""

    def __init__(self, browser, base, **how):
        self.context = browser.new_context(base_url=base, viewport={"width": how.pop("width", WIDE), "height": 900}, **how)
        self.context.set_default_timeout(LIMIT_MS)
        expect.set_options(timeout=LIMIT_MS)
        self.page = self.context.new_page()
        self.wrong = []
        self.page.on("console", lambda said: said.type == "error" and self.wrong.append(said.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        # Whatever the policy forbids is told to the page first.
        self.page.add_init_script(
            "document.addEventListener('securitypolicyviolation', e => console.error('CSP: ' + e.violatedDirective))"
        )

    def sound(self):
        """Violations of what makes a page accessible, and whether it is wider than the window."""
        found = Axe().run(self.page).response["violations"]
        wide = self.page.evaluate("document.documentElement.scrollWidth > innerWidth")
        return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found] + (["wider than the window"] if wide else [])


def story(browser, base):
    """From an attack to what it is made of, who it is, and a statement of one's own."""
    walk = Walk(browser, base)
    page, seen = walk.page, {}
    page.goto("/")
    page.get_by_role("link", name="http flood").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("HTTP flood")
    seen["incident"] = page.url.rsplit("/", 1)[1]
    seen["rule"] = page.locator("pre:has(+ .bar [data-copy]) code").inner_text()
    page.get_by_role("link", name="All of them").click()
    expect(page.locator("table tbody tr").first).to_be_visible()
    seen["requests"] = page.locator("#q").input_value().startswith("SELECT")
    page.go_back()
    page.locator("a[href^='/source?q=']").first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    seen["source"] = page.url.rsplit("=", 1)[1]
    page.get_by_role("link", name="SQL", exact=True).click()
    box = page.locator("#q")
    box.fill("SELECT kind, requests FROM atta")
    # Names are completed by the keyboard alone.
    box.press("End")
    box.press_sequentially("c")
    expect(page.locator("#hint")).to_be_visible()
    box.press("Tab")
    box.press_sequentially(" ORDER BY requests DESC")
    box.press("Control+Enter")
    expect(page.locator("table").first).to_be_visible()
    seen["asked"] = box.input_value()
    seen["most"] = page.locator("table tbody tr").first.inner_text().split()
    seen["wrong"] = walk.wrong
    walk.context.close()
    return seen


def everywhere(browser, base, story, pictures):
    """Each page, wide and narrow, light and dark."""
    pages = {
        "now": "/",
        "incident": f"/incident/{story['incident']}",
        "explore": "/explore?by=user_agent",
        "source": f"/source?q={story['source']}",
        "sql": f"/sql?q={urllib.parse.quote(ASKED)}",
        "no source": "/source",
        "no sql": "/sql",
    }
    seen = {}
    for width, scheme in ((WIDE, "light"), (WIDE, "dark"), (NARROW, "light")):
        walk = Walk(browser, base, width=width, color_scheme=scheme)
        for name, path in pages.items():
            walk.page.goto(path)
            expect(walk.page.get_by_role("heading", level=1)).to_be_visible()
            seen[f"{name} {scheme} {width}"] = walk.sound()
            if pictures and scheme == "light" and width == WIDE and "no" not in name.split():
                walk.page.screenshot(path=pathlib.Path(pictures, f"{name}.png"))
                for place in walk.page.locator("figure.map").all():
                    place.screenshot(path=pathlib.Path(pictures, "map.png"))
        seen[f"wrong {scheme} {width}"] = walk.wrong
        walk.context.close()
    return {place: faults for place, faults in seen.items() if faults}


def without_scripts(browser, base, incident):
    """Lists and incidents are whole without JavaScript."""
    walk = Walk(browser, base, java_script_enabled=False)
    walk.page.goto("/")
    listed = walk.page.locator(f"a[href='/incident/{incident}']").count() > 0
    walk.page.goto(f"/incident/{incident}")
    parts = walk.page.get_by_role("heading", level=2).all_inner_texts()
    walk.context.close()
    return {"listed": listed, "parts": parts, "wrong": walk.wrong}


def main(port, pictures=None):
    base = f"http://127.0.0.1:{port}"
    with sync_playwright() as playwright:
        # Debian's Chromium; in a container its own sandbox finds no room.
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        seen = {"story": story(browser, base)}
        incident = seen["story"]["incident"]
        seen["faults"] = everywhere(browser, base, seen["story"], pictures)
        seen["plain"] = without_scripts(browser, base, incident)
        browser.close()
    print(json.dumps(seen))


main(*sys.argv[1:])

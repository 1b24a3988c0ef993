"""Pictures of each page, light and dark, over a pipeline at work."""

import os
import sys

from playwright.sync_api import sync_playwright

from cluster import Cluster, await_that

PAGES = {"pipelines": "#/", "jobs": "#/jobs", "job": None, "workers": "#/workers", "plugins": "#/plugins"}


def main(folder):
    os.makedirs(folder, exist_ok=True)
    cluster = Cluster()
    try:
        # A file of some size takes a while to make and to hash, so that something is seen to move.
        dead = cluster.enqueue({"size": "ten"})
        cluster.await_state(dead, "dead")
        ids = [cluster.enqueue({"size": 150_000}) for _ in range(40)]
        for job in ids[:20]:
            cluster.await_state(job, "succeeded")
        cluster.add_worker("calculate-hash")
        cluster.api("/pause?phase=delete-file", "POST")
        for _ in range(12):
            cluster.enqueue({"size": 150_000})
        await_that("jobs wait", lambda: cluster.pipeline()["phases"]["2"]["waiting"] >= 12)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            for scheme in ["light", "dark"]:
                page = browser.new_page(color_scheme=scheme, viewport={"width": 1280, "height": 800})
                for name, place in PAGES.items():
                    page.goto(f"{cluster.url}/{place or f'#/job/example-one/{dead}'}")
                    page.reload()
                    page.get_by_role("heading", level=1).wait_for()
                    page.wait_for_function("document.getElementById('connection').textContent === 'Live'")
                    page.wait_for_load_state("load")
                    if name == "pipelines":
                        page.locator(".chart").first.wait_for()
                    if name == "jobs":
                        page.locator("tbody tr").first.wait_for()
                    page.screenshot(path=f"{folder}/{name}-{scheme}.png", full_page=name in ("pipelines", "job"))
                page.close()
            page = browser.new_page(color_scheme="light", viewport={"width": 360, "height": 740})
            page.goto(cluster.url)
            page.locator(".chart").first.wait_for()
            page.screenshot(path=f"{folder}/pipelines-phone.png")
            browser.close()
    finally:
        cluster.stop()


if __name__ == "__main__":
    main(sys.argv[1])

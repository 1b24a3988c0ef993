import pytest
from playwright.sync_api import sync_playwright

from cluster import Cluster


@pytest.fixture(scope="module")
def shared():
    """For tests that leave it as they found it."""
    cluster = Cluster()
    yield cluster
    cluster.stop()


@pytest.fixture
def make():
    """Makes clusters that end with their test."""
    made = []

    def one(*arguments, **named):
        made.append(Cluster(*arguments, **named))
        return made[-1]

    yield one
    for cluster in made:
        cluster.stop()


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


class Tab:
    """A page, and everything that its console complains of."""

    def __init__(self, browser, **options):
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.complaints = []
        self.page.on("console", lambda message: message.type in ("error", "warning") and self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.elsewhere = []
        self.page.on("request", lambda request: self.elsewhere.append(request.url))


@pytest.fixture
def tab(browser):
    """Opens tabs; no test ends well whose tab has complained or has asked another server for something."""
    tabs = []

    def one(url, expects_complaints=False, **options):
        tab = Tab(browser, **options)
        tab.expects_complaints, tab.url = expects_complaints, url
        tabs.append(tab)
        tab.page.goto(url)
        return tab.page

    yield one
    for each in tabs:
        assert each.expects_complaints or not each.complaints, each.complaints
        origin = "/".join(each.url.split("/")[:3])
        assert all(url.startswith((origin, "data:")) for url in each.elsewhere), each.elsewhere
        each.context.close()

"""The report in a real browser, opened from disk: sorting, keyboard, colours, widths, paper, and no request."""

import base64
import json
import re
import shutil

import pytest

from synthbench import cli
from synthbench.report import write_report
from tests.helpers.reports import no_report

EVIL = "<script>document.title='broken into'</script><img src=x onerror=\"document.title='broken into'\">"


class Tab:
    """A page in the browser with what it logged and asked for since it was opened."""

    def __init__(self, browser, path):
        self.browser = browser
        for log in ("browser", "performance"):
            browser.get_log(log)
        browser.get(path.as_uri())
        self.uri = path.as_uri()

    def js(self, code, *arguments):
        return self.browser.execute_script(f"return ({code})", *arguments)

    @property
    def console(self):
        return [entry["message"] for entry in self.browser.get_log("browser")]

    @property
    def requests(self):
        """Everything that was asked for, but for data that stands in the page itself."""
        events = [json.loads(entry["message"])["message"] for entry in self.browser.get_log("performance")]
        asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
        return [url for url in asked if not url.startswith("data:")]

    def resize(self, width, height=900):
        self.browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )

    def media(self, **features):
        given = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": given})

    def column(self, number):
        return self.js(
            "[...document.querySelector('table.sortable').tBodies[0].rows]"
            ".map(row => row.cells[arguments[0]].dataset.value)",
            number,
        )

    def heading(self, title):
        """(its place, its button) of a heading of the first board."""
        heads = self.browser.find_elements("css selector", "table.sortable:first-of-type thead th")
        titles = [
            re.sub(r"(higher|lower) is better", "", head.get_attribute("textContent")).strip() for head in heads
        ]
        place = titles.index(title)
        return place, heads[place].find_element("css selector", "button")


@pytest.fixture(scope="module")
def tab(chromium, finished):
    tab = Tab(chromium, finished / "report.html")
    tab.resize(1280)
    return tab


@pytest.fixture
def alone(chromium, finished, tmp_path):
    """The page copied away from its folder."""
    return Tab(chromium, shutil.copy(finished / "report.html", tmp_path / "report.html"))


def test_the_file_alone_is_enough(alone):
    assert alone.requests == [alone.uri]
    assert alone.console == []
    images = alone.js("[...document.images].map(i => i.complete && i.naturalWidth > 0)")
    assert len(images) >= 8
    assert all(images)


def test_a_heading_sorts_and_says_so(tab):
    place, button = tab.heading("tstr.auroc")
    assert button.find_element("xpath", "..").get_attribute("aria-sort") == "descending"
    numbers = [float(v) for v in tab.column(place) if v]
    button.click()
    assert [float(v) for v in tab.column(place) if v] == sorted(numbers)
    assert numbers != sorted(numbers)
    assert tab.column(place)[-1] == "", "what has no value stays below"
    assert button.find_element("xpath", "..").get_attribute("aria-sort") == "ascending"


def test_texts_sort_too_and_one_heading_at_a_time(tab):
    place, button = tab.heading("generator")
    button.click()
    assert tab.column(place) == sorted(tab.column(place))
    button.click()
    assert tab.column(place) == sorted(tab.column(place), reverse=True)
    assert tab.js("document.querySelectorAll('table.sortable')[0].querySelectorAll('[aria-sort]').length") == 1


def test_the_keyboard_does_it_too(tab):
    place, button = tab.heading("utility")
    tab.js("arguments[0].focus()", button)
    button.send_keys("\ue007")  # Enter
    values = [float(v) for v in tab.column(place) if v]
    assert values == sorted(values, reverse=True)
    assert tab.js("getComputedStyle(arguments[0]).outlineStyle", button) != "none"


def test_the_first_stop_of_the_keyboard_skips_to_the_board(alone):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    ActionChains(alone.browser).send_keys(Keys.TAB).perform()
    assert alone.js("document.activeElement.className") == "skip"
    assert alone.js("document.activeElement.getBoundingClientRect().left") >= 0
    ActionChains(alone.browser).send_keys(Keys.ENTER).perform()
    assert alone.js("document.activeElement.id") == "content"


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_width_makes_the_page_scroll_sideways(tab, width):
    tab.resize(width)
    assert tab.js("document.documentElement.scrollWidth") <= width
    assert tab.js("document.querySelector('.plot svg').getBoundingClientRect().width") > 0.5 * min(width, 600)


def test_the_first_table_fits_a_laptop_and_the_number_to_quote_a_telephone(tab):
    tab.resize(1280)
    assert tab.js("document.querySelector('.scroll').scrollWidth <= document.querySelector('.scroll').clientWidth")
    tab.resize(390)
    place, _ = tab.heading("tstr.auroc")
    cell = f"document.querySelector('table.sortable').tBodies[0].rows[0].cells[{place}]"
    assert place == 1
    assert tab.js(f"{cell}.getBoundingClientRect().right") <= 390
    tab.resize(1280)


LUMINANCE = """(() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number)
      .map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const page = light(getComputedStyle(document.body).backgroundColor);
  const texts = ["body", ".quiet", "a", ".flag", ".failed", ".detail", ".tag", "figcaption", "caption"];
  const found = texts.map((name) => light(getComputedStyle(document.querySelector(name)).color));
  const svg = light(getComputedStyle(document.querySelector(".plot svg text")).fill);
  return [...found, svg].map((one) => (Math.max(one, page) + 0.05) / (Math.min(one, page) + 0.05));
})()"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_in_light_and_dark(tab, scheme):
    """WCAG 2: contrast of at least 4.5."""
    tab.media(prefers_color_scheme=scheme)
    background = tab.js("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")
    assert min(tab.js(LUMINANCE)) >= 4.5


def test_paper_shows_what_the_screen_folds(tab):
    tab.js("dispatchEvent(new Event('beforeprint'))")
    assert tab.js("document.querySelectorAll('details:not([open])').length") == 0
    tab.js("dispatchEvent(new Event('afterprint'))")
    assert tab.js("document.querySelectorAll('details[open]').length") == 0
    pdf = base64.b64decode(tab.browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"])
    assert pdf.startswith(b"%PDF")


def test_an_attack_in_a_label_stays_text(chromium, made_up, bare_plots, tmp_path):
    out = made_up.run(tmp_path / "run", {EVIL: "candidate", "real": "ceiling"})
    tab = Tab(chromium, write_report(out))
    assert tab.js("document.title") == "toy: synthbench report"
    assert EVIL in tab.js("document.querySelector('tbody th').textContent")
    assert tab.console == []


@pytest.mark.full
def test_the_quickstart_has_a_report_that_opens(chromium, tmp_path, monkeypatch):
    """The shipped file, cut down to seconds: from `synthbench run` to the browser."""
    monkeypatch.setenv("SYNTHBENCH_CACHE", str(tmp_path / "cache"))
    no_report(monkeypatch)  # `synthbench report` makes it
    small = ["generators.0.steps=2", "samples=40", "dataset.train_images=60"]
    small += ["evaluators.0.epochs=1", "evaluators.0.seeds=1"]
    small += [f"evaluators.{k}.at_most=10" for k in (1, 2, 3)]
    options = [word for change in [*small, "dataset.test_images=40"] for word in ("--set", change)]
    out = tmp_path / "run"
    quickstart = "benchmarks/quickstart.yaml"
    assert cli.main(["run", quickstart, "--out", str(out), "--device", "cpu", *options]) == 0
    assert cli.main(["report", str(out)]) == 0
    tab = Tab(chromium, out / "report.html")
    assert tab.requests == [tab.uri]
    assert tab.console == []
    assert len(tab.column(0)) == 6
    sections = tab.js("[...document.querySelectorAll('h2')].map(h => h.id)")
    assert {"leaderboard", "answers", "generators", "data", "setup", "again"} <= set(sections)

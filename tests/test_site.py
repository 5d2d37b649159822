"""The reading site: built once from the course's own notebooks, read as files and in a browser."""

import contextlib
import functools
import http.server
import os
import re
import threading
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup

from publish import site as reading
from publish.course import Course
from publish.problems import PublishError
from publish.release import release
from publish.rules import BEGIN, END
from tests.browser.lab import CHROMIUM, ROOT, Window, browser
from tests.publishing import copy_course, publish

pytest.importorskip("sphinx", reason="The extra site is not installed")
pytestmark = pytest.mark.xdist_group("site")
needs_browser = pytest.mark.skipif(
    not all(CHROMIUM), reason="Chromium and its driver are not installed"
)
COURSE = Course(ROOT)
SPOKEN = reading.languages(COURSE)
PAGES = [(code, name) for code in SPOKEN for name in COURSE.lesson_names()]
# Attributes by which a page makes the browser fetch something; a link in the text is not one.
FETCHED = {
    "script": "src",
    "img": "src",
    "source": "src",
    "iframe": "src",
    "video": "src",
    "audio": "src",
    "embed": "src",
    "object": "data",
    "link": "href",
}
START_PAGE = """# %% [markdown]
# # Hello
#
# [English](../en/00_start.ipynb) · [Português](../pt_BR/00_start.ipynb)

# %% [markdown]
# ## Try it
#
# Run the cell below.

# %% demo=true
print("run")

# %% [markdown]
# ## The lessons
#
# [First](01_first/01_first.ipynb)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the course's own site."""
    out = tmp_path_factory.mktemp("host") / "below" / "site"
    out.parent.mkdir()
    reading.build(COURSE, out)
    yield out
    read_page.cache_clear()


def pages(site):
    """Every page; what the theme leaves among its scripts is none."""
    return [path for path in site.rglob("*.html") if "_static" not in path.parts]


def soup(path):
    """The page without its spans, which say how words look: most of the time would go to them."""
    text = path.read_text(encoding="utf-8")
    return BeautifulSoup(re.sub(r"</?span\b[^>]*>", "", text), "html.parser")


@dataclass
class Page:
    """What the tests ask of a page; a parsed page takes much more memory, and parsing time."""

    language: str
    title: str
    entries: int  # of the table of contents
    fetched: list  # addresses
    links: list  # addresses
    folded: list = field(default_factory=list)  # the texts that are folded away
    unfolded: list = field(default_factory=list)  # the attributes of those that aren't
    text: str = ""  # the article without what is folded, and of that the code, images, download
    code: list = field(default_factory=list)
    images: list = field(default_factory=list)
    download: str = ""


@cache
def read_page(path):
    page = soup(path)
    elements = [(element, FETCHED[element.name]) for element in page.find_all(list(FETCHED))]
    contents = page.find(id="pst-primary-sidebar")
    seen = Page(
        page.html["lang"],
        page.title.get_text() if page.title else "",
        len(contents.select("li.toctree-l1")) if contents else 0,
        [element[name] for element, name in elements if element.get(name)],
        [link["href"] for link in page.find_all("a", href=True)],
    )
    if article := page.article:
        details = [details.extract() for details in article.find_all("details")]
        seen.folded = [one.get_text() for one in details]
        seen.unfolded = [one.attrs for one in details if "open" in one.attrs]
        seen.text = article.get_text()
        seen.code = [block.get_text() for block in article.find_all("pre")]
        seen.images = [image["alt"] for image in article.find_all("img")]
        link = article.find("a", class_="download")
        seen.download = link["href"] if link else ""
    return seen


def lesson(site, code, name):
    return site / code / name / f"{name}.html"


def solved(code, name):
    return nbformat.read(COURSE.solution_path(name, code), as_version=4)


def regions(source):
    """What stands between a cell's solution markers."""
    return re.findall(rf"^ *{BEGIN}\n(.*?)\n *{END}", source, re.S | re.M)


def kinds(notebook, *wanted):
    return [cell for cell in notebook.cells if cell.metadata.policy_gradients.kind in wanted]


def test_the_site_has_every_lesson_in_every_language(site):
    assert {path.name for path in site.iterdir()} == {*SPOKEN, "index.html", ".nojekyll"}
    for code, name in PAGES:
        page = read_page(lesson(site, code, name))
        heading = solved(code, name).cells[0].source.splitlines()[0].removeprefix("# ")
        assert page.language == code
        assert page.title.replace("’", "'").startswith(heading)
        assert page.entries == 1 + len(COURSE.lesson_names())


def test_nothing_that_a_page_fetches_comes_from_elsewhere_and_all_of_it_is_there(site):
    for path in pages(site):
        for address in read_page(path).fetched:
            if not address.startswith("data:"):
                parts = urlsplit(address)
                assert not parts.scheme and not parts.netloc, (path, address)
                assert (path.parent / unquote(parts.path)).exists(), (path, address)


def test_no_style_fetches_anything_from_elsewhere(site):
    styles = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    assert styles
    for text in styles:
        assert not re.search(r"(url\(|@import)\s*['\"]?(https?:)?//", text)


def test_every_link_within_the_site_leads_somewhere(site):
    for path in pages(site):
        for address in read_page(path).links:
            parts = urlsplit(address)
            if not parts.scheme and parts.path:
                assert (path.parent / unquote(parts.path)).is_file(), (path, address)


@pytest.mark.parametrize("code", SPOKEN)
def test_no_solution_is_on_a_page_unfolded(site, code):
    """Nor in a later lesson, which is given it; and each one is there, folded."""
    cells = {
        name: kinds(solved(code, name), "exercise", "question", "free")
        for name in COURSE.lesson_names()
    }
    secrets = {
        name: [text for cell in cells[name] for text in regions(cell.source)] for name in cells
    }
    for name in cells:
        page = read_page(lesson(site, code, name))
        hidden = "\n".join(page.folded)
        assert page.folded and page.unfolded == []
        for secret in secrets[name]:
            assert secret in hidden
        for secret in sum(secrets.values(), []):
            assert not any(f"{secret}\n" in block for block in page.code)


@pytest.mark.parametrize(("code", "name"), PAGES)
def test_model_answers_and_marks_are_folded(site, code, name):
    page = read_page(lesson(site, code, name))
    for cell in kinds(solved(code, name), "free"):
        for part in cell.source.split("### BEGIN MARK SCHEME"):
            line = next(line for line in part.splitlines() if line.strip() and "$" not in line)
            assert any(line in text for text in page.folded) and line not in page.text
    assert "MARK SCHEME" not in page.text + "".join(page.folded)


@pytest.mark.parametrize(("code", "name"), PAGES)
def test_tasks_stubs_verdicts_and_figures_are_shown(site, code, name):
    page = read_page(lesson(site, code, name))
    text, notebook = page.text, solved(code, name)
    assert text.count("raise NotImplementedError\n") >= len(
        [cell for cell in kinds(notebook, "exercise") if f"    {BEGIN}" in cell.source]
    )
    for cell in kinds(notebook, "check"):
        assert cell.source in text
        assert cell.outputs, f"{code}/{name} is not executed: run 'make notebooks'"
        for output in cell.outputs:
            assert output.data["text/plain"] in text
    drawn = [
        cell.metadata.alt
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if {"image/png", "image/gif"} & set(output.get("data", {}))
    ]
    assert page.images == drawn


@pytest.mark.parametrize(("code", "name"), PAGES)
def test_the_notebook_to_work_in_is_the_students(site, code, name):
    page = lesson(site, code, name)
    offered = nbformat.read(page.parent / read_page(page).download, as_version=4)
    assert offered == nbformat.read(COURSE.notebook_path(name, code), as_version=4)


def test_the_start_page_asks_to_run_nothing(site):
    page = soup(site / "en" / "index.html").article
    links = [link["href"] for link in page.select("table a")]
    assert links == [f"{name}/{name}.html" for name in COURSE.lesson_names()]
    assert not page.find_all("pre") and "Shift+Enter" not in page.get_text()


# In the browser


class Server(http.server.ThreadingHTTPServer):
    """Serves a folder; its pages may load nothing from elsewhere, and what is missing is noted."""

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
        self.missing = []
        self.address = f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.SimpleHTTPRequestHandler):
    def end_headers(self):
        self.send_header(
            "Content-Security-Policy", "default-src 'self' data: 'unsafe-inline' 'unsafe-eval'"
        )
        super().end_headers()

    def send_error(self, code, *arguments, **keywords):
        if self.path != "/favicon.ico":  # the browser's own idea
            self.server.missing.append(self.path)
        super().send_error(code, *arguments, **keywords)

    def log_message(self, *arguments):
        pass


@contextlib.contextmanager
def served(folder):
    with Server(folder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def host(site):
    """A server with the site below a sub-path."""
    with served(site.parents[1]) as server:
        yield server


class Reader:
    """A browser that notes what a page wanted to load from elsewhere."""

    width = None  # the window's own

    def __init__(self, driver, start):
        self.driver, self.start = driver, start
        self.command(
            "Page.addScriptToEvaluateOnNewDocument",
            source="window.refused = [];"
            "document.addEventListener('securitypolicyviolation',"
            "event => refused.push(event.blockedURI))",
        )

    def command(self, name, **arguments):
        self.driver.execute_cdp_cmd(name, arguments)

    def turn_into(self, width):
        """A phone of this width; None: a window again. Each turn lays the open page out anew."""
        if width != self.width:
            size = {"width": width, "height": 840, "deviceScaleFactor": 1, "mobile": True}
            name = "set" if width else "clear"
            self.command(f"Emulation.{name}DeviceMetricsOverride", **(size if width else {}))
            self.width = width

    def open(self, page):
        self.driver.get(f"{self.start}/{page}")
        Window(self.driver).awaited("await window.MathJax?.startup.promise")

    def ask(self, script, *arguments):
        return self.driver.execute_script(f"return {script}", *arguments)

    def wait(self, condition):
        from selenium.webdriver.support.wait import WebDriverWait

        return WebDriverWait(self.driver, 30).until(lambda driver: condition())

    def find(self, selector):
        return self.driver.find_element("css selector", selector)

    def picture(self, name):
        """Into the folder SCREENSHOTS, where somebody wants pictures."""
        if folder := os.environ.get("SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.driver.save_screenshot(str(Path(folder) / f"{name}.png"))


@pytest.fixture(scope="module")
def driver():
    pytest.importorskip("selenium", reason="Selenium is not installed")
    with browser() as driver:
        yield driver


@pytest.fixture(scope="module")
def visitor(driver, host):
    return Reader(driver, f"{host.address}/below/site")


@pytest.fixture
def reader(visitor):
    visitor.turn_into(None)
    return visitor


@pytest.fixture
def phone(visitor):
    visitor.turn_into(PHONE)
    return visitor


FORMULAS = "document.querySelectorAll('article .math').length"
SET = "document.querySelectorAll('article .math > mjx-container > svg').length"
WRONG = "document.querySelectorAll('[data-mml-node=merror]').length"
LOADED = "[...document.querySelectorAll('article img')].filter(i => i.naturalWidth > 0).length"
WIDTH = "document.documentElement.scrollWidth"
PHONE = 390


@needs_browser
def test_the_net_catches_what_comes_from_elsewhere(driver, tmp_path):
    (tmp_path / "page.html").write_text(
        "<script src='http://127.0.0.2:9/script.js'></script><img src='http://127.0.0.2:9/x.png'>"
        "<link rel='stylesheet' href='http://127.0.0.2:9/s.css'><img src='gone.png'>"
        "<style>@font-face {font-family: f; src: url('http://127.0.0.2:9/f.woff')}</style>"
        "<p style='font-family: f'>text</p>"
    )
    with served(tmp_path) as server:
        reader = Reader(driver, server.address)
        reader.open("page.html")
        reader.wait(lambda: len(set(reader.ask("refused"))) == 4)
        assert server.missing == ["/gone.png"]


@needs_browser
@pytest.mark.parametrize(("code", "name"), [*PAGES, *[(code, None) for code in SPOKEN]])
def test_a_page_is_complete_and_fits_a_phone(phone, host, code, name):
    phone.open(f"{code}/{name}/{name}.html" if name else f"{code}/index.html")
    formulas = phone.ask(FORMULAS)
    assert formulas > 8 or not name
    assert phone.ask(SET) == formulas and phone.ask(WRONG) == 0
    assert phone.ask(LOADED) == phone.ask("document.querySelectorAll('article img').length")
    assert "$" not in phone.ask(
        "[...document.querySelectorAll('article p, article li, article td')]"
        ".map(element => { const copy = element.cloneNode(true);"
        "copy.querySelectorAll('code, pre, .math').forEach(part => part.remove());"
        "return copy.textContent }).join('')"
    )
    # Not innerWidth: a phone zooms out to what is too wide, and that grows with it.
    assert phone.ask(WIDTH) <= PHONE
    phone.picture(f"site-phone-{code}-{name or 'start'}")
    assert phone.ask("refused") == [] and host.missing == []


@needs_browser
def test_a_solution_is_folded_and_unfolds(reader):
    reader.open("en/01_reinforce/01_reinforce.html")
    solution, summary = reader.find("details pre"), reader.find("details summary")
    assert summary.text == "Solution" and not solution.is_displayed()
    stub = solution.find_element("xpath", "preceding::pre[1]")
    assert stub.is_displayed() and stub.text.endswith("raise NotImplementedError")
    reader.ask("arguments[0].scrollIntoView({block: 'center'})", summary)
    summary.click()
    assert solution.is_displayed() and "weights / weights.sum" in solution.text
    reader.picture("site-solution")
    summary.click()
    assert not solution.is_displayed()


@needs_browser
@pytest.mark.parametrize(
    ("code", "word", "found"),
    [
        ("en", "baselines", "03_baseline_critic"),
        ("en", "estimated", "01_reinforce"),
        ("es", "recortado", "04_ppo_clip"),
    ],
)
def test_the_search_finds_a_word_in_any_of_its_forms(reader, code, word, found):
    if code not in SPOKEN:
        pytest.skip(f"The course is not there in {code}")
    reader.open(f"{code}/index.html")
    reader.find(".search-button-field").click()
    field = reader.wait(lambda: reader.find("dialog[open] input[type=search]"))
    field.send_keys(word + "\n")
    links = "[...document.querySelectorAll('#search-results li a')]"
    page = f"{found}/{found}.html"
    reader.wait(lambda: reader.ask(f"{links}.some(a => a.href.includes('{page}'))"))
    reader.picture(f"site-search-{code}")
    reader.ask(f"{links}.find(a => a.href.includes('{page}')).click()")
    reader.wait(lambda: f"/site/{code}/{page}" in reader.driver.current_url)
    assert reader.ask("refused") == []


@needs_browser
@pytest.mark.parametrize("code", SPOKEN[1:])
@pytest.mark.parametrize("page", ["index.html", "04_ppo_clip/04_ppo_clip.html", "search.html"])
def test_the_language_switch_leads_to_the_twin_and_back(reader, code, page):
    reader.open(f"en/{page}")
    for target in (code, "en"):
        reader.find(f".languages a[lang={target}]").click()
        reader.wait(lambda target=target: reader.driver.current_url.endswith(f"/{target}/{page}"))
        assert reader.ask("document.documentElement.lang") == target
        assert reader.find(".languages [aria-current]").get_attribute("lang") == target
    reader.picture("site-languages")


@needs_browser
@pytest.mark.parametrize("wanted", ["es-MX,es", "en-GB,en", "xx"])
def test_the_entrance_leads_to_the_readers_language(reader, wanted):
    agent = reader.ask("navigator.userAgent")
    reader.command("Network.setUserAgentOverride", userAgent=agent, acceptLanguage=wanted)
    reader.driver.get(f"{reader.start}/index.html")
    code = wanted[:2] if wanted[:2] in SPOKEN else "en"
    reader.wait(lambda: reader.driver.current_url.endswith(f"/site/{code}/index.html"))
    reader.command("Network.setUserAgentOverride", userAgent=agent)


@needs_browser
def test_the_folder_itself_can_be_read(driver, site):
    reader = Reader(driver, site.as_uri())
    reader.open("en/04_ppo_clip/04_ppo_clip.html")
    assert reader.ask(SET) == reader.ask(FORMULAS) > 0
    assert reader.ask(LOADED) == reader.ask("document.querySelectorAll('article img').length") > 0
    reader.open("en/search.html?q=baseline")
    reader.wait(
        lambda: (
            "03_baseline_critic.html" in reader.find("#search-results").get_attribute("innerHTML")
        )
    )


# A tiny course


@pytest.fixture
def tiny(tmp_path):
    """The fixture course with a start page, in English and in a language that no code names."""
    root = copy_course(tmp_path)
    (root / "lessons" / "00_start.py").write_text(START_PAGE)
    assert publish(root, "--no-execute") == 0
    for folder in ("solutions", "notebooks"):
        for path in (root / folder / "en").rglob("*.ipynb"):
            if "02_second" not in path.name:
                copy = root / folder / "pt_BR" / path.relative_to(root / folder / "en")
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_text(path.read_text().replace('"language": "en"', '"language": "pt_BR"'))
    return root


def test_a_further_language_needs_no_code(tiny):
    assert reading.main(["--root", str(tiny)]) == 0
    site = tiny / "build" / "site"
    assert soup(site / "pt_BR" / "01_first" / "01_first.html").html["lang"] == "pt-BR"
    entrance = {link["href"]: link.get_text() for link in soup(site / "index.html").find_all("a")}
    assert entrance == {"en/index.html": "English", "pt_BR/index.html": "Português (Brasil)"}
    twins = {}
    for name in ("01_first", "02_second"):
        links = soup(site / "en" / name / f"{name}.html").select(".languages a")
        twins[name] = {link["lang"]: link["href"].removeprefix("../../") for link in links}
    assert twins["01_first"]["pt-BR"] == "pt_BR/01_first/01_first.html"
    assert twins["02_second"]["pt-BR"] == "pt_BR/index.html"


def test_the_first_page_leaves_out_what_runs_and_the_notebooks_own_switch(tiny):
    notebook = nbformat.read(Course(tiny).page_path("00_start", "en"), as_version=4)
    text = "\n".join(cell.source for cell in reading.start_page(notebook, ["01_first"], "en").cells)
    assert "# Hello" in text and "[First]" in text and "01_first/01_first\n" in text
    assert not re.search("Try it|Run|run|Português", text.replace(reading.ABOUT, ""))


def test_a_blank_shows_what_fills_it(tiny):
    notebook = nbformat.read(Course(tiny).solution_path("01_first", "en"), as_version=4)
    built = reading.page(notebook, release(notebook), "01_first", "en")
    texts = [cell.source for cell in built.cells]
    (stub,) = [index for index, text in enumerate(texts) if text.startswith("q_sign = None")]
    assert "b" not in re.sub("#.*", "", texts[stub]).replace("q_sign", "")
    assert '\nq_sign = "b"\n' in texts[stub + 1] and "None" not in texts[stub + 1]


def test_a_line_of_the_blank_may_stand_in_the_solution_again():
    source = "t = {\n    1: None,\n}\n### BEGIN SOLUTION\nt = {\n    1: 2,\n}\n### END SOLUTION"
    assert reading.solution_code(source, "t") == "t = {\n    1: 2,\n}"


def test_a_dead_link_stops_the_build_and_leaves_the_old_site(tiny, capfd):
    site = tiny / "build" / "site"
    site.mkdir(parents=True)
    (site / "index.html").write_text("the old one")
    start = Course(tiny).page_path("00_start", "en")
    start.write_text(start.read_text().replace("01_first.ipynb", "01_gone.ipynb"))
    assert reading.main(["--root", str(tiny)]) == 2
    said = capfd.readouterr().err
    assert "01_gone" in said and "Remedy: " in said
    assert (site / "index.html").read_text() == "the old one"


def test_without_lessons_or_start_page_it_says_what_to_do(tiny, tmp_path):
    with pytest.raises(PublishError, match="no solved lesson.*make notebooks"):
        reading.build(Course(tmp_path / "nowhere"), tmp_path / "out")
    Course(tiny).page_path("00_start", "en").unlink()
    with pytest.raises(PublishError, match="no start page.*make notebooks"):
        reading.build(Course(tiny), tmp_path / "out")


def test_a_language_that_nobody_knows_keeps_its_code():
    assert reading.language_name("es") == "Español"
    assert reading.language_name("tlh-x") == "tlh-x"

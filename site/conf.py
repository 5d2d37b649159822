"""How Sphinx makes the reading site's pages; publish/site.py prepares them and calls it."""

import os
from importlib.util import find_spec
from pathlib import Path

from publish.catalogue import text_in
from publish.site import LANGUAGE, LICENCE, TITLE, language_name

language = os.environ["COURSE_LANGUAGE"]
project = html_title = text_in(language, TITLE)
extensions = ["myst_nb", "sphinx.ext.mathjax"]
exclude_patterns = ["downloads"]

nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath"]
myst_dmath_double_inline = True

# One file without fonts beside it, so that it works from file://, too.
mathjax = Path(find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
mathjax_path = "tex-svg.js"
html_static_path = ["static", str(mathjax / "tex-svg.js")]

html_theme = "sphinx_book_theme"
html_theme_options = {
    "home_page_in_toc": True,
    "use_download_button": False,  # it would offer the page's source, which has the solutions
    "use_fullscreen_button": False,
    "article_header_end": ["languages.html", "article-header-buttons.html"],
    "footer_content_items": ["extra-footer.html"],
    "extra_footer": text_in(language, LICENCE),
    "navbar_persistent": [],  # else a bar over the whole width, with a second search field
}
templates_path = ["templates"]
html_css_files = ["site.css"]
html_copy_source = False
html_use_index = False


def add_languages(app, pagename, templatename, context, doctree):
    """Tell the template of the page's twins: (code, name, address) in every language."""
    context["choose_language"] = text_in(language, LANGUAGE)
    context["twins"] = [
        (folder.name, language_name(folder.name), _address(folder, pagename, context))
        for folder in sorted(app.srcdir.parent.iterdir())
    ]


def _address(folder, pagename, context):
    twin = pagename if pagename == "search" or (folder / f"{pagename}.ipynb").exists() else "index"
    return f"{context['content_root']}../{folder.name}/{twin}.html"


def setup(app):
    app.connect("html-page-context", add_languages)

"""From a template to a self-contained page: how templates are read, and the style that all pages share."""

from __future__ import annotations

import importlib.resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jinja2

__all__ = ["rendered"]


def rendered(loader: jinja2.BaseLoader, name: str, **content: object) -> str:
    """Return a page as HTML; what is not marked as HTML is escaped.

    Parameters
    ----------
    loader : jinja2.BaseLoader
        Where the templates are.
    name : str
        Of the page's own template, in the loader.
    **content : object
        What the template shows; `style`, the report's style sheet, is added.

    Raises
    ------
    jinja2.UndefinedError
        If the template names something that is not in `content`.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=loader,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    style = (importlib.resources.files("privbench.report") / "page.css").read_text(encoding="utf-8")
    return environment.get_template(name).render(**content, style=style)

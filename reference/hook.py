"""What MkDocs asks of us while it builds the site: see hooks in mkdocs.yml."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

LINK_UPWARDS = re.compile(r"\[([^\[\]]+)\]\((\.\./[^)\s]+)\)")


def on_page_markdown(markdown: str, /, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The page with what the site doesn't hold named rather than linked. Raises PluginError for what isn't there."""
    docs = Path(config.docs_dir)

    def named(link: re.Match[str]) -> str:
        target = (docs / page.file.src_uri).parent.joinpath(link[2]).resolve()
        if target.is_relative_to(docs):
            return link[0]
        if not target.exists():
            raise PluginError(f"{page.file.src_uri} links to {link[2]}, which does not exist")
        return f"`{target.relative_to(docs.parent)}`"

    return LINK_UPWARDS.sub(named, markdown)

"""Fill in generated pages while MkDocs builds the site: see hooks in mkdocs.yml."""

import json
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from reference import command_line, http_api, settings

MADE = {
    "the commands": command_line.markdown,
    "the settings": settings.markdown,
    "the HTTP API": http_api.markdown,
}
MARK = re.compile(r"<!-- filled in by make docs: (.+) -->")
LINK_UPWARDS = re.compile(r"\[([^\[\]]+)\]\((\.\./[^)\s]+)\)")


def on_files(files: Files, /, *, config: MkDocsConfig) -> Files:
    """Return the files of docs/ and the OpenAPI document."""
    document = json.dumps(http_api.document(), indent=1) + "\n"
    files.append(File.generated(config, "reference/openapi.json", content=document))
    return files


def on_page_markdown(markdown: str, /, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fill in generated parts of the page, and replace links to files outside the site by their names.

    Raises PluginError for a link to what isn't there.
    """
    docs = Path(config.docs_dir)

    def named(link: re.Match[str]) -> str:
        target = (docs / page.file.src_uri).parent.joinpath(link[2].partition("#")[0]).resolve()
        if target.is_relative_to(docs):
            return link[0]
        if not target.exists():
            raise PluginError(f"{page.file.src_uri} links to {link[2]}, which does not exist")
        return f"`{target.relative_to(docs.parent)}`"

    return MARK.sub(lambda mark: MADE[mark[1]](), LINK_UPWARDS.sub(named, markdown))

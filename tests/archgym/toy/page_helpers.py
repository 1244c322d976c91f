"""What tests of reports share: the page as text and tags, its tables, and a run in a state of one's choice."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from html.parser import HTMLParser


class Page(HTMLParser):
    """Tags with attributes, the text, and whether every tag that opens also closes."""

    VOID = frozenset({"meta", "input", "br", "link", "img", "hr"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.open, self.words = [], [], []
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)


def read(path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


def table(path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def change(run, statement, *values):
    with closing(sqlite3.connect(run / "run.sqlite")) as connection, connection:
        connection.execute(statement, values)

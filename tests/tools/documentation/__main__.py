"""Write the generated pages, and remove those that are generated no more."""

from __future__ import annotations

from tools.documentation.pages import DOCS, FOLDER, pages


def main() -> None:
    """Write what is not there yet, or is there otherwise."""
    generated = pages()
    for stale in {path.relative_to(DOCS).as_posix() for path in (DOCS / FOLDER).glob("*.md")} - set(generated):
        (DOCS / stale).unlink()
    for name, text in generated.items():
        (DOCS / name).parent.mkdir(exist_ok=True)
        (DOCS / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()

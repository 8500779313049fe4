"""Every sentence that a reader sees can be translated: the course's own boxes give theirs to gettext, too."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = """# A page

:::{objectives}
- count to four.
:::

:::{quiz} What is $2 + 2$?
- [ ] three

  Count again.
- [x] four

  Well done.
:::

:::{solution}
It is four.
:::
"""


def sphinx(builder: str, folder: Path, *options: str) -> None:
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", builder, *options, str(folder), str(folder / builder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_the_boxes_of_the_course_are_translated(tmp_path):
    settings = f"import sys\nsys.path.insert(0, {str(ROOT / 'book' / '_ext')!r})\n"
    settings += "extensions = ['myst_parser', 'course']\nmyst_enable_extensions = ['colon_fence', 'dollarmath']\n"
    settings += "root_doc = 'page'\nlocale_dirs = ['locale']\n"
    (tmp_path / "conf.py").write_text(settings)
    (tmp_path / "page.md").write_text(PAGE)
    sphinx("gettext", tmp_path)
    template = (tmp_path / "gettext" / "page.pot").read_text()
    translated = {
        "After this page you can": "Sau trang này bạn có thể",
        "count to four.": "đếm đến bốn.",
        "What is $2 + 2$?": "$2 + 2$ là mấy?",
        "three": "ba",
        "**Not this one.** Count again.": "**Không.** Đếm lại.",
        "**Right.** Well done.": "**Đúng.** Giỏi lắm.",
        "Solution": "Lời giải",
        "It is four.": "Là bốn.",
    }
    for text, there in translated.items():
        assert f'msgid "{text}"\nmsgstr ""' in template, text
        template = template.replace(f'msgid "{text}"\nmsgstr ""', f'msgid "{text}"\nmsgstr "{there}"')
    catalogue = tmp_path / "locale" / "vi" / "LC_MESSAGES" / "page.po"
    catalogue.parent.mkdir(parents=True)
    catalogue.write_text(template)
    sphinx("html", tmp_path, "-D", "language=vi")
    page = re.sub(r"<[^>]+>", "", (tmp_path / "html" / "page.html").read_text())
    for there in (
        "Sau trang này bạn có thể",
        "đếm đến bốn.",
        "là mấy?",
        "ba",
        "Không. Đếm lại.",
        "Lời giải",
        "Là bốn.",
    ):
        assert there in page
    assert "Count again" not in page

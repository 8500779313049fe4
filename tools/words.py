"""Keep the catalogues of labs and messages: what there is to translate, found in the sources themselves.

    python -m tools.words vi        # brings locale/vi/LC_MESSAGES/messages.po and lab-*.po up to date

What is translated stays; what is no longer said goes; what is new, or was changed by a letter, is there to be
translated. An entry is never "fuzzy": it fits, or it is empty. The book's pages have catalogues of their own.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path

import polib

from tools.sentences import sentences
from vae_lab.grading.lab.source import load_lab
from vae_lab.grading.lab.translation import pieces

ROOT = Path(__file__).parents[1]
PACKAGE = "vae_lab"
SAY = re.compile(r'say\("([^"]+)"')  # in a page's template

# What is read by people is said here. Checks and the graph explain; the grader gives verdicts; the commands answer.
SAYING = (
    "checks/**/*.py",
    "graph/explain.py",
    "graph/drawing/sentences.py",
    "graph/drawing/svg.py",
    "graph/drawing/style.py",
    "graph/drawing/boxes.py",
    "graph/gradient/reasons.py",
    "diagnosis/causes.py",
    "diagnosis/diagnose.py",
    "diagnosis/doors.py",
    "diagnosis/draw.py",
    "diagnosis/findings.py",
    "diagnosis/hearing.py",
    "diagnosis/kl_gradient.py",
    "diagnosis/limits.py",
    "diagnosis/neighbours.py",
    "diagnosis/target.py",
    "diagnosis/unlearned.py",
    "diagnosis/verdicts.py",
    "grading/authoring/selfcheck.py",
    "grading/authoring/hand_in.py",
    "grading/authoring/guards.py",
    "grading/authoring/run_notebook.py",
    "grading/judge/environment.py",
    "grading/judge/patience.py",
    "grading/judge/server.py",
    "grading/judge/verdict.py",
    "grading/judge/judge.py",
    "grading/judge/engine.py",
    "grading/judge/session.py",
    "grading/judge/hidden_words.py",
    "grading/judge/retelling.py",
    "grading/lab/notebook_file.py",
    "grading/rpc/exceptions.py",
    "grading/rpc/lacking.py",
    "grading/rpc/wire.py",
    "grading/rpc/leaves.py",
    "grading/rpc/values.py",
    "grading/rpc/messages.py",
    "grading/rpc/peer.py",
    "grading/rpc/objects.py",
    "commands/instructor.py",
    "commands/student.py",
    "grading/course.py",
    "grading/classroom/appeal.py",
    "grading/classroom/class_report.py",
    "grading/classroom/database.py",
    "grading/classroom/grade.py",
    "grading/classroom/merge.py",
    "grading/classroom/needed.py",
    "grading/classroom/shard.py",
    "grading/classroom/submissions.py",
    "grading/executors/clusters.py",
    "grading/executors/local.py",
    "grading/executors/shards.py",
    "grading/lab/handed_in.py",
    "grading/lab/matching.py",
    "grading/lms/class_list.py",
    "grading/lms/collect.py",
    "grading/lms/contents.py",
    "grading/lms/resolving.py",
    "grading/lms/send_back.py",
    "grading/lms/store.py",
    "grading/lms/tables.py",
    "grading/lms/zips.py",
    "grading/pages/report.py",
    "grading/sandbox/bubblewrap.py",
    "lab_files.py",
    "doctor.py",
)

# What else has sentences in it, and for whom: errors of a library stay in the language of its documentation.
ENGLISH_ONLY = {
    "*.py": "errors of the package, which a reader looks up as they are; pictures have their words from the page",
    "commands/*.py": "help of the command line, and what only authors of labs read",
    "diagnosis/*.py": "parts of sentences, each of which stands in a table above",
    "graph/**/*.py": "errors of the package",
    "plots/*.py": "errors of the package; words in figures have their translation from the page",
    "widgets/*.py": "errors of the package; a widget's words stand in its own table",
    "language/leftover.py": "a list of words, to know English by",
    "grading/authoring/*.py": "for authors of labs",
    "grading/classroom/*.py": "what one machine says of another, for whoever runs them",
    "grading/executors/*.py": "what one machine says of another, for whoever runs them",
    "grading/judge/kinds.py": "values as Python writes them",
    "grading/judge/value_text.py": "values as Python writes them",
    "grading/judge/watching.py": "an appeal, in the words of its calls",
    "grading/lab/release*.py": "for authors of labs",
    "grading/lab/source.py": "for authors of labs",
    "grading/lms/init_course.py": "a file for whoever begins a course",
    "grading/pages/*.py": "names of columns that an LMS wants, notes in what an instructor marks",
    "grading/rpc/*.py": "errors that only a forged message meets",
    "grading/sandbox/*.py": "faults of a machine, for whoever runs it",
    "grading/stand_ins.py": "what an exception says, as Python's own do",
    "grading/student/*.py": "what an exception says, as Python's own do",
}

# Texts that are put together where their source does not show it.
PUT_TOGETHER = {
    "checks/messages.py": ['the book\'s page "{title}" ({page}).', "Not yet:"],
    "checks/lab_overview.py": ["Read next: {read}", "failed", "passed", "not run"],
    "checks/instruments/closed_form.py": ["the values are wrong.", "the result holds nan or infinite numbers."],
    "checks/instruments/estimates.py": ["the square", "the absolute value", "a clamp at 0"],
    "checks/instruments/losses.py": [
        "the squared error of sigmoid(logits)",
        "the squared error of the logits",
        "the absolute error of sigmoid(logits)",
        "the absolute error of the logits",
        "the cross-entropy with a second sigmoid",
        "the cross-entropy with logits and x exchanged",
        "the cross-entropy with black and white exchanged",
        "the cross-entropy with images rounded to black and white",
        "the cross-entropy with images rescaled to [-1, 1]",
        "x log p alone",
        "(1 - x) log(1 - p) alone",
        "reconstruction",
    ],
    "checks/instruments/vae_model.py": ["{name} is never above {edge}.", "{name} is never below {edge}."],
    "checks/pictures.py": ["slope {slope}"],
    "checks/passing.py": ["Hidden tests will also try: {hidden}."],
    "diagnosis/causes.py": [
        "The noise is not normal: {more}.",
        "The logarithm in the KL is not that of sigma^2: {more}.",
        "A term of the KL has the wrong sign: {more}.",
        "A term of the KL is missing: {more}.",
        "mu^2 is not what stands in the KL: {more}.",
        "sigma stands in the KL where sigma^2 belongs.",
        "The KL is taken the other way round, KL(N(0, 1) || q).",
        "Rescale the images first: {remedy}.",
    ],
    "diagnosis/likelihood.py": [
        "the likelihood (squares)", "the likelihood (absolute)", "the likelihood (half)", "squares of a sigmoid",
        "squares of a tanh", "squares of a relu", "absolute of a sigmoid", "absolute of a tanh", "sigmoid twice",
        "squares of a sigmoid twice", "bernoulli of a tanh", "bernoulli of a relu", "swapped", "swapped logits",
        "swapped and one sigmoid",
    ],
    "commands/student.py": [
        "check",
        "cells",
        "Python ended without an answer in {cell}: does it call exit(), or is no memory left?",
    ],
    "grading/authoring/hand_in.py": ["saved   {when}"],
    "commands/instructor.py": [
        "grade", "merge", "submissions", "shards", "written", "there already, left as it is",
    ],
    "cli.py": ["stopped; the same command goes on where it was"],
    "grading/lms/collect.py": [
        "{file}  ->  {student}: {became}",
        "{n} students, {some} with a notebook",
        "{n} students, {some} with a notebook; {looks} files need a look",
    ],
    "grading/lms/store.py": [
        "collected",
        "{became}, late",
        "{became}, though it is {checkpoint}",
        "{became}, but it has no cell of {lab}",
    ],
    "grading/pages/report.py": [
        "handed in", "median score", "mean", "wait for a person", "errors", "median seconds", "graded", "manual",
        "error", "memory MB", "cpu seconds", "starts",
    ],
    "doctor.py": ["ok"],
    "graph/drawing/svg.py": ["gradient passes", "gradient zero", "gradient cut", "gradient unasked"],
    "graph/drawing/boxes.py": [
        "parameter", "parameters", "scalar", "computed", "input", "constant", "computed by {caption}",
        "drawn at random by {caption}",
    ],
    "graph/drawing/sentences.py": [
        "and", "or", "part of {name}", "the result of {name}", "The result of {name}", "result {i} of {title}",
        "the noise", "The noise", "noise in {name}", "the parameter", "The parameter", "inside {theirs}",
        "line {number}: {theirs}",
    ],
    "grading/judge/patience.py": ["something"],
    "grading/judge/judge.py": [
        "(… stands for a value, and n for any number but 1.)",
        "(A hidden check: … stands for a value, and n for any number but 1.)",
        "You have not defined `{name}`. Its cell stopped.",
        "Your code raised {kind}.",
        "Your code raised {kind} in a hidden check.",
        "Your code raised {kind}, called as {theirs}.",
        "Your code raised {kind} in a hidden check, called as {theirs}.",
        "A check stopped with {kind}: what your code gave it is of another kind than asked for.",
        "A check stopped with {kind}: what your code gave it, called as {theirs} is of another kind than asked for.",
        "A hidden check stopped with {kind}: what your code gave it is of another kind than asked for.",
        "A hidden check stopped with {kind}: what your code gave it, called as {theirs} is of another kind than "
        "asked for.",
    ],
    "tools/notebooks.py": [
        "Run this cell first. Where the course is missing, as in Colab, it is installed from the book's own pages;",
        "the torch that is there stays.",
        "none, and none is needed",
    ],
    "grading/authoring/guards.py": [
        "{name} stopped: stopped after {seconds} s: a loop without an end, or much more work than the task needs?",
        "{name} stopped: TookTooLong: stopped after {seconds} s: a loop without an end, or much more work than the "
        "task needs?",
    ],
}  # fmt: skip

# Found by the same rules, and read by nobody, or in pieces.
NOT_SAID = {
    "Not yet: {self}",
    "{name} is never {word} {edge}.",
    "gradient {verdict}",
    "{kind} by {caption}",
    "computed by {caption}, {kind}",
    "{notebook}: {error} in {cell}: does it call exit(), or is no memory left?",
    "{error} in {cell}: does it call exit(), or is no memory left?",
    "{_says}. Hidden tests will also try: {hidden}.",
    "{_says}. {_will_try}",
    "run one notebook's visible tests on this machine, as a student does",
    "put a lab into this folder, if it is not here yet, and open it",
    "say what is here and what is missing to solve a lab",
    "(A hidden check: {no_values})",
    "A check: {parts}",
    "A hidden check stopped with {kind}: what your code gave it{called} is of another kind than asked for.",
    "A check stopped with {kind}: what your code gave it{called} is of another kind than asked for.",
    "Your code raised {kind} in a hidden check{_called}. {sentence}.",
    "Your code raised {kind}. {sentence}.",
    "You have not defined `{name}`.{value}",
    ", called as {name}({names})",
    "Trying to backward through the graph a second time",
    "A term of the KL has the wrong sign",
    "A term of the KL is missing",
    "mu^2 is not what stands in the KL",
    "The logarithm in the KL is not that of sigma^2",
    "sigma stands in the KL where sigma^2 belongs",
    "The KL is taken the other way round, KL(N(0, 1) || q)",
    "with {n} images and {epochs} epochs, the model is never called.shown.",
    "in {epochs} epochs, {few} of {n} images are not learned from in each; in all, {sum} were",
    "{n} draws make the variance {ratio} times smaller than one draw does. (the standard error is {error}).",
    "in one dimension the gradient for {name} is on average {mean} times that of the KL. (the standard error is "
    "{error}).",
    "with n = {draws}, the mean over {rows} rows is {mean} times the KL",
    "the {head}",
    "{value}/book/{slug}.html",
    "decode",
    "model.{name}",
    "vae-lab check: {stopped}",
    "none",
    "nothing here opens notebooks: {value}",
    "start a course of your own in a folder: labs, solutions, settings, a class list",
    "put what students handed in, from the zip of Moodle or Canvas, under submitted/",
    "grade what is new or changed under submitted/; write gradebook, feedback and report",
    "on other machines",
    "put graded shards together: gradebook, feedback and report",
    "write the class at a glance again: HTML, and CSV for Canvas and Moodle",
    "pack the feedback pages as the zip that Moodle takes back",
    "show what the tests of a lab called in one submission, and what came back",
    "vae-lab grade: {unsafe}",
    "INSERT INTO alembic_version VALUES (:version)",
    "import os; os.listdir('/proc')",
    "{up}feedback/{value}/{lab}/{lab_2}.html",
    "{folder}/shards/{name}",
    "text-align:left;vertical-align:top;color:{colour};white-space:nowrap",
}


def messages() -> dict[str, list[str]]:
    """Every template of a message, with the files that say it."""
    found: dict[str, list[str]] = {}
    for pattern in SAYING:
        for path in sorted((ROOT / PACKAGE).glob(pattern)):
            place = path.relative_to(ROOT).as_posix()
            for text in sentences(path.read_text(encoding="utf-8")):
                if text not in NOT_SAID and not is_program(text):
                    found.setdefault(text, []).append(place)
    for path in sorted((ROOT / PACKAGE / "grading/pages/templates").glob("*.html")):
        for text in SAY.findall(path.read_text(encoding="utf-8")):
            found.setdefault(text, []).append(path.relative_to(ROOT).as_posix())
    for place, texts in PUT_TOGETHER.items():
        for text in texts:
            found.setdefault(text, []).append(place if place.startswith("tools/") else f"{PACKAGE}/{place}")
    for path in labs():
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                for text in shown_by(without_solutions("".join(cell["source"]))):
                    found.setdefault(text, []).append(path.relative_to(ROOT).as_posix())
    return found


def is_program(text: str) -> bool:
    """Whether a text is itself a program, or a command."""
    marks = (
        *("nachname", "vorname", "emailadres", "idnummer", "anmeldename"),  # heads of class lists elsewhere
        "import json",
        "torch.ones(",
        "found[",
        'print("',
        " = torch.cuda",
        "-m pip",
        "sudo",
        "chmod",
        "getattr(torch",
    )
    return any(
        mark in text
        for mark in (*marks, "except Exception as", "found = {", "get-started", ".vae-graph", "ones @ ones")
    )


def without_solutions(source: str) -> str:
    """A cell's code without the solution in it."""
    kept, inside = [], False
    for line in source.split("\n"):
        inside = (inside or "BEGIN SOLUTION" in line) and "END SOLUTION" not in line
        if not inside:
            kept.append(line)
    return "\n".join([*kept, "    pass"] if "BEGIN SOLUTION" in source else kept)


def shown_by(source: str) -> list[str]:
    """What a lab's own code shows through the package: what an assertion says, names of curves, what passed tries."""
    try:
        ast.parse(source)
    except SyntaxError:
        return []
    return [text for text in sentences(source, keys=True) if "sure of" not in text and text not in NOT_SAID]


def labs() -> list[Path]:
    """The labs' sources."""
    return sorted((ROOT / "solutions").glob("*/*.ipynb"))


def lab_texts(path: Path) -> dict[str, list[str]]:
    """Every text of a lab that a student reads, with the cells that it stands in."""
    found: dict[str, list[str]] = {}
    for number, cell in enumerate(load_lab(path).cells, 1):
        if cell.role == "written":
            continue
        for piece in sorted(pieces(cell.released, cell.code, bool(cell.grade_id))):
            found.setdefault(piece.text, []).append(f"{cell.grade_id or f'cell {number}'}")
    return found


def catalogues() -> dict[str, dict[str, list[str]]]:
    """Every catalogue's texts."""
    return {"messages": messages(), **{f"lab-{path.stem}": lab_texts(path) for path in labs()}}


def update(language: str, root: Path = ROOT) -> dict[str, tuple[int, int]]:
    """Bring the files up to date.

    Args:
        language: such as "vi".
        root: where `locale/` is.

    Returns:
        for each catalogue how many texts are translated, of how many.
    """
    counts = {}
    for name, texts in catalogues().items():
        path = root / "locale" / language / "LC_MESSAGES" / f"{name}.po"
        before = {entry.msgid: entry.msgstr for entry in polib.pofile(str(path))} if path.is_file() else {}
        made = polib.POFile(wrapwidth=110)
        made.metadata = {
            "Project-Id-Version": "VAE Lab",
            "Language": language,
            "MIME-Version": "1.0",
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Transfer-Encoding": "8bit",
        }
        for text, places in texts.items():
            occurrences = [(place, "") for place in dict.fromkeys(places)]
            made.append(polib.POEntry(msgid=text, msgstr=before.get(text, ""), occurrences=occurrences))
        path.parent.mkdir(parents=True, exist_ok=True)
        made.save(str(path))
        counts[name] = (len(made.translated_entries()), len(made))
    return counts


def main() -> int:
    """Update one language's catalogues and say what is left to translate."""
    if len(sys.argv) != 2 or not sys.argv[1].isalpha():
        print("usage: python -m tools.words LANGUAGE", file=sys.stderr)
        return 2
    left = 0
    for name, (done, total) in update(sys.argv[1]).items():
        print(f"{name}: {done} of {total} translated")
        left += total - done
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())

"""Call a JavaScript function inside a module that ships in pages, in the browser."""


def run_module(page, source, program, *arguments):
    """What `program`, the text of a JavaScript function, returns in the module `source` (a widget's `_esm`)."""
    return page.evaluate(
        """async ([source, args]) => {
             const url = URL.createObjectURL(new Blob([source], {type: "text/javascript"}));
             return (await import(url)).program(...args);
           }""",
        [f"{source}\nexport const program = {program};", list(arguments)],
    )

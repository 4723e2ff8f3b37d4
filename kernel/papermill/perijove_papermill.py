"""Lets papermill set the parameters of Go notebooks.

papermill writes parameters as a cell of assignments in the language of the notebook. Importing this module registers
the translator for Go. papermill imports the module because the package names an engine, which is papermill's own.
"""

import json
import math
import re
import subprocess
import threading


def __getattr__(name):
    # papermill asks for Engine while it is being imported, perhaps by the imports below.
    if name == "Engine":
        from papermill.engines import NBClientEngine

        return NBClientEngine
    raise AttributeError(f"module {__name__} has no attribute {name}")


from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel  # noqa: E402
from papermill.exceptions import PapermillException  # noqa: E402
from papermill.models import Parameter  # noqa: E402
from papermill.translators import Translator, papermill_translators  # noqa: E402

KERNEL = "perijove"
IDENTIFIER = re.compile(r"[^\W\d]\w*")
KEYWORDS = frozenset(
    "break case chan const continue default defer else fallthrough for func go goto if import interface map package "
    "range return select struct switch type var _".split()
)
# What a Go string literal may not contain as it is.
ESCAPED = re.compile('[\\x00-\\x1f"\\\\\\x7f\\ufeff\\ud800-\\udfff]')


# Kinds whose variables may be nil.
NILABLE = frozenset("slice map pointer interface func chan".split())


class Declared(threading.local):
    """The parameters that the last inspected cell declares, by name. papermill inspects the cell before it writes values."""

    parameters = {}


declared = Declared()


class GoTranslator(Translator):
    """Writes parameters as Go assignments, so that each variable keeps the type with which the notebook declares it."""

    @classmethod
    def codify(cls, parameters, comment="Parameters"):
        known, declared.parameters = declared.parameters, {}
        lines = [cls.comment(comment)]
        for name, value in parameters.items():
            if not IDENTIFIER.fullmatch(name) or name in KEYWORDS:
                raise PapermillException(f"parameter {name!r}: a Go variable cannot have this name")
            lines += cls.assignments(name, value, **known.get(name, {}))
        return "\n".join(lines) + "\n"

    @classmethod
    def assignments(cls, name, value, type="", kind=""):
        """The statements that set a variable. Elements are constants, which Go converts to the variable's type of element."""
        check(name, value, type, kind)
        if value is not None and kind == "interface":
            return [cls.assign(name, cls.translate(value))]
        if isinstance(value, list):
            elements = "".join(", " + cls.translate(v) for v in value)
            return [f"{name} = append({name}[:0:0]{elements})" if elements else f"{name} = {name}[:0:0]"]
        if isinstance(value, dict):
            # A new map: the default may be nil, or another variable may have it too.
            new = [f"{name} = {type}{{}}"] if kind == "map" and type else [f"{name} = maps.Collect(maps.All({name}))", f"clear({name})"]
            return new + [f"{name}[{cls.translate(k)}] = {cls.translate(v)}" for k, v in value.items()]
        return [cls.assign(name, cls.translate(value))]

    @classmethod
    def comment(cls, text):
        return "\n".join("// " + line for line in text.split("\n"))

    @classmethod
    def translate_none(cls, value):
        return "nil"

    @classmethod
    def translate_float(cls, value):
        if math.isnan(value):
            return "math.NaN()"
        if math.isinf(value):
            return f"math.Inf({1 if value > 0 else -1})"
        return repr(value)

    @classmethod
    def translate_escaped_str(cls, value):
        def escape(match):
            code = ord(match.group())
            if 0xD800 <= code <= 0xDFFF:
                raise PapermillException(f"parameter value {value!r}: it is not valid Unicode")
            return "\\" + match.group() if match.group() in '"\\' else f"\\u{code:04x}"

        return '"' + ESCAPED.sub(escape, str(value)) + '"'

    @classmethod
    def translate_list(cls, value):
        return f"{go_type(value)}{{{', '.join(map(cls.translate, value))}}}"

    @classmethod
    def translate_dict(cls, value):
        pairs = ", ".join(f"{cls.translate(k)}: {cls.translate(v)}" for k, v in value.items())
        return f"{go_type(value)}{{{pairs}}}"

    @classmethod
    def inspect(cls, parameters_cell):
        """The variables that a cell declares, from the kernel, which parses Go."""
        notebook = {"cells": [dict(parameters_cell, cell_type="code")], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
        try:
            kernel = KernelSpecManager().get_kernel_spec(KERNEL).argv[0]
            listed = subprocess.run([kernel, "parameters", "--json", "-"], input=json.dumps(notebook).encode(), capture_output=True)
            found = json.loads(listed.stdout) if listed.returncode == 0 else []
        except (NoSuchKernel, OSError, ValueError):
            return []  # as papermill asks; the cell's own error says more when it is run
        declared.parameters = {p["name"]: {"type": p["type"], "kind": p["kind"]} for p in found}
        return [Parameter(p["name"], p["type"] or "None", p["default"], p["help"]) for p in found]


def check(name, value, type, kind):
    """Raises an exception if no Go value of a kind can be written from a value. The compiler checks numbers and texts."""
    if value is None:
        possible = kind in NILABLE or not kind
    elif isinstance(value, dict):
        possible = kind in ("map", "interface", "")
    elif isinstance(value, list):
        possible = kind in ("slice", "interface", "")
    else:
        possible = kind not in NILABLE - {"interface"} and kind not in ("array", "struct")
    if possible:
        return
    given = "null" if value is None else {dict: "a map", list: "a list"}.get(value.__class__, f"the value {value!r}")
    raise PapermillException(f"parameter {name}: its type {type or kind} cannot be set to {given}; {ADVICE.get(kind, 'give a single value')}")


ADVICE = {
    "slice": "give a list",
    "map": "give a map",
    "array": "declare a slice instead",
    "struct": "declare its fields as parameters instead",
    "pointer": "declare a variable that is no pointer instead",
    "func": "declare a text or number from which the notebook chooses the function",
    "chan": "create the channel in another cell",
}


def go_type(value):
    """The Go type of a literal inside a list or a map."""
    if isinstance(value, list):
        return "[]" + common_type(value)
    if isinstance(value, dict):
        return f"map[{common_type(value)}]{common_type(value.values())}"
    if value is None:
        return "any"
    return {bool: "bool", int: "int", float: "float64"}.get(type(value), "string")


def common_type(values):
    """The type of elements that have all these values."""
    found = {go_type(value) for value in values}
    if found == {"int", "float64"}:
        return "float64"
    return found.pop() if len(found) == 1 else "any"


papermill_translators.register("go", GoTranslator)

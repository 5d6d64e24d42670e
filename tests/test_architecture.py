"""The shape of the package: layers, who may import what, sizes, and what no module may do."""

from __future__ import annotations

import ast
import fnmatch
import subprocess
import sys
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "graphspec"

# Every module, lowest first: it may import only what stands above it in this list. `ops.*` are the families.
LAYERS: dict[str, str] = {
    "problems": "errors extras codes.code codes.* codes",
    "text": "version atomic exact_json scalars places tree json_text syntax source",
    "values": "dims types attribute",
    "expressions": "tokens expression_grammar expression static",
    "ops": "op leaf custom window ops.* ops slicing",
    "graph": "origin value graph diagnose",
    "declarations": "grammar data_grammar train_grammar names written outline declaration edges reader library",
    "checks": "callee schema validation binding repeat sharing structure mentions references data_section data_reader"
    " train_section loader",
    "building": "parameter scope operands evaluate guard leaves calls functions model specialise feeds"
    " tensors_file weights",
    "differentiation": "autodiff derivative gradient",
    "running": "plan transform engine.jax_checks engine.jax_windows engine.jax_overrides engine.jax_engine engine.memory engine.binders engine.bound engine.numpy_engine engine span remedy anomaly",
    "tables": "view view.values view.table",
    "data": "train train.table train.cells train.classes train.order train.split train.statistics train.prefetch train.generate"
    " train.text_table train.array_table train.arrow_table train.image train.transform train.files train.batches"
    " train.assemble train.stream train.survey train.python_data train.dataset",
    "training": "train.manifest train.stored train.checkpoint train.matching train.history train.callback train.log"
    " train.tensorboard train.position train.session train.evaluation train.updates train.step train.saving train.loop train.entry",
    "views": "view.catalogue view.reference view.summary view.terminal view.progress_line view.progress view.curves view.text",
    "programs": "result notation yaml_text extract writer trainable program",
    "derivative checks": "difference point sample alone report outcome trial rule_check check",
    "estimators": "roles sklearn",
    "health": "activation finding vitals symptoms doctor",
    "starters": "starter starter.column starter.wording starter.target starter.feature starter.choice starter.document",
    "the package": "",
    "commands": "commands commands.console commands.settings commands.files commands.*",
    "the command line": "cli __main__",
}
# What two modules that belong together say of each other in annotations only.
FOR_TYPES_ONLY = {
    ("graphspec.value", "graphspec.graph"),
    ("graphspec.guard", "graphspec.leaves"),
    ("graphspec.train.saving", "graphspec.train.loop"),
}

ONLY = {
    "yaml": {"graphspec.source"},
    "networkx": {"graphspec.graph"},
    "safetensors": {"graphspec.tensors_file"},
    "jax": {f"graphspec.engine.jax_{part}" for part in ("checks", "engine", "overrides", "windows")},
    "torch": set(),
    "pyarrow": {"graphspec.train.arrow_table"},
    "PIL": {"graphspec.train.image"},
    "onnx": set(),
    "sklearn": {"graphspec.sklearn"},
    "tensorboardX": {"graphspec.train.tensorboard"},
    "matplotlib": {"graphspec.view.curves"},
}
TOP_LEVEL = {
    *("pyproject.toml", "README.md", "LICENSE", ".gitignore", ".git", ".ci"),
    *("graphspec", "schemas", "specs", "tests", "docs", "benchmarks"),
}
FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle"}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FILES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in FILES.items()}


def ordered() -> list[str]:
    """Return the modules of `LAYERS`, lowest first; ``family.*`` stands for the modules not named in it."""
    words = [f"graphspec.{word}" for names in LAYERS.values() for word in names.split() or [""]]
    named = {word.rstrip(".") for word in words}
    found: list[str] = []
    for word in words:
        members = [name for name in FILES if fnmatch.fnmatch(name, word) and name not in named]
        found += sorted(members) if word.endswith("*") else [word.rstrip(".")]
    return found


ORDER = ordered()


def imported(name: str) -> Iterator[tuple[str, int]]:
    """Yield every module that a module imports, also inside functions and for type checking, with its line."""
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno} imports relatively"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield (full if full in FILES else str(node.module)), node.lineno


def test_every_module_has_its_place() -> None:
    assert sorted(ORDER) == sorted(FILES)


@pytest.mark.parametrize("name", sorted(set(FILES) & set(ORDER)))
def test_imports_go_down(name: str) -> None:
    below = set(takewhile(lambda other: other != name, ORDER))
    found = [(other, line) for other, line in imported(name) if other.partition(".")[0] == "graphspec"]
    allowed = below | {other for user, other in FOR_TYPES_ONLY if user == name}
    assert not [f"line {line} imports {other}" for other, line in found if other not in allowed]


def test_what_is_for_types_only_is_not_imported_when_run() -> None:
    for user, other in FOR_TYPES_ONLY:
        guarded = [node for node in TREES[user].body if isinstance(node, ast.If)]
        inside = [ast.unparse(node) for node in guarded if ast.unparse(node.test) == "TYPE_CHECKING"]
        lines = [line for found, line in imported(user) if found == other]
        assert len(lines) == 1
        assert any(f"from {other} import" in text for text in inside)


@pytest.mark.parametrize("library", ONLY)
def test_libraries_that_one_module_imports(library: str) -> None:
    users = {name for name in FILES for other, _ in imported(name) if other.partition(".")[0] == library}
    assert users <= ONLY[library]


def test_op_families_do_not_know_each_other() -> None:
    families = {name for name in FILES if name.startswith("graphspec.ops.")}
    assert families
    assert not [name for name in families for other, _ in imported(name) if other in families | {"graphspec.ops"}]


@pytest.mark.parametrize("name", FILES)
def test_files_are_short(name: str) -> None:
    assert len(FILES[name].read_text(encoding="utf-8").splitlines()) <= 400


def test_importing_the_package_is_cheap() -> None:
    heavy = ("numpy", "networkx", "jax", "torch", "onnx", "safetensors", "rich", "jsonschema", "yaml")
    program = f"import sys, graphspec; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_running_loads_no_other_engine() -> None:
    program = (
        "import sys, graphspec as gs; gs.loads('{graphspec: 1, inputs: {x: 2}, nodes: {f: x * x}, outputs: f}')"
        ".backprop(); print([name for name in ('jax', 'torch', 'onnx') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


@pytest.mark.parametrize("name", FILES)
def test_nothing_runs_what_it_reads(name: str) -> None:
    assert not FORBIDDEN_MODULES & {other.partition(".")[0] for other, _ in imported(name)}
    for call in calls(TREES[name]):
        function = ast.unparse(call.func)
        assert function not in ("eval", "exec", "compile", "__import__", "builtins.eval", "builtins.exec")
        assert not function.startswith("yaml.") or function in ("yaml.CSafeLoader", "yaml.SafeLoader"), function
        assert function.rpartition(".")[2] not in ("load_all", "unsafe_load", "full_load", "load_pickle")
        for keyword in call.keywords:
            allowed = keyword.arg != "allow_pickle" or ast.unparse(keyword.value) == "False"
            assert allowed, f"{name}:{call.lineno}"


@pytest.mark.parametrize("name", FILES)
def test_nothing_opens_a_socket_or_starts_a_program(name: str) -> None:
    reached = {other.partition(".")[0] for other, _ in imported(name)}
    assert not reached & {"socket", "urllib", "http", "requests", "subprocess", "ctypes", "multiprocessing"}


def test_the_tree_has_no_other_entries() -> None:
    ignored = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines() if line]
    found = {entry.name for entry in ROOT.iterdir()}
    others = {name for name in found if not any(fnmatch.fnmatch(name, pattern) for pattern in ignored)}
    assert others - {".git"} <= TOP_LEVEL
    assert TOP_LEVEL - {".git"} <= others

"""The shape of the package: import directions, lazy names, typed, nothing forbidden at the top level."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest brings it

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {"faceaug": 0, "datasets": 1, "benchmarks": 2, "cli": 3}
"""A module may import from folders of its own level and below."""


def _imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


def _level(module):
    parts = module.split(".")
    return FOLDERS[parts[1]] if parts[0] == "faceaug" and len(parts) > 1 and parts[1] in FOLDERS else 0


@pytest.mark.parametrize("folder", FOLDERS)
def test_imports_run_one_way(folder):
    for path in (ROOT / folder).rglob("*.py"):
        if path in (ROOT / "faceaug" / "__init__.py", ROOT / "faceaug" / "__main__.py"):
            continue  # re-exports, lazily; and the command
        for module in _imported(path):
            if module.split(".")[0] == "faceaug":
                assert _level(module) <= FOLDERS[folder], f"{path} imports {module}"


def test_only_the_command_line_prints_and_exits():
    for folder in ("faceaug", "datasets", "benchmarks"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("print", "exit"):
                    assert path in (ROOT / "faceaug" / "progress.py", ROOT / "faceaug" / "__main__.py"), path


def test_top_level():
    allowed = {"pyproject.toml", "README.md", "LICENSE", "faceaug", "cli", "benchmarks", "tests", "datasets"}
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    found = {line.split("/")[0] for line in listed.stdout.splitlines()}
    assert {name for name in found if not name.startswith(".")} <= allowed


def test_importing_the_package_loads_no_torch():
    code = "import sys, faceaug; assert 'torch' not in sys.modules; print(sorted(faceaug.__all__))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "SyntheticFaces" in done.stdout


def test_the_promised_names():
    package = importlib.import_module("faceaug")
    assert {*package._HOMES, "__version__"} == set(package.__all__)
    for name, home in package._HOMES.items():
        assert getattr(package, name) is getattr(importlib.import_module(home), name)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        importlib.import_module("faceaug").__getattr__("Nothing")


def test_every_package_is_installed():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = set()
    for folder in FOLDERS:
        for init in (ROOT / folder).rglob("__init__.py"):
            parts = init.parent.relative_to(ROOT).parts
            name = ".".join(parts if parts[0] == "faceaug" else ("faceaug", *parts))
            found.add(name)
    assert found == set(listed)

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_settings_reference_is_that_of_the_settings() -> None:
    spec = importlib.util.spec_from_file_location(
        "reference", ROOT / "scripts" / "make_settings_reference.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == module.reference(), "run scripts/make_settings_reference.py"

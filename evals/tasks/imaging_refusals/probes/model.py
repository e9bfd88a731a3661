"""Plugged models: folders that may be loaded, and inputs that may be asked about."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from evals.phantoms.models import classifier, film
from evals.tasks.imaging_refusals.probes.answer import Answer, Recipe
from tools.models.loaded import load_model
from tools.models.run import ask


def model(recipe: Recipe, folder: Path) -> Answer:
    """Return whether a model's folder is loaded, and whether it gives a score.

    Args:
        recipe: ``set`` (keys of ``model.json`` and their new values), ``drop`` (keys),
            ``remove`` (a file), ``append`` (a file that gets a byte more), ``golden`` (false for
            an answer that does not come out), ``ask`` (changes of the film it is asked about),
            ``blank``.
        folder: Where the model is written.
    """
    made = classifier(folder / "model")
    described = json.loads((made / "model.json").read_text("utf-8"))
    described |= recipe.get("set", {})
    for key in recipe.get("drop", ()):
        del described[key]
    (made / "model.json").write_text(json.dumps(described), "utf-8")
    if "remove" in recipe:
        (made / recipe["remove"]).unlink()
    if "append" in recipe:
        path = made / recipe["append"]
        path.write_bytes(path.read_bytes() + b"\0")
    if recipe.get("golden") is False:
        np.save(made / "golden" / "out.npy", np.full((1, 1), 99, np.float32))
    sample = film(**recipe.get("ask", {}))
    if recipe.get("blank"):
        sample = replace(sample, pixels=np.full((16, 16), 7.0))
    ask(load_model(made), sample)
    return Answer()

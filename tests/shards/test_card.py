import json
import re

import pytest
from sets import write_set

from faceaug.errors import ShardDamaged
from faceaug.labels import CELEBAMASK_19
from faceaug.shards.card import write_card
from faceaug.shards.columns import PIXELS
from faceaug.shards.index import read_index
from faceaug.shards.reader import ShardReader


def _head(text):
    """What a YAML reader sees of the simple lines that a card has."""
    lines = text.split("---\n")[1].splitlines()
    found, key = {}, ""
    for line in lines:
        if line.startswith("- "):
            found.setdefault(key, []).append(line[2:].strip('"'))
        else:
            key, _, value = line.partition(": ") if ": " in line else (line.removesuffix(":"), "", "")
            if value:
                found[key] = value.strip('"')
    return found


def test_the_card_says_what_the_set_is(tmp_path):
    folder = tmp_path / "my set"
    write_set(folder, [3, 0, 4])
    text = write_card(folder).read_text()
    head = _head(text)
    assert text.startswith("---\n")
    assert head["license"] == "mit"
    assert head["pretty_name"] == "my set"
    assert head["task_categories"] == ["image-segmentation"]
    assert head["size_categories"] == ["n<1K"]
    assert {"synthetic", "ai-generated"} <= set(head["tags"])
    for told in (
        "| dropped: agreement too low | 2 |", "| faces | 7 |", "| masks | drawn targets |", "MIT (drawn by faceaug)", "f" * 64,
        "Not for face recognition or identification of people", "AI-generated", "| 10 | hair |", "| male | 7 | 100.0% |",
        "typology angle", "h5py.File(", "SyntheticFaces",
    ):  # fmt: skip
        assert told in text, told


def test_the_cards_code_runs(tmp_path, monkeypatch):
    write_set(tmp_path, [3])
    text = write_card(tmp_path).read_text()
    monkeypatch.chdir(tmp_path)
    plain, ours = re.findall(r"```python\n(.*?)```", text, re.S)
    found = {}
    exec(plain, found)
    assert found["image"].shape == (8, 8, 3)
    assert found["source"] == "sé0"
    found["file"].close()
    exec(ours, found)
    assert found["mask"].shape == (8, 8)


def test_licences_of_the_sources_are_the_sets(tmp_path):
    write_set(tmp_path, [2])
    index = read_index(tmp_path)
    index["provenance"][1] = {"role": "sources", "title": 'Cele|bA "x"\n', "licence": 'non-commercial: "research"', "count": 5000}
    (tmp_path / "complete.json").write_text(json.dumps(index))
    text = write_card(tmp_path).read_text()
    assert _head(text)["license"] == "other"
    assert '| sources | Cele\\|bA "x"  | 5,000 | non-commercial: "research" |' in text
    assert json.loads(re.search(r"license_name: (.*)", text)[1]) == 'MIT (drawn by faceaug); non-commercial: "research"'
    del index["provenance"]
    (tmp_path / "complete.json").write_text(json.dumps(index))
    assert "| sources | drawn sources | 9 | not recorded |" in write_card(tmp_path).read_text()
    (tmp_path / "complete.json").unlink()
    with pytest.raises(ShardDamaged):
        write_card(tmp_path)


def test_croissant_has_what_the_standard_requires(tmp_path):
    """Croissant 1.0 (docs.mlcommons.org/croissant): properties of data sets, files, record sets and fields that must be there."""
    write_set(tmp_path, [3, 0, 4], scheme=CELEBAMASK_19)
    write_card(tmp_path)
    found = json.loads((tmp_path / "croissant.json").read_text())
    assert found["@type"] == "sc:Dataset"
    assert found["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    for key in ("@context", "name", "description", "license", "url", "creator", "datePublished", "distribution", "recordSet"):
        assert found[key], key
    assert {"cr", "sc", "dct", "conformsTo", "recordSet", "field", "source", "extract"} <= set(found["@context"])
    ids = [one["@id"] for one in found["distribution"]]
    shards = {shard["file"]: shard for shard in read_index(tmp_path)["shards"] if shard["rows"]}
    for one in found["distribution"]:
        assert one["encodingFormat"] == "application/x-hdf5"
        if one["@type"] == "cr:FileObject":
            shard = shards.pop(one["@id"])
            assert (one["contentUrl"], one["sha256"]) == (shard["file"], shard["sha256"])
            assert one["contentSize"] == f"{shard['bytes']} B"
        else:
            assert one["includes"] == "*.h5"
            assert [part["@id"] for part in one["containedIn"]] == ids[:-1]
    assert not shards
    faces, classes = found["recordSet"]
    assert [one["name"] for one in faces["field"]] == [*PIXELS, *ShardReader(tmp_path).columns]
    for field in (*faces["field"], *classes["field"]):
        assert field["@type"] == "cr:Field"
        assert field["@id"].endswith(f"/{field['name']}")
        assert field["dataType"].startswith("sc:")
    assert all(field["source"]["fileSet"]["@id"] in ids for field in faces["field"])
    assert [row["classes/class"] for row in classes["data"]] == list(CELEBAMASK_19.classes)

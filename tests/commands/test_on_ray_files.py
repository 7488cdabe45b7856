"""What goes to a node of a Ray cluster besides the benchmark's file."""

from synthbench.commands.elsewhere import on_ray


def test_files_beside_it_and_neither_folders_nor_data(tmp_path, monkeypatch):
    monkeypatch.setattr(on_ray, "LARGEST_BESIDE", 5)
    for name in ("bench.yaml", "mine.py", "labels.csv", "notes.txt"):
        (tmp_path / name).write_text("short")
    (tmp_path / "large.csv").write_text("longer")
    (tmp_path / "out.csv").mkdir()  # as Spark writes tables
    beside, too_large = on_ray._beside(tmp_path / "bench.yaml")
    assert too_large == ["large.csv"]
    assert {path.name for path in beside} == {"bench.yaml", "mine.py", "labels.csv"}

"""`synthbench validate` finds what can be known before any work."""

import pytest

from synthbench import cli

UNPICKLED = """

def made():
    class Local(MeanNoise):
        name: ClassVar[str] = "local"
    return Local


Local = made()
"""


def complaint(capsys, *arguments):
    assert cli.main(["validate", *map(str, arguments)]) == 2
    return capsys.readouterr().err


def test_a_class_that_cannot_be_pickled(mini, capsys):
    mini.plugin.write_text(mini.plugin.read_text() + UNPICKLED)
    mini.write("Local")
    message = complaint(capsys, mini.file)
    assert "local: its class cannot be pickled" in message
    assert "define it at the top level of a module" in message


@pytest.mark.parametrize(
    "evaluator",
    ["{use: tstr, backbone: 'timm:resnet81'}", "{use: kid, extractor: 'timm:resnet81'}"],
)
def test_a_model_that_timm_has_not_got(tmp_path, capsys, evaluator):
    file = tmp_path / "b.yaml"
    file.write_text(
        f"name: b\nheadline: judge.auroc\nbaselines: true\ndataset: {{use: phantom}}\n"
        f"evaluators: [{{use: tstr, label: judge, backbone: cnn}}, {evaluator}]\n"
    )
    assert "has no model 'resnet81'; did you mean resnet" in complaint(capsys, file)


def test_weights_that_are_not_there_offline(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("SYNTHBENCH_OFFLINE", "0")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    file = tmp_path / "b.yaml"
    file.write_text("name: b\ndataset: {use: phantom}\nevaluators: [{use: tstr, weights: imagenet}]\n")
    assert cli.main(["validate", str(file)]) == 0
    message = complaint(capsys, file, "--offline")
    assert "offline, and the ImageNet weights of vgg16 are not in the local cache" in message
    weights = tmp_path / "torch/hub/checkpoints/vgg16-397923af.pth"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"")
    assert cli.main(["validate", str(file), "--offline"]) == 0


def test_a_folder_of_images_that_is_not_there(tmp_path, capsys):
    file = tmp_path / "b.yaml"
    file.write_text(
        "name: b\nheadline: judge.auroc\ndataset: {use: image-folder, root: mine}\n"
        "evaluators: [{use: tstr, label: judge, backbone: cnn}]\n"
    )
    place = tmp_path / "mine"
    assert f"dataset image-folder: root is {place}, and nothing is there; correct root" in complaint(capsys, file)
    place.mkdir()
    assert cli.main(["validate", str(file)]) == 0
    file.write_text(file.read_text().replace("root: mine", "root: mine, manifest: t.csv"))
    assert f"manifest is t.csv, but there is no file {place / 't.csv'}" in complaint(capsys, file)
    (place / "t.csv").touch()
    assert cli.main(["validate", str(file)]) == 0


def test_what_was_found_is_said_once(tmp_path, capsys):
    file = tmp_path / "b.yaml"
    file.write_text("name: b\ndataset: {use: phantom}\nevaluators: [{use: tstr, backbone: cn}]\n")
    assert complaint(capsys, file).count("'cn'") == 1


@pytest.mark.parametrize(
    ("generator", "evaluator", "fault"),
    [
        ("noise", "{use: tstr}", "tstr: vgg16 needs images of at least 32x32 pixels, found 28x28"),
        ("noise", "{use: tstr, backbone: cnn}", ""),
        ("noise", "{use: kid, extractor: classifier}", "kid: vgg16 needs images of at least 32x32 pixels"),
        ("acgan", "{use: memorisation}", "acgan: acgan needs square images of a side divisible by 8, found 28x28"),
        ("acgan-tuned", "{use: memorisation}", "acgan-tuned: acgan-tuned needs square images"),
        ("latent-flow", "{use: memorisation}", "latent-flow: latent-flow needs sides divisible by 8, found 28x28"),
        ("select, base: acgan", "{use: memorisation}", "select: acgan needs square images of a side divisible"),
    ],
)
def test_images_of_a_size_that_a_plugin_does_not_take(tmp_path, capsys, generator, evaluator, fault):
    file = tmp_path / "b.yaml"
    file.write_text(
        "name: b\ndataset: {use: phantom, image_size: 28}\nheadline: judge.auroc\n"
        f"generators: [{{use: {generator}}}]\n"
        f"evaluators: [{evaluator}, {{use: tstr, label: judge, backbone: cnn}}]\n"
    )
    if fault:
        assert fault in complaint(capsys, file)
    else:
        assert cli.main(["validate", str(file)]) == 0

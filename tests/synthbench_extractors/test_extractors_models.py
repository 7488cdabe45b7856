"""The other extractors, with random weights of the right architecture where the published ones are a download."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import yaml
from PIL import Image
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

from synthbench import load_images
from synthbench.api.registry import load_registry
from synthbench.errors import ConfigError, DataError, PluginError
from synthbench.storage.weights import sha256_of
from synthbench.testing import check_extractor, tiny_splits
from synthbench_extractors import chest, inception
from synthbench_extractors.chest import RadDino, TorchXRayVision
from synthbench_extractors.classifier import TrainedClassifier
from synthbench_extractors.inception import Inception
from synthbench_extractors.network import Preparation, to_tensor
from synthbench_extractors.timm_models import Timm
from synthbench_torchkit.classifier import cached_classifier

TINY = "test_vit.r160_in1k"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty weights folder, and no network."""
    monkeypatch.setenv("SYNTHBENCH_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("SYNTHBENCH_OFFLINE", "1")
    torch.manual_seed(0)
    return tmp_path / "weights"


@pytest.fixture
def pixels():
    return tiny_splits(size=40, channels=3).tests["test"].pixels[:3]


@pytest.fixture
def nothing():
    """The training images of an extractor that learns nothing."""
    return tiny_splits().train.subset(np.arange(0))


def put(module, constant, monkeypatch, save):
    """Save a file where the extractor looks for its weights, and pin that one."""
    file = getattr(module, constant)
    file.path.parent.mkdir(parents=True)
    save(file.path)
    monkeypatch.setattr(module, constant, replace(file, sha256=sha256_of(file.path)))


# ---- preparation


@pytest.mark.parametrize(("old", "new"), [(40, 64), (40, 17)])
@pytest.mark.parametrize("mode", ["bicubic", "bilinear"])
def test_resizing_is_pillows(old, new, mode):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (2, old, old, 3), dtype=np.uint8)
    ours = Preparation(new, mode, (0.0,) * 3, (1.0,) * 3)(to_tensor(pixels, torch.device("cpu")))
    for image, tensor in zip(pixels, ours, strict=True):
        for channel in range(3):
            picture = Image.fromarray(image[..., channel].astype(np.float32))
            theirs = np.asarray(picture.resize((new, new), Image.Resampling[mode.upper()])).clip(0, 255)
            np.testing.assert_allclose(tensor[channel].numpy(), theirs, atol=1e-3)


# ---- inception


@pytest.fixture
def random_inception(monkeypatch, folder):
    """torch-fidelity's network with its random start, in a file where the extractor looks for it."""
    with monkeypatch.context() as patch:
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda self, state: None)
        patch.setattr(torch, "load", lambda *_, **__: {})
        state = FeatureExtractorInceptionV3("start", ["2048"], "none").state_dict()
    for weight in state.values():
        if weight.ndim == 4:  # by the default start, features would vanish layer by layer
            torch.nn.init.kaiming_normal_(weight)
    put(inception, "WEIGHTS", monkeypatch, partial(torch.save, state))


def test_inception_is_torch_fidelitys(ctx, random_inception, pixels, nothing):
    theirs = FeatureExtractorInceptionV3("theirs", ["2048"], str(inception.WEIGHTS.path))
    expected = theirs(torch.from_numpy(pixels).permute(0, 3, 1, 2))[0].numpy()
    ours = Inception().load(nothing, ctx)(pixels)
    assert (ours.shape, ours.dtype) == ((3, 2048), np.float32)
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


@pytest.mark.full
def test_fid_of_a_run_is_torch_fidelitys(mini, random_inception):
    """From the file's `fid` to scores.csv, under random weights: the same number as the reference's own chain."""
    mini.write("MeanNoise")
    content = yaml.safe_load(mini.file.read_text())
    content["evaluators"].append({"use": "fid", "optional": True})
    mini.file.write_text(yaml.safe_dump(content))
    assert mini.run() == 0
    theirs = FeatureExtractorInceptionV3("theirs", ["2048"], str(inception.WEIGHTS.path))

    def features(images):
        pixels = np.array(images.pixels).repeat(3, axis=3)
        return theirs(torch.from_numpy(pixels).permute(0, 3, 1, 2))[0]

    (entry,) = (mini.cache / "synthetic").iterdir()
    train = load_registry().find("dataset", "mini.py:Squares", mini.folder)().make(20, 0)
    both = [fid_features_to_statistics(features(images)) for images in (load_images(entry), train)]
    expected = fid_statistics_to_metric(*both, verbose=False)
    scores = mini.scores[mini.scores["variant"].isna()].set_index("metric")["value"]
    assert scores["fid"] == pytest.approx(expected["frechet_inception_distance"], rel=1e-3)
    assert scores["fid"] > 0.01


@pytest.mark.full
def test_inception_keeps_the_contract(random_inception):
    check_extractor(Inception())


def test_inception_holds_the_file_to_its_published_digest(ctx, folder, nothing):
    (file,) = Inception().files()
    assert file.sha256.startswith(Path(file.name).stem.rpartition("-")[2])  # the name carries the first digits
    assert len(file.sha256) == 64
    file.path.parent.mkdir(parents=True)
    file.path.write_bytes(b"no weights")
    with pytest.raises(DataError, match=f"expected {file.sha256}"):
        Inception().load(nothing, ctx)


# ---- timm


def save_timm(path, name, **changes):
    model = timm.create_model(name, pretrained=False, **changes).eval()
    torch.save(model.state_dict(), path)
    return model


def test_timm_gives_what_its_last_layer_would_see(ctx, tmp_path, pixels, nothing):
    model = save_timm(tmp_path / "w.pth", "test_resnet.r160_in1k", num_classes=7)
    extractor = Timm(model="test_resnet.r160_in1k", weights=tmp_path / "w.pth")
    assert extractor.preprocessing.startswith(
        "160x160 bilinear antialiased, grey as RGB, (x / 255 - (0.5, 0.5, 0.5))"
    )
    transform = timm.data.create_transform((3, 160, 160), interpolation="bilinear", crop_pct=1.0, mean=(0.5,) * 3, std=(0.5,) * 3)  # fmt: skip  # noqa: E501
    inputs = torch.stack([transform(Image.fromarray(image)) for image in pixels])
    expected = model.forward_head(model.forward_features(inputs), pre_logits=True).detach().numpy()
    ours = extractor.load(nothing, ctx)(pixels)
    np.testing.assert_allclose(
        ours, expected, rtol=0.02, atol=0.02 * np.abs(expected).max()
    )  # it rounds to 8 bits


def test_timm_keeps_the_contract(tmp_path):
    save_timm(tmp_path / "w.pth", TINY)
    check_extractor(Timm(model=TINY, weights=tmp_path / "w.pth"))


def test_dinov2_at_another_size_from_the_weights_folder(ctx, folder, pixels, nothing):
    extractor = Timm(model="vit_small_patch14_dinov2.lvd142m", image_size=28)
    (file,) = extractor.files()
    assert (
        file.url == "https://huggingface.co/timm/vit_small_patch14_dinov2.lvd142m/resolve/main/model.safetensors"
    )
    with pytest.raises(
        DataError, match=r"lvd142m\.safetensors is missing: it comes from https://huggingface\.co/"
    ):
        extractor.inputs()
    file.path.parent.mkdir(parents=True)
    model = timm.create_model(extractor.model, pretrained=False)
    from safetensors.torch import save_file

    save_file(model.state_dict(), file.path)
    assert extractor.load(nothing, ctx)(pixels).shape == (3, 384)
    assert extractor.signature().startswith(
        f"timm:{extractor.model} | weights {sha256_of(file.path)[:8]} | 28x28 "
    )


def test_timm_refuses_what_does_not_fit(ctx, tmp_path, nothing):
    path = tmp_path / "w.pth"
    save_timm(path, TINY)
    found = sha256_of(path)
    with pytest.raises(DataError, match=f"has SHA-256 {found}, expected 00ff"):
        Timm(model=TINY, weights=path, sha256="00ff").load(nothing, ctx)
    assert Timm(model=TINY, weights=path, sha256=found[:8]).inputs() == {"weights": found}
    state = torch.load(path, weights_only=True)
    torch.save(dict(list(state.items())[:-6]), path)
    with pytest.raises(DataError, match="Missing key"):
        Timm(model=TINY, weights=path).load(nothing, ctx)
    path.write_bytes(b"no weights")
    with pytest.raises(DataError, match="cannot be made from"):
        Timm(model=TINY, weights=path).load(nothing, ctx)
    with pytest.raises(DataError, match="No such file"):
        Timm(model=TINY, weights=tmp_path / "gone.pth").inputs()
    with pytest.raises(ConfigError, match=r"has no model 'resnet81'; did you mean resnet"):
        Timm(model="resnet81").files()


# ---- chest X-rays


def test_torchxrayvision_is_the_packages(ctx, folder, monkeypatch, nothing):
    xrv = pytest.importorskip("torchxrayvision")
    model = xrv.models.DenseNet().eval()
    put(chest, "XRAYS", monkeypatch, partial(torch.save, model))
    images = tiny_splits(size=224).tests["test"].pixels[:2]
    normal = np.stack([xrv.utils.normalize(image[..., 0], 255)[None] for image in images])
    expected = model.features2(torch.from_numpy(normal)).detach().numpy()
    ours = TorchXRayVision().load(nothing, ctx)(images)
    assert ours.shape == (2, 1024)
    np.testing.assert_allclose(ours, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def test_rad_dino_is_transformers(ctx, folder, monkeypatch, nothing, pixels):
    transformers = pytest.importorskip("transformers")
    from safetensors.torch import load_file, save_file

    small = {**chest.SHAPE, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
    model = transformers.Dinov2Model(transformers.Dinov2Config(**small)).eval()
    put(chest, "RAD_DINO", monkeypatch, lambda path: model.save_pretrained(path.parent))
    state = load_file(chest.RAD_DINO.path)
    assert "encoder.layer.0.attention.attention.query.weight" in state  # the names of the published file
    monkeypatch.setattr(chest, "SHAPE", small)
    processor = transformers.BitImageProcessor(
        size={"shortest_edge": 518}, crop_size=518, resample=3, image_mean=[0.5307] * 3, image_std=[0.2583] * 3
    )  # as in its preprocessor_config.json
    inputs = processor([Image.fromarray(image) for image in pixels], return_tensors="pt")["pixel_values"]
    expected = model(inputs).pooler_output.detach().numpy()
    ours = RadDino().load(nothing, ctx)(pixels)
    np.testing.assert_allclose(ours, expected, atol=0.02 * np.abs(expected).max())  # it rounds to 8 bits
    save_file(dict(list(state.items())[:-3]), chest.RAD_DINO.path)
    monkeypatch.setattr(chest, "RAD_DINO", replace(chest.RAD_DINO, sha256=""))
    with pytest.raises(DataError, match="lacks"):
        RadDino().load(nothing, ctx)


@pytest.mark.parametrize("extractor", [RadDino(), TorchXRayVision()])
def test_chest_extractors_want_their_extra_and_their_file(extractor, monkeypatch):
    monkeypatch.setattr("synthbench_torchkit.available.find_spec", lambda package: "found")
    (file,) = extractor.files()
    assert len(file.sha256) == 64
    with pytest.raises(DataError, match=f"{file.path} is missing"):
        extractor.inputs()
    monkeypatch.setattr("synthbench_torchkit.available.find_spec", lambda package: None)
    with pytest.raises(PluginError, match=rf"clone .* `pip install '\.\[{extractor.name}\]'` or `uv sync --extra"):
        extractor.files()


# ---- classifier


def test_the_classifier_is_trained_once_on_the_training_images(ctx):
    real, extractor = tiny_splits(), TrainedClassifier(backbone="cnn", epochs=1)
    features = ctx.features(real.tests["test"], extractor, train=real.train)
    assert features.shape == (24, 128)
    ctx.features(real.train, extractor, train=real.train)
    trained = list((ctx.store.root / "classifier").iterdir())
    assert len(trained) == 1
    own = replace(ctx, seed=0).child("classifier", 0)
    classifier = cached_classifier(real.train, extractor.recipe, own)
    assert list((ctx.store.root / "classifier").iterdir()) == trained
    np.testing.assert_allclose(features, classifier.features(real.tests["test"], ctx), rtol=1e-5, atol=1e-6)


def test_the_classifier_keeps_the_contract():
    check_extractor(TrainedClassifier(backbone="cnn", epochs=1))


def test_the_papers_vgg16_is_the_default():
    assert TrainedClassifier().recipe.backbone == "vgg16"
    assert (TrainedClassifier().recipe.epochs, TrainedClassifier().recipe.patience) == (60, 2)
    assert (
        TrainedClassifier(seed=3).signature().startswith("classifier | vgg16 trained on the real training images")
    )

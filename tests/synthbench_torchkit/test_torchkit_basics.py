"""device, tensors and state: the small things that every torch plugin stands on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from synthbench.testing import context_in
from synthbench_torchkit.device import torch_device
from synthbench_torchkit.state import load_tensors, save_tensors, select
from synthbench_torchkit.tensors import to_float, to_uint8


def test_a_device_comes_with_deterministic_algorithms(tmp_path: Path) -> None:
    assert torch_device(context_in(tmp_path)) == torch.device("cpu")
    assert torch.are_deterministic_algorithms_enabled()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_missing_gpu_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"'cuda:0'.*no GPU"):
        torch_device(context_in(tmp_path, device="cuda:0"))


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_survive_the_way_there_and_back(channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 6, channels), dtype=np.uint8)
    pixels.setflags(write=False)
    images = to_float(pixels)
    assert images.shape == (5, channels, 4, 6)
    assert images.dtype == torch.float32
    assert images[1, channels - 1, 2, 3].item() == pytest.approx(pixels[1, 2, 3, channels - 1] / 255)
    np.testing.assert_array_equal(to_uint8(images), pixels)


def test_all_levels_survive() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    for dtype in (torch.float32, torch.float64):
        np.testing.assert_array_equal(to_uint8(to_float(levels, dtype=dtype)), levels)


def test_values_are_rounded_and_clamped() -> None:
    values = torch.tensor([-0.5, 0.0, 1.49 / 255, 1.51 / 255, 1.0, 7.0]).reshape(1, 1, 1, 6)
    assert to_uint8(values).ravel().tolist() == [0, 0, 1, 2, 255, 255]


def test_a_memory_map_can_be_read(tmp_path: Path) -> None:
    np.save(tmp_path / "pixels.npy", np.full((2, 3, 3, 1), 51, dtype=np.uint8))
    images = to_float(np.load(tmp_path / "pixels.npy", mmap_mode="r"))
    assert torch.allclose(images, torch.tensor(0.2))


def test_tensors_come_back_bit_for_bit(tmp_path: Path) -> None:
    weight = torch.randn(4, 3, 5, 5).to(memory_format=torch.channels_last)
    tensors = {"net.weight": weight, "net.step": torch.tensor(3), "other": torch.randn(2).double()}
    save_tensors(tmp_path / "state.safetensors", tensors, {"step": 7, "losses": [[0, 0.1]]})
    found, about = load_tensors(tmp_path / "state.safetensors")
    assert found.keys() == tensors.keys()
    assert all(
        torch.equal(found[name], tensors[name]) and found[name].dtype == tensors[name].dtype for name in found
    )
    assert about == {"step": 7, "losses": [[0, 0.1]]}
    assert select(found, "net").keys() == {"weight", "step"}


def test_a_failed_write_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    save_tensors(path, {"a": torch.ones(2)}, {"step": 1})
    with pytest.raises(TypeError):
        save_tensors(path, {"a": torch.zeros(2)}, {"step": object()})
    assert load_tensors(path)[1] == {"step": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["state.safetensors"]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    with pytest.raises(FileNotFoundError):
        load_tensors(path)
    save_tensors(path, {"a": torch.ones(200)}, {})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(RuntimeError, match=r"state\.safetensors is damaged .*delete it"):
        load_tensors(path)

"""Whitened components, and noise like a set of residuals."""

from __future__ import annotations

import numpy as np

from synthbench_flow.basis import Basis, ResidualNoise


def test_coordinates_are_white_and_lead_back_to_the_image() -> None:
    rng = np.random.default_rng(0)
    flat = np.clip(
        rng.normal(size=(300, 5)) * [60, 30, 20, 8, 4] @ np.linalg.qr(rng.normal(size=(5, 5)))[0] + 128, 0, 255
    )
    flat = flat.astype(np.uint8)
    basis = Basis.fit(flat, 99, seed=1)
    codes = basis.encode(flat)
    assert codes.shape == (300, 5)
    np.testing.assert_allclose(np.cov(codes.T), np.eye(5), atol=1e-3)
    np.testing.assert_allclose(basis.decode(codes), flat, atol=0.01)
    two = Basis.fit(flat, 2, seed=1)
    left = flat - two.decode(two.encode(flat))
    assert 0.1 < left.std() < flat.std(axis=0).max()
    assert np.abs(left @ two.components.T).max() < 0.01, "what is left out lies across the components"


def test_directions_of_no_length_stay_finite() -> None:
    flat = np.array([[0, 10], [0, 10], [200, 30]], dtype=np.uint8)
    codes = Basis.fit(flat, 9, seed=0).encode(flat)
    assert np.isfinite(codes).all()
    same = Basis.fit(flat[:2], 1, seed=0)
    np.testing.assert_allclose(same.decode(same.encode(flat[:2])), flat[:2], atol=1e-3)


def test_noise_has_the_strength_the_spectrum_and_the_channels_of_the_residuals() -> None:
    """Residuals: stripes of two rows, strong on the left, the same in two channels and the reverse in a third."""
    rng = np.random.default_rng(0)
    stripes = rng.normal(size=(400, 8, 1, 1)) + np.roll(rng.normal(size=(400, 8, 1, 1)), 1, axis=1)
    strength = np.linspace(5, 1, 6)[None, None, :, None]
    residuals = (np.repeat(stripes, 6, axis=2) * strength * np.array([1, 1, -1])).astype(np.float32)
    drawn = ResidualNoise.fit(residuals).draw(3000, rng)
    np.testing.assert_allclose(drawn.std(axis=0), residuals.std(axis=0), rtol=0.12)
    spectra = [np.mean(np.abs(np.fft.fft2(x[..., 0], axes=(1, 2))) ** 2, axis=0) for x in (residuals, drawn)]
    np.testing.assert_allclose(spectra[1], spectra[0], atol=0.1 * spectra[0].max())
    np.testing.assert_allclose(drawn[..., 0], drawn[..., 1], atol=1e-3)
    np.testing.assert_allclose(drawn[..., 0], -drawn[..., 2], atol=1e-3)


def test_white_residuals_give_white_noise() -> None:
    residuals = np.random.default_rng(0).normal(0, 7, size=(500, 4, 4, 1)).astype(np.float32)
    drawn = ResidualNoise.fit(residuals).draw(4000, np.random.default_rng(1)).reshape(4000, 16)
    np.testing.assert_allclose(np.cov(drawn.T), 49 * np.eye(16), atol=8)


def test_where_the_components_leave_nothing_out_there_is_no_noise():
    drawn = ResidualNoise.fit(np.zeros((5, 8, 8, 1), np.float32)).draw(2, np.random.default_rng(0))
    assert np.abs(drawn).max() < 1e-3
